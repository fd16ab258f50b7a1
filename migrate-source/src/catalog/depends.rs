//! What a `DROP` without CASCADE cannot drop, because something else needs it. Only a trial of a down script
//! asks, because it looks at every relation of the catalog.

use std::ops::Range;

use super::Catalog;
use super::facts::Fact;
use super::name::Path;
use super::object::{Look, Sort};
use super::relation::Key;

/// An object that cannot be dropped.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl Catalog {
    /// In a trial, notes what needs relations that are dropped together.
    pub(super) fn try_drop(&mut self, paths: &[Path]) {
        if !self.is_trial {
            return;
        }
        let looks = paths.iter().map(|path| (self.look_relation(path).there(), path));
        let dropped: Vec<(Key, &Path)> =
            looks.filter_map(|(key, path)| Some((key?, path))).collect();
        let keys: Vec<Key> = dropped.iter().map(|(key, _)| key.clone()).collect();
        for (key, path) in dropped {
            let need = self.keys_to(&key).into_iter().find(|(table, _)| !keys.contains(table));
            let need = need.map(|(table, constraint)| {
                format!("constraint `{constraint}` of table `{}` refers to it", table.name)
            });
            let view = self.views_of(&key, None).into_iter().find(|view| !keys.contains(view));
            let view = view.map(|view| format!("view `{}` reads it", view.name));
            let default = self.default_of(&key);
            let default = default.map(|(table, column)| {
                format!("the default of column `{column}` of table `{table}` reads it")
            });
            let need = need.or(view).or(default);
            if let (Some(need), Some(relation)) = (need, self.relation(&key)) {
                let what = relation.made.sort.word();
                let message = format!("{what} `{}` cannot be dropped, {need}", key.name);
                self.refused.push(Refused { span: path.span.clone(), message });
            }
        }
    }

    /// In a trial, notes what has a type that is dropped.
    pub(super) fn try_drop_type(&mut self, schema: &str, path: &Path) {
        if !self.is_trial {
            return;
        }
        if let Some((table, column)) = self.column_of_type(schema, &path.name) {
            let message = format!(
                "type `{}` cannot be dropped, column `{column}` of table `{table}` has it",
                path.name
            );
            self.refused.push(Refused { span: path.span.clone(), message });
        }
    }

    /// The column whose default takes its values from a sequence that it does not own: its table and its name.
    fn default_of(&self, sequence: &Key) -> Option<(String, String)> {
        let relation = self.relation(sequence)?;
        if relation.made.sort != Sort::Sequence || relation.owner.is_some() {
            return None;
        }
        let names = [sequence.name.clone(), format!("{}.{}", sequence.schema, sequence.name)];
        let called = names.map(|name| format!("nextval ( '{}'", name.to_lowercase()));
        self.column_with(Fact::Default, |text| {
            let text = text.replace('"', "").to_lowercase();
            called.iter().any(|call| text.starts_with(call))
        })
    }

    /// The column that has this type: its table and its name.
    fn column_of_type(&self, schema: &str, name: &str) -> Option<(String, String)> {
        let is_it = |written: &str| {
            let end = written.find(['(', '[']).unwrap_or(written.len());
            let written = written.get(..end).unwrap_or(written);
            written == name || written == format!("{schema}.{name}")
        };
        self.column_with(Fact::Type, is_it)
    }

    /// A column that certainly is there, of which a property is so: its table and its name.
    fn column_with(&self, fact: Fact, is_so: impl Fn(&str) -> bool) -> Option<(String, String)> {
        for (table, relation) in
            self.schemas.objects.values().flat_map(|inner| &inner.relations.objects)
        {
            let column = relation.columns.objects.keys().find(|column| {
                relation.facts.get(Sort::Column, column, fact).is_some_and(&is_so)
                    && matches!(relation.columns.look(column, &self.blurs), Look::Found(_))
            });
            if let Some(column) = column.filter(|_| relation.is_sure(&self.blurs)) {
                return Some((table.clone(), column.clone()));
            }
        }
        None
    }
}
