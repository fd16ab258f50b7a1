//! The part of a catalog that the names in some scripts can mean: small enough to copy for each script.

use std::collections::{HashMap, HashSet};

use super::Catalog;
use super::name::cut;
use super::object::{Object, Space};
use super::pass::File;
use super::relation::{Key, Relation};
use super::schema::Schema;
use super::scope::TEMPORARY;

/// The words in the statements of these scripts that can be names, as the server reads them.
pub(super) fn words(files: &[&File<'_>]) -> HashSet<String> {
    let texts = files.iter().flat_map(|file| file.statements.iter().map(|one| one.text));
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

impl Catalog {
    /// A copy of what these words can name, and of what hangs on it.
    pub(super) fn part(&self, words: &HashSet<String>) -> Catalog {
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
            bodies: HashMap::new(),
            births: HashMap::new(),
            missing: Vec::new(),
            refused: Vec::new(),
            ..*self
        };
        part.add_hanging(self);
        part
    }

    /// The names of its relations.
    pub(super) fn relations(&self) -> impl Iterator<Item = &String> {
        self.schemas.objects.values().flat_map(|schema| schema.relations.objects.keys())
    }

    /// Adds what hangs on the relations of this part, and what they hang on.
    fn add_hanging(&mut self, whole: &Catalog) {
        let relations =
            self.schemas.objects.values().flat_map(|one| one.relations.objects.values());
        let mut wanted: Vec<Key> = relations.flat_map(hanging).collect();
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

fn part_of_schema(schema: &Schema, words: &HashSet<String>) -> Schema {
    let mut part = Schema {
        made: schema.made,
        relations: schema.relations.only(words),
        types: schema.types.only(words),
        routines: schema.routines.only(words),
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

fn those<V>(
    all: &HashMap<String, V>,
    names: &HashSet<String>,
    copy: impl Fn(&V) -> V,
) -> HashMap<String, V> {
    let found = names.iter().filter_map(|name| all.get_key_value(name));
    found.map(|(name, one)| (name.clone(), copy(one))).collect()
}
