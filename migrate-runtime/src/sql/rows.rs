//! Reads the rows of a database as statements that add them again, and the positions of its sequences.

use tokio_postgres::SimpleQueryRow;

use super::schema::{with_formats, with_settings};

/// The relations of others: of the server, of a session, of an extension.
const FOREIGN: &str = include_str!("rows_foreign.sql");

/// A query of this module, which leaves those out. As in [`super::schema`], the catalog alone is searched for its names.
fn own(query: &str) -> String {
    with_settings(&query.replace("{foreign}", FOREIGN))
}

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
    own(include_str!("rows_tables.sql"))
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
    own(include_str!("rows_sequences.sql"))
}

/// A query from the answer of [`sequences`].
pub(crate) fn sequence(query: &str) -> String {
    with_settings(query)
}

/// The statements that fill the materialized views again, in the order in which they were made.
pub(crate) fn refreshes() -> String {
    own(include_str!("rows_refreshes.sql"))
}

/// The owners that differ from the role of the session: each as a sentence.
pub(crate) fn owners() -> String {
    own(include_str!("rows_owners.sql"))
}

/// What a row of any of these answers has.
pub(crate) fn written(row: &SimpleQueryRow) -> Option<String> {
    row.try_get("written").ok().flatten().map(str::to_owned)
}
