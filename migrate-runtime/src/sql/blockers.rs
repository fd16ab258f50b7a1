//! Finds who holds locks on what a statement names, after it failed: the server no longer knows whom it waited for.

use std::time::Duration;

use tokio_postgres::SimpleQueryRow;

use super::lease::holder;
use super::literal::{column, literal, utc};
use super::operator::{EQ, NE, SUB};
use crate::outcome::Holder;

/// What a failed statement waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The names in the statement, of which some are relations.
    pub(crate) names: Vec<String>,
    /// The sessions that the server named.
    pub(crate) pids: Vec<i32>,
    /// The locks of others that did not block it.
    pub(crate) harmless: &'static [&'static str],
}

/// The sessions and prepared transactions that have what is wanted, the oldest transaction first: one row each
/// for [`blocker`].
///
/// A lock on a table is also one of the statements on its indexes and its partitions.
pub(crate) fn blockers(Wanted { names, pids, harmless }: &Wanted) -> String {
    let list = |texts: &[String]| texts.join(", ");
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let harmless: Vec<String> = harmless.iter().map(|mode| literal(mode)).collect();
    let pids: Vec<String> = pids.iter().map(i32::to_string).collect();
    let held = format!(
        "FROM pg_catalog.pg_locks l JOIN wanted w ON w.oid {EQ} l.relation WHERE l.granted \
         AND l.mode {NE} ALL (ARRAY[{}]::pg_catalog.text[])",
        list(&harmless)
    );
    format!(
        "WITH named AS (SELECT pg_catalog.to_regclass(n.name)::pg_catalog.oid AS oid \
         FROM pg_catalog.unnest(ARRAY[{}]::pg_catalog.text[]) n (name)), \
         wanted AS (SELECT n.oid FROM named n UNION SELECT x.indrelid FROM pg_catalog.pg_index x \
         JOIN named n ON n.oid {EQ} x.indexrelid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i \
         JOIN named n ON n.oid {EQ} i.inhparent) \
         SELECT {SESSION}, NULL AS prepared FROM pg_catalog.pg_stat_activity a \
         WHERE a.pid {NE} pg_catalog.pg_backend_pid() \
         AND (a.pid {EQ} ANY (ARRAY[{}]::pg_catalog.int4[]) OR EXISTS (SELECT {held} AND l.pid {EQ} a.pid \
         AND l.database {EQ} a.datid AND a.datname {EQ} pg_catalog.current_database())) \
         UNION ALL SELECT {} FROM pg_catalog.pg_prepared_xact() p \
         WHERE p.dbid {EQ} (SELECT d.oid FROM pg_catalog.pg_database d \
         WHERE d.datname {EQ} pg_catalog.current_database()) AND EXISTS (SELECT {held} AND {}) \
         ORDER BY age DESC NULLS LAST LIMIT 3",
        list(&names),
        list(&pids),
        prepared_columns(),
        is_of_prepared(),
        SESSION = session_columns()
    )
}

/// The session of a process, for [`blocker`]. Without `pg_stat_activity`, whose SELECT can be revoked.
pub(crate) fn session(pid: i32) -> String {
    let columns = session_columns();
    format!("SELECT {columns} FROM pg_catalog.pg_stat_get_activity({pid}) a")
}

/// The columns of the session `a` for [`blocker`].
pub(super) fn session_columns() -> String {
    let since = utc("COALESCE(a.xact_start, a.state_change, a.backend_start)");
    let age = age("a.xact_start");
    format!(
        "a.pid, a.application_name, pg_catalog.pg_get_userbyid(a.usesysid) AS \"user\", {since} AS since, {age} AS age, a.query"
    )
}

/// The columns of the prepared transaction `p` for [`blocker`].
pub(super) fn prepared_columns() -> String {
    format!(
        "0, '', pg_catalog.pg_get_userbyid(p.ownerid), {}, {}, NULL, p.gid",
        utc("p.prepared"),
        age("p.prepared")
    )
}

/// Whether the lock `l` is one of the prepared transaction `p`, which has no process, and shares its virtual one with the
/// lock on its own number.
pub(super) fn is_of_prepared() -> String {
    format!(
        "l.pid IS NULL AND EXISTS (SELECT FROM pg_catalog.pg_locks x WHERE x.transactionid {EQ} p.transaction \
         AND x.granted AND x.pid IS NULL AND x.virtualtransaction {EQ} l.virtualtransaction)"
    )
}

/// The milliseconds since a time.
fn age(time: &str) -> String {
    format!(
        "(EXTRACT(epoch FROM pg_catalog.clock_timestamp() {SUB} {time}) \
         OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8"
    )
}

/// The session or the prepared transaction in one row.
pub(crate) fn blocker(row: &SimpleQueryRow) -> Holder {
    let age = column(row, "age").and_then(|millis| millis.parse().ok());
    // A role that may not see it reads a text in angle brackets instead.
    let is_seen = |query: &String| !query.is_empty() && !query.starts_with('<');
    let statement = column(row, "query").filter(is_seen);
    let prepared = column(row, "prepared");
    Holder { transaction_age: age.map(Duration::from_millis), statement, prepared, ..holder(row) }
}
