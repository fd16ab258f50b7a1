//! Decides what a rollback undoes: what the target asks for, without what an earlier attempt undid.

use migrate_set::plan::Cause;
use migrate_set::rollback::{self, Obstacle, Obstacles, Rollback, rollback};

use super::action::Action;
use super::goal::{At, Goal};
use super::groups::carry_out;
use crate::boxed::{Boxed, boxed};
use crate::context::Table;
use crate::lock::Stop;
use crate::outcome::ErrorKind;
use crate::sql::Reading;

/// Undoes migrations.
pub(crate) struct Undo<'u> {
    pub(crate) target: Rollback,
    /// What the target meant when it was confirmed: no others are undone.
    pub(crate) confirmed: Option<&'u [rollback::Undo<'u>]>,
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
    let undos = rollback(cx.migrator.set, contents.recorded, &target, cx.migrator.down_from_ledger)
        .map_err(|obstacles| ErrorKind::Rollback { obstacles })?;
    let left = goal.confirmed.map(|all| all.get(tally.report.undone.len()..));
    if left.is_some_and(|left| left != Some(&undos)) {
        let obstacles = Obstacles(vec![Obstacle::Changed]);
        return Err(ErrorKind::Rollback { obstacles }.into());
    }
    // An undo is always new: the ledger does not record the progress of a rollback.
    let work: Vec<_> = undos.iter().map(|undo| (Action::Undo(undo), Cause::New)).collect();
    carry_out(cx, hold, tally, &work, Table::Exists).await
}
