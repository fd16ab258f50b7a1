//! Bodies of functions: they may name what comes later, so they are checked at the end of the set.

use super::Catalog;
use super::name;
use super::query::{Columns, Scope, is_query};
use super::scope::SearchPath;
use crate::syntax::tree::{At, Kind, any_of};
use crate::syntax::{Body, Language};

/// A statement whose body is checked at the end.
#[derive(Debug, Clone)]
pub(super) struct Late {
    pub(super) file: usize,
    pub(super) statement: usize,
    pub(super) path: SearchPath,
}

/// Variables that PL/pgSQL has in every function, or in those of triggers.
const VARIABLES: &[&str] = &[
    "found", "new", "old", "sqlstate", "sqlerrm", "tg_name", "tg_when", "tg_level", "tg_op",
    "tg_relid", "tg_relname", "tg_table_name", "tg_table_schema", "tg_nargs", "tg_argv",
    "tg_event", "tg_tag", "row_count",
];

impl Catalog {
    /// Notes a body under its function; that of an earlier definition no longer counts.
    pub(super) fn keep_body(
        &mut self,
        (schema, name, signature): (&str, &str, &str),
        path: SearchPath,
    ) {
        let key = (schema.to_owned(), name.to_owned(), signature.to_owned());
        if self.perhaps {
            self.bodies.remove(&key);
            return;
        }
        let late = Late { file: self.file, statement: self.statement, path };
        self.bodies.insert(key, late);
    }

    /// The functions of this name are dropped, perhaps.
    pub(super) fn forget_bodies(&mut self, schema: &str, name: &str) {
        if !self.bodies.is_empty() {
            self.bodies.retain(|(of, known, _), _| of != schema || known != name);
        }
    }

    /// Checks the static SQL of a body; its statement begins at `offset` of the file.
    pub(super) fn body(&mut self, statement: At<'_>, body: &Body, offset: usize) {
        let tree = body.tree.as_ref();
        let root = tree.and_then(|tree| tree.root(&body.text, offset + body.offset));
        let Some(root) = root else { return };
        if makes_tables(root) {
            return;
        }
        let mut names: Vec<String> = VARIABLES.iter().map(|name| (*name).to_owned()).collect();
        for node in statement.all().chain(root.all()) {
            if matches!(
                node.kind(),
                any_of![
                    PARAM_NAME, PLPGSQL_VAR_NAME, PLPGSQL_ALIAS_DECL, PLPGSQL_CURSOR_ARG,
                    PLPGSQL_FOR_VARIABLE
                ]
            ) {
                names.extend(node.tokens().first().and_then(|_| first_name(node)));
            }
        }
        let returned = statement.child(Kind::RET_TYPE).into_iter().flat_map(At::all);
        let returned = returned.filter(|node| node.kind() == Kind::COLUMN_NAME);
        names.extend(returned.filter_map(name::name));
        let tables = self.transitions.iter().map(|name| (name.clone(), Columns::Open)).collect();
        let scope = Scope { names, tables, is_body: true, ..Scope::default() };
        match body.language {
            Language::Sql => root.children().for_each(|one| self.late(one, &scope)),
            Language::Plpgsql => self.late(root, &scope),
            Language::Other => {}
        }
    }

    /// Checks the queries in a part of a body.
    fn late(&mut self, at: At<'_>, scope: &Scope<'_>) {
        let mut walk = at.all();
        while let Some(node) = walk.next() {
            if is_query(node.kind()) {
                self.query(node, scope);
                walk.leave(node);
            } else if node.kind() == Kind::CALL_EXPR {
                self.expression(node, scope);
                walk.leave(node);
            } else if node.kind() == Kind::CALL {
                self.call_procedure(node, scope);
                walk.leave(node);
            }
        }
    }
}

/// Whether a body makes tables of its own, which its queries can name.
fn makes_tables(root: At<'_>) -> bool {
    root.all().any(|node| {
        matches!(
            node.kind(),
            any_of![CREATE_TABLE, CREATE_TABLE_AS, CREATE_VIEW, PLPGSQL_DYN_EXECUTE_STMT, SET]
        )
    })
}

fn first_name(node: At<'_>) -> Option<String> {
    let token = node.tokens().first()?;
    let text = node.text_of(*token);
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => Some(quoted.to_owned()),
        None => Some(text.to_ascii_lowercase()),
    }
}
