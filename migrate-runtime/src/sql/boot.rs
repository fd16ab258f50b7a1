//! Reads the ledger at a boot: whether its last row has the digest of the set, otherwise what a plan compares.
//!
//! A query must not name a table that may be missing or a stranger's, so it is a text that runs if the table is
//! found. `ts_stat`, which counts words for a full-text search, is the only function of every server that runs a text.
//! What it returns is one word, and the entries are in a setting of the transaction.
//!
//! Measured in new sessions, as CPU time of the server's process, for ten entries: 1.1 ms; 1.5 ms if the digest
//! differs; 1.8 ms with the block of PL/pgSQL of [`Ledger::look`], of which 0.7 to load the language; 1.0 ms with a
//! check that divides by zero, which is an error where there is no table; 0.6 ms for the last row without a check.

use migrate_set::digest::{Digest, line};
use tokio_postgres::SimpleQueryRow;

use super::citus::{ON_WORKER, is_on_worker};
use super::contents::server_columns;
use super::ledger::Ledger;
use super::literal::{literal, text};
use super::look::{FOUND, IS_OWN, REFUSED};
use super::operator::{EQ, GT};
use super::trust::{UTF8, is_trusted, name_of};

/// The setting with the entries.
const SETTING: &str = "migrate.entries";

/// What a ledger is whose last row has the digests, and any other one.
const SETTLED: &str = "settled";
const READ: &str = "read";

/// Which characters end a part of the setting, a row and a value; no text of a ledger has them.
const PART: char = '\u{1d}';
const ROW: char = '\u{1e}';
const VALUE: char = '\u{1f}';

/// In the place of NULL.
pub(super) const NULL: &str = "NULL";

/// What a boot reads of the table and one of the modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'r> {
    /// The last row has the digest of each set.
    Settled,
    /// The highest position, the digests of the last row and the server process; and the entries, each as version,
    /// kind, checksum, progress and how it ran.
    Entries { first: [&'r str; 3], rows: &'r str },
}

impl Ledger {
    /// Reads these modules of this table: one statement, with one row for [`Found::of`] or `Unread::of`. A module
    /// without a digest is always read.
    pub(super) fn boot(&self, modules: &[(&Ledger, Option<Digest>)]) -> String {
        let table = name_of(&self.schema, &self.table);
        let read = self.settled_or_read(modules);
        let unread = |why: &str| format!("SELECT pg_catalog.array_to_tsvector(ARRAY[{why}])");
        let judged = format!(
            "COALESCE((SELECT s.word FROM pg_catalog.pg_class c, LATERAL pg_catalog.ts_stat(\
             CASE WHEN {} AND {UTF8} THEN {} END) s WHERE c.oid {EQ} {table}), '{REFUSED}')",
            is_trusted(),
            literal(&read)
        );
        format!(
            "SELECT {}, (pg_catalog.ts_stat(CASE WHEN c.oid IS NULL THEN {} WHEN {IS_OWN} AND {UTF8} THEN {} WHEN {} THEN {} ELSE {} END)).word \
             AS {FOUND}, pg_catalog.current_setting('{SETTING}', true) AS entries \
             FROM (SELECT {table} AS oid) t LEFT JOIN pg_catalog.pg_class c ON c.oid {EQ} t.oid",
            server_columns(),
            literal(&unread(&self.missing())),
            literal(&read),
            is_on_worker(),
            literal(&unread(&format!("'{ON_WORKER}'"))),
            literal(&unread(&judged))
        )
    }

    /// The text that returns [`SETTLED`], or [`READ`] after it set the setting. The second text is planned only if it
    /// runs.
    fn settled_or_read(&self, modules: &[(&Ledger, Option<Digest>)]) -> String {
        let read = self.read_into_setting(modules);
        let known = modules.iter().map(|(module, digest)| Some((*module, (*digest)?)));
        let Some(known) = known.collect::<Option<Vec<_>>>() else { return read };
        let has_all = self.has_all(&known);
        let settled = format!("ARRAY['{SETTLED}']");
        let read = format!("(SELECT ARRAY[s.word] FROM pg_catalog.ts_stat({}) s)", literal(&read));
        format!(
            "SELECT pg_catalog.array_to_tsvector(CASE WHEN {has_all} THEN {settled} ELSE {read} END)"
        )
    }

    /// Whether the last row has these digests, as an expression; NULL in an empty ledger.
    fn has_all(&self, modules: &[(&Ledger, Digest)]) -> String {
        let has = |(module, digest): &(&Ledger, Digest)| {
            let line = literal(&line(*digest, &module.module));
            format!("pg_catalog.strpos(p.digests, {line}) {GT} 0")
        };
        let lines: Vec<String> = modules.iter().map(has).collect();
        format!(
            "(SELECT {} FROM {} p ORDER BY p.\"position\" DESC LIMIT 1)",
            lines.join(" AND "),
            self.quoted
        )
    }

    /// The text that sets the setting and returns [`READ`]. One statement, so that the position is that of the entries.
    fn read_into_setting(&self, modules: &[(&Ledger, Option<Digest>)]) -> String {
        let chr = |c: char| format!("pg_catalog.chr({})", u32::from(c));
        let (part, row, value) = (chr(PART), chr(ROW), chr(VALUE));
        let entries = |(module, _): &(&Ledger, Option<Digest>)| {
            let columns = [
                "e.version",
                "e.kind",
                &format!("COALESCE(e.checksum, '{NULL}')"),
                &format!("COALESCE(e.progress::pg_catalog.text, '{NULL}')"),
                &format!("COALESCE(e.ran, '{NULL}')"),
            ];
            format!(
                "{part}, (SELECT pg_catalog.string_agg(pg_catalog.concat({}), {row}) FROM {} e WHERE {})",
                columns.join(&format!(", {value}, ")),
                self.quoted,
                module.present()
            )
        };
        let entries: Vec<String> = modules.iter().map(entries).collect();
        format!(
            "SELECT pg_catalog.array_to_tsvector(ARRAY['{READ}']) WHERE pg_catalog.set_config('{SETTING}', \
             pg_catalog.concat({}, {value}, {}, {value}, pg_catalog.pg_backend_pid(), {}), true) IS NOT NULL",
            self.highest_position(),
            self.last_digests(),
            entries.join(", ")
        )
    }
}

impl<'r> Found<'r> {
    /// What the row of [`Ledger::boot`] has for the module with this index; `None` if it is another row.
    pub(super) fn of(row: &'r SimpleQueryRow, module: usize) -> Option<Self> {
        match text(row, FOUND)? {
            SETTLED => Some(Found::Settled),
            READ => {
                let mut parts = text(row, "entries")?.split(PART);
                let mut first = parts.next()?.split(VALUE);
                let mut next = || first.next().unwrap_or_default();
                Some(Found::Entries {
                    first: [next(), next(), next()],
                    rows: parts.nth(module).unwrap_or_default(),
                })
            }
            _ => None,
        }
    }

    /// The entries of its rows.
    pub(super) fn entries(rows: &'r str) -> impl Iterator<Item = [&'r str; 5]> {
        let rows = rows.split(ROW).filter(|row| !row.is_empty());
        rows.map(|row| {
            let mut values = row.split(VALUE);
            std::array::from_fn(|_| values.next().unwrap_or_default())
        })
    }
}
