//! `COMMENT ON` and `SECURITY LABEL`, which name any kind of object.

use super::Catalog;
use super::name::Path;
use super::object::Sort;
use crate::syntax::tree::{At, Kind, any_of};

impl Catalog {
    pub(super) fn comment(&mut self, at: At<'_>) {
        let Some(object) = at.children().next() else { return };
        self.note_comment(at, object);
        match object.kind() {
            any_of![
                OBJECT_COLUMN, OBJECT_TABLE, OBJECT_FOREIGN_TABLE, OBJECT_VIEW,
                OBJECT_MATERIALIZED_VIEW, OBJECT_INDEX, OBJECT_SEQUENCE, OBJECT_TYPE,
                OBJECT_DOMAIN, OBJECT_SCHEMA, OBJECT_FUNCTION, OBJECT_PROCEDURE, OBJECT_ROUTINE
            ] => self.references(object),
            Kind::OBJECT_CONSTRAINT | Kind::OBJECT_TRIGGER | Kind::OBJECT_POLICY => {
                self.comment_on_part(object);
            }
            _ => {}
        }
    }

    /// Notes the comment on a table or a column; others are not followed.
    fn note_comment(&mut self, at: At<'_>, object: At<'_>) {
        let text = at.children().last().filter(|one| one.kind() == Kind::LITERAL);
        let text = text.map(|text| text.text().to_owned()).unwrap_or_default();
        let (table, column) = match object.kind() {
            Kind::OBJECT_TABLE => (object.find(Kind::TABLE_NAME_REF).and_then(Path::of), None),
            Kind::OBJECT_COLUMN => {
                let node = object.find(Kind::QUALIFIED_COLUMN_NAME_REF);
                node.and_then(Path::of_column).map_or((None, None), |(t, c)| (Some(t), Some(c)))
            }
            _ => {
                self.misses_some = true;
                return;
            }
        };
        let Some(key) = table.and_then(|table| self.look_relation(&table).there()) else { return };
        let id = match column {
            Some(column) => self.column_id(&key, &column),
            None => self.relation_id(&key),
        };
        if self.perhaps {
            return self.doubt_definition(id);
        }
        if let Some(definition) = self.definition_mut(id) {
            definition.comment = text;
        }
    }

    /// A comment on what hangs on a table.
    fn comment_on_part(&mut self, at: At<'_>) {
        let table = at.child(Kind::TABLE_NAME_REF).or_else(|| at.child(Kind::RELATION_NAME_REF));
        let Some(table) = table.and_then(Path::of) else { return };
        let Some(key) = self.refer(Sort::Table, &table, false) else { return };
        match at.kind() {
            Kind::OBJECT_CONSTRAINT => {
                self.use_constraint(&key, at);
            }
            Kind::OBJECT_TRIGGER => self.table_triggers(&key, at),
            _ => {
                self.refer_hanging(Sort::Policy, at, false);
            }
        }
    }
}
