//! What the lints ask of the catalog before a statement.

use migrate_set::sql::words::TableName;

use super::Catalog;
use super::facts::Fact;
use super::name::Path;
use super::object::{Look, Place, Sort};
use super::pass::File;
use super::relation::{Key, Relation};
use crate::lint::known::{Knowledge, NotNullCheck};

/// The catalog before a statement, and the files for the places in messages.
pub(super) struct Known<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) files: &'c [File<'c>],
}

impl Known<'_> {
    fn table(&self, table: &TableName) -> Option<(Key, &Relation)> {
        let (qualifier, name) = (table.schema().map(str::to_owned), table.last().to_owned());
        let key = self.catalog.look_relation(&Path { qualifier, name, span: 0..0 }).there()?;
        let relation = self.catalog.relation(&key)?;
        Some((key, relation))
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

    fn type_of(&self, table: &TableName, column: &str) -> Option<String> {
        let (key, relation) = self.table(table)?;
        let is_sure = self.catalog.look_column(&key, column) == Look::Found(());
        let written = relation.facts.get(Sort::Column, column, Fact::Type)?;
        is_sure.then(|| written.to_owned())
    }

    fn not_null_check(&self, table: &TableName, column: &str) -> NotNullCheck {
        let Some((_, relation)) = self.table(table) else { return NotNullCheck::Unknown };
        let (blurs, constraints) = (&self.catalog.blurs, &relation.constraints);
        let wanted = format!("{column} is not null");
        let is_it = |name: &&String| {
            let text = relation.facts.get(Sort::Constraint, name, Fact::Definition);
            let text = text.unwrap_or_default().trim_matches(|c| matches!(c, '(' | ')' | ' '));
            let text = text.trim_start_matches("check").trim_matches(['(', ')', ' ']);
            text == wanted && matches!(constraints.look(name, blurs), Look::Found(_))
        };
        let mut found: Vec<&String> = constraints.objects.keys().filter(is_it).collect();
        found.sort_unstable();
        let valid = |name: &&&String| {
            relation.facts.get(Sort::Constraint, name, Fact::NotValid) == Some("")
        };
        match (found.iter().find(valid), found.first()) {
            (Some(_), _) => NotNullCheck::Valid,
            (None, Some(name)) => NotNullCheck::NotValid((*name).clone()),
            (None, None) if constraints.is_closed(blurs) && relation.is_sure(blurs) => {
                NotNullCheck::None
            }
            (None, None) => NotNullCheck::Unknown,
        }
    }

    fn readers(&self, table: &TableName, column: Option<&str>) -> Vec<String> {
        let Some((key, _)) = self.table(table) else { return Vec::new() };
        let mut views = self.catalog.views_of(&key, column);
        views.sort_unstable();
        let shown = |view: Key| {
            let place = self.catalog.relation(&view).and_then(|one| one.made.place);
            format!("view `{}`{}", view.name, self.shown(place))
        };
        views.into_iter().map(shown).collect()
    }
}
