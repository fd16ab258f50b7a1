//! Sequences, also those that a column owns.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Catalog;
use super::depend::{On, User};
use super::name::Path;
use super::object::{Look, Sort};
use super::relation::{Key, Relation};
use super::table::is_temporary;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    pub(super) fn create_sequence(&mut self, at: At<'_>) {
        let Some(path) = at.child(Kind::SEQUENCE).and_then(Path::of) else {
            return self.blur_relations();
        };
        let key = self.make(at, Sort::Sequence, &path, is_temporary(at));
        if let Some(relation) = key.as_ref().and_then(|key| self.relation_mut(key)) {
            relation.open();
        }
        if key.is_some() {
            self.define_relation(key.as_ref(), at, Kind::SEQUENCE);
            self.owned_by(at, key);
        }
    }

    pub(super) fn alter_sequence(&mut self, at: At<'_>) {
        let Some(path) = at.child(Kind::SEQUENCE_REF).and_then(Path::of) else {
            return self.blur_relations();
        };
        let key = self.refer(Sort::Sequence, &path, at.has(Kind::IF_EXISTS));
        match &key {
            Some(key) if self.perhaps && at.find(Kind::OPTION_OWNED_BY).is_some() => {
                self.doubt(key);
            }
            _ => self.owned_by(at, key.clone()),
        }
        self.define_settings(key.as_ref(), at);
        let Some(key) = key else { return self.alter_relation(at, None, &path) };
        if let Some(action) = at.child(Kind::SEQUENCE_RENAME_TO) {
            self.rename_to(&key, action);
        } else if at.has(Kind::SET_SCHEMA) {
            self.move_to(&key, at);
        }
    }

    /// `OWNED BY table.column`.
    fn owned_by(&mut self, at: At<'_>, sequence: Option<Key>) {
        let Some(option) = at.find(Kind::OPTION_OWNED_BY) else { return };
        let node = option.find(Kind::QUALIFIED_COLUMN_NAME_REF);
        let owner = node.and_then(|node| Some((node, Path::of_column(node)?)));
        let Some((node, (table, column))) = owner else {
            // NONE
            return sequence.into_iter().for_each(|sequence| self.disown(&sequence));
        };
        let Some(table) = self.refer(Sort::Table, &table, false) else { return };
        self.refer_column(&table, &column, node.span());
        if let Some(sequence) = sequence {
            self.own(&table, sequence, BTreeSet::from([column]));
        }
    }

    /// The sequence of a serial or identity column, with the name that the server makes unless one is given.
    pub(super) fn own_sequence(
        &mut self,
        table: &Key,
        column: &str,
        (at, span): (At<'_>, &Range<usize>),
    ) {
        let given = at.find(Kind::OPTION_SEQUENCE_NAME).and_then(|at| at.find(Kind::SEQUENCE));
        let (schema, (name, is_certain)) = match given.and_then(Path::of) {
            Some(Path { qualifier, name, .. }) => {
                (qualifier.unwrap_or_else(|| table.schema.clone()), (name, true))
            }
            None => (table.schema.clone(), self.free(table, column, "seq", &[Sort::Sequence])),
        };
        let key = Key { schema, name: name.clone() };
        if self.look_in(&key) == Look::Found(()) {
            return;
        }
        let mut made = self.made(Sort::Sequence, span);
        made.sure &= is_certain;
        self.born(Sort::Sequence, &name, span);
        self.note_named_instead_of(&key.schema, &name, made);
        self.schema_mut(&key.schema).relations.put(name, Relation::unknown(made));
        self.own(table, key.clone(), BTreeSet::from([column.to_owned()]));
        self.depend(On::Relation(key), User::part(Sort::Column, table, column).into());
    }
}
