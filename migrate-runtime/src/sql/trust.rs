//! Whether a table is ours: what its owner attached to it runs as the role that reads or writes it.

use migrate_set::sql::placeholder::quoted_identifier;

use super::guard::block;
use super::ledger::Ledger;
use super::literal::literal;
use super::look::IS_OWN;
use super::operator::require;

/// Whether the owner of the table `c` gains nothing from code that runs as the current role: it can act as
/// that role, as a superuser or as the database's owner, or it is a group whose privileges that role inherits.
///
/// Other memberships of the current role show nothing: a superuser acts as every role, an administrator is a
/// member of the roles that log in, and since PostgreSQL 16 of those that it creates. A grant shows nothing
/// either: a table that was planted can be granted.
const OWNER: &str = "(pg_catalog.pg_has_role(c.relowner, current_user, 'MEMBER') \
     OR (pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'off' \
     AND pg_catalog.pg_has_role(c.relowner, 'USAGE') \
     AND EXISTS (SELECT FROM pg_catalog.pg_roles g \
     WHERE g.oid OPERATOR(pg_catalog.=) c.relowner AND NOT g.rolcanlogin)) \
     OR EXISTS (SELECT FROM pg_catalog.pg_database d \
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() \
     AND pg_catalog.pg_has_role(c.relowner, d.datdba, 'MEMBER')))";

const TRIGGERS: &str = "FROM pg_catalog.pg_trigger t \
     WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid AND NOT t.tgisinternal";

const RULES: &str = "FROM pg_catalog.pg_rewrite r WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid";

/// Whether the relation `c` is a table of a trusted owner, without code attached. The flags are checked first,
/// but they can outlast what they were set for.
pub(super) fn is_trusted() -> String {
    format!(
        "c.relkind OPERATOR(pg_catalog.=) 'r' AND {OWNER} \
         AND NOT (c.relhastriggers AND EXISTS (SELECT {TRIGGERS})) \
         AND NOT (c.relhasrules AND EXISTS (SELECT {RULES})) \
         AND NOT pg_catalog.row_security_active(c.oid)"
    )
}

/// Raises `division_by_zero` unless the table is one to read and write, and the session sends UTF-8; returns no
/// rows. A table that does not exist raises `undefined_table`, so that a table that is planted afterwards is
/// not read.
///
/// It is a statement of its own, before the query in the same message: the server plans a view with the view's
/// functions. Between the two only roles that are trusted can replace the table.
pub(crate) fn check_table(schema: &str, table: &str) -> String {
    raise_unless(&format!("{} IS TRUE", is_of_table(schema, table, &is_trusted())))
}

/// Whether this holds for the table, and the session sends UTF-8; NULL if the table was dropped after its name was
/// looked up.
pub(super) fn is_of_table(schema: &str, table: &str, condition: &str) -> String {
    let name = literal(&qualified(schema, table));
    format!(
        "(SELECT {condition} AND {UTF8} {FROM_TABLE}{name}::pg_catalog.regclass::pg_catalog.oid)"
    )
}

pub(super) const FROM_TABLE: &str =
    "FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) ";

/// The number of this table, as an expression; NULL if there is none. As `oid`: a new session reads all operators with
/// the name `=` to compare it with another type.
pub(super) fn name_of(schema: &str, table: &str) -> String {
    format!("pg_catalog.to_regclass({})::pg_catalog.oid", literal(&qualified(schema, table)))
}

fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quoted_identifier(schema), quoted_identifier(table))
}

/// Whether the session sends what it sends as UTF-8. In other encodings a backslash can be the second byte of a
/// character, which ends strings elsewhere.
pub(super) const UTF8: &str = "pg_catalog.pg_client_encoding() OPERATOR(pg_catalog.=) 'UTF8'";

/// What [`check_table`] found wrong, one row.
pub(crate) fn what_is_wrong(schema: &str, table: &str) -> String {
    format!(
        "SELECT c.relkind AS kind, pg_catalog.pg_get_userbyid(c.relowner) AS owner, \
         current_user AS role, {OWNER} AS is_trusted, \
         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(t.tgname), ', ') {TRIGGERS}) AS triggers, \
         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(r.rulename), ', ') {RULES}) AS rules, \
         pg_catalog.row_security_active(c.oid) AS row_security {FROM_TABLE}{}",
        name_of(schema, table)
    )
}

/// `query`, after statements that raise `division_by_zero` where the session does not send UTF-8, or where the
/// server would cut one of `names`. Only the server knows: it counts the bytes in its own encoding. The first is
/// ASCII, so it is read as it is meant, whatever the rest is read as.
pub(crate) fn checked(names: &[&str], query: &str) -> String {
    let mut fit = Vec::new();
    for name in names.iter().filter(|name| !name.is_ascii()) {
        fit.push(format!("NOT {}", is_too_long(name)));
    }
    let mut checked = String::new();
    if !(fit.is_empty() && query.is_ascii()) {
        checked += &(raise_unless(UTF8) + "; ");
    }
    if !fit.is_empty() {
        checked += &(raise_unless(&fit.join(" AND ")) + "; ");
    }
    checked + query
}

fn raise_unless(condition: &str) -> String {
    format!("SELECT {}", raised_unless(condition))
}

/// The same after its first word, which in PL/pgSQL is another.
fn raised_unless(condition: &str) -> String {
    format!("WHERE {} OPERATOR(pg_catalog.=) 0", require(condition))
}

/// The encoding that the session sends.
pub(crate) const ENCODING_NAME: &str = "SELECT pg_catalog.pg_client_encoding()";

/// Whether the server would cut this name, as an expression.
pub(crate) fn is_too_long(name: &str) -> String {
    format!(
        "(pg_catalog.octet_length({}::pg_catalog.text) OPERATOR(pg_catalog.>) \
         pg_catalog.current_setting('max_identifier_length')::pg_catalog.int4)",
        literal(name)
    )
}

impl Ledger {
    /// As [`check_table`], in a block of PL/pgSQL, which the guard has loaded: it plans the queries of other catalogs
    /// only for the table of another role.
    pub(crate) fn check(&self) -> String {
        let is = |condition| is_of_table(&self.schema, &self.table, condition);
        let (own, trusted) = (is(IS_OWN), is(&is_trusted()));
        let raised = raised_unless(&format!("{trusted} IS TRUE"));
        block(&format!("IF {own} IS NOT TRUE THEN PERFORM {raised}; END IF;"))
    }

    /// The roles that may write the ledger besides its owner, superusers and the current role, a line each, as
    /// an expression; NULL if none. A group stands for its members.
    pub(super) fn writers(&self) -> String {
        format!(
            "(SELECT pg_catalog.string_agg(w.role, pg_catalog.chr(10)) FROM (SELECT \
             CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC' \
             ELSE pg_catalog.pg_get_userbyid(a.grantee)::pg_catalog.text END AS role \
             FROM (SELECT c.relowner, c.relacl AS acl {FROM_TABLE}{name} UNION ALL \
             SELECT c.relowner, t.attacl FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute t \
             ON t.attrelid OPERATOR(pg_catalog.=) c.oid WHERE c.oid OPERATOR(pg_catalog.=) {name}) g, \
             LATERAL pg_catalog.aclexplode(g.acl) a WHERE a.privilege_type OPERATOR(pg_catalog.=) \
             ANY (ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) \
             AND a.grantee OPERATOR(pg_catalog.<>) g.relowner AND NOT EXISTS (\
             SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) a.grantee \
             AND (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user)) UNION \
             SELECT g.rolname::pg_catalog.text FROM pg_catalog.pg_roles g WHERE \
             g.rolname OPERATOR(pg_catalog.=) 'pg_write_all_data'::pg_catalog.name AND EXISTS (\
             SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r \
             ON r.oid OPERATOR(pg_catalog.=) m.member \
             WHERE m.roleid OPERATOR(pg_catalog.=) g.oid AND NOT r.rolsuper \
             AND r.rolname OPERATOR(pg_catalog.<>) current_user) ORDER BY 1) w)",
            name = name_of(&self.schema, &self.table)
        )
    }
}
