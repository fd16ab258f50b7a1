//! The part of a catalog that the names in some scripts can mean: small enough to copy for each script.

use std::collections::HashSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Catalog;
use super::definition::Id;
use super::depend::On;
use super::name::cut;
use super::named::Named;
use super::object::{Object, Sort, Space};
use super::pass::File;
use super::relation::{Key, Relation};
use super::schema::Schema;
use super::scope::TEMPORARY;
use crate::syntax::tree::{At, Kind};

/// The words in the statements of these scripts that can be names, as the server reads them.
pub(super) fn words(files: &[&File<'_>]) -> HashSet<String> {
    words_in(files.iter().flat_map(|file| file.statements.iter().map(|one| one.text)))
}

fn words_in<'t>(texts: impl Iterator<Item = &'t str>) -> HashSet<String> {
    let mut words = HashSet::new();
    for text in texts {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        for word in text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()) {
            words.insert(cut(&word.to_ascii_lowercase()).to_owned());
            words.insert(cut(word).to_owned());
        }
        for quoted in text.split('"').skip(1).step_by(2) {
            words.insert(cut(quoted).to_owned());
        }
    }
    words
}

/// The words of statements that can drop what something else needs.
pub(super) fn dropped(files: &[&File<'_>]) -> HashSet<String> {
    let drops = |at: At<'_>| {
        at.all().any(|node| node.tokens().first().is_some_and(|one| one.kind == Kind::DROP_KW))
            || at.children().any(|one| one.kind() == Kind::DO)
    };
    let statements = files.iter().flat_map(|file| &file.statements);
    let statements = statements.filter(|one| one.root().is_some_and(drops));
    words_in(statements.map(|one| one.text))
}

impl Catalog {
    /// A copy of what these words can name, of what hangs on it, of what needs something of the names that are
    /// dropped, and of these relations.
    pub(super) fn part(
        &self,
        words: &HashSet<String>,
        dropped: &HashSet<String>,
        also: Vec<Key>,
    ) -> Catalog {
        let near = ["public", TEMPORARY].into_iter().map(str::to_owned);
        let searched = self.path.searched().chain(self.default_path.searched()).cloned();
        let names: HashSet<String> = near.chain(searched).chain(words.iter().cloned()).collect();
        let schemas = those(&self.schemas.objects, &names, |one| part_of_schema(one, words));
        let gone = those(&self.schemas.gone, &names, Clone::clone);
        let mut part = Catalog {
            schemas: self.schemas.with(schemas, gone),
            path: self.path.clone(),
            default_path: self.default_path.clone(),
            blurs: self.blurs,
            transitions: self.transitions.clone(),
            extensions: self.extensions.clone(),
            bodies: FxHashMap::default(),
            births: FxHashMap::default(),
            missing: Vec::new(),
            dependences: FxHashMap::default(),
            derived: FxHashSet::default(),
            ranges: self.ranges.clone(),
            either: FxHashSet::default(),
            reads: None,
            naming: self.naming.part(dropped),
            definitions: None,
            ..*self
        };
        part.add_hanging(self, dropped, also);
        part.definitions = self.definitions_of(part.ids());
        part
    }

    /// What can have a definition.
    fn ids(&self) -> impl Iterator<Item = Id> {
        let schemas = self.schemas.objects.values();
        schemas.flat_map(|schema| {
            let relations = schema.relations.objects.values().flat_map(|relation| {
                let columns = relation.columns.objects.iter();
                let columns = columns.filter_map(|(name, column)| Id::of(&column.made, name));
                let constraints = relation.constraints.objects.values().map(|one| &one.made);
                let hanging =
                    relation.triggers.objects.values().chain(relation.policies.objects.values());
                let whole = constraints.chain(hanging).chain([&relation.made]);
                columns.chain(whole.filter_map(|made| Id::of(made, "")))
            });
            let types = schema.types.objects.values().filter_map(|one| Id::of(one.made(), ""));
            let routines = schema.routines.objects.values().flat_map(|routine| {
                routine.signatures.iter().filter_map(|one| Id::of(routine.made(), one))
            });
            relations.chain(types).chain(routines)
        })
    }

    /// All its relations.
    pub(super) fn all_relations(&self) -> Vec<Key> {
        let schemas = self.schemas.objects.iter();
        let own = |(schema, inside): (&String, &Schema)| -> Vec<Key> {
            let names = inside.relations.objects.keys().cloned();
            names.map(|name| Key { schema: schema.clone(), name }).collect()
        };
        schemas.flat_map(own).collect()
    }

    /// Adds what hangs on the relations of this part, what they hang on, and what needs what is dropped.
    fn add_hanging(&mut self, whole: &Catalog, dropped: &HashSet<String>, also: Vec<Key>) {
        let relations = self.schemas.objects.values().flat_map(|one| one.relations.objects.iter());
        let mut wanted = also;
        wanted.extend(relations.flat_map(|(_, relation)| hanging(relation)));
        let mut needed = self.all_of(dropped);
        while let Some(on) = needed.pop() {
            let Some(all) = whole.dependences.get(&on) else { continue };
            if self.dependences.contains_key(&on) {
                continue;
            }
            for (user, _) in whole.users(&on) {
                if user.sort == Sort::View {
                    needed.push(On::Relation(user.key.clone()));
                }
                wanted.push(user.key.clone());
            }
            self.dependences.insert(on, all.clone());
        }
        while let Some(key) = wanted.pop() {
            if self.relation(&key).is_some() {
                continue;
            }
            let Some(relation) = whole.relation(&key) else { continue };
            wanted.extend(hanging(relation));
            let relation = relation.clone();
            self.schema_mut(&key.schema).relations.objects.insert(key.name, relation);
        }
    }
}

impl Catalog {
    /// What can be needed of the objects of these names.
    fn all_of(&self, names: &HashSet<String>) -> Vec<On> {
        let mut all = Vec::new();
        for (schema, inside) in self.schemas.objects.iter() {
            let own = |name: &String| Key { schema: schema.clone(), name: name.clone() };
            let types = inside.types.objects.keys().filter(|name| names.contains(*name));
            all.extend(types.map(|name| On::Type(schema.clone(), name.clone())));
            let routines = inside.routines.objects.keys().filter(|name| names.contains(*name));
            all.extend(routines.map(|name| On::Function(schema.clone(), name.clone())));
            let relations = inside.relations.objects.iter();
            for (name, relation) in relations.filter(|(name, _)| names.contains(*name)) {
                all.push(On::Relation(own(name)));
                let columns = relation.columns.objects.keys();
                all.extend(columns.map(|column| On::Column(own(name), column.clone())));
            }
        }
        all
    }
}

fn part_of_schema(schema: &Schema, words: &HashSet<String>) -> Schema {
    let mut part = Schema {
        made: schema.made,
        relations: schema.relations.only(words),
        types: schema.types.only(words),
        routines: schema.routines.only(words),
        // Those of the other objects are not part of it.
        constraint_names: FxHashSet::default(),
    };
    // What a function calls can change the catalog, too.
    let mut called: Vec<String> =
        part.routines.objects.values().flat_map(|one| one.effects.calls().to_vec()).collect();
    while let Some(name) = called.pop() {
        if let (false, Some(routine)) =
            (part.routines.objects.contains_key(&name), schema.routines.objects.get(&name))
        {
            called.extend(routine.effects.calls().iter().cloned());
            part.routines.objects.insert(name, routine.clone());
        }
    }
    part
}

/// The relations that another needs: its indexes and sequences, its owner, and the tables it inherits from.
fn hanging(relation: &Relation) -> Vec<Key> {
    let all = relation.owned.iter().chain(&relation.owner).chain(&relation.parents);
    all.cloned().collect()
}

impl<T: Object + Clone> Space<T> {
    /// A copy with nothing but these names.
    fn only(&self, names: &HashSet<String>) -> Space<T> {
        self.with(those(&self.objects, names, Clone::clone), those(&self.gone, names, Clone::clone))
    }
}

fn those<V>(all: &Named<V>, names: &HashSet<String>, copy: impl Fn(&V) -> V) -> Named<V> {
    names.iter().filter_map(|name| Some((name.clone(), copy(all.get(name)?)))).collect()
}
