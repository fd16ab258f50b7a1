//! What CASCADE can drop: what names the dropped object, and what names that. Nothing else is doubted.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Catalog;
use super::depend::User;
use super::object::{Object, Sort, Space};
use super::relation::Key;

/// How many new names of an object are followed.
const RENAMES: usize = 64;

/// Which objects name which, whether what they name is known or not.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// By the name that they name; those under the empty name can name any.
    users: HashMap<String, Vec<User>>,
    /// Other names that something of a name has, or had.
    also: HashMap<String, Vec<String>>,
    /// The new names of relations.
    renamed: HashMap<Key, Vec<Key>>,
    /// Whether something was renamed in a way that is not followed.
    pub(super) lost: bool,
}

impl Naming {
    pub(super) fn note(&mut self, name: String, user: &User) {
        let users = self.users.entry(name).or_default();
        if users.last() != Some(user) {
            users.push(user.clone());
        }
    }

    /// A relation has another name from now on, perhaps.
    pub(super) fn rename(&mut self, from: &Key, to: &Key) {
        self.also.entry(to.name.clone()).or_default().push(from.name.clone());
        self.renamed.entry(from.clone()).or_default().push(to.clone());
    }

    /// What names one of these, and what names that.
    fn users_of(&self, names: BTreeSet<String>) -> Vec<User> {
        let (mut seen, mut all) = (HashSet::new(), Vec::new());
        let mut rest: Vec<String> = names.into_iter().chain([String::new()]).collect();
        while let Some(name) = rest.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            rest.extend(self.also.get(&name).into_iter().flatten().cloned());
            for user in self.users.get(&name).into_iter().flatten() {
                if let User::View(key) | User::Function(key) = user {
                    rest.extend(self.keys_of(key).into_iter().map(|key| key.name));
                }
                all.push(user.clone());
            }
        }
        all
    }

    /// A relation under this name and its later ones.
    fn keys_of(&self, key: &Key) -> Vec<Key> {
        let mut keys = vec![key.clone()];
        let mut next = 0;
        while let Some(key) = keys.get(next).cloned().filter(|_| keys.len() < RENAMES) {
            let more = self.renamed.get(&key).into_iter().flatten();
            let more: Vec<Key> = more.filter(|key| !keys.contains(key)).cloned().collect();
            keys.extend(more);
            next += 1;
        }
        keys
    }
}

impl Catalog {
    /// What depends on relations of these names can be gone.
    pub(super) fn cascade_from(&mut self, names: BTreeSet<String>) {
        if self.naming.lost || self.blurs.of_makes(Sort::View) > 0 {
            return self.cascade();
        }
        for user in self.naming.users_of(names) {
            for key in self.naming.keys_of(user.relation()) {
                self.doubt_user(&user, &key);
            }
        }
    }

    /// What depended on something can be gone; `key` is a name of its relation.
    fn doubt_user(&mut self, user: &User, key: &Key) {
        if let User::Function(key) = user {
            let schema = self.schemas.objects.get_mut(&key.schema);
            let known = schema.and_then(|schema| schema.routines.objects.get_mut(&key.name));
            match known {
                Some(routine) => routine.made_mut().sure = false,
                None => self.blur_drops(Sort::Function),
            }
            return;
        }
        let Some(relation) = self.relation_mut(key) else { return };
        match user {
            User::View(_) | User::Function(_) => relation.made.sure = false,
            User::ForeignKey(_, name) => doubt(&mut relation.constraints, name),
            User::Column(_, name) => doubt(&mut relation.columns, name),
            User::Trigger(_, name) => doubt(&mut relation.triggers, name),
            User::Policy(_, name) => doubt(&mut relation.policies, name),
        }
    }

    /// What depends on something that a statement drops with CASCADE can be gone.
    pub(super) fn cascade(&mut self) {
        for sort in [
            Sort::View,
            Sort::Constraint,
            Sort::ForeignKey,
            Sort::Trigger,
            Sort::Policy,
            Sort::Function,
        ] {
            self.blur_drops(sort);
        }
    }
}

/// Marks an object as one that can be gone; one that has another name by now can be any.
fn doubt<T: Object>(space: &mut Space<T>, name: &str) {
    if let Some(one) = space.objects.get_mut(name) {
        one.made_mut().sure = false;
        return;
    }
    for one in space.objects.values_mut() {
        one.made_mut().sure = false;
    }
}
