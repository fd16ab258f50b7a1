//! Asks what the server and the database are, which decides whether migrations share transactions.

use super::ledger::Ledger;
use super::operator::{EQ, NE};
use super::trust::name_of;

/// What is looked for besides code that watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// Tables of others, before the first migration.
    Always,
    /// Nothing: the tables are those of this run.
    ThisRun,
}

/// The first object identifier that is not one of `initdb`.
const FIRST_OF_USERS: &str = "16384::pg_catalog.oid";

impl Ledger {
    /// What decides whether migrations share transactions: one row for `lock::room`.
    pub(crate) fn surroundings(&self, since: Since) -> String {
        let tables = format!(
            " OR EXISTS (SELECT FROM pg_catalog.pg_class c \
             WHERE c.oid OPERATOR(pg_catalog.>=) {FIRST_OF_USERS} \
             AND c.relkind {EQ} ANY (ARRAY['r', 'p', 'm', 'f']::pg_catalog.\"char\"[]) \
             AND c.oid {NE} COALESCE({}, 0::pg_catalog.oid))",
            name_of(&self.schema, &self.table)
        );
        let setting = |name| format!("pg_catalog.current_setting('{name}', true) AS {name}");
        format!(
            "SELECT pg_catalog.version() AS server, {}, {}, {}, {}, \
             EXISTS (SELECT FROM pg_catalog.pg_event_trigger){} AS is_used, \
             ARRAY(SELECT x.extname FROM pg_catalog.pg_extension x) AS extensions",
            setting("statement_timeout"),
            setting("transaction_timeout"),
            setting("max_locks_per_transaction"),
            setting("max_connections"),
            if since == Since::Always { &tables } else { "" }
        )
    }
}
