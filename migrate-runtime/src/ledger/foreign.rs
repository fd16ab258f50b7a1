//! Asks the catalog about the ledger's table, where it cannot be read or written.
//! A ledger goes in; SQL that lists a foreign table's columns, or the GRANTs that a role lacks,
//! comes out.
//! It reads the catalog only on purpose, which every role may.

use super::{Ledger, literal};

/// The columns of whatever table has this name: one row each, none without a table.
pub(crate) fn columns(schema: &str, table: &str) -> String {
    format!(
        "SELECT a.attname FROM pg_catalog.pg_attribute a \
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attnum",
        literal(schema),
        literal(table)
    )
}

impl Ledger {
    /// The columns of whatever table has the ledger's name: one row each, none without a table.
    pub(crate) fn columns(&self) -> String {
        columns(&self.schema, &self.table)
    }

    /// The `GRANT`s that the current role lacks to keep this ledger, as one text; NULL if none.
    pub(crate) fn missing_grants(&self) -> String {
        let (schema, table) = (literal(&self.schema), literal(&self.table));
        format!(
            "SELECT pg_catalog.string_agg(g.statement || ' TO ' || pg_catalog.quote_ident(current_user), \
             '; ') FROM (\
             SELECT 1 AS n, pg_catalog.format('GRANT CREATE ON DATABASE %I', \
             pg_catalog.current_database()) AS statement \
             WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {schema}) \
             AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') \
             UNION ALL SELECT 2, pg_catalog.format('GRANT %s ON SCHEMA %I', p.privileges, n.nspname) \
             FROM pg_catalog.pg_namespace n, LATERAL (SELECT pg_catalog.concat_ws(', ', \
             CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE' END, \
             CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND NOT EXISTS (\
             SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = {table}) \
             THEN 'CREATE' END) AS privileges) p WHERE n.nspname = {schema} AND p.privileges <> '' \
             UNION ALL SELECT 3, pg_catalog.format('GRANT %s ON TABLE %I.%I', p.privileges, n.nspname, \
             c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
             LATERAL (SELECT pg_catalog.string_agg(v.privilege, ', ' ORDER BY v.n) AS privileges \
             FROM (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')) \
             v (n, privilege) WHERE NOT pg_catalog.has_table_privilege(c.oid, v.privilege)) p \
             WHERE n.nspname = {schema} AND c.relname = {table} AND p.privileges <> '' \
             ORDER BY 1) g"
        )
    }
}
