//! Writes the entries of migrations that another tool applied.

use migrate_set::set::Migration;

use super::entry::{COLUMNS, Place, kept};
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
    /// Records at this place that another tool applied `migration`; with a checksum only if it is known
    /// that the set's text ran.
    pub(crate) fn adopt(
        &self,
        migration: &Migration,
        down_sql: Option<&str>,
        place: &Place,
        taken: &Taken,
    ) -> String {
        let applied_at = taken.applied_at.as_deref().map_or_else(
            || "pg_catalog.clock_timestamp()".to_owned(),
            |at| format!("{}::pg_catalog.timestamptz", literal(at)),
        );
        let execution_ms = taken.execution_ms.unwrap_or_default().to_string();
        let applied_by =
            taken.applied_by.as_deref().map_or_else(|| "session_user".to_owned(), literal);
        let how = [applied_at.as_str(), &execution_ms, &applied_by];
        let values = self.values(migration, down_sql, place, (taken.verified, how), None);
        kept("WITH", &format!("INSERT INTO {} ({COLUMNS}) VALUES ({values})", self.quoted))
    }
}
