//! Writes entries: a migration was applied, undone, accepted or forgotten, or has made progress.

use migrate_set::checksum::{ALGORITHM, sha256};
use migrate_set::ledger::Entry;
use migrate_set::name::Kind;
use migrate_set::plan::Cause;
use migrate_set::resume::manner;
use migrate_set::set::Migration;
use migrate_set::version::Version;

use super::invalid_index::indexes_of;
use super::ledger::Ledger;
use super::literal::literal;
use super::operator::{ADD, EQ, SUB, require};

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

/// The position of a new row, and the digests of all modules after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) position: i64,
    pub(crate) digests: String,
}

/// The first entry of a migration, with the digests of all modules after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct New<'m> {
    pub(crate) migration: &'m Migration,
    pub(crate) down_sql: Option<String>,
    pub(crate) digests: String,
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
    /// The table on which the one in flight builds an index whose name the server chooses: its indexes are
    /// recorded, to recognise the new one.
    pub(crate) table: Option<&'d str>,
}

/// The columns that every new entry fills.
pub(super) const COLUMNS: &str = "module, version, kind, name, filename, checksum, \
     checksum_algorithm, \"position\", applied_at, execution_ms, applied_by, down_sql, down_checksum, ran, digests";

/// Milliseconds from the arrival of the message to this time.
pub(super) fn since_message(time: &str) -> String {
    format!(
        "(EXTRACT(epoch FROM {time} {SUB} pg_catalog.statement_timestamp()) \
         OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8"
    )
}

/// The variable of a block with the time at its start: an `UPDATE` of a table that Citus distributes cannot call a
/// volatile function.
pub(super) const NOW: &str = "migrate_now";

/// Milliseconds since the guard of the same transaction recorded the time; 0 if a migration removed
/// that (`RESET ALL`).
const ELAPSED_MS: &str = "CASE WHEN pg_catalog.current_setting('migrate.started', true) \
     OPERATOR(pg_catalog.<>) '' THEN ((EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.float8 \
     OPERATOR(pg_catalog.-) pg_catalog.current_setting('migrate.started')::pg_catalog.float8) \
     OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)::pg_catalog.int8 ELSE 0 END";

/// Records the time for [`ELAPSED_MS`], as an expression.
pub(super) const NOTE_START: &str = "pg_catalog.set_config('migrate.started', \
     EXTRACT(epoch FROM pg_catalog.clock_timestamp())::pg_catalog.text, true)";

/// The time after each of `ticks` migrations of one transaction, of which each [`TICK`] adds one to that of the
/// guard. The transaction's end closes the cursor.
///
/// Measured on the server, 200 in a message: 2 us each. Rejected: a `SELECT` that does the same, 11 us, and one that
/// only returns the time, which the entries then could not have, 4 us.
pub(crate) fn clock(ticks: usize) -> String {
    format!(
        "DECLARE migrate_clock NO SCROLL CURSOR FOR SELECT pg_catalog.set_config('migrate.started', \
         pg_catalog.concat(pg_catalog.current_setting('migrate.started'), ' ', \
         EXTRACT(epoch FROM pg_catalog.clock_timestamp())), true), pg_catalog.generate_series(1, {ticks})"
    )
}

/// Notes the time after one migration.
pub(crate) const TICK: &str = "MOVE migrate_clock";

/// The time of [`clock`] with this number, which is an expression as well; the guard's has number 1.
fn tick(number: &str) -> String {
    format!(
        "pg_catalog.split_part(pg_catalog.current_setting('migrate.started'), ' ', {number})::pg_catalog.float8"
    )
}

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
    pub(crate) fn as_planned(&self, key: (Kind, &Version), cause: Cause) -> String {
        let entry = |condition: &str| {
            let key = self.key_of(key);
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

    /// Records `migration` at this place; returns its `execution_ms`.
    ///
    /// It ends an existing entry, which belongs to a repeatable or an unfinished migration. With
    /// [`Extent::First`] there is none, and the statement is shorter.
    pub(crate) fn record(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        place: &Place,
        extent: Extent<'_>,
    ) -> String {
        let progress = match extent {
            Extent::Started(progress) => Some(progress),
            _ => None,
        };
        let done = progress.map_or_else(null, |progress| progress.done.to_string());
        let in_flight = progress.is_some_and(|progress| progress.in_flight);
        let has_run = extent != Extent::Nothing;
        let how = ["pg_catalog.clock_timestamp()", ELAPSED_MS, "session_user"];
        let quoted = &self.quoted;
        let values = self.values(migration, down_sql, place, (has_run, how), progress);
        let insert = format!("INSERT INTO {quoted} ({COLUMNS}, progress, in_flight)");
        let values = format!("{values}, {done}, {in_flight}");
        if extent == Extent::First {
            return kept("WITH", &format!("{insert} VALUES ({values})"));
        }
        let ending = format!(
            "WITH e AS (UPDATE {quoted} SET ended_position = {} WHERE {} \
             AND (kind {EQ} 'repeatable' OR progress IS NOT NULL) RETURNING 1),",
            place.position,
            self.key_of(key(migration))
        );
        // The count makes the server end the old entry before it inserts the new one.
        let counted = "FROM (SELECT pg_catalog.count(*) FROM e) c";
        kept(&ending, &format!("{insert} SELECT {values} {counted}"))
    }

    /// Records these `entries` with the times of [`clock`], at the positions after `last`; returns their
    /// `execution_ms`, separated by blanks, or raises `division_by_zero` unless all are written.
    ///
    /// Rejected: expressions in each row of `VALUES`, which the server plans one by one: with 200 migrations 12 ms instead
    /// of 5. A list for each column: as fast with 200, and 0.4 ms instead of 0.3 with four.
    pub(crate) fn record_all(&self, entries: &[New<'_>], last: i64) -> String {
        let row = |(index, new): (usize, &New<'_>)| {
            let New { migration, down_sql, digests } = new;
            let values = [
                literal(migration.version().as_str()),
                literal(migration.kind().as_str()),
                literal(migration.name()),
                literal(migration.filename()),
                literal(&migration.checksum().to_string()),
                down_sql.as_deref().map_or_else(null, literal),
                down_sql.as_deref().map_or_else(null, |sql| literal(&sha256(sql))),
                literal(digests),
                (index + 1).to_string(),
            ];
            format!("({})", values.join(", "))
        };
        let rows: Vec<String> = entries.iter().enumerate().map(row).collect();
        let (before, after) = (tick("v.n"), tick(&format!("v.n {ADD} 1")));
        format!(
            "WITH w AS (INSERT INTO {} ({COLUMNS}, progress, in_flight) SELECT {}, v.version, v.kind, v.name, \
             v.filename, v.checksum, {}, {last} {ADD} v.n, pg_catalog.to_timestamp({after}), \
             (({after} {SUB} {before}) OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)::pg_catalog.int8, session_user, \
             v.down_sql, v.down_checksum, NULL, v.digests, NULL, false FROM (VALUES {}) AS v (version, kind, name, \
             filename, checksum, down_sql, down_checksum, digests, n) RETURNING execution_ms, \"position\") SELECT pg_catalog.string_agg(\
             w.execution_ms::pg_catalog.text, ' ' ORDER BY w.\"position\") AS execution_ms, \
             {} AS are_kept FROM w",
            self.quoted,
            literal(&self.module),
            literal(ALGORITHM),
            rows.join(", "),
            require(&format!("pg_catalog.count(*) {EQ} {}", entries.len()))
        )
    }

    /// The values of [`COLUMNS`] for `migration`; with its checksum if it has run.
    pub(super) fn values(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        place: &Place,
        (has_run, [applied_at, execution_ms, applied_by]): (bool, [&str; 3]),
        progress: Option<Progress<'_>>,
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
            place.position.to_string(),
            applied_at.to_owned(),
            execution_ms.to_owned(),
            applied_by.to_owned(),
            down_sql.map_or_else(null, literal),
            down_sql.map_or_else(null, |sql| literal(&sha256(sql))),
            ran(migration, progress),
            literal(&place.digests),
        ];
        values.join(", ")
    }

    /// Records the progress of an unfinished migration, if its progress is `from`.
    pub(crate) fn progress(&self, migration: &Migration, from: u32, to: Progress<'_>) -> String {
        format!(
            "UPDATE {} SET progress = {}, in_flight = {}, ran = {} WHERE {} AND progress {EQ} {from}",
            self.quoted,
            to.done,
            to.in_flight,
            ran(migration, Some(to)),
            self.key_of(key(migration))
        )
    }

    /// The indexes that [`Progress::table`] had; empty if they were not recorded.
    pub(crate) fn recorded_indexes(&self, migration: &Migration) -> String {
        let (quoted, key) = (&self.quoted, self.key_of(key(migration)));
        format!("SELECT pg_catalog.split_part(ran, ' ', 3) AS indexes FROM {quoted} WHERE {key}")
    }

    /// Turns an unfinished entry into a finished one of the text that finished it, if its progress is
    /// `from`, and changes the digests of the `last` row. `before_ms` is how long it had run when the message was sent.
    pub(crate) fn finish(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        (from, before_ms): (u32, u128),
        last: &Place,
    ) -> String {
        let Place { position, digests } = last;
        let digests = literal(digests);
        let [checksum, algorithm, name, filename, down, down_checksum, ran] =
            texts(migration, down_sql);
        format!(
            "UPDATE {quoted} SET digests = {digests} WHERE \"position\" {EQ} {position}; \
             UPDATE {quoted} SET progress = NULL, in_flight = false, checksum = {checksum}, \
             checksum_algorithm = {algorithm}, name = {name}, filename = {filename}, \
             down_sql = {down}, down_checksum = {down_checksum}, ran = {ran}, \
             applied_at = {NOW}, execution_ms = {before_ms} {ADD} {} \
             WHERE {} AND progress {EQ} {from}",
            since_message(NOW),
            self.key_of(key(migration)),
            quoted = self.quoted
        )
    }

    /// Ends the entry at this place, where it adds a row with the event, so that other runs find the ledger
    /// changed, and no position is used twice.
    pub(crate) fn end(&self, act: &str, entry: &Entry, place: &Place) -> String {
        let (with, insert) = self.ending(act, entry, place);
        kept(&format!("{with},"), &insert)
    }

    /// The same, as a statement that sets `FOUND` in PL/pgSQL.
    pub(crate) fn end_found(&self, act: &str, entry: &Entry, place: &Place) -> String {
        let (with, insert) = self.ending(act, entry, place);
        format!("{with} {insert}")
    }

    fn ending(&self, act: &str, entry: &Entry, place: &Place) -> (String, String) {
        let (quoted, key) = (&self.quoted, self.key_of((entry.kind, &entry.version)));
        let ended = format!(
            "UPDATE {quoted} SET ended_position = {} WHERE {key} RETURNING *",
            place.position
        );
        self.noting(act, &ended, place)
    }

    /// Adds a row with the event at this place; the entry is kept.
    pub(crate) fn note_act(&self, act: &str, entry: &Entry, place: &Place) -> String {
        let key = self.key_of((entry.kind, &entry.version));
        let found = format!("SELECT * FROM {} WHERE {key}", self.quoted);
        let (with, insert) = self.noting(act, &found, place);
        kept(&format!("{with},"), &insert)
    }

    /// The beginning of a WITH, and the statement after it.
    fn noting(&self, act: &str, entry: &str, place: &Place) -> (String, String) {
        let Place { position, digests } = place;
        let insert = format!(
            "INSERT INTO {} (module, version, kind, name, filename, \
             checksum, checksum_algorithm, \"position\", applied_at, execution_ms, applied_by, \
             ended_position, digests) SELECT e.module, e.version, {}, e.name, e.filename, \
             e.checksum, e.checksum_algorithm, {position}, pg_catalog.clock_timestamp(), \
             {ELAPSED_MS}, session_user, {position}, {} FROM e",
            self.quoted,
            literal(act),
            literal(digests)
        );
        (format!("WITH e AS ({entry})"), insert)
    }

    /// Changes the entry to the text of the set. What took effect of an unfinished one is kept.
    pub(crate) fn accept(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        entry: &Entry,
    ) -> String {
        let [checksum, algorithm, name, filename, down, down_checksum, ran] =
            texts(migration, down_sql);
        let ran = if entry.is_finished() { ran } else { "ran".to_owned() };
        let update = format!(
            "UPDATE {} SET version = {}, checksum = {checksum}, checksum_algorithm = {algorithm}, \
             name = {name}, filename = {filename}, down_sql = {down}, \
             down_checksum = {down_checksum}, ran = {ran} WHERE {}",
            self.quoted,
            literal(migration.version().as_str()),
            self.key_of((entry.kind, &entry.version))
        );
        kept("WITH", &update)
    }
}

fn key(migration: &Migration) -> (Kind, &Version) {
    (migration.kind(), migration.version())
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

/// How `migration` runs; while it is unfinished, with the digest of what took effect or is in flight, and with
/// the indexes of the table.
fn ran(migration: &Migration, progress: Option<Progress<'_>>) -> String {
    let Some(manner) = manner(migration) else { return null() };
    let digest = progress.and_then(|progress| progress.digest);
    let text = literal(&[Some(manner), digest].into_iter().flatten().collect::<Vec<_>>().join(" "));
    match progress.and_then(|progress| progress.table) {
        Some(table) => format!("pg_catalog.concat({text}, ' ', {})", indexes_of(table)),
        None => text,
    }
}

pub(super) fn null() -> String {
    "NULL".to_owned()
}
