//! Applies transactional migrations: many of them in one message, each in its own transaction.
//! Steps go in; messages of bounded size go out, and what they did is noted in the run.
//! The order inside a message is the protocol (README, "How a run works"): begin, guard, text,
//! record, commit, and again.

use std::time::Duration;

use migrate_set::set::Script;
use migrate_set::sql::kind::SessionEffect;
use migrate_set::sql::placeholder::Rendered;
use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::Severity;

use crate::boxed::boxed;
use crate::deed::Deed;
use crate::dialogue::{Dialogue, Pause};
use crate::error::{ErrorKind, Kept, MigrationFailure};
use crate::execute::{Attempt, Last, Run, Table};
use crate::failure::{self, Blame};
use crate::hook::When;
use crate::ledger::Extent;
use crate::locking::{self, Commit, Purpose};
use crate::protocol::{self, DEADLINE, ENDED, Failure, Message, OnDrop};
use crate::session::{self, Session};

/// What a statement of a message is for; `step` counts from the first step of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `BEGIN` and settings.
    Control,
    /// Lock and look whether the ledger has moved.
    Guard,
    /// Creates the ledger.
    Create,
    /// Takes the lock that is a row of the ledger.
    Claim,
    /// Notes the session before a migration.
    Save,
    /// One statement of a migration.
    Statement { step: usize, index: usize },
    /// Sees that the transaction is still the one that was begun.
    Check { step: usize },
    /// Restores the session behind a migration.
    Restore { step: usize },
    /// Writes the entry.
    Record { step: usize },
    /// Commits the step.
    Commit { step: usize },
    /// Limits how long what follows waits and runs.
    Limit,
    /// Looks for what an earlier attempt left behind.
    Look,
    /// Gives the session's lock back.
    Unlock,
}

/// Carries out `deeds`, in as many messages as their size asks for.
pub(crate) async fn apply(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, ErrorKind> {
    let mut table = table;
    let mut rest = deeds;
    while !rest.is_empty() {
        // Behind others it finds out with one whether they are done.
        let count = if run.turned_away.is_some() { 1 } else { chunk(run, rest) };
        let (now, behind) = rest.split_at(count);
        let last = if behind.is_empty() { last } else { Last::OfGroup };
        let attempt = send(run, now, last, table).await?;
        if !matches!(attempt, Attempt::Done) {
            return Ok(attempt);
        }
        run.turned_away = None;
        table = Table::Exists;
        rest = behind;
    }
    Ok(Attempt::Done)
}

/// What the guard and the entry of a migration add to its own SQL in a message, with names of usual
/// length: 1.4 KB with a first entry, 1.9 KB with one that may replace another.
fn frame(run: &Run<'_>) -> usize {
    if run.extent == Extent::First { 1536 } else { 2048 }
}

/// How many of `deeds` go out together: at least one, no more than a chunk, and none behind one that
/// wipes the session, which is restored by a message of its own. One with pauses goes alone.
fn chunk(run: &Run<'_>, deeds: &[Deed<'_>]) -> usize {
    let mut size = 0;
    let mut closed = false;
    let fits = |deed: &&Deed<'_>| {
        size += bytes(run, deed);
        let fits = size <= run.migrator.chunk_bytes && !closed && !run.pauses(**deed);
        closed |= wipes(deed);
        fits
    };
    deeds.iter().take_while(fits).count().max(1)
}

/// About how much of a message a migration takes.
fn bytes(run: &Run<'_>, deed: &Deed<'_>) -> usize {
    frame(run) + deed.script().statements().map(|(start, end)| end - start).sum::<usize>()
}

fn wipes(deed: &Deed<'_>) -> bool {
    deed.script().session() == SessionEffect::Resets
}

/// Sends `deeds` as one message; when the server cannot even read that, one by one.
async fn send(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, ErrorKind> {
    let before = run.report.applied.len() + run.report.undone.len();
    let stopped = match deliver(run, deeds, last, table).await? {
        Delivered::Ended(attempt) => return Ok(attempt),
        Delivered::Stopped(stopped) => stopped,
    };
    if let Some(attempt) = locking::turned_away(&stopped.failure) {
        return Ok(attempt);
    }
    let unread = stopped.failure.error.as_db_error().is_some() && stopped.completed == 0;
    if unread && let Some(attempt) = run.misread(deeds).await {
        return Ok(attempt);
    }
    if unread && deeds.len() > 1 {
        return one_by_one(run, deeds, last, table).await;
    }
    let done = run.report.applied.len() + run.report.undone.len() - before;
    let blocked = is_blocked(&stopped.failure);
    let error = explain(run, deeds, done, stopped).await;
    if blocked { Ok(Attempt::Blocked(Box::new(error))) } else { Err(error) }
}

/// Whether others were in the way of a part that is undone and can be tried again.
pub(crate) fn is_blocked<P>(failure: &Failure<P>) -> bool {
    let code = failure.error.code().map_or("", |code| code.code());
    failure.part.is_some() && protocol::is_others_doing(code)
}

/// The server reads a whole message before it runs its first statement, so a syntax error in the
/// last migration keeps the first from being applied. Sent alone, all before it are.
async fn one_by_one(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, ErrorKind> {
    let mut table = table;
    for deed in deeds {
        let attempt = Box::pin(send(run, std::slice::from_ref(deed), last, table)).await?;
        if !matches!(attempt, Attempt::Done) {
            return Ok(attempt);
        }
        table = Table::Exists;
    }
    Ok(Attempt::Done)
}

/// Why a message stopped.
struct Stopped {
    failure: Failure<Part>,
    completed: usize,
}

/// What came of sending.
enum Delivered {
    /// All is done, or the service's own code wants it tried again.
    Ended(Attempt),
    /// The server stopped.
    Stopped(Stopped),
}

/// Sends `deeds`, as one message unless there are pauses, and notes what it applied.
async fn deliver(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Delivered, ErrorKind> {
    let dialogue = dialogue(run, deeds, last, table)?;
    // What a reset wipes is noted beforehand, and given back also where the run is dropped.
    let mut wiped = OnDrop::new(run.client, Vec::new());
    let mut saved = None;
    if let Some(deed) = deeds.last().filter(|deed| wipes(deed)) {
        saved = note_session(run, deed.script()).await?;
        wiped.arm(saved.iter().map(Session::restore).collect());
    }
    let mut duration = Duration::ZERO;
    run.starts(deeds.first());
    let result = boxed(dialogue.carry_on(run, &mut |run, part, row| match part {
        Part::Save => saved = row.as_ref().and_then(Session::of).or(saved.take()),
        Part::Statement { index, .. } => run.ran(index),
        Part::Record { .. } => duration = execution_time(row.as_ref()),
        Part::Commit { step } => {
            let synchronous = last == Last::OfRun && step + 1 == deeds.len();
            run.report.unconfirmed = if synchronous { 0 } else { run.report.unconfirmed + 1 };
            run.last_position += 1;
            run.done(deeds[step], duration);
            run.starts(deeds.get(step + 1));
        }
        _ => {}
    }))
    .await;
    wiped.disarm();
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(interrupted) => {
            restore_anyhow(run, saved).await;
            return interrupted.attempt(run).map(Delivered::Ended);
        }
    };
    let Some(failure) = outcome.failure else {
        if let (Some(session), Some(true)) = (saved, deeds.last().map(wipes)) {
            run.ask(&session.restore(), "restoring the session").await?;
        }
        return Ok(Delivered::Ended(Attempt::Done));
    };
    let open = !matches!(failure.part, Some(Part::Commit { .. }));
    run.end_transaction(&failure.error, if open { outcome.completed } else { 0 }).await;
    restore_anyhow(run, saved.filter(|_| failure.error.as_db_error().is_some())).await;
    Ok(Delivered::Stopped(Stopped { failure, completed: outcome.completed }))
}

/// Restores the session behind a failure, which is the error to tell. Settings went with the
/// transaction; what PREPARE made did not.
async fn restore_anyhow(run: &mut Run<'_>, saved: Option<Session>) {
    if let Some(session) = saved {
        run.report.messages += 1;
        let _ = protocol::query(run.client, &session.restore()).await;
    }
}

/// The session as it is, for a script that wipes what could be noted in it.
async fn note_session(run: &mut Run<'_>, script: &Script) -> Result<Option<Session>, ErrorKind> {
    run.report.messages += 1;
    match protocol::query(run.client, &session::select(script)).await {
        Ok(row) => Ok(row.as_ref().and_then(Session::of)),
        Err(source) => Err(run.database_error("noting the session".to_owned(), source).await),
    }
}

fn execution_time(row: Option<&SimpleQueryRow>) -> Duration {
    let millis = row.and_then(|row| row.get(0)).and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or(0))
}

/// What carries out `deeds`.
fn dialogue<'d>(
    run: &Run<'_>,
    deeds: &[Deed<'d>],
    last: Last,
    table: Table,
) -> Result<Dialogue<'d>, ErrorKind> {
    let mut dialogue = Dialogue::new();
    dialogue.message().reserve(deeds.iter().map(|deed| bytes(run, deed)).sum());
    if table == Table::Missing {
        push_creation(run, dialogue.message());
    }
    for (index, deed) in deeds.iter().enumerate() {
        let is_last = last == Last::OfRun && index + 1 == deeds.len();
        let commit = if is_last { Commit::Synchronous } else { Commit::Asynchronous };
        let position = run.last_position + i64::try_from(index).unwrap_or(i64::MAX);
        dialogue.push(Part::Control, BEGIN);
        push_migration(run, &mut dialogue, (index, *deed), (position, commit))?;
        dialogue.push(Part::Record { step: index }, &record(run, *deed, position + 1)?);
        let sets = run.pauses(*deed) || deed.script().text().contains("synchronous_commit");
        if is_last && sets {
            // Whatever the migration set: this commit makes the others durable.
            dialogue.push(Part::Control, "SET LOCAL synchronous_commit = on");
        }
        dialogue.push(Part::Commit { step: index }, "COMMIT");
    }
    Ok(dialogue)
}

/// The isolation level is ours: under a stricter default the guard would look at a snapshot taken
/// before it had the lock.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Runs all of `deeds` in one transaction and undoes it: what ran, with how long it took.
pub(crate) async fn try_out(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    table: Table,
) -> Result<Attempt, ErrorKind> {
    let mut dialogue = Dialogue::new();
    dialogue.push(Part::Control, BEGIN);
    if table == Table::Missing {
        push_ledger(run, dialogue.message());
    }
    for (index, deed) in deeds.iter().enumerate() {
        let position = run.last_position + i64::try_from(index).unwrap_or(i64::MAX);
        let asynchronous = (position, Commit::Asynchronous);
        push_migration(run, &mut dialogue, (index, *deed), asynchronous)?;
        dialogue.push(Part::Record { step: index }, &record(run, *deed, position + 1)?);
    }
    dialogue.push(Part::Control, "ROLLBACK");
    run.starts(deeds.first());
    let result = boxed(dialogue.carry_on(run, &mut |run, part, row| {
        if let Part::Record { step } = part {
            run.done(deeds[step], execution_time(row.as_ref()));
            run.starts(deeds.get(step + 1));
        }
    }))
    .await;
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(interrupted) => {
            run.report.applied.clear();
            return interrupted.attempt(run);
        }
    };
    let Some(failure) = outcome.failure else { return Ok(Attempt::Done) };
    run.end_transaction(&failure.error, outcome.completed).await;
    let done = std::mem::take(&mut run.report.applied).len();
    if let Some(attempt) = locking::turned_away(&failure) {
        return Ok(attempt);
    }
    let stopped = Stopped { failure, completed: outcome.completed };
    Err(explain(run, deeds, done, stopped).await)
}

fn push_creation(run: &Run<'_>, message: &mut Message<Part>) {
    message.push(Part::Control, BEGIN);
    push_ledger(run, message);
    message.push(Part::Control, "COMMIT");
}

/// Creates the ledger inside a transaction, under its lock.
pub(crate) fn push_ledger(run: &Run<'_>, message: &mut Message<Part>) {
    message.push(Part::Guard, &locking::guard(run, Purpose::Ledger));
    for sql in creation(run) {
        message.push(Part::Create, &sql);
    }
}

/// What creates the ledger, and the schemas where the caller asked for that.
pub(crate) fn creation(run: &Run<'_>) -> Vec<String> {
    let mut sql = run.migrator.schemas_to_create();
    sql.push(run.ledger.create());
    sql
}

fn push_migration<'d>(
    run: &Run<'_>,
    dialogue: &mut Dialogue<'d>,
    (step, deed): (usize, Deed<'d>),
    (position, commit): (i64, Commit),
) -> Result<(), ErrorKind> {
    let script = deed.script();
    let pauses = run.pauses(deed);
    // What the service's own code does to the session, nobody knows.
    let session =
        script.session().max(if pauses { SessionEffect::Changes } else { SessionEffect::Keeps });
    if session != SessionEffect::Keeps {
        // Before the guard, whose settings are for this transaction only.
        dialogue.push(Part::Save, &session::note(script));
    }
    dialogue.push(Part::Guard, &locking::guard(run, Purpose::Apply { script, position, commit }));
    run.pause(dialogue, Pause::Hooks(When::BeforeEach, deed));
    for (index, range) in script.statements().enumerate() {
        let rendered = rendered(run, script, range)?;
        dialogue.push(Part::Statement { step, index }, &rendered.sql);
    }
    run.pause(dialogue, Pause::Function(deed));
    run.pause(dialogue, Pause::Hooks(When::AfterEach, deed));
    // Behind a reset the notes are gone too, and the session is restored by a message of its own.
    if pauses && session == SessionEffect::Changes {
        dialogue.push(Part::Check { step }, &locking::same_transaction());
    }
    if session == SessionEffect::Changes {
        dialogue.push(Part::Restore { step }, &session::restore_noted());
    }
    Ok(())
}

/// One statement of a script as it is sent.
pub(crate) fn rendered<'s>(
    run: &Run<'_>,
    script: &'s Script,
    range: (usize, usize),
) -> Result<Rendered<'s>, ErrorKind> {
    script
        .render(range, run.migrator.schema.as_deref())
        .map_err(|error| run.placeholder_error(script, &error))
}

/// The statement that keeps the ledger true of `deed`, at `position`; returns how long it took.
fn record(run: &Run<'_>, deed: Deed<'_>, position: i64) -> Result<String, ErrorKind> {
    match deed {
        Deed::Apply(migration) => {
            let down = run.down_sql(migration)?;
            Ok(run.ledger.record(migration, down.as_deref(), position, run.extent))
        }
        Deed::Undo(undo) => {
            let removed = run.ledger.remove("undone", &undo.entry, position);
            Ok(format!("{removed} RETURNING execution_ms"))
        }
    }
}

/// The error of a message that stopped behind the first `done` of its `deeds`.
async fn explain(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    done: usize,
    stopped: Stopped,
) -> ErrorKind {
    let Stopped { failure: Failure { part, offset, error }, completed } = stopped;
    let Some(db) = error.as_db_error() else {
        let versions = deeds[done..].iter().map(|deed| deed.version().to_string());
        return ErrorKind::ConnectionLost { versions: versions.collect(), source: error };
    };
    if db.code().code() == DEADLINE {
        return run.deadline_error(None);
    }
    // A session that is ended at COMMIT may have committed.
    let ended = db.parsed_severity() != Some(Severity::Error);
    let unknown = ended && matches!(part, Some(Part::Commit { .. }));
    let kept = if unknown { Kept::Unknown } else { Kept::Nothing };
    let deed = |step: usize| deeds.get(step).copied();
    let failure: Option<MigrationFailure> = match part {
        Some(Part::Statement { step, index }) => deed(step).map(|deed| {
            let range = deed.script().statements().nth(index);
            failure::at_statement(run, deed, Blame { range, offset }, &error, kept)
        }),
        Some(Part::Commit { step }) => {
            deed(step).map(|deed| failure::at_commit(run, deed, &error, kept))
        }
        Some(Part::Check { step }) if db.code().code() == ENDED => {
            let file = deed(step).map(|deed| run.path_of(deed.script())).unwrap_or_default();
            return ErrorKind::TransactionEnded { file };
        }
        Some(Part::Check { step } | Part::Restore { step }) => {
            deed(step).map(|deed| failure::somewhere(run, deed, &error, kept))
        }
        // The message was refused unread and without a position.
        _ if completed == 0 => deed(done).map(|deed| failure::somewhere(run, deed, &error, kept)),
        _ => None,
    };
    if let Some(failure) = failure {
        return failure::error(run, failure, error).await;
    }
    let doing = doing(run, part, deeds);
    run.database_error(doing, error).await
}

/// What a part of ours was for, in words.
pub(crate) fn doing(run: &Run<'_>, part: Option<Part>, deeds: &[Deed<'_>]) -> String {
    let ledger = run.ledger.shown();
    match part {
        Some(Part::Create) => format!("creating the ledger `{ledger}`"),
        Some(Part::Record { step }) => match deeds.get(step) {
            Some(deed) => run.recording(*deed),
            None => format!("writing the ledger `{ledger}`"),
        },
        _ => format!("locking the ledger `{ledger}`"),
    }
}
