//! What to do on a partitioned table, which the server refuses much of what helps on others.

use migrate_set::sql::words::TableName;

use super::{Lint, Reading};

/// Instead of an index that is built CONCURRENTLY.
pub(crate) const INDEX_OF_PARTITIONED: &str = "build it ON ONLY this table without CONCURRENTLY, which is quick, then one CONCURRENTLY on each \
     partition, each followed by ALTER INDEX .. ATTACH PARTITION";

/// Instead of a constraint that takes an index.
const UNIQUE_OF_PARTITIONED: &str = "ALTER TABLE ONLY this table ADD the constraint, which is quick; then, for each partition, CREATE UNIQUE INDEX \
     CONCURRENTLY, ADD CONSTRAINT .. USING INDEX, and ALTER INDEX .. ATTACH PARTITION with the names of the constraints";

/// Instead of a foreign key that is NOT VALID, which PostgreSQL refuses before 18.
const FOREIGN_KEY_OF_PARTITIONED: &str = "add it to each partition NOT VALID, and VALIDATE CONSTRAINT there in a later migration; then add it to this \
     table, which takes over those of the partitions without a scan";

impl Reading<'_> {
    /// The last finding has this help if the table is partitioned.
    pub(super) fn help_partitioned(&mut self, table: &TableName, help: &'static str) {
        if self.known.is_partitioned(table)
            && let Some(last) = self.script.findings.last_mut()
        {
            last.help = help;
        }
    }

    /// The same for a finding of this lint about a constraint, perhaps one that refers to another table.
    pub(super) fn help_constraint(&mut self, table: &TableName, lint: Lint, refers: bool) {
        match lint {
            Lint::UniqueWithoutIndex => self.help_partitioned(table, UNIQUE_OF_PARTITIONED),
            Lint::ConstraintNotValid if refers => {
                self.help_partitioned(table, FOREIGN_KEY_OF_PARTITIONED);
            }
            _ => {}
        }
    }
}
