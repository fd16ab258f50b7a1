//! Values and times as SQL text, and texts in rows.

use tokio_postgres::SimpleQueryRow;

/// `text` as a literal that does not depend on `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// The text in a column of a row; `None` if it is NULL or the row has no such column.
pub(crate) fn column(row: &SimpleQueryRow, name: &str) -> Option<String> {
    row.try_get(name).ok().flatten().map(str::to_owned)
}

/// A time as text: RFC 3339, UTC.
pub(crate) fn utc(expression: &str) -> String {
    format!(
        "pg_catalog.to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    )
}
