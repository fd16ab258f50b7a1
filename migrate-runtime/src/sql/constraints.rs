//! What a commit does to deferred constraints, for a trial, which does not commit.

use super::literal::literal;

/// Checks deferred constraints, and runs deferred triggers.
pub(crate) const CHECK_CONSTRAINTS: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// Defers the constraints again as a new transaction does, also those that are added later. There is no
/// statement for it: those that begin immediate are set one by one.
pub(crate) fn defer_constraints() -> String {
    let body = "DECLARE k pg_catalog.record; BEGIN SET CONSTRAINTS ALL DEFERRED; \
                FOR k IN SELECT n.nspname, c.conname FROM pg_catalog.pg_constraint c \
                JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.connamespace \
                WHERE c.condeferrable AND NOT c.condeferred \
                AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
                AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) LOOP \
                EXECUTE pg_catalog.format('SET CONSTRAINTS %I.%I IMMEDIATE', k.nspname, k.conname); \
                END LOOP; END";
    format!("DO {}", literal(body))
}
