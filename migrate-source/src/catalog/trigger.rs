//! Triggers and rules, which hang on a table.

use super::Catalog;
use super::definition::Id;
use super::depend::User;
use super::name::{self, Path};
use super::object::{How, Look, Made, Sort};
use super::query::{Item, Scope, Source};
use super::relation::{Key, Relation};
use crate::syntax::tree::{At, Kind};

/// The table in a clause `ON table`.
pub(super) fn table_of(at: At<'_>) -> Option<Path> {
    let clause = at.child(Kind::ON_RELATION).or_else(|| at.child(Kind::ON_TABLE)).unwrap_or(at);
    let node = clause.child(Kind::RELATION_NAME_REF).or_else(|| clause.child(Kind::TABLE_NAME_REF));
    node.and_then(Path::of)
}

impl Catalog {
    pub(super) fn create_trigger(&mut self, at: At<'_>) {
        let Some(table) = table_of(at) else { return self.blur(Sort::Trigger) };
        let key = self.refer(Sort::Table, &table, false);
        let ((), reads) = self.reading(|catalog| catalog.trigger_parts(at, key.as_ref()));
        let (Some(key), Some(node)) = (key, at.child(Kind::TRIGGER)) else { return };
        let Some(name) = name::name(node) else { return self.blur(Sort::Trigger) };
        let path = Path { qualifier: None, name, span: node.span() };
        self.born(Sort::Trigger, &path.name, &path.span);
        let made = self.made(Sort::Trigger, &path.span);
        let known = self.look_on(&key, &path.name, |table| &table.triggers);
        if known == Look::Found(()) && !at.has(Kind::OR_REPLACE) {
            return self.doubled_in(Sort::Trigger, &path, &key);
        }
        if let Some(table) = self.relation_mut(&key) {
            table.triggers.put(path.name.clone(), made);
        }
        self.define_rest(Id::of(&made, ""), at, node, Some(&key));
        self.depend_all(reads, &User::Trigger(key, path.name));
    }

    /// What a trigger names: columns, its condition, and its function, which can run from now on.
    fn trigger_parts(&mut self, at: At<'_>, key: Option<&Key>) {
        if let (Some(events), Some(key)) = (at.child(Kind::TRIGGER_EVENT_LIST), key) {
            self.refer_columns(key, events);
        }
        let named = at.all().filter(|node| node.kind() == Kind::TRANSITION_RELATION_NAME);
        self.transitions.extend(named.filter_map(name::name));
        if let Some(condition) = at.child(Kind::WHEN_CONDITION) {
            let source = || key.map_or(Source::Open, |key| Source::Relation(key.clone()));
            let item = |alias: &str| Item { alias: Some(alias.to_owned()), source: source() };
            let scope = Scope { items: vec![item("old"), item("new")], ..Scope::default() };
            self.expression(condition, &scope);
        }
        let function = at.child(Kind::CALL_EXPR).and_then(|call| call.children().next());
        if let Some(path) = function.and_then(Path::of) {
            self.refer_function(&path, false);
            if let Some(effects) = self.effects_of(&path) {
                self.run(&effects);
            }
        }
    }

    /// What is known of a name that hangs on a table.
    pub(super) fn look_on(
        &self,
        key: &Key,
        name: &str,
        space: impl Fn(&Relation) -> &super::object::Space<Made>,
    ) -> Look<()> {
        let Some(relation) = self.relation(key) else { return Look::Unknown };
        if !relation.is_sure(&self.blurs) {
            return Look::Unknown;
        }
        space(relation).look(name, &self.blurs).map(|_| ())
    }

    pub(super) fn drop_trigger(&mut self, at: At<'_>) {
        let Some(table) = table_of(at) else { return self.blur(Sort::Trigger) };
        let conditional = at.has(Kind::IF_EXISTS);
        let Some(key) = self.refer(Sort::Table, &table, conditional) else { return };
        let Some(path) = at.child(Kind::TRIGGER_REF).and_then(Path::of) else {
            return self.blur(Sort::Trigger);
        };
        self.refer_trigger(&key, &path, conditional);
        let (place, stamp, perhaps) = (self.place(&path.span), self.stamp, self.perhaps);
        let Some(table) = self.relation_mut(&key) else { return };
        if perhaps {
            table.triggers.doubt(&path.name);
        } else {
            table.triggers.take(&path.name, How::Dropped, place, stamp);
        }
    }

    fn refer_trigger(&mut self, key: &Key, path: &Path, conditional: bool) {
        let known = self.look_on(key, &path.name, |table| &table.triggers);
        if known.is_missing() && !conditional {
            self.missing(Sort::Trigger, path, Some(key));
            if let Some(table) = self.relation_mut(key) {
                table.triggers.doubt(&path.name);
            }
        }
    }

    pub(super) fn alter_trigger(&mut self, at: At<'_>) {
        let Some(table) = table_of(at) else { return self.blur(Sort::Trigger) };
        let Some(key) = self.refer(Sort::Table, &table, false) else { return };
        let Some(path) = at.child(Kind::TRIGGER_REF).and_then(Path::of) else {
            return self.blur(Sort::Trigger);
        };
        self.refer_trigger(&key, &path, false);
        let to = at.child(Kind::TRIGGER_RENAME_TO).and_then(|to| to.child(Kind::TRIGGER));
        let Some(to) = to.and_then(Path::of) else { return };
        let (place, stamp) = (self.place(&path.span), self.stamp);
        let made = self.made(Sort::Trigger, &to.span);
        if self.perhaps {
            return self.blur(Sort::Trigger);
        }
        if let Some(table) = self.relation_mut(&key) {
            let how = How::Renamed(to.name.clone());
            let old = table.triggers.take(&path.name, how, place, stamp);
            table.triggers.put(to.name, made);
            self.redefine(old.and_then(|old| Id::of(&old, "")), Id::of(&made, ""));
        }
    }

    /// `ALTER TABLE .. ENABLE TRIGGER t`, and actions that name nothing of the table.
    pub(super) fn table_triggers(&mut self, key: &Key, at: At<'_>) {
        let named = at.child(Kind::TRIGGER_REF).and_then(Path::of);
        match named {
            Some(path) if !matches!(path.name.as_str(), "all" | "user") => {
                self.refer_trigger(key, &path, false);
            }
            _ => self.references(at),
        }
        self.define_setting(self.relation_id(key), at, Some(key));
    }

    pub(super) fn create_rule(&mut self, at: At<'_>) {
        let on = at.child(Kind::RULE_ON);
        let table = on.and_then(|on| on.child(Kind::RELATION_NAME_REF)).and_then(Path::of);
        if let Some(table) = table {
            self.refer(Sort::Table, &table, false);
        }
        self.expression(at, &Scope::open());
        self.misses_some = true;
    }
}
