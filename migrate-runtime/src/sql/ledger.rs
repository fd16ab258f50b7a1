//! The ledger's table: its name, columns, positions and lock key.

use migrate_set::name::Kind;
use migrate_set::sql::placeholder::quoted_identifier;
use migrate_set::version::Version;

use super::guard::block;
use super::lease::at_lock;
use super::literal::literal;
use super::operator::EQ;

/// Creates a schema if it is missing.
///
/// A block, because the server refuses CREATE SCHEMA IF NOT EXISTS of a schema that exists to a role that may create
/// none in the database.
pub(crate) fn create_schema(name: &str) -> String {
    let (quoted, name) = (quoted_identifier(name), literal(name));
    block(&format!(
        "IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname {EQ} {name}) \
         THEN CREATE SCHEMA IF NOT EXISTS {quoted}; END IF;"
    ))
}

/// The table that records what ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) schema: String,
    pub(crate) table: String,
    /// Both, quoted, with the dot between.
    pub(super) quoted: String,
    pub(super) module: String,
}

impl Ledger {
    pub(crate) fn new(schema: &str, table: &str, module: &str) -> Ledger {
        let quoted = format!("{}.{}", quoted_identifier(schema), quoted_identifier(table));
        let (schema, table) = (schema.to_owned(), table.to_owned());
        Ledger { schema, table, quoted, module: module.to_owned() }
    }

    /// The table, as in SQL.
    pub(crate) fn quoted(&self) -> &str {
        &self.quoted
    }

    /// The table, as in messages.
    pub(crate) fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// The key of the advisory lock: one per table, the same for every module and binary.
    ///
    /// FNV-1a over the quoted name. Frozen: binaries of different age must agree on it.
    pub(crate) fn lock_key(&self) -> i64 {
        let bytes = self.quoted.bytes();
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        hash.cast_signed()
    }

    /// Releases the session's lock; returns `t` if it was held.
    pub(crate) fn unlock(&self) -> String {
        format!("SELECT pg_catalog.pg_advisory_unlock({}) AS unlocked", self.lock_key())
    }

    pub(crate) fn create(&self) -> String {
        let text = "pg_catalog.text";
        format!(
            "CREATE TABLE IF NOT EXISTS {} (\
             module {text} NOT NULL, version {text} NOT NULL, kind {text} NOT NULL, \
             name {text} NOT NULL, filename {text} NOT NULL, checksum {text}, \
             checksum_algorithm {text} NOT NULL, \"position\" pg_catalog.int8 NOT NULL UNIQUE, \
             applied_at pg_catalog.timestamptz NOT NULL, execution_ms pg_catalog.int8 NOT NULL, \
             applied_by {text} NOT NULL, down_sql {text}, down_checksum {text}, \
             progress pg_catalog.int4, in_flight pg_catalog.bool NOT NULL DEFAULT false, ran {text}, \
             application {text} NOT NULL DEFAULT pg_catalog.current_setting('application_name'), \
             ended_position pg_catalog.int8 NOT NULL DEFAULT 0, digests {text}, \
             PRIMARY KEY (module, ended_position, version, kind))",
            self.quoted
        )
    }

    /// The expression for the last entry's position; 0 in an empty ledger.
    pub(crate) fn last_position(&self) -> String {
        format!("COALESCE({}, 0)", self.last("\"position\""))
    }

    /// The expression for the digests of the last entry.
    pub(super) fn last_digests(&self) -> String {
        self.last("digests")
    }

    fn last(&self, column: &str) -> String {
        format!(
            "(SELECT p.{column} FROM {} p WHERE NOT ({}) ORDER BY p.\"position\" DESC LIMIT 1)",
            self.quoted,
            at_lock("p")
        )
    }

    /// The expression for the highest position, including that of the lock row.
    ///
    /// Rejected: `max`, 80 us instead of 45, because the server plans it in two ways.
    pub(crate) fn highest_position(&self) -> String {
        let quoted = &self.quoted;
        format!(
            "COALESCE((SELECT p.\"position\" FROM {quoted} p ORDER BY p.\"position\" DESC LIMIT 1), 0)"
        )
    }

    /// Changes no value, but writes WAL: its synchronous commit makes earlier asynchronous ones durable.
    pub(crate) fn touch(&self) -> String {
        let quoted = &self.quoted;
        format!(
            "UPDATE {quoted} SET execution_ms = execution_ms WHERE \"position\" {EQ} {}",
            self.last_position()
        )
    }

    /// The condition of the present rows of the module: a range of the primary key, so that a read is
    /// not slower with rows that ended, or of other modules.
    pub(super) fn present(&self) -> String {
        format!("module {EQ} {} AND ended_position {EQ} 0", literal(&self.module))
    }

    /// The condition of one of them.
    pub(super) fn key_of(&self, (kind, version): (Kind, &Version)) -> String {
        let (kind, version) = (literal(kind.as_str()), literal(version.as_str()));
        format!("{} AND version {EQ} {version} AND kind {EQ} {kind}", self.present())
    }
}
