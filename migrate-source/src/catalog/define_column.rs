//! Keeps what statements say about columns besides their names, for the schema and the lints.

use super::Catalog;
use super::define::set;
use super::definition::{Definition, Piece, text};
use super::object::Sort;
use super::relation::Key;
use super::types::is_type;
use crate::syntax::tree::{At, Kind, Token};

impl Catalog {
    /// A column's type, default and NOT NULL, from its declaration.
    pub(super) fn define_column(&mut self, key: &Key, name: &str, at: At<'_>) {
        if !self.defines() {
            return;
        }
        let id = self.column_id(key, name);
        let parents = self.relation(key).map_or(&[][..], |relation| &relation.parents);
        let mut same =
            parents.iter().map(|parent| self.column_id(parent, name)).chain([id.clone()]);
        let not_null = same.any(|one| self.definition(one).is_some_and(|known| known.not_null));
        let mut column = Definition { not_null, ..Definition::default() };
        for part in at.children() {
            match part.kind() {
                kind if is_type(kind) => column.words = self.written(part, None),
                Kind::COLLATE => {
                    column.words.push(Piece::Text(" ".to_owned()));
                    column.words.extend(self.written(part, None));
                }
                Kind::NOT_NULL_CONSTRAINT | Kind::PRIMARY_KEY_CONSTRAINT => column.not_null = true,
                Kind::DEFAULT_CONSTRAINT => column.default = self.written_without_name(part, key),
                Kind::GENERATED_CONSTRAINT => {
                    column.not_null |= part.find(Kind::GENERATED_IDENTITY).is_some();
                    column.default = self.written_without_name(part, key);
                }
                _ => {}
            }
        }
        self.define(id, column);
    }

    /// A serial column is an integer with a default.
    pub(super) fn define_serial(&mut self, key: &Key, name: &str, word: &str) {
        let owns = |one: &&Key| {
            self.relation(one)
                .is_some_and(|one| one.uses.contains(name) && one.made.sort == Sort::Sequence)
        };
        let sequence = self.relation(key).and_then(|table| table.owned.iter().find(owns));
        let default = sequence.and_then(|sequence| self.relation_id(sequence)).map(|id| {
            let mut words = text("DEFAULT nextval('");
            words.extend([Piece::Name(id, String::new()), Piece::Text("'::regclass)".to_owned())]);
            words
        });
        let id = self.column_id(key, name);
        if let (Some(column), Some(default)) = (self.definition_mut(id), default) {
            let integer = match word {
                "bigserial" | "serial8" => "bigint",
                "smallserial" | "serial2" => "smallint",
                _ => "integer",
            };
            column.words = text(integer);
            column.default = default;
            column.not_null = true;
        }
    }

    /// `ALTER COLUMN`.
    pub(super) fn redefine_column(&mut self, key: &Key, name: &str, action: At<'_>) {
        if !self.defines() {
            return;
        }
        if self.perhaps {
            return self.doubt_kept(self.column_id(key, name));
        }
        let written = match action.kind() {
            Kind::SET_TYPE => {
                let mut parts = action
                    .children()
                    .filter(|part| is_type(part.kind()) || part.kind() == Kind::COLLATE);
                let first = parts.next().map(|part| self.written(part, None)).unwrap_or_default();
                parts.fold(first, |mut words, part| {
                    words.push(Piece::Text(" ".to_owned()));
                    words.extend(self.written(part, None));
                    words
                })
            }
            Kind::SET_DEFAULT | Kind::ADD_GENERATED | Kind::SET_EXPRESSION => {
                let first = action.tokens().first().map(Token::end);
                self.written_from(action, first.unwrap_or_default(), Some(key))
            }
            _ => self.written(action, Some(key)),
        };
        let id = self.column_id(key, name);
        let Some(column) = self.definition_mut(id) else { return };
        match action.kind() {
            Kind::SET_TYPE => column.words = written,
            Kind::SET_DEFAULT => column.default = written,
            Kind::ADD_GENERATED => (column.default, column.not_null) = (written, true),
            Kind::DROP_DEFAULT | Kind::DROP_IDENTITY | Kind::DROP_EXPRESSION => {
                column.default.clear();
            }
            Kind::SET_NOT_NULL => column.not_null = true,
            Kind::DROP_NOT_NULL => column.not_null = false,
            Kind::COLUMN_NAME_REF => {}
            kind => set(&mut column.settings, kind, written),
        }
    }

    /// Columns that are copied from those of another table.
    pub(super) fn copy_column(&mut self, from: Option<&Key>, to: &Key, name: &str, like: At<'_>) {
        let from = from.and_then(|from| self.column_id(from, name));
        let Some(mut column) = self.definition(from).cloned() else { return };
        let defaults = [Kind::PROPERTY_ALL, Kind::PROPERTY_DEFAULTS];
        if !like.all().any(|option| defaults.contains(&option.kind())) {
            column.default.clear();
        }
        column.settings.clear();
        self.define(self.column_id(to, name), column);
    }
}
