//! Reads the ledger: what a run has to know of it, and what it says of each migration.
//! Rows go in, [`Contents`] come out.
//! It does not judge on purpose, beyond whether a value is one that we would have written.

use migrate_core::checksum::ALGORITHM;
use migrate_core::ledger::Entry;
use migrate_core::name::Kind;
use migrate_core::rollback::Recorded;
use migrate_core::version::Version;
use tokio_postgres::SimpleQueryRow;

use super::lease::{EXPIRED, LOCK_POSITION, Lease};
use super::{Ledger, literal};
use crate::report::Holder;

/// What the read of the ledger found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The entries of the set's module.
    pub(crate) entries: Vec<Entry>,
    /// The same with their down scripts, where these were asked for.
    pub(crate) recorded: Vec<Recorded>,
    /// The highest position of any module; 0 in an empty ledger.
    pub(crate) last_position: i64,
    /// Whether the table exists.
    pub(crate) exists: bool,
    /// The process that serves the session, as it says itself; `None` without a table.
    pub(crate) backend: Option<i32>,
    /// The lock that is a row of the ledger, where somebody holds it.
    pub(crate) lease: Option<Lease>,
    /// Whether somebody does, where the read did not ask who.
    pub(crate) is_locked: bool,
}

/// What of an entry is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What is compared with the set, and nothing that only a message would tell: a fifth of the time
    /// and of the bytes of all of it, and most boots need no more.
    Brief,
    /// All but the down script.
    Entries,
    /// All.
    WithDownScripts,
}

impl Ledger {
    /// Reads what a run has to know, as one row, and the entries of the module: one message.
    ///
    /// The last position comes first: an entry that is written in between makes it stale, which
    /// the guard finds out, and never the other way round.
    pub(crate) fn read(&self, reading: Reading) -> String {
        let Ledger { quoted, module, .. } = self;
        let situation = match reading {
            Reading::Brief => self.brief_situation(),
            Reading::Entries | Reading::WithDownScripts => self.situation(),
        };
        let columns = match reading {
            Reading::Brief => brief_columns(),
            Reading::Entries => entry_columns(),
            Reading::WithDownScripts => entry_columns() + ", e.down_sql, e.down_checksum",
        };
        // A plan orders what it compares by itself.
        let order = if reading == Reading::Brief { "" } else { " ORDER BY e.\"position\"" };
        let module = literal(module);
        format!("{situation}; SELECT {columns} FROM {quoted} e WHERE e.module = {module}{order}")
    }

    /// The highest position, which is that of the lock that is a row where somebody holds it.
    fn brief_situation(&self) -> String {
        format!(
            "SELECT (SELECT p.\"position\" FROM {} p ORDER BY p.\"position\" DESC LIMIT 1) AS last, \
             pg_catalog.pg_backend_pid() AS backend",
            self.quoted
        )
    }

    /// The last position, and who holds the lock that is a row.
    fn situation(&self) -> String {
        let (last, at_lock) = (self.last_position(), Self::at_lock("h"));
        let (quoted, since) = (&self.quoted, utc("h.applied_at"));
        format!(
            "SELECT {last} AS last, pg_catalog.pg_backend_pid() AS backend, h.filename AS token, \
             h.name AS application_name, h.progress AS pid, h.applied_by AS \"user\", {since} AS since, \
             {EXPIRED} AS expired FROM (VALUES (1)) one LEFT JOIN {quoted} h ON {at_lock}"
        )
    }

    /// Those of `schemas` that hold a table of this ledger's name: one row each.
    pub(crate) fn among(&self, schemas: &[String]) -> String {
        let schemas: Vec<String> = schemas.iter().map(|schema| literal(schema)).collect();
        format!(
            "SELECT n.nspname AS tenant FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relname = {} AND c.relkind IN ('r', 'p') AND n.nspname IN ({})",
            literal(&self.table),
            schemas.join(", ")
        )
    }

    /// Reads the entries of the module in the ledgers of this name in all of `schemas`, each with its
    /// schema as `tenant`: one message. A schema without one is an error of the server.
    pub(crate) fn read_tenants(&self, schemas: &[String]) -> String {
        let one = |schema: &String| {
            let Ledger { quoted, module, .. } = Ledger::new(schema, &self.table, &self.module);
            let (tenant, module, columns) = (literal(schema), literal(&module), entry_columns());
            format!(
                "SELECT {tenant} AS tenant, {columns} FROM {quoted} e WHERE e.module = {module}"
            )
        };
        let all: Vec<String> = schemas.iter().map(one).collect();
        all.join(" UNION ALL ")
    }
}

/// The columns that [`entry`] reads.
fn entry_columns() -> String {
    let applied_at = utc("e.applied_at");
    format!(
        "e.version, e.kind, e.name, e.filename, e.checksum, e.checksum_algorithm, \
         e.\"position\", {applied_at} AS applied_at, e.execution_ms, e.applied_by, e.progress, \
         e.in_flight"
    )
}

/// The columns that [`brief`] reads, without a function: each costs a new session a look into the
/// catalogs. What nearly all entries have alike is left out.
fn brief_columns() -> String {
    let algorithm = literal(ALGORITHM);
    format!(
        "e.version, e.checksum, NULLIF(e.kind, 'versioned') AS kind, \
         NULLIF(e.checksum_algorithm, {algorithm}) AS algorithm, e.progress, e.in_flight"
    )
}

/// A time as text: RFC 3339, UTC.
pub(crate) fn utc(expression: &str) -> String {
    format!(
        "pg_catalog.to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    )
}

impl Contents {
    /// Takes one row of [`Ledger::read`].
    ///
    /// # Errors
    /// The name of the column whose value is none that we would have written.
    pub(crate) fn take(&mut self, row: &SimpleQueryRow) -> Result<(), &'static str> {
        self.exists = true;
        if let Ok(last) = row.try_get("last") {
            self.take_situation(last, row)
        } else if row.columns().len() == BRIEF_COLUMNS {
            brief(row).map(|entry| self.entries.push(entry))
        } else {
            entry(row).map(|entry| self.take_entry(entry, row))
        }
    }

    fn take_entry(&mut self, entry: Entry, row: &SimpleQueryRow) {
        let Ok(down_sql) = row.try_get("down_sql") else { return self.entries.push(entry) };
        let down_checksum = row.get("down_checksum").map(str::to_owned);
        let down_sql = down_sql.map(str::to_owned);
        self.recorded.push(Recorded { entry, down_sql, down_checksum });
    }

    fn take_situation(
        &mut self,
        last: Option<&str>,
        row: &SimpleQueryRow,
    ) -> Result<(), &'static str> {
        self.last_position = last.map_or(Ok(0), str::parse).map_err(|_| "position")?;
        self.backend = row.get("backend").and_then(|pid| pid.parse().ok());
        if row.try_get("token").is_err() {
            self.is_locked = self.last_position == LOCK_POSITION;
            return Ok(());
        }
        let text = |column| row.get(column).map(str::to_owned);
        self.lease = text("token").map(|token| Lease {
            token,
            holder: Holder {
                pid: row.get("pid").and_then(|pid| pid.parse().ok()).unwrap_or_default(),
                application_name: text("application_name").unwrap_or_default(),
                user: text("user").unwrap_or_default(),
                since: text("since"),
            },
            expired: row.get("expired") == Some("t"),
        });
        Ok(())
    }
}

/// How many columns [`brief_columns`] has; fewer than an entry.
const BRIEF_COLUMNS: usize = 6;

/// One entry of [`Reading::Brief`]: what is not read is empty.
fn brief(row: &SimpleQueryRow) -> Result<Entry, &'static str> {
    let column = |index: usize| row.try_get(index).ok().flatten();
    let progress = column(4).map(|done| done.parse().map_err(|_| "progress")).transpose()?;
    Ok(Entry {
        version: Version::new(column(0).unwrap_or_default().to_owned()),
        kind: match column(2) {
            None => Kind::Versioned,
            Some("repeatable") => Kind::Repeatable,
            Some(_) => return Err("kind"),
        },
        name: String::new(),
        filename: String::new(),
        checksum: column(1).map(str::to_owned),
        checksum_algorithm: column(3).unwrap_or(ALGORITHM).to_owned(),
        position: 0,
        applied_at: String::new(),
        execution_ms: 0,
        applied_by: String::new(),
        progress,
        in_flight: column(5) == Some("t"),
    })
}

/// One entry of [`Ledger::read`] or [`Ledger::read_tenants`].
pub(crate) fn entry(row: &SimpleQueryRow) -> Result<Entry, &'static str> {
    let text = |column| row.get(column).unwrap_or_default().to_owned();
    let number = |column| row.get(column).and_then(|text| text.parse::<i64>().ok());
    let progress = match row.get("progress") {
        None => None,
        Some(done) => Some(done.parse().map_err(|_| "progress")?),
    };
    Ok(Entry {
        version: Version::new(text("version")),
        kind: match row.get("kind") {
            Some("versioned") => Kind::Versioned,
            Some("repeatable") => Kind::Repeatable,
            _ => return Err("kind"),
        },
        name: text("name"),
        filename: text("filename"),
        checksum: row.get("checksum").map(str::to_owned),
        checksum_algorithm: text("checksum_algorithm"),
        position: number("position").ok_or("position")?,
        applied_at: text("applied_at"),
        execution_ms: number("execution_ms").ok_or("execution_ms")?,
        applied_by: text("applied_by"),
        progress,
        in_flight: row.get("in_flight") == Some("t"),
    })
}
