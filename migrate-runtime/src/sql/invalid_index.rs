//! Finds indexes that an interrupted `CONCURRENTLY` left; it never drops one that is valid or that another
//! session is building.

use migrate_set::sql::alone::{Alone, Scope};
use tokio_postgres::SimpleQueryRow;

use super::literal::{column, literal};
use super::operator::{EQ, NE};

/// An index that has the name, or is on the table, of a statement that builds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidIndex {
    /// Its number in the catalog.
    pub(crate) oid: String,
    /// Its name, quoted, with its schema.
    pub(crate) name: String,
    /// Whether it is valid, and so not left by an interrupted statement.
    pub(crate) valid: bool,
    /// Whether another session has a lock on its table, and is perhaps building it.
    pub(crate) in_use: bool,
}

/// Whether an earlier run has already sent the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempted<'i> {
    /// The ledger has no record that it was sent.
    No,
    /// It failed or was interrupted. Before that, the table had the indexes of these numbers; `None` if
    /// that was not recorded.
    Before(Option<&'i str>),
}

/// The query for one index that a statement left, as one row; `None` if it cannot leave one.
///
/// It looks for a named index even before the first attempt, because `IF NOT EXISTS` skips an INVALID
/// one. An index whose name the server chose is recognised if it is the only INVALID one, or valid and new.
pub(crate) fn look(alone: &Alone, attempted: Attempted<'_>) -> Option<String> {
    let condition = match (alone, attempted) {
        (Alone::Builds { name: Some(name), table, .. }, _) => format!(
            "x.indrelid {EQ} {} AND i.relname {EQ} (pg_catalog.parse_ident({}))[1]::pg_catalog.name",
            relation(table),
            literal(name)
        ),
        (Alone::Builds { name: None, table, .. }, Attempted::Before(indexes)) => format!(
            "x.indrelid {EQ} {0} AND CASE WHEN x.indisvalid THEN {1} ELSE 1 {EQ} (SELECT \
             pg_catalog.count(*) FROM pg_catalog.pg_index o WHERE o.indrelid {EQ} {0} \
             AND NOT o.indisvalid) END",
            relation(table),
            indexes.map_or_else(
                || "false".to_owned(),
                |known| format!("x.indexrelid {NE} ALL ({}::pg_catalog.oid[])", literal(known))
            )
        ),
        (Alone::Rebuilds(scope), Attempted::Before(_)) => {
            format!(
                "NOT x.indisvalid AND i.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$' AND {}",
                within(scope)
            )
        }
        _ => return None,
    };
    Some(format!(
        "SELECT i.oid, pg_catalog.format('%I.%I', n.nspname, i.relname) AS name, x.indisvalid AS valid, \
         EXISTS (SELECT 1 FROM pg_catalog.pg_locks k WHERE k.relation {EQ} x.indrelid \
         AND k.mode {EQ} 'ShareUpdateExclusiveLock' AND k.granted AND k.database {EQ} (SELECT d.oid \
         FROM pg_catalog.pg_database d WHERE d.datname {EQ} pg_catalog.current_database()) \
         AND k.pid {NE} pg_catalog.pg_backend_pid()) AS in_use \
         FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid {EQ} x.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid {EQ} i.relnamespace WHERE {condition} ORDER BY x.indisvalid LIMIT 1"
    ))
}

/// The condition for indexes that a `REINDEX` of this scope can leave.
fn within(scope: &Scope) -> String {
    match scope {
        Scope::Index(name) => format!(
            "x.indrelid {EQ} (SELECT o.indrelid FROM pg_catalog.pg_index o WHERE o.indexrelid {EQ} {})",
            relation(name)
        ),
        // A partitioned table has indexes on its partitions; each TOAST table has one too.
        Scope::Table(name) => format!(
            "x.indrelid {EQ} ANY (SELECT t.oid FROM pg_catalog.pg_partition_tree({0}) p \
             JOIN pg_catalog.pg_class t ON t.oid {EQ} p.relid UNION \
             SELECT t.reltoastrelid FROM pg_catalog.pg_partition_tree({0}) p \
             JOIN pg_catalog.pg_class t ON t.oid {EQ} p.relid UNION SELECT {0}::pg_catalog.oid \
             UNION SELECT t.reltoastrelid FROM pg_catalog.pg_class t WHERE t.oid {EQ} {0})",
            relation(name)
        ),
        Scope::Schema(name) => format!(
            "x.indrelid {EQ} ANY (SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relnamespace {EQ} {0} \
             UNION SELECT t.reltoastrelid FROM pg_catalog.pg_class t WHERE t.relnamespace {EQ} {0})",
            format_args!("pg_catalog.to_regnamespace({})", literal(name))
        ),
        Scope::Database => "true".to_owned(),
    }
}

/// The numbers of the indexes of `table`, as the text of an array.
pub(super) fn indexes_of(table: &str) -> String {
    format!(
        "ARRAY(SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid {EQ} {})",
        relation(table)
    )
}

/// The relation that a name refers to in this session.
fn relation(name: &str) -> String {
    format!("pg_catalog.to_regclass({})", literal(name))
}

impl InvalidIndex {
    /// The index of one row of [`look`].
    pub(crate) fn of(row: &SimpleQueryRow) -> Option<InvalidIndex> {
        let is = |name| column(row, name).as_deref() == Some("t");
        let (valid, in_use) = (is("valid"), is("in_use"));
        Some(InvalidIndex { oid: column(row, "oid")?, name: column(row, "name")?, valid, in_use })
    }

    /// Removes it without blocking other sessions. Citus also passes this on to shards without such an index.
    pub(crate) fn drop(&self) -> String {
        format!("DROP INDEX CONCURRENTLY IF EXISTS {}", self.name)
    }
}
