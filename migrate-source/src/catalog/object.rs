//! What every object has: where it was made, whether it is certain, and what became of it.

use migrate_set::sort::sort_by;

use super::named::Named;

/// A place in the set: a file by its number, and a byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) at: usize,
}

/// An array of kinds of objects.
macro_rules! sorts {
    ($($sort:ident),* $(,)?) => { [$($crate::catalog::object::Sort::$sort),*] };
}

pub(super) use sorts;

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
    pub(super) const ALL: [Sort; 15] = sorts![
        Schema, Table, View, Sequence, Index, Column, Constraint, ForeignKey, Type, Label,
        Function, Trigger, Policy, Extension, Alias
    ];

    /// Those in the name space of tables, with what hangs on them.
    pub(super) const RELATIONS: [Sort; 10] =
        sorts![Table, View, Sequence, Index, Column, Constraint, ForeignKey, Type, Trigger, Policy];

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

/// What a step that is not seen can have done to objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Made, changed or dropped some.
    Touches,
    /// Only dropped some.
    Drops,
    /// Only made some, under names that were free.
    Makes,
}

/// When a step last can have done so, for each way and each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Blurs([[u32; 15]; 3]);

impl Blurs {
    fn get(&self, way: Way, sort: Sort) -> u32 {
        self.0[way as usize][sort as usize]
    }

    pub(super) fn of(&self, sort: Sort) -> u32 {
        self.get(Way::Touches, sort)
    }

    /// When some of any kind can have been made or changed.
    pub(super) fn last(&self) -> u32 {
        Sort::ALL.into_iter().map(|sort| self.of_makes(sort)).max().unwrap_or_default()
    }

    /// When some can have been dropped.
    pub(super) fn of_drops(&self, sort: Sort) -> u32 {
        self.of(sort).max(self.get(Way::Drops, sort))
    }

    /// When some can have been made.
    pub(super) fn of_makes(&self, sort: Sort) -> u32 {
        self.of(sort).max(self.get(Way::Makes, sort))
    }

    pub(super) fn set(&mut self, way: Way, sort: Sort, stamp: u32) {
        self.0[way as usize][sort as usize] = stamp;
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

/// Implements [`Object`] for types with a field `made`, each with whether it can be older.
macro_rules! objects {
    ($($type:ty: $older:expr),*) => {$(
        impl Object for $type {
            fn made(&self) -> &Made {
                &self.made
            }

            fn made_mut(&mut self) -> &mut Made {
                &mut self.made
            }

            fn can_be_older(&self) -> bool {
                let older: fn(&Self) -> bool = $older;
                older(self)
            }
        }
    )*};
}

pub(super) use objects;

/// The names of a space, whatever its objects are.
pub(super) trait Names {
    /// How the object of this name came to be.
    fn made_of(&self, name: &str) -> Option<Made>;
    /// What became of the object that had this name.
    fn gone_of(&self, name: &str) -> Option<&Gone>;
    /// What is certainly there under this name.
    fn found(&self, name: &str, blurs: &Blurs) -> Option<Made>;
    /// What is known of this name.
    fn look_at(&self, name: &str, blurs: &Blurs) -> Look<()>;
    /// Marks an object as one that can be gone.
    fn doubt(&mut self, name: &str);
    /// The same for one that can have another name by now, and can be any then.
    fn doubt_renamed(&mut self, name: &str);
    /// Takes an object out, or doubts it if that may not happen.
    fn lose(&mut self, name: &str, gone: Gone, perhaps: bool);
}

impl<T: Object> Names for Space<T> {
    fn made_of(&self, name: &str) -> Option<Made> {
        self.objects.get(name).map(|one| *one.made())
    }

    fn gone_of(&self, name: &str) -> Option<&Gone> {
        self.gone.get(name)
    }

    fn found(&self, name: &str, blurs: &Blurs) -> Option<Made> {
        match self.look(name, blurs) {
            Look::Found(found) => Some(*found.made()),
            _ => None,
        }
    }

    fn look_at(&self, name: &str, blurs: &Blurs) -> Look<()> {
        self.look(name, blurs).map(|_| ())
    }

    fn doubt(&mut self, name: &str) {
        match self.objects.get_mut(name) {
            Some(object) => object.made_mut().sure = false,
            None => self.open = true,
        }
    }

    fn doubt_renamed(&mut self, name: &str) {
        if let Some(one) = self.objects.get_mut(name) {
            one.made_mut().sure = false;
        } else if self.gone.get(name).is_none_or(|gone| gone.how != How::Dropped) {
            self.objects.values_mut().for_each(|one| one.made_mut().sure = false);
        }
    }

    fn lose(&mut self, name: &str, gone: Gone, perhaps: bool) {
        if perhaps {
            self.doubt(name);
        } else {
            self.take(name, gone);
        }
    }
}

/// The objects of one name space.
#[derive(Debug, Clone)]
pub(super) struct Space<T> {
    /// The kind that a step that makes new names here has to touch.
    pub(super) sort: Sort,
    pub(super) objects: Named<T>,
    pub(super) gone: Named<Gone>,
    /// The number of the statement that made the space.
    since: u32,
    /// Whether there can be more than what was seen.
    pub(super) open: bool,
}

impl<T: Object> Space<T> {
    pub(super) fn new(sort: Sort, since: u32) -> Self {
        Space { sort, objects: Named::default(), gone: Named::default(), since, open: false }
    }

    /// A space of the same kind with these objects.
    pub(super) fn with(&self, objects: Named<T>, gone: Named<Gone>) -> Self {
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

    /// Its objects by name.
    pub(super) fn sorted(&self) -> Vec<(&String, &T)> {
        let mut objects: Vec<_> = self.objects.iter().collect();
        sort_by(&mut objects, |(one, _), (other, _)| one.cmp(other));
        objects
    }

    /// Whether every object is certainly seen.
    pub(super) fn is_closed(&self, blurs: &Blurs) -> bool {
        !self.open && blurs.of(self.sort) <= self.since
    }

    pub(super) fn put(&mut self, name: String, object: T) {
        self.gone.remove(&name);
        self.objects.insert(name, object);
    }

    /// Puts an object; if that may not happen, one that has its name is there, or is this.
    pub(super) fn gain(&mut self, name: String, object: T, perhaps: bool) {
        match self.objects.get_mut(&name).filter(|_| perhaps) {
            Some(there) => there.made_mut().sure = false,
            None => self.put(name, object),
        }
    }

    /// Takes an object out, and remembers what became of it.
    pub(super) fn take(&mut self, name: &str, gone: Gone) -> Option<T> {
        self.gone.insert(name.to_owned(), gone);
        self.objects.remove(name)
    }

    /// Takes out what was made at this place: by an extension.
    pub(super) fn forget_of(&mut self, place: Place) {
        self.objects.retain(|object| object.made().place != Some(place));
    }
}
