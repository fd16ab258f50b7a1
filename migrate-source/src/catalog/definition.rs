//! What objects are besides their names. It is kept beside the catalog, and only for the schema and the lints,
//! because the check of names needs none of it.

use std::collections::HashMap;

use super::Catalog;
use super::object::{Made, Place, Sort};
use super::relation::Key;
use crate::syntax::tree::Kind;

/// An object by where it was made: names can change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Id {
    sort: Sort,
    place: Place,
    /// What distinguishes objects of one place: the name of a column, the arguments of a function.
    part: String,
}

/// A part of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// The name of an object, which can change, and how it was written.
    Name(Id, String),
}

/// The text of a definition.
pub(super) type Words = Vec<Piece>;

/// A text without names.
pub(super) fn text(text: impl Into<String>) -> Words {
    vec![Piece::Text(text.into())]
}

/// What an object is.
#[derive(Debug, Clone, Default)]
pub(super) struct Definition {
    /// The words between CREATE and its name.
    pub(super) noun: String,
    /// What follows its name; the type of a column.
    pub(super) words: Words,
    /// Whether a column cannot be null.
    pub(super) not_null: bool,
    /// The default of a column, or how it is generated.
    pub(super) default: Words,
    /// The values of an enum, in their order.
    pub(super) labels: Vec<String>,
    /// The comment on it, as it is written.
    pub(super) comment: String,
    /// The number of the statement that last changed what is not kept, such as its owner.
    pub(super) unseen: u32,
    /// Whether a statement that may not run changes what is kept.
    pub(super) is_doubted: bool,
    /// What was altered besides, by the kind of the action.
    pub(super) settings: Vec<(Kind, Words)>,
}

impl Definition {
    pub(super) fn new(noun: String, words: Words) -> Self {
        Definition { noun, words, ..Definition::default() }
    }

    /// The objects that it names.
    fn names(&self) -> impl Iterator<Item = &Id> {
        let settings = self.settings.iter().flat_map(|(_, words)| words);
        let pieces = self.words.iter().chain(&self.default).chain(settings);
        pieces.filter_map(|piece| match piece {
            Piece::Name(id, _) => Some(id),
            Piece::Text(_) => None,
        })
    }
}

/// The definitions of a set.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    of: HashMap<Id, Definition>,
    /// Where an object is that was renamed.
    renamed: HashMap<Id, Id>,
}

/// How many times a name is followed.
const RENAMES: usize = 1000;

impl Definitions {
    /// The object as it is known now.
    pub(super) fn now<'d>(&'d self, mut id: &'d Id) -> &'d Id {
        for _ in 0..RENAMES {
            match self.renamed.get(id) {
                Some(next) => id = next,
                None => break,
            }
        }
        id
    }
}

impl Id {
    pub(super) fn of(made: &Made, part: &str) -> Option<Id> {
        Some(Id { sort: made.sort, place: made.place?, part: part.to_owned() })
    }
}

impl Catalog {
    /// Whether definitions are kept.
    pub(super) fn defines(&self) -> bool {
        self.definitions.is_some()
    }

    pub(super) fn relation_id(&self, key: &Key) -> Option<Id> {
        Id::of(&self.relation(key)?.made, "")
    }

    pub(super) fn column_id(&self, key: &Key, name: &str) -> Option<Id> {
        Id::of(&self.relation(key)?.columns.objects.get(name)?.made, name)
    }

    /// Keeps what an object is now.
    pub(super) fn define(&mut self, id: Option<Id>, mut definition: Definition) {
        definition.is_doubted = self.perhaps;
        if let (Some(definitions), Some(id)) = (&mut self.definitions, id) {
            definitions.renamed.remove(&id);
            if let Some(before) = definitions.of.remove(&id) {
                (definition.comment, definition.unseen) = (before.comment, before.unseen);
            }
            definitions.of.insert(id, definition);
        }
    }

    /// An object changes in a way that is not kept.
    pub(super) fn doubt_definition(&mut self, id: Option<Id>) {
        let stamp = self.stamp;
        if let Some(definition) = self.definition_mut(id) {
            definition.unseen = stamp;
        }
    }

    /// What is kept of an object changes in a statement that may not run.
    pub(super) fn doubt_kept(&mut self, id: Option<Id>) {
        self.doubt_definition(id.clone());
        if let Some(definition) = self.definition_mut(id) {
            definition.is_doubted = true;
        }
    }

    /// The definitions of these objects.
    pub(super) fn definitions_of(&self, ids: impl Iterator<Item = Id>) -> Option<Definitions> {
        let all = self.definitions.as_ref()?;
        let mut part = Definitions::default();
        for (id, definition) in ids.filter_map(|id| all.of.get_key_value(&id)) {
            for mut named in definition.names() {
                // Each step is copied once.
                while let Some(next) = all.renamed.get(named) {
                    if part.renamed.insert(named.clone(), next.clone()).is_some() {
                        break;
                    }
                    named = next;
                }
            }
            part.of.insert(id.clone(), definition.clone());
        }
        Some(part)
    }

    /// What is kept of an object, to change it.
    pub(super) fn definition_mut(&mut self, id: Option<Id>) -> Option<&mut Definition> {
        self.definitions.as_mut()?.of.get_mut(&id?)
    }

    /// What is kept of an object.
    pub(super) fn definition(&self, id: Option<Id>) -> Option<&Definition> {
        self.definitions.as_ref()?.of.get(&id?)
    }

    /// An object is known by another name from now on.
    pub(super) fn redefine(&mut self, from: Option<Id>, to: Option<Id>) {
        let (Some(definitions), Some((from, to))) = (&mut self.definitions, from.zip(to)) else {
            return;
        };
        if from == to {
            return;
        }
        if let Some(definition) = definitions.of.remove(&from) {
            definitions.of.insert(to.clone(), definition);
        }
        definitions.renamed.remove(&to);
        definitions.renamed.insert(from, to);
    }
}
