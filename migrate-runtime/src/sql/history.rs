//! Reads the history of a module, in order.

use std::time::Duration;

use tokio_postgres::SimpleQueryRow;

use super::ledger::Ledger;
use super::literal::{column, literal, text, utc};
use super::operator::EQ;
use crate::outcome::{Act, HistoryRow};

impl Ledger {
    /// Reads all rows of the module.
    pub(crate) fn history(&self) -> String {
        let Ledger { quoted, module, .. } = self;
        let (at, module) = (utc("e.applied_at"), literal(module));
        self.look(&[format!(
            "SELECT e.kind, e.version, e.name, e.filename, e.checksum, e.\"position\", \
             {at} AS applied_at, e.execution_ms, e.applied_by, e.application, e.progress, \
             e.ended_position FROM {quoted} e WHERE e.module {EQ} {module} ORDER BY e.\"position\""
        )])
    }
}

/// One row of [`Ledger::history`].
///
/// # Errors
/// The name of a column with a value that this library never writes.
pub(crate) fn history_row(row: &SimpleQueryRow) -> Result<HistoryRow, &'static str> {
    let owned = |name| column(row, name).unwrap_or_default();
    let number = |name| text(row, name).and_then(|text| text.parse::<i64>().ok()).ok_or(name);
    let checksum = column(row, "checksum");
    let act = match text(row, "kind") {
        Some("versioned" | "repeatable") if text(row, "progress").is_some() => Act::Unfinished,
        Some("versioned" | "repeatable") if checksum.is_none() => Act::Taken,
        Some("versioned" | "repeatable") => Act::Applied,
        Some("undone") => Act::Undone,
        Some("accepted") => Act::Accepted,
        Some("forgotten") => Act::Forgotten,
        _ => return Err("kind"),
    };
    let (position, ended) = (number("position")?, number("ended_position")?);
    let millis = number("execution_ms")?;
    Ok(HistoryRow {
        position,
        act,
        version: owned("version"),
        name: owned("name"),
        filename: owned("filename"),
        checksum,
        at: owned("applied_at"),
        by: owned("applied_by"),
        application: owned("application"),
        duration: Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        ended: (ended > 0 && ended != position).then_some(ended),
    })
}
