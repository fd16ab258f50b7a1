//! What a run holds and must release: its lock, and the setting of how the session reads strings.

use migrate_set::plan::Cause;
use migrate_set::set::{Script, TransactionMode};
use migrate_set::sql::kind::SessionEffect;

use super::action::Action;
use super::callouts;
use super::tally::Tally;
use crate::boxed::boxed;
use crate::context::{Context, Table};
use crate::lock::{Held, Stop};
use crate::migrator::Lock;
use crate::outcome::{Error, ErrorKind, LockKind, When};
use crate::sql::{Citus, Contents, Reading, Terms, Transaction, text};
use crate::wire::OnDrop;

/// What a run holds.
pub(crate) struct Hold<'r> {
    pub(super) lock: Held<'r>,
    /// Restores how the session reads strings, if the run changed it.
    strings: Option<OnDrop<'r>>,
    /// The process that served the read of the ledger.
    backend: Option<i32>,
    /// Whether the connection goes through a pooler; only known if that matters.
    pub(super) is_pooled: bool,
    /// Whether the read of the ledger found Citus.
    is_citus: bool,
}

impl<'r> Hold<'r> {
    pub(super) fn new(cx: &Context<'r>) -> Self {
        let lock = Held::new(cx.migrator.lock);
        Hold { lock, strings: None, backend: None, is_pooled: false, is_citus: false }
    }

    /// The terms for guards, as of now.
    pub(super) fn terms<'t>(&'t self, cx: &'t Context<'_>) -> Terms<'t> {
        Terms { may_be_plain: self.lock.may_be_plain(), ..cx.terms(self.lock.token()) }
    }

    /// Reads the ledger: one message.
    pub(super) async fn read(
        &mut self,
        cx: &Context<'r>,
        tally: &mut Tally<'r>,
        reading: Reading,
    ) -> Result<Contents<'r>, Stop> {
        let mut contents = boxed(cx.read(reading)).await.map_err(Stop::of_read)?;
        if contents.transaction == Transaction::OfCaller {
            return Err(ErrorKind::InTransaction.into());
        }
        tally.position = contents.last_position;
        tally.running = contents.running(cx.migrator.set);
        self.lock.read(contents.lease.take());
        self.backend = contents.backend;
        self.is_citus |= contents.citus != Citus::Absent;
        Ok(contents)
    }

    /// Acquires what `work` needs, before any of it runs; returns whether the ledger then exists.
    pub(super) async fn acquire(
        &mut self,
        cx: &Context<'r>,
        tally: &mut Tally<'r>,
        work: &[(Action<'_>, Cause)],
        table: Table,
    ) -> Result<Table, Stop> {
        let scripts = work.iter().map(|(action, _)| action.script());
        let is_outside =
            |script: &&Script| script.transaction() == TransactionMode::NonTransactional;
        let outside: Vec<&Script> = scripts.filter(is_outside).collect();
        self.refuse_pooler(cx, &outside).await?;
        self.enter(cx, tally, table).await
    }

    /// Makes sure that this run is allowed to change something here; returns whether the ledger then exists.
    pub(super) async fn enter(
        &mut self,
        cx: &Context<'r>,
        tally: &mut Tally<'r>,
        table: Table,
    ) -> Result<Table, Stop> {
        if self.is_citus {
            boxed(cx.join_citus(&mut tally.report)).await?;
        }
        self.lock.enter(cx, &mut tally.report, (table, tally.position)).await
    }

    /// Refuses migrations outside a transaction that cannot run through a pooler, before anything runs.
    async fn refuse_pooler(&mut self, cx: &Context<'_>, outside: &[&Script]) -> Result<(), Error> {
        if outside.is_empty() || cx.migrator.lock == Lock::Advisory {
            return Ok(());
        }
        let backend = match self.backend {
            None => self.backend(cx).await?,
            known => known,
        };
        let process = cx.wire.process().await;
        self.is_pooled = process.is_some() && process != backend;
        let lock = self.lock.kind();
        let is_refused = |script: &&&Script| {
            lock == LockKind::Advisory || script.session() != SessionEffect::Keeps
        };
        match outside.iter().find(is_refused).filter(|_| self.is_pooled) {
            Some(script) => Err(ErrorKind::Pooled { file: cx.path_of(script), lock }.into()),
            None => Ok(()),
        }
    }

    /// Asks for the process that serves the session.
    async fn backend(&self, cx: &Context<'_>) -> Result<Option<i32>, Error> {
        // What sends reads elsewhere names another server's process.
        match cx.wire.last_row_as_write("SELECT pg_catalog.pg_backend_pid()").await {
            Ok(row) => Ok(row.and_then(|row| text(&row, 0)?.parse().ok())),
            Err(source) => {
                let doing = "asking for the server process of this connection".to_owned();
                Err(cx.database_error(doing, source).await)
            }
        }
    }

    /// Makes the session read strings as the build did, until the end of the run.
    pub(super) async fn conform_strings(&mut self, cx: &Context<'r>) -> Result<(), Error> {
        // Not in the transaction that a dropped run leaves open, which would undo it.
        let off = "ROLLBACK; SET standard_conforming_strings = off".to_owned();
        self.strings = Some(cx.wire.on_drop(vec![off]));
        let on = "SET standard_conforming_strings = on";
        cx.ask(on, "setting standard_conforming_strings").await.map(drop)
    }

    /// Ends a run with this `result`: releases the lock, calls the hooks after the run, and makes the
    /// session read strings as before.
    pub(super) async fn release(
        &mut self,
        cx: &Context<'_>,
        tally: &mut Tally<'_>,
        result: Result<(), Error>,
    ) -> Result<(), Error> {
        cx.wire.close().await;
        // After an error, and where another run applied the rest.
        tally.flush(cx).await;
        self.lock.release(cx).await;
        // The first error is the one to report.
        let mut called = Ok(());
        if tally.hooks_called {
            called = callouts::around(cx, tally, When::AfterRun).await;
        }
        self.restore_strings(cx).await;
        result.and(called)
    }

    /// Makes the session read strings as before the run.
    async fn restore_strings(&mut self, cx: &Context<'_>) {
        let Some(mut strings) = self.strings.take() else { return };
        // If this fails, the connection is broken, and its settings are gone.
        let _ = cx.wire.last_row("SET standard_conforming_strings = off").await;
        strings.disarm();
    }

    /// Whether the server could not parse a message because the session reads strings differently.
    ///
    /// # Errors
    /// If there is no answer: without one, the migration would be at fault.
    pub(super) async fn is_misread(
        &self,
        cx: &Context<'_>,
        actions: &[Action<'_>],
    ) -> Result<bool, Error> {
        let matters = actions.iter().any(|action| has_escapes(action.script(), cx.schema()));
        if !matters || self.strings.is_some() {
            return Ok(false);
        }
        let asked =
            cx.ask("SHOW standard_conforming_strings", "reading standard_conforming_strings");
        Ok(asked.await?.as_deref() == Some("off"))
    }
}

/// Whether `script`, or the schema for its placeholders, has a backslash, which sessions can read in two
/// ways.
pub(super) fn has_escapes(script: &Script, schema: Option<&str>) -> bool {
    let escapes = |text: &str| text.contains('\\');
    escapes(script.text()) || (!script.placeholders().is_empty() && schema.is_some_and(escapes))
}
