//! Writes the entries of migrations that another tool applied.

use migrate_set::checksum::ALGORITHM;
use migrate_set::rollback::digest;
use migrate_set::set::Migration;

use super::ledger::Ledger;
use super::literal::literal;

/// The values that are copied from another tool's row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// RFC 3339, UTC; the time of adoption if the tool recorded none.
    pub(crate) applied_at: Option<String>,
    /// The role that adopts if the tool recorded none.
    pub(crate) applied_by: Option<String>,
    /// Zero if the tool recorded none.
    pub(crate) execution_ms: Option<i64>,
    /// Whether the tool's checksum is that of the set's text.
    pub(crate) verified: bool,
}

impl Ledger {
    /// Records at `position` that another tool applied `migration`; with a checksum only if it is known
    /// that the set's text ran.
    pub(crate) fn adopt(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        position: i64,
        taken: &Taken,
    ) -> String {
        let null = || "NULL".to_owned();
        let values = [
            literal(&self.module),
            literal(migration.version().as_str()),
            literal(migration.kind().as_str()),
            literal(migration.name()),
            literal(migration.filename()),
            if taken.verified { literal(&migration.checksum().to_string()) } else { null() },
            literal(ALGORITHM),
            position.to_string(),
            taken.applied_at.as_deref().map_or_else(
                || "pg_catalog.clock_timestamp()".to_owned(),
                |at| format!("{}::pg_catalog.timestamptz", literal(at)),
            ),
            taken.execution_ms.unwrap_or_default().to_string(),
            taken.applied_by.as_deref().map_or_else(|| "session_user".to_owned(), literal),
            down_sql.map_or_else(null, literal),
            down_sql.map_or_else(null, |sql| literal(&digest(sql))),
        ];
        format!(
            "INSERT INTO {} (module, version, kind, name, filename, checksum, checksum_algorithm, \
             \"position\", applied_at, execution_ms, applied_by, down_sql, down_checksum) \
             VALUES ({})",
            self.quoted,
            values.join(", ")
        )
    }
}
