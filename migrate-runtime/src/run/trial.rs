//! Runs all pending migrations in one transaction, and undoes it. After each it does what a commit does, and
//! what only a commit can show is noted.

use std::time::Duration;

use migrate_set::set::Script;
use migrate_set::sql::kind::SessionEffect;
use migrate_set::sql::lexer::lex;
use migrate_set::sql::split::split;
use migrate_set::sql::words::Words;

use super::action::Action;
use super::batch;
use super::callouts::{self, Messages};
use super::explain::{Stopped, explain, is_blocked};
use super::goal::{At, Goal};
use super::guards;
use super::hold::Hold;
use super::plan;
use super::tally::Tally;
use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::migrator::Migrator;
use crate::outcome::Error;
use crate::sql::{CHECK_CONSTRAINTS, Commit, Extent, SEQUENTIAL, Session, defer_constraints};
use crate::wire::{Failure, Part};

/// Runs pending migrations, and undoes them.
pub(crate) struct TryOut;

impl Goal for TryOut {
    fn word(&self) -> &'static str {
        "trial"
    }

    fn attempt<'a, 'r: 'a>(&'a self, at: At<'a, 'r>) -> Boxed<'a, Result<(), Stop>> {
        boxed(attempt(at))
    }
}

/// Reads, plans, runs the transactional migrations, and undoes them.
async fn attempt(At { cx, hold, tally }: At<'_, '_>) -> Result<(), Stop> {
    let (todo, table) = plan::read(cx, hold, tally, Migrator::foresee).await?;
    // A run would first end the entries of migrations that begin again.
    tally.extent = Extent::Whole;
    let actions: Vec<_> = todo.steps.iter().map(|step| Action::Apply(step.migration)).collect();
    let (inside, outside): (Vec<Action<'_>>, Vec<Action<'_>>) =
        actions.iter().partition(|action| action.is_transactional());
    callouts::begin(cx, tally, inside.len()).await?;
    if !inside.is_empty() {
        let table = hold.enter(cx, tally, table).await?;
        hold.lock.open(cx, (table, tally.position), "true").await?;
        let tried = try_out(cx, hold, tally, &inside, table).await;
        tried.map_err(|stop| with_what_was_left_out(cx, &actions, stop))?;
    }
    for action in outside {
        let file = cx.path_of(action.script());
        tally.report.note(format!("{file} runs outside a transaction and was left out"));
    }
    Ok(())
}

/// Adds to a failure that a migration before it was left out.
fn with_what_was_left_out(cx: &Context<'_>, actions: &[Action<'_>], mut stop: Stop) -> Stop {
    if let Stop::Failed(error) | Stop::Blocked(error) = &mut stop
        && let Some(failure) = error.failure_mut()
    {
        let before = actions.iter().take_while(|action| action.version() != failure.version);
        if let Some(left_out) = before.filter(|action| !action.is_transactional()).last() {
            let file = cx.path_of(left_out.script());
            failure.help.get_or_insert_with(|| {
                format!(
                    "{file} runs outside a transaction and was left out of the trial; if this \
                     migration needs it, a run can succeed"
                )
                .into()
            });
        }
    }
    stop
}

/// Runs all of `actions` in one transaction and undoes it.
async fn try_out<'r>(
    cx: &Context<'r>,
    hold: &Hold<'r>,
    tally: &mut Tally<'r>,
    actions: &[Action<'_>],
    table: Table,
) -> Result<(), Stop> {
    let saved = saved_sessions(cx, actions).await?;
    let messages = messages(cx, hold, tally, (actions, &saved), table)?;
    tally.starts(cx, actions.first());
    let mut duration = Duration::ZERO;
    let result = boxed(messages.send(cx, tally, &mut |tally, part, row| match part {
        Part::Record { .. } => duration = batch::execution_time(row.as_ref()),
        Part::Constraints { step } => {
            tally.done(cx, actions[step], duration);
            tally.starts(cx, actions.get(step + 1));
        }
        _ => {}
    }))
    .await;
    let outcome = result.inspect_err(|_| tally.report.applied.clear())?;
    let Some(failure) = outcome.failure else { return Ok(()) };
    cx.wire.end_transaction(&failure.error, outcome.completed).await;
    let failure = failure.placed(cx.wire.client).await;
    if let Some(stop) = cx.reason(&failure).await {
        tally.report.applied.clear();
        return Err(stop);
    }
    if let Some(step) = needs_a_commit(actions, &failure) {
        tally.report.note(not_tried(cx, actions, step));
        return Ok(());
    }
    let done = std::mem::take(&mut tally.report.applied).len();
    let is_blocked = is_blocked(&failure);
    let stopped = Stopped { failure, completed: outcome.completed };
    Err(Stop::blocked_if(is_blocked, explain(cx, actions, done, stopped).await))
}

/// The session as it is, once for each migration that resets it, because a reset also removes what it notes.
async fn saved_sessions(cx: &Context<'_>, actions: &[Action<'_>]) -> Result<Vec<Session>, Error> {
    let mut saved = Vec::new();
    for action in actions.iter().copied().filter(batch::resets_session) {
        saved.extend(batch::note_session(cx, action).await?);
    }
    Ok(saved)
}

/// The step that uses an enum value of an earlier one, which the server allows only after a commit; `None` for
/// another failure, and for a migration that uses its own, which fails in a run too.
fn needs_a_commit(actions: &[Action<'_>], failure: &Failure) -> Option<usize> {
    // unsafe_new_enum_value_usage
    let db = failure.error.as_db_error().filter(|db| db.code().code() == "55P04")?;
    let (step, statements) = match failure.part? {
        Part::Statement { step, index } => (step, index),
        Part::Constraints { step } => (step, usize::MAX),
        _ => return None,
    };
    // The message names the value, in any language. One name can be part of another.
    let message = db.message().to_lowercase();
    let named = |(script, statements): (&Script, usize)| {
        let values = enum_values(script, statements).into_iter();
        values.filter(|value| message.contains(value)).map(|value| value.len()).max()
    };
    let earlier = actions.get(..step)?.iter().filter_map(|a| named((a.script(), usize::MAX))).max();
    let own = named((actions.get(step)?.script(), statements));
    (step > 0 && own <= earlier).then_some(step)
}

/// The values that the first `statements` of a script add to enums, in lower case.
fn enum_values(script: &Script, statements: usize) -> Vec<String> {
    let value = |(start, end): (usize, usize)| {
        let sql = script.text().get(start..end)?;
        let tokens = lex(sql);
        let statements = split(sql, &tokens).ok()?;
        let mut words = Words::of(sql, statements.first()?);
        if !words.eat("ALTER TYPE") {
            return None;
        }
        let mut words = words.find("ADD VALUE")?;
        words.eat("ADD VALUE");
        words.eat("IF NOT EXISTS");
        words.literal()
    };
    script.statements().take(statements).filter_map(value).collect()
}

/// The note about a step that a trial cannot judge.
fn not_tried(cx: &Context<'_>, actions: &[Action<'_>], step: usize) -> String {
    let file = actions.get(step).map(|action| cx.path_of(action.script())).unwrap_or_default();
    let after = match actions.len() - step - 1 {
        0 => "it was left out".to_owned(),
        1 => "it and the one after it were left out".to_owned(),
        count => format!("it and the {count} after it were left out"),
    };
    format!(
        "{file} uses an enum value that an earlier migration adds, which works only after a commit; {after}"
    )
}

/// All of `actions` in one transaction that is rolled back.
fn messages<'d>(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    tally: &Tally<'_>,
    (actions, saved): (&[Action<'d>], &[Session]),
    table: Table,
) -> Result<Messages<'d>, Error> {
    let mut messages = Messages::new();
    let mut saved = saved.iter();
    cx.wire.begin(messages.message());
    if cx.wire.spreads() {
        messages.push(Part::Control, SEQUENTIAL);
    }
    if table == Table::Missing {
        guards::push_ledger(cx, hold, messages.message(), Commit::Asynchronous);
    }
    let mut running = tally.running.clone();
    for (step, action) in actions.iter().enumerate() {
        let at = batch::position(tally, actions, step);
        // A commit also ends what a migration sets for its transaction.
        let effect = action.script().session().max(SessionEffect::Changes);
        batch::push_migration(
            cx,
            hold,
            &mut messages,
            (step, *action, effect),
            (at, Commit::Asynchronous, Table::Exists),
        )?;
        for record in batch::record(cx, tally.extent, *action, (at, &mut running))? {
            messages.push(Part::Record { step }, &record);
        }
        // A run does that with another message.
        if effect == SessionEffect::Resets
            && let Some(session) = saved.next()
        {
            messages.push(Part::Restore { step }, &session.restore());
        }
        messages.push(Part::Constraints { step }, CHECK_CONSTRAINTS);
        messages.push(Part::Control, &defer_constraints());
    }
    messages.push(Part::Control, "ROLLBACK");
    Ok(messages)
}
