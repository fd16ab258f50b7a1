//! What the lints ask of the catalog before a statement.

use std::collections::{BTreeSet, HashMap};

use migrate_set::sort::sort_by;
use migrate_set::sql::words::TableName;

use super::Catalog;
use super::definition::Id;
use super::name::Path;
use super::object::{Look, Place};
use super::pass::File;
use super::relation::{Constraint, Key, Relation};
use super::same;
use super::written::identifier;
use crate::lint::known::{Knowledge, NotNullCheck};

/// The catalog before a statement, and the files for the places in messages.
pub(super) struct Known<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) files: &'c [File<'c>],
}

impl Known<'_> {
    fn table(&self, table: &TableName) -> Option<(Key, &Relation)> {
        let key = self.catalog.look_relation(&path(table)).there()?;
        let relation = self.catalog.relation(&key)?;
        Some((key, relation))
    }

    /// Whether a table has a valid CHECK of one of these columns, if that is known.
    fn checks(&self, table: &Relation, by: Option<&BTreeSet<String>>) -> Option<bool> {
        let (blurs, constraints) = (&self.catalog.blurs, &table.constraints);
        let is_it = |(_, one): (&String, &Constraint)| {
            let is_valid = self
                .text(one)
                .is_some_and(|text| text.starts_with("CHECK") && !text.ends_with("NOT VALID"));
            is_valid && by.is_none_or(|by| by.is_empty() || !by.is_disjoint(&one.columns))
        };
        let has = constraints.objects.iter().any(is_it);
        (has || constraints.is_closed(blurs) && table.is_sure(blurs)).then_some(has)
    }

    /// A constraint as it was written, if that is known.
    fn text(&self, constraint: &Constraint) -> Option<String> {
        let definition = self.catalog.definition(Id::of(&constraint.made, ""))?;
        Some(self.catalog.spelled(&definition.words, &HashMap::new()))
    }

    fn shown(&self, place: Option<Place>) -> String {
        let place = place.map(|place| super::finding::shown_place(self.files, place));
        place.map_or_else(String::new, |place| format!(" (created in {place})"))
    }
}

impl Knowledge for Known<'_> {
    fn is_new(&self, table: &TableName) -> Option<bool> {
        let place = self.table(table)?.1.made.place?;
        Some(place.file == self.catalog.file)
    }

    fn is_partitioned(&self, table: &TableName) -> bool {
        self.table(table).is_some_and(|(_, relation)| relation.partitioned_by.is_some())
    }

    fn has_check(&self, part: &TableName, of: &TableName) -> Option<bool> {
        let by = self.table(of).and_then(|(_, table)| table.partitioned_by.as_ref());
        self.checks(self.table(part)?.1, by)
    }

    fn unchecked_default(&self, table: &TableName) -> Option<String> {
        let (_, table) = self.table(table)?;
        table.children.iter().find_map(|key| {
            let part = self.catalog.relation(key).filter(|part| part.is_default)?;
            let is_new = part.made.place.is_some_and(|place| place.file == self.catalog.file);
            let is_checked = self.checks(part, table.partitioned_by.as_ref()) == Some(true);
            (!is_new && !is_checked).then(|| key.name.clone())
        })
    }

    fn is_constrained(&self, domain: &TableName) -> bool {
        self.catalog.refuses_values(&path(domain))
    }

    fn is_volatile(&self, function: &str) -> bool {
        let schemas = self.catalog.schemas.objects.values();
        let mut all = schemas.filter_map(|schema| schema.routines.objects.get(function)).peekable();
        all.peek().is_some() && all.all(|routine| routine.made.sure && routine.is_volatile)
    }

    fn type_of(&self, table: &TableName, column: &str) -> Option<String> {
        let (key, relation) = self.table(table)?;
        let is_sure = self.catalog.look_column(&key, column) == Look::Found(());
        let made = relation.columns.objects.get(column)?.made;
        let definition = self.catalog.definition(Id::of(&made, column))?;
        let is_known = is_sure && !definition.is_doubted;
        is_known.then(|| same::type_of(&self.catalog.spelled(&definition.words, &HashMap::new())))
    }

    fn not_null_check(&self, table: &TableName, column: &str) -> NotNullCheck {
        let Some((_, relation)) = self.table(table) else { return NotNullCheck::Unknown };
        let (blurs, constraints) = (&self.catalog.blurs, &relation.constraints);
        let wanted = format!("{} IS NOT NULL", identifier(column));
        let text = |name: &String| self.text(constraints.objects.get(name)?);
        let is_it = |name: &&String| {
            let text = text(name).unwrap_or_default();
            let text = text.trim_start_matches("CHECK").trim_end_matches("NOT VALID");
            let text = text.trim_matches(['(', ')', ' ']);
            text == wanted && matches!(constraints.look(name, blurs), Look::Found(_))
        };
        let mut found: Vec<String> = constraints.objects.keys().filter(is_it).cloned().collect();
        sort_by(&mut found, Ord::cmp);
        let valid = |name: &String| text(name).is_some_and(|text| !text.ends_with("NOT VALID"));
        let (valid, others): (Vec<String>, Vec<String>) = found.into_iter().partition(valid);
        match (valid.is_empty(), others.into_iter().next()) {
            (false, _) => NotNullCheck::Valid(valid),
            (true, Some(name)) => NotNullCheck::NotValid(name),
            (true, None) if constraints.is_closed(blurs) && relation.is_sure(blurs) => {
                NotNullCheck::None
            }
            (true, None) => NotNullCheck::Unknown,
        }
    }

    fn done_again(&self, table: &TableName, column: &str, dropped: &[String]) -> Vec<String> {
        let Some((_, relation)) = self.table(table) else { return Vec::new() };
        let index = |owned: &Key| {
            let index = self.catalog.relation(owned)?;
            let is_it = index.computes && index.uses.contains(column);
            is_it
                .then(|| format!("index `{}`{} is built", owned.name, self.shown(index.made.place)))
        };
        let check = |(name, one): (&String, &Constraint)| {
            let is_it = one.columns.contains(column)
                && self.text(one)?.starts_with("CHECK")
                && !dropped.contains(name);
            is_it.then(|| format!("constraint `{name}`{} is checked", self.shown(one.made.place)))
        };
        let indexes = relation.owned.iter().filter_map(index);
        let mut checks: Vec<String> =
            relation.constraints.objects.iter().filter_map(check).collect();
        sort_by(&mut checks, Ord::cmp);
        let again = indexes.chain(checks);
        again.map(|one| format!("{one} again")).collect()
    }

    fn readers(&self, table: &TableName, column: Option<&str>) -> Vec<String> {
        let Some((key, _)) = self.table(table) else { return Vec::new() };
        let mut views = self.catalog.views_of(&key, column);
        sort_by(&mut views, Ord::cmp);
        let shown = |view: Key| {
            let place = self.catalog.relation(&view).and_then(|one| one.made.place);
            format!("view `{}`{}", view.name, self.shown(place))
        };
        views.into_iter().map(shown).collect()
    }
}

fn path(name: &TableName) -> Path {
    let (qualifier, name) = (name.schema().map(str::to_owned), name.last().to_owned());
    Path { qualifier, name, span: 0..0 }
}
