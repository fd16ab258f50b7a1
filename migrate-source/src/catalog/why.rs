//! Why parts of a schema are not known: the statement that can have done what is not seen.

use migrate_set::sort::{distinct, sort_by};

use super::Catalog;
use super::object::{Sort, Way};
use super::pass::{File, Statement};
use super::query::is_query;
use crate::syntax::tree::Kind;

/// The steps of a set by their numbers.
pub(super) struct Whys<'f> {
    files: &'f [File<'f>],
    /// The file and the statement of each; `None` for a function of the service.
    steps: Vec<(usize, Option<usize>)>,
}

impl<'f> Whys<'f> {
    pub(super) fn of(files: &'f [File<'f>]) -> Self {
        let mut steps = Vec::new();
        for (number, file) in files.iter().enumerate() {
            steps.extend((0..file.statements.len()).map(|statement| (number, Some(statement))));
            if file.ends_with_function {
                steps.push((number, None));
            }
        }
        Whys { files, steps }
    }

    /// The statement of a number, and what it does.
    pub(super) fn of_stamp(&self, stamp: u32) -> String {
        let index = (stamp as usize).checked_sub(1);
        let Some(&(number, statement)) = index.and_then(|index| self.steps.get(index)) else {
            return "the first migration".to_owned();
        };
        let Some(file) = self.files.get(number) else { return String::new() };
        match statement.and_then(|statement| file.statements.get(statement)) {
            Some(statement) => {
                let line = file.line(statement.offset);
                format!("{}:{line}, which {}", file.name, does(statement))
            }
            None => format!("{}, which calls a function of the service", file.name),
        }
    }

    /// What is not known at the end, and since when.
    pub(super) fn all(&self, catalog: &Catalog) -> Vec<String> {
        let mut lines = Vec::new();
        if catalog.on_existing {
            lines.push("what is there before the first migration".to_owned());
        }
        let steps = Sort::ALL.into_iter().flat_map(|sort| ways(catalog, sort));
        for (stamp, way) in distinct(steps) {
            let touched = |sort: &Sort| ways(catalog, *sort).any(|one| one == (stamp, way));
            let what = words(&Sort::ALL.into_iter().filter(touched).collect::<Vec<_>>());
            let why = self.of_stamp(stamp);
            lines.push(match way {
                Way::Touches => format!("{what} that are made, changed or gone after {why}"),
                Way::Drops => format!("{what} that are gone after {why}"),
                Way::Makes => format!("{what} that are made after {why}"),
            });
        }
        let mut either: Vec<&str> = catalog.either.iter().map(String::as_str).collect();
        sort_by(&mut either, Ord::cmp);
        if !either.is_empty() {
            lines.push(format!("which objects have the names {}", either.join(", ")));
        }
        let is_there = |name: &&String| {
            let mut schemas = catalog.schemas.objects.values();
            schemas.any(|schema| schema.relations.objects.contains_key(name))
        };
        let mut derived: Vec<&str> =
            catalog.derived.iter().filter(is_there).map(String::as_str).collect();
        sort_by(&mut derived, Ord::cmp);
        if !derived.is_empty() {
            lines.push(format!("indexes of {} whose names the server makes", derived.join(", ")));
        }
        lines
    }
}

/// The last steps that can have touched objects of a kind, and those after them that can only have dropped or made some.
fn ways(catalog: &Catalog, sort: Sort) -> impl Iterator<Item = (u32, Way)> {
    let any = catalog.blurs.of(sort);
    let later =
        [(catalog.blurs.of_drops(sort), Way::Drops), (catalog.blurs.of_makes(sort), Way::Makes)];
    let later = later.into_iter().filter(move |(stamp, _)| *stamp > any);
    std::iter::once((any, Way::Touches)).filter(|(stamp, _)| *stamp > 0).chain(later)
}

/// The kinds in words.
fn words(sorts: &[Sort]) -> String {
    if sorts.len() + 1 >= Sort::ALL.len() {
        return "objects".to_owned();
    }
    let named = sorts.iter().filter_map(|sort| match sort {
        Sort::Alias => None,
        Sort::ForeignKey => (!sorts.contains(&Sort::Constraint)).then(|| "foreign keys".to_owned()),
        Sort::Label => Some("values of enums".to_owned()),
        Sort::Index => Some("indexes".to_owned()),
        Sort::Policy => Some("policies".to_owned()),
        sort => Some(format!("{}s", sort.word())),
    });
    let named: Vec<String> = named.collect();
    match named.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => named.concat(),
    }
}

/// What a statement does that is not seen.
fn does(statement: &Statement<'_>) -> &'static str {
    let Some(root) = statement.root() else { return "is not read" };
    let Some(first) = root.children().next() else { return "is not read" };
    match first.kind() {
        Kind::DO => "runs dynamic SQL",
        Kind::CREATE_EXTENSION => "creates an extension whose objects are not known",
        Kind::DROP_EXTENSION | Kind::ALTER_EXTENSION => "changes an extension",
        Kind::ROLLBACK_TRANSACTION | Kind::ROLLBACK_TO_SAVEPOINT => "undoes statements",
        Kind::DROP_OWNED => "drops what a role owns",
        Kind::IMPORT_FOREIGN_SCHEMA => "imports a schema",
        _ if statement.text.contains('{') => "has a placeholder in a name",
        _ if first.find(Kind::CASCADE).is_some() => "drops with CASCADE",
        _ if first.find(Kind::IF_NOT_EXISTS).is_some() => "leaves what is there (IF NOT EXISTS)",
        kind if is_query(kind) => "calls a function that can do this",
        Kind::CALL | Kind::CREATE_TRIGGER => "calls a function that can do this",
        Kind::CREATE_TABLE_AS => "makes columns from a query",
        _ => "does more than its text shows",
    }
}
