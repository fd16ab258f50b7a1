//! Other names and other schemas for relations, and what refers to them by name.

use super::Catalog;
use super::depend::On;
use super::name::Path;
use super::object::{How, Look, Names, Sort};
use super::relation::{Key, Relation};
use crate::syntax::tree::{At, Kind};

impl Catalog {
    /// What a statement renames, which is returned.
    pub(super) fn rename_to(&mut self, key: &Key, action: At<'_>) -> Option<Key> {
        let names = [Kind::TABLE_NAME, Kind::VIEW, Kind::INDEX, Kind::SEQUENCE];
        let node = names.into_iter().find_map(|kind| action.child(kind))?;
        let Some(path) = Path::of(node) else {
            self.blur_relations();
            return None;
        };
        let to = Key { schema: key.schema.clone(), name: path.name.clone() };
        self.rename(key, &to, How::Renamed(path.name.clone()), &path);
        Some(to)
    }

    /// What a statement moves to another schema with all that it owns; it is returned.
    pub(super) fn move_to(&mut self, key: &Key, at: At<'_>) -> Option<Key> {
        let path = self.moved(at)?;
        if path.name == key.schema {
            return Some(key.clone());
        }
        let to = Key { schema: path.name.clone(), name: key.name.clone() };
        let owned = self.relation(key).map(|relation| relation.owned.clone()).unwrap_or_default();
        for one in owned.iter().chain([key]) {
            let to = Key { schema: path.name.clone(), name: one.name.clone() };
            self.rename(one, &to, How::Moved(path.name.clone()), &path);
        }
        Some(to)
    }

    /// Gives a relation another name, or another schema.
    pub(super) fn rename(&mut self, from: &Key, to: &Key, how: How, path: &Path) {
        self.born(Sort::Table, &to.name, &path.span);
        self.naming.rename(from, to);
        if self.derived.contains(&from.name) {
            self.derived.insert(to.name.clone());
        }
        if self.perhaps {
            return self.rename_perhaps(from, to, path);
        }
        if let Some(all) = self.dependences.remove(&On::Relation(from.clone())) {
            self.dependences.insert(On::Relation(to.clone()), all);
        }
        if let Look::Found(()) = self.look_in(to) {
            let name = to.name.clone();
            let sort = self.relation(from).map_or(Sort::Table, |relation| relation.made.sort);
            self.doubled(
                sort,
                &Path { qualifier: Some(to.schema.clone()), name, span: path.span.clone() },
            );
            return;
        }
        let gone = self.gone_as(how, &path.span);
        let relations = &mut self.schema_mut(&from.schema).relations;
        let Some(relation) = relations.take(&from.name, gone) else { return };
        self.repoint(&relation, from, to);
        let schema = self.schema_mut(&to.schema);
        if from.schema != to.schema {
            schema.constraint_names.extend(relation.constraints.objects.keys().cloned());
        }
        schema.relations.put(to.name.clone(), relation);
    }

    /// Either of two names can mean a relation from now on.
    fn rename_perhaps(&mut self, from: &Key, to: &Key, path: &Path) {
        if let Some(all) = self.dependences.get(&On::Relation(from.clone())).cloned() {
            self.dependences.entry(On::Relation(to.clone())).or_default().extend(all);
        }
        let sort = self.relation(from).map_or(Sort::Table, |relation| relation.made.sort);
        let made = self.made(sort, &path.span);
        let definition = self.definition(self.relation_id(from)).cloned();
        self.schema_mut(&from.schema).relations.doubt(&from.name);
        self.schema_mut(&to.schema).gain(&to.name, made);
        let id = self.relation_id(to);
        if let Some(definition) = definition.filter(|_| self.definition(id.clone()).is_none()) {
            self.define(id, definition);
        }
    }

    /// What refers to relations by the name of their schema refers to its new one.
    pub(super) fn repoint_schema(&mut self, from: &str, to: &str) {
        let repoint = |key: &mut Key| {
            if key.schema == from {
                to.clone_into(&mut key.schema);
            }
        };
        let schemas = self.schemas.objects.values_mut();
        for relation in schemas.flat_map(|schema| schema.relations.objects.values_mut()) {
            let Relation { parents, children, owner, owned, .. } = relation;
            parents.iter_mut().chain(children).chain(owner).for_each(repoint);
            let mut keys: Vec<Key> = std::mem::take(owned).into_iter().collect();
            keys.iter_mut().for_each(repoint);
            owned.extend(keys);
        }
    }

    /// What refers to a relation by its name refers to its new one.
    fn repoint(&mut self, relation: &Relation, from: &Key, to: &Key) {
        for owned in &relation.owned {
            if let Some(owned) = self.relation_mut(owned) {
                owned.owner = Some(to.clone());
            }
        }
        for parent in &relation.parents {
            let Some(parent) = self.relation_mut(parent) else { continue };
            for child in parent.children.iter_mut().filter(|child| *child == from) {
                *child = to.clone();
            }
        }
        for child in &relation.children {
            let Some(child) = self.relation_mut(child) else { continue };
            for parent in child.parents.iter_mut().filter(|parent| *parent == from) {
                *parent = to.clone();
            }
        }
        if let Some(owner) = relation.owner.as_ref().and_then(|owner| self.relation_mut(owner))
            && owner.owned.remove(from)
        {
            owner.owned.insert(to.clone());
        }
    }
}
