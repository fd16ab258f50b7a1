//! The findings: what is missing or doubled, where it was made, dropped or renamed, and what was meant.

use std::ops::Range;

use super::Catalog;
use super::name::Path;
use super::near::{Near, Nearest};
use super::object::{Gone, How, Made, Object, Place, Sort, sorts};
use super::pass::File;
use super::query::{Columns, Scope, Source};
use super::relation::{Key, Relation};
use crate::lint::partition::INDEX_OF_PARTITIONED;
use crate::objects::ObjectProblem;
use crate::syntax::for_type_of_another_database;

/// A finding before the end of the pass, when it is known what comes later.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    pub(super) sort: Sort,
    pub(super) name: String,
    /// Its name among those that are made.
    born: String,
    pub(super) place: Place,
    /// Whether nothing is known of the name, and no name is near.
    pub(super) stranger: bool,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    /// Whether it is in a body, which the server checks when it runs.
    pub(super) late: bool,
    /// What became of it, or where it was made first.
    pub(super) past: Past,
    near: Option<Near>,
}

/// The name of an object among those that are made: a column's is that of its table, too.
pub(super) fn born(sort: Sort, path: &Path, of: Option<&Key>) -> String {
    match of {
        Some(of) if sort == Sort::Column => format!("{}.{}", of.name, path.name),
        _ => path.name.clone(),
    }
}

#[derive(Debug, Clone)]
pub(super) enum Past {
    Never,
    Gone(Gone),
    Made(Option<Place>),
    /// Something depends on it.
    Needed(Place),
    /// It is a partitioned table, or an index of one.
    Partitioned(Place),
}

impl Catalog {
    /// A use of something that is not there; `of` is the table of a column and the like.
    pub(super) fn missing(&mut self, sort: Sort, path: &Path, of: Option<&Key>) {
        let schema = path.qualifier.as_ref().filter(|_| of.is_none());
        if schema.is_some_and(|schema| self.look_schema(schema).is_missing()) {
            return self.refer_qualifier(path, false);
        }
        let near = self.near(sort, path, of);
        self.missing_but(sort, path, of, near);
    }

    /// The same, where `near` is what can be meant.
    pub(super) fn missing_but(
        &mut self,
        sort: Sort,
        path: &Path,
        of: Option<&Key>,
        near: Option<Near>,
    ) {
        if self.may_not_run() {
            return;
        }
        let gone = self.gone(sort, path, of).cloned();
        let word = sort.word();
        let shown = shown(path);
        let message = match (sort, of) {
            (Sort::Alias, _) => format!("{word} `{shown}` is not in the FROM clause"),
            (Sort::Label, Some(of)) => format!("type `{}` has no value '{shown}'", of.name),
            (_, Some(of)) => format!("{word} `{shown}` of table `{}` does not exist", of.name),
            (_, None) => format!("{word} `{shown}` does not exist"),
        };
        self.missing.push(Missing {
            sort,
            name: path.name.clone(),
            born: born(sort, path, of),
            place: self.place(&path.span),
            stranger: near.is_none() && gone.is_none() && of.is_none(),
            span: path.span.clone(),
            message,
            late: self.late,
            past: gone.map_or(Past::Never, Past::Gone),
            near,
        });
    }

    /// Something is made that is there.
    pub(super) fn doubled(&mut self, sort: Sort, path: &Path) {
        let message = format!("{} `{}` already exists", sort.word(), shown(path));
        let place = match sort {
            Sort::Schema => self.schemas.objects.get(&path.name).and_then(|one| one.made().place),
            Sort::Extension => self.extensions.objects.get(&path.name).and_then(|one| one.place),
            _ => self.place_of(sort, path),
        };
        self.double(sort, path, message, place);
    }

    /// Something of a table is made that is there.
    pub(super) fn doubled_in(&mut self, sort: Sort, path: &Path, of: &Key) {
        let word = sort.word();
        let message = format!("{word} `{}` of table `{}` already exists", path.name, of.name);
        let table = self.relation(of);
        let place = table.and_then(|one| one.part(sort).made_of(&path.name));
        // `CREATE TABLE IF NOT EXISTS` makes nothing of a table that was there.
        let can_be_other = |made: &Made| {
            table.is_some_and(|table| table.columns.open && table.made.stamp == made.stamp)
        };
        if place.as_ref().is_some_and(can_be_other) {
            return;
        }
        self.double(sort, path, message, place.and_then(|made| made.place));
    }

    /// A label is added that the type has.
    pub(super) fn doubled_label(&mut self, path: &Path, of: &(String, String)) {
        let message = format!("type `{}` already has the value '{}'", of.1, path.name);
        let found = self.schemas.objects.get(&of.0).and_then(|s| s.types.objects.get(&of.1));
        let place = found.and_then(|found| found.place_of(&path.name));
        self.double(Sort::Label, path, message, place);
    }

    fn double(&mut self, sort: Sort, path: &Path, message: String, made: Option<Place>) {
        self.refuse(sort, path, message, Past::Made(made));
    }

    /// Something is dropped on which what was made at `place` depends.
    pub(super) fn needed(&mut self, sort: Sort, path: &Path, by: &str, place: Place) {
        let (word, shown) = (sort.word(), shown(path));
        let message = format!("{word} `{shown}` cannot be dropped: {by} depends on it");
        self.refuse(sort, path, message, Past::Needed(place));
    }

    /// A partitioned table gets an index CONCURRENTLY, or loses one so.
    pub(super) fn partitioned_table(&mut self, sort: Sort, path: &Path, place: Place) {
        let (word, shown) = (sort.word(), shown(path));
        let message = match sort {
            Sort::Index => format!(
                "{word} `{shown}` cannot be dropped CONCURRENTLY, because its table is partitioned"
            ),
            _ => {
                format!("an index of the partitioned {word} `{shown}` cannot be built CONCURRENTLY")
            }
        };
        self.refuse(sort, path, message, Past::Partitioned(place));
    }

    /// Something is there, and that is the mistake.
    fn refuse(&mut self, sort: Sort, path: &Path, message: String, past: Past) {
        if self.perhaps {
            return;
        }
        self.missing.push(Missing {
            sort,
            name: path.name.clone(),
            born: String::new(),
            place: self.place(&path.span),
            stranger: false,
            span: path.span.clone(),
            message,
            late: self.late,
            past,
            near: None,
        });
    }

    fn place_of(&self, sort: Sort, path: &Path) -> Option<Place> {
        let schema = self.target(path)?;
        let schema = self.schemas.objects.get(&schema)?;
        schema.space(sort).made_of(&path.name)?.place
    }

    fn gone(&self, sort: Sort, path: &Path, of: Option<&Key>) -> Option<&Gone> {
        let names = match (of, sort) {
            (Some(of), Sort::Column | Sort::Constraint | Sort::Trigger | Sort::Policy) => {
                self.relation(of)?.part(sort)
            }
            (None, Sort::Schema) => &self.schemas,
            (
                None,
                Sort::Table
                | Sort::View
                | Sort::Index
                | Sort::Sequence
                | Sort::Type
                | Sort::Function,
            ) => self.schemas.objects.get(&self.target(path)?)?.space(sort),
            _ => return None,
        };
        names.gone_of(&path.name)
    }

    /// The name that is nearest to one that is missing, with where it was made.
    fn near(&mut self, sort: Sort, path: &Path, of: Option<&Key>) -> Option<Near> {
        let mut nearest = Nearest::to(&path.name, self.compared)?;
        if let Some(relation) = of.and_then(|of| self.relation(of)) {
            match sort {
                Sort::Column => nearest.offer_all(&relation.columns.objects),
                Sort::Trigger => nearest.offer_all(&relation.triggers.objects),
                Sort::Policy => nearest.offer_all(&relation.policies.objects),
                _ => nearest.offer_all(&relation.constraints.objects),
            }
        } else if sort == Sort::Schema {
            nearest.offer_all(&self.schemas.objects);
        } else if let Some(schema) = self.target(path).and_then(|s| self.schemas.objects.get(&s)) {
            match sort {
                Sort::Type => nearest.offer_all(&schema.types.objects),
                Sort::Function => nearest.offer_all(&schema.routines.objects),
                _ => {
                    let is_apart = |sort| matches!(sort, Sort::Index | Sort::Sequence);
                    let alike =
                        |one: Sort| if is_apart(sort) { one == sort } else { !is_apart(one) };
                    let relations = schema.relations.objects.iter();
                    let known = |one: &Relation| one.made.place.is_some() && alike(one.made.sort);
                    for (name, relation) in relations.filter(|(_, one)| known(one)) {
                        nearest.offer(name, relation.made.place);
                    }
                }
            }
        }
        nearest.found(&mut self.compared)
    }

    /// The column of the tables in scope, or their aliases, that is nearest to a name.
    pub(super) fn near_in(&mut self, sort: Sort, name: &str, scope: &Scope<'_>) -> Option<Near> {
        let mut nearest = Nearest::to(name, self.compared)?;
        for item in scope.chain().flat_map(|scope| &scope.items) {
            match (&item.source, &item.alias) {
                (_, Some(alias)) if sort == Sort::Alias => nearest.offer(alias, None),
                (Source::Relation(key), _) if sort == Sort::Column => {
                    if let Some(relation) = self.relation(key) {
                        nearest.offer_all(&relation.columns.objects);
                    }
                }
                (Source::Columns(Columns::Known(columns)), _) if sort == Sort::Column => {
                    for column in columns {
                        nearest.offer(column, None);
                    }
                }
                _ => {}
            }
        }
        nearest.found(&mut self.compared)
    }

    /// Whether any file makes an object of this name.
    pub(super) fn is_born(&self, name: &str) -> bool {
        let sorts =
            [Sort::Table, Sort::View, Sort::Sequence, Sort::Index, Sort::Type, Sort::Function];
        sorts.into_iter().any(|sort| self.births.contains_key(&(sort, name.to_owned())))
    }

    /// The findings, each with the number of its file.
    pub(super) fn findings(mut self, files: &[File<'_>]) -> Vec<(usize, ObjectProblem)> {
        let missing = std::mem::take(&mut self.missing);
        let reported = missing.into_iter().filter(|one| {
            let allowed = files.get(one.place.file).is_none_or(|file| file.is_allowed);
            !(allowed || one.late && self.was_there(one))
        });
        let reported = reported.map(|one| (one.place.file, self.finding(files, one)));
        reported.collect()
    }

    /// Whether a file makes what is missing at the end: a function that is no longer called can name it.
    fn was_there(&self, one: &Missing) -> bool {
        let born = self.births.contains_key(&(one.sort, one.born.clone()));
        born || matches!(one.past, Past::Gone(_)) || self.is_born(&one.name)
    }

    fn finding(&self, files: &[File<'_>], one: Missing) -> ObjectProblem {
        let later = self.later(&one);
        let parts = sorts![Column, Constraint, ForeignKey, Trigger, Policy, Label, Alias];
        let can_be_before =
            matches!((&one.past, later), (Past::Never, None)) && !parts.contains(&one.sort);
        let (label, help) = explained(files, &one, later);
        let (span, message, is_late) = (one.span, one.message, one.late);
        ObjectProblem { span, message, label, help, can_be_before, is_late }
    }

    /// Where a name is made after its use.
    fn later(&self, one: &Missing) -> Option<Place> {
        if one.late {
            return None;
        }
        let sorts = match one.sort {
            Sort::Table | Sort::View => &[Sort::Table, Sort::View][..],
            _ => &[one.sort],
        };
        let born = sorts.iter().filter_map(|sort| self.births.get(&(*sort, one.born.clone())));
        born.flatten().filter(|place| **place > one.place).min().copied()
    }
}

/// The label and the help of a name that can be made at a place `later`.
fn explained(files: &[File<'_>], one: &Missing, later: Option<Place>) -> (String, String) {
    let at = |place: Place| shown_place(files, place);
    let near = one.near.as_ref().map(|(near, place)| match place {
        Some(place) => format!("did you mean `{near}` (created in {})?", at(*place)),
        None => format!("did you mean `{near}`?"),
    });
    match (&one.past, later) {
        (Past::Made(Some(place)), _) => (format!("created in {}", at(*place)), REMOVE.to_owned()),
        (Past::Made(None), _) => ("it is there".to_owned(), REMOVE.to_owned()),
        (Past::Needed(place), _) => {
            let help = "drop that before, or add CASCADE".to_owned();
            (format!("needed since {}", at(*place)), help)
        }
        (Past::Partitioned(place), _) => {
            (format!("partitioned in {}", at(*place)), of_partitioned(one.sort).to_owned())
        }
        (Past::Gone(Gone { how: How::Renamed(to), place, .. }), _) => {
            (format!("renamed to `{to}` in {}", at(*place)), format!("write `{to}`"))
        }
        (Past::Gone(Gone { how: How::Moved(to), place, .. }), _) => {
            let label = format!("moved to schema `{to}` in {}", at(*place));
            (label, format!("write `{to}.{}`", one.name))
        }
        (Past::Gone(Gone { how: How::Dropped, place, .. }), _) => {
            let label = format!("dropped in {}", at(*place));
            (label, near.unwrap_or_else(|| "create it again before, or remove this".to_owned()))
        }
        (Past::Never, Some(place)) if place.file == one.place.file => {
            (format!("created below, in {}", at(place)), "move it below that".to_owned())
        }
        (Past::Never, Some(place)) => {
            let label = format!("created by {}, which comes later", at(place));
            (label, "give this file a version after that one".to_owned())
        }
        (Past::Never, None) => {
            let file = files.get(one.place.file);
            let written = file.and_then(|file| file.text.get(one.span.clone()));
            let help = near.unwrap_or_else(|| create_it(one, written.unwrap_or_default()));
            (never(one).to_owned(), help)
        }
    }
}

const REMOVE: &str = "remove one of the two, or drop the first before";

/// What to do instead of building an index of a partitioned table CONCURRENTLY, or dropping it so.
fn of_partitioned(sort: Sort) -> &'static str {
    match sort {
        Sort::Index => "write DROP INDEX without CONCURRENTLY",
        _ => INDEX_OF_PARTITIONED,
    }
}

/// The label of a name that nothing made.
fn never(one: &Missing) -> &'static str {
    match one.sort {
        Sort::Alias => "no table of the query has this name or alias",
        Sort::Label => "not added by any migration before this one",
        _ if one.late => "not created by any migration",
        _ => "not created by any migration before this one",
    }
}

/// What to do about a name that nothing made, and that is `written` so.
fn create_it(one: &Missing, written: &str) -> String {
    let help = match one.sort {
        Sort::Alias => "add it to FROM, or write the alias that it has there",
        Sort::Column if written.starts_with('"') => {
            return format!(
                "if it is a string, write `'{}'`; a column is added in an earlier migration",
                one.name.replace('\'', "''")
            );
        }
        Sort::Column => "add it in an earlier migration",
        Sort::Label => "add it with ALTER TYPE .. ADD VALUE in an earlier migration",
        Sort::Type => {
            for_type_of_another_database(&one.name).unwrap_or("create it in an earlier migration")
        }
        _ => "create it in an earlier migration",
    };
    help.to_owned()
}

/// A place in messages: the file and the line.
pub(super) fn shown_place(files: &[File<'_>], place: Place) -> String {
    let file = files.get(place.file);
    file.map_or_else(String::new, |file| format!("{}:{}", file.name, file.line(place.at)))
}

fn shown(path: &Path) -> String {
    match &path.qualifier {
        Some(qualifier) => format!("{qualifier}.{}", path.name),
        None => path.name.clone(),
    }
}
