//! Reads the rows of a database as statements that add them again, and the positions of its sequences.

use tokio_postgres::SimpleQueryRow;

use super::schema::{with_formats, with_settings};

/// The relations of others: of the server, of a session, of an extension.
const FOREIGN: &str = "(n.nspname ~ '^pg_' OR n.nspname = 'information_schema' OR EXISTS (SELECT FROM pg_depend d \
     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";

/// A table that can have rows, and the query of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowsOf {
    /// Its quoted name, with its schema.
    pub(crate) table: String,
    /// The beginning of the statement that adds rows.
    pub(crate) insert: String,
    /// Returns each row as the values of that statement.
    pub(crate) query: String,
}

/// All tables with columns, in the order of their names. Numbers and booleans are written without quotes.
pub(crate) fn tables() -> String {
    with_settings(&format!(
        "SELECT format('%I.%I', n.nspname, c.relname) AS shown, string_agg(quote_ident(a.attname), ', ' \
         ORDER BY a.attnum) AS columns, bool_or(a.attidentity <> '') AS numbered, string_agg(format(CASE \
         WHEN a.atttypid IN (16, 20, 21, 23) THEN 'COALESCE(%I::pg_catalog.text, ''NULL'')' \
         ELSE 'pg_catalog.quote_nullable(%I::pg_catalog.text)' END, \
         a.attname), ', ' ORDER BY a.attnum) AS vals FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT {FOREIGN} GROUP BY n.nspname, c.relname \
         ORDER BY n.nspname, c.relname"
    ))
}

/// One row of the answer of [`tables`]; the settings have none.
pub(crate) fn rows_of(row: &SimpleQueryRow) -> Option<RowsOf> {
    let text = |column: &str| row.try_get(column).ok().flatten();
    let (table, columns, values) = (text("shown")?.to_owned(), text("columns")?, text("vals")?);
    let overriding = if text("numbered") == Some("t") { " OVERRIDING SYSTEM VALUE" } else { "" };
    let insert = format!("INSERT INTO {table} ({columns}){overriding} VALUES");
    // The server plans it with the indexes of the table, whose functions can need the session's `search_path`.
    let query = with_formats(&format!(
        "SELECT pg_catalog.array_to_string(ARRAY[{values}], ', ') AS written FROM ONLY {table} ORDER BY ctid"
    ));
    Some(RowsOf { table, insert, query })
}

/// For each sequence a query of its position, as a statement that sets it; no row if it was not used.
pub(crate) fn sequences() -> String {
    with_settings(&format!(
        "SELECT format('SELECT format(''SELECT pg_catalog.setval(%%L, %%s, %%s)'', %L, last_value, is_called::text) AS written \
         FROM %I.%I WHERE is_called OR last_value <> %s', format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, \
         s.seqstart) AS written FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s \
         ON s.seqrelid = c.oid WHERE NOT {FOREIGN} ORDER BY n.nspname, c.relname"
    ))
}

/// A query from the answer of [`sequences`].
pub(crate) fn sequence(query: &str) -> String {
    with_settings(query)
}

/// The statements that fill the materialized views again, in the order in which they were made.
pub(crate) fn refreshes() -> String {
    with_settings(&format!(
        "SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname) AS written FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated AND NOT {FOREIGN} \
         ORDER BY c.oid"
    ))
}

/// The owners that differ from the role of the session: each as a sentence.
pub(crate) fn owners() -> String {
    with_settings(&format!(
        "SELECT format('%I.%I belongs to the role %I', n.nspname, c.relname, pg_get_userbyid(c.relowner)) AS written \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') \
         AND pg_get_userbyid(c.relowner) <> current_user AND NOT {FOREIGN} UNION ALL \
         SELECT format('the schema %I belongs to the role %I', n.nspname, pg_get_userbyid(n.nspowner)) FROM pg_namespace n \
         WHERE n.oid >= 16384 AND n.nspname !~ '^pg_' AND pg_get_userbyid(n.nspowner) <> current_user UNION ALL \
         SELECT concat(count(*), ' large objects') FROM pg_largeobject_metadata HAVING count(*) > 0 ORDER BY 1"
    ))
}

/// What a row of any of these answers has.
pub(crate) fn written(row: &SimpleQueryRow) -> Option<String> {
    row.try_get("written").ok().flatten().map(str::to_owned)
}
