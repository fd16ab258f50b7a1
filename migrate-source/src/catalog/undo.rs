//! Whether a down script undoes its up script: compares the objects after both with those before.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use migrate_set::sort::distinct;

use super::Catalog;
use super::definition::{Definition, Id, Words};
use super::finding::shown_place;
use super::function::Routine;
use super::named::Named;
use super::object::{Gone, How, Look, Made, Object, Sort, Space};
use super::pass::File;
use super::relation::Relation;
use super::same::{self, Same, same};
use super::schema::Schema;
use super::scope::TEMPORARY;
use crate::syntax::tree::Kind;

/// How the objects after a down script differ from those before its up script.
pub(super) struct Comparison<'c> {
    before: &'c Catalog,
    after: &'c Catalog,
    files: &'c [File<'c>],
    /// The names before and after.
    names: [HashMap<Id, String>; 2],
    /// What certainly differs: the end of a sentence that begins with the down script.
    pub(super) found: Vec<String>,
    /// Whether there can be more.
    pub(super) is_unsure: bool,
}

/// What became of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is there before and after, or not there.
    None,
    Added,
    Lost,
    Unknown,
}

/// What an object is in, in messages.
#[derive(Clone, Copy)]
enum Of<'n> {
    Nothing,
    Schema(&'n str),
    Table(&'n str),
    Type(&'n str),
}

impl<'c> Comparison<'c> {
    pub(super) fn of(before: &'c Catalog, after: &'c Catalog, files: &'c [File<'c>]) -> Self {
        let is_unsure = after.misses_some || after.blurs.last() > before.stamp;
        let (names, found) = ([before.names(), after.names()], Vec::new());
        let mut comparison = Comparison { before, after, files, names, found, is_unsure };
        comparison.schemas();
        comparison
    }

    fn change<T: Object>(&mut self, sort: Sort, before: &Look<&T>, after: &Look<&T>) -> Change {
        let is_new = |one: &T| one.made().stamp > self.before.stamp && !one.can_be_older();
        let blurred = self.after.blurs.of_drops(sort) > self.before.stamp;
        let change = match (before, after) {
            (Look::Found(_), Look::Found(_)) | (Look::Missing | Look::Unknown, Look::Missing) => {
                Change::None
            }
            (Look::Perhaps(_), Look::Perhaps(_)) | (Look::Unknown, Look::Unknown) if !blurred => {
                Change::None
            }
            // A statement that names it shows that it is there.
            (Look::Perhaps(one), Look::Found(same)) if one.made().place == same.made().place => {
                Change::None
            }
            (Look::Missing, Look::Found(_)) => Change::Added,
            (Look::Unknown, Look::Found(one)) if is_new(one) => Change::Added,
            (Look::Found(_), Look::Missing) => Change::Lost,
            _ => Change::Unknown,
        };
        self.is_unsure |= change == Change::Unknown;
        change
    }

    /// Compares two spaces without the names to skip; returns the objects that are in both.
    fn space<T: Object>(
        &mut self,
        before: &'c Space<T>,
        after: &'c Space<T>,
        of: Of<'_>,
        skip: impl Fn(&str) -> bool,
    ) -> Vec<(&'c String, &'c T, &'c T)> {
        let mut both = Vec::new();
        let names = distinct(before.objects.keys().chain(after.objects.keys()));
        for name in names.into_iter().filter(|name| !skip(name)) {
            let first = before.look(name, &self.before.blurs);
            let second = after.look(name, &self.after.blurs);
            let there = before.objects.get(name).or(after.objects.get(name));
            let Some(made) = there.map(|one| *one.made()) else { continue };
            match self.change(made.sort, &first, &second) {
                // What is renamed is only lost.
                Change::Added if !is_target(name, &after.gone) => self.added(&made, name, of),
                Change::Lost => self.lost(made.sort, name, of, after.gone.get(name)),
                Change::None => {
                    let pair = before.objects.get(name).zip(after.objects.get(name));
                    both.extend(pair.map(|(before, after)| (name, before, after)));
                }
                Change::Added | Change::Unknown => {}
            }
        }
        both
    }

    fn added(&mut self, made: &Made, name: &str, of: Of<'_>) {
        let extensions = &self.after.extensions.objects;
        let comes_with = |one: &Made| made.sort != Sort::Extension && one.place == made.place;
        if made.place.is_some() && extensions.values().any(comes_with) {
            return;
        }
        let place = made.place.map(|place| shown_place(self.files, place));
        let place = place.map_or_else(String::new, |place| format!(", created in {place}"));
        self.found.push(format!("leaves {}{place}", shown(made.sort, name, of)));
    }

    fn lost(&mut self, sort: Sort, name: &str, of: Of<'_>, gone: Option<&Gone>) {
        let what = shown(sort, name, of);
        let end = gone.map_or_else(String::new, |gone| {
            let place = shown_place(self.files, gone.place);
            match &gone.how {
                How::Dropped => format!(", dropped in {place}"),
                How::Renamed(to) => format!(", renamed to `{to}` in {place}"),
                How::Moved(to) => format!(", moved to schema `{to}` in {place}"),
            }
        });
        self.found.push(format!("does not bring back {what}{end}"));
    }

    fn schemas(&mut self) {
        let (before, after) = (self.before, self.after);
        for (name, before, after) in
            self.space(&before.schemas, &after.schemas, Of::Nothing, |_| false)
        {
            if name != TEMPORARY {
                self.schema(name, before, after);
            }
        }
        let is_new = before.schemas.objects.get("public").is_some_and(|one| !one.relations.open);
        for (name, made) in after.extensions.objects.iter().filter(|_| is_new) {
            let look = after.extensions.look(name, &after.blurs);
            if !before.extensions.objects.contains_key(name) && matches!(look, Look::Found(_)) {
                self.added(made, name, Of::Nothing);
            }
        }
    }

    fn schema(&mut self, name: &str, before: &'c Schema, after: &'c Schema) {
        let of = if name == "public" { Of::Nothing } else { Of::Schema(name) };
        // What hangs on a table comes and goes with it.
        let hangs = |name: &str| {
            let found = before.relations.objects.get(name).or(after.relations.objects.get(name));
            let owner = found.and_then(|one| one.owner.as_ref()).map(|owner| owner.name.as_str());
            owner.is_some_and(|owner| {
                let is_in = |schema: &Schema| schema.relations.objects.contains_key(owner);
                is_in(before) != is_in(after)
            })
        };
        for (name, before, after) in self.space(&before.relations, &after.relations, of, hangs) {
            self.relation(name, of, before, after);
        }
        for (name, before, after) in self.space(&before.types, &after.types, of, |_| false) {
            self.definitions(&before.made, &after.made, (name, of), "");
            self.space(&before.labels, &after.labels, Of::Type(name), |_| false);
        }
        for (name, before, after) in self.space(&before.routines, &after.routines, of, |_| false) {
            self.routines(name, of, before, after);
        }
    }

    fn routines(&mut self, name: &str, of: Of<'_>, before: &Routine, after: &Routine) {
        for signature in &after.signatures {
            if before.signatures.contains(signature) {
                self.definitions(&before.made, &after.made, (name, of), signature);
            } else {
                let made = Made { place: None, ..after.made };
                self.added(&made, &format!("{name}({signature})"), of);
            }
        }
        for signature in before.signatures.iter().filter(|one| !after.signatures.contains(one)) {
            self.lost(Sort::Function, &format!("{name}({signature})"), of, None);
        }
    }

    fn relation(&mut self, name: &str, of: Of<'_>, before: &'c Relation, after: &'c Relation) {
        if before.made.place.is_none() || after.made.place.is_none() {
            self.is_unsure |= before.made != after.made;
            return;
        }
        if before.made.sort != after.made.sort {
            let (was, is) = (before.made.sort.word(), shown(after.made.sort, name, of));
            return self.found.push(format!("leaves {is}, which was a {was} before"));
        }
        self.definitions(&before.made, &after.made, (name, of), "");
        let of = Of::Table(name);
        // The columns of a view are those of its definition.
        let is_view = |_: &str| before.made.sort == Sort::View;
        for (name, before, after) in self.space(&before.columns, &after.columns, of, is_view) {
            self.definitions(&before.made, &after.made, (name, of), name);
        }
        // PostgreSQL 18 names each NOT NULL.
        let skip = |name: &str| name.ends_with("_not_null");
        for (name, before, after) in self.space(&before.constraints, &after.constraints, of, skip) {
            self.definitions(&before.made, &after.made, (name, of), "");
        }
        let triggers = self.space(&before.triggers, &after.triggers, of, |_| false);
        let policies = self.space(&before.policies, &after.policies, of, |_| false);
        for (name, before, after) in triggers.into_iter().chain(policies) {
            self.definitions(before, after, (name, of), "");
        }
    }

    /// Whether an object certainly was as it was seen before the up script.
    fn was_sure(&self, made: &Made) -> bool {
        made.sure && made.stamp >= self.before.blurs.of_drops(made.sort)
    }

    /// Compares what is known of an object that is there before and after.
    fn definitions(&mut self, before: &Made, after: &Made, named: (&str, Of<'_>), part: &str) {
        let (catalogs, ids) =
            ([self.before, self.after], [Id::of(before, part), Id::of(after, part)]);
        let [first, second] = ids;
        let known = (catalogs[0].definition(first), catalogs[1].definition(second));
        let (Some(was), Some(is)) = known else {
            self.is_unsure |= known.0.is_some() != known.1.is_some();
            return;
        };
        let is_sure = self.was_sure(before) && after.sure;
        self.is_unsure |= was.unseen != is.unseen;
        let changes = self.changes(after.sort, was, is);
        for (sameness, text) in changes {
            match sameness {
                Same::Yes => {}
                Same::No if is_sure => {
                    let what = shown(after.sort, named.0, named.1);
                    self.found.push(format!("leaves {what} {text}"));
                }
                Same::No | Same::Perhaps => self.is_unsure = true,
            }
        }
    }

    /// How the properties of two definitions compare, each with its text if they differ.
    fn changes(&self, sort: Sort, was: &Definition, is: &Definition) -> Vec<(Same, String)> {
        let before = |words: &Words| self.before.spelled(words, &self.names[0]);
        let after = |words: &Words| self.after.spelled(words, &self.names[1]);
        let mut changes = vec![
            (exact(&was.comment, &is.comment), "with another comment".to_owned()),
            security(was, is),
            (others(&before, was, &after, is), String::new()),
        ];
        let (old, new) = (before(&was.words), after(&is.words));
        if sort != Sort::Column {
            let whole = |one: &Definition, text: &str| format!("{} {text}", one.noun);
            let sameness = match sort {
                Sort::Constraint | Sort::ForeignKey => same(sort, &old, &new),
                _ => same(sort, &whole(was, &old), &whole(is, &new)),
            };
            changes.push((sameness, "with another definition".to_owned()));
            return changes;
        }
        let (old, new) = (same::type_of(&old), same::type_of(&new));
        changes.push((exact(&old, &new), format!("with the type {new}, which was {old}")));
        let not_null = if is.not_null { "with NOT NULL" } else { "without NOT NULL" };
        changes.push((exact(&was.not_null, &is.not_null), not_null.to_owned()));
        changes.push(default(&before(&was.default), &after(&is.default)));
        changes
    }
}

fn exact<T: PartialEq>(was: &T, is: &T) -> Same {
    if was == is { Same::Yes } else { Same::No }
}

/// The row level security of a table.
fn security(was: &Definition, is: &Definition) -> (Same, String) {
    let has = |one: &Definition| one.settings.iter().any(|(kind, _)| *kind == Kind::ENABLE_RLS);
    let with = if has(is) { "with row level security" } else { "without row level security" };
    (exact(&has(was), &has(is)), with.to_owned())
}

/// What else was altered; one alteration can undo another.
fn others(
    before: &dyn Fn(&Words) -> String,
    was: &Definition,
    after: &dyn Fn(&Words) -> String,
    is: &Definition,
) -> Same {
    let texts = |one: &Definition, spelled: &dyn Fn(&Words) -> String| -> Vec<String> {
        let others = one.settings.iter().filter(|(kind, _)| *kind != Kind::ENABLE_RLS);
        others.map(|(_, words)| spelled(words)).collect()
    };
    if texts(was, before) == texts(is, after) { Same::Yes } else { Same::Perhaps }
}

/// The default of a column, or how it is generated.
fn default(was: &str, is: &str) -> (Same, String) {
    let is_generated = |text: &str| text.starts_with("GENERATED");
    let (old, new) = (same::default_of(was), same::default_of(is));
    let or =
        |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let text = if is_generated(was) || is_generated(is) {
        "with another definition".to_owned()
    } else {
        format!("with {}, which was {}", or(&new, "no default"), or(&old, "none"))
    };
    let is_loose = [&old, &new].iter().any(|text| text.starts_with("nextval"));
    let sameness = if is_loose && old != new { Same::Perhaps } else { exact(&old, &new) };
    (sameness, text)
}

/// Whether a name is the new one of something.
fn is_target(name: &str, gone: &Named<Gone>) -> bool {
    gone.values().any(|gone| matches!(&gone.how, How::Renamed(to) if to == name))
}

/// An object in a message.
fn shown(sort: Sort, name: &str, of: Of<'_>) -> String {
    let word = sort.word();
    match of {
        Of::Nothing => format!("{word} `{name}`"),
        Of::Schema(schema) => format!("{word} `{schema}.{name}`"),
        Of::Table(table) => format!("{word} `{name}` of table `{table}`"),
        Of::Type(of) => format!("{word} '{name}' of type `{of}`"),
    }
}
