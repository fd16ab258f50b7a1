//! Reads the ledger without an error where there is none: an error would be a line in the server's log for
//! each replica that boots.

use tokio_postgres::SimpleQueryRow;

use super::ledger::Ledger;
use super::literal::{literal, text};
use super::operator::{EQ, NE};
use super::trust::{FROM_TABLE, UTF8, is_trusted, name_of};
use crate::migrator::DEFAULT_SCHEMA;

/// Why the ledger was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// There is no such table.
    Missing,
    /// Neither is there, but another schema has a table of that name that could be it.
    Elsewhere,
    /// It is not a table to read, or the session does not send UTF-8.
    Refused,
}

/// The column of the row that an unread ledger has, and its values.
pub(super) const FOUND: &str = "found";
const MISSING: &str = "missing";
const ELSEWHERE: &str = "elsewhere";
pub(super) const REFUSED: &str = "refused";

/// Whether the current role owns the table `c`, without code attached.
pub(super) const IS_OWN: &str = "pg_catalog.pg_get_userbyid(c.relowner) OPERATOR(pg_catalog.=) current_user \
     AND NOT (c.relhastriggers OR c.relhasrules OR c.relrowsecurity)";

impl Unread {
    /// Why the ledger was not read, if this row says so.
    pub(crate) fn of(row: &SimpleQueryRow) -> Option<Unread> {
        match text(row, FOUND)? {
            MISSING => Some(Unread::Missing),
            ELSEWHERE => Some(Unread::Elsewhere),
            REFUSED => Some(Unread::Refused),
            _ => None,
        }
    }
}

impl Ledger {
    /// A message with the rows of `queries`, or with one row for [`Unread::of`].
    ///
    /// A plain query cannot name a table that may be missing, and a view's functions run when it is planned,
    /// so a block of PL/pgSQL opens a cursor for each query after it has looked at the table. Between the two
    /// only roles that are trusted can replace the table. In a transaction of the caller, the cursors would
    /// otherwise be there for the next message.
    ///
    /// Measured in new sessions, for ten entries: 1.8 ms, of which 0.6 to load PL/pgSQL; a check in plain SQL
    /// that divides by zero and then the query 1.0 ms. Rejected: `query_to_xml`, 1.3 ms, which not every
    /// server is built with.
    pub(super) fn look(&self, queries: &[String]) -> String {
        let cursors: Vec<String> = (0..queries.len()).map(|n| format!("migrate_{n}")).collect();
        let each = |one: &dyn Fn(&String) -> String| {
            cursors.iter().map(one).collect::<Vec<String>>().concat()
        };
        let declared = each(&|cursor| format!("{cursor} pg_catalog.refcursor := '{cursor}'; "));
        let unread =
            |why: &str| each(&|cursor| format!("OPEN {cursor} FOR SELECT {why} AS {FOUND}; "));
        let opened = cursors.iter().zip(queries);
        let opened: Vec<String> =
            opened.map(|(cursor, query)| format!("OPEN {cursor} FOR {query}; ")).collect();
        let opened = opened.concat();
        let found =
            |condition: &str| format!("(SELECT {condition} AND {UTF8} {FROM_TABLE}migrate_table)");
        let block = format!(
            "DECLARE migrate_table pg_catalog.oid := {}; {declared}BEGIN \
             IF migrate_table IS NULL THEN {}ELSIF {} THEN {opened}ELSIF {} THEN {opened}ELSE {}END IF; END",
            name_of(&self.schema, &self.table),
            unread(&self.missing()),
            found(IS_OWN),
            found(&is_trusted()),
            unread(&format!("'{REFUSED}'"))
        );
        let fetched = each(&|cursor| format!("; FETCH ALL FROM {cursor}"));
        let closed = each(&|cursor| format!("; CLOSE {cursor}"));
        format!("DO {}{fetched}{closed}", literal(&block))
    }

    /// How a table that does not exist is reported, as an expression. With the ledger's schema first in the
    /// `search_path`, statements without a schema run there, and no other ledger has them.
    pub(super) fn missing(&self) -> String {
        let condition = if self.schema == DEFAULT_SCHEMA {
            String::new()
        } else {
            format!("pg_catalog.current_schema() {NE} {} AND ", literal(&self.schema))
        };
        let others = self.in_others();
        format!(
            "CASE WHEN {condition}EXISTS (SELECT {others}) THEN '{ELSEWHERE}' ELSE '{MISSING}' END"
        )
    }

    /// The schemas of the ledgers that could be this one, each as `tenant`.
    pub(crate) fn others(&self) -> String {
        format!(
            "SELECT (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid {EQ} c.relnamespace) AS tenant {} \
             AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND {} LIMIT 200",
            self.in_others(),
            is_trusted()
        )
    }

    /// From the tables with this name in the default schema; in all others if this one is in the default schema.
    fn in_others(&self) -> String {
        let is = if self.schema == DEFAULT_SCHEMA { NE } else { EQ };
        // Not `to_regclass`, which raises an error for a role that may not use the schema.
        format!(
            "FROM pg_catalog.pg_class c WHERE c.relname {EQ} {} \
             AND c.relnamespace {is} COALESCE({}, 0::pg_catalog.oid) \
             AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')",
            literal(&self.table),
            schema_oid(DEFAULT_SCHEMA)
        )
    }
}

/// The number of this schema, as an expression; NULL if there is none.
///
/// Not a join: where thousands of schemas were created since the last `ANALYZE`, the server would read all of them for
/// each table with the ledger's name.
pub(super) fn schema_oid(schema: &str) -> String {
    let name = literal(schema);
    format!("(SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname {EQ} {name})")
}
