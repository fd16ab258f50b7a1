//! Reads the ledger, and checks only that this library could have written each value.

use std::borrow::Cow;

use migrate_set::digest::Running;
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::rollback::Recorded;
use migrate_set::set::Migrations;
use migrate_set::settled::Settled;
use migrate_set::version::Version;
use tokio_postgres::SimpleQueryRow;

use super::lease::{EXPIRED, LOCK_POSITION, Lease, at_lock, holder};
use super::ledger::Ledger;
use super::literal::{column, literal, text, utc};
use super::operator::{CAT, EQ, GT, NE};
use super::trust::{checked, is_trusted};

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
    /// The server process of the session, from `pg_backend_pid()`; `None` without a table.
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
    /// Those that a plan compares with the set.
    Brief,
    /// The same with the server process of the session.
    BriefWithProcess,
    /// All but the down scripts.
    Entries,
    /// All.
    WithDownScripts,
}

/// Whether a transaction was open before the message: it has the time of its first message. A statement of its own,
/// which is answered before one that fails.
const IS_OPEN: &str = "SELECT pg_catalog.now() OPERATOR(pg_catalog.<>) \
                       pg_catalog.statement_timestamp() AS is_open; ";

impl Ledger {
    /// Reads the ledger: one message.
    pub(crate) fn read(&self, reading: Reading) -> String {
        IS_OPEN.to_owned() + &self.look(&self.select(reading))
    }

    /// Reads briefly these modules of this table, one after the other: one message.
    pub(crate) fn read_modules(&self, modules: &[Ledger]) -> String {
        let selects: Vec<String> = modules.iter().flat_map(|one| one.read_briefly("")).collect();
        IS_OPEN.to_owned() + &self.look(&selects)
    }

    fn select(&self, reading: Reading) -> [String; 2] {
        let quoted = &self.quoted;
        let columns = match reading {
            Reading::Brief => return self.read_briefly(""),
            Reading::BriefWithProcess => {
                return self.read_briefly(", pg_catalog.pg_backend_pid() AS backend");
            }
            Reading::Entries => self.entry_columns(),
            Reading::WithDownScripts => self.entry_columns() + ", e.down_sql, e.down_checksum",
        };
        let present = self.present();
        let entries =
            format!("SELECT {columns} FROM {quoted} e WHERE {present} ORDER BY e.\"position\"");
        [self.situation(), entries]
    }

    /// Reads the highest position and then, unordered, what a plan compares, for [`Contents::take`]: if
    /// another run writes in between, the position is too low, and the guard finds the ledger changed.
    ///
    /// A boot's connection is new, and its server process looks up everything that a query names for the
    /// first time: a condition, an order or a function costs about 0.1 ms, and each column of a row
    /// about 0.1 us. Measured in new sessions and rejected: `to_char` of the time; all columns (1.5 ms for
    /// 1,000 instead of 1.2 ms); a digest of all entries in one row (1.0 ms for ten instead of 0.5 ms,
    /// 2.0 ms for 1,000, with sha256 and with md5, because it sorts).
    fn read_briefly(&self, process: &str) -> [String; 2] {
        let (highest, digests) = (self.highest_position(), self.last_digests());
        let present = self.present();
        let entries = format!(
            "SELECT e.version, e.kind, e.checksum, e.progress, e.ran FROM {} e WHERE {present}",
            self.quoted
        );
        [format!("SELECT {highest} AS last, {digests} AS digests{process}"), entries]
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

    /// Those of `schemas` that have a ledger to read: one row each, with its names. The server truncates the
    /// names that it compares, so the caller compares them again.
    pub(crate) fn among(&self, schemas: &[String]) -> String {
        let schemas: Vec<String> = schemas.iter().map(|schema| literal(schema)).collect();
        let query = format!(
            "SELECT n.nspname AS tenant, c.relname AS \"table\" FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace \
             WHERE c.relname {EQ} {} \
             AND n.nspname {EQ} ANY (ARRAY[{}]::pg_catalog.name[]) AND {}",
            literal(&self.table),
            schemas.join(", "),
            is_trusted()
        );
        checked(std::iter::empty(), &query)
    }

    /// Reads the entries of the module in the ledgers of all `schemas`, each with its schema as
    /// `tenant`: one message. A schema without a ledger is an error of the server.
    pub(crate) fn read_tenants(&self, schemas: &[String]) -> String {
        let one = |schema: &String| {
            let ledger = Ledger::new(schema, &self.table, &self.module);
            let (tenant, columns) = (literal(schema), ledger.entry_columns());
            let (quoted, present) = (&ledger.quoted, ledger.present());
            format!("SELECT {tenant} AS tenant, {columns} FROM {quoted} e WHERE {present}")
        };
        let all: Vec<String> = schemas.iter().map(one).collect();
        all.join(" UNION ALL ")
    }

    /// The columns that [`entry`] reads; the earlier texts of a repeatable migration in order, with `-`
    /// before one that was undone, which no newer text replaced.
    fn entry_columns(&self) -> String {
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
    /// Nothing yet; entries that are read briefly are compared with this set.
    pub(crate) fn against(set: &'s Migrations) -> Self {
        Contents { settled: Some(Settled::new(set)), ..Contents::default() }
    }

    /// Whether the ledger has exactly the migrations of the set in its module.
    pub(crate) fn is_settled(&self) -> bool {
        self.entries.is_empty() && self.settled.as_ref().is_some_and(Settled::is_whole)
    }

    /// All entries of the set's module.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        let mut entries = self.entries;
        entries.extend(self.settled.iter().flat_map(Settled::entries));
        entries
    }

    /// The digests after the last entry, for the rows that a run adds.
    pub(crate) fn running(&self, set: &Migrations) -> Running {
        let settled: Vec<Entry> = self.settled.iter().flat_map(Settled::entries).collect();
        let recorded = self.recorded.iter().map(|recorded| &recorded.entry);
        let entries = self.entries.iter().chain(recorded).chain(&settled);
        Running::new(set, self.digests.as_deref(), entries)
    }

    /// Whether the row is the first of a module in [`Ledger::read_modules`].
    pub(crate) fn is_first(row: &SimpleQueryRow) -> bool {
        row.try_get("last").is_ok()
    }

    /// Takes one row of [`Ledger::read`].
    ///
    /// # Errors
    /// The name of a column with a value that this library never writes.
    pub(crate) fn take(&mut self, row: &SimpleQueryRow) -> Result<(), &'static str> {
        if row.columns().len() == BRIEF_COLUMNS {
            self.take_briefly(row)
        } else if let Ok(open) = row.try_get("is_open") {
            if open == Some("t") {
                self.transaction = Transaction::OfCaller;
            }
            Ok(())
        } else if let Ok(last) = row.try_get("last") {
            self.take_situation(last, row)
        } else {
            entry(row).map(|entry| self.take_entry(entry, row))
        }
    }

    /// Takes one entry of [`Ledger::read_briefly`], by the order of its columns.
    fn take_briefly(&mut self, row: &SimpleQueryRow) -> Result<(), &'static str> {
        let column = |index: usize| text(row, index);
        let (version, kind_text) = (column(0).unwrap_or_default(), column(1));
        self.is_brief = true;
        let progress = column(3).map(|done| done.parse().map_err(|_| "progress")).transpose()?;
        let settled = self.settled.as_mut().filter(|_| progress.is_none());
        if let (Some(settled), Some(kind), Some(checksum)) = (settled, kind_text, column(2))
            && settled.meets(kind, version, checksum, column(4))
        {
            return Ok(());
        }
        let (version, kind) = (Version::new(version.to_owned()), kind(kind_text)?);
        let entry = Entry::brief(version, kind, column(2).map(str::to_owned));
        let ran = column(4).map(str::to_owned);
        self.entries.push(Entry { progress, ran, ..entry });
        Ok(())
    }

    fn take_entry(&mut self, entry: Entry, row: &SimpleQueryRow) {
        let Ok(down_sql) = row.try_get("down_sql") else { return self.entries.push(entry) };
        let down_checksum = text(row, "down_checksum").map(str::to_owned);
        let down_sql = down_sql.map(str::to_owned);
        self.recorded.push(Recorded { entry, down_sql, down_checksum });
    }

    fn take_situation(
        &mut self,
        last: Option<&str>,
        row: &SimpleQueryRow,
    ) -> Result<(), &'static str> {
        self.digests = column(row, "digests");
        self.backend = text(row, "backend").and_then(|pid| pid.parse().ok());
        self.is_locked = last.is_some_and(|last| last.parse() == Ok(LOCK_POSITION));
        if !self.is_locked {
            self.last_position = position(last)?;
        }
        let lines = |column| text(row, column).into_iter().flat_map(str::lines).map(str::to_owned);
        self.writers.extend(lines("writers"));
        self.other_modules.extend(lines("modules"));
        let expired = text(row, "expired") == Some("t");
        self.lease =
            column(row, "token").map(|token| Lease { token, holder: holder(row), expired });
        Ok(())
    }
}

/// How many columns [`Ledger::read_briefly`] reads of an entry; no other row has as many.
const BRIEF_COLUMNS: usize = 5;

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
