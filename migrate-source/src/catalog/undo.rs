//! Whether a down script undoes its up script: compares the objects after both with those before.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Catalog;
use super::facts::{Fact, Facts, Value, is_seen};
use super::finding::shown_place;
use super::function::Routine;
use super::object::{Gone, How, Look, Made, Object, Sort, Space};
use super::pass::File;
use super::relation::Relation;
use super::schema::Schema;
use super::scope::TEMPORARY;

/// How the objects after a down script differ from those before its up script.
pub(super) struct Comparison<'c> {
    before: &'c Catalog,
    after: &'c Catalog,
    files: &'c [File<'c>],
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
        let mut comparison = Comparison { before, after, files, found: Vec::new(), is_unsure };
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
        let names: BTreeSet<&String> = before.objects.keys().chain(after.objects.keys()).collect();
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
            self.facts(&before.made, &after.made, (name, of), (&before.facts, &after.facts), "");
            self.space(&before.labels, &after.labels, Of::Type(name), |_| false);
        }
        for (name, before, after) in self.space(&before.routines, &after.routines, of, |_| false) {
            self.routines(name, of, before, after);
        }
    }

    fn routines(&mut self, name: &str, of: Of<'_>, before: &Routine, after: &Routine) {
        for signature in &after.signatures {
            if before.signatures.contains(signature) {
                let facts = (&before.facts, &after.facts);
                self.facts(&before.made, &after.made, (name, of), facts, signature);
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
        self.facts(&before.made, &after.made, (name, of), (&before.facts, &after.facts), "");
        let of = Of::Table(name);
        let facts = (&before.facts, &after.facts);
        // The columns of a view are those of its definition.
        let is_view = |_: &str| before.made.sort == Sort::View;
        for (name, before, after) in self.space(&before.columns, &after.columns, of, is_view) {
            self.facts(&before.made, &after.made, (name, of), facts, name);
        }
        // PostgreSQL 18 names each NOT NULL.
        let skip = |name: &str| name.ends_with("_not_null");
        for (name, before, after) in self.space(&before.constraints, &after.constraints, of, skip) {
            self.facts(&before.made, &after.made, (name, of), facts, name);
        }
        let triggers = self.space(&before.triggers, &after.triggers, of, |_| false);
        let policies = self.space(&before.policies, &after.policies, of, |_| false);
        for (name, before, after) in triggers.into_iter().chain(policies) {
            self.facts(before, after, (name, of), facts, name);
        }
    }

    /// Whether an object certainly was as it was seen before the up script.
    fn was_sure(&self, made: &Made) -> bool {
        made.sure && made.stamp >= self.before.blurs.of_drops(made.sort)
    }

    /// Whether a column can have this type under another name.
    fn is_renamed(&self, written: &str) -> bool {
        let end = written.find(['(', '[']).unwrap_or(written.len());
        let name = written.get(..end).unwrap_or(written).rsplit('.').next().unwrap_or(written);
        self.after.schemas.objects.values().any(|schema| schema.types.gone.contains_key(name))
    }

    /// Compares what is known of an object that is there before and after.
    fn facts(
        &mut self,
        before: &Made,
        after: &Made,
        named: (&str, Of<'_>),
        facts: (&Facts, &Facts),
        part: &str,
    ) {
        let sort = |made: &Made| match made.sort {
            Sort::ForeignKey => Sort::Constraint,
            sort => sort,
        };
        let (first, second) = (facts.0.of(sort(before), part), facts.1.of(sort(after), part));
        let kinds = first.into_iter().chain(second).flat_map(BTreeMap::keys);
        for fact in kinds.copied().collect::<BTreeSet<Fact>>() {
            let values = text(fact, before, first).zip(text(fact, after, second));
            let Some((was, is)) = values else {
                let of = |facts: Option<&BTreeMap<Fact, Value>>| facts?.get(&fact).cloned();
                self.is_unsure |= of(first) != of(second);
                continue;
            };
            if fact == Fact::Type && (self.is_renamed(&was) || self.is_renamed(&is)) {
                self.is_unsure |= was != is;
            } else if was != is && (is_loose(after.sort, fact, &was, &is) || !self.was_sure(before))
            {
                self.is_unsure = true;
            } else if was != is {
                let what = shown(after.sort, named.0, named.1);
                self.found.push(format!("leaves {what} {}", changed(fact, &was, &is)));
            }
        }
    }
}

/// The text of a property; `None` if it is not known.
fn text(fact: Fact, made: &Made, facts: Option<&BTreeMap<Fact, Value>>) -> Option<String> {
    match facts.and_then(|facts| facts.get(&fact)) {
        Some(value) => value.known().map(str::to_owned),
        None => is_seen(made, facts).then(String::new),
    }
}

/// Whether a property can be written in several ways, so that two texts can be the same to the server.
fn is_loose(sort: Sort, fact: Fact, was: &str, is: &str) -> bool {
    let either = |is_so: &dyn Fn(&str) -> bool| is_so(was) || is_so(is);
    match (fact, sort) {
        // A table that is made again is another one.
        (Fact::Target, _) | (Fact::Definition, Sort::View) => true,
        (Fact::Default, _) => either(&|text| text == "serial" || text.starts_with("nextval")),
        (Fact::Definition, Sort::Index) => {
            either(&|text| text.contains(" where ") || text.matches('(').count() > 1)
        }
        (Fact::Definition, _) => either(&|text| text.starts_with("check")),
        _ => false,
    }
}

/// How a property differs.
fn changed(fact: Fact, was: &str, is: &str) -> String {
    let or =
        |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    match fact {
        Fact::Type => format!("with the type {is}, which was {was}"),
        Fact::Default => format!("with {}, which was {}", or(is, "no default"), or(was, "none")),
        Fact::NotNull if is.is_empty() => "without NOT NULL".to_owned(),
        Fact::NotNull => "with NOT NULL".to_owned(),
        Fact::Security if is.is_empty() => "without row level security".to_owned(),
        Fact::Security => "with row level security".to_owned(),
        Fact::Comment => "with another comment".to_owned(),
        Fact::NotValid if is.is_empty() => "valid, which was not".to_owned(),
        Fact::NotValid => "not valid, which was".to_owned(),
        Fact::Generated
        | Fact::Collation
        | Fact::Definition
        | Fact::Options
        | Fact::Access
        | Fact::Target => "with another definition".to_owned(),
    }
}

/// Whether a name is the new one of something.
fn is_target(name: &str, gone: &HashMap<String, Gone>) -> bool {
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
