//! `DO` blocks: which of their statements certainly run, and what the others can do.

use super::Catalog;
use super::name::{self, Path};
use super::object::Look;
use super::opaque::{Effects, executes};
use super::query::is_query;
use super::table::altered_table;
use crate::syntax::tree::{At, Kind};

/// What the handlers of a block catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Catches {
    Nothing,
    /// Only that an object is there already.
    Duplicates,
    More,
}

impl Catches {
    fn of(block: At<'_>) -> Catches {
        let Some(section) = block.child(Kind::PLPGSQL_EXCEPTION_SECTION) else {
            return Catches::Nothing;
        };
        let mut conditions = section.every(Kind::PLPGSQL_CONDITION).map(At::text);
        if conditions.all(|name| name.to_ascii_lowercase().starts_with("duplicate_")) {
            Catches::Duplicates
        } else {
            Catches::More
        }
    }
}

impl Catalog {
    /// A `DO` block. The statements at its beginning run for certain, up to the first that can leave it.
    pub(super) fn block(&mut self, root: At<'_>) {
        let Some(block) = root.find(Kind::PLPGSQL_BLOCK) else {
            return self.part_of_block(root, root);
        };
        let catches = Catches::of(block);
        let mut runs = catches != Catches::More;
        for part in block.children() {
            if part.kind() != Kind::PLPGSQL_BODY {
                self.part_of_block(part, root);
                continue;
            }
            for statement in part.children() {
                let plain = statement.children().next().filter(|_| runs && is_plain(statement));
                match (plain, catches) {
                    (Some(plain), Catches::Nothing) => self.apply(plain),
                    (Some(plain), _) => {
                        self.apply_once(plain);
                        runs = false;
                    }
                    (None, _) => {
                        runs &= matches!(
                            statement.kind(),
                            Kind::PLPGSQL_ASSIGN_STMT | Kind::PLPGSQL_NULL_STMT
                        );
                        self.part_of_block(statement, root);
                    }
                }
            }
        }
    }

    /// A statement that runs, and of which the effect is undone if its object is there already.
    fn apply_once(&mut self, at: At<'_>) {
        let counts = self.looks_at_names_first(at);
        let before = std::mem::replace(&mut self.perhaps, true);
        let names = std::mem::replace(&mut self.names_count, counts);
        self.apply(at);
        (self.perhaps, self.names_count) = (before, names);
    }

    /// Whether the server looks up what a statement names before it finds its object to be there.
    fn looks_at_names_first(&self, at: At<'_>) -> bool {
        match at.kind() {
            Kind::CREATE_INDEX | Kind::CREATE_TRIGGER | Kind::CREATE_POLICY | Kind::CREATE_VIEW => {
                true
            }
            Kind::ALTER_TABLE => self.adds_new_constraints(at),
            _ => false,
        }
    }

    /// Whether a statement does nothing but add constraints that are certainly not there.
    fn adds_new_constraints(&self, at: At<'_>) -> bool {
        let Some(path) = altered_table(at).and_then(Path::of) else { return false };
        let key = match self.look_relation(&path) {
            Look::Found(key) => key,
            look => return look.is_missing(),
        };
        let Some(table) = self.relation(&key) else { return false };
        let mut actions =
            at.children().filter(|child| child.kind() != Kind::TABLE_RELATION_NAME).peekable();
        actions.peek().is_some()
            && actions.all(|action| {
                let name = action.find(Kind::CONSTRAINT_NAME).and_then(name::name);
                let is_new = |name: String| table.constraints.look(&name, &self.blurs).is_missing();
                action.kind() == Kind::ADD_CONSTRAINT && name.is_some_and(is_new)
            })
    }

    /// A part that may run: its statements, and what it executes, which can do what its text says.
    fn part_of_block(&mut self, part: At<'_>, root: At<'_>) {
        let before = std::mem::replace(&mut self.perhaps, true);
        let runs = std::mem::replace(&mut self.runs, true);
        let mut walk = part.all();
        while let Some(node) = walk.next() {
            match node.kind() {
                Kind::PLPGSQL_EXEC_SQL_STMT | Kind::PLPGSQL_CALL_STMT | Kind::PLPGSQL_DO_STMT => {
                    for child in node.children() {
                        self.apply(child);
                    }
                    walk.leave(node);
                }
                kind if executes(kind) => {
                    let effects = Effects::of_executed(node, root);
                    self.run(&effects);
                }
                Kind::CALL_EXPR => {
                    let callee = node.children().next().filter(|_| node.has(Kind::ARG_LIST));
                    if let Some(path) = callee.and_then(Path::of) {
                        self.called(&path);
                    }
                }
                _ => {}
            }
        }
        (self.perhaps, self.runs) = (before, runs);
    }

    /// Whether what a statement names may not matter, because the statement may not run.
    pub(super) fn may_not_run(&self) -> bool {
        self.is_skipped || self.perhaps && !self.names_count
    }
}

/// Whether a statement of a block is one in which no name can be a variable.
fn is_plain(statement: At<'_>) -> bool {
    let plain = |kind: Kind| {
        !is_query(kind)
            && !matches!(
                kind,
                Kind::CREATE_TABLE_AS
                    | Kind::CREATE_MATERIALIZED_VIEW
                    | Kind::EXPLAIN
                    | Kind::CALL
                    | Kind::COPY
            )
    };
    statement.kind() == Kind::PLPGSQL_EXEC_SQL_STMT
        && statement.children().all(|child| plain(child.kind()))
}
