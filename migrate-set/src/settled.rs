//! Checks row by row whether a ledger contains exactly a set. Anything unexpected is left to
//! [`crate::plan`]. Most boots need only this, so no entry is built unless it is asked for.

use crate::checksum::Checksum;
use crate::ledger::Entry;
use crate::name::Kind;
use crate::resume::manner;
use crate::set::{Migration, Migrations};
use crate::squash::Replaced;
use crate::version::Version;

/// The migrations of a set that were found in its ledger.
///
/// ```
/// # use migrate_set::{set::Migrations, settled::Settled};
/// fn is_up_to_date(set: &Migrations, finished: &[(&str, &str, &str)]) -> bool {
///     let mut settled = Settled::new(set);
///     finished.iter().all(|(kind, version, checksum)| settled.meets(kind, version, checksum, None))
///         && settled.is_whole()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled<'s> {
    set: &'s Migrations,
    /// By index in the set, up to the last migration that was found.
    met: Vec<bool>,
    count: usize,
    /// Whether all are known to be there, without having been looked for.
    is_known: bool,
    /// The index to try first for the next entry, because entries are mostly in the order of the
    /// set. `None` after an entry that was not found: more searches would scan the set each time.
    expected: Option<usize>,
}

impl<'s> Settled<'s> {
    /// No entry has been read yet.
    pub fn new(set: &'s Migrations) -> Self {
        Settled { set, met: Vec::new(), count: 0, is_known: false, expected: Some(0) }
    }

    /// All are there, because the ledger has the digest of the set.
    #[must_use]
    pub fn whole(self) -> Self {
        Settled { is_known: true, ..self }
    }

    /// Whether all are there by the digest, so that no entry was read.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Whether a finished entry matches a migration of the set: by kind, version as written,
    /// checksum and how it `ran`. Each migration matches once. After an entry without a match, all
    /// others fail too.
    pub fn meets(&mut self, kind: &str, version: &str, checksum: &str, ran: Option<&str>) -> bool {
        let Some(expected) = self.expected else { return false };
        let found = self.find(expected, kind, version, checksum);
        let found = found
            .filter(|index| self.set.as_slice().get(*index).is_some_and(|one| manner(one) == ran));
        self.expected = found.map(|index| index + 1);
        let Some(index) = found else { return false };
        if self.met.len() <= index {
            self.met.resize(index + 1, false);
        }
        self.met[index] = true;
        self.count += 1;
        true
    }

    /// The index of an entry's migration, unless that was already found.
    fn find(&self, expected: usize, kind: &str, version: &str, checksum: &str) -> Option<usize> {
        let list = self.set.as_slice();
        let is_its = |migration: &Migration| {
            migration.version().as_str() == version && migration.kind().as_str() == kind
        };
        let index = match list.get(expected) {
            Some(migration) if is_its(migration) => expected,
            _ => list.iter().position(is_its)?,
        };
        let is_met = self.met.get(index).is_some_and(|met| *met);
        (!is_met && list.get(index)?.checksum().is_written(checksum)).then_some(index)
    }

    /// Whether every migration of the set was found.
    pub fn is_whole(&self) -> bool {
        // What a squash file replaces has entries of its own, which a plan looks for.
        let has_squash = || self.set.iter().any(|one| !one.replaces().is_empty());
        self.is_known || self.count == self.set.len() && !has_squash()
    }

    /// The entries that were found, with only the fields that a plan compares.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.count);
        for (index, migration) in self.set.iter().enumerate() {
            if !self.is_known && !self.met.get(index).is_some_and(|met| *met) {
                continue;
            }
            let before = if self.is_known { migration.replaces_before() } else { &[] };
            entries.extend(before.iter().map(of_replaced));
            let key = (migration.version(), migration.kind());
            entries.push(brief(key, migration.checksum(), manner(migration)));
        }
        entries
    }
}

fn of_replaced(one: &Replaced) -> Entry {
    brief((one.version(), Kind::Versioned), one.checksum(), one.manner())
}

fn brief((version, kind): (&Version, Kind), checksum: Checksum, manner: Option<&str>) -> Entry {
    let entry = Entry::brief(version.clone(), kind, Some(checksum.to_string()));
    Entry { ran: manner.map(str::to_owned), ..entry }
}
