//! What a database contains of the set [`Name::Failover`](super::script::Name::Failover) after the
//! server was lost in the middle of a run, and where ledger, counters, tables and indexes contradict each
//! other, the set's order, or what the replica reported.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::checks::{column, counts};
use super::replica::{End, Outcome};
use super::script::Script;

const TABLES: &str = "SELECT right(relname, 4) FROM pg_class WHERE relname ~ '^t_[0-9]{4}$' \
     UNION ALL SELECT '0001' FROM pg_class WHERE relname = 'items' AND relkind = 'r'";

const INDEXES: &str = "SELECT right(relname, 4) FROM pg_class JOIN pg_index ON indexrelid = oid \
     WHERE relname ~ '^items_[0-9]{4}$' AND indisvalid";

/// What exists in the database.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Versions of finished entries, in the order of their positions.
    pub entries: Vec<String>,
    /// Versions of unfinished entries.
    unfinished: Vec<String>,
    /// How often each migration counted itself.
    ran: BTreeMap<String, usize>,
    /// Versions whose table exists.
    tables: BTreeSet<String>,
    /// Versions whose index exists and is valid.
    indexes: BTreeSet<String>,
}

impl Standing {
    /// Reads what exists in this database, which is nothing before the first migration.
    ///
    /// # Panics
    ///
    /// When the server refuses a question.
    pub async fn read(client: &Client) -> Standing {
        let exists =
            |table| format!("SELECT 1 FROM pg_class WHERE relname = '{table}' AND relkind = 'r'");
        let (mut entries, mut unfinished, mut ran) = (Vec::new(), Vec::new(), BTreeMap::new());
        if !column(client, &exists("migration_ledger")).await.is_empty() {
            let of = |end| {
                format!(
                    "SELECT version FROM migration_ledger WHERE ended_position = 0 \
                     AND progress {end} ORDER BY \"position\""
                )
            };
            entries = column(client, &of("IS NULL")).await;
            unfinished = column(client, &of("IS NOT NULL")).await;
        }
        if !column(client, &exists("ran")).await.is_empty() {
            ran = counts(client, "SELECT migration, n FROM ran").await;
        }
        let tables = column(client, TABLES).await.into_iter().collect();
        let indexes = column(client, INDEXES).await.into_iter().collect();
        Standing { entries, unfinished, ran, tables, indexes }
    }

    /// What contradicts the set, or what the replica reported as applied.
    pub fn broken(&self, script: &Script, outcome: &Outcome) -> Vec<String> {
        let mut broken = Vec::new();
        let begun = [self.entries.as_slice(), self.unfinished.as_slice()].concat();
        if self.unfinished.len() > 1 || !script.versions.starts_with(&begun) {
            broken.push(format!("the ledger is not a prefix of the set: {}", begun.join(" ")));
        }
        if outcome.end == End::Ok && self.entries != script.versions {
            broken.push(format!("acknowledged, and {} entries are there", self.entries.len()));
        }
        // A run that could not end in order still reports what it applied.
        if outcome.applied > self.entries.len() {
            let there = self.entries.len();
            broken.push(format!(
                "{there} of {} are there, and it printed: {outcome}",
                outcome.applied
            ));
        }
        broken.extend(script.versions.iter().filter_map(|version| self.half(script, version)));
        broken
    }

    /// Where a migration is neither complete nor absent.
    fn half(&self, script: &Script, version: &String) -> Option<String> {
        let entry = self.entries.contains(version);
        let counted = self.ran.get(version).copied().unwrap_or(0);
        let (table, index) = (self.tables.contains(version), self.indexes.contains(version));
        let agree = if script.counted.contains(version) {
            counted == usize::from(entry) && table == entry
        } else {
            // It runs statement by statement: its index can exist before its entry is finished.
            index || !entry
        };
        let shown = || {
            format!(
                "{version} is half there: entry {entry}, counter {counted}, table {table}, index {index}"
            )
        };
        (!agree).then(shown)
    }
}
