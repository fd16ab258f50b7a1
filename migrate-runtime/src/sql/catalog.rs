//! Queries of the system catalog, which every role can read.

use tokio_postgres::SimpleQueryRow;

use super::blockers::{is_of_prepared, prepared_columns, session_columns};
use super::ledger::Ledger;
use super::literal::{column, literal, text};
use super::look::schema_oid;
use super::operator::{CAT, EQ, GT, NE};
use super::trust::checked;

/// The columns of the table with this name: one row each, no rows without a table.
pub(crate) fn columns(schema: &str, table: &str) -> String {
    let query = format!(
        "SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid {EQ} (SELECT c.oid FROM pg_catalog.pg_class c \
         WHERE c.relnamespace {EQ} {} AND c.relname {EQ} {}) AND a.attnum {GT} 0 AND NOT a.attisdropped \
         ORDER BY a.attnum",
        schema_oid(schema),
        literal(table)
    );
    checked(&[], &query)
}

/// What a verb does with the ledger, which decides the privileges that its role needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UseOfLedger {
    Reads,
    Writes,
}

impl Ledger {
    /// The `GRANT`s that the current role needs for this use of the ledger and does not have, as one text, or NULL.
    pub(crate) fn missing_grants(&self, used: UseOfLedger) -> String {
        let (schema, table) = (literal(&self.schema), literal(&self.table));
        let (writes, privileges) = match used {
            UseOfLedger::Reads => ("false", "(1, 'SELECT')"),
            UseOfLedger::Writes => {
                ("true", "(1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')")
            }
        };
        let query = format!(
            "SELECT pg_catalog.string_agg(g.statement {CAT} ' TO ' {CAT} \
             pg_catalog.quote_ident(current_user), '; ') FROM (\
             SELECT 1 AS n, pg_catalog.format('GRANT CREATE ON DATABASE %I', \
             pg_catalog.current_database()) AS statement \
             WHERE {writes} AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n WHERE n.nspname {EQ} {schema}) \
             AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') \
             UNION ALL SELECT 2, pg_catalog.format('GRANT %s ON SCHEMA %I', p.privileges, n.nspname) \
             FROM pg_catalog.pg_namespace n, LATERAL (SELECT pg_catalog.concat_ws(', ', \
             CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE' END, \
             CASE WHEN {writes} AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND NOT EXISTS (\
             SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace {EQ} n.oid AND c.relname {EQ} {table}) \
             THEN 'CREATE' END) AS privileges) p WHERE n.nspname {EQ} {schema} AND p.privileges {NE} '' \
             UNION ALL SELECT 3, pg_catalog.format('GRANT %s ON TABLE %I.%I', p.privileges, n.nspname, \
             c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace, \
             LATERAL (SELECT pg_catalog.string_agg(v.privilege, ', ' ORDER BY v.n) AS privileges \
             FROM (VALUES {privileges}) \
             v (n, privilege) WHERE NOT pg_catalog.has_table_privilege(c.oid, v.privilege)) p \
             WHERE n.nspname {EQ} {schema} AND c.relname {EQ} {table} AND p.privileges {NE} '' \
             ORDER BY 1) g"
        );
        checked(&[], &query)
    }
}

/// Who holds the advisory lock `key` of this database.
pub(crate) fn holder_of_lock(key: i64) -> String {
    let (columns, prepared, holds) = (session_columns(), prepared_columns(), holds(key));
    // Without a process, the function returns all.
    format!(
        "SELECT {columns}, NULL AS prepared \
         FROM pg_catalog.pg_locks l, LATERAL pg_catalog.pg_stat_get_activity(l.pid) a \
         WHERE {holds} AND l.pid IS NOT NULL UNION ALL SELECT {prepared} \
         FROM pg_catalog.pg_prepared_xact() p JOIN pg_catalog.pg_locks l ON {} WHERE {holds}",
        is_of_prepared()
    )
}

/// Whether a session holds the advisory lock `key` of this database: a row if one does, for [`Seen::of`]. Without
/// `pg_stat_activity`, whose SELECT can be revoked.
pub(crate) fn is_held(key: i64) -> String {
    format!(
        "SELECT l.pid, (SELECT a.query_start::pg_catalog.text FROM pg_catalog.pg_stat_get_activity(l.pid) a \
         WHERE l.pid IS NOT NULL AND a.state {EQ} 'active') AS since FROM pg_catalog.pg_locks l WHERE {}",
        holds(key)
    )
}

/// The message of the session that was seen to hold the lock, which it holds as long as it runs that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pid: i32,
    since: String,
}

impl Seen {
    /// That of one row of [`is_held`]; `None` if the server does not show what the session runs.
    pub(crate) fn of(row: &SimpleQueryRow) -> Option<Seen> {
        Some(Seen { pid: text(row, 0)?.parse().ok()?, since: column(row, 1)? })
    }

    /// Whether it does: a row. The server does not list its locks for that, of which a run on a fresh database has
    /// thousands: 50 us instead of 600.
    pub(crate) fn still_runs(&self) -> String {
        let Seen { pid, since } = self;
        format!(
            "SELECT FROM pg_catalog.pg_stat_get_activity({pid}) a WHERE a.state {EQ} 'active' \
             AND a.query_start::pg_catalog.text {EQ} {}",
            literal(since)
        )
    }
}

/// Ends the session with this process, if it holds the advisory lock; the number that a
/// pooler names is not that of a process, or of one that does not hold it.
pub(crate) fn end_holder(key: i64, process: i32) -> String {
    format!(
        "SELECT pg_catalog.pg_terminate_backend(l.pid) FROM pg_catalog.pg_locks l \
         WHERE l.pid {EQ} {process} AND {}",
        holds(key)
    )
}

/// The condition that the row `l` of `pg_locks` is the advisory lock with this key.
fn holds(key: i64) -> String {
    let (high, low) = ((key >> 32) & 0xffff_ffff, key & 0xffff_ffff);
    format!(
        "l.locktype {EQ} 'advisory' AND l.granted AND l.objsubid {EQ} 1 \
         AND l.classid {EQ} {high}::pg_catalog.oid AND l.objid {EQ} {low}::pg_catalog.oid \
         AND l.database {EQ} (SELECT d.oid FROM pg_catalog.pg_database d \
         WHERE d.datname {EQ} pg_catalog.current_database())"
    )
}

/// The first table with one of these names, quoted and with its schema; no row without one.
pub(crate) fn first_table<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(literal).collect();
    format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace \
         WHERE c.relkind {EQ} 'r' AND c.relname {EQ} ANY (ARRAY[{}]::pg_catalog.name[]) LIMIT 1",
        names.join(", ")
    )
}

/// The kind and name of the one object among these names that the current role lacks a privilege on; no row if there
/// are several.
pub(crate) fn denied_among(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let among = format!("{EQ} ANY (ARRAY[{}]::pg_catalog.name[])", names.join(", "));
    let query = format!(
        "SELECT pg_catalog.min(o.kind) AS kind, pg_catalog.min(o.name) AS name FROM (\
         SELECT CASE WHEN c.relkind {EQ} 'S' THEN 'sequence' WHEN c.relkind {EQ} 'v' THEN 'view' \
         ELSE 'table' END AS kind, c.relname::pg_catalog.text AS name FROM pg_catalog.pg_class c \
         WHERE c.relname {among} AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') \
         AND c.relkind {EQ} ANY ('{{r,p,v,m,f,S}}') \
         UNION ALL SELECT CASE WHEN r.prokind {EQ} 'p' THEN 'procedure' ELSE 'function' END, r.proname::pg_catalog.text \
         FROM pg_catalog.pg_proc r WHERE r.proname {among} \
         AND NOT pg_catalog.has_function_privilege(r.oid, 'EXECUTE') \
         UNION ALL SELECT 'schema', n.nspname::pg_catalog.text FROM pg_catalog.pg_namespace n \
         WHERE n.nspname {among} AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
         AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')) \
         UNION ALL SELECT 'type', t.typname::pg_catalog.text FROM pg_catalog.pg_type t WHERE t.typname {among} \
         AND t.typrelid {EQ} 0::pg_catalog.oid AND NOT pg_catalog.has_type_privilege(t.oid, 'USAGE') \
         UNION ALL SELECT 'database', d.datname::pg_catalog.text FROM pg_catalog.pg_database d \
         WHERE d.datname {among} AND d.datname {EQ} pg_catalog.current_database() \
         AND NOT pg_catalog.has_database_privilege(d.oid, 'CREATE')) o \
         HAVING pg_catalog.count(*) {EQ} 1"
    );
    checked(&[], &query)
}

/// The current role, and the quoted name with its schema, if exactly one object of other roles has that
/// name: the error has only the bare name.
pub(crate) fn full_name(kind: &str, name: &str) -> String {
    let name = literal(name);
    let found = match kind {
        "table" | "view" | "sequence" => format!(
            "SELECT pg_catalog.min(pg_catalog.format('%I.%I', n.nspname, c.relname)) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {EQ} c.relnamespace \
             WHERE c.relname {EQ} {name} AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') \
             HAVING pg_catalog.count(*) {EQ} 1"
        ),
        "function" | "procedure" => format!(
            "SELECT pg_catalog.min(pg_catalog.format('%I.%I', n.nspname, r.proname)) \
             FROM pg_catalog.pg_proc r JOIN pg_catalog.pg_namespace n ON n.oid {EQ} r.pronamespace \
             WHERE r.proname {EQ} {name} AND NOT pg_catalog.pg_has_role(r.proowner, 'USAGE') \
             HAVING pg_catalog.count(*) {EQ} 1"
        ),
        _ => "SELECT NULL".to_owned(),
    };
    // The error has the name of a type as in SQL.
    let bare = if kind == "type" { name } else { format!("pg_catalog.quote_ident({name})") };
    let query = format!(
        "SELECT pg_catalog.quote_ident(current_user) AS role, \
         COALESCE(({found}), {bare}) AS name"
    );
    checked(&[], &query)
}
