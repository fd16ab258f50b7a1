//! Applies transactional migrations: many of them in one message, each in its own transaction.
//! Steps go in; messages of bounded size go out, and what they did is noted in the run.
//! The order inside a message is the protocol (README, "How a run works"): begin, guard, text,
//! record, commit, and again.

use std::time::Duration;

use migrate_core::set::Script;
use migrate_core::sql::kind::SessionEffect;
use migrate_core::sql::placeholder::Rendered;
use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::Severity;

use crate::deed::Deed;
use crate::error::{Error, Kept, MigrationFailure};
use crate::execute::{Attempt, Last, Run, Table};
use crate::failure::{self, Blame};
use crate::ledger::Extent;
use crate::locking::{self, Commit, Purpose};
use crate::protocol::{self, DEADLINE, Failure, Message, OnDrop};
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
) -> Result<Attempt, Error> {
    let mut table = table;
    let mut rest = deeds;
    while !rest.is_empty() {
        let count = chunk(rest, run.migrator.chunk_bytes);
        let (now, behind) = rest.split_at(count);
        let last = if behind.is_empty() { last } else { Last::OfGroup };
        let attempt = send(run, now, last, table).await?;
        if !matches!(attempt, Attempt::Done) {
            return Ok(attempt);
        }
        table = Table::Exists;
        rest = behind;
    }
    Ok(Attempt::Done)
}

/// How many of `deeds` go into one message: at least one, no more than `bytes` of SQL, and none
/// behind one that wipes the session, which is restored by a message of its own.
fn chunk(deeds: &[Deed<'_>], bytes: usize) -> usize {
    let mut size = 0;
    let mut wiped = false;
    let fits = |deed: &&Deed<'_>| {
        let script = deed.script();
        size += script.statements().map(|(start, end)| end - start).sum::<usize>();
        let fits = size <= bytes && !wiped;
        wiped |= wipes(deed);
        fits
    };
    deeds.iter().take_while(fits).count().max(1)
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
) -> Result<Attempt, Error> {
    let before = run.report.applied.len() + run.report.undone.len();
    let Some(stopped) = deliver(run, deeds, last, table).await? else {
        return Ok(Attempt::Done);
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

/// Whether others were in the way of a part that is undone and can be tried again:
/// `lock_not_available`, `deadlock_detected`, `serialization_failure`.
pub(crate) fn is_blocked<P>(failure: &Failure<P>) -> bool {
    let code = failure.error.code().map_or("", |code| code.code());
    failure.part.is_some() && matches!(code, "55P03" | "40P01" | "40001")
}

/// The server reads a whole message before it runs its first statement, so a syntax error in the
/// last migration keeps the first from being applied. Sent alone, all before it are.
async fn one_by_one(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, Error> {
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

/// Sends `deeds` as one message and notes what it applied; what stopped it, if anything did.
async fn deliver(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Option<Stopped>, Error> {
    let message = message(run, deeds, last, table)?;
    // What a reset wipes is noted beforehand, and given back also where the run is dropped.
    let mut wiped = OnDrop::new(run.client, Vec::new());
    let mut saved = None;
    if let Some(deed) = deeds.last().filter(|deed| wipes(deed)) {
        saved = note_session(run, deed.script()).await?;
        wiped.arm(saved.iter().map(Session::restore).collect());
    }
    run.report.messages += 1;
    let mut duration = Duration::ZERO;
    let outcome = protocol::send(run.client, &message, &mut |part, row| match part {
        Part::Save => saved = row.as_ref().and_then(Session::of).or(saved.take()),
        Part::Record { .. } => duration = execution_time(row.as_ref()),
        Part::Commit { step } => {
            let synchronous = last == Last::OfRun && step + 1 == deeds.len();
            run.report.unconfirmed = if synchronous { 0 } else { run.report.unconfirmed + 1 };
            run.last_position += 1;
            run.done(deeds[step], duration);
        }
        _ => {}
    })
    .await;
    wiped.disarm();
    let Some(failure) = outcome.failure else {
        if let (Some(session), Some(true)) = (saved, deeds.last().map(wipes)) {
            run.ask(&session.restore(), "restoring the session").await?;
        }
        return Ok(None);
    };
    let open = !matches!(failure.part, Some(Part::Commit { .. }));
    run.end_transaction(&failure.error, if open { outcome.completed } else { 0 }).await;
    // Settings went with the transaction; what PREPARE made did not.
    if let (Some(session), Some(_)) = (saved, failure.error.as_db_error()) {
        run.report.messages += 1;
        // The first error is the one to tell.
        let _ = protocol::query(run.client, &session.restore()).await;
    }
    Ok(Some(Stopped { failure, completed: outcome.completed }))
}

/// The session as it is, for a script that wipes what could be noted in it.
async fn note_session(run: &mut Run<'_>, script: &Script) -> Result<Option<Session>, Error> {
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

/// The message that carries out `deeds`.
fn message(
    run: &Run<'_>,
    deeds: &[Deed<'_>],
    last: Last,
    table: Table,
) -> Result<Message<Part>, Error> {
    let mut message = Message::new();
    if table == Table::Missing {
        push_creation(run, &mut message);
    }
    for (index, deed) in deeds.iter().enumerate() {
        let is_last = last == Last::OfRun && index + 1 == deeds.len();
        let commit = if is_last { Commit::Synchronous } else { Commit::Asynchronous };
        let position = run.last_position + i64::try_from(index).unwrap_or(i64::MAX);
        message.push(Part::Control, BEGIN);
        push_migration(run, &mut message, (index, *deed), (position, commit))?;
        message.push(Part::Record { step: index }, &record(run, *deed, position + 1)?);
        if is_last && deed.script().text().contains("synchronous_commit") {
            // Whatever the migration set: this commit makes the others durable.
            message.push(Part::Control, "SET LOCAL synchronous_commit = on");
        }
        message.push(Part::Commit { step: index }, "COMMIT");
    }
    Ok(message)
}

/// The isolation level is ours: under a stricter default the guard would look at a snapshot taken
/// before it had the lock.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Runs all of `deeds` in one transaction and undoes it: what ran, with how long it took.
pub(crate) async fn try_out(
    run: &mut Run<'_>,
    deeds: &[Deed<'_>],
    table: Table,
) -> Result<Attempt, Error> {
    let mut message = Message::new();
    message.push(Part::Control, BEGIN);
    if table == Table::Missing {
        push_ledger(run, &mut message);
    }
    for (index, deed) in deeds.iter().enumerate() {
        let position = run.last_position + i64::try_from(index).unwrap_or(i64::MAX);
        let asynchronous = (position, Commit::Asynchronous);
        push_migration(run, &mut message, (index, *deed), asynchronous)?;
        message.push(Part::Record { step: index }, &record(run, *deed, position + 1)?);
    }
    message.push(Part::Control, "ROLLBACK");
    run.report.messages += 1;
    let outcome = protocol::send(run.client, &message, &mut |part, row| {
        if let Part::Record { step } = part {
            run.done(deeds[step], execution_time(row.as_ref()));
        }
    })
    .await;
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

fn push_migration(
    run: &Run<'_>,
    message: &mut Message<Part>,
    (step, deed): (usize, Deed<'_>),
    (position, commit): (i64, Commit),
) -> Result<(), Error> {
    let script = deed.script();
    let session = script.session();
    if session != SessionEffect::Keeps {
        // Before the guard, whose settings are for this transaction only.
        message.push(Part::Save, &session::note(script));
    }
    message.push(Part::Guard, &locking::guard(run, Purpose::Apply { script, position, commit }));
    for (index, range) in script.statements().enumerate() {
        let rendered = rendered(run, script, range)?;
        message.push(Part::Statement { step, index }, &rendered.sql);
    }
    // Behind a reset the note is gone too, and the session is restored by a message of its own.
    if session == SessionEffect::Changes {
        message.push(Part::Restore { step }, &session::restore_noted());
    }
    Ok(())
}

/// One statement of a script as it is sent.
pub(crate) fn rendered<'s>(
    run: &Run<'_>,
    script: &'s Script,
    range: (usize, usize),
) -> Result<Rendered<'s>, Error> {
    script
        .render(range, run.migrator.schema.as_deref())
        .map_err(|error| run.placeholder_error(script, &error))
}

/// The statement that keeps the ledger true of `deed`, at `position`; returns how long it took.
fn record(run: &Run<'_>, deed: Deed<'_>, position: i64) -> Result<String, Error> {
    match deed {
        Deed::Apply(migration) => {
            let down = run.down_sql(migration)?;
            Ok(run.ledger.record(migration, down.as_deref(), position, Extent::Whole))
        }
        Deed::Undo(undo) => {
            let removed = run.ledger.remove("undone", &undo.entry, position);
            Ok(format!("{removed} RETURNING execution_ms"))
        }
    }
}

/// The error of a message that stopped behind the first `done` of its `deeds`.
async fn explain(run: &mut Run<'_>, deeds: &[Deed<'_>], done: usize, stopped: Stopped) -> Error {
    let Stopped { failure: Failure { part, offset, error }, completed } = stopped;
    let Some(db) = error.as_db_error() else {
        let versions = deeds[done..].iter().map(|deed| deed.version().to_string());
        let report = Box::default();
        return Error::ConnectionLost { versions: versions.collect(), source: error, report };
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
        Some(Part::Restore { step }) => {
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
