//! Sees that a ledger holds a set and nothing else, entry by entry as they are read.
//! What a row says goes in; whether all of the set was met, and the entries of what was, come out.
//! It decides nothing on purpose: whatever is not exactly as expected is [`crate::plan`]'s business.
//! Most boots end here, so nothing is written down that nobody asks for.

use std::borrow::Cow;

use crate::checksum::ALGORITHM;
use crate::ledger::Entry;
use crate::set::{Migration, Migrations};

/// The migrations of a set that were met in its ledger.
///
/// ```
/// # use migrate_set::{set::Migrations, settled::Settled};
/// fn is_up_to_date(set: &Migrations, finished: &[(&str, &str, &str)]) -> bool {
///     let mut settled = Settled::new(set);
///     finished.iter().all(|(kind, version, checksum)| settled.meets(kind, version, checksum))
///         && settled.is_whole()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled<'s> {
    set: &'s Migrations,
    /// By place in the set, up to the last one that was met.
    met: Vec<bool>,
    count: usize,
    /// Where the next one is looked for first: entries mostly come in the order of the set. `None`
    /// behind one that was not found: they are not looked for any more, which took a scan each.
    expected: Option<usize>,
}

impl<'s> Settled<'s> {
    /// Nothing was met yet.
    pub fn new(set: &'s Migrations) -> Self {
        Settled { set, met: Vec::new(), count: 0, expected: Some(0) }
    }

    /// Whether a finished entry is that of a migration of the set: its kind, its version as written,
    /// its checksum. It is noted as met then, once; behind one that is not, none is.
    pub fn meets(&mut self, kind: &str, version: &str, checksum: &str) -> bool {
        let Some(expected) = self.expected else { return false };
        let found = self.find(expected, kind, version, checksum);
        self.expected = found.map(|index| index + 1);
        let Some(index) = found else { return false };
        if self.met.len() <= index {
            self.met.resize(index + 1, false);
        }
        self.met[index] = true;
        self.count += 1;
        true
    }

    /// The place of the migration of an entry, where it was not met yet.
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

    /// Whether every migration of the set was met.
    pub fn is_whole(&self) -> bool {
        self.count == self.set.len()
    }

    /// The entries of those that were met, as far as they were told: no more than a plan compares.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let met = self.set.iter().zip(&self.met).filter(|(_, met)| **met);
        met.map(|(migration, _)| Entry {
            version: migration.version().clone(),
            kind: migration.kind(),
            name: String::new(),
            filename: String::new(),
            checksum: Some(migration.checksum().to_string()),
            checksum_algorithm: Cow::Borrowed(ALGORITHM),
            position: 0,
            applied_at: String::new(),
            execution_ms: 0,
            applied_by: String::new(),
            progress: None,
            in_flight: false,
        })
    }
}
