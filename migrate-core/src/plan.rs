//! Decides what will run before anything runs.
//! A set, the entries of its module and a policy go in; a [`Plan`] or every [`Drift`] comes out.
//! It talks to no database on purpose, so every decision is a line in a table of tests.

use std::collections::BTreeMap;

use crate::checksum::ALGORITHM;
use crate::drift::{Drift, DriftReport};
use crate::ledger::Entry;
use crate::name::Kind;
use crate::set::{Migration, Migrations};
use crate::version::Version;

/// What to do about one sort of deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// It is drift.
    Refuse,
    /// It is let pass.
    Allow,
}

/// Which deviations are drift. The default is the safe one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A pending migration that sorts before an applied one; refused unless allowed.
    pub out_of_order: Tolerance,
    /// An entry older than the set's newest migration, without a migration; refused unless allowed.
    pub missing: Tolerance,
    /// An applied migration whose meaning was edited; refused unless allowed.
    pub edited: Tolerance,
    /// Entries newer than the set's newest migration; allowed unless refused, because an old
    /// replica must survive a roll-back deploy.
    pub ahead: Tolerance,
}

impl Default for Policy {
    fn default() -> Self {
        use Tolerance::{Allow, Refuse};
        Policy { out_of_order: Refuse, missing: Refuse, edited: Refuse, ahead: Allow }
    }
}

/// Why a migration is in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It never ran.
    New,
    /// It is repeatable, and its checksum is new.
    Changed,
    /// It is non-transactional, and an earlier run stopped behind its first `done` statements.
    Unfinished {
        /// Statements that took effect.
        done: u32,
        /// Whether the outcome of the statement behind them is unknown.
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

/// What will run, in order, and what was found besides.
///
/// ```
/// # use migrate_core::plan::{Cause, Plan};
/// fn new(plan: &Plan<'_>) -> usize {
///     plan.steps.iter().filter(|step| step.cause == Cause::New).count()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'s> {
    /// What will run; empty when nothing is pending.
    pub steps: Vec<Step<'s>>,
    /// What ran before, by migration of the set, with its entry.
    pub applied: Vec<(&'s Migration, Entry)>,
    /// Entries newer than the set.
    pub ahead: Vec<Entry>,
}

/// Compares `set` with the `entries` of its module.
///
/// # Errors
/// [`DriftReport`] with every deviation that `policy` does not let pass.
pub fn plan<'s>(
    set: &'s Migrations,
    entries: Vec<Entry>,
    policy: &Policy,
) -> Result<Plan<'s>, DriftReport> {
    let mut planner = Planner::new(set, entries, *policy);
    for migration in set {
        planner.judge(migration);
    }
    planner.judge_the_rest();
    let Planner { plan, drifts, .. } = planner;
    if drifts.is_empty() { Ok(plan) } else { Err(DriftReport(drifts)) }
}

/// The entry of a migration from before its set ordered equal versions by name.
fn unnamed(entries: &mut BTreeMap<Version, Entry>, migration: &Migration) -> Option<Entry> {
    let version = migration.version().without_name()?;
    let same = entries.get(&version).is_some_and(|entry| entry.name == migration.name());
    if same { entries.remove(&version) } else { None }
}

struct Planner<'s> {
    set: &'s Migrations,
    policy: Policy,
    /// Entries that no migration of the set has claimed yet.
    versioned: BTreeMap<Version, Entry>,
    repeatable: BTreeMap<Version, Entry>,
    newest_applied: Option<Version>,
    plan: Plan<'s>,
    drifts: Vec<Drift>,
}

impl<'s> Planner<'s> {
    fn new(set: &'s Migrations, entries: Vec<Entry>, policy: Policy) -> Self {
        let (versioned, repeatable): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|entry| entry.kind == Kind::Versioned);
        let by_version = |entries: Vec<Entry>| -> BTreeMap<Version, Entry> {
            entries.into_iter().map(|entry| (entry.version.clone(), entry)).collect()
        };
        let versioned = by_version(versioned);
        let finished = versioned.values().rev().find(|entry| entry.is_finished());
        Planner {
            set,
            policy,
            newest_applied: finished.map(|entry| entry.version.clone()),
            versioned,
            repeatable: by_version(repeatable),
            plan: Plan { steps: Vec::new(), applied: Vec::new(), ahead: Vec::new() },
            drifts: Vec::new(),
        }
    }

    fn judge(&mut self, migration: &'s Migration) {
        let entries = match migration.kind() {
            Kind::Versioned => &mut self.versioned,
            Kind::Repeatable => &mut self.repeatable,
        };
        let version = migration.version();
        let Some(entry) = entries.remove(version).or_else(|| unnamed(entries, migration)) else {
            self.judge_order(migration);
            self.plan.steps.push(Step { migration, cause: Cause::New });
            return;
        };
        let same = entry.checksum_algorithm == ALGORITHM
            && entry.checksum.as_deref() == Some(migration.checksum().to_string().as_str());
        let unfinished = |done| Cause::Unfinished { done, in_flight: entry.in_flight };
        let cause = match (entry.progress, migration.kind()) {
            (Some(done), Kind::Versioned) => Some(unfinished(done)),
            (Some(done), Kind::Repeatable) if same => Some(unfinished(done)),
            (_, Kind::Repeatable) if !same => Some(Cause::Changed),
            _ => None,
        };
        if !same && migration.kind() == Kind::Versioned {
            self.judge_edit(migration, &entry);
        }
        match cause {
            Some(cause) => self.plan.steps.push(Step { migration, cause }),
            None => self.plan.applied.push((migration, entry)),
        }
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

    /// An entry without a checksum (a baseline) cannot be compared and lets anything pass.
    fn judge_edit(&mut self, migration: &Migration, entry: &Entry) {
        let Some(recorded) = &entry.checksum else { return };
        let version = migration.version().to_string();
        let file = self.set.path_of(migration.filename());
        if self.policy.edited == Tolerance::Allow {
            return;
        }
        self.drifts.push(if entry.checksum_algorithm == ALGORITHM {
            Drift::Edited {
                version,
                file,
                recorded: recorded.clone(),
                embedded: migration.checksum().to_string(),
                applied_at: entry.applied_at.clone(),
                applied_by: entry.applied_by.clone(),
            }
        } else {
            Drift::UnknownAlgorithm { version, file, algorithm: entry.checksum_algorithm.clone() }
        });
    }

    /// Judges the entries that no migration claimed. Repeatable ones that left the set are history.
    fn judge_the_rest(&mut self) {
        let versioned = self.set.iter().filter(|migration| migration.kind() == Kind::Versioned);
        let newest = versioned.map(Migration::version).max();
        for entry in std::mem::take(&mut self.versioned).into_values() {
            let ahead = newest.is_none_or(|newest| entry.version > *newest);
            let tolerance = if ahead { self.policy.ahead } else { self.policy.missing };
            let version = entry.version.to_string();
            let (applied_at, applied_by) = (entry.applied_at.clone(), entry.applied_by.clone());
            let filename = entry.filename.clone();
            match (tolerance, ahead) {
                (Tolerance::Allow, true) => self.plan.ahead.push(entry),
                (Tolerance::Allow, false) => {}
                (Tolerance::Refuse, true) => {
                    self.drifts.push(Drift::Ahead { version, filename, applied_at, applied_by });
                }
                (Tolerance::Refuse, false) => {
                    self.drifts.push(Drift::Missing { version, filename, applied_at, applied_by });
                }
            }
        }
    }
}
