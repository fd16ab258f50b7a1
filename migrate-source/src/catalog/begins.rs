//! Whether a set begins on an empty database.

use std::collections::BTreeSet;

use super::Catalog;
use super::finding::Missing;
use super::object::{Place, Sort};

/// How many names that no migration makes mean that the set begins on an existing schema, unless it
/// makes three times as many tables.
const STRANGERS: usize = 3;

/// A set that makes so many tables for each such name begins on nothing: the name is rather a mistake.
const MANY: usize = 10;

/// Whether what a pass on an empty database found means that the set begins on an existing schema:
/// the first file that makes something names tables, types or functions that no file makes, or many files
/// do, and there are not three times as many tables that the set makes; for the first file, ten times as
/// many in all.
pub(super) fn on_existing(pass: &Catalog) -> bool {
    let strange = pass.missing.iter().filter(|one| {
        matches!(one.sort, Sort::Table | Sort::View | Sort::Sequence | Sort::Type | Sort::Function)
            && one.stranger
            && !pass.births.contains_key(&(one.sort, one.name.clone()))
            && !pass.is_born(&one.name)
    });
    let strange: Vec<&Missing> = strange.collect();
    let names = |strange: &[&Missing]| {
        strange.iter().map(|one| one.name.clone()).collect::<BTreeSet<String>>().len()
    };
    let made = |file: Option<usize>| {
        let tables = pass.births.iter().filter(|((sort, _), _)| *sort == Sort::Table);
        let is_there = |place: &Place| file.is_none_or(|file| place.file <= file);
        tables.filter(|(_, places)| places.iter().any(is_there)).count()
    };
    let first = pass.births.values().flatten().min().map(|place| place.file);
    let at_first: Vec<&Missing> = strange
        .iter()
        .filter(|one| first.is_none_or(|first| one.place.file <= first))
        .copied()
        .collect();
    let (at_first, all) = (names(&at_first), names(&strange));
    let made_in_all = made(None);
    at_first > 0 && at_first * 3 > made(first) && all * MANY > made_in_all
        || all >= STRANGERS && all * 3 > made_in_all
}
