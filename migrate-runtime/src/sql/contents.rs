//! Reads the ledger, and checks only that this library could have written each value.

use std::borrow::Cow;

use migrate_set::digest::{Digest, Running};
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::rollback::Recorded;
use migrate_set::set::Migrations;
use migrate_set::settled::Settled;
use migrate_set::version::Version;
use tokio_postgres::SimpleQueryRow;

use super::boot::{Found, NULL};
use super::citus::{Citus, IS_CITUS, ON_WORKER};
use super::lease::{EXPIRED, LOCK_POSITION, Lease, at_lock, holder};
use super::ledger::Ledger;
use super::literal::{column, literal, text, utc};
use super::look::FOUND;
use super::operator::{CAT, EQ, GT, NE};

/// What the read of the ledger found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents<'s> {
    /// The entries of the set's module, without those in `settled`.
    pub(crate) entries: Vec<Entry>,
    /// The entries that match the set, if there is a set to compare them with.
    settled: Option<Settled<'s>>,
    /// The entries with their down scripts, if these were read.
    pub(crate) recorded: Vec<Recorded>,
    /// The highest position of any module; 0 in an empty ledger.
    pub(crate) last_position: i64,
    /// The digests of the last entry of any module.
    digests: Option<String>,
    /// Whether the table exists.
    pub(crate) exists: bool,
    /// The transaction in which it was read.
    pub(crate) transaction: Transaction,
    /// Whether the database has Citus.
    pub(crate) citus: Citus,
    /// The server process that answered.
    pub(crate) process: Option<i32>,
    /// The server process of the session, from `pg_backend_pid()`; `None` if no entries were read.
    pub(crate) backend: Option<i32>,
    /// The lock row, if a run holds it.
    pub(crate) lease: Option<Lease>,
    /// Whether a run holds the lock row, if the read did not ask which run.
    pub(crate) is_locked: bool,
    /// Whether the entries have only the values that a plan compares.
    pub(crate) is_brief: bool,
    /// The roles that may write the ledger besides its owner, where the read asked for them.
    pub(crate) writers: Vec<String>,
    /// The other modules in the ledger, where the read asked for them.
    pub(crate) other_modules: Vec<String>,
}

/// The transaction of a read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// That of the message alone.
    #[default]
    Own,
    /// One that the caller had begun.
    OfCaller,
}

/// Which columns of the ledger are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// None if this is the digest of the last row, otherwise those that a plan compares with the set.
    Unless(Digest),
    /// Those that a plan compares with the set.
    Brief,
    /// All but the down scripts.
    Entries,
    /// All.
    WithDownScripts,
}

/// Whether a transaction was open before the message: it has the time of its first message. Also the server process, and
/// whether the database has Citus.
pub(super) fn server_columns() -> String {
    format!(
        "pg_catalog.now() {NE} pg_catalog.statement_timestamp() AS is_open, \
         pg_catalog.pg_backend_pid() AS process, {IS_CITUS} AS is_citus"
    )
}

impl Ledger {
    /// Reads the ledger: one message.
    pub(crate) fn read(&self, reading: Reading) -> String {
        match reading {
            Reading::Unless(digest) => self.boot(&[(self, Some(digest))]),
            Reading::Brief => self.boot(&[(self, None)]),
            Reading::Entries => self.select(""),
            Reading::WithDownScripts => self.select(", e.down_sql, e.down_checksum"),
        }
    }

    /// Reads these modules of this table: one message, whose row [`Contents::take_module`] takes for each.
    pub(crate) fn read_modules(&self, modules: &[(&Ledger, Digest)]) -> String {
        let modules: Vec<_> = modules.iter().map(|(one, digest)| (*one, Some(*digest))).collect();
        self.boot(&modules)
    }

    /// The last entry, and all of the module.
    fn select(&self, down_scripts: &str) -> String {
        let (columns, quoted, present) = (self.entry_columns(), &self.quoted, self.present());
        let entries = format!(
            "SELECT {columns}{down_scripts} FROM {quoted} e WHERE {present} ORDER BY e.\"position\""
        );
        // A statement of its own, which is answered before one that fails.
        format!("SELECT {}; ", server_columns()) + &self.look(&[self.situation(), entries])
    }

    /// The last position, the holder of the lock row, who may write the ledger, and its other modules.
    fn situation(&self) -> String {
        let (last, digests) = (self.last_position(), self.last_digests());
        let (at_lock, writers) = (at_lock("h"), self.writers());
        let (quoted, module) = (&self.quoted, literal(&self.module));
        let since = utc("h.applied_at");
        format!(
            "SELECT {last} AS last, {digests} AS digests, pg_catalog.pg_backend_pid() AS backend, h.filename AS token, \
             h.application AS application_name, h.progress AS pid, h.applied_by AS \"user\", {since} AS since, \
             {EXPIRED} AS expired, {writers} AS writers, \
             (SELECT pg_catalog.string_agg(m.module, pg_catalog.chr(10)) FROM (SELECT DISTINCT o.module \
             FROM {quoted} o WHERE o.module {NE} '' AND o.module {NE} {module} ORDER BY 1) m) AS modules FROM (VALUES (1)) one LEFT JOIN {quoted} h ON {at_lock}"
        )
    }

    /// The columns that [`entry`] reads; the earlier texts of a repeatable migration in order, with `-`
    /// before one that was undone, which no newer text replaced.
    pub(super) fn entry_columns(&self) -> String {
        let (applied_at, quoted) = (utc("e.applied_at"), &self.quoted);
        format!(
            "e.version, e.kind, e.name, e.filename, e.checksum, e.checksum_algorithm, \
             e.\"position\", {applied_at} AS applied_at, e.execution_ms, e.applied_by, e.progress, \
             e.in_flight, e.ran, CASE WHEN e.kind {EQ} 'repeatable' THEN (SELECT pg_catalog.string_agg(\
             CASE WHEN n.kind {EQ} 'undone' THEN '-' ELSE '' END {CAT} s.checksum, ' ' \
             ORDER BY s.\"position\") FROM {quoted} s JOIN {quoted} n \
             ON n.\"position\" {EQ} s.ended_position WHERE s.module {EQ} e.module \
             AND s.ended_position {GT} 0 AND s.version {EQ} e.version AND s.kind {EQ} e.kind) \
             END AS superseded"
        )
    }
}

impl<'s> Contents<'s> {
    /// Nothing yet; entries that are read briefly, or the last digests, are compared with this set.
    pub(crate) fn against(set: &'s Migrations) -> Self {
        Contents { settled: Some(Settled::new(set)), ..Contents::default() }
    }

    /// Whether the ledger has exactly the migrations of the set by its digest, so that no entry was read, nor the
    /// last position.
    pub(crate) fn is_known(&self) -> bool {
        self.settled.as_ref().is_some_and(Settled::is_known)
    }

    /// Whether the ledger has exactly the migrations of the set in its module.
    pub(crate) fn is_settled(&self) -> bool {
        self.entries.is_empty() && self.settled.as_ref().is_some_and(Settled::is_whole)
    }

    /// All entries of the set's module.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        let mut entries = self.entries;
        if let Some(settled) = &self.settled {
            entries.append(&mut settled.entries());
        }
        entries
    }

    /// The digests after the last entry, for the rows that a run adds; it adds none if no entry was read.
    pub(crate) fn running(&self, set: &Migrations) -> Running {
        if self.is_known() {
            return Running::default();
        }
        let settled = self.settled.as_ref().map(Settled::entries).unwrap_or_default();
        let recorded = self.recorded.iter().map(|recorded| &recorded.entry);
        let entries = self.entries.iter().chain(recorded).chain(&settled);
        Running::new(set, self.digests.as_deref(), entries)
    }

    /// Takes one row of [`Ledger::read`].
    ///
    /// # Errors
    /// The name of a column with a value that this library never writes.
    pub(crate) fn take(&mut self, row: &SimpleQueryRow) -> Result<(), &'static str> {
        if row.try_get("is_open").is_ok() {
            self.take_module(row, 0)
        } else if let Ok(last) = row.try_get("last") {
            self.take_situation(last, row)
        } else {
            entry(row).map(|entry| self.take_entry(entry, row))
        }
    }

    /// Takes the row of [`Ledger::read_modules`], for the module with this index, or that of [`server_columns`].
    ///
    /// # Errors
    /// As [`Contents::take`].
    pub(crate) fn take_module(
        &mut self,
        row: &SimpleQueryRow,
        module: usize,
    ) -> Result<(), &'static str> {
        if text(row, "is_open") == Some("t") {
            self.transaction = Transaction::OfCaller;
        }
        self.citus = match (text(row, "is_citus"), text(row, FOUND)) {
            (_, Some(ON_WORKER)) => Citus::HasLedger,
            (Some("t"), _) => Citus::Present,
            _ => self.citus,
        };
        if let Some(process) = text(row, "process") {
            self.process = process.parse().ok();
        }
        match Found::of(row, module) {
            None => Ok(()),
            Some(Found::Settled) => {
                self.settled = self.settled.take().map(Settled::whole);
                Ok(())
            }
            Some(Found::Entries { first: [last, digests, backend], rows }) => {
                self.is_brief = true;
                self.take_last(Some(last))?;
                self.digests = Some(digests.to_owned());
                self.backend = backend.parse().ok();
                Found::entries(rows).try_for_each(|entry| self.take_briefly(entry))
            }
        }
    }

    /// Takes one entry of [`Found::entries`].
    fn take_briefly(
        &mut self,
        [version, kind_text, checksum, progress, ran]: [&str; 5],
    ) -> Result<(), &'static str> {
        let value = |text: &'_ str| (text != NULL).then(|| text.to_owned());
        let progress = match progress {
            NULL => None,
            done => Some(done.parse().map_err(|_| "progress")?),
        };
        let manner = (ran != NULL).then_some(ran);
        if let (Some(settled), None) = (&mut self.settled, progress)
            && settled.meets(kind_text, version, checksum, manner)
        {
            return Ok(());
        }
        let (version, kind) = (Version::new(version.to_owned()), kind(Some(kind_text))?);
        let entry = Entry::brief(version, kind, value(checksum));
        self.entries.push(Entry { progress, ran: value(ran), ..entry });
        Ok(())
    }

    fn take_entry(&mut self, entry: Entry, row: &SimpleQueryRow) {
        let Ok(down_sql) = row.try_get("down_sql") else { return self.entries.push(entry) };
        let down_checksum = text(row, "down_checksum").map(str::to_owned);
        let down_sql = down_sql.map(str::to_owned);
        self.recorded.push(Recorded { entry, down_sql, down_checksum });
    }

    /// Takes the highest position, which can be that of the lock row.
    fn take_last(&mut self, last: Option<&str>) -> Result<(), &'static str> {
        self.is_locked = last.is_some_and(|last| last.parse() == Ok(LOCK_POSITION));
        if !self.is_locked {
            self.last_position = position(last)?;
        }
        Ok(())
    }

    fn take_situation(
        &mut self,
        last: Option<&str>,
        row: &SimpleQueryRow,
    ) -> Result<(), &'static str> {
        self.take_last(last)?;
        self.digests = column(row, "digests");
        self.backend = text(row, "backend").and_then(|pid| pid.parse().ok());
        for (list, column) in [(&mut self.writers, "writers"), (&mut self.other_modules, "modules")]
        {
            for line in text(row, column).unwrap_or_default().lines() {
                list.push(line.to_owned());
            }
        }
        let expired = text(row, "expired") == Some("t");
        self.lease =
            column(row, "token").map(|token| Lease { token, holder: holder(row), expired });
        Ok(())
    }
}

/// The position of an entry, which is below that of the lock row, so that adding to it cannot overflow.
fn position(text: Option<&str>) -> Result<i64, &'static str> {
    let position = text.and_then(|text| text.parse().ok());
    position.filter(|position| (0..LOCK_POSITION).contains(position)).ok_or("position")
}

fn kind(text: Option<&str>) -> Result<Kind, &'static str> {
    match text {
        Some("versioned") => Ok(Kind::Versioned),
        Some("repeatable") => Ok(Kind::Repeatable),
        _ => Err("kind"),
    }
}

/// One entry of [`Ledger::read`] or [`Ledger::read_tenants`].
pub(crate) fn entry(row: &SimpleQueryRow) -> Result<Entry, &'static str> {
    let owned = |name| column(row, name).unwrap_or_default();
    let number = |name| text(row, name).and_then(|text| text.parse::<i64>().ok());
    let progress = match text(row, "progress") {
        None => None,
        Some(done) => Some(done.parse().map_err(|_| "progress")?),
    };
    Ok(Entry {
        version: Version::new(owned("version")),
        kind: kind(text(row, "kind"))?,
        name: owned("name"),
        filename: owned("filename"),
        checksum: text(row, "checksum").map(str::to_owned),
        checksum_algorithm: Cow::Owned(owned("checksum_algorithm")),
        position: position(text(row, "position"))?,
        applied_at: owned("applied_at"),
        execution_ms: number("execution_ms").ok_or("execution_ms")?,
        applied_by: owned("applied_by"),
        progress,
        in_flight: text(row, "in_flight") == Some("t"),
        superseded: superseded(text(row, "superseded").unwrap_or_default()),
        ran: text(row, "ran").map(str::to_owned),
    })
}

/// The texts that a newer one replaced; the last mention of a text counts.
fn superseded(texts: &str) -> Vec<String> {
    let mut superseded: Vec<String> = Vec::new();
    for text in texts.split(' ').filter(|text| !text.is_empty()) {
        let checksum = text.trim_start_matches('-');
        superseded.retain(|known| known != checksum);
        if checksum == text {
            superseded.push(checksum.to_owned());
        }
    }
    superseded
}
