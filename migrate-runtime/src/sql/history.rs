//! Reads the history of a module, in order.

use std::time::Duration;

use tokio_postgres::SimpleQueryRow;

use super::lease::at_lock;
use super::ledger::Ledger;
use super::literal::{column, literal, text, utc};
use super::operator::EQ;
use crate::outcome::{Act, HistoryRow};

impl Ledger {
    /// Reads the entries of the module, and the rows of its events.
    pub(crate) fn history(&self) -> String {
        let Ledger { quoted, module, .. } = self;
        let at = utc("e.applied_at");
        let (module, prefix) = (literal(module), literal(&format!("{module} ")));
        let at_lock = at_lock("e");
        self.look(&[format!(
            "SELECT e.kind, e.version, e.name, e.filename, e.checksum, e.\"position\", \
             {at} AS applied_at, e.execution_ms, e.applied_by, e.progress FROM {quoted} e \
             WHERE e.module {EQ} {module} OR (e.module {EQ} '' AND NOT ({at_lock}) \
             AND pg_catalog.starts_with(e.name, {prefix})) ORDER BY e.\"position\""
        )])
    }

    /// One row of [`Ledger::history`].
    ///
    /// # Errors
    /// The name of a column with a value that this library never writes.
    pub(crate) fn history_row(&self, row: &SimpleQueryRow) -> Result<HistoryRow, &'static str> {
        let owned = |name| column(row, name).unwrap_or_default();
        let number = |name| text(row, name).and_then(|text| text.parse::<i64>().ok());
        let checksum = column(row, "checksum");
        let position = number("position").ok_or("position")?;
        let (mut version, mut name) = (owned("version"), owned("name"));
        let act = match text(row, "kind") {
            Some("versioned" | "repeatable") if text(row, "progress").is_some() => Act::Unfinished,
            Some("versioned" | "repeatable") if checksum.is_none() => Act::Taken,
            Some("versioned" | "repeatable") => Act::Applied,
            kind => {
                // The row names its entry as `module version name`.
                let entry = name.strip_prefix(&format!("{} ", self.module)).unwrap_or(&name);
                let (of, called) = entry.split_once(' ').unwrap_or((entry, ""));
                (version, name) = (of.to_owned(), called.to_owned());
                match kind {
                    Some("undone") => Act::Undone,
                    Some("accepted") => Act::Accepted,
                    Some("forgotten") => Act::Forgotten,
                    _ => return Err("kind"),
                }
            }
        };
        let millis = number("execution_ms").ok_or("execution_ms")?;
        Ok(HistoryRow {
            position,
            act,
            version,
            name,
            filename: owned("filename"),
            checksum,
            at: owned("applied_at"),
            by: owned("applied_by"),
            duration: Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        })
    }
}
