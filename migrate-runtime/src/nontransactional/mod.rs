//! Applies one non-transactional migration: statement by statement, with the ledger telling at each
//! moment how far it came.
//! A step goes in; what can run in a transaction goes out in one with its note, what cannot goes
//! out alone between two notes; the lock is released and the session restored on every path.
//! It never waits for the lock inside the server, and never sends a statement again that it knows
//! to have taken effect.

use std::time::Instant;

use migrate_set::plan::Cause;
use migrate_set::set::Script;
use migrate_set::sql::alone::{Alone, prepares_session};
use migrate_set::sql::placeholder::Rendered;
use tokio_postgres::SimpleQueryRow;
use tracing::{Instrument as _, Span};

use crate::deed::Deed;
use crate::dialogue::Pause;
use crate::error::ErrorKind;
use crate::execute::{Attempt, Run, Table};
use crate::hook::When;
use crate::ledger::Progress;
use crate::leftover::{self, Attempted, Leftover};
use crate::locking;
use crate::protocol::{self, Failure, Message, OnDrop, OnPart};
use crate::session::Session;
use crate::spans;
use crate::transactional::{self, Part, is_blocked, rendered};

mod messages;
mod outcome;

use outcome::{lock_lost, took_effect};

/// One such migration under way.
struct Work<'w, 'r> {
    run: &'w mut Run<'r>,
    deed: Deed<'w>,
    /// How it was planned; one to undo is as new.
    cause: Cause,
    /// How each statement runs.
    ways: Vec<Alone>,
    /// What the ledger says.
    noted: Progress,
    /// Whether it says that the migration is finished.
    finished: bool,
    /// The session as the migration found it, where it changes that.
    session: Option<Session>,
    /// What puts back the limits that a statement runs under.
    limits: Option<String>,
    cleanup: OnDrop<'r>,
    started: Instant,
}

/// How one statement ended.
enum Ended {
    /// It took effect.
    Done,
    /// It is to be sent again, another way.
    Again,
    /// The migration stops before it.
    Stopped(Attempt),
}

/// Carries out `deed` under the lock of the ledger. How far a rollback comes is not noted: where it
/// is cut short, all of it runs again.
///
/// # Cancel safety
/// Dropped midway it queues the release of the lock, and what restores the session, behind the
/// statement that runs.
pub(crate) async fn apply(
    run: &mut Run<'_>,
    (deed, cause): (Deed<'_>, Cause),
    table: Table,
) -> Result<Attempt, ErrorKind> {
    let ways = ways(run, deed.script())?;
    let mut work = Work {
        noted: noted(cause, &ways),
        cleanup: OnDrop::new(run.client, Vec::new()),
        run: &mut *run,
        deed,
        cause,
        ways,
        finished: false,
        session: None,
        limits: None,
        started: Instant::now(),
    };
    let attempt = work.begin(table).await?;
    if !matches!(attempt, Attempt::Done) {
        return Ok(attempt);
    }
    work.run.starts(Some(&deed));
    let result = work.carried_out().await;
    let attempt = work.end(result).await?;
    if matches!(attempt, Attempt::Done) {
        call(run, When::AfterEach, deed).await?;
    }
    Ok(attempt)
}

/// Calls hooks, which stand outside a transaction here.
async fn call(run: &Run<'_>, when: When, deed: Deed<'_>) -> Result<(), ErrorKind> {
    run.call(Pause::Hooks(when, deed)).await.map_err(|source| ErrorKind::Hook {
        when,
        file: Some(run.path_of(deed.script())),
        source,
    })
}

fn ways(run: &Run<'_>, script: &Script) -> Result<Vec<Alone>, ErrorKind> {
    let ranges = script.statements();
    ranges.map(|range| Ok(Alone::of(&rendered(run, script, range)?.sql))).collect()
}

/// What the ledger says once the step has begun.
fn noted(cause: Cause, ways: &[Alone]) -> Progress {
    match cause {
        Cause::Unfinished { done, in_flight } => Progress { done, in_flight },
        Cause::New | Cause::Changed => at(0, ways),
    }
}

/// What the ledger says before statement number `index` is sent.
fn at(index: usize, ways: &[Alone]) -> Progress {
    let in_flight = ways.get(index).is_some_and(|alone| !alone.is_atomic());
    Progress { done: u32::try_from(index).unwrap_or(u32::MAX), in_flight }
}

impl Work<'_, '_> {
    /// Takes the lock, sees that the step is still what was planned, and records that it begins.
    async fn begin(&mut self, table: Table) -> Result<Attempt, ErrorKind> {
        let message = self.beginning(table)?;
        self.arm();
        let mut locked = false;
        let mut session = None;
        let result = self
            .send(&message, &mut |part, row| match part {
                Part::Guard => locked = true,
                Part::Save => session = row.as_ref().and_then(Session::of),
                _ => {}
            })
            .await;
        self.session = session;
        let Err((failure, completed)) = result else {
            // Its commit was a synchronous one.
            self.run.report.unconfirmed = 0;
            self.run.last_position += i64::from(self.is_recorded_first());
            self.arm();
            return Ok(Attempt::Done);
        };
        self.run.end_transaction(&failure.error, completed).await;
        self.cleanup.disarm();
        if locked {
            self.unlock().await;
        }
        if let Some(attempt) = locking::turned_away(&failure) {
            return Ok(attempt);
        }
        let doing = transactional::doing(self.run, failure.part, &[self.deed]);
        Err(self.run.database_error(doing, failure.error).await)
    }

    /// Whether it begins with an entry of its own.
    fn is_recorded_first(&self) -> bool {
        matches!(self.deed, Deed::Apply(_)) && !self.is_continued()
    }

    /// Whether an earlier run began it.
    fn is_continued(&self) -> bool {
        matches!(self.cause, Cause::Unfinished { .. })
    }

    async fn carried_out(&mut self) -> Result<Attempt, ErrorKind> {
        call(self.run, When::BeforeEach, self.deed).await?;
        self.statements().await
    }

    /// Runs the statements that have not taken effect yet.
    async fn statements(&mut self) -> Result<Attempt, ErrorKind> {
        let first = self.noted.done as usize;
        self.prepare_session(first).await?;
        let mut index = first;
        while index < self.ways.len() {
            let ended = if self.ways[index].is_atomic() {
                self.atomic(index).await?
            } else {
                self.outside(index).await?
            };
            match ended {
                Ended::Done => index += 1,
                Ended::Again => {}
                Ended::Stopped(attempt) => return Ok(attempt),
            }
        }
        Ok(Attempt::Done)
    }

    /// Sends what an earlier session was told, and this one was not.
    async fn prepare_session(&mut self, first: usize) -> Result<(), ErrorKind> {
        for index in 0..first.min(self.ways.len()) {
            let sql = self.rendered(index)?.sql.into_owned();
            if !prepares_session(&sql) {
                continue;
            }
            let mut message = Message::new();
            message.push(Part::Statement { step: 0, index: 0 }, &sql);
            if let Err((failure, _)) = self.send(&message, &mut |_, _| {}).await {
                return Err(self.failed(index, failure).await);
            }
        }
        Ok(())
    }

    /// Sends a statement, or a block of the file's own, in one transaction with the note that it
    /// ran.
    async fn atomic(&mut self, index: usize) -> Result<Ended, ErrorKind> {
        self.announce(index, Attempted::No).await?;
        let message = self.transaction(index)?;
        let span = self.span(index)?;
        let sent = self.send(&message, &mut |_, _| {}).instrument(span).await;
        let Err((mut failure, completed)) = sent else {
            self.noted = at(index + 1, &self.ways);
            self.finished = index + 1 == self.ways.len();
            return Ok(Ended::Done);
        };
        self.run.end_transaction(&failure.error, completed).await;
        if failure.error.as_db_error().is_none() {
            // The server answers when all of a message is done: any of it may have been.
            failure.part = Some(Part::Statement { step: 0, index: usize::MAX });
        }
        match failure.error.code().map_or("", |code| code.code()) {
            // active_sql_transaction, invalid_transaction_termination: it wants none around it.
            "25001" | "2D000" => {
                self.ways[index] = Alone::Bare;
                Ok(Ended::Again)
            }
            _ if is_blocked(&failure) => {
                let error = self.failed(index, failure).await;
                Ok(Ended::Stopped(Attempt::Blocked(Box::new(error))))
            }
            _ => Err(self.failed(index, failure).await),
        }
    }

    /// Sends a statement that can run outside a transaction only, between two notes.
    async fn outside(&mut self, index: usize) -> Result<Ended, ErrorKind> {
        let resumed = self.is_continued() && index == self.resumed_at();
        let attempted = if resumed { Attempted::Before } else { Attempted::No };
        let unknown = resumed && matches!(self.cause, Cause::Unfinished { in_flight: true, .. });
        while let Some(leftover) = self.announce(index, attempted).await? {
            match leftover {
                Leftover { valid: true, name, .. } if unknown => {
                    self.run.note(format!("index {name} was found built, and not built again"));
                    return Ok(Ended::Done);
                }
                Leftover { valid: true, .. } => break,
                Leftover { in_use: true, .. } => return Ok(Ended::Stopped(Attempt::Busy)),
                invalid => self.remove(&invalid).await?,
            }
        }
        let sql = self.rendered(index)?.sql.into_owned();
        let span = self.span(index)?;
        let Err((failure, _)) = self.alone(&sql).instrument(span).await else {
            return Ok(Ended::Done);
        };
        let code = failure.error.code().map_or("", |code| code.code()).to_owned();
        if unknown && took_effect(&self.ways[index], &code) {
            self.run
                .note(format!("statement {} had taken effect, and was not repeated", index + 1));
            return Ok(Ended::Done);
        }
        // object_not_in_prerequisite_state: an earlier attempt detached it half.
        if let (Alone::Detaches { finalize }, "55000") = (&self.ways[index], code.as_str()) {
            let finalize = finalize.clone();
            if self.alone(&finalize).await.is_ok() {
                self.run.note(format!("statement {} was finished by FINALIZE", index + 1));
                return Ok(Ended::Done);
            }
        }
        Err(self.failed(index, failure).await)
    }

    fn resumed_at(&self) -> usize {
        match self.cause {
            Cause::Unfinished { done, .. } => done as usize,
            Cause::New | Cause::Changed => 0,
        }
    }

    /// Sees to it that the ledger says what is about to happen, sets the statement's limits, and
    /// looks for what an earlier attempt left.
    async fn announce(
        &mut self,
        index: usize,
        attempted: Attempted,
    ) -> Result<Option<Leftover>, ErrorKind> {
        let mut message = Message::new();
        // How far a rollback comes is not noted.
        if matches!(self.deed, Deed::Apply(_)) && self.noted != at(index, &self.ways) {
            message.push(Part::Control, self.begins());
            self.push_note(&mut message, index);
            message.push(Part::Control, "COMMIT");
        }
        if let Some(limits) = self.limits.take() {
            message.push(Part::Control, &limits);
        }
        let alone = &self.ways[index];
        // A transaction of ours has its limits inside; another session may serve a pooled message.
        if *alone != Alone::Atomic && !self.run.pooled {
            let limits = locking::limits_of_session(self.run, alone.is_concurrent());
            if let Some(limits) = limits {
                message.push(Part::Limit, &limits);
            }
        }
        if let Some(look) = leftover::look(alone, attempted) {
            message.push(Part::Look, &look);
        }
        let (mut found, mut limits) = (None, None);
        if message.is_empty() {
            return Ok(None);
        }
        let result = self
            .send(&message, &mut |part, row| match part {
                Part::Look => found = row.as_ref().and_then(Leftover::of),
                Part::Limit => limits = row.as_ref().and_then(put_back),
                _ => {}
            })
            .await;
        self.limits = limits;
        self.arm();
        if let Err((failure, completed)) = result {
            self.run.end_transaction(&failure.error, completed).await;
            return Err(self.failed(index, failure).await);
        }
        self.noted = at(index, &self.ways);
        Ok(found)
    }

    async fn remove(&mut self, leftover: &Leftover) -> Result<(), ErrorKind> {
        let doing = format!("dropping the INVALID index {}", leftover.name);
        self.run.ask(&leftover.drop(), &doing).await?;
        let name = &leftover.name;
        self.run
            .note(format!("dropped the INVALID index {name}, which an attempt had left behind"));
        Ok(())
    }

    /// Sends one statement as a message of its own, which names the lock where that is a row.
    async fn alone(&mut self, sql: &str) -> Result<(), (Failure<Part>, usize)> {
        let mut message = Message::new();
        if let Some(claim) = &self.run.claim {
            message.comment(&claim.token);
        }
        message.push(Part::Statement { step: 0, index: 0 }, sql);
        self.send(&message, &mut |_, _| {}).await
    }

    async fn send(
        &mut self,
        message: &Message<Part>,
        on: OnPart<'_, Part>,
    ) -> Result<(), (Failure<Part>, usize)> {
        self.run.report.messages += 1;
        let outcome = protocol::send(self.run.client, message, on).await;
        match outcome.failure {
            None => Ok(()),
            Some(failure) => Err((failure, outcome.completed)),
        }
    }

    /// Finishes the entry, restores the session and gives the lock back.
    async fn end(mut self, result: Result<Attempt, ErrorKind>) -> Result<Attempt, ErrorKind> {
        let applied = matches!(result, Ok(Attempt::Done));
        let message = self.ending(applied);
        let mut unlocked = self.run.claim.is_some();
        let ended = self
            .send(&message, &mut |part, row| {
                let is_true = |row: SimpleQueryRow| row.get(0) == Some("t");
                unlocked |= part == Part::Unlock && row.is_some_and(is_true);
            })
            .await;
        self.cleanup.disarm();
        if let Err((failure, completed)) = ended {
            self.run.end_transaction(&failure.error, completed).await;
            self.unlock().await;
            result?;
            return Err(self.failed(self.ways.len().saturating_sub(1), failure).await);
        }
        if applied {
            self.run.last_position += i64::from(matches!(self.deed, Deed::Undo(_)));
            self.run.done(self.deed, self.started.elapsed());
        }
        let attempt = result?;
        if unlocked { Ok(attempt) } else { Err(lock_lost(self.run)) }
    }

    /// Gives the lock back where the message that should have was refused.
    async fn unlock(&mut self) {
        if self.run.claim.is_none() {
            self.run.report.messages += 1;
            let sql = locking::unlock(self.run);
            // Should this fail, the connection is broken, and its lock gone with it.
            let _ = protocol::query(self.run.client, &sql).await;
        }
    }

    /// A statement as `tracing` knows it.
    fn span(&self, index: usize) -> Result<Span, ErrorKind> {
        let rendered = self.rendered(index)?;
        Ok(spans::statement(&self.run.at, &rendered.sql))
    }

    fn rendered(&self, index: usize) -> Result<Rendered<'_>, ErrorKind> {
        let script = self.deed.script();
        let range = script.statements().nth(index).unwrap_or_default();
        rendered(self.run, script, range)
    }
}

/// What puts back the limits that the row says the session had.
fn put_back(row: &SimpleQueryRow) -> Option<String> {
    row.try_get("put_back").ok().flatten().map(str::to_owned)
}
