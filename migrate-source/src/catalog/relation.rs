//! Relations: what shares the name space of tables, and what hangs on each.

use std::collections::BTreeSet;

use super::Catalog;
use super::depend::On;
use super::name::Path;
use super::object::{Blurs, How, Look, Made, Names, Object, Sort, Space, objects};
use super::scope::{TEMPORARY, is_ledger};
use crate::syntax::tree::{At, Kind};

/// Where a relation is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) schema: String,
    pub(super) name: String,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) made: Made,
    /// Its place in `SELECT *`.
    pub(super) number: usize,
}

/// A constraint, and what it depends on.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub(super) made: Made,
    /// The columns of its table that it names.
    pub(super) columns: BTreeSet<String>,
    /// Whether it is a key, which has an index of its name.
    pub(super) has_index: bool,
}

/// A table, view, sequence or index.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) made: Made,
    pub(super) columns: Space<Column>,
    pub(super) constraints: Space<Constraint>,
    pub(super) triggers: Space<Made>,
    pub(super) policies: Space<Made>,
    /// The tables whose columns it inherits.
    pub(super) parents: Vec<Key>,
    /// The tables that inherit its columns.
    pub(super) children: Vec<Key>,
    /// The indexes of a table, and the sequences that its columns own.
    pub(super) owned: BTreeSet<Key>,
    /// The table of an index or of an owned sequence.
    pub(super) owner: Option<Key>,
    /// The columns of an index; the column that owns a sequence.
    pub(super) uses: BTreeSet<String>,
    /// Whether it is an index with an expression or a WHERE, or a table that can have a generated column.
    pub(super) computes: bool,
    /// The columns by which a partitioned table is partitioned.
    pub(super) partitioned_by: Option<BTreeSet<String>>,
    /// Whether a statement that may not run gave it a parent, or took one.
    pub(super) doubts_parents: bool,
    /// Whether it is the default partition of its table.
    pub(super) is_default: bool,
}

impl Relation {
    pub(super) fn new(made: Made) -> Self {
        Relation {
            made,
            columns: Space::new(Sort::Column, made.stamp),
            constraints: Space::new(Sort::Constraint, made.stamp),
            triggers: Space::new(Sort::Trigger, made.stamp),
            policies: Space::new(Sort::Policy, made.stamp),
            parents: Vec::new(),
            children: Vec::new(),
            owned: BTreeSet::new(),
            owner: None,
            uses: BTreeSet::new(),
            computes: false,
            partitioned_by: None,
            doubts_parents: false,
            is_default: false,
        }
    }

    /// A relation of which nothing else is known.
    pub(super) fn unknown(made: Made) -> Self {
        let mut relation = Relation::new(made);
        relation.open();
        relation
    }

    pub(super) fn open(&mut self) {
        self.columns.open = true;
        self.constraints.open = true;
        self.triggers.open = true;
        self.policies.open = true;
    }

    /// The names of what hangs on it: columns, triggers, policies, or constraints.
    pub(super) fn part(&self, sort: Sort) -> &dyn Names {
        match sort {
            Sort::Column => &self.columns,
            Sort::Trigger => &self.triggers,
            Sort::Policy => &self.policies,
            _ => &self.constraints,
        }
    }

    pub(super) fn part_mut(&mut self, sort: Sort) -> &mut dyn Names {
        match sort {
            Sort::Column => &mut self.columns,
            Sort::Trigger => &mut self.triggers,
            Sort::Policy => &mut self.policies,
            _ => &mut self.constraints,
        }
    }

    /// Whether a constraint of this name, if there is one, has an index of that name.
    pub(super) fn has_key(&self, name: &str) -> Option<bool> {
        self.constraints.objects.get(name).map(|one| one.has_index)
    }

    /// Whether it certainly is as it was seen.
    pub(super) fn is_sure(&self, blurs: &Blurs) -> bool {
        let blur = blurs.of_drops(self.made.sort).max(blurs.of_drops(Sort::Table));
        self.made.sure && self.made.stamp >= blur
    }
}

objects!(Column: |_| true, Constraint: |_| false, Relation: |one| one.constraints.open);

impl Catalog {
    /// Makes a relation in the schema that its name means; `None` if that is not known, or if it is
    /// there and the statement leaves it as it is.
    pub(super) fn make(
        &mut self,
        at: At<'_>,
        sort: Sort,
        path: &Path,
        temporary: bool,
    ) -> Option<Key> {
        self.born(sort, &path.name, &path.span);
        // Another tool makes it, too.
        if is_ledger(&path.name) {
            return None;
        }
        let target = if temporary { Some(TEMPORARY.to_owned()) } else { self.target(path) };
        let Some(schema) = target else {
            self.blur_relations();
            return None;
        };
        self.refer_qualifier(path, false);
        let key = Key { schema: schema.clone(), name: path.name.clone() };
        let conditional = at.has(Kind::IF_NOT_EXISTS);
        let mut relation = Relation::new(self.made(sort, &path.span));
        relation.made.sure &= temporary || self.is_certain(path, &schema);
        self.note_either(path, &schema);
        self.note_instead_of(&schema, path, relation.made);
        match self.look_in(&key) {
            Look::Found(()) if conditional => return None,
            Look::Found(()) => {
                self.doubled(sort, path);
                self.relation_mut(&key)?.open();
                return None;
            }
            Look::Perhaps(()) => {
                self.join(&key, relation.made);
                return None;
            }
            Look::Unknown if conditional => relation.open(),
            Look::Unknown | Look::Missing => {}
        }
        if self.perhaps {
            relation.open();
        }
        if sort != Sort::Index {
            self.confirm_schema(path);
        }
        self.schema_mut(&schema).relations.put(path.name.clone(), relation);
        Some(key)
    }

    /// A relation is made that can be there: either of the two can be, with the union of what they have.
    fn join(&mut self, key: &Key, made: Made) {
        let Some(old) = self.relation_mut(key) else { return };
        old.open();
        old.made.sure |= made.sure;
        old.made.stamp = made.stamp;
        for owned in old.owned.clone() {
            self.schema_mut(&owned.schema).relations.doubt(&owned.name);
        }
    }

    /// The relation that a statement alters or drops; reports one that is missing.
    pub(super) fn refer(&mut self, sort: Sort, path: &Path, conditional: bool) -> Option<Key> {
        match self.look_relation(path) {
            Look::Found(key) => Some(key),
            Look::Perhaps(key) => {
                // The statement would fail if it were not there.
                let certain = !conditional && !self.may_not_run();
                let certain = certain && self.schemas_with(path, Sort::Table).len() < 2;
                let stamp = self.stamp;
                if let Some(relation) = self.relation_mut(&key).filter(|_| certain) {
                    relation.made.sure = true;
                    relation.made.stamp = stamp;
                }
                // It is skipped if that is not there, whatever else it names.
                if let Some(relation) = self.relation_mut(&key).filter(|_| conditional) {
                    relation.open();
                }
                Some(key)
            }
            Look::Unknown => {
                self.refer_qualifier(path, conditional);
                None
            }
            Look::Missing if conditional || self.blurs.of_makes(sort) > 0 => None,
            Look::Missing if sort == Sort::Index && self.is_derived(&path.name) => None,
            Look::Missing => {
                self.missing(sort, path, None);
                self.adopt(path);
                None
            }
        }
    }

    /// The schema before a name.
    pub(super) fn refer_qualifier(&mut self, path: &Path, conditional: bool) {
        if let Some(schema) = &path.qualifier {
            let path = Path { qualifier: None, name: schema.clone(), span: path.span.clone() };
            self.refer_schema(&path, conditional);
        }
    }

    /// Treats a name as that of a relation of which nothing is known, so that its next use is no
    /// second mistake.
    pub(super) fn adopt(&mut self, path: &Path) {
        if self.may_not_run() {
            return;
        }
        let Some(schema) = self.target(path) else { return };
        let made = Made { place: None, sure: false, ..self.made(Sort::Table, &path.span) };
        self.schema_mut(&schema).relations.put(path.name.clone(), Relation::unknown(made));
    }

    /// `DROP TABLE`, `DROP VIEW` and the like, of the names in nodes of this kind.
    pub(super) fn drop_relations(&mut self, at: At<'_>, sort: Sort, names: Kind) {
        let conditional = at.has(Kind::IF_EXISTS);
        let paths: Vec<Path> = at.each(names).filter_map(Path::of).collect();
        let found: Vec<Option<Key>> =
            paths.iter().map(|path| self.drops(sort, path, conditional)).collect();
        let dropped: Vec<Key> = found.iter().flatten().cloned().collect();
        let pairs =
            || paths.iter().zip(&found).filter_map(|(path, key)| Some((key.as_ref()?, path)));
        if at.has(Kind::CASCADE) {
            let mut names: BTreeSet<String> = paths.iter().map(|path| path.name.clone()).collect();
            for (key, path) in pairs() {
                self.drop_users(&On::Relation(key.clone()), path);
                self.names_with(key, &mut names);
                self.doubt_keys_of_parents(key);
            }
            self.cascade_from(names);
        } else {
            for (key, path) in pairs() {
                self.refuse_drop(sort, &On::Relation(key.clone()), path, &dropped);
            }
        }
        for (key, path) in found.into_iter().zip(&paths) {
            match key {
                Some(key) => self.remove(&key, path),
                None => self.forget(path, conditional),
            }
        }
    }

    /// The relation that a statement drops; one that it drops perhaps can be gone.
    fn drops(&mut self, sort: Sort, path: &Path, conditional: bool) -> Option<Key> {
        let key = self.refer(sort, path, conditional)?;
        if !self.perhaps && self.drops_perhaps(path, &key.schema, conditional) {
            self.doubt(&key);
            return None;
        }
        Some(key)
    }

    /// Adds the names of all that a relation takes along.
    fn names_with(&self, key: &Key, names: &mut BTreeSet<String>) {
        let Some(relation) = self.relation(key) else { return };
        for one in relation.children.iter().chain(&relation.owned).chain(&relation.owner) {
            if names.insert(one.name.clone()) {
                self.names_with(one, names);
            }
        }
    }

    /// A name of which nothing was known is gone. `IF EXISTS` does not show that its schema is there.
    fn forget(&mut self, path: &Path, conditional: bool) {
        let Some(schema) = self.target(path).filter(|_| !self.perhaps) else { return };
        let is_missing = self.look_relation(path) == Look::Missing;
        if is_missing || (conditional && !self.schemas.objects.contains_key(&schema)) {
            return;
        }
        let gone = self.gone_as(How::Dropped, &path.span);
        self.schema_mut(&schema).relations.take(&path.name, gone);
    }

    /// Drops a relation with all that hangs on it.
    pub(super) fn remove(&mut self, key: &Key, path: &Path) {
        if self.perhaps {
            return self.doubt(key);
        }
        let gone = self.gone_as(How::Dropped, &path.span);
        let relations = &mut self.schema_mut(&key.schema).relations;
        let Some(relation) = relations.take(&key.name, gone.clone()) else { return };
        for owned in &relation.owned {
            self.schema_mut(&owned.schema).relations.take(&owned.name, gone.clone());
        }
        for parent in &relation.parents {
            if let Some(parent) = self.relation_mut(parent) {
                parent.children.retain(|child| child != key);
            }
        }
        for child in &relation.children {
            if self.relation(child).is_some_and(|child| child.doubts_parents) {
                self.doubt_all(child);
            } else {
                self.remove(child, path);
            }
        }
        if let Some(owner) = relation.owner.as_ref().and_then(|owner| self.relation_mut(owner)) {
            owner.owned.remove(key);
        }
    }

    /// A relation can be gone, with all that hangs on it.
    pub(super) fn doubt(&mut self, key: &Key) {
        let owned = self.relation(key).map(|relation| relation.owned.clone()).unwrap_or_default();
        for key in owned.iter().chain([key]) {
            self.schema_mut(&key.schema).relations.doubt(&key.name);
        }
    }

    /// A relation can be gone, also with its children.
    fn doubt_all(&mut self, key: &Key) {
        self.doubt(key);
        let children = self.relation(key).map(|relation| relation.children.clone());
        for child in children.unwrap_or_default() {
            if self.relation(&child).is_some_and(|child| child.made.sure) {
                self.doubt_all(&child);
            }
        }
    }

    /// Tables, views, sequences and indexes can have been made, changed and dropped.
    pub(super) fn blur_relations(&mut self) {
        for sort in Sort::RELATIONS {
            self.blur(sort);
        }
    }
}
