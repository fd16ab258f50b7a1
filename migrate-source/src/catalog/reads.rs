//! What reads what: views the tables in their queries, and foreign keys the table that they refer to. A table is
//! known by the place where it was made, which stays when it is renamed.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::Catalog;
use super::facts::Fact;
use super::name::Path;
use super::object::{How, Look, Place, Sort};
use super::relation::{Key, Relation};

/// What a view reads.
pub(super) type Read = BTreeSet<(Key, Option<String>)>;

/// What is read while a query is followed, and by what each table is read.
#[derive(Debug, Default)]
pub(super) struct Readers {
    open: RefCell<Option<Read>>,
    /// The views and the tables with a foreign key, some of which may be gone.
    readers: HashMap<Place, BTreeSet<Key>>,
}

impl Readers {
    /// Begins to note what a query reads.
    pub(super) fn begin(&self, is_wanted: bool) {
        self.open.replace(is_wanted.then(BTreeSet::new));
    }

    pub(super) fn end(&self) -> Read {
        self.open.take().unwrap_or_default()
    }

    pub(super) fn add(&self, key: &Key, column: Option<&str>) {
        if let Some(read) = self.open.borrow_mut().as_mut() {
            read.insert((key.clone(), column.map(str::to_owned)));
        }
    }

    /// Notes that a relation reads these.
    pub(super) fn note(&mut self, read: &BTreeSet<(Place, Option<String>)>, reader: &Key) {
        for (place, _) in read {
            self.readers.entry(*place).or_default().insert(reader.clone());
        }
    }

    /// What reads the relation that was made there.
    fn of(&self, place: Place) -> impl Iterator<Item = &Key> {
        self.readers.get(&place).into_iter().flatten()
    }
}

impl Relation {
    /// What its query reads, and what its foreign keys refer to.
    pub(super) fn all_reads(&self) -> BTreeSet<(Place, Option<String>)> {
        let targets = self.constraints.objects.keys().filter_map(|name| {
            let text = self.facts.get(Sort::Constraint, name, Fact::Target)?;
            let (file, at) = text.split_once(':')?;
            Some((Place { file: file.parse().ok()?, at: at.parse().ok()? }, None))
        });
        self.reads.iter().cloned().chain(targets).collect()
    }
}

impl Catalog {
    fn made_at(&self, key: &Key) -> Option<Place> {
        self.relation(key)?.made.place
    }

    /// Notes what a view reads.
    pub(super) fn note_reads(&mut self, view: &Key, read: &Read) {
        let places =
            read.iter().filter_map(|(key, column)| Some((self.made_at(key)?, column.clone())));
        let read: BTreeSet<(Place, Option<String>)> = places.collect();
        self.readers.note(&read, view);
        if let Some(view) = self.relation_mut(view) {
            view.reads = read;
        }
    }

    /// Notes the table that a foreign key refers to.
    pub(super) fn note_target(&mut self, key: &Key, name: Option<&str>, target: Option<&Key>) {
        let place = target.and_then(|target| self.made_at(target));
        if let (true, Some(name), Some(place)) = (self.keeps_facts, name, place) {
            self.note_fact(key, (Sort::Constraint, name), Fact::Target, shown(place));
            self.readers.note(&BTreeSet::from([(place, None)]), key);
        }
    }

    /// Views read a column by its new name.
    pub(super) fn rename_read(&mut self, key: &Key, from: &str, to: &str) {
        let Some(place) = self.made_at(key).filter(|_| self.keeps_facts) else { return };
        for view in self.readers.of(place).cloned().collect::<Vec<_>>() {
            if let Some(view) = self.relation_mut(&view)
                && view.reads.remove(&(place, Some(from.to_owned())))
            {
                view.reads.insert((place, Some(to.to_owned())));
            }
        }
    }

    /// What the relations of this catalog read.
    pub(super) fn own_readers(&self) -> Readers {
        let mut reads = Readers::default();
        for (schema, inner) in &self.schemas.objects {
            for (name, relation) in &inner.relations.objects {
                let key = Key { schema: schema.clone(), name: name.clone() };
                reads.note(&relation.all_reads(), &key);
            }
        }
        reads
    }

    /// What reads a relation, also what may be gone.
    pub(super) fn all_readers(&self, place: Place) -> impl Iterator<Item = &Key> {
        self.readers.of(place)
    }

    /// The views that read a relation, or a column of it.
    pub(super) fn views_of(&self, key: &Key, column: Option<&str>) -> Vec<Key> {
        let Some(place) = self.made_at(key) else { return Vec::new() };
        let read = (place, column.map(str::to_owned));
        let reads = |view: &&Key| {
            let sure = self
                .relation(view)
                .is_some_and(|one| one.made.sort == Sort::View && one.reads.contains(&read));
            sure && matches!(self.look_in(view), Look::Found(()))
        };
        self.readers.of(place).filter(reads).cloned().collect()
    }

    /// The foreign keys that certainly refer to a table, each with its own table.
    pub(super) fn keys_to(&self, target: &Key) -> Vec<(Key, String)> {
        let Some(place) = self.made_at(target) else { return Vec::new() };
        let mut found = Vec::new();
        for table in self.readers.of(place) {
            let Some(relation) = self.relation(table) else { continue };
            if !relation.is_sure(&self.blurs) {
                continue;
            }
            for name in relation.constraints.objects.keys() {
                let to = relation.facts.get(Sort::Constraint, name, Fact::Target);
                let look = relation.constraints.look(name, &self.blurs);
                if to == Some(shown(place).as_str()) && matches!(look, Look::Found(_)) {
                    found.push((table.clone(), name.clone()));
                }
            }
        }
        found
    }

    /// Drops what needs these relations, if that can be followed.
    pub(super) fn cascade_relations(&mut self, paths: &[Path]) -> bool {
        if !self.keeps_facts || self.perhaps {
            return false;
        }
        for path in paths {
            let key = match self.look_relation(path) {
                Look::Found(key) => key,
                Look::Missing => continue,
                Look::Perhaps(_) | Look::Unknown => return false,
            };
            self.drop_keys_to(&key, &path.span);
            self.drop_views(self.views_of(&key, None), &path.span);
        }
        true
    }

    /// Drops what needs a column, if that can be followed.
    pub(super) fn cascade_column(&mut self, key: &Key, column: &str, span: &Range<usize>) -> bool {
        if !self.keeps_facts || self.perhaps || self.look_column(key, column) != Look::Found(()) {
            return false;
        }
        self.doubt_keys_to(key);
        self.drop_views(self.views_of(key, Some(column)), span);
        true
    }

    /// What refers to a key of a table can be gone, if that can be followed.
    pub(super) fn cascade_key(&mut self, key: &Key) -> bool {
        self.doubt_keys_to(key);
        self.keeps_facts
    }

    fn doubt_keys_to(&mut self, target: &Key) {
        for (table, name) in self.keys_to(target) {
            if let Some(table) = self.relation_mut(&table) {
                table.constraints.doubt(&name);
            }
        }
    }

    fn drop_keys_to(&mut self, target: &Key, span: &Range<usize>) {
        let (place, stamp) = (self.place(span), self.stamp);
        for (table, name) in self.keys_to(target) {
            if let Some(table) = self.relation_mut(&table) {
                table.constraints.take(&name, How::Dropped, place, stamp);
            }
        }
    }

    /// Drops views, and those that read them.
    fn drop_views(&mut self, mut views: Vec<Key>, span: &Range<usize>) {
        while let Some(view) = views.pop() {
            let more = self.views_of(&view, None);
            let path = Path { qualifier: None, name: view.name.clone(), span: span.clone() };
            self.remove(&view, &path);
            views.extend(more);
        }
    }
}

fn shown(place: Place) -> String {
    format!("{}:{}", place.file, place.at)
}
