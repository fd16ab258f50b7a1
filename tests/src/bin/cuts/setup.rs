//! The set of the runs that are cut, and what its database has to contain: after a cut what the ledger
//! shows, and after the next run what a complete run leaves.

use migrate_runtime::{Lock, Migrations};
use migrate_tests::database::{ADVISORY_LOCKS, value};
use migrate_tests::sets::set;
use tokio_postgres::{Client, SimpleQueryMessage};

/// The schema that the set lives in, created by the run.
pub(crate) const SCHEMA: &str = "app";

/// Where each migration counts its runs; outside the schema, which the run itself creates.
pub(crate) const COUNTERS: &str = "CREATE TABLE public.runs (n int NOT NULL)";

/// Resets to an empty database, except for the counters' table.
pub(crate) const RESET: &str = "DROP SCHEMA IF EXISTS app, other CASCADE; DELETE FROM public.runs";

/// The ledger of a complete run, as [`Found::ledger`] shows it.
pub(crate) const WHOLE: &str = "1 2 3";

/// Two transactional migrations, one of them of several statements, and one that is not.
pub(crate) fn migrations() -> Migrations {
    set(&[
        (
            "1_accounts.sql",
            "CREATE TABLE {{tables.accounts}} (id int, owner text);\n\
             INSERT INTO {{tables.accounts}} VALUES (1, 'ada'), (2, 'bob');\n\
             INSERT INTO public.runs VALUES (1);\n",
        ),
        ("2_count.sql", "INSERT INTO public.runs VALUES (2);\n"),
        (
            "3_owners.sql",
            "-- migrate:no-transaction\n\
             CREATE INDEX CONCURRENTLY accounts_owner ON {{tables.accounts}} (owner);\n\
             INSERT INTO public.runs VALUES (3);\n",
        ),
    ])
}

/// An index and whether it can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Missing,
    Invalid,
    Valid,
}

/// One entry of the ledger: its version, and the statements done if it is unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) version: String,
    pub(crate) progress: Option<u32>,
}

/// What the database contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// In the order of their positions; empty if there is no ledger.
    pub(crate) entries: Vec<Entry>,
    pub(crate) has_table: bool,
    pub(crate) index: Index,
    /// How often each of the three migrations counted itself.
    pub(crate) runs: [u32; 3],
    pub(crate) locks: u32,
    /// Rows of the ledger that are a lock.
    pub(crate) lock_rows: u32,
    /// Other sessions of this database.
    pub(crate) sessions: u32,
}

const LOOK: &str = "SELECT to_regclass('app.migration_ledger') IS NOT NULL, \
     to_regclass('app.accounts') IS NOT NULL, \
     (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('app.accounts_owner')), \
     count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n = 2), count(*) FILTER (WHERE n = 3) \
     FROM public.runs";

/// The other sessions of this database; a session leaves this list after it released its locks and ended
/// its transaction.
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
     AND backend_type = 'client backend' AND pid <> pg_backend_pid()";

const LOCK_ROWS: &str = "SELECT count(*) FROM app.migration_ledger WHERE module = ''";

/// How many other sessions the database has.
pub(crate) async fn sessions(client: &Client) -> u32 {
    value(client, SESSIONS).await.parse().expect(SESSIONS)
}

/// Reads the database as it is now.
pub(crate) async fn look(client: &Client) -> Found {
    let rows = rows(client, LOOK).await;
    let row = &rows[0];
    let number = |column: usize| row[column].as_deref().unwrap_or_default().parse().expect(LOOK);
    let is_true = |column: usize| row[column].as_deref() == Some("t");
    let (mut listed, mut lock_rows) = (Vec::new(), 0);
    if is_true(0) {
        listed = entries(client).await;
        lock_rows = value(client, LOCK_ROWS).await.parse().expect(LOCK_ROWS);
    }
    Found {
        entries: listed,
        has_table: is_true(1),
        index: match row[2].as_deref() {
            None => Index::Missing,
            Some("t") => Index::Valid,
            Some(_) => Index::Invalid,
        },
        runs: [number(3), number(4), number(5)],
        locks: value(client, ADVISORY_LOCKS).await.parse().expect(ADVISORY_LOCKS),
        lock_rows,
        sessions: sessions(client).await,
    }
}

async fn entries(client: &Client) -> Vec<Entry> {
    let sql = "SELECT version, progress FROM app.migration_ledger WHERE ended_position = 0 ORDER BY position";
    let entry = |row: Vec<Option<String>>| Entry {
        version: row[0].clone().unwrap_or_default(),
        progress: row[1].as_deref().map(|done| done.parse().expect(sql)),
    };
    rows(client, sql).await.into_iter().map(entry).collect()
}

async fn rows(client: &Client, sql: &str) -> Vec<Vec<Option<String>>> {
    let messages = client.simple_query(sql).await.expect(sql);
    let cells = |message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
        }
        _ => None,
    };
    messages.into_iter().filter_map(cells).collect()
}

impl Found {
    /// The ledger in one line, such as `1 2 3:0`, the third unfinished.
    pub(crate) fn ledger(&self) -> String {
        if self.entries.is_empty() {
            return "empty".to_owned();
        }
        let shown = |entry: &Entry| match entry.progress {
            None => entry.version.clone(),
            Some(done) => format!("{}:{done}", entry.version),
        };
        self.entries.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    fn entry(&self, version: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.version == version)
    }

    /// The invariants that do not hold after a cut; `claimed` is what the run reported as applied.
    pub(crate) fn broken_by_cut(&self, claimed: &[String], lock: Lock) -> Vec<&'static str> {
        let finished = |version| self.entry(version).is_some_and(|entry| entry.progress.is_none());
        let (first, second) = (u32::from(finished("1")), u32::from(finished("2")));
        let statements = match self.entry("3").map(|entry| entry.progress.unwrap_or(u32::MAX)) {
            None => self.index == Index::Missing && self.runs[2] == 0,
            // The index in flight can exist, partly or completely; the INSERT commits with its note.
            Some(0) => self.runs[2] == 0,
            Some(1) => self.index == Index::Valid && self.runs[2] == 0,
            Some(_) => self.index == Index::Valid && self.runs[2] == 1,
        };
        let rules = [
            (self.sessions == 0, "the cut session remains"),
            (self.locks == 0, "an advisory lock remains after a cut"),
            (self.lock_rows <= u32::from(lock == Lock::Row), "a lock row with advisory locks"),
            (self.is_a_prefix(), "entries are not a prefix of the set, each once"),
            (self.has_table == finished("1") && self.runs[0] == first, "entry 1 is not true"),
            (self.runs[1] == second, "entry 2 is not true"),
            (statements, "progress of 3 is not true"),
            (claimed.iter().all(|version| finished(version)), "reported as applied, and is not"),
        ];
        broken(&rules)
    }

    fn is_a_prefix(&self) -> bool {
        let expected = ["1", "2", "3"].into_iter().take(self.entries.len());
        let mut transactional = self.entries.iter().filter(|entry| entry.version != "3");
        self.entries.iter().map(|entry| entry.version.as_str()).eq(expected)
            && transactional.all(|entry| entry.progress.is_none())
    }

    /// The invariants that do not hold after a complete run.
    pub(crate) fn broken_at_end(&self) -> Vec<&'static str> {
        let rules = [
            (self.ledger() == WHOLE, "the ledger after the next run is not 1 2 3"),
            (self.has_table, "the table is missing at the end"),
            (self.index != Index::Invalid, "the index is INVALID at the end"),
            (self.index != Index::Missing, "the index is missing at the end"),
            (self.runs[..2] == [1, 1], "a transactional migration did not run exactly once"),
            (self.runs[2] == 1, "the non-transactional INSERT did not run exactly once"),
            (self.locks == 0, "an advisory lock remains at the end"),
        ];
        broken(&rules)
    }
}

fn broken(rules: &[(bool, &'static str)]) -> Vec<&'static str> {
    rules.iter().filter(|(holds, _)| !holds).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_the_ledger_can_exist() {
        #[track_caller]
        fn check(progress: Option<u32>, index: Index, inserted: u32, holds: bool) {
            let entry = |version: &str, progress| Entry { version: version.to_owned(), progress };
            let found = Found {
                entries: vec![entry("1", None), entry("2", None), entry("3", progress)],
                has_table: true,
                index,
                runs: [1, 1, inserted],
                locks: 0,
                lock_rows: 0,
                sessions: 0,
            };
            let claimed = ["1".to_owned(), "2".to_owned()];
            assert_eq!(found.broken_by_cut(&claimed, Lock::Detect).is_empty(), holds, "{found:?}");
            let absent = Found { entries: Vec::new(), ..found };
            assert!(absent.broken_by_cut(&claimed, Lock::Detect).contains(&"entry 1 is not true"));
        }
        check(Some(0), Index::Missing, 0, true);
        check(Some(0), Index::Invalid, 0, true);
        check(Some(0), Index::Valid, 1, false);
        check(Some(1), Index::Valid, 0, true);
        check(Some(1), Index::Valid, 1, false);
        check(Some(1), Index::Invalid, 0, false);
        check(Some(1), Index::Valid, 2, false);
        check(Some(2), Index::Valid, 0, false);
        check(None, Index::Valid, 1, true);
        check(None, Index::Missing, 1, false);
    }
}
