//! Primary and unique keys, and the order in which the server adds the constraints of one clause.

use super::Catalog;
use super::constraint::{names_in, set_of};
use super::index::{distinct, included};
use super::name::{self, Path};
use super::object::{How, Sort};
use super::relation::Key;
use crate::syntax::tree::{At, Kind};

/// A constraint of a clause, with the column that it is written at.
pub(super) type Written<'t> = (At<'t>, Option<String>);

/// A key that is added.
pub(super) struct NewKey<'t> {
    at: At<'t>,
    /// The constraint that has its name.
    named: At<'t>,
    /// Its columns, in order.
    columns: Vec<String>,
}

impl<'t> NewKey<'t> {
    /// The key that is written in `at`, or at a column.
    pub(super) fn of(at: At<'t>, column: Option<&str>) -> Self {
        let columns = match at.find(Kind::CONSTRAINT_COLUMN_REF_LIST) {
            Some(list) => names_in(list),
            None => column.map(str::to_owned).into_iter().collect(),
        };
        NewKey { at, named: at, columns }
    }
}

impl Catalog {
    /// Adds the constraints of a new table or column in the server's order.
    pub(super) fn add_constraints(&mut self, key: &Key, list: &[Written<'_>], order: Order) {
        for rank in order {
            let of_rank = list.iter().filter(|(at, _)| Rank::of(*at) == rank);
            if rank == Rank::Key {
                self.add_keys(key, of_rank);
            } else {
                of_rank.for_each(|(at, column)| self.add_constraint(key, *at, column.as_deref()));
            }
        }
    }

    /// The primary key before the unique keys, and of equal keys only the first, with the first name that one of them
    /// has (`transformIndexConstraints`).
    fn add_keys<'l, 't: 'l>(&mut self, key: &Key, list: impl Iterator<Item = &'l Written<'t>>) {
        let keys = list.map(|(at, column)| NewKey::of(*at, column.as_deref()));
        for new in merged(keys.collect()) {
            match new.at.kind() {
                Kind::EXCLUDE_CONSTRAINT => self.add_constraint(key, new.at, None),
                _ => self.add_key(key, new),
            }
        }
    }

    /// A primary or unique key.
    pub(super) fn add_key(&mut self, key: &Key, new: NewKey<'_>) {
        let NewKey { at, named, columns: mut listed } = new;
        if let Some(index) = at.find(Kind::INDEX_REF).and_then(Path::of) {
            return self.key_of_index(key, at, &index);
        }
        self.refer_columns(key, at);
        listed.extend(included(at));
        let columns = set_of(listed.iter().cloned());
        let (label, joined) = match at.kind() {
            Kind::PRIMARY_KEY_CONSTRAINT => ("pkey", String::new()),
            _ => ("key", distinct(listed.into_iter()).join("_")),
        };
        let clause = named.child(Kind::CONSTRAINT_NAME_CLAUSE);
        if let Some(name) = self.put_named(key, (at, clause), columns.clone(), &joined, label) {
            self.put_index(key, &name, columns, &at.span());
        }
    }

    /// `UNIQUE USING INDEX i`: the index takes the name of the constraint.
    fn key_of_index(&mut self, key: &Key, at: At<'_>, index: &Path) {
        let path = Path { qualifier: Some(key.schema.clone()), ..index.clone() };
        let index = self.refer(Sort::Index, &path, false);
        let given =
            at.child(Kind::CONSTRAINT_NAME_CLAUSE).and_then(|at| at.child(Kind::CONSTRAINT_NAME));
        let name = given.and_then(name::name).unwrap_or_else(|| path.name.clone());
        let columns = index.as_ref().and_then(|index| self.relation(index));
        let columns = columns.map(|index| index.uses.clone()).unwrap_or_default();
        self.insert_constraint(key, (Sort::Constraint, true), &name, columns, &at.span());
        self.define_key_of_index(key, at, &name, index.as_ref());
        if let Some(index) = index.filter(|index| index.name != name) {
            let to = Key { schema: index.schema.clone(), name: name.clone() };
            self.rename(&index, &to, How::Renamed(name), &path);
        }
    }
}

/// Which constraints the server adds first, and so which get the names that others would get.
type Order = [Rank; 3];

/// Of `CREATE TABLE`.
pub(super) const OF_TABLE: Order = [Rank::Other, Rank::Key, Rank::ForeignKey];

/// Of `ADD COLUMN`.
pub(super) const OF_COLUMN: Order = [Rank::Key, Rank::Other, Rank::ForeignKey];

/// Constraints that are added together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Other,
    /// Those with an index.
    Key,
    ForeignKey,
}

impl Rank {
    fn of(at: At<'_>) -> Rank {
        match at.kind() {
            Kind::PRIMARY_KEY_CONSTRAINT | Kind::UNIQUE_CONSTRAINT | Kind::EXCLUDE_CONSTRAINT => {
                Rank::Key
            }
            Kind::REFERENCES_CONSTRAINT | Kind::FOREIGN_KEY_CONSTRAINT => Rank::ForeignKey,
            _ => Rank::Other,
        }
    }
}

/// Whether an action of `ALTER TABLE` adds a constraint with an index.
pub(super) fn adds_key(action: &At<'_>) -> bool {
    action.kind() == Kind::ADD_CONSTRAINT && action.children().any(|one| Rank::of(one) == Rank::Key)
}

/// The keys that the server makes of these, in its order.
fn merged(keys: Vec<NewKey<'_>>) -> Vec<NewKey<'_>> {
    let is_primary = |new: &NewKey<'_>| new.at.kind() == Kind::PRIMARY_KEY_CONSTRAINT;
    let (primary, unique): (Vec<_>, Vec<_>) = keys.into_iter().partition(is_primary);
    let mut made: Vec<NewKey<'_>> = Vec::new();
    for new in primary.into_iter().chain(unique) {
        match made.iter_mut().find(|one| is_equal(one, &new)) {
            Some(one) if one.named.has(Kind::CONSTRAINT_NAME_CLAUSE) => {}
            Some(one) => one.named = new.named,
            None => made.push(new),
        }
    }
    made
}

/// Whether the server makes one key of two. Of two primary keys it makes none.
fn is_equal(one: &NewKey<'_>, other: &NewKey<'_>) -> bool {
    one.at.kind() != Kind::EXCLUDE_CONSTRAINT
        && other.at.kind() == Kind::UNIQUE_CONSTRAINT
        && one.columns == other.columns
        && options(one.at) == options(other.at)
}

/// What the server compares of two keys besides their columns: neither storage parameters nor the tablespace.
fn options(at: At<'_>) -> (bool, bool, bool, Vec<String>) {
    let has = |kind| at.find(kind).is_some();
    let is_deferred = has(Kind::INITIALLY_DEFERRED_CONSTRAINT_OPTION);
    let is_deferrable = is_deferred || has(Kind::DEFERRABLE_CONSTRAINT_OPTION);
    (is_deferrable, is_deferred, has(Kind::NULLS_NOT_DISTINCT), included(at))
}
