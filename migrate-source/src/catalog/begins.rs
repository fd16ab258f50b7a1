//! Whether a set begins on an empty database.

use std::collections::BTreeSet;

use super::Catalog;
use super::object::Sort;

/// How many names that no migration makes mean that the set begins on an existing schema, unless it
/// makes many more.
const STRANGERS: usize = 3;

/// Whether what a pass on an empty database found means that the set begins on an existing schema:
/// the first file that names a table, a type or a function names one that no file makes, or such names
/// are many.
pub(super) fn on_existing(pass: &Catalog) -> bool {
    let strange = pass.missing.iter().filter(|one| {
        matches!(one.sort, Sort::Table | Sort::View | Sort::Sequence | Sort::Type | Sort::Function)
            && one.stranger
            && !pass.births.contains_key(&(one.sort, one.name.clone()))
            && !pass.is_born(&one.name)
    });
    let strange: Vec<_> = strange.collect();
    let first = pass.births.values().flatten().min().map(|place| place.file);
    let begins_with = strange.iter().any(|one| first.is_none_or(|first| one.place.file <= first));
    let names: BTreeSet<&str> = strange.iter().map(|one| one.name.as_str()).collect();
    let made = pass.births.keys().filter(|(sort, _)| *sort == Sort::Table).count();
    begins_with || names.len() >= STRANGERS && names.len() * 3 > made
}
