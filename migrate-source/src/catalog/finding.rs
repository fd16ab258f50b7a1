//! The findings: what is missing or doubled, where it was made, dropped or renamed, and what was meant.

use std::ops::Range;

use migrate_set::location::position;

use super::Catalog;
use super::name::Path;
use super::object::{Gone, How, Object, Place, Sort};
use super::pass::File;
use super::relation::Key;
use crate::directives::edit_distance;
use crate::objects::Finding;

/// A finding before the end of the pass, when it is known what comes later.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    pub(super) sort: Sort,
    pub(super) name: String,
    pub(super) place: Place,
    /// Whether nothing is known of the name, and no name is near.
    pub(super) stranger: bool,
    span: Range<usize>,
    message: String,
    /// What became of it, or where it was made first.
    past: Past,
    near: Option<(String, Option<Place>)>,
}

#[derive(Debug, Clone)]
enum Past {
    Never,
    Gone(Gone),
    Made(Option<Place>),
}

impl Catalog {
    /// A use of something that is not there; `of` is the table of a column and the like.
    pub(super) fn missing(&mut self, sort: Sort, path: &Path, of: Option<&Key>) {
        if self.perhaps {
            return;
        }
        let near = self.near(sort, path, of);
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
            place: self.place(&path.span),
            stranger: near.is_none() && gone.is_none() && of.is_none(),
            span: path.span.clone(),
            message,
            past: gone.map_or(Past::Never, Past::Gone),
            near,
        });
    }

    /// Something is made that is there.
    pub(super) fn doubled(&mut self, sort: Sort, path: &Path) {
        let message = format!("{} `{}` already exists", sort.word(), shown(path));
        let place = match sort {
            Sort::Schema => self.schemas.objects.get(&path.name).and_then(|one| one.made().place),
            _ => self.place_of(sort, path),
        };
        self.double(sort, path, message, place);
    }

    /// Something of a table is made that is there.
    pub(super) fn doubled_in(&mut self, sort: Sort, path: &Path, of: &Key) {
        let word = sort.word();
        let message = format!("{word} `{}` of table `{}` already exists", path.name, of.name);
        let place = self.relation(of).and_then(|relation| match sort {
            Sort::Column => relation.columns.objects.get(&path.name).map(|one| one.made),
            Sort::Trigger => relation.triggers.objects.get(&path.name).copied(),
            Sort::Policy => relation.policies.objects.get(&path.name).copied(),
            _ => relation.constraints.objects.get(&path.name).map(|one| one.made),
        });
        self.double(sort, path, message, place.and_then(|made| made.place));
    }

    /// A label is added that the type has.
    pub(super) fn doubled_label(&mut self, path: &Path, of: &(String, String)) {
        let message = format!("type `{}` already has the value '{}'", of.1, path.name);
        self.double(Sort::Label, path, message, None);
    }

    fn double(&mut self, sort: Sort, path: &Path, message: String, made: Option<Place>) {
        if self.perhaps {
            return;
        }
        self.missing.push(Missing {
            sort,
            name: path.name.clone(),
            place: self.place(&path.span),
            stranger: false,
            span: path.span.clone(),
            message,
            past: Past::Made(made),
            near: None,
        });
    }

    fn place_of(&self, sort: Sort, path: &Path) -> Option<Place> {
        let schema = self.target(path)?;
        let schema = self.schemas.objects.get(&schema)?;
        let made = match sort {
            Sort::Type => schema.types.objects.get(&path.name).map(|one| *one.made()),
            Sort::Function => schema.routines.objects.get(&path.name).map(|one| *one.made()),
            _ => schema.relations.objects.get(&path.name).map(|one| one.made),
        };
        made.and_then(|made| made.place)
    }

    fn gone(&self, sort: Sort, path: &Path, of: Option<&Key>) -> Option<&Gone> {
        if let Some(of) = of {
            let relation = self.relation(of)?;
            return match sort {
                Sort::Column => relation.columns.gone.get(&path.name),
                Sort::Trigger => relation.triggers.gone.get(&path.name),
                Sort::Policy => relation.policies.gone.get(&path.name),
                Sort::Constraint => relation.constraints.gone.get(&path.name),
                _ => None,
            };
        }
        if sort == Sort::Schema {
            return self.schemas.gone.get(&path.name);
        }
        let schema = self.schemas.objects.get(&self.target(path)?)?;
        match sort {
            Sort::Type => schema.types.gone.get(&path.name),
            Sort::Function => schema.routines.gone.get(&path.name),
            Sort::Table | Sort::View | Sort::Index | Sort::Sequence => {
                schema.relations.gone.get(&path.name)
            }
            _ => None,
        }
    }

    /// The name that is nearest to one that is missing, with where it was made.
    fn near(&self, sort: Sort, path: &Path, of: Option<&Key>) -> Option<(String, Option<Place>)> {
        let wanted = &path.name;
        let mut best: Option<(usize, String, Option<Place>)> = None;
        let mut offer = |name: &String, place: Option<Place>| {
            if name.len().abs_diff(wanted.len()) > 2 || name == wanted {
                return;
            }
            let distance = edit_distance(&name.to_lowercase(), &wanted.to_lowercase());
            let most = match wanted.len() {
                0..=2 => 0,
                3..=5 => 1,
                _ => 2,
            };
            let is_better =
                best.as_ref().is_none_or(|(least, known, _)| (distance, name) < (*least, known));
            if distance <= most && is_better {
                best = Some((distance, name.clone(), place));
            }
        };
        if let Some(relation) = of.and_then(|of| self.relation(of)) {
            let spaces = [&relation.triggers, &relation.policies];
            match sort {
                Sort::Column => {
                    relation.columns.objects.iter().for_each(|(n, o)| offer(n, o.made.place))
                }
                Sort::Trigger => spaces[0].objects.iter().for_each(|(n, o)| offer(n, o.place)),
                Sort::Policy => spaces[1].objects.iter().for_each(|(n, o)| offer(n, o.place)),
                _ => relation.constraints.objects.iter().for_each(|(n, o)| offer(n, o.made.place)),
            }
        } else if sort == Sort::Schema {
            self.schemas.objects.iter().for_each(|(n, o)| offer(n, o.made().place));
        } else if let Some(schema) = self.target(path).and_then(|s| self.schemas.objects.get(&s)) {
            match sort {
                Sort::Type => {
                    schema.types.objects.iter().for_each(|(n, o)| offer(n, o.made().place))
                }
                Sort::Function => {
                    schema.routines.objects.iter().for_each(|(n, o)| offer(n, o.made().place));
                }
                Sort::Index | Sort::Sequence => {
                    let alike =
                        schema.relations.objects.iter().filter(|(_, o)| o.made.sort == sort);
                    alike.for_each(|(n, o)| offer(n, o.made.place));
                }
                Sort::Table | Sort::View => {
                    let skip = [Sort::Index, Sort::Sequence];
                    let alike = schema.relations.objects.iter();
                    let alike = alike.filter(|(_, o)| !skip.contains(&o.made.sort));
                    alike.for_each(|(n, o)| offer(n, o.made.place));
                }
                _ => {}
            }
        }
        best.map(|(_, name, place)| (name, place))
    }

    /// Whether any file makes an object of this name.
    pub(super) fn is_born(&self, name: &str) -> bool {
        let sorts =
            [Sort::Table, Sort::View, Sort::Sequence, Sort::Index, Sort::Type, Sort::Function];
        sorts.into_iter().any(|sort| self.births.contains_key(&(sort, name.to_owned())))
    }

    /// The findings, each with the number of its file.
    pub(super) fn findings(mut self, files: &[File<'_>]) -> Vec<(usize, Finding)> {
        let missing = std::mem::take(&mut self.missing);
        let reported = missing
            .into_iter()
            .filter(|one| files.get(one.place.file).is_some_and(|file| !file.is_allowed));
        let reported = reported.map(|one| (one.place.file, self.finding(files, one)));
        reported.collect()
    }

    fn finding(&self, files: &[File<'_>], one: Missing) -> Finding {
        let at = |place: Place| {
            let file = files.get(place.file);
            file.map_or_else(String::new, |file| {
                let name = file.name.rsplit('/').next().unwrap_or(file.name);
                format!("{name}:{}", position(file.text, place.at).line)
            })
        };
        let later = || {
            let sorts = [one.sort, Sort::Table, Sort::View];
            let born =
                sorts.into_iter().filter_map(|sort| self.births.get(&(sort, one.name.clone())));
            born.flatten().filter(|place| **place > one.place).min().copied()
        };
        let mut can_be_before = false;
        let (label, help) = match (&one.past, later()) {
            (Past::Made(Some(place)), _) => {
                (format!("created in {}", at(*place)), REMOVE.to_owned())
            }
            (Past::Made(None), _) => ("created before".to_owned(), REMOVE.to_owned()),
            (Past::Gone(Gone { how: How::Renamed(to), place, .. }), _) => {
                (format!("renamed to `{to}` in {}", at(*place)), format!("write `{to}`"))
            }
            (Past::Gone(Gone { how: How::Moved(to), place, .. }), _) => (
                format!("moved to schema `{to}` in {}", at(*place)),
                format!("write `{to}.{}`", one.name),
            ),
            (Past::Gone(Gone { how: How::Dropped, place, .. }), _) => (
                format!("dropped in {}", at(*place)),
                "create it again before, or remove this".to_owned(),
            ),
            (Past::Never, Some(place)) if place.file > one.place.file => (
                format!("created by {}, which comes later", at(place)),
                "give this file a version after that one".to_owned(),
            ),
            (Past::Never, Some(place)) => (
                format!(
                    "created on line {} below",
                    at(place).rsplit(':').next().unwrap_or_default()
                ),
                "move it below".to_owned(),
            ),
            (Past::Never, None) => {
                can_be_before = one.sort != Sort::Alias;
                (
                    "not created by any migration before this one".to_owned(),
                    "create it in an earlier migration".to_owned(),
                )
            }
        };
        let help = match &one.near {
            Some((near, Some(place))) => {
                format!("did you mean `{near}` (created in {})?", at(*place))
            }
            Some((near, None)) => format!("did you mean `{near}`?"),
            None => help,
        };
        Finding { span: one.span, message: one.message, label, help, can_be_before }
    }
}

const REMOVE: &str = "remove one of the two, or drop the first before";

fn shown(path: &Path) -> String {
    match &path.qualifier {
        Some(qualifier) => format!("{qualifier}.{}", path.name),
        None => path.name.clone(),
    }
}
