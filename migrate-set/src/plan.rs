//! Decides what will run, without a database, so that every decision is a line in a table of tests.

mod claims;
mod replaced;

use self::claims::{Claims, is_another, is_same};
use self::replaced::take_replaced;
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
    /// An unfinished migration whose text does not begin with what took effect, and a squash file that replaces
    /// more than the ledger has; always refused by a run.
    pub half_done: Tolerance,
    /// Entries newer than the set's newest migration; allowed unless refused, because a deployment
    /// that is rolled back must still start.
    pub ahead: Tolerance,
    /// An applied migration whose version is another file's now, or whose file has another version;
    /// refused by every run, because it would skip one migration or apply one twice.
    pub renamed: Tolerance,
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
            renamed: Refuse,
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
    /// Entries newer than the set, also of repeatable migrations whose text in the set is older.
    pub ahead: Vec<Entry>,
    /// Migrations whose text was applied under the version of this entry.
    pub renumbered: Vec<(&'s Migration, Entry)>,
}

/// Compares `set` with the `entries` of its module.
///
/// # Errors
/// [`DriftReport`] with every deviation that `policy` does not allow.
pub fn plan<'s>(
    set: &'s Migrations,
    mut entries: Vec<Entry>,
    policy: &Policy,
) -> Result<Plan<'s>, DriftReport> {
    let replaced = take_replaced(set, &mut entries);
    let (newest_applied, drifts) = (None, Vec::new());
    let mut planner = Planner { set, policy: *policy, newest_applied, replaced, drifts };
    let mut claims = Claims::of(set, entries);
    planner.newest_applied = newest_finished(&claims.claimed, &claims.rest);
    let is_behind = planner.is_behind(&claims.rest);
    let renumbered = claims.take_renumbered(&planner);
    let mut plan = Plan { steps: Vec::new(), applied: Vec::new(), ahead: Vec::new(), renumbered };
    planner.judge_renumbered(&plan.renumbered, &mut plan.ahead);
    plan.applied.reserve(set.len());
    for (migration, claim) in set.iter().zip(&mut claims.claimed) {
        match (planner.cause(migration, claim.as_ref(), &plan.renumbered), claim.take()) {
            (Some(Cause::Changed), Some(entry))
                if is_behind || is_superseded(migration, &entry) =>
            {
                planner.judge_ahead(entry, &mut plan.ahead);
            }
            (Some(cause), _) => plan.steps.push(Step { migration, cause }),
            (None, Some(entry)) => plan.applied.push((migration, entry)),
            (None, None) => {}
        }
    }
    planner.judge_the_rest(claims.rest, &mut plan);
    if planner.drifts.is_empty() { Ok(plan) } else { Err(DriftReport(planner.drifts)) }
}

/// Whether a newer text of a repeatable migration replaced that of the set.
fn is_superseded(migration: &Migration, entry: &Entry) -> bool {
    // A text that was forgotten and applied again is also an earlier one.
    !is_same(migration, entry)
        && entry.superseded.iter().any(|text| migration.checksum().is_written(text))
}

/// Whether anything of the migration of `entry` took effect, or perhaps did.
fn has_begun(entry: &Entry) -> bool {
    entry.progress != Some(0) || entry.beginning().is_some()
}

/// The highest version that finished. Both slices are sorted.
fn newest_finished(claimed: &[Option<Entry>], rest: &[Entry]) -> Option<Version> {
    let is_finished = |entry: &&Entry| entry.kind == Kind::Versioned && entry.is_finished();
    let known = claimed.iter().rev().flatten().find(is_finished);
    let unknown = rest.iter().rev().find(is_finished);
    known.into_iter().chain(unknown).map(|entry| &entry.version).max().cloned()
}

struct Planner<'s> {
    set: &'s Migrations,
    policy: Policy,
    newest_applied: Option<Version>,
    /// The entries of what a squash file replaces before its own version.
    replaced: Vec<Entry>,
    drifts: Vec<Drift>,
}

impl Planner<'_> {
    /// Why a migration runs; `None` if it does not.
    fn cause(
        &mut self,
        migration: &Migration,
        entry: Option<&Entry>,
        renumbered: &[(&Migration, Entry)],
    ) -> Option<Cause> {
        let mut left = renumbered.iter().filter(|(one, entry)| self.takes(one, entry));
        match entry {
            entry if !migration.replaces().is_empty() => self.judge_squash(migration, entry),
            Some(entry) => self.judge(migration, entry),
            None if left.any(|(one, _)| std::ptr::eq(*one, migration)) => None,
            None => {
                self.judge_order(migration);
                Some(Cause::New)
            }
        }
    }

    /// Why `migration` runs although it has an entry.
    fn judge(&mut self, migration: &Migration, entry: &Entry) -> Option<Cause> {
        if let Some(done) = entry.progress {
            return Some(self.judge_unfinished(migration, entry, done));
        }
        let same = is_same(migration, entry) && entry.manner() == manner(migration);
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
        let is_known = entry.checksum_algorithm == ALGORITHM;
        if is_known && self.policy.renamed == Tolerance::Refuse && is_another(migration, entry) {
            let (applied_at, applied_by) = (entry.applied_at.clone(), entry.applied_by.clone());
            let filename = entry.filename.clone();
            let taken = Drift::VersionTaken { version, file, filename, applied_at, applied_by };
            return self.drifts.push(taken);
        }
        if self.policy.edited == Tolerance::Allow {
            return;
        }
        let embedded = migration.checksum().to_string();
        self.drifts.push(if !is_known {
            let algorithm = entry.checksum_algorithm.clone().into_owned();
            Drift::UnknownAlgorithm { version, file, algorithm }
        } else if *recorded == embedded {
            Drift::Directive {
                version,
                file,
                recorded: entry.manner().map(str::to_owned),
                embedded: manner(migration).map(str::to_owned),
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

    /// Whether the ledger has a version above the set's newest, so that the set is older.
    fn is_behind(&self, rest: &[Entry]) -> bool {
        rest.last().is_some_and(|entry| self.is_ahead(entry))
    }

    fn is_ahead(&self, entry: &Entry) -> bool {
        let is_versioned = |migration: &&Migration| migration.kind() == Kind::Versioned;
        let newest = self.set.iter().rev().find(is_versioned).map(Migration::version);
        newest.is_none_or(|newest| entry.version > *newest)
    }

    /// Whether the entry of a renumbered migration is of no other one, so that the migration does not run.
    fn takes(&self, migration: &Migration, entry: &Entry) -> bool {
        self.policy.renamed == Tolerance::Refuse || self.is_older(migration, entry)
    }

    /// Whether a newer set gave the file of `migration` another number. A set that is older must still start.
    fn is_older(&self, migration: &Migration, entry: &Entry) -> bool {
        self.is_ahead(entry) && entry.name == migration.name()
    }

    fn judge_renumbered(&mut self, renumbered: &[(&Migration, Entry)], ahead: &mut Vec<Entry>) {
        for (migration, entry) in renumbered {
            if self.is_older(migration, entry) {
                self.judge_ahead(entry.clone(), ahead);
            } else if self.policy.renamed == Tolerance::Refuse {
                self.drifts.push(Drift::Renumbered {
                    version: entry.version.to_string(),
                    filename: entry.filename.clone(),
                    new_version: migration.version().to_string(),
                    file: self.set.path_of(migration.filename()),
                });
            }
        }
    }

    /// Adds an entry that is newer than the set to `ahead`, if that is allowed.
    fn judge_ahead(&mut self, entry: Entry, ahead: &mut Vec<Entry>) {
        match self.policy.ahead {
            Tolerance::Allow => ahead.push(entry),
            Tolerance::Refuse => self.drifts.push(Drift::Ahead {
                version: entry.version.to_string(),
                filename: entry.filename,
                applied_at: entry.applied_at,
                applied_by: entry.applied_by,
            }),
        }
    }

    /// Judges the entries without a migration.
    fn judge_the_rest(&mut self, rest: Vec<Entry>, plan: &mut Plan<'_>) {
        for entry in rest {
            if self.is_ahead(&entry) {
                self.judge_ahead(entry, &mut plan.ahead);
            } else if let Some(done) = entry.progress {
                // Of an entry that took no effect, nothing is missing.
                if has_begun(&entry) && self.policy.half_done == Tolerance::Refuse {
                    self.drifts.push(Drift::HalfDone {
                        version: entry.version.to_string(),
                        file: entry.filename,
                        done,
                        in_flight: entry.in_flight,
                    });
                }
            } else if self.policy.missing == Tolerance::Refuse {
                let is_namesake =
                    |one: &&Step<'_>| one.cause == Cause::New && one.migration.name() == entry.name;
                let namesake = plan.steps.iter().find(is_namesake);
                let namesake = namesake.map(|one| self.set.path_of(one.migration.filename()));
                self.drifts.push(Drift::Missing {
                    version: entry.version.to_string(),
                    filename: entry.filename,
                    namesake,
                    applied_at: entry.applied_at,
                    applied_by: entry.applied_by,
                });
            }
        }
    }
}
