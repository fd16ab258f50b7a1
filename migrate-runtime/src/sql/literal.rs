//! Values and times as SQL text, and texts in rows.

use std::fmt::Display;

use migrate_set::sql::quotes::doubled;
use tokio_postgres::SimpleQueryRow;
use tokio_postgres::row::RowIndex;

/// `text` as a literal that does not depend on `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    let inside = doubled(text, '\'');
    if text.contains('\\') {
        format!("E'{}'", doubled(&inside, '\\'))
    } else {
        format!("'{inside}'")
    }
}

/// The text in a column of a row; `None` if it is NULL or not UTF-8, or the row has no such column, for which the
/// driver's `get` panics. Neither is inlined: there are 30 uses.
#[inline(never)]
pub(crate) fn text(row: &SimpleQueryRow, at: impl RowIndex + Display) -> Option<&str> {
    row.try_get(at).ok().flatten()
}

/// As [`text`], by value.
#[inline(never)]
pub(crate) fn column(row: &SimpleQueryRow, at: impl RowIndex + Display) -> Option<String> {
    text(row, at).map(str::to_owned)
}

/// A time as text: RFC 3339, UTC.
pub(crate) fn utc(expression: &str) -> String {
    format!(
        "pg_catalog.to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    )
}
