//! What every object has: where it was made, whether it is certain, and what became of it.

use super::quick::Map;

/// A place in the set: a file by its number, and a byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) at: usize,
}

/// The kinds of objects, as far as a step can have touched one kind and not another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Sort {
    Schema,
    Table,
    View,
    Sequence,
    Index,
    Column,
    Constraint,
    ForeignKey,
    Type,
    Label,
    Function,
    Trigger,
    Policy,
    Extension,
    /// What a query calls a table.
    Alias,
}

impl Sort {
    pub(super) const ALL: [Sort; 15] = [
        Sort::Schema,
        Sort::Table,
        Sort::View,
        Sort::Sequence,
        Sort::Index,
        Sort::Column,
        Sort::Constraint,
        Sort::ForeignKey,
        Sort::Type,
        Sort::Label,
        Sort::Function,
        Sort::Trigger,
        Sort::Policy,
        Sort::Extension,
        Sort::Alias,
    ];

    /// Those in the name space of tables, with what hangs on them.
    pub(super) const RELATIONS: [Sort; 10] = [
        Sort::Table,
        Sort::View,
        Sort::Sequence,
        Sort::Index,
        Sort::Column,
        Sort::Constraint,
        Sort::ForeignKey,
        Sort::Type,
        Sort::Trigger,
        Sort::Policy,
    ];

    /// Its word in messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Sort::Schema => "schema",
            Sort::Table | Sort::Alias => "table",
            Sort::View => "view",
            Sort::Sequence => "sequence",
            Sort::Index => "index",
            Sort::Column => "column",
            Sort::Constraint | Sort::ForeignKey => "constraint",
            Sort::Type => "type",
            Sort::Label => "value",
            Sort::Function => "function",
            Sort::Trigger => "trigger",
            Sort::Policy => "policy",
            Sort::Extension => "extension",
        }
    }
}

/// When a step last can have touched objects of each kind without being seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Blurs {
    /// Can have made, changed or dropped some.
    any: [u32; 15],
    /// Can only have dropped some.
    drops: [u32; 15],
    /// Can only have made some, under names that were free.
    makes: [u32; 15],
}

impl Blurs {
    pub(super) fn of(&self, sort: Sort) -> u32 {
        self.any.get(sort as usize).copied().unwrap_or_default()
    }

    /// When some of any kind can have been made or changed.
    pub(super) fn last(&self) -> u32 {
        self.any.iter().chain(&self.makes).max().copied().unwrap_or_default()
    }

    /// When some can have been dropped.
    pub(super) fn of_drops(&self, sort: Sort) -> u32 {
        self.of(sort).max(self.drops.get(sort as usize).copied().unwrap_or_default())
    }

    /// When some can have been made.
    pub(super) fn of_makes(&self, sort: Sort) -> u32 {
        self.of(sort).max(self.makes.get(sort as usize).copied().unwrap_or_default())
    }

    pub(super) fn set_makes(&mut self, sort: Sort, stamp: u32) {
        if let Some(blur) = self.makes.get_mut(sort as usize) {
            *blur = stamp;
        }
    }

    pub(super) fn set(&mut self, sort: Sort, stamp: u32) {
        if let Some(blur) = self.any.get_mut(sort as usize) {
            *blur = stamp;
        }
    }

    pub(super) fn set_drops(&mut self, sort: Sort, stamp: u32) {
        if let Some(blur) = self.drops.get_mut(sort as usize) {
            *blur = stamp;
        }
    }
}

/// How an object came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) sort: Sort,
    /// `None` for what the set did not make.
    pub(super) place: Option<Place>,
    /// The number of its statement.
    pub(super) stamp: u32,
    /// Whether it is certainly there.
    pub(super) sure: bool,
}

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    Dropped,
    Renamed(String),
    Moved(String),
}

/// An object that is no longer there under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) how: How,
    pub(super) place: Place,
    pub(super) stamp: u32,
}

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look<T> {
    /// It is certainly there.
    Found(T),
    /// It was there, and a step can have changed or dropped it.
    Perhaps(T),
    /// Something that was not seen can have made it.
    Unknown,
    /// It is certainly not there.
    Missing,
}

impl<T> Look<T> {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Look::Missing)
    }

    /// What is there, perhaps.
    pub(super) fn there(self) -> Option<T> {
        match self {
            Look::Found(found) | Look::Perhaps(found) => Some(found),
            Look::Unknown | Look::Missing => None,
        }
    }

    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Look<U> {
        match self {
            Look::Found(found) => Look::Found(with(found)),
            Look::Perhaps(found) => Look::Perhaps(with(found)),
            Look::Unknown => Look::Unknown,
            Look::Missing => Look::Missing,
        }
    }
}

pub(super) trait Object {
    fn made(&self) -> &Made;
    fn made_mut(&mut self) -> &mut Made;

    /// Whether the statement that made it can have found it there.
    fn can_be_older(&self) -> bool {
        false
    }
}

impl Object for Made {
    fn made(&self) -> &Made {
        self
    }

    fn made_mut(&mut self) -> &mut Made {
        self
    }
}

/// The objects of one name space.
#[derive(Debug, Clone)]
pub(super) struct Space<T> {
    /// The kind that a step that makes new names here has to touch.
    pub(super) sort: Sort,
    pub(super) objects: Map<String, T>,
    pub(super) gone: Map<String, Gone>,
    /// The number of the statement that made the space.
    since: u32,
    /// Whether there can be more than what was seen.
    pub(super) open: bool,
}

impl<T: Object> Space<T> {
    pub(super) fn new(sort: Sort, since: u32) -> Self {
        Space { sort, objects: Map::default(), gone: Map::default(), since, open: false }
    }

    /// A space of the same kind with these objects.
    pub(super) fn with(&self, objects: Map<String, T>, gone: Map<String, Gone>) -> Self {
        Space { objects, gone, ..*self }
    }

    pub(super) fn look(&self, name: &str, blurs: &Blurs) -> Look<&T> {
        if let Some(object) = self.objects.get(name) {
            let made = object.made();
            let blur = blurs.of_drops(made.sort).max(blurs.of_drops(self.sort));
            return if made.sure && made.stamp >= blur {
                Look::Found(object)
            } else {
                Look::Perhaps(object)
            };
        }
        let blur = blurs.of_makes(self.sort);
        match self.gone.get(name) {
            Some(gone) if gone.stamp >= blur => Look::Missing,
            _ if self.open || blur > self.since => Look::Unknown,
            _ => Look::Missing,
        }
    }

    /// Whether every object is certainly seen.
    pub(super) fn is_closed(&self, blurs: &Blurs) -> bool {
        !self.open && blurs.of(self.sort) <= self.since
    }

    pub(super) fn put(&mut self, name: String, object: T) {
        self.gone.remove(&name);
        self.objects.insert(name, object);
    }

    /// Takes an object out, and remembers what became of it.
    pub(super) fn take(&mut self, name: &str, how: How, place: Place, stamp: u32) -> Option<T> {
        self.gone.insert(name.to_owned(), Gone { how, place, stamp });
        self.objects.remove(name)
    }

    /// Takes out what was made at this place: by an extension.
    pub(super) fn forget_of(&mut self, place: Place) {
        self.objects.retain(|_, object| object.made().place != Some(place));
    }

    /// Marks an object as one that can be gone.
    pub(super) fn doubt(&mut self, name: &str) {
        match self.objects.get_mut(name) {
            Some(object) => object.made_mut().sure = false,
            None => self.open = true,
        }
    }
}
