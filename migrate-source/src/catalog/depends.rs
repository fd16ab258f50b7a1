//! What a `DROP` without CASCADE cannot drop, because something else needs it. Only a trial of a down script
//! asks, because it looks at every relation of the catalog.

use std::ops::Range;

use super::Catalog;
use super::facts::Fact;
use super::name::Path;
use super::object::{Look, Sort};
use super::relation::{Key, Relation};

/// An object that cannot be dropped.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl Catalog {
    /// In a trial, notes what refers to tables that are dropped together.
    pub(super) fn try_drop(&mut self, paths: &[Path]) {
        if !self.is_trial {
            return;
        }
        let looks = paths.iter().map(|path| (self.look_relation(path).there(), path));
        let dropped: Vec<(Key, &Path)> =
            looks.filter_map(|(key, path)| Some((key?, path))).collect();
        let keys: Vec<Key> = dropped.iter().map(|(key, _)| key.clone()).collect();
        let Some((key, constraint, table)) = self.referrer(&keys) else { return };
        let path = dropped.iter().find(|(known, _)| *known == key);
        let span = path.map_or(0..0, |(_, path)| path.span.clone());
        let message = format!(
            "table `{}` cannot be dropped, constraint `{constraint}` of table `{table}` refers to it",
            key.name
        );
        self.refused.push(Refused { span, message });
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

    /// Notes the table that a foreign key refers to.
    pub(super) fn note_target(&mut self, key: &Key, name: Option<&str>, target: Option<&Key>) {
        let place = target.and_then(|target| self.identity(target));
        if let (Some(name), Some(place)) = (name, place) {
            self.note(key, (Sort::Constraint, name), Fact::Target, place);
        }
    }

    /// Where a relation was made: what stays of it under any name.
    fn identity(&self, key: &Key) -> Option<String> {
        let place = self.relation(key)?.made.place?;
        Some(format!("{}:{}", place.file, place.at))
    }

    /// What refers to one of these tables, and is not among them: the constraint and its table.
    fn referrer(&self, dropped: &[Key]) -> Option<(Key, String, String)> {
        let relations = self.schemas.objects.iter().flat_map(|(schema, inner)| {
            inner.relations.objects.iter().map(move |(name, relation)| (schema, name, relation))
        });
        let of = |key: &Key, relation: &Relation| {
            let target = self.identity(key)?;
            let refers = |name: &&String| {
                let found = relation.facts.get(Sort::Constraint, name, Fact::Target);
                found == Some(target.as_str())
                    && matches!(relation.constraints.look(name, &self.blurs), Look::Found(_))
            };
            let name = relation.constraints.objects.keys().find(refers)?;
            Some((key.clone(), name.clone()))
        };
        for (schema, name, relation) in relations {
            let own = Key { schema: schema.clone(), name: name.clone() };
            if !relation.is_sure(&self.blurs) || dropped.contains(&own) {
                continue;
            }
            let found = dropped.iter().find_map(|key| of(key, relation));
            if let Some((key, constraint)) = found {
                return Some((key, constraint, own.name));
            }
        }
        None
    }

    /// The column that has this type: its table and its name.
    fn column_of_type(&self, schema: &str, name: &str) -> Option<(String, String)> {
        let is_it = |written: &str| {
            let end = written.find(['(', '[']).unwrap_or(written.len());
            let written = written.get(..end).unwrap_or(written);
            written == name || written == format!("{schema} . {name}")
        };
        for (table, relation) in
            self.schemas.objects.values().flat_map(|inner| &inner.relations.objects)
        {
            let column = relation.columns.objects.keys().find(|column| {
                relation.facts.get(Sort::Column, column, Fact::Type).is_some_and(is_it)
                    && matches!(relation.columns.look(column, &self.blurs), Look::Found(_))
            });
            if let Some(column) = column.filter(|_| relation.is_sure(&self.blurs)) {
                return Some((table.clone(), column.clone()));
            }
        }
        None
    }
}
