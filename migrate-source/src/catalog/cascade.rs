//! What CASCADE can drop: what names the dropped object, and what names that. Nothing else is doubted.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::Catalog;
use super::depend::{On, User};
use super::name::Path;
use super::named::Named;
use super::object::{How, Object, Sort, sorts};
use super::relation::Key;

/// How many new names of an object are followed.
const RENAMES: usize = 64;

/// Which objects name which, whether what they name is known or not.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// By the name that they name; those under the empty name can name any.
    users: Named<Vec<Rc<User>>>,
    /// Other names that something of a name has, or had.
    also: Named<Vec<String>>,
    /// The new names of relations.
    renamed: FxHashMap<Key, Vec<Key>>,
    /// Whether something was renamed in a way that is not followed.
    pub(super) lost: bool,
}

impl Naming {
    pub(super) fn note(&mut self, name: &str, user: &Rc<User>) {
        let users = self.users.get_or_insert_with(name, Vec::new);
        if users.last() != Some(user) {
            users.push(Rc::clone(user));
        }
    }

    /// A relation has another name from now on, perhaps.
    pub(super) fn rename(&mut self, from: &Key, to: &Key) {
        self.also.get_or_insert_with(&to.name, Vec::new).push(from.name.clone());
        self.renamed.entry(from.clone()).or_default().push(to.clone());
    }

    /// What names one of these, and what names that.
    fn users_of(&self, names: BTreeSet<String>) -> Vec<Rc<User>> {
        let (mut seen, mut all) = (HashSet::new(), Vec::new());
        let mut rest: Vec<String> = names.into_iter().chain([String::new()]).collect();
        while let Some(name) = rest.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            rest.extend(self.also.get(&name).into_iter().flatten().cloned());
            for user in self.users.get(&name).into_iter().flatten() {
                // What reads a column can go with it.
                if user.part.is_none() || user.sort == Sort::Column {
                    rest.extend(self.keys_of(&user.key).into_iter().map(|key| key.name));
                }
                all.push(Rc::clone(user));
            }
        }
        all
    }

    /// The part that a drop of objects of these names needs.
    pub(super) fn part(&self, names: &HashSet<String>) -> Naming {
        let mut part = Naming { lost: self.lost, ..Naming::default() };
        let mut rest: Vec<String> = names.iter().cloned().chain([String::new()]).collect();
        while let Some(name) = rest.pop() {
            if part.users.contains_key(&name) {
                continue;
            }
            let also = self.also.get(&name).cloned().unwrap_or_default();
            rest.extend(also.iter().cloned());
            let users = self.users.get(&name).cloned().unwrap_or_default();
            for key in users.iter().flat_map(|user| self.keys_of(&user.key)) {
                rest.push(key.name.clone());
                let renamed = self.renamed.get(&key).cloned();
                part.renamed.extend(renamed.map(|renamed| (key, renamed)));
            }
            part.also.insert(name.clone(), also);
            part.users.insert(name, users);
        }
        part
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
    /// Drops the views and the foreign keys that certainly depend on something, and what depends on those.
    pub(super) fn drop_users(&mut self, on: &On, path: &Path) {
        if self.perhaps {
            return;
        }
        let users: Vec<User> = self.users(on).map(|(user, _)| user.clone()).collect();
        for user in users {
            match (user.sort, &user.part) {
                (Sort::View, _) => {
                    self.drop_users(&On::Relation(user.key.clone()), path);
                    self.remove(&user.key, path);
                }
                (Sort::ForeignKey, Some(name)) => {
                    let gone = self.gone_as(How::Dropped, &path.span);
                    if let Some(table) = self.relation_mut(&user.key) {
                        table.constraints.take(name, gone);
                    }
                }
                _ => {}
            }
        }
    }

    /// What depends on relations of these names can be gone.
    pub(super) fn cascade_from(&mut self, names: BTreeSet<String>) {
        if self.naming.lost || self.blurs.of_makes(Sort::View) > 0 {
            return self.cascade();
        }
        for user in self.naming.users_of(names) {
            for key in self.naming.keys_of(&user.key) {
                self.doubt_user(&user, &key);
            }
        }
    }

    /// The foreign keys that refer to a table of which this is a partition can be gone: the server drops one with each of
    /// its partitions.
    pub(super) fn doubt_keys_of_parents(&mut self, part: &Key) {
        let mut parents: Vec<Key> = vec![part.clone()];
        let mut next = 0;
        while let Some(relation) = parents.get(next).map(|key| self.relation(key)) {
            let more = relation.into_iter().flat_map(|relation| relation.parents.clone());
            parents.extend(more.filter(|key| !parents.contains(key)).collect::<Vec<_>>());
            next += 1;
        }
        let is_split =
            |key: &&Key| self.relation(key).is_none_or(|one| one.partitioned_by.is_some());
        let names = parents.iter().skip(1).filter(is_split).map(|key| key.name.clone()).collect();
        for user in self.naming.users_of(names) {
            if user.sort == Sort::ForeignKey {
                for key in self.naming.keys_of(&user.key) {
                    self.doubt_user(&user, &key);
                }
            }
        }
    }

    /// What depended on something can be gone; `key` is a name of its relation.
    fn doubt_user(&mut self, user: &User, key: &Key) {
        if user.sort == Sort::Function {
            let schema = self.schemas.objects.get_mut(&user.key.schema);
            let known = schema.and_then(|schema| schema.routines.objects.get_mut(&user.key.name));
            match known {
                Some(routine) => routine.made_mut().sure = false,
                None => self.blur_drops(Sort::Function),
            }
            return;
        }
        let Some(relation) = self.relation_mut(key) else { return };
        match &user.part {
            None => relation.made.sure = false,
            Some(name) => relation.part_mut(user.sort).doubt_renamed(name),
        }
    }

    /// What depends on something that a statement drops with CASCADE can be gone.
    pub(super) fn cascade(&mut self) {
        for sort in sorts![View, Constraint, ForeignKey, Trigger, Policy, Function] {
            self.blur_drops(sort);
        }
    }

    /// The same for what columns and indexes depend on, and tables of a type or of a foreign server.
    pub(super) fn cascade_to_columns(&mut self) {
        self.cascade();
        for sort in sorts![Column, Index, Sequence, Type] {
            self.blur_drops(sort);
        }
        if self.has_dependent_tables {
            self.blur_drops(Sort::Table);
        }
    }
}
