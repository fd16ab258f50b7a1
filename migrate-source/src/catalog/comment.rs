//! `COMMENT ON` and `SECURITY LABEL`, which name any kind of object.

use super::Catalog;
use super::name::Path;
use super::object::Sort;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    pub(super) fn comment(&mut self, at: At<'_>) {
        let Some(object) = at.children().next() else { return };
        match object.kind() {
            Kind::OBJECT_COLUMN
            | Kind::OBJECT_TABLE
            | Kind::OBJECT_FOREIGN_TABLE
            | Kind::OBJECT_VIEW
            | Kind::OBJECT_MATERIALIZED_VIEW
            | Kind::OBJECT_INDEX
            | Kind::OBJECT_SEQUENCE
            | Kind::OBJECT_TYPE
            | Kind::OBJECT_DOMAIN
            | Kind::OBJECT_SCHEMA
            | Kind::OBJECT_FUNCTION
            | Kind::OBJECT_PROCEDURE
            | Kind::OBJECT_ROUTINE => self.references(object),
            Kind::OBJECT_CONSTRAINT | Kind::OBJECT_TRIGGER | Kind::OBJECT_POLICY => {
                self.comment_on_part(object);
            }
            _ => {}
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
                self.refer_policy(at, false);
            }
        }
    }
}
