//! Applies one non-transactional migration: statement by statement under a session lock.
//! A step goes in; its statements go out one message each, progress is recorded behind each, and
//! the lock is released on every path.
//! It never waits for the lock inside the server, and never runs a statement twice that it knows
//! to have taken effect.

use std::time::Instant;

use migrate_core::ledger::Entry;
use migrate_core::plan::{Cause, Step};
use migrate_core::set::Migration;
use migrate_core::sql::kind::SessionEffect;
use tokio_postgres::Client;

use crate::error::{Error, Kept};
use crate::execute::{Attempt, Run, Table};
use crate::failure::{self, Blame};
use crate::protocol::{self, Failure, OnDrop};
use crate::session::{self, Scope};
use crate::transactional::{creation, rendered};

/// Applies `step` under the session lock of the ledger.
///
/// # Cancel safety
/// Dropped midway it queues the release of the lock behind the statement that runs.
pub(crate) async fn apply(
    run: &mut Run<'_>,
    step: Step<'_>,
    table: Table,
) -> Result<Attempt, Error> {
    let unlock = format!("SELECT pg_catalog.pg_advisory_unlock({})", run.ledger.lock_key());
    let mut release = OnDrop::new(run.client, unlock.as_str());
    if !lock(run).await? {
        release.disarm();
        return Ok(Attempt::Busy);
    }
    let result = locked(run, step, table).await;
    release.disarm();
    let released = query(run, &unlock, || "releasing the lock".to_owned()).await;
    let attempt = result?;
    match released?.as_deref() {
        Some("t") => Ok(attempt),
        _ => Err(Error::LockLost {
            ledger: run.ledger.shown(),
            report: Box::new(run.report.clone()),
        }),
    }
}

async fn lock(run: &mut Run<'_>) -> Result<bool, Error> {
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({})", run.ledger.lock_key());
    let ledger = run.ledger.shown();
    let locked = query(run, &sql, || format!("locking `{ledger}`")).await?;
    Ok(locked.as_deref() == Some("t"))
}

/// Runs the migration, with the lock held.
async fn locked(run: &mut Run<'_>, step: Step<'_>, table: Table) -> Result<Attempt, Error> {
    if table == Table::Missing {
        for sql in creation(run) {
            let ledger = run.ledger.shown();
            query(run, &sql, || format!("creating the ledger `{ledger}`")).await?;
        }
    }
    let migration = step.migration;
    let contents = run.read().await?;
    // The position alone does not tell that whoever had begun this one has gone on with it.
    let of_this = |entry: &&Entry| entry.version == *migration.version();
    let entry = contents.entries.iter().find(of_this);
    let as_planned = match step.cause {
        Cause::New => entry.is_none(),
        Cause::Changed => entry.is_some_and(Entry::is_finished),
        Cause::Unfinished { done } => entry.is_some_and(|entry| entry.progress == Some(done)),
    };
    if contents.last_position != run.last_position || !as_planned {
        return Ok(Attempt::Moved);
    }
    let changes = migration.up().session() == SessionEffect::Changes;
    if changes {
        query(run, &session::save(Scope::Session), || "saving the session".to_owned()).await?;
    }
    let result = statements(run, step).await;
    if changes {
        let restored = query(run, session::RESTORE, || "restoring the session".to_owned()).await;
        result?;
        restored?;
    } else {
        result?;
    }
    Ok(Attempt::Done)
}

/// Runs the statements that have not taken effect yet, and finishes the entry.
async fn statements(run: &mut Run<'_>, step: Step<'_>) -> Result<(), Error> {
    let Step { migration, cause } = step;
    let started = Instant::now();
    let done = match cause {
        Cause::Unfinished { done } => done as usize,
        Cause::New | Cause::Changed => {
            let down = run.down_sql(migration)?;
            let position = run.last_position + 1;
            let sql = run.ledger.record(migration, down.as_deref(), position, Some(0));
            note(run, migration, &sql).await?;
            0
        }
    };
    let count = migration.up().statements().len();
    for (index, range) in migration.up().statements().enumerate().skip(done) {
        let sql = rendered(run, migration, range)?.sql;
        run.report.messages += 1;
        if let Err((blame, error)) = one(run.client, index, &sql).await {
            return Err(fail(run, migration, blame, error).await);
        }
        // Behind the last one the entry is finished at once.
        if index + 1 < count {
            let sql = run.ledger.progress(migration, index + 1);
            note(run, migration, &sql).await?;
        }
    }
    let sql = run.ledger.finish(migration, started.elapsed().as_millis());
    note(run, migration, &sql).await?;
    if let Cause::Unfinished { .. } = cause {
        // Its entry had its position from the run that began it.
        run.last_position -= 1;
    }
    run.unflushed = false;
    run.applied(migration, started.elapsed());
    Ok(())
}

/// Sends statement number `index`, which may be a whole block of the file's own.
async fn one(
    client: &Client,
    index: usize,
    sql: &str,
) -> Result<(), (Blame, tokio_postgres::Error)> {
    let mut message = protocol::Message::new();
    message.push((), sql);
    let outcome = protocol::send(client, &message, |(), _| {}).await;
    let completed = outcome.completed;
    match outcome.failure {
        None => Ok(()),
        Some(Failure { offset, error, .. }) => Err((Blame { index, offset, completed }, error)),
    }
}

/// The error of a statement, with what the ledger says took effect before it.
async fn fail(
    run: &mut Run<'_>,
    migration: &Migration,
    blame: Blame,
    error: tokio_postgres::Error,
) -> Error {
    let mut kept = Kept::Unknown;
    if error.as_db_error().is_some() {
        // The file may have begun a transaction of its own, which is undone.
        run.report.messages += 1;
        let undone = protocol::query(run.client, "ROLLBACK").await.is_ok();
        let of = migration.up().statements().len();
        let read = run.read().await.ok().filter(|_| undone);
        let entry = read.and_then(|contents| {
            contents.entries.into_iter().find(|entry| entry.version == *migration.version())
        });
        if let Some(done) = entry.and_then(|entry| entry.progress) {
            kept = Kept::Statements { done: done as usize, of };
        }
    }
    let failure = failure::at_statement(run, migration, blame, &error, kept);
    let report = Box::new(run.report.clone());
    Error::Migration { failure: Box::new(failure), source: error, report }
}

/// Sends a statement that keeps the ledger's entry true.
async fn note(run: &mut Run<'_>, migration: &Migration, sql: &str) -> Result<(), Error> {
    let doing = format!("recording version {} in `{}`", migration.version(), run.ledger.shown());
    query(run, sql, || doing).await.map(drop)
}

/// Sends one statement of ours; the first column of its last row.
async fn query(
    run: &mut Run<'_>,
    sql: &str,
    doing: impl FnOnce() -> String,
) -> Result<Option<String>, Error> {
    run.report.messages += 1;
    match protocol::query(run.client, sql).await {
        Ok(row) => Ok(row.and_then(|row| row.get(0).map(str::to_owned))),
        Err(source) => {
            Err(Error::Database { doing: doing(), source, report: Box::new(run.report.clone()) })
        }
    }
}
