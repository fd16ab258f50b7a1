//! Policies, which hang on a table.

use super::Catalog;
use super::depend::User;
use super::name::Path;
use super::object::{Look, Sort};
use super::query::{Item, Scope, Source};
use super::relation::Key;
use super::trigger::table_of;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    pub(super) fn create_policy(&mut self, at: At<'_>) {
        let Some(table) = table_of(at) else { return self.blur(Sort::Policy) };
        let key = self.refer(Sort::Table, &table, false);
        let ((), reads) = self.reading(|catalog| catalog.policy_parts(at, &table, key.as_ref()));
        self.make_hanging(Sort::Policy, key, at, reads);
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

    pub(super) fn alter_policy(&mut self, at: At<'_>) {
        let Some((key, path)) = self.refer_hanging(Sort::Policy, at, false) else { return };
        let table = Path { name: key.name.clone(), ..path.clone() };
        let ((), reads) = self.reading(|catalog| catalog.policy_parts(at, &table, Some(&key)));
        self.renew_policy(&key, &path.name);
        self.depend_all(reads, User::part(Sort::Policy, &key, &*path.name));
        self.redefine_policy(&key, &path.name, at);
        let to = at.child(Kind::POLICY_RENAME_TO).and_then(|to| to.child(Kind::POLICY));
        self.rename_hanging(Sort::Policy, &key, &path, to);
    }

    /// A policy is altered: it may no longer depend on what it did.
    fn renew_policy(&mut self, key: &Key, name: &str) {
        let stamp = self.stamp;
        if self.look_on(key, Sort::Policy, name) == Look::Found(())
            && let Some(table) = self.relation_mut(key)
            && let Some(policy) = table.policies.objects.get_mut(name)
        {
            policy.stamp = stamp;
        }
    }
}
