//! Matches the entries of a ledger to the migrations of a set, also to those that got another version.

use super::{Planner, Tolerance, has_begun, is_another, is_same};
use crate::ledger::Entry;
use crate::name::Kind;
use crate::resume::continues;
use crate::set::{Migration, Migrations};

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
                None if entry.kind == Kind::Versioned => rest.push(entry),
                None => {}
            }
        }
        rest.sort_by(|a, b| a.version.cmp(&b.version));
        for (migration, claim) in set.iter().zip(&mut claimed) {
            if claim.is_none() {
                *claim = unnamed(&mut rest, migration);
            }
        }
        Claims { claimed, rest }
    }

    /// The migrations whose text was applied under another version, which no file with that text has
    /// now. Their entries are then of no other migration, unless the planner leaves them.
    pub(super) fn take_renumbered<'s>(
        &mut self,
        planner: &Planner<'s>,
    ) -> Vec<(&'s Migration, Entry)> {
        let list = planner.set.as_slice();
        let is_orphan = |index: usize, claim: &Option<Entry>| {
            let is_one =
                |entry| is_another(&list[index], entry) || is_rewritten(&list[index], entry);
            claim.as_ref().is_some_and(is_one)
        };
        let orphans = |claimed: &[Option<Entry>]| -> Vec<usize> {
            (0..claimed.len()).filter(|index| is_orphan(*index, &claimed[*index])).collect()
        };
        let taken = orphans(&self.claimed);
        let mut renumbered = Vec::new();
        if self.rest.is_empty() && taken.is_empty() {
            return renumbered;
        }
        for (index, migration) in list.iter().enumerate() {
            let is_free = self.claimed[index].is_none() || taken.contains(&index);
            if migration.kind() != Kind::Versioned || !is_free {
                continue;
            }
            let in_rest = self.rest.iter().position(|entry| is_of_file(migration, entry));
            let in_claims = || {
                let is_its = |at: &&usize| {
                    self.claimed[**at].as_ref().is_some_and(|entry| {
                        is_of_file(migration, entry)
                            || **at == index && is_rewritten(migration, entry)
                    })
                };
                taken.iter().find(is_its).copied()
            };
            let entry = match in_rest {
                Some(at) if planner.takes(migration, &self.rest[at]) => Some(self.rest.remove(at)),
                Some(at) => self.rest.get(at).cloned(),
                None => in_claims().and_then(|at| {
                    let claim = &mut self.claimed[at];
                    if planner.policy.renamed == Tolerance::Refuse {
                        claim.take()
                    } else {
                        claim.clone()
                    }
                }),
            };
            renumbered.extend(entry.map(|entry| (migration, entry)));
        }
        renumbered
    }
}

/// The entry of a migration that was applied before its set ordered equal versions by name.
fn unnamed(rest: &mut Vec<Entry>, migration: &Migration) -> Option<Entry> {
    let version = migration.version().without_name()?;
    let is_its = |entry: &Entry| entry.version == version && entry.name == migration.name();
    rest.iter().position(is_its).map(|index| rest.remove(index))
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
