//! The operators in the SQL of the library, by their schema. An operator without one is looked up in all
//! schemas of the `search_path`, and another schema's wins over that of `pg_catalog` if its types fit
//! better (`bigint = numeric`), in any order of the path: a role that can create in one of them
//! would run its code as the role that migrates. A message cannot set the path instead, because its
//! migrations run with the caller's.
//!
//! All have the same precedence and associate to the left, so two of them need parentheses.
//! `IN (..)`, `BETWEEN`, `LIKE`, `IS DISTINCT FROM`, `NULLIF`, `JOIN .. USING` and `CASE x WHEN` look
//! operators up without a schema, and are not used. Before PostgreSQL 14 so do functions of `pg_catalog`
//! that are written in SQL (`shobj_description`, `||` of a text and another type). `ORDER BY`, `UNION`,
//! `LEAST` and `ON CONFLICT` use the operator class of the type, and a cast depends on its two types only.

pub(crate) const EQ: &str = "OPERATOR(pg_catalog.=)";
pub(crate) const NE: &str = "OPERATOR(pg_catalog.<>)";
pub(crate) const GT: &str = "OPERATOR(pg_catalog.>)";
pub(crate) const ADD: &str = "OPERATOR(pg_catalog.+)";
pub(crate) const SUB: &str = "OPERATOR(pg_catalog.-)";
pub(crate) const CAT: &str = "OPERATOR(pg_catalog.||)";

/// An expression that raises `division_by_zero` unless this holds.
pub(super) fn require(condition: &str) -> String {
    format!("1 OPERATOR(pg_catalog./) ({condition})::pg_catalog.int4")
}
