//! Whether the database is fresh, so that migrations can share transactions, and how many statements one can have.

use migrate_set::sql::sharing::QUIET_EXTENSIONS;

use super::ledger::Ledger;
use super::literal::literal;
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
    /// How many statements migrations in one transaction can have, as `room`; NULL if each needs its own.
    ///
    /// A statement takes up to eight locks or so (a table with its sequence, TOAST table and indexes), and a quarter
    /// of the server's lock table is left to one transaction. A transaction that is longer than `transaction_timeout`
    /// would end the session, and with `statement_timeout` it is unknown whether a statement was cancelled by it or
    /// by a person. Others that speak the protocol define objects in transactions of one statement, or outside.
    pub(crate) fn room(&self, since: Since) -> String {
        let off = |name: &str| {
            let setting = format!("pg_catalog.current_setting('{name}', true)");
            format!("COALESCE({setting}, '0') {EQ} '0'")
        };
        let quiet = QUIET_EXTENSIONS.map(literal).join(", ");
        let tables = format!(
            " AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c \
             WHERE c.oid OPERATOR(pg_catalog.>=) {FIRST_OF_USERS} \
             AND c.relkind {EQ} ANY (ARRAY['r', 'p', 'm', 'f']::pg_catalog.\"char\"[]) \
             AND c.oid {NE} COALESCE({}::pg_catalog.oid, 0::pg_catalog.oid))",
            name_of(&self.schema, &self.table)
        );
        let setting = |name| format!("pg_catalog.current_setting('{name}')::pg_catalog.int4");
        format!(
            "SELECT CASE WHEN pg_catalog.strpos(pg_catalog.version(), 'PostgreSQL ') {EQ} 1 \
             AND pg_catalog.strpos(pg_catalog.version(), '-YB-') {EQ} 0 AND {} AND {} \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension x \
             WHERE x.extname {NE} ALL (ARRAY[{quiet}]::pg_catalog.name[])){} \
             THEN {} OPERATOR(pg_catalog.*) {} OPERATOR(pg_catalog./) 32 END AS room",
            off("statement_timeout"),
            off("transaction_timeout"),
            if since == Since::Always { &tables } else { "" },
            setting("max_locks_per_transaction"),
            setting("max_connections"),
        )
    }
}
