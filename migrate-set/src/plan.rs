//! Decides what will run, without a database, so that every decision is a line in a table of tests.

use crate::checksum::ALGORITHM;
use crate::drift::{Drift, DriftReport};
use crate::ledger::Entry;
use crate::name::Kind;
use crate::resume::{continues, manner};
use crate::set::{Migration, Migrations};
use crate::version::Version;

/// What to do about one kind of deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// It is drift.
    Refuse,
    /// It is allowed.
    Allow,
}

/// Which deviations are drift. The defaults are the safe choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A pending migration that sorts before an applied one; refused unless allowed.
    pub out_of_order: Tolerance,
    /// An entry older than the set's newest migration, without a migration; refused unless allowed.
    pub missing: Tolerance,
    /// An applied migration that was edited; refused unless allowed.
    pub edited: Tolerance,
    /// An unfinished migration whose text does not begin with what took effect; always refused by a run.
    pub half_done: Tolerance,
    /// Entries newer than the set's newest migration; allowed unless refused, because a deployment
    /// that is rolled back must still start.
    pub ahead: Tolerance,
}

impl Default for Policy {
    fn default() -> Self {
        use Tolerance::{Allow, Refuse};
        Policy {
            out_of_order: Refuse,
            missing: Refuse,
            edited: Refuse,
            half_done: Refuse,
            ahead: Allow,
        }
    }
}

/// Why a migration is in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It never ran.
    New,
    /// It is repeatable, and its checksum changed.
    Changed,
    /// An earlier run stopped after its first `done` statements, which ran outside a transaction.
    Unfinished {
        /// Statements that took effect.
        done: u32,
        /// Whether the outcome of the next statement is unknown.
        in_flight: bool,
    },
}

/// One migration that will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'s> {
    /// The migration.
    pub migration: &'s Migration,
    /// Why it runs.
    pub cause: Cause,
}

/// What will run, in order, and what else is in the ledger.
///
/// ```
/// # use migrate_set::plan::{Cause, Plan};
/// fn new(plan: &Plan<'_>) -> usize {
///     plan.steps.iter().filter(|step| step.cause == Cause::New).count()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'s> {
    /// What will run; empty when nothing is pending.
    pub steps: Vec<Step<'s>>,
    /// The migrations that are already applied, with their entries.
    pub applied: Vec<(&'s Migration, Entry)>,
    /// Entries newer than the set.
    pub ahead: Vec<Entry>,
}

/// Compares `set` with the `entries` of its module.
///
/// # Errors
/// [`DriftReport`] with every deviation that `policy` does not allow.
pub fn plan<'s>(
    set: &'s Migrations,
    entries: Vec<Entry>,
    policy: &Policy,
) -> Result<Plan<'s>, DriftReport> {
    let mut planner = Planner { set, policy: *policy, newest_applied: None, drifts: Vec::new() };
    let Claims { mut claimed, mut rest } = Claims::of(set, entries);
    planner.newest_applied = newest_applied(&claimed, &rest);
    let mut plan = Plan { steps: Vec::new(), applied: Vec::new(), ahead: Vec::new() };
    plan.applied.reserve(set.len());
    for (migration, claim) in set.iter().zip(&mut claimed) {
        let entry = claim.take().or_else(|| unnamed(&mut rest, migration));
        let cause = if let Some(entry) = &entry {
            planner.judge(migration, entry)
        } else {
            planner.judge_order(migration);
            Some(Cause::New)
        };
        match (cause, entry) {
            (Some(cause), _) => plan.steps.push(Step { migration, cause }),
            (None, Some(entry)) => plan.applied.push((migration, entry)),
            (None, None) => {}
        }
    }
    plan.ahead = planner.judge_the_rest(rest);
    if planner.drifts.is_empty() { Ok(plan) } else { Err(DriftReport(planner.drifts)) }
}

/// The entries of a ledger, matched to the migrations of a set.
struct Claims {
    /// The entry of each migration, in the order of the set.
    claimed: Vec<Option<Entry>>,
    /// The versioned entries without a migration. Repeatable ones that left the set are history.
    rest: Vec<Entry>,
}

impl Claims {
    /// The migration after the last match is tried first, because entries are mostly in the order
    /// of the set.
    fn of(set: &Migrations, entries: Vec<Entry>) -> Claims {
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
        Claims { claimed, rest }
    }
}

/// The highest version that finished. Both slices are sorted.
fn newest_applied(claimed: &[Option<Entry>], rest: &[Entry]) -> Option<Version> {
    let is_finished = |entry: &&Entry| entry.kind == Kind::Versioned && entry.is_finished();
    let known = claimed.iter().rev().flatten().find(is_finished);
    let unknown = rest.iter().rev().find(is_finished);
    known.into_iter().chain(unknown).map(|entry| &entry.version).max().cloned()
}

/// The entry of a migration that was applied before its set ordered equal versions by name.
fn unnamed(rest: &mut Vec<Entry>, migration: &Migration) -> Option<Entry> {
    let version = migration.version().without_name()?;
    let is_its = |entry: &Entry| entry.version == version && entry.name == migration.name();
    rest.iter().position(is_its).map(|index| rest.remove(index))
}

struct Planner<'s> {
    set: &'s Migrations,
    policy: Policy,
    newest_applied: Option<Version>,
    drifts: Vec<Drift>,
}

impl Planner<'_> {
    /// Why `migration` runs although it has an entry.
    fn judge(&mut self, migration: &Migration, entry: &Entry) -> Option<Cause> {
        if let Some(done) = entry.progress {
            return Some(self.judge_unfinished(migration, entry, done));
        }
        let same = entry.checksum_algorithm == ALGORITHM
            && entry.checksum.as_ref().is_some_and(|text| migration.checksum().is_written(text))
            && entry.manner() == manner(migration.up());
        match migration.kind() {
            _ if same => None,
            Kind::Versioned => {
                self.judge_edit(migration, entry);
                None
            }
            Kind::Repeatable => Some(Cause::Changed),
        }
    }

    /// A text that does not begin with what took effect must not be recorded as applied.
    fn judge_unfinished(&mut self, migration: &Migration, entry: &Entry, done: u32) -> Cause {
        let in_flight = entry.in_flight;
        let continues = continues(migration, entry);
        match migration.kind() {
            Kind::Repeatable if !continues => return Cause::Changed,
            Kind::Versioned if !continues && self.policy.half_done == Tolerance::Refuse => {
                self.drifts.push(Drift::HalfDone {
                    version: migration.version().to_string(),
                    file: self.set.path_of(migration.filename()),
                    done,
                    in_flight,
                });
            }
            _ => {}
        }
        Cause::Unfinished { done, in_flight }
    }

    fn judge_order(&mut self, migration: &Migration) {
        let before = self.newest_applied.as_ref().filter(|newest| migration.version() < *newest);
        let (Some(newest), Kind::Versioned) = (before, migration.kind()) else { return };
        if self.policy.out_of_order == Tolerance::Refuse {
            self.drifts.push(Drift::OutOfOrder {
                version: migration.version().to_string(),
                file: self.set.path_of(migration.filename()),
                newest: newest.to_string(),
            });
        }
    }

    /// An entry without a checksum (a baseline) cannot be compared, so any text is allowed.
    fn judge_edit(&mut self, migration: &Migration, entry: &Entry) {
        let Some(recorded) = &entry.checksum else { return };
        let version = migration.version().to_string();
        let file = self.set.path_of(migration.filename());
        if self.policy.edited == Tolerance::Allow {
            return;
        }
        let embedded = migration.checksum().to_string();
        self.drifts.push(if entry.checksum_algorithm != ALGORITHM {
            let algorithm = entry.checksum_algorithm.clone().into_owned();
            Drift::UnknownAlgorithm { version, file, algorithm }
        } else if *recorded == embedded {
            Drift::Directive {
                version,
                file,
                recorded: entry.manner().map(str::to_owned),
                embedded: manner(migration.up()).map(str::to_owned),
                applied_at: entry.applied_at.clone(),
                applied_by: entry.applied_by.clone(),
            }
        } else {
            Drift::Edited {
                version,
                file,
                recorded: recorded.clone(),
                embedded,
                applied_at: entry.applied_at.clone(),
                applied_by: entry.applied_by.clone(),
            }
        });
    }

    /// Judges the entries without a migration; returns those that are ahead and allowed.
    fn judge_the_rest(&mut self, rest: Vec<Entry>) -> Vec<Entry> {
        let is_versioned = |migration: &&Migration| migration.kind() == Kind::Versioned;
        let newest = self.set.iter().rev().find(is_versioned).map(Migration::version);
        let mut allowed = Vec::new();
        for entry in rest {
            let ahead = newest.is_none_or(|newest| entry.version > *newest);
            let tolerance = if ahead { self.policy.ahead } else { self.policy.missing };
            if !ahead && entry.progress == Some(0) && entry.beginning().is_none() {
                // Nothing of it took effect, so nothing is missing.
                continue;
            }
            let version = entry.version.to_string();
            let (applied_at, applied_by) = (entry.applied_at.clone(), entry.applied_by.clone());
            let filename = entry.filename.clone();
            match (tolerance, ahead) {
                (Tolerance::Allow, true) => allowed.push(entry),
                (Tolerance::Allow, false) => {}
                (Tolerance::Refuse, true) => {
                    self.drifts.push(Drift::Ahead { version, filename, applied_at, applied_by });
                }
                (Tolerance::Refuse, false) => {
                    self.drifts.push(Drift::Missing { version, filename, applied_at, applied_by });
                }
            }
        }
        allowed
    }
}
