//! Citus, which spreads tables over several servers: whether this database has it, which node this server is, and
//! what a transaction there needs to be limited and on disk everywhere.

use super::operator::EQ;

/// What a read found of Citus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Citus {
    /// The database does not have it.
    #[default]
    Absent,
    /// The database has it.
    Present,
    /// The ledger is on a worker, where a query that runs a text cannot read it.
    HasLedger,
}

/// Whether this database has Citus, in a read that is sent anyway: its own table, because a plain query cannot call a
/// function that may be missing.
pub(super) const IS_CITUS: &str =
    "pg_catalog.to_regclass('pg_catalog.pg_dist_local_group') IS NOT NULL";

/// How a boot reports that the ledger is on a worker.
pub(super) const ON_WORKER: &str = "on worker";

/// Whether the ledger `c` can be on a worker: Citus gives such a table an internal trigger.
pub(super) fn is_on_worker() -> String {
    format!("c.relhastriggers AND {IS_CITUS}")
}

/// Whether this server is the coordinator, whose group is 0, and the address of that; a worker without metadata does
/// not know it.
pub(crate) const NODE: &str = "SELECT g.groupid OPERATOR(pg_catalog.=) 0 AS is_coordinator, \
     (SELECT pg_catalog.concat(n.nodename, ':', n.nodeport) FROM pg_catalog.pg_dist_node n \
     WHERE n.groupid OPERATOR(pg_catalog.=) 0 ORDER BY n.nodeid LIMIT 1) AS coordinator \
     FROM pg_catalog.pg_dist_local_group g";

/// Makes Citus change one shard after the other, so that a transaction can hold definitions after rows.
pub(crate) const SEQUENTIAL: &str =
    "SELECT pg_catalog.set_config('citus.multi_shard_modify_mode', 'sequential', true)";

/// The value of `synchronous_commit` there: the coordinator must not forget what the workers keep.
pub(super) fn synchronous() -> String {
    let own = "pg_catalog.current_setting('synchronous_commit')";
    format!("CASE WHEN {own} {EQ} 'off' THEN 'on' ELSE {own} END")
}

/// Gives the transactions of the workers this one's `lock_timeout`, as a statement of PL/pgSQL: Citus passes on only
/// `SET LOCAL`, and only if it is asked to. The migration's own settings stay on the coordinator, as its author knows.
pub(super) fn limit_workers() -> String {
    let passes = "'citus.propagate_set_commands'";
    format!(
        "DECLARE migrate_passes pg_catalog.text := pg_catalog.current_setting({passes}, true); BEGIN \
         PERFORM pg_catalog.set_config({passes}, 'local', true); \
         EXECUTE pg_catalog.format('SET LOCAL lock_timeout = %L', pg_catalog.current_setting('lock_timeout')); \
         PERFORM pg_catalog.set_config({passes}, migrate_passes, true); END;"
    )
}
