//! One pass over a set: each statement of each file in order, then the bodies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use migrate_set::set::TransactionMode;
use migrate_set::sort::sort_by_key;

use super::object::Sort;
use super::opaque::Effects;
use super::query::{Scope, is_query};
use super::{Catalog, Noting};
use crate::objects::Begins;
use crate::syntax::tree::{At, Kind};
use crate::syntax::{Body, Judged};

/// A script of the set.
#[derive(Clone)]
pub(crate) struct File<'s> {
    /// Its name in messages.
    pub(crate) name: &'s str,
    pub(crate) text: &'s str,
    pub(crate) statements: Vec<Statement<'s>>,
    /// Whether a function of the service follows, which can do anything.
    pub(crate) ends_with_function: bool,
    /// Whether its names are not to be reported.
    pub(crate) is_allowed: bool,
    /// Whether it runs in a transaction.
    pub(crate) mode: TransactionMode,
    /// The number of its down script among the files.
    pub(crate) down: Option<usize>,
    /// Its line feeds, once they are needed: a set can have as many findings as lines.
    pub(crate) feeds: OnceLock<Vec<usize>>,
}

impl File<'_> {
    /// The number of the line of a byte.
    pub(super) fn line(&self, at: usize) -> u32 {
        let find = || self.text.match_indices('\n').map(|(at, _)| at).collect();
        let line = self.feeds.get_or_init(find).partition_point(|feed| *feed < at) + 1;
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

/// A statement of a script.
#[derive(Clone)]
pub(crate) struct Statement<'s> {
    pub(crate) text: &'s str,
    /// Its first byte in the script.
    pub(crate) offset: usize,
    pub(crate) judged: Judged,
}

impl Statement<'_> {
    pub(super) fn root(&self) -> Option<At<'_>> {
        self.judged.tree.as_ref()?.root(self.text, self.offset)
    }
}

/// The catalog after all files.
pub(super) fn run(files: &[File<'_>], begins: Begins, noting: Noting) -> Catalog {
    let mut catalog = begun(files, begins, noting);
    for (number, file) in files.iter().enumerate() {
        catalog.follow_file(number, file);
    }
    catalog.ended(files)
}

/// The catalog before the first of the files.
pub(super) fn begun(files: &[File<'_>], begins: Begins, noting: Noting) -> Catalog {
    let creates = |statement: &Statement<'_>| {
        let root = statement.root();
        root.is_some_and(|root| root.has(Kind::CREATE_EXTENSION))
    };
    let creates_extensions = files.iter().flat_map(|file| &file.statements).any(creates);
    Catalog::new(begins, noting, creates_extensions)
}

impl Catalog {
    /// Follows the statements of the file of this number.
    pub(super) fn follow_file(&mut self, number: usize, file: &File<'_>) {
        self.begin_file(number);
        for (number, statement) in file.statements.iter().enumerate() {
            self.follow(number, statement);
        }
        self.end_file(file);
    }

    pub(super) fn begin_file(&mut self, number: usize) {
        self.file = number;
        if self.path != self.default_path {
            self.path = self.default_path.clone();
        }
        self.doubt_temporary();
        self.checks_bodies = true;
    }

    /// Follows the statement of this number.
    pub(super) fn follow(&mut self, number: usize, statement: &Statement<'_>) {
        self.stamp += 1;
        self.statement = number;
        let known = catch_unwind(AssertUnwindSafe(|| self.read(statement)));
        if known.is_err() {
            self.blur_all();
        }
    }

    pub(super) fn end_file(&mut self, file: &File<'_>) {
        if file.ends_with_function {
            self.stamp += 1;
            self.blur_all();
        }
    }

    /// The catalog after the last of the files.
    pub(super) fn ended(mut self, files: &[File<'_>]) -> Catalog {
        self.stamp += 1;
        self.late_bodies(files);
        self
    }

    fn read(&mut self, statement: &Statement<'_>) {
        let Some(root) = statement.root() else {
            let effects = Effects::of_text(statement.text);
            return self.run(&effects);
        };
        let body = statement.judged.body.as_ref();
        for child in root.children() {
            self.creates_extensions |= child.kind() == Kind::CREATE_EXTENSION;
            match child.kind() {
                Kind::CREATE_FUNCTION | Kind::CREATE_PROCEDURE => {
                    self.create_function(child, body.map(|body| (body, statement.offset)));
                }
                Kind::DO => self.do_block(child, body, statement.offset),
                _ => self.apply(child),
            }
        }
    }

    /// A `DO` block.
    fn do_block(&mut self, at: At<'_>, body: Option<&Body>, offset: usize) {
        let tree = body.and_then(|body| body.tree.as_ref()?.root(&body.text, offset + body.offset));
        if let Some(root) = tree {
            return self.block(root);
        }
        let effects = body.map_or_else(|| Effects::of_text(at.text()), Effects::of_body);
        self.run(&effects);
    }

    /// The same where each name means the first object that it can.
    pub(super) fn apply_to_first(&mut self, at: At<'_>) {
        match at.kind() {
            Kind::CREATE_TABLE | Kind::CREATE_FOREIGN_TABLE => self.create_table(at),
            Kind::CREATE_TABLE_AS => self.table_as(at),
            Kind::CREATE_INDEX => self.create_index(at),
            Kind::CREATE_SEQUENCE => self.create_sequence(at),
            Kind::CREATE_VIEW | Kind::CREATE_MATERIALIZED_VIEW => {
                let query = at.children().find(|child| is_query(child.kind()));
                self.create_view(at, query);
            }
            Kind::CREATE_TYPE | Kind::CREATE_DOMAIN => self.create_type(at),
            Kind::CREATE_SCHEMA => self.create_schema(at),
            Kind::CREATE_EXTENSION => self.create_extension(at),
            Kind::CREATE_FUNCTION | Kind::CREATE_PROCEDURE | Kind::CREATE_AGGREGATE => {
                self.create_function(at, None);
            }
            Kind::CREATE_TRIGGER => self.create_trigger(at),
            Kind::CREATE_POLICY => self.create_policy(at),
            Kind::CREATE_RULE => self.create_rule(at),
            Kind::ALTER_TABLE | Kind::ALTER_FOREIGN_TABLE => self.alter_table(at),
            Kind::ALTER_INDEX => self.alter_index(at),
            Kind::ALTER_SEQUENCE => self.alter_sequence(at),
            Kind::ALTER_VIEW | Kind::ALTER_MATERIALIZED_VIEW => self.alter_view(at),
            Kind::ALTER_TYPE | Kind::ALTER_DOMAIN => self.alter_type(at),
            Kind::ALTER_SCHEMA => self.alter_schema(at),
            Kind::ALTER_FUNCTION
            | Kind::ALTER_PROCEDURE
            | Kind::ALTER_ROUTINE
            | Kind::ALTER_AGGREGATE => self.alter_function(at),
            Kind::ALTER_TRIGGER => self.alter_trigger(at),
            Kind::ALTER_POLICY => self.alter_policy(at),
            _ => self.drop(at),
        }
    }

    fn drop(&mut self, at: At<'_>) {
        match at.kind() {
            Kind::DROP_TABLE | Kind::DROP_FOREIGN_TABLE => {
                self.drop_relations(at, Sort::Table, Kind::TABLE_NAME_REF);
            }
            Kind::DROP_VIEW | Kind::DROP_MATERIALIZED_VIEW => {
                self.drop_relations(at, Sort::View, Kind::VIEW_REF);
            }
            Kind::DROP_INDEX => self.drop_indexes(at),
            Kind::DROP_SEQUENCE => self.drop_relations(at, Sort::Sequence, Kind::SEQUENCE_REF),
            Kind::DROP_TYPE => self.drop_types(at, Kind::TYPE_NAME_REF),
            Kind::DROP_DOMAIN => self.drop_types(at, Kind::DOMAIN_REF),
            Kind::DROP_SCHEMA => self.drop_schema(at),
            Kind::DROP_FUNCTION
            | Kind::DROP_PROCEDURE
            | Kind::DROP_ROUTINE
            | Kind::DROP_AGGREGATE => self.drop_functions(at),
            Kind::DROP_TRIGGER => self.drop_hanging(Sort::Trigger, at),
            Kind::DROP_POLICY => self.drop_hanging(Sort::Policy, at),
            Kind::DROP_EXTENSION => self.drop_extension(at),
            Kind::ALTER_EXTENSION => self.change_extension(),
            Kind::DROP_OWNED | Kind::IMPORT_FOREIGN_SCHEMA => self.blur_all(),
            _ => {
                // Of a collation, an operator class or a foreign server, and the like.
                let is_drop = at.tokens().first().is_some_and(|one| one.kind == Kind::DROP_KW);
                if is_drop && at.has(Kind::CASCADE) {
                    self.cascade_to_columns();
                }
                self.other(at);
            }
        }
    }

    /// Statements that leave the catalog as it is, unless a function that they call changes it.
    fn other(&mut self, at: At<'_>) {
        match at.kind() {
            Kind::SET => {
                self.set(at);
                self.outlast(at);
            }
            Kind::ALTER_DATABASE | Kind::ALTER_ROLE | Kind::ALTER_USER => self.set_default(at),
            Kind::ROLLBACK_TRANSACTION | Kind::ROLLBACK_TO_SAVEPOINT => self.blur_all(),
            Kind::RESET | Kind::DISCARD => self.reset(at),
            Kind::DO => {
                let effects = Effects::of_text(at.text());
                self.run(&effects);
            }
            Kind::SELECT_INTO if !self.perhaps => self.select_into(at),
            Kind::COPY => self.copy(at),
            Kind::COMMENT_ON | Kind::SECURITY_LABEL => self.comment(at),
            Kind::DROP_RULE | Kind::ALTER_DEFAULT_PRIVILEGES | Kind::ALTER_RULE => {
                self.misses_some = true;
            }
            kind if is_query(kind) => {
                let before = std::mem::replace(&mut self.runs, true);
                self.query(at, &Scope::default());
                self.runs = before;
            }
            Kind::CALL => {
                let before = std::mem::replace(&mut self.runs, true);
                self.call_procedure(at, &Scope::open());
                self.runs = before;
            }
            Kind::GRANT | Kind::REVOKE => {
                self.references(at);
                self.doubt_grants(at);
            }
            Kind::TRUNCATE
            | Kind::LOCK
            | Kind::REFRESH
            | Kind::REINDEX
            | Kind::ANALYZE
            | Kind::VACUUM
            | Kind::EXPLAIN => self.references(at),
            Kind::CLUSTER => self.cluster(at),
            Kind::CREATE_STATISTICS
            | Kind::CREATE_PUBLICATION
            | Kind::ALTER_PUBLICATION
            | Kind::CREATE_CAST
            | Kind::DROP_CAST
            | Kind::CREATE_EVENT_TRIGGER => {
                self.misses_some = true;
                self.references(at);
            }
            Kind::BEGIN
            | Kind::COMMIT_TRANSACTION
            | Kind::SAVEPOINT_CREATE
            | Kind::RELEASE_SAVEPOINT
            | Kind::SET_CONSTRAINTS
            | Kind::SET_TRANSACTION
            | Kind::SHOW
            | Kind::NOTIFY
            | Kind::CHECKPOINT => {}
            _ => self.misses_some = true,
        }
    }

    fn table_as(&mut self, at: At<'_>) {
        let query = at.children().find(|child| is_query(child.kind()));
        let scope = Scope::default();
        let columns = query.map(|query| self.query(query, &scope)).unwrap_or_default();
        if let Some(name) = at.child(Kind::TABLE_NAME) {
            self.create_table_as(at, name, columns);
        }
    }

    fn select_into(&mut self, at: At<'_>) {
        let columns = self.query(at, &Scope::default());
        let into = at.child(Kind::INTO_CLAUSE);
        if let Some((into, name)) =
            into.and_then(|into| Some((into, into.child(Kind::TABLE_NAME)?)))
        {
            self.create_table_as(into, name, columns);
        }
    }

    fn copy(&mut self, at: At<'_>) {
        let Some(table) = at.child(Kind::COPY_TABLE) else { return self.references(at) };
        let path = table.child(Kind::TABLE_NAME_REF).and_then(super::name::Path::of);
        let key = path.and_then(|path| self.refer(Sort::Table, &path, false));
        if let (Some(key), Some(list)) = (key, table.child(Kind::COLUMN_REF_LIST)) {
            self.refer_columns(&key, list);
        }
    }

    /// Checks the bodies of the functions that are there at the end, by the end's names.
    pub(super) fn late_bodies(&mut self, files: &[File<'_>]) {
        let mut bodies: Vec<super::body::Late> =
            self.bodies.drain().map(|(_, late)| late).collect();
        sort_by_key(&mut bodies, |late| (late.file, late.statement));
        self.late = true;
        for late in bodies {
            let Some(file) = files.get(late.file) else { continue };
            let Some(statement) = file.statements.get(late.statement) else { continue };
            let Some(body) = &statement.judged.body else { continue };
            let Some(root) = statement.root() else { continue };
            self.file = late.file;
            self.path = late.path;
            self.path.also(self.schemas.objects.keys());
            for function in root.children() {
                self.body(function, body, statement.offset);
            }
        }
    }
}
