//! The set that fills the disk, and the rules that its database has to follow.

use std::collections::BTreeMap;

use migrate_runtime::Migrations;
use migrate_tests::sets::set;
use tokio_postgres::{Client, SimpleQueryMessage};

/// Migrations of the set; every fourth runs outside a transaction.
const COUNT: u32 = 16;

/// Rows that each statement with data writes: about a megabyte.
const ROWS: u32 = 2000;

/// Tables of a megabyte each, and every fourth migration one more megabyte of rows and an index. Those after these
/// only define a table, so that they share a transaction with the next, which fills both.
pub(crate) fn migrations() -> Migrations {
    let file = |n: u32| (format!("{n:04}_data.sql"), text(n));
    let files: Vec<(String, String)> = (1..=COUNT).map(file).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).collect();
    set(&files)
}

fn is_transactional(n: u32) -> bool {
    !n.is_multiple_of(4)
}

/// Whether the next migration fills its table.
fn is_empty(n: u32) -> bool {
    n % 4 == 1
}

fn text(n: u32) -> String {
    let rows =
        format!("SELECT i, repeat('x', 500) AS filler FROM generate_series(1, {ROWS}) AS s (i)");
    if is_empty(n) {
        return format!("CREATE TABLE t{n} (i int, filler text);\n");
    }
    if is_transactional(n) {
        let both = if is_empty(n - 1) {
            format!("INSERT INTO t{} {rows};\n", n - 1)
        } else {
            String::new()
        };
        return format!(
            "CREATE TABLE t{n} (i int, filler text);\nINSERT INTO t{n} {rows};\n{both}"
        );
    }
    let table = n - 1;
    format!(
        "-- migrate:no-transaction\n\
         INSERT INTO t{table} {rows};\n\
         CREATE INDEX CONCURRENTLY t{table}_i ON t{table} (i, filler);\n"
    )
}

/// What the database contains.
#[derive(Debug)]
pub(crate) struct Found {
    /// Progress by version, as in the ledger; `None` if it is finished.
    entries: BTreeMap<u32, Option<String>>,
    /// Rows by the table's number.
    rows: BTreeMap<u32, u32>,
    /// Whether it is valid, by the number of the index's table.
    indexes: BTreeMap<u32, bool>,
}

const ENTRIES: &str = "SELECT version::int, progress FROM migration_ledger \
     WHERE ended_position = 0";
const TABLES: &str =
    "SELECT substr(tablename, 2), NULL FROM pg_tables WHERE tablename ~ '^t[0-9]+$'";
const INDEXES: &str = "SELECT trim(BOTH 't_i' FROM indexrelid::regclass::text), indisvalid \
     FROM pg_index WHERE indexrelid::regclass::text ~ '^t[0-9]+_i$'";

impl Found {
    /// Reads the database as it is now.
    pub(crate) async fn look(client: &Client) -> Found {
        let exists = "SELECT 1, to_regclass('migration_ledger')";
        let has_ledger = pairs(client, exists).await.values().any(Option::is_some);
        let entries = if has_ledger { pairs(client, ENTRIES).await } else { BTreeMap::new() };
        let mut rows = BTreeMap::new();
        for table in pairs(client, TABLES).await.into_keys() {
            let counted = pairs(client, &format!("SELECT {table}, count(*) FROM t{table}")).await;
            let count = counted.into_values().flatten().next().expect("a count");
            rows.insert(table, count.parse().expect("a count"));
        }
        let is_valid =
            |(table, valid): (u32, Option<String>)| (table, valid.as_deref() == Some("t"));
        let indexes = pairs(client, INDEXES).await.into_iter().map(is_valid).collect();
        Found { entries, rows, indexes }
    }

    /// Whether this version is applied according to the ledger.
    pub(crate) fn is_finished(&self, version: &str) -> bool {
        let number = version.parse().expect("a version");
        self.entries.get(&number).is_some_and(Option::is_none)
    }

    /// How many entries are finished.
    pub(crate) fn finished(&self) -> usize {
        self.entries.values().filter(|progress| progress.is_none()).count()
    }

    /// Where the ledger and the objects disagree.
    pub(crate) fn broken(&self) -> Vec<String> {
        (1..=COUNT)
            .filter(|n| !self.is_true(*n))
            .map(|n| format!("entry {n} is not true: {self:?}"))
            .collect()
    }

    fn is_true(&self, n: u32) -> bool {
        let entry = self.entries.get(&n).map(|progress| progress.as_deref().unwrap_or("all"));
        if is_transactional(n) {
            let more = !is_transactional(n + 1) && self.rows.get(&n) == Some(&(2 * ROWS));
            let is_filled = self.entries.get(&(n + 1)).is_some_and(Option::is_none);
            let rows = match () {
                () if is_empty(n) && !is_filled => 0,
                () if more => 2 * ROWS,
                () => ROWS,
            };
            return match entry {
                Some("all") => self.rows.get(&n) == Some(&rows),
                Some(_) => false,
                None => !self.rows.contains_key(&n),
            };
        }
        let inserted = self.rows.get(&(n - 1)).is_some_and(|rows| *rows == 2 * ROWS);
        let index = self.indexes.get(&(n - 1)).copied();
        // The statement in flight can have taken effect, or partly if it builds an index.
        match entry {
            None => !inserted && index.is_none(),
            Some("0") => index.is_none(),
            Some("1") => inserted,
            _ => inserted && index == Some(true),
        }
    }

    /// What a complete run should have left, and did not.
    pub(crate) fn incomplete(&self) -> Vec<String> {
        let all = self.finished() == COUNT as usize && self.entries.len() == COUNT as usize;
        let mut broken = self.broken();
        if !all {
            broken.push(format!("{} entries are finished, not {COUNT}", self.finished()));
        }
        broken
    }
}

/// Two columns, by the number in the first.
async fn pairs(client: &Client, sql: &str) -> BTreeMap<u32, Option<String>> {
    let messages = client.simple_query(sql).await.expect(sql);
    let pair = |message| match message {
        SimpleQueryMessage::Row(row) => {
            let number = row.get(0).and_then(|text| text.parse().ok()).expect(sql);
            Some((number, row.get(1).map(str::to_owned)))
        }
        _ => None,
    };
    messages.into_iter().filter_map(pair).collect()
}
