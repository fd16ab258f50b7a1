//! Applies transactional migrations, many in one message, each in its own transaction (begin, guard, statements, entry,
//! commit) or as `super::shared` does.

use std::iter;
use std::ops::Range;
use std::time::Duration;

use migrate_set::digest::Running;
use migrate_set::sql::kind::SessionEffect;
use tokio_postgres::SimpleQueryRow;

use super::action::{Action, versions};
use super::callouts::{self, Callout, Messages};
use super::explain::{Stopped, explain, is_blocked};
use super::groups::Last;
use super::guards;
use super::hold::{Hold, has_escapes};
use super::shared;
use super::tally::Tally;
use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::outcome::{Error, When};
use crate::sql::{Commit, Extent, Place, Session, same_encoding, same_transaction, session, text};
use crate::wire::{Outcome, Part, ends_unknown, was_never_sent};

/// Carries out `actions`, in as many messages as their size requires.
pub(super) fn apply<'f, 'r: 'f>(
    cx: &'f Context<'r>,
    hold: &'f mut Hold<'r>,
    tally: &'f mut Tally<'r>,
    actions: &'f [Action<'_>],
    (last, table): (Last, Table),
) -> Boxed<'f, Result<(), Stop>> {
    boxed(apply_chunks(cx, hold, tally, actions, (last, table)))
}

async fn apply_chunks<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    actions: &[Action<'_>],
    (last, mut table): (Last, Table),
) -> Result<(), Stop> {
    let mut rest = actions;
    while let Some(first) = rest.first() {
        hold.lock.open(cx, (table, tally.position), "true").await?;
        if first.names_citus() {
            cx.wire.spread();
        }
        // A chunk of 400 migrations would be logged some thousand times.
        let is_alone = hold.lock.is_logged() || cx.wire.spreads();
        let count = if is_alone { 1 } else { chunk(cx, hold, tally.extent, rest) };
        let (now, later) = rest.split_at(count);
        let last = if later.is_empty() { last } else { Last::OfGroup };
        send(cx, hold, tally, now, (last, table)).await?;
        tally.backoff.has_applied();
        table = Table::Exists;
        rest = later;
    }
    Ok(())
}

/// How many of `actions` one message contains: at least one, no more than a chunk, and none after one
/// that resets the session, because another message restores it. One with callouts or data is sent alone.
fn chunk(cx: &Context<'_>, hold: &Hold<'_>, extent: Extent<'_>, actions: &[Action<'_>]) -> usize {
    let mut size = 0;
    let mut closed = false;
    let transactions = shared::transactions(cx, hold.lock.room(), actions);
    let fits = |(place, action): &((usize, usize), &Action<'_>)| {
        size += bytes(extent, action, *place);
        let has_room = size <= cx.migrator.chunk_bytes && !closed;
        closed |= resets_session(action);
        has_room && !callouts::divide(cx, **action) && !action.names_citus()
    };
    shared::places(&transactions).zip(actions).take_while(fits).count().max(1)
}

/// The approximate size of a migration in a message, which is number `nth` of `count` in its transaction. With names of
/// usual length, guard and entry add 1.8 KB to its SQL with a first entry, and 2.2 KB with one that can replace another;
/// those of a shared transaction 2.3 KB, and a row for each, which has its version and its name twice.
fn bytes(extent: Extent<'_>, action: &Action<'_>, (nth, count): (usize, usize)) -> usize {
    let row = 192 + 2 * action.script().filename().len();
    let frame = match extent {
        Extent::First if nth > 0 => row,
        Extent::First if count > 1 => 2304 + row,
        Extent::First => 2048,
        _ => 2560,
    };
    frame + action.script().statements().map(|(start, end)| end - start).sum::<usize>()
}

pub(super) fn resets_session(action: &Action<'_>) -> bool {
    action.script().session() == SessionEffect::Resets
}

/// Sends `actions` as one message, and one by one if the server cannot parse that.
fn send<'f, 'r: 'f>(
    cx: &'f Context<'r>,
    hold: &'f mut Hold<'r>,
    tally: &'f mut Tally<'r>,
    actions: &'f [Action<'_>],
    after: (Last, Table),
) -> Boxed<'f, Result<(), Stop>> {
    boxed(send_together(cx, hold, tally, actions, after))
}

async fn send_together<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    actions: &[Action<'_>],
    (last, table): (Last, Table),
) -> Result<(), Stop> {
    let before = tally.count();
    let transactions = shared::transactions(cx, hold.lock.room(), actions);
    let delivered = deliver(cx, hold, tally, (actions, &transactions), (last, table)).await;
    let Some(stopped) = delivered? else {
        return Ok(());
    };
    if let Some(stop) = cx.reason(&stopped.failure).await {
        return Err(stop);
    }
    let db = stopped.failure.error.as_db_error();
    let is_answer = |db| !ends_unknown(db) && !was_never_sent(db);
    let unread = db.is_some_and(is_answer) && stopped.completed == 0;
    if unread && hold.is_misread(cx, actions).await? {
        return Err(Stop::Escapes);
    }
    if unread && actions.len() > 1 {
        return one_by_one(cx, hold, tally, actions, (last, table)).await;
    }
    if let Some(steps) = shared::undone(&transactions, &stopped.failure) {
        let with_ledger = steps.start == 0 && hold.terms(cx).is_plain();
        let after = (last, if with_ledger { table } else { Table::Exists });
        return shared::separately(cx, hold, tally, (actions, steps), (stopped, after)).await;
    }
    let is_blocked = is_blocked(&stopped.failure);
    let error = explain(cx, actions, tally.count() - before, stopped).await;
    Err(Stop::blocked_if(is_blocked, error))
}

/// The server parses a whole message before it runs the first statement, so a syntax error in the last
/// migration prevents the first. Sent one by one, all before it are applied.
async fn one_by_one<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    actions: &[Action<'_>],
    (last, mut table): (Last, Table),
) -> Result<(), Stop> {
    hold.lock.share_nothing();
    for action in actions {
        let one = std::slice::from_ref(action);
        hold.lock.open(cx, (table, tally.position), "true").await?;
        send(cx, hold, tally, one, (last, table)).await?;
        table = Table::Exists;
    }
    Ok(())
}

/// Sends `actions`, as one message unless there are callouts or data, and reports what it applied; returns why
/// the server stopped, if it did.
async fn deliver<'r>(
    cx: &Context<'r>,
    hold: &Hold<'r>,
    tally: &mut Tally<'r>,
    (actions, transactions): (&[Action<'_>], &[Range<usize>]),
    (last, table): (Last, Table),
) -> Result<Option<Stopped>, Stop> {
    let messages = messages(cx, hold, tally, (actions, transactions), (last, table))?;
    // The session is saved before a reset, and restored also if the run is dropped.
    let mut on_reset = cx.wire.on_drop(Vec::new());
    let mut saved = None;
    if let Some(action) = actions.last().filter(|action| resets_session(action)) {
        saved = note_session(cx, *action).await?;
        on_reset.arm(saved.iter().map(Session::restore).collect());
    }
    let mut durations = Vec::new();
    tally.under_way = versions(actions).into();
    if !std::mem::take(&mut tally.goes_on) {
        tally.starts(cx, actions.first());
    }
    let result = boxed(messages.send(cx, tally, &mut |tally, part, row| match part {
        Part::Save => saved = row.as_ref().and_then(Session::of).or(saved.take()),
        Part::Statement { index, .. } => tally.ran(index),
        Part::Record { .. } => durations = execution_times(row.as_ref()),
        Part::Commit { step } => {
            let durations = std::mem::take(&mut durations);
            committed(cx, tally, (actions, transactions), (step, durations));
            if cx.wire.spreads() || (last == Last::OfRun && step + 1 == actions.len()) {
                tally.report.unconfirmed = 0;
            }
        }
        _ => {}
    }))
    .await;
    on_reset.disarm();
    if result.is_err() {
        try_restore(cx, saved.take()).await;
    }
    Ok(settle(cx, saved, actions.last().is_some_and(resets_session), result?).await?)
}

/// Reports the steps of the transaction that `step` is of, with their times.
fn committed<'r>(
    cx: &Context<'r>,
    tally: &mut Tally<'r>,
    (actions, transactions): (&[Action<'_>], &[Range<usize>]),
    (step, durations): (usize, Vec<Duration>),
) {
    let steps = transactions.iter().find(|steps| steps.contains(&step)).cloned();
    let durations = durations.into_iter().chain(iter::repeat(Duration::ZERO));
    for (step, duration) in steps.unwrap_or_default().zip(durations) {
        tally.committed(cx, actions[step], duration);
        tally.starts(cx, actions.get(step + 1));
    }
}

/// Restores the session after a message; returns why the message stopped, if it did.
async fn settle(
    cx: &Context<'_>,
    saved: Option<Session>,
    was_reset: bool,
    Outcome { completed, failure }: Outcome,
) -> Result<Option<Stopped>, Error> {
    let Some(failure) = failure else {
        if let Some(session) = saved.filter(|_| was_reset) {
            cx.ask(&session.restore(), "restoring the session").await?;
        }
        return Ok(None);
    };
    let is_open = !matches!(failure.part, Some(Part::Commit { .. }));
    cx.wire.end_transaction(&failure.error, if is_open { completed } else { 0 }).await;
    try_restore(cx, saved.filter(|_| failure.error.as_db_error().is_some())).await;
    Ok(Some(Stopped { failure, completed }))
}

/// Restores the session after a failure, which is the error to report. The rollback undid settings, but
/// not prepared statements.
fn try_restore<'f>(cx: &'f Context<'_>, saved: Option<Session>) -> Boxed<'f, ()> {
    boxed(async move {
        if let Some(session) = saved {
            let _ = cx.wire.last_row(&session.restore()).await;
        }
    })
}

/// Saves the session before a script that resets the settings where it would be saved.
pub(super) async fn note_session(
    cx: &Context<'_>,
    action: Action<'_>,
) -> Result<Option<Session>, Error> {
    match cx.wire.last_row(&session::select(action.script())).await {
        Ok(row) => Ok(row.as_ref().and_then(Session::of)),
        Err(source) => Err(cx.database_error("saving the session".to_owned(), source).await),
    }
}

/// How long the migration of an entry took.
pub(super) fn execution_time(row: Option<&SimpleQueryRow>) -> Duration {
    execution_times(row).first().copied().unwrap_or_default()
}

/// How long each of the migrations of the same transaction took.
fn execution_times(row: Option<&SimpleQueryRow>) -> Vec<Duration> {
    let millis = row.and_then(|row| text(row, 0)).unwrap_or_default().split(' ');
    millis.map(|ms| Duration::from_millis(ms.parse().unwrap_or(0))).collect()
}

/// The ledger's last position before step number `step` of a message with these `actions`.
pub(super) fn position(tally: &Tally<'_>, actions: &[Action<'_>], step: usize) -> i64 {
    actions.iter().take(step).fold(tally.position, |at, action| at.saturating_add(action.rows()))
}

/// The messages that carry out `actions`.
fn messages<'d>(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    tally: &Tally<'_>,
    (actions, transactions): (&[Action<'d>], &[Range<usize>]),
    (last, mut table): (Last, Table),
) -> Result<Messages<'d>, Error> {
    let mut messages = Messages::new();
    let sizes = shared::places(transactions).zip(actions);
    let sizes = sizes.map(|(place, action)| bytes(tally.extent, action, place));
    messages.message().reserve(sizes.sum());
    if table == Table::Missing && !hold.terms(cx).is_plain() {
        cx.wire.begin(messages.message());
        guards::push_ledger(cx, hold, messages.message(), Commit::Asynchronous);
        messages.push(Part::Control, "COMMIT");
        table = Table::Exists;
    }
    let mut running = tally.running.clone();
    for steps in transactions {
        let is_last = last == Last::OfRun && steps.end == actions.len();
        let commit = if is_last { Commit::Synchronous } else { Commit::Asynchronous };
        let (step, at) = (steps.start, position(tally, actions, steps.start));
        cx.wire.begin(messages.message());
        if let [action] = &actions[steps.clone()] {
            let effect = effect(cx, *action);
            let place = (at, commit, table);
            push_migration(cx, hold, &mut messages, (step, *action, effect), place)?;
            for recorded in record(cx, tally.extent, *action, (at, &mut running))? {
                messages.push(Part::Record { step }, &recorded);
            }
        } else {
            let place = (at, commit, table);
            let steps = (actions, steps.clone());
            shared::push(cx, hold, &mut messages, steps, place, &mut running)?;
        }
        table = Table::Exists;
        let waits = is_last || cx.wire.spreads();
        if waits && actions[steps.clone()].iter().any(|action| sets_commit(cx, *action)) {
            // This commit makes the others durable, even if the migration turned it off.
            messages.push(Part::Limit, "SET LOCAL synchronous_commit = on");
        }
        messages.push(Part::Commit { step: steps.end - 1 }, "COMMIT");
    }
    Ok(messages)
}

/// Whether `action` can set when its transaction is on disk.
fn sets_commit(cx: &Context<'_>, action: Action<'_>) -> bool {
    callouts::are_needed(cx, action) || action.script().text().contains("synchronous_commit")
}

/// What a migration does to the session. It is not known what the service's own code does.
fn effect(cx: &Context<'_>, action: Action<'_>) -> SessionEffect {
    let calls = callouts::are_needed(cx, action);
    let at_least = if calls { SessionEffect::Changes } else { SessionEffect::Keeps };
    action.script().session().max(at_least)
}

/// Adds one migration: it saves the session, then guard, statements and callouts.
pub(super) fn push_migration<'d>(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    messages: &mut Messages<'d>,
    (step, action, effect): (usize, Action<'d>, SessionEffect),
    place: (i64, Commit, Table),
) -> Result<(), Error> {
    let script = action.script();
    if effect != SessionEffect::Keeps {
        // Before the guard, whose settings are only for this transaction.
        messages.push(Part::Save, &session::note(script));
    }
    guards::push(cx, hold, messages, (step, place), has_escapes(script, cx.schema()));
    messages.call(cx, step, Callout::Hooks(When::BeforeEach, action));
    for (index, range) in script.statements().enumerate() {
        messages.push_statement(cx, Part::Statement { step, index }, script, range)?;
        // A dump begins with `SET statement_timeout = 0`.
        let sql = script.text().get(range.0..range.1).unwrap_or_default();
        if sql.contains("statement_timeout")
            && let Some(limit) = hold.terms(cx).limit_again()
        {
            messages.push(Part::Limit, &limit);
        }
    }
    messages.call(cx, step, Callout::Function(action));
    messages.call(cx, step, Callout::Hooks(When::AfterEach, action));
    // A reset also removes the saved session, so another message restores it.
    if effect == SessionEffect::Resets {
        messages.push(Part::Check { step }, &same_encoding());
    } else if callouts::are_needed(cx, action) {
        messages.push(Part::Check { step }, &same_transaction());
    }
    if effect == SessionEffect::Changes {
        messages.push(Part::Restore { step }, &session::restore_noted());
    }
    Ok(())
}

/// The statements that record `action` in the ledger after the position `last`, of which the final one returns how long
/// that took.
pub(super) fn record(
    cx: &Context<'_>,
    extent: Extent<'_>,
    action: Action<'_>,
    (last, running): (i64, &mut Running),
) -> Result<Vec<String>, Error> {
    action.count(cx.migrator.set, running);
    let place = Place { position: last + action.rows(), digests: running.to_string() };
    match action {
        Action::Apply(migration) => {
            let down = cx.down_sql(migration)?;
            let own = cx.ledger.record(migration, down.as_deref(), &place, extent);
            let replaced = cx.ledger.record_replaced(migration, last, extent);
            Ok(replaced.into_iter().chain([own]).collect())
        }
        Action::Undo(undo) => Ok(vec![cx.ledger.end("undone", &undo.entry, &place)]),
    }
}
