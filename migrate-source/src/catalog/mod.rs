//! What a set makes, statement by statement, and the names in it that nothing made.
//!
//! A name is missing only if everything that can have made it was seen. Otherwise it is unknown, and
//! unknown is never a mistake.

mod name;
mod named;
mod object;
mod builtin;
mod scope;
mod near;
mod finding;
mod schema;
mod relation;
mod rename;
mod table;
mod column;
mod constraint;
mod key;
mod index;
mod sequence;
mod view;
mod types;
mod function;
mod trigger;
mod policy;
mod query;
mod dml;
mod expression;
mod body;
mod opaque;
mod block;
mod extension;
mod comment;
mod meant;
mod depend;
mod cascade;
mod pass;
mod begins;
mod first;
mod definition;
mod written;
mod define;
mod define_column;
mod describe;
mod why;
mod same;
mod part;
mod knowledge;
mod undo;
mod lints;
#[cfg(any(feature = "command-line", test))]
mod whole;
#[cfg(test)]
mod tests;

use rustc_hash::{FxHashMap, FxHashSet};

use std::ops::Range;

pub(crate) use first::follow;
pub(crate) use pass::{File, Statement};
#[cfg(any(feature = "command-line", test))]
pub(crate) use whole::{check, resolved, schema};

use crate::lint::Finding;
use crate::objects::{Begins, ObjectProblem, Undoing};
use crate::schema::SetSchema;
use definition::Definitions;
use finding::Missing;
use object::{Blurs, Gone, How, Made, Place, Sort, Space, Way};
use relation::Key;
use schema::Schema;
use scope::SearchPath;

/// What to look for in a set, whose files are the up scripts in their order, then down scripts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// How many of its files are up scripts.
    pub(crate) ups: usize,
    pub(crate) begins: Begins,
    /// Whether the lints run.
    pub(crate) lints: bool,
    /// Whether the schema is described.
    pub(crate) describes: bool,
}

/// What is found in a set; each finding has the number of its file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Names that nothing made, or that are made twice.
    pub(crate) names: Vec<(usize, ObjectProblem)>,
    /// What the lints find.
    pub(crate) lints: Vec<(usize, Finding)>,
    /// What is known of each down script.
    pub(crate) downs: Vec<(usize, Undoing)>,
    /// The schema that the up scripts make, if it is asked for.
    pub(crate) schema: SetSchema,
}

/// What a pass notes besides what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noting {
    Nothing,
    /// Where each name was made.
    Births,
    /// What each object is.
    Definitions,
}

/// What the statements up to one made.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a property of the statement or of the set"
)]
pub(super) struct Catalog {
    schemas: Space<Schema>,
    path: SearchPath,
    /// The path with which a file begins.
    default_path: SearchPath,
    blurs: Blurs,
    /// The number of the statement.
    stamp: u32,
    /// The number of its file.
    file: usize,
    /// Its number in its file.
    statement: usize,
    /// Whether the statement may not run.
    perhaps: bool,
    /// Whether it fails, even so, if what it names is missing.
    names_count: bool,
    /// Whether the server skips it if its object is there, which can be.
    is_skipped: bool,
    /// Whether the functions that it calls run.
    runs: bool,
    /// Whether it is in a body that the server checks when it runs.
    late: bool,
    /// Whether the set begins on objects that it does not know.
    on_existing: bool,
    /// Whether a file of the set creates an extension.
    creates_extensions: bool,
    /// Whether it mattered that none does.
    has_presumed: bool,
    /// What triggers call the rows of a statement, which their functions can name.
    transitions: Vec<String>,
    extensions: Space<Made>,
    /// Whether a table is one of a type or of a foreign server, which takes it along.
    has_dependent_tables: bool,
    /// Whether the server checks the bodies of functions in SQL when it makes them.
    checks_bodies: bool,
    /// The statements whose bodies are checked at the end, by their functions.
    bodies: FxHashMap<(String, String, String), body::Late>,
    /// What depends on what.
    dependences: FxHashMap<depend::On, Vec<depend::Dependence>>,
    /// The tables that have indexes as another has: a partition, or one that is `LIKE` another.
    derived: FxHashSet<String>,
    /// The names of range types and of their multiranges, which are also those of functions.
    ranges: FxHashSet<String>,
    /// The names of relations that were made where another of that name can be.
    either: FxHashSet<String>,
    /// What the part of a statement names that is being read, if that matters.
    reads: Option<depend::Reads>,
    /// What names what.
    naming: cascade::Naming,
    noting: Noting,
    /// Whether it is a trial of a down script.
    is_trial: bool,
    /// Whether a statement did what is not followed at all.
    misses_some: bool,
    /// Where each name was made.
    births: FxHashMap<(Sort, String), Vec<Place>>,
    missing: Vec<Missing>,
    /// How many names were compared with missing ones.
    compared: usize,
    /// How many tables and domains were searched for the name of a constraint.
    searched: usize,
    /// What objects are besides their names, if the schema is asked for.
    definitions: Option<Definitions>,
}

impl Catalog {
    /// The catalog before the first migration.
    fn new(begins: Begins, noting: Noting, creates_extensions: bool) -> Self {
        let mut public =
            Schema::new(Made { sort: Sort::Schema, place: None, stamp: 0, sure: true });
        if begins == Begins::Existing {
            public.open();
        }
        let mut schemas = Space::new(Sort::Schema, 0);
        schemas.open = begins != Begins::Nothing;
        schemas.put("public".to_owned(), public);
        let mut extensions = Space::new(Sort::Extension, 0);
        extensions.open = true;
        Catalog {
            schemas,
            path: SearchPath::default(),
            default_path: SearchPath::default(),
            blurs: Blurs::default(),
            stamp: 0,
            file: 0,
            statement: 0,
            perhaps: false,
            names_count: false,
            is_skipped: false,
            runs: false,
            late: false,
            on_existing: begins == Begins::Existing,
            creates_extensions,
            has_presumed: false,
            transitions: Vec::new(),
            extensions,
            has_dependent_tables: false,
            checks_bodies: true,
            bodies: FxHashMap::default(),
            dependences: FxHashMap::default(),
            derived: FxHashSet::default(),
            ranges: FxHashSet::default(),
            either: FxHashSet::default(),
            reads: None,
            naming: cascade::Naming::default(),
            noting,
            is_trial: false,
            misses_some: false,
            births: FxHashMap::default(),
            missing: Vec::new(),
            compared: 0,
            searched: 0,
            definitions: (noting == Noting::Definitions).then(Definitions::default),
        }
    }

    /// The place of these bytes.
    fn place(&self, span: &Range<usize>) -> Place {
        Place { file: self.file, at: span.start }
    }

    /// What becomes of an object in this statement, at these bytes.
    fn gone_as(&self, how: How, span: &Range<usize>) -> Gone {
        Gone { how, place: self.place(span), stamp: self.stamp }
    }

    /// A new object, whose name has these bytes.
    fn made(&self, sort: Sort, span: &Range<usize>) -> Made {
        let place = Some(self.place(span));
        Made { sort, place, stamp: self.stamp, sure: !self.perhaps }
    }

    /// Notes that a name is made here, for messages about uses before.
    fn born(&mut self, sort: Sort, name: &str, span: &Range<usize>) {
        if self.noting == Noting::Births {
            let place = self.place(span);
            self.births.entry((sort, name.to_owned())).or_default().push(place);
        }
    }

    /// Notes that a column is made here.
    fn born_column(&mut self, key: &Key, name: &str, span: &Range<usize>) {
        if self.noting == Noting::Births {
            self.born(Sort::Column, &format!("{}.{name}", key.name), span);
        }
    }

    /// Objects of this kind can have been made, changed and dropped.
    fn blur(&mut self, sort: Sort) {
        self.blurs.set(Way::Touches, sort, self.stamp);
    }

    /// Objects of this kind can have been dropped.
    fn blur_drops(&mut self, sort: Sort) {
        self.blurs.set(Way::Drops, sort, self.stamp);
    }

    /// So can all.
    fn blur_all(&mut self) {
        for sort in Sort::ALL {
            self.blur(sort);
        }
    }
}
