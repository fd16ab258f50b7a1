//! Decides what a rollback undoes: what the target asks for, without what an earlier attempt undid.

use migrate_set::ledger::Entry;
use migrate_set::plan::Cause;
use migrate_set::rollback::{self, Obstacle, Obstacles, Rollback, rollback};
use migrate_set::version::Version;

use super::action::Action;
use super::goal::{At, Goal};
use super::groups::carry_out;
use super::plan;
use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::migrator::{Limit, Migrator};
use crate::outcome::{Error, ErrorKind};
use crate::sql::Reading;

/// Undoes migrations.
pub(crate) struct Undo<'u> {
    pub(crate) target: Rollback,
    /// What the target meant when it was planned: no others are undone.
    pub(crate) planned: Option<&'u [rollback::Undo<'u>]>,
    pub(crate) then: Then,
}

/// What the caller does after a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    /// Applies the same again, so nothing is undone that could not be.
    Again,
}

impl Goal for Undo<'_> {
    fn word(&self) -> &'static str {
        "rollback"
    }

    fn attempt<'a, 'r: 'a>(&'a self, at: At<'a, 'r>) -> Boxed<'a, Result<(), Stop>> {
        boxed(attempt(at, self))
    }
}

/// Reads the ledger, decides what to undo, the last applied first, and undoes it.
async fn attempt(At { cx, hold, tally }: At<'_, '_>, goal: &Undo<'_>) -> Result<(), Stop> {
    let contents = hold.read(cx, tally, Reading::WithDownScripts).await?;
    let target = match &goal.target {
        Rollback::Steps(steps) => Rollback::Steps(steps.saturating_sub(tally.versioned_undone)),
        other => other.clone(),
    };
    let mut entries: Vec<Entry> = match goal.then {
        Then::Again => contents.recorded.iter().map(|one| one.entry.clone()).collect(),
        Then::Nothing => Vec::new(),
    };
    let undos = rollback(cx.migrator.set, contents.recorded, &target, cx.migrator.down_from_ledger)
        .map_err(|obstacles| ErrorKind::Rollback { obstacles })?;
    let left = goal.planned.map(|all| all.get(tally.report.undone.len()..));
    if left.is_some_and(|left| left != Some(&undos)) {
        return Err(refused(vec![Obstacle::Changed]).into());
    }
    if goal.then == Then::Again {
        let before = tally.report.undone.iter().map(|one| Version::new(one.version.clone()));
        let versions = before.chain(undos.iter().map(|undo| undo.entry.version.clone()));
        entries.retain(|entry| undos.iter().all(|undo| undo.entry.position != entry.position));
        check_again(cx, &undos, versions.collect(), entries)?;
    }
    // An undo is always new: the ledger does not record the progress of a rollback.
    let work: Vec<_> = undos.iter().map(|undo| (Action::Undo(undo), Cause::New)).collect();
    carry_out(cx, hold, tally, &work, Table::Exists).await
}

/// Refuses a rollback after which the same could not be applied again, to a ledger that has these entries then.
fn check_again(
    cx: &Context<'_>,
    undos: &[rollback::Undo<'_>],
    versions: Vec<Version>,
    entries: Vec<Entry>,
) -> Result<(), Error> {
    let is_in_set = |entry: &Entry| {
        let mut all = cx.migrator.set.iter();
        all.any(|one| one.kind() == entry.kind && *one.version() == entry.version)
    };
    // A repeatable migration that has left the set, and of which nothing is undone, is no loss.
    let is_lost =
        |undo: &&rollback::Undo<'_>| !is_in_set(&undo.entry) && !undo.script().text().is_empty();
    let obstacles: Vec<Obstacle> = undos
        .iter()
        .filter(is_lost)
        .map(|rollback::Undo { entry, .. }| Obstacle::NotInSet {
            version: entry.version.to_string(),
            filename: entry.filename.clone(),
        })
        .collect();
    if !obstacles.is_empty() {
        return Err(refused(obstacles));
    }
    let plan = again(cx.migrator, versions).foresee(entries)?;
    plan.steps.iter().try_for_each(|step| plan::check(cx, step.migration))
}

fn refused(obstacles: Vec<Obstacle>) -> Error {
    ErrorKind::Rollback { obstacles: Obstacles(obstacles) }.into()
}

/// A migrator that applies just these again. The last that was applied is not always the one of the highest version.
pub(crate) fn again<'s>(migrator: &Migrator<'s>, versions: Vec<Version>) -> Migrator<'s> {
    Migrator { limit: Limit::Only(versions), ..migrator.clone() }.allow_out_of_order()
}
