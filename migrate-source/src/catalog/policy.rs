//! Policies, which hang on a table.

use super::Catalog;
use super::definition::Id;
use super::depend::User;
use super::name::{self, Path};
use super::object::{How, Look, Sort};
use super::query::{Item, Scope, Source};
use super::relation::Key;
use super::trigger::table_of;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    pub(super) fn create_policy(&mut self, at: At<'_>) {
        let Some(table) = table_of(at) else { return self.blur(Sort::Policy) };
        let key = self.refer(Sort::Table, &table, false);
        let ((), reads) = self.reading(|catalog| catalog.policy_parts(at, &table, key.as_ref()));
        let (Some(key), Some(node)) = (key, at.child(Kind::POLICY)) else { return };
        let Some(name) = name::name(node) else { return self.blur(Sort::Policy) };
        let path = Path { qualifier: None, name, span: node.span() };
        self.born(Sort::Policy, &path.name, &path.span);
        if self.look_on(&key, &path.name, |table| &table.policies) == Look::Found(()) {
            return self.doubled_in(Sort::Policy, &path, &key);
        }
        let made = self.made(Sort::Policy, &path.span);
        if let Some(table) = self.relation_mut(&key) {
            table.policies.put(path.name.clone(), made);
        }
        self.define_rest(Id::of(&made, ""), at, node, Some(&key));
        self.depend_all(reads, &User::Policy(key, path.name));
    }

    /// The conditions of a policy, in which the table is in scope.
    fn policy_parts(&mut self, at: At<'_>, table: &Path, key: Option<&Key>) {
        let source = key.map_or(Source::Open, |key| Source::Relation(key.clone()));
        let item = Item { alias: Some(table.name.clone()), source };
        let scope = Scope { items: vec![item], ..Scope::default() };
        let parts = [Kind::USING_EXPR_CLAUSE, Kind::WITH_CHECK_EXPR_CLAUSE];
        for part in at.all().filter(|node| parts.contains(&node.kind())).collect::<Vec<_>>() {
            self.expression(part, &scope);
        }
    }

    pub(super) fn refer_policy(&mut self, at: At<'_>, conditional: bool) -> Option<(Key, Path)> {
        let table = table_of(at)?;
        let key = self.refer(Sort::Table, &table, conditional)?;
        let Some(path) = at.child(Kind::POLICY_REF).and_then(Path::of) else {
            self.blur(Sort::Policy);
            return None;
        };
        let known = self.look_on(&key, &path.name, |table| &table.policies);
        if known.is_missing() && !conditional {
            self.missing(Sort::Policy, &path, Some(&key));
            if let Some(table) = self.relation_mut(&key) {
                table.policies.doubt(&path.name);
            }
        }
        Some((key, path))
    }

    pub(super) fn drop_policy(&mut self, at: At<'_>) {
        let Some((key, path)) = self.refer_policy(at, at.has(Kind::IF_EXISTS)) else { return };
        let (place, stamp, perhaps) = (self.place(&path.span), self.stamp, self.perhaps);
        let Some(table) = self.relation_mut(&key) else { return };
        if perhaps {
            table.policies.doubt(&path.name);
        } else {
            table.policies.take(&path.name, How::Dropped, place, stamp);
        }
    }

    pub(super) fn alter_policy(&mut self, at: At<'_>) {
        let Some((key, path)) = self.refer_policy(at, false) else { return };
        let table = Path { name: key.name.clone(), ..path.clone() };
        let ((), reads) = self.reading(|catalog| catalog.policy_parts(at, &table, Some(&key)));
        self.renew_policy(&key, &path.name);
        self.depend_all(reads, &User::Policy(key.clone(), path.name.clone()));
        self.redefine_policy(&key, &path.name, at);
        let to = at.child(Kind::POLICY_RENAME_TO).and_then(|to| to.child(Kind::POLICY));
        let Some(to) = to.and_then(Path::of) else { return };
        if self.perhaps {
            return self.blur(Sort::Policy);
        }
        let (place, stamp) = (self.place(&path.span), self.stamp);
        let made = self.made(Sort::Policy, &to.span);
        if let Some(table) = self.relation_mut(&key) {
            let how = How::Renamed(to.name.clone());
            let old = table.policies.take(&path.name, how, place, stamp);
            table.policies.put(to.name, made);
            self.redefine(old.and_then(|old| Id::of(&old, "")), Id::of(&made, ""));
        }
    }

    /// A policy is altered: it may no longer depend on what it did.
    fn renew_policy(&mut self, key: &Key, name: &str) {
        let stamp = self.stamp;
        if self.look_on(key, name, |table| &table.policies) == Look::Found(())
            && let Some(table) = self.relation_mut(key)
            && let Some(policy) = table.policies.objects.get_mut(name)
        {
            policy.stamp = stamp;
        }
    }
}
