//! The lints of statements that go through whole tables and do nothing else: `CLUSTER`, `VACUUM FULL`, `REINDEX`, and
//! what checks the values of a domain.

use migrate_set::sql::words::{TableName, Words};

use super::{Lint, Reading};

/// The lock that a statement takes of a table to read it while it does not change.
const SHARE: &str = "a SHARE";

/// The locks of `REINDEX` (the manual, "REINDEX", Notes).
const OF_REINDEX: &str = "a SHARE lock of the table and, of each index, an ACCESS EXCLUSIVE";

const WITHOUT_FULL: &str =
    "use VACUUM without FULL, which blocks neither and leaves the space to new rows";

const REINDEX_CONCURRENTLY: &str = "use REINDEX .. CONCURRENTLY, in its own migration that begins with \
     `-- migrate:no-transaction`";

/// A constraint of a domain that is NOT VALID does not help: its validation takes the same lock.
const CHECK_OF_TABLES: &str = "ADD CONSTRAINT .. CHECK .. NOT VALID to each table instead and, in a later migration, \
     VALIDATE CONSTRAINT, which blocks no writes";

impl Reading<'_> {
    /// `CLUSTER [ VERBOSE | ( ... ) ] [ table [ USING index ] | index ON table ]`; all tables without a name.
    pub(super) fn cluster(&mut self, mut words: Words<'_>) {
        words.eat("VERBOSE");
        has_option(&mut words, "VERBOSE");
        let mut table = words.name();
        if words.eat("ON") {
            table = words.name();
        }
        if table.is_none_or(|table| !self.is_new(&table)) {
            words.skip_all();
            self.found(Lint::TableRewritten, words.span());
        }
    }

    /// `VACUUM FULL [ ... ] [ table [, ...] ]` or `VACUUM ( FULL [, ...] ) ...`; all tables without a name.
    pub(super) fn vacuum(&mut self, mut words: Words<'_>) {
        let in_options = has_option(&mut words, "FULL");
        if !words.eat("FULL") && !in_options {
            return;
        }
        while words.eat_any(&["FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {}
        for mut part in words.split_at_commas() {
            part.eat("ONLY");
            let table = part.name();
            let span = if table.is_some() { part.span() } else { words.span() };
            if table.is_none_or(|table| !self.is_new(&table)) {
                self.found(Lint::TableRewritten, span);
                self.help(WITHOUT_FULL);
            }
        }
    }

    /// `REINDEX [ ( ... ) ] { INDEX | TABLE | SCHEMA | DATABASE } [ CONCURRENTLY ] [ name ]`; the server builds no index
    /// of SYSTEM in another way.
    pub(super) fn reindex(&mut self, mut words: Words<'_>) {
        let in_options = has_option(&mut words, "CONCURRENTLY");
        let is_one = words.eat_any(&["INDEX", "TABLE"]);
        let is_known = is_one || words.eat_any(&["SCHEMA", "DATABASE"]);
        if !is_known || words.eat("CONCURRENTLY") || in_options {
            return;
        }
        let name = words.name().filter(|_| is_one);
        if name.is_none_or(|name| !self.is_new(&name)) {
            let message =
                "writes, and reads that could use the index, are blocked while it is built again";
            self.locked(Lint::IndexNotConcurrent, message, OF_REINDEX, words.span());
            self.help(REINDEX_CONCURRENTLY);
        }
    }

    /// `ALTER DOMAIN name { SET NOT NULL | ADD constraint [ NOT VALID ] | VALIDATE CONSTRAINT name | ... }`
    pub(super) fn alter_domain(&mut self, mut words: Words<'_>) {
        let Some(domain) = words.name() else { return };
        let lint = if words.eat("SET NOT NULL") {
            Lint::SetNotNull
        } else if words.eat("VALIDATE") || words.eat("ADD") && !words.have("NOT VALID") {
            Lint::ConstraintNotValid
        } else {
            return;
        };
        if !self.is_new(&domain) {
            words.skip_all();
            let message = "all rows with a column of this domain are checked while writes to their tables are blocked";
            self.locked(lint, message, SHARE, words.span());
            self.help(CHECK_OF_TABLES);
        }
    }

    /// `SET { LOGGED | UNLOGGED | TABLESPACE name | ACCESS METHOD name }`; of a partitioned table, it only says how
    /// partitions are made.
    pub(super) fn set_storage(&mut self, table: &TableName, mut action: Words<'_>) {
        let rewrites = action.eat_any(&["LOGGED", "UNLOGGED", "TABLESPACE", "ACCESS METHOD"]);
        if rewrites && !self.known.is_partitioned(table) {
            action.skip_all();
            self.found(Lint::TableRewritten, action.span());
        }
    }
}

/// Steps over `( option [ value ] [, ...] )` if that is next, and returns whether this option is on.
fn has_option(words: &mut Words<'_>, name: &str) -> bool {
    let mut is_on = false;
    if words.eat("(") {
        while !words.eat(")") {
            if words.eat(name) {
                is_on = !words.eat_any(&["FALSE", "OFF", "0"]);
            } else if words.skip().is_none() {
                break;
            }
        }
    }
    is_on
}
