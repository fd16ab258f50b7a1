//! Matches the entries of a ledger to the migrations of a set.

use super::{Planner, Tolerance, has_begun};
use crate::checksum::ALGORITHM;
use crate::ledger::Entry;
use crate::name::Kind;
use crate::resume::continues;
use crate::set::{Migration, Migrations};

/// Whether the text of `migration` is the one of `entry`.
pub(super) fn is_same(migration: &Migration, entry: &Entry) -> bool {
    entry.checksum_algorithm == ALGORITHM
        && entry.checksum.as_ref().is_some_and(|text| migration.checksum().is_written(text))
}

/// Whether `entry` is of a file with another name and another text. Brief entries have no name.
pub(super) fn is_another(migration: &Migration, entry: &Entry) -> bool {
    let names = (entry.name.as_str(), migration.name());
    migration.kind() == Kind::Versioned
        && !names.0.is_empty()
        && names.0 != names.1
        && entry.checksum.is_some()
        && !is_same(migration, entry)
}

/// Whether `entry` is of the file of `migration` if their versions differ: it has the same text, or one that
/// continues what took effect.
fn is_of_file(migration: &Migration, entry: &Entry) -> bool {
    has_begun(entry)
        && (is_same(migration, entry) || !entry.is_finished() && continues(migration, entry))
}

/// Whether a run could continue `entry`, but not find it again: its version is written in another way.
fn is_rewritten(migration: &Migration, entry: &Entry) -> bool {
    !entry.is_finished()
        && entry.version.as_str() != migration.version().as_str()
        && continues(migration, entry)
}

/// The entries of a ledger, matched to the migrations of a set.
pub(super) struct Claims {
    /// The entry of each migration, in the order of the set.
    pub(super) claimed: Vec<Option<Entry>>,
    /// The versioned entries without a migration. Repeatable ones that left the set are history.
    pub(super) rest: Vec<Entry>,
}

impl Claims {
    /// The migration after the last match is tried first, because entries are mostly in the order
    /// of the set.
    pub(super) fn of(set: &Migrations, entries: Vec<Entry>) -> Claims {
        let list = set.as_slice();
        let (versioned, repeatable) =
            list.split_at(list.partition_point(|migration| migration.kind() == Kind::Versioned));
        let mut claimed: Vec<Option<Entry>> = Vec::new();
        claimed.resize_with(list.len(), || None);
        let mut rest = Vec::new();
        let mut expected = 0;
        for entry in entries {
            let is_its = |migration: &Migration| {
                migration.kind() == entry.kind && *migration.version() == entry.version
            };
            let found = match entry.kind {
                _ if list.get(expected).is_some_and(is_its) => Some(expected),
                Kind::Versioned => versioned
                    .binary_search_by(|migration| migration.version().cmp(&entry.version))
                    .ok(),
                Kind::Repeatable => {
                    repeatable.iter().position(is_its).map(|index| versioned.len() + index)
                }
            };
            match found.and_then(|index| Some((index, claimed.get_mut(index)?))) {
                Some((index, claim)) => {
                    expected = index + 1;
                    *claim = Some(entry);
                }
                None if entry.kind == Kind::Versioned => insert(&mut rest, entry),
                None => {}
            }
        }
        for (migration, claim) in set.iter().zip(&mut claimed) {
            if claim.is_none() {
                *claim = unnamed(&mut rest, migration);
            }
        }
        Claims { claimed, rest }
    }

    /// The migrations whose text was applied under another version, which no file with that text has
    /// now. Unless the planner leaves them, no other migration gets their entries.
    pub(super) fn take_renumbered<'s>(
        &mut self,
        planner: &Planner<'s>,
    ) -> Vec<(&'s Migration, Entry)> {
        let list = planner.set.as_slice();
        let is_taken = |index: &usize| {
            let (migration, claim) = (&list[*index], self.claimed[*index].as_ref());
            claim
                .is_some_and(|entry| is_another(migration, entry) || is_rewritten(migration, entry))
        };
        let taken: Vec<usize> = (0..list.len()).filter(is_taken).collect();
        if self.rest.is_empty() && taken.is_empty() {
            return Vec::new();
        }
        let is_free = |index: &usize| {
            list[*index].kind() == Kind::Versioned
                && (self.claimed[*index].is_none() || taken.contains(index))
        };
        let free: Vec<usize> = (0..list.len()).filter(is_free).collect();
        let found = |index: usize| Some((&list[index], self.take_of_file(planner, index, &taken)?));
        free.into_iter().filter_map(found).collect()
    }

    /// The entry of the file of migration `index`: one without a migration, or of a version that is `taken`.
    fn take_of_file(
        &mut self,
        planner: &Planner<'_>,
        index: usize,
        taken: &[usize],
    ) -> Option<Entry> {
        let migration = planner.set.as_slice().get(index)?;
        if let Some(at) = self.rest.iter().position(|entry| is_of_file(migration, entry)) {
            let is_taken = planner.takes(migration, &self.rest[at]);
            return if is_taken { Some(self.rest.remove(at)) } else { self.rest.get(at).cloned() };
        }
        let is_its = |at: &&usize| {
            self.claimed[**at].as_ref().is_some_and(|entry| {
                is_of_file(migration, entry) || **at == index && is_rewritten(migration, entry)
            })
        };
        let at = *taken.iter().find(is_its)?;
        let claim = &mut self.claimed[at];
        match planner.policy.renamed {
            Tolerance::Refuse => claim.take(),
            Tolerance::Allow => claim.clone(),
        }
    }
}

/// Adds an entry to a list by version. Mostly it comes last, because entries are read in the order of application; a
/// sort of entries is 10 KiB of code in each service.
pub(super) fn insert(list: &mut Vec<Entry>, entry: Entry) {
    let at = list.partition_point(|known| known.version <= entry.version);
    list.insert(at, entry);
}

/// The entry of a migration that was applied before its set ordered equal versions by name.
fn unnamed(rest: &mut Vec<Entry>, migration: &Migration) -> Option<Entry> {
    let version = migration.version().without_name()?;
    let is_its = |entry: &Entry| entry.version == version && entry.name == migration.name();
    rest.iter().position(is_its).map(|index| rest.remove(index))
}
