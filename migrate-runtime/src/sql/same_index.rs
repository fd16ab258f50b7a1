//! Compares an index with the one that a statement builds: the server makes that on an empty copy of the
//! table, which is undone, because only the server knows what the text of an expression means.

use super::literal::literal;
use super::operator::EQ;

/// The statement that makes an empty copy of `table`, with the same name so that its columns can be named by it.
pub(crate) fn copy(table: &str, copy: &str) -> String {
    format!("CREATE TEMPORARY TABLE {copy} AS TABLE {table} WITH NO DATA")
}

/// Whether the index `oid` is what the index of the copy is: one row.
pub(crate) fn is_same(oid: &str, copy: &str) -> String {
    let pairs = what_counts("x").into_iter().zip(what_counts("y"));
    let same: Vec<String> = pairs.map(|(x, y)| format!("{x} {EQ} {y}")).collect();
    format!(
        "SELECT {} AS same FROM pg_catalog.pg_index x, pg_catalog.pg_index y \
         WHERE x.indexrelid {EQ} {oid}::pg_catalog.oid \
         AND y.indrelid {EQ} {}::pg_catalog.regclass::pg_catalog.oid",
        same.join(" AND "),
        literal(copy)
    )
}

/// What of the index `i` counts: uniqueness, columns, operator classes, collations, order, predicate, method and
/// options.
fn what_counts(i: &str) -> [String; 10] {
    [
        format!("{i}.indisunique"),
        format!("{i}.indnkeyatts"),
        format!("{i}.indclass::pg_catalog.text"),
        format!("{i}.indcollation::pg_catalog.text"),
        format!("{i}.indoption::pg_catalog.text"),
        format!("COALESCE(pg_catalog.pg_get_expr({i}.indpred, {i}.indrelid), '')"),
        // A column since PostgreSQL 15.
        format!(
            "COALESCE(pg_catalog.to_jsonb({i}) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct', 'false')"
        ),
        format!("(SELECT c.relam FROM pg_catalog.pg_class c WHERE c.oid {EQ} {i}.indexrelid)"),
        format!(
            "(SELECT COALESCE(c.reloptions, '{{}}') FROM pg_catalog.pg_class c \
             WHERE c.oid {EQ} {i}.indexrelid)"
        ),
        format!(
            "ARRAY(SELECT pg_catalog.pg_get_indexdef({i}.indexrelid, n.n, false) \
             FROM pg_catalog.generate_series(1, {i}.indnatts::pg_catalog.int4) n (n) ORDER BY n.n)"
        ),
    ]
}
