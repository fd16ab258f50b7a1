//! Applies one non-transactional migration, statement by statement, with its progress in the ledger: a
//! statement that took effect is not sent again, and every path releases the lock and restores the
//! session.

mod statement;
mod outcome;
mod messages;
mod work;

use migrate_set::plan::Cause;
use tokio_postgres::SimpleQueryRow;

use self::outcome::lock_lost;
use self::work::Work;
use super::action::{Action, versions};
use super::callouts::{self, Callout};
use super::explain::recording;
use super::hold::Hold;
use super::tally::Tally;
use crate::boxed::{Boxed, boxed};
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::outcome::{Error, ErrorKind, When};
use crate::sql::{Session, column, text};
use crate::wire::{Message, Part};

/// The function [`apply`], which only a set with scripts outside a transaction needs.
#[derive(Debug)]
pub(crate) struct Outside(
    #[expect(clippy::type_complexity, reason = "those of `apply`")]
    pub(super)  for<'f, 'r> fn(
        &'f Context<'r>,
        &'f mut Hold<'r>,
        &'f mut Tally<'r>,
        (Action<'f>, Cause),
        Table,
    ) -> Boxed<'f, Result<(), Stop>>,
);

pub(super) static OUTSIDE: Outside =
    Outside(|cx, hold, tally, step, table| boxed(apply(cx, hold, tally, step, table)));

/// Carries out `action` under the lock of the ledger. The progress of a rollback is not recorded: if it
/// is interrupted, all of it runs again.
///
/// # Cancel safety
/// If it is dropped, it queues the statements that release the lock and restore the session, after the
/// one that runs.
async fn apply<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    (action, cause): (Action<'_>, Cause),
    table: Table,
) -> Result<(), Stop> {
    tally.under_way = versions(&[action]).into();
    if action.names_citus() {
        cx.wire.spread();
    }
    let as_planned = messages::as_planned(cx, action, cause);
    hold.lock.open(cx, (table, tally.position), &as_planned).await?;
    let mut work = Work::new(cx, hold, tally, (action, cause))?;
    work.begin(table).await?;
    work.tally.starts(cx, Some(&action));
    let result = work.carry_out().await;
    work.end(result).await?;
    Ok(work.after().await?)
}

/// Calls hooks, which are outside a transaction here.
async fn call(
    cx: &Context<'_>,
    tally: &mut Tally<'_>,
    when: When,
    action: Action<'_>,
) -> Result<(), Error> {
    let called = callouts::call(cx, tally, Callout::Hooks(when, action)).await;
    called.map_err(|source| {
        let (file, detail) = (Some(cx.path_of(action.script())), cx.migrator.detail(&*source));
        ErrorKind::Hook { when, file, detail, source }.into()
    })
}

impl Work<'_, '_> {
    /// Takes the lock, checks that the plan of the step still holds, and records that it begins.
    async fn begin(&mut self, table: Table) -> Result<(), Stop> {
        let message = self.beginning(table);
        self.arm();
        let mut locked = false;
        let (mut session, mut indexes) = (None, None);
        let result = self
            .send(message, &mut |part, row| match part {
                Part::Guard => locked = true,
                Part::Save => session = row.as_ref().and_then(Session::of),
                Part::Look => indexes = row.and_then(|row| column(&row, "indexes")),
                _ => {}
            })
            .await;
        self.session = session;
        self.indexes = indexes.filter(|indexes| !indexes.is_empty());
        let Err((failure, completed)) = result else {
            // Its commit was a synchronous one.
            self.tally.report.unconfirmed = 0;
            if let (Action::Apply(migration), true) = (self.action, self.is_recorded_first()) {
                self.tally.position += 1;
                self.tally.running.begin(migration);
            }
            self.arm();
            return Ok(());
        };
        self.cx.wire.end_transaction(&failure.error, completed).await;
        self.cleanup.disarm();
        if locked {
            self.release().await;
        }
        if let Some(stop) = self.cx.reason(&failure).await {
            return Err(stop);
        }
        Err(match failure.part {
            Some(Part::Record { .. }) => {
                self.cx.unrecorded(recording(self.cx, self.action), failure.error).await
            }
            part => self.cx.database_error(self.cx.doing(part), failure.error).await,
        }
        .into())
    }

    async fn carry_out(&mut self) -> Result<(), Stop> {
        call(self.cx, self.tally, When::BeforeEach, self.action).await?;
        self.statements().await
    }

    /// Finishes the entry, restores the session and releases the lock.
    async fn end(&mut self, result: Result<(), Stop>) -> Result<(), Stop> {
        let message = self.ending(result.is_ok());
        let mut unlocked = self.unlock().is_none();
        let ended = self
            .send(message, &mut |part, row| {
                let is_true = |row: SimpleQueryRow| text(&row, 0) == Some("t");
                unlocked |= part == Part::Unlock && row.is_some_and(is_true);
            })
            .await;
        self.cleanup.disarm();
        if let Err((failure, completed)) = ended {
            self.cx.wire.end_transaction(&failure.error, completed).await;
            self.release().await;
            return Err(match result {
                Err(stop @ Stop::Failed(_)) => stop,
                _ => self.failed(self.ways.len().saturating_sub(1), failure).await.into(),
            });
        }
        if result.is_ok() {
            self.tally.position += i64::from(matches!(self.action, Action::Undo(_)));
            self.action.count(self.cx.migrator.set, &mut self.tally.running);
            self.tally.backoff.reset();
            self.tally.done(self.cx, self.action, self.started.elapsed());
        }
        match result {
            Err(stop @ Stop::Failed(_)) => Err(stop),
            _ if !unlocked => Err(lock_lost(self.cx).into()),
            result => result,
        }
    }

    /// Calls the hooks after it, and restores the session that they can have changed.
    async fn after(&mut self) -> Result<(), Error> {
        if !self.cx.migrator.calls.has_hooks(When::AfterEach) {
            return Ok(());
        }
        let restore = self.session.as_ref().map(Session::restore);
        self.cleanup.arm(restore.iter().cloned().collect());
        let called = call(self.cx, self.tally, When::AfterEach, self.action).await;
        if let Some(restore) = restore {
            let mut message = Message::new();
            self.push_restore(&mut message, &restore);
            if let Err((failure, completed)) = self.send(message, &mut |_, _| {}).await {
                self.cx.wire.end_transaction(&failure.error, completed).await;
            }
        }
        self.cleanup.disarm();
        called
    }

    /// Releases the lock after the message that should have was refused.
    async fn release(&self) {
        if let Some(sql) = self.unlock() {
            // If this fails, the connection is broken, and its lock is gone.
            let _ = self.cx.wire.last_row(&sql).await;
        }
    }
}
