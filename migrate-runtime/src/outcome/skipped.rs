//! The migrations that a run did not apply.

use std::borrow::Cow;
use std::fmt;

use migrate_set::set::{Migration, Migrations};

/// A migration that a run did not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its version as written.
    pub version: Cow<'static, str>,
    /// The description in its file name.
    pub name: Cow<'static, str>,
    /// Why it was not applied.
    pub reason: SkipReason,
}

/// Why a run did not apply a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// It was in the ledger when the run began.
    AlreadyApplied,
    /// Another replica applied it while this run waited.
    AppliedMeanwhile,
}

impl Skipped {
    pub(crate) fn new(migration: &Migration, reason: SkipReason) -> Self {
        let version = migration.version().clone().into();
        Skipped { version, name: migration.shared_name(), reason }
    }
}

/// The migrations that a run did not apply, in the set's order.
///
/// Most boots skip the whole set, which is then read only when you look at the list.
///
/// ```
/// use migrate_runtime::Report;
/// use migrate_runtime::report::SkipReason;
///
/// /// How many migrations another replica applied while this run waited.
/// fn meanwhile(report: &Report) -> usize {
///     report.skipped.iter().filter(|one| one.reason == SkipReason::AppliedMeanwhile).count()
/// }
/// ```
#[derive(Clone)]
pub struct SkippedList(List);

#[derive(Clone)]
enum List {
    /// All of the set, which was in the ledger when the run began.
    Whole(Migrations),
    These(Vec<Skipped>),
}

impl SkippedList {
    /// All migrations of a set that was in the ledger when the run began.
    pub(crate) fn whole(set: &Migrations) -> Self {
        SkippedList(List::Whole(set.clone()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            List::Whole(set) => set.len(),
            List::These(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The migrations, in the set's order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Skipped> + '_> {
        match &self.0 {
            List::Whole(set) => {
                Box::new(set.iter().map(|one| Skipped::new(one, SkipReason::AlreadyApplied)))
            }
            List::These(list) => Box::new(list.iter().cloned()),
        }
    }
}

impl Default for SkippedList {
    fn default() -> Self {
        SkippedList(List::These(Vec::new()))
    }
}

impl FromIterator<Skipped> for SkippedList {
    fn from_iter<I: IntoIterator<Item = Skipped>>(list: I) -> Self {
        SkippedList(List::These(list.into_iter().collect()))
    }
}

impl<'l> IntoIterator for &'l SkippedList {
    type Item = Skipped;
    type IntoIter = Box<dyn Iterator<Item = Skipped> + 'l>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for SkippedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl PartialEq for SkippedList {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl Eq for SkippedList {}
