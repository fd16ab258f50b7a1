//! Writes entries: a migration was applied, undone, accepted or forgotten, or has made progress.

use migrate_set::checksum::{ALGORITHM, sha256};
use migrate_set::ledger::Entry;
use migrate_set::plan::Cause;
use migrate_set::resume::manner;
use migrate_set::set::Migration;
use migrate_set::version::Version;

use super::ledger::Ledger;
use super::literal::literal;
use super::operator::{ADD, CAT, EQ};

/// How much of a migration has run when its entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent<'d> {
    /// All of it.
    Whole,
    /// All of it, and it has no entry yet.
    First,
    /// It is about to start.
    Started(Progress<'d>),
    /// Nothing, so there is no checksum: a baseline.
    Nothing,
}

/// The progress of an unfinished migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress<'d> {
    /// Statements that took effect.
    pub(crate) done: u32,
    /// Whether the next one is about to be sent, and can take effect without being recorded.
    pub(crate) in_flight: bool,
    /// The digest of all these; `None` if there are none.
    pub(crate) digest: Option<&'d str>,
}

/// The columns that every new entry fills.
pub(super) const COLUMNS: &str = "module, version, kind, name, filename, checksum, \
     checksum_algorithm, \"position\", applied_at, execution_ms, applied_by, down_sql, down_checksum, ran";

/// Milliseconds since the message arrived.
pub(super) const SINCE_MESSAGE: &str = "(EXTRACT(epoch FROM pg_catalog.clock_timestamp() \
     OPERATOR(pg_catalog.-) pg_catalog.statement_timestamp()) \
     OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8";

/// Milliseconds since the guard of the same transaction recorded the time; 0 if a migration removed
/// that (`RESET ALL`).
const ELAPSED_MS: &str = "CASE WHEN pg_catalog.current_setting('migrate.started', true) \
     OPERATOR(pg_catalog.<>) '' THEN ((EXTRACT(epoch FROM pg_catalog.clock_timestamp()) \
     OPERATOR(pg_catalog.-) pg_catalog.current_setting('migrate.started')::pg_catalog.numeric) \
     OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8 ELSE 0 END";

/// Records the time for [`ELAPSED_MS`], as an expression.
pub(super) const NOTE_START: &str = "pg_catalog.set_config('migrate.started', \
     EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.text, true)";

/// A statement that returns the row that `change` writes, and raises `division_by_zero` if it writes none: a trigger
/// can discard a row without an error. `with` is the beginning of its WITH.
pub(super) fn kept(with: &str, change: &str) -> String {
    format!(
        "{with} w AS ({change} RETURNING execution_ms) \
         SELECT COALESCE(pg_catalog.max(w.execution_ms), 0) OPERATOR(pg_catalog./) pg_catalog.count(*) \
         AS execution_ms FROM w"
    )
}

impl Ledger {
    /// The condition that the entry of a migration is as it was when its step was planned.
    pub(crate) fn as_planned(&self, version: &Version, cause: Cause) -> String {
        let entry = |condition: &str| {
            let key = self.key_of(version);
            format!("EXISTS (SELECT 1 FROM {} WHERE {key}{condition})", self.quoted)
        };
        match cause {
            Cause::New => format!("NOT {}", entry("")),
            Cause::Changed => entry(""),
            Cause::Unfinished { done, in_flight } => {
                entry(&format!(" AND progress {EQ} {done} AND in_flight {EQ} {in_flight}"))
            }
        }
    }

    /// Records `migration` at `position`; returns its `execution_ms`.
    ///
    /// It replaces an existing entry of a repeatable migration. With [`Extent::First`] there is none, and the
    /// statement is shorter.
    pub(crate) fn record(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        position: i64,
        extent: Extent<'_>,
    ) -> String {
        let (done, in_flight, digest) = match extent {
            Extent::Started(Progress { done, in_flight, digest }) => {
                (done.to_string(), in_flight, digest)
            }
            _ => (null(), false, None),
        };
        let has_run = extent != Extent::Nothing;
        let how = ["pg_catalog.clock_timestamp()", ELAPSED_MS, "session_user"];
        let insert = format!(
            "INSERT INTO {} AS l ({COLUMNS}, progress, in_flight) VALUES ({}, {done}, {in_flight})",
            self.quoted,
            self.values(migration, down_sql, position, (has_run, how), digest)
        );
        if extent == Extent::First {
            return kept("WITH", &insert);
        }
        let replacing = format!(
            "{insert} ON CONFLICT (module, version) DO UPDATE SET \
             name = excluded.name, filename = excluded.filename, checksum = excluded.checksum, \
             checksum_algorithm = excluded.checksum_algorithm, \
             \"position\" = excluded.\"position\", applied_at = excluded.applied_at, \
             execution_ms = excluded.execution_ms, applied_by = excluded.applied_by, \
             down_sql = excluded.down_sql, down_checksum = excluded.down_checksum, \
             progress = excluded.progress, \
             in_flight = excluded.in_flight, ran = excluded.ran \
             WHERE l.kind {EQ} 'repeatable'"
        );
        kept("WITH", &replacing)
    }

    /// The values of [`COLUMNS`] for `migration`; with its checksum if it has run.
    pub(super) fn values(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        position: i64,
        (has_run, [applied_at, execution_ms, applied_by]): (bool, [&str; 3]),
        digest: Option<&str>,
    ) -> String {
        let checksum = migration.checksum().to_string();
        let values = [
            literal(&self.module),
            literal(migration.version().as_str()),
            literal(migration.kind().as_str()),
            literal(migration.name()),
            literal(migration.filename()),
            if has_run { literal(&checksum) } else { null() },
            literal(ALGORITHM),
            position.to_string(),
            applied_at.to_owned(),
            execution_ms.to_owned(),
            applied_by.to_owned(),
            down_sql.map_or_else(null, literal),
            down_sql.map_or_else(null, |sql| literal(&sha256(sql))),
            ran(migration, digest),
        ];
        values.join(", ")
    }

    /// Records the progress of an unfinished migration, if its progress is `from`.
    pub(crate) fn progress(&self, migration: &Migration, from: u32, to: Progress<'_>) -> String {
        let Progress { done, in_flight, digest } = to;
        format!(
            "UPDATE {} SET progress = {done}, in_flight = {in_flight}, ran = {} WHERE {} \
             AND progress {EQ} {from}",
            self.quoted,
            ran(migration, digest),
            self.key_of(migration.version())
        )
    }

    /// Turns an unfinished entry into a finished one of the text that finished it, if its progress is
    /// `from`. `before_ms` is how long it had run when the message was sent.
    pub(crate) fn finish(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        from: u32,
        before_ms: u128,
    ) -> String {
        let [checksum, algorithm, name, filename, down, down_checksum, ran] =
            texts(migration, down_sql);
        format!(
            "UPDATE {} SET progress = NULL, in_flight = false, checksum = {checksum}, \
             checksum_algorithm = {algorithm}, name = {name}, filename = {filename}, \
             down_sql = {down}, down_checksum = {down_checksum}, ran = {ran}, \
             applied_at = pg_catalog.clock_timestamp(), execution_ms = {before_ms} {ADD} {SINCE_MESSAGE} \
             WHERE {} AND progress {EQ} {from}",
            self.quoted,
            self.key_of(migration.version())
        )
    }

    /// Removes the entry, and adds a row at `position` with the event and the role, so that other runs
    /// find the ledger changed, and no position is used twice.
    pub(crate) fn remove(&self, act: &str, entry: &Entry, position: i64) -> String {
        let (with, insert) = self.removing(act, entry, position);
        kept(&format!("{with},"), &insert)
    }

    /// The same, as a statement that sets `FOUND` in PL/pgSQL.
    pub(crate) fn remove_found(&self, act: &str, entry: &Entry, position: i64) -> String {
        let (with, insert) = self.removing(act, entry, position);
        format!("{with} {insert}")
    }

    fn removing(&self, act: &str, entry: &Entry, position: i64) -> (String, String) {
        let key = self.key_of(&entry.version);
        let gone = format!("DELETE FROM {} WHERE {key} RETURNING *", self.quoted);
        self.noting(act, &gone, position)
    }

    /// Adds a row at `position` with the event and the role; the entry is kept.
    pub(crate) fn note_act(&self, act: &str, entry: &Entry, position: i64) -> String {
        let key = self.key_of(&entry.version);
        let found = format!("SELECT * FROM {} WHERE {key}", self.quoted);
        let (with, insert) = self.noting(act, &found, position);
        kept(&format!("{with},"), &insert)
    }

    /// The beginning of a WITH, and the statement after it.
    fn noting(&self, act: &str, entry: &str, position: i64) -> (String, String) {
        let kind = literal(act);
        let insert = format!(
            "INSERT INTO {} (module, version, kind, name, filename, \
             checksum, checksum_algorithm, \"position\", applied_at, execution_ms, applied_by) \
             SELECT '', {kind} {CAT} ' {position}', {kind}, \
             e.module {CAT} ' ' {CAT} e.version {CAT} ' ' {CAT} e.name, \
             e.filename, e.checksum, e.checksum_algorithm, {position}, \
             pg_catalog.clock_timestamp(), {ELAPSED_MS}, session_user FROM e",
            self.quoted
        );
        (format!("WITH e AS ({entry})"), insert)
    }

    /// Changes the entry to the text of the set.
    pub(crate) fn accept(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        entry: &Entry,
    ) -> String {
        let [checksum, algorithm, name, filename, down, down_checksum, ran] =
            texts(migration, down_sql);
        let update = format!(
            "UPDATE {} SET checksum = {checksum}, checksum_algorithm = {algorithm}, \
             name = {name}, filename = {filename}, down_sql = {down}, \
             down_checksum = {down_checksum}, ran = {ran} WHERE {}",
            self.quoted,
            self.key_of(&entry.version)
        );
        kept("WITH", &update)
    }
}

/// The values of the columns with the text of a finished migration, from its checksum on.
fn texts(migration: &Migration, down_sql: Option<&str>) -> [String; 7] {
    [
        literal(&migration.checksum().to_string()),
        literal(ALGORITHM),
        literal(migration.name()),
        literal(migration.filename()),
        down_sql.map_or_else(null, literal),
        down_sql.map_or_else(null, |sql| literal(&sha256(sql))),
        ran(migration, None),
    ]
}

/// How `migration` runs, with the digest of what took effect while it is unfinished.
fn ran(migration: &Migration, digest: Option<&str>) -> String {
    let Some(manner) = manner(migration.up()) else { return null() };
    literal(&digest.map_or_else(|| manner.to_owned(), |digest| format!("{manner} {digest}")))
}

fn null() -> String {
    "NULL".to_owned()
}
