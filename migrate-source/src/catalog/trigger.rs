//! Triggers and rules, which hang on a table, and what policies have in common with triggers.

use super::Catalog;
use super::definition::Id;
use super::depend::{Reads, User};
use super::name::{self, Path};
use super::object::{How, Look, Made, Sort, Space};
use super::query::{Item, Scope, Source};
use super::relation::{Key, Relation};
use crate::syntax::tree::{At, Kind};

/// The table in a clause `ON table`.
pub(super) fn table_of(at: At<'_>) -> Option<Path> {
    let clause = at.child(Kind::ON_RELATION).or_else(|| at.child(Kind::ON_TABLE)).unwrap_or(at);
    let node = clause.child(Kind::RELATION_NAME_REF).or_else(|| clause.child(Kind::TABLE_NAME_REF));
    node.and_then(Path::of)
}

impl Relation {
    /// Its triggers or its policies.
    fn hanging_mut(&mut self, sort: Sort) -> &mut Space<Made> {
        if sort == Sort::Trigger { &mut self.triggers } else { &mut self.policies }
    }
}

impl Catalog {
    pub(super) fn create_trigger(&mut self, at: At<'_>) {
        let Some(table) = table_of(at) else { return self.blur(Sort::Trigger) };
        let key = self.refer(Sort::Table, &table, false);
        let ((), reads) = self.reading(|catalog| catalog.trigger_parts(at, key.as_ref()));
        self.make_hanging(Sort::Trigger, key, at, reads);
    }

    /// Puts what a statement makes on a table: a trigger or a policy.
    pub(super) fn make_hanging(&mut self, sort: Sort, key: Option<Key>, at: At<'_>, reads: Reads) {
        let node = at.child(Kind::TRIGGER).or_else(|| at.child(Kind::POLICY));
        let (Some(key), Some(node)) = (key, node) else { return };
        let Some(name) = name::name(node) else { return self.blur(sort) };
        let path = Path { qualifier: None, name, span: node.span() };
        self.born(sort, &path.name, &path.span);
        if self.look_on(&key, sort, &path.name) == Look::Found(()) && !at.has(Kind::OR_REPLACE) {
            return self.doubled_in(sort, &path, &key);
        }
        let made = self.made(sort, &path.span);
        if let Some(table) = self.relation_mut(&key) {
            table.hanging_mut(sort).put(path.name.clone(), made);
        }
        self.define_rest(Id::of(&made, ""), at, node, Some(&key));
        self.depend_all(reads, User::part(sort, &key, path.name));
    }

    /// What a trigger names: columns, its condition, and its function, which can run from now on.
    fn trigger_parts(&mut self, at: At<'_>, key: Option<&Key>) {
        if let (Some(events), Some(key)) = (at.child(Kind::TRIGGER_EVENT_LIST), key) {
            self.refer_columns(key, events);
        }
        let named = at.every(Kind::TRANSITION_RELATION_NAME);
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

    /// What is known of the trigger or the policy of a name.
    pub(super) fn look_on(&self, key: &Key, sort: Sort, name: &str) -> Look<()> {
        let relation = self.relation(key).filter(|relation| relation.is_sure(&self.blurs));
        relation.map_or(Look::Unknown, |one| one.part(sort).look_at(name, &self.blurs))
    }

    /// The trigger or the policy that a statement alters, drops or comments on, with its table.
    pub(super) fn refer_hanging(
        &mut self,
        sort: Sort,
        at: At<'_>,
        conditional: bool,
    ) -> Option<(Key, Path)> {
        let Some(table) = table_of(at) else {
            self.blur(sort);
            return None;
        };
        let key = self.refer(Sort::Table, &table, conditional)?;
        let node = at.child(Kind::TRIGGER_REF).or_else(|| at.child(Kind::POLICY_REF));
        let Some(path) = node.and_then(Path::of) else {
            self.blur(sort);
            return None;
        };
        self.use_hanging(sort, &key, &path, conditional);
        Some((key, path))
    }

    fn use_hanging(&mut self, sort: Sort, key: &Key, path: &Path, conditional: bool) {
        if self.look_on(key, sort, &path.name).is_missing() && !conditional {
            self.missing(sort, path, Some(key));
            if let Some(table) = self.relation_mut(key) {
                table.part_mut(sort).doubt(&path.name);
            }
        }
    }

    /// `DROP TRIGGER` and `DROP POLICY`.
    pub(super) fn drop_hanging(&mut self, sort: Sort, at: At<'_>) {
        let found = self.refer_hanging(sort, at, at.has(Kind::IF_EXISTS));
        let Some((key, path)) = found else { return };
        let (gone, perhaps) = (self.gone_as(How::Dropped, &path.span), self.perhaps);
        if let Some(table) = self.relation_mut(&key) {
            table.part_mut(sort).lose(&path.name, gone, perhaps);
        }
    }

    pub(super) fn alter_trigger(&mut self, at: At<'_>) {
        let Some((key, path)) = self.refer_hanging(Sort::Trigger, at, false) else { return };
        let to = at.child(Kind::TRIGGER_RENAME_TO).and_then(|to| to.child(Kind::TRIGGER));
        self.rename_hanging(Sort::Trigger, &key, &path, to);
    }

    /// Gives a trigger or a policy the name in a node.
    pub(super) fn rename_hanging(
        &mut self,
        sort: Sort,
        key: &Key,
        path: &Path,
        to: Option<At<'_>>,
    ) {
        let Some(to) = to.and_then(Path::of) else { return };
        if self.perhaps {
            return self.blur(sort);
        }
        let gone = self.gone_as(How::Renamed(to.name.clone()), &path.span);
        let made = self.made(sort, &to.span);
        if let Some(table) = self.relation_mut(key) {
            let old = table.hanging_mut(sort).take(&path.name, gone);
            table.hanging_mut(sort).put(to.name, made);
            self.redefine(old.and_then(|old| Id::of(&old, "")), Id::of(&made, ""));
        }
    }

    /// `ALTER TABLE .. ENABLE TRIGGER t`, and actions that name nothing of the table.
    pub(super) fn table_triggers(&mut self, key: &Key, at: At<'_>) {
        let named = at.child(Kind::TRIGGER_REF).and_then(Path::of);
        match named {
            Some(path) if !matches!(path.name.as_str(), "all" | "user") => {
                self.use_hanging(Sort::Trigger, key, &path, false);
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
