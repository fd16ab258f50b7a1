//! Partitioned tables: what is checked when they get a partition, and what to do where the server refuses what helps
//! on other tables.

use std::ops::Range;

use migrate_set::sql::words::{TableName, Words};

use super::{ACCESS_EXCLUSIVE, Lint, Reading};

/// Instead of an index that is built CONCURRENTLY.
pub(crate) const INDEX_OF_PARTITIONED: &str = "build it ON ONLY this table without CONCURRENTLY, which is quick, then one CONCURRENTLY on each \
     partition, each followed by ALTER INDEX .. ATTACH PARTITION";

/// Instead of a constraint that takes an index.
const UNIQUE_OF_PARTITIONED: &str = "ALTER TABLE ONLY this table ADD the constraint, which is quick; then, for each partition, CREATE UNIQUE INDEX \
     CONCURRENTLY, ADD CONSTRAINT .. USING INDEX, and ALTER INDEX .. ATTACH PARTITION with the names of the constraints";

/// Instead of a foreign key that is NOT VALID, which PostgreSQL refuses before 18.
const FOREIGN_KEY_OF_PARTITIONED: &str = "add it to each partition NOT VALID, and VALIDATE CONSTRAINT there in a later migration; then add it to this \
     table, which takes over those of the partitions without a scan";

/// Instead of the rows of a table that becomes a partition.
const CHECK_OF_PARTITION: &str = "first ADD CONSTRAINT c CHECK (column IS NOT NULL AND its bounds) NOT VALID to it \
     and, in a later migration, VALIDATE CONSTRAINT c";

/// Instead of the rows of the default partition.
const CHECK_OF_DEFAULT: &str = "first ADD CONSTRAINT c CHECK (NOT these bounds) NOT VALID to the default partition \
     and, in a later migration, VALIDATE CONSTRAINT c";

impl Reading<'_> {
    /// `ATTACH PARTITION name { FOR VALUES ... | DEFAULT }`, of this table. The server relies on valid constraints
    /// (`PartConstraintImpliedByRelConstraint`).
    pub(super) fn attach(&mut self, table: &TableName, mut action: Words<'_>) {
        let Some(part) = action.name() else { return };
        let is_default = action.eat("DEFAULT");
        action.skip_all();
        let is_checked = self.known.has_check(&part, table);
        let is_checked = is_checked.unwrap_or_else(|| self.script.validated.may_have(&part));
        if !is_checked && !self.is_new(&part) {
            let message = "all rows of this partition are checked against its bounds while reads and writes of it are \
                           blocked";
            self.locked(Lint::ConstraintNotValid, message, ACCESS_EXCLUSIVE, action.span());
            self.help(CHECK_OF_PARTITION);
        }
        if !is_default {
            self.leave_default(table, action.span());
        }
    }

    /// A new partition of this table, which the rows of the default one must not belong to.
    pub(super) fn leave_default(&mut self, table: &TableName, span: Range<usize>) {
        if let Some(default) = self.known.unchecked_default(table) {
            let message = format!(
                "all rows of the default partition `{default}` are checked against the bounds of the new one while \
                 reads and writes of it are blocked"
            );
            self.locked(Lint::ConstraintNotValid, &message, ACCESS_EXCLUSIVE, span);
            self.help(CHECK_OF_DEFAULT);
        }
    }

    /// The last finding has this help if the table is partitioned.
    pub(super) fn help_partitioned(&mut self, table: &TableName, help: &'static str) {
        if self.known.is_partitioned(table) {
            self.help(help);
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
