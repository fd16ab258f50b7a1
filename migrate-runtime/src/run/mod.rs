//! A run: read, plan, lock, apply, report, and again if it had to stop.

mod goal;
mod plan;
mod undo;
mod edits;
mod trial;
mod retry;
mod hold;
mod tally;
mod batch;
mod explain;
mod stepwise;
mod callouts;
mod locate;
mod action;
mod spans;

use migrate_set::plan::Cause;
use tokio_postgres::Client;
use tracing::Instrument as _;

use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::migrator::Migrator;
use crate::outcome::{Error, ErrorKind, Report, When};
use action::Action;
pub(crate) use edits::Edit;
pub use edits::Edited;
pub(crate) use goal::Goal;
use hold::Hold;
use plan::Group;
pub(crate) use plan::{script, up_to_date};
use tally::Tally;

/// Carries out a run; returns its report, or its error with the report of what it did before.
pub(crate) fn run<'r>(
    migrator: &'r Migrator<'_>,
    client: &'r Client,
    goal: Goal<'r>,
) -> Boxed<'r, Result<Report, Error>> {
    let cx = Context::new(migrator, client);
    let span = spans::run(migrator.set.module(), &cx.ledger.shown(), goal.as_str());
    let run = async move {
        migrator.check_names()?;
        migrator.check_functions()?;
        let (mut hold, mut tally) = (Hold::new(&cx), Tally::new());
        let reached = reach(&cx, &mut hold, &mut tally, goal);
        let result = retry::within_deadline(&cx, reached).await;
        tally.close(&cx, result)
    };
    boxed(run.instrument(span))
}

/// Reaches the goal, and releases what it holds, also after an error.
async fn reach<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    goal: Goal<'_>,
) -> Result<(), ErrorKind> {
    let mut result = attempts(cx, hold, tally, goal).await;
    if result.is_err() {
        tally.flush(cx).await;
    }
    hold.lock.release(cx).await;
    if tally.hooks_called {
        // The first error is the one to report.
        let called = callouts::around(cx, tally, When::AfterRun).await;
        result = result.and(called);
    }
    hold.restore_strings(cx).await;
    result
}

/// Repeats attempts until one succeeds.
async fn attempts<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    goal: Goal<'_>,
) -> Result<(), ErrorKind> {
    loop {
        let attempt = boxed(attempt(cx, hold, tally, goal)).await;
        let Err(stop) = attempt else { return Ok(()) };
        boxed(retry::prepare(cx, hold, tally, stop)).await?;
    }
}

/// Reads, plans and carries out the plan.
async fn attempt<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    goal: Goal<'_>,
) -> Result<(), Stop> {
    match goal {
        Goal::Apply => {
            let (todo, table) = plan::read(cx, hold, tally).await?;
            if tally.backoff.others_are_applying(tally.position, todo.steps.len()) {
                return Err(Stop::Busy);
            }
            carry_out(cx, hold, tally, &todo.work(), table).await?;
            tally.finish(cx, hold.lock.kind(), todo);
            Ok(())
        }
        Goal::Undo(target) => {
            let undos = undo::read(cx, hold, tally, target).await?;
            // An undo is always new: the ledger does not record the progress of a rollback.
            let work: Vec<_> = undos.iter().map(|undo| (Action::Undo(undo), Cause::New)).collect();
            carry_out(cx, hold, tally, &work, Table::Exists).await
        }
        Goal::TryOut => boxed(trial::attempt(cx, hold, tally)).await,
        Goal::Edit(edit) => boxed(edits::attempt(cx, hold, tally, edit)).await,
    }
}

/// Carries out `work` in order: transactional actions together, the others one by one.
async fn carry_out<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    work: &[(Action<'_>, Cause)],
    table: Table,
) -> Result<(), Stop> {
    if work.is_empty() {
        return Ok(());
    }
    callouts::begin(cx, tally, work.len()).await?;
    let mut table = boxed(hold.acquire(cx, tally, work, table)).await?;
    for group in plan::groups(work) {
        match group {
            Group::Batch(actions, last) => {
                boxed(batch::apply(cx, hold, tally, &actions, (last, table))).await?;
            }
            Group::Alone(action, cause) => {
                boxed(stepwise::apply(cx, hold, tally, (action, cause), table)).await?;
            }
        }
        table = Table::Exists;
    }
    Ok(())
}
