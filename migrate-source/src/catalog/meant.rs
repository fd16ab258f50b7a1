//! Statements whose names can mean objects in more than one schema: they are followed once for each, as ones that may
//! not run.

use super::Catalog;
use super::function::{is_signature, signature_name};
use super::name::Path;
use super::object::{Look, Sort};
use super::scope::TEMPORARY;
use super::table::altered_table;
use super::trigger::table_of;
use crate::syntax::tree::{At, Kind, any_of};

/// What a statement changes or drops.
const CHANGED: [Kind; 6] = [
    Kind::TABLE_NAME_REF,
    Kind::VIEW_REF,
    Kind::INDEX_REF,
    Kind::SEQUENCE_REF,
    Kind::TYPE_NAME_REF,
    Kind::DOMAIN_REF,
];

impl Catalog {
    /// Checks a statement, and does what it does.
    pub(super) fn apply(&mut self, at: At<'_>) {
        let schemas = self.schemas_of(at);
        if schemas.len() < 2 {
            return self.apply_to_first(at);
        }
        let perhaps = std::mem::replace(&mut self.perhaps, true);
        let names_count = std::mem::replace(&mut self.names_count, false);
        for schema in schemas {
            let path = self.path.begin_with(schema);
            self.apply_to_first(at);
            self.path = path;
        }
        (self.perhaps, self.names_count) = (perhaps, names_count);
    }

    /// The schemas in any of which a statement can change or drop something, if that is not certain.
    fn schemas_of(&self, at: At<'_>) -> Vec<String> {
        let mut schemas = Vec::new();
        if self.has_one_schema() {
            return schemas;
        }
        let (sort, paths) = changed(at);
        for path in paths {
            for schema in self.schemas_with(&path, sort) {
                if !schemas.contains(&schema) {
                    schemas.push(schema);
                }
            }
        }
        schemas
    }

    /// The schemas that have something of this name, if the name has none and it is not certain which it means.
    pub(super) fn schemas_with(&self, path: &Path, sort: Sort) -> Vec<String> {
        if path.qualifier.is_some() || self.has_one_schema() {
            return Vec::new();
        }
        let is_perhaps = match sort {
            Sort::Type | Sort::Function => matches!(self.look(path, sort), Look::Perhaps(_)),
            _ => matches!(self.look_relation(path), Look::Perhaps(_)),
        };
        let has = |schema: &&String| {
            let known = self.schemas.objects.get(schema);
            known.is_some_and(|schema| schema.space(sort).made_of(&path.name).is_some())
        };
        let temporary = TEMPORARY.to_owned();
        let searched = std::iter::once(&temporary).chain(self.path.all()).filter(|_| is_perhaps);
        searched.filter(has).cloned().collect()
    }

    /// Whether names without a schema can only mean one.
    fn has_one_schema(&self) -> bool {
        self.path.all().nth(1).is_none() && !self.schemas.objects.contains_key(TEMPORARY)
    }
}

/// The names of what a statement changes or drops, also by making something of it.
fn changed(at: At<'_>) -> (Sort, Vec<Path>) {
    match at.kind() {
        any_of![ALTER_TABLE, ALTER_FOREIGN_TABLE, CREATE_INDEX] => {
            (Sort::Table, altered_table(at).and_then(Path::of).into_iter().collect())
        }
        any_of![
            CREATE_TRIGGER, ALTER_TRIGGER, DROP_TRIGGER, CREATE_POLICY, ALTER_POLICY, DROP_POLICY
        ] => (Sort::Table, table_of(at).into_iter().collect()),
        any_of![
            ALTER_FUNCTION, ALTER_PROCEDURE, ALTER_ROUTINE, ALTER_AGGREGATE, DROP_FUNCTION,
            DROP_PROCEDURE, DROP_ROUTINE, DROP_AGGREGATE
        ] => {
            let signatures = at.all().filter(|node| is_signature(node.kind()));
            (Sort::Function, signatures.filter_map(signature_name).collect())
        }
        any_of![ALTER_TYPE, ALTER_DOMAIN, DROP_TYPE, DROP_DOMAIN] => (Sort::Type, named(at)),
        any_of![
            ALTER_INDEX, ALTER_SEQUENCE, ALTER_VIEW, ALTER_MATERIALIZED_VIEW, DROP_TABLE,
            DROP_FOREIGN_TABLE, DROP_VIEW, DROP_MATERIALIZED_VIEW, DROP_INDEX, DROP_SEQUENCE
        ] => (Sort::Table, named(at)),
        _ => (Sort::Table, Vec::new()),
    }
}

fn named(at: At<'_>) -> Vec<Path> {
    CHANGED.into_iter().flat_map(|kind| at.each(kind)).filter_map(Path::of).collect()
}
