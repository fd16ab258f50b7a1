//! Applies transactional migrations: many of them in one message, each in its own transaction.
//! Steps go in; messages of bounded size go out, and what they did is noted in the run.
//! The order inside a message is the protocol (README, "How a run works"): begin, guard, text,
//! record, commit, and again.

use std::time::Duration;

use migrate_core::plan::Step;
use migrate_core::set::Migration;
use migrate_core::sql::kind::SessionEffect;
use migrate_core::sql::placeholder::Rendered;
use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::Severity;

use crate::error::{Error, Kept, MigrationFailure};
use crate::execute::{Attempt, Last, Run, Table};
use crate::failure::{self, Blame};
use crate::ledger::{NOTE_START, literal};
use crate::protocol::{self, BUSY, Failure, MOVED, Message};
use crate::session::{self, Scope};

/// What a statement of a message is for; `step` counts from the first step of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `BEGIN` and settings.
    Control,
    /// Lock and look whether the ledger has moved.
    Guard,
    /// Creates the ledger.
    Create,
    /// One statement of a migration.
    Statement { step: usize, index: usize },
    /// Restores the session behind a migration.
    Restore { step: usize },
    /// Writes the entry.
    Record { step: usize },
    /// Commits the step.
    Commit { step: usize },
}

/// Applies `steps`, in as many messages as their size asks for.
pub(crate) async fn apply(
    run: &mut Run<'_>,
    steps: &[Step<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, Error> {
    let mut table = table;
    let mut rest = steps;
    while !rest.is_empty() {
        let count = chunk(rest, run.migrator.chunk_bytes);
        let (now, behind) = rest.split_at(count);
        let last = if behind.is_empty() { last } else { Last::OfGroup };
        let attempt = send(run, now, last, table).await?;
        if attempt != Attempt::Done {
            return Ok(attempt);
        }
        table = Table::Exists;
        rest = behind;
    }
    Ok(Attempt::Done)
}

/// How many of `steps` go into one message: at least one, and no more than `bytes` of SQL.
fn chunk(steps: &[Step<'_>], bytes: usize) -> usize {
    let mut size = 0;
    let fits = |step: &&Step<'_>| {
        let script = step.migration.up();
        size += script.statements().map(|(start, end)| end - start).sum::<usize>();
        size <= bytes
    };
    steps.iter().take_while(fits).count().max(1)
}

/// Sends `steps` as one message; when the server cannot even read that, one by one.
async fn send(
    run: &mut Run<'_>,
    steps: &[Step<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, Error> {
    let before = run.report.applied.len();
    let Some(failure) = deliver(run, steps, last, table).await? else {
        return Ok(Attempt::Done);
    };
    let sqlstate = failure.error.code().map_or("", |code| code.code());
    match (failure.part, sqlstate) {
        (Some(Part::Guard), BUSY) => return Ok(Attempt::Busy),
        (Some(Part::Guard), MOVED) => return Ok(Attempt::Moved),
        _ => {}
    }
    let unread = failure.error.as_db_error().is_some() && failure.completed == 0;
    if unread && steps.len() > 1 {
        return one_by_one(run, steps, last, table).await;
    }
    let done = run.report.applied.len() - before;
    run.flush().await;
    Err(explain(run, steps, done, failure))
}

/// The server reads a whole message before it runs its first statement, so a syntax error in the
/// last migration keeps the first from being applied. Sent alone, all before it are.
async fn one_by_one(
    run: &mut Run<'_>,
    steps: &[Step<'_>],
    last: Last,
    table: Table,
) -> Result<Attempt, Error> {
    let mut table = table;
    for step in steps {
        let attempt = Box::pin(send(run, std::slice::from_ref(step), last, table)).await?;
        if attempt != Attempt::Done {
            return Ok(attempt);
        }
        table = Table::Exists;
    }
    Ok(Attempt::Done)
}

/// Why a message stopped.
struct Stopped {
    part: Option<Part>,
    offset: Option<usize>,
    completed: usize,
    error: tokio_postgres::Error,
}

/// Sends `steps` as one message and notes what it applied; what stopped it, if anything did.
async fn deliver(
    run: &mut Run<'_>,
    steps: &[Step<'_>],
    last: Last,
    table: Table,
) -> Result<Option<Stopped>, Error> {
    let message = message(run, steps, last, table)?;
    run.report.messages += 1;
    let mut duration = Duration::ZERO;
    let client = run.client;
    let outcome = protocol::send(client, &message, |part, row| match part {
        Part::Record { .. } => duration = execution_time(row.as_ref()),
        Part::Commit { step } => {
            run.unflushed = !(last == Last::OfRun && step + 1 == steps.len());
            run.applied(steps[step].migration, duration);
        }
        _ => {}
    })
    .await;
    let Some(Failure { part, offset, error }) = outcome.failure else { return Ok(None) };
    let open = outcome.completed > 0 && !matches!(part, Some(Part::Commit { .. }));
    if open && error.as_db_error().is_some() {
        run.report.messages += 1;
        // Ends the transaction that the message began. Should this fail too, the connection is
        // broken and its transaction gone; the first error is the one to tell.
        let _ = protocol::query(client, "ROLLBACK").await;
    }
    Ok(Some(Stopped { part, offset, completed: outcome.completed, error }))
}

fn execution_time(row: Option<&SimpleQueryRow>) -> Duration {
    let millis = row.and_then(|row| row.get(0)).and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or(0))
}

/// The message that applies `steps`.
fn message(
    run: &Run<'_>,
    steps: &[Step<'_>],
    last: Last,
    table: Table,
) -> Result<Message<Part>, Error> {
    let mut message = Message::new();
    if table == Table::Missing {
        push_creation(run, &mut message);
    }
    for (index, step) in steps.iter().enumerate() {
        let synchronous = last == Last::OfRun && index + 1 == steps.len();
        let position = run.last_position + i64::try_from(index).unwrap_or(i64::MAX);
        message.push(Part::Control, BEGIN);
        if !synchronous {
            // WAL is sequential: the run's last commit, a synchronous one, makes these durable,
            // and a crash before it loses a suffix whose entries are lost with it.
            message.push(Part::Control, "SET LOCAL synchronous_commit = off");
        }
        message.push(Part::Guard, &guard(run, Some(position)));
        push_migration(run, &mut message, index, step.migration)?;
        message.push(Part::Record { step: index }, &record(run, step.migration, position + 1)?);
        message.push(Part::Commit { step: index }, "COMMIT");
    }
    Ok(message)
}

/// The isolation level is ours: under a stricter default the guard would look at a snapshot taken
/// before it had the lock.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

fn push_creation(run: &Run<'_>, message: &mut Message<Part>) {
    message.push(Part::Control, BEGIN);
    message.push(Part::Guard, &guard(run, None));
    for sql in creation(run) {
        message.push(Part::Create, &sql);
    }
    message.push(Part::Control, "COMMIT");
}

/// What creates the ledger, and the schemas where the caller asked for that.
pub(crate) fn creation(run: &Run<'_>) -> Vec<String> {
    let mut sql = run.migrator.schemas_to_create();
    sql.push(run.ledger.create());
    sql
}

/// Takes the ledger's lock or raises [`BUSY`]; raises [`MOVED`] unless the last position is
/// `position`. Nobody ever waits for the lock inside the server: a waiting session holds a
/// snapshot, and `CREATE INDEX CONCURRENTLY` waits for it.
fn guard(run: &Run<'_>, position: Option<i64>) -> String {
    let key = run.ledger.lock_key();
    let moved = position.map_or_else(String::new, |position| {
        format!(
            "IF {} <> {position} THEN RAISE EXCEPTION 'the ledger has moved' \
             USING ERRCODE = '{MOVED}'; END IF; ",
            run.ledger.last_position()
        )
    });
    let body = format!(
        "BEGIN IF NOT pg_catalog.pg_try_advisory_xact_lock({key}) THEN \
         RAISE EXCEPTION 'another replica is migrating' USING ERRCODE = '{BUSY}'; END IF; \
         {moved}PERFORM {NOTE_START}; END"
    );
    format!("DO {}", literal(&body))
}

fn push_migration(
    run: &Run<'_>,
    message: &mut Message<Part>,
    step: usize,
    migration: &Migration,
) -> Result<(), Error> {
    let script = migration.up();
    let changes = script.session() == SessionEffect::Changes;
    if changes {
        message.push(Part::Control, &session::save(Scope::Transaction));
    }
    for (index, range) in script.statements().enumerate() {
        let rendered = rendered(run, migration, range)?;
        message.push(Part::Statement { step, index }, &rendered.sql);
    }
    if changes {
        message.push(Part::Restore { step }, session::RESTORE);
    }
    Ok(())
}

/// One statement of the up script as it is sent.
pub(crate) fn rendered<'m>(
    run: &Run<'_>,
    migration: &'m Migration,
    range: (usize, usize),
) -> Result<Rendered<'m>, Error> {
    let script = migration.up();
    script
        .render(range, run.migrator.schema.as_deref())
        .map_err(|error| run.placeholder_error(script, &error))
}

/// The statement that records `migration`, finished, at `position`.
fn record(run: &Run<'_>, migration: &Migration, position: i64) -> Result<String, Error> {
    let down = run.down_sql(migration)?;
    Ok(run.ledger.record(migration, down.as_deref(), position, None))
}

/// The error of a message that stopped behind the first `done` of its `steps`.
fn explain(run: &Run<'_>, steps: &[Step<'_>], done: usize, stopped: Stopped) -> Error {
    let Stopped { part, offset, completed, error } = stopped;
    let report = Box::new(run.report.clone());
    let Some(db) = error.as_db_error() else {
        let versions = steps[done..].iter().map(|step| step.migration.version().to_string());
        return Error::ConnectionLost { versions: versions.collect(), source: error, report };
    };
    // A session that is ended at COMMIT may have committed.
    let ended = db.parsed_severity() != Some(Severity::Error);
    let unknown = ended && matches!(part, Some(Part::Commit { .. }));
    let kept = if unknown { Kept::Unknown } else { Kept::Nothing };
    let migration = |step: usize| steps.get(step).map(|step| step.migration);
    let failure: Option<MigrationFailure> = match part {
        Some(Part::Statement { step, index }) => {
            let blame = Blame { index, offset, completed: 0 };
            migration(step)
                .map(|migration| failure::at_statement(run, migration, blame, &error, kept))
        }
        Some(Part::Commit { step }) => {
            migration(step).map(|migration| failure::at_commit(run, migration, &error, kept))
        }
        Some(Part::Restore { step }) => {
            migration(step).map(|migration| failure::somewhere(run, migration, &error, kept))
        }
        // The message was refused unread and without a position.
        _ if completed == 0 => {
            migration(done).map(|migration| failure::somewhere(run, migration, &error, kept))
        }
        _ => None,
    };
    match failure {
        Some(failure) => Error::Migration { failure: Box::new(failure), source: error, report },
        None => Error::Database { doing: doing(run, part, steps), source: error, report },
    }
}

/// What a part of ours was for, in words.
fn doing(run: &Run<'_>, part: Option<Part>, steps: &[Step<'_>]) -> String {
    let ledger = run.ledger.shown();
    match part {
        Some(Part::Create) => format!("creating the ledger `{ledger}`"),
        Some(Part::Record { step }) => {
            let version = steps.get(step).map(|step| step.migration.version().to_string());
            format!("recording version {} in `{ledger}`", version.unwrap_or_default())
        }
        _ => format!("locking the ledger `{ledger}`"),
    }
}
