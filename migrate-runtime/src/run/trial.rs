//! Runs all pending migrations in one transaction, and undoes it.

use super::action::Action;
use super::batch;
use super::callouts::{self, Messages};
use super::explain::{Stopped, explain};
use super::hold::Hold;
use super::plan;
use super::tally::Tally;
use crate::boxed::boxed;
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::outcome::ErrorKind;
use crate::sql::Commit;
use crate::wire::{BEGIN, Part};

/// Reads, plans, runs the transactional migrations, and undoes them.
pub(super) async fn attempt<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
) -> Result<(), Stop> {
    let (todo, table) = plan::read(cx, hold, tally).await?;
    let actions = todo.steps.iter().map(|step| Action::Apply(step.migration));
    let (inside, outside): (Vec<Action<'_>>, Vec<Action<'_>>) =
        actions.partition(|action| action.is_transactional());
    callouts::begin(cx, tally, inside.len()).await?;
    let table = boxed(hold.lock.enter(cx, &mut tally.report, (table, tally.position))).await?;
    if !inside.is_empty() {
        try_out(cx, hold, tally, &inside, table).await?;
    }
    for action in outside {
        let file = cx.path_of(action.script());
        tally.report.note(format!("{file} runs outside a transaction and was left out"));
    }
    Ok(())
}

/// Runs all of `actions` in one transaction and undoes it.
async fn try_out<'r>(
    cx: &Context<'r>,
    hold: &Hold<'r>,
    tally: &mut Tally<'r>,
    actions: &[Action<'_>],
    table: Table,
) -> Result<(), Stop> {
    let messages = messages(cx, hold, tally, actions, table)?;
    tally.starts(cx, actions.first());
    let result = boxed(messages.send(cx, tally, &mut |tally, part, row| {
        if let Part::Record { step } = part {
            tally.done(cx, actions[step], batch::execution_time(row.as_ref()));
            tally.starts(cx, actions.get(step + 1));
        }
    }))
    .await;
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(stop) => {
            tally.report.applied.clear();
            return Err(stop);
        }
    };
    let Some(failure) = outcome.failure else { return Ok(()) };
    cx.wire.end_transaction(&failure.error, outcome.completed).await;
    let done = std::mem::take(&mut tally.report.applied).len();
    if let Some(stop) = boxed(cx.reason(&failure)).await {
        return Err(stop);
    }
    let stopped = Stopped { failure, completed: outcome.completed };
    Err(explain(cx, actions, done, stopped).await.into())
}

/// All of `actions` in one transaction that is rolled back.
fn messages<'d>(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    tally: &Tally<'_>,
    actions: &[Action<'d>],
    table: Table,
) -> Result<Messages<'d>, ErrorKind> {
    let mut messages = Messages::new();
    messages.push(Part::Control, BEGIN);
    if table == Table::Missing {
        batch::push_ledger(cx, hold, messages.message());
    }
    for (step, action) in actions.iter().enumerate() {
        let at = batch::position(tally, step);
        batch::push_migration(
            cx,
            hold,
            &mut messages,
            (step, *action),
            (at, Commit::Asynchronous),
        )?;
        let record = batch::record(cx, tally.extent, *action, at + 1)?;
        messages.push(Part::Record { step }, &record);
    }
    messages.push(Part::Control, "ROLLBACK");
    Ok(messages)
}
