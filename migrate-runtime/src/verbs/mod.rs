//! The verbs of a migrator: those that only read are here, the others call [`crate::run`].

mod undo;
mod edits;
mod show;
mod schema;
mod made;

pub use made::{Made, made};
pub use schema::{schema_differences, schema_text};
pub use undo::redo;

use std::sync::Arc;
use std::time::Duration;

use migrate_set::plan::{Cause, Plan, Step};
use migrate_set::rollback::{Rollback, Undo, rollback};
use migrate_set::set::Migrations;
use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::context::Context;
use crate::migrator::{Asked, Interrupt, Migrator};
use crate::outcome::{Error, ErrorKind, Report, Trial};
use crate::run::{self, Apply, Then, TryOut, Undo as Undoing};
use crate::sql::{Contents, Reading};
use crate::stale::check_embed;
use undo::undo;

/// The migrator, with a way to end its runs early.
pub fn interruptible(migrator: Migrator<'_>, interrupt: Arc<dyn Interrupt>) -> Migrator<'_> {
    let parts = run::ended_early(migrator.parts);
    Migrator { interrupt: Some(Asked(interrupt)), parts, ..migrator }
}

impl<'s> From<&'s Migrations> for Migrator<'s> {
    /// As [`Migrator::new`].
    #[inline]
    fn from(set: &'s Migrations) -> Self {
        Migrator::new(set)
    }
}

impl<'s> Migrator<'s> {
    /// A migrator for `set` with the safe default of every option.
    #[inline]
    pub fn new(set: &'s Migrations) -> Self {
        Migrator::of(set, run::parts(set.traits()))
    }

    /// How long `run` may take in total, waits included; unlimited by default.
    ///
    /// The server cancels the statement that runs at the deadline (`statement_timeout`), and its
    /// migration is undone. What the server does not limit is cancelled a second later. If it does not end
    /// by that either, the error lists the versions whose outcome is unknown; abort the task of the connection then. A
    /// request to cancel has no encryption, and is not sent where the connection requires it.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self.parts = run::ended_early(self.parts);
        self
    }

    /// Applies pending migrations, each exactly once, however many replicas run at the same time.
    ///
    /// If nothing is pending, it sends one message, which reads one row of the ledger, and takes no locks. Rows
    /// before the last that were changed by hand are found by [`Migrator::verify`], or as soon as anything is
    /// pending. A task of its own must drive the client's connection (`tokio::spawn(connection)`); without it, `run`
    /// waits for ever, and reports after five seconds that it does
    /// ([`Event::Unanswered`](crate::Event::Unanswered), a warning of `tracing`; in a debug build without a
    /// subscriber, a line on stderr).
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// let report = migrator.run(&mut client).await?;
    /// println!("{} applied, {} before", report.applied.len(), report.skipped.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Drift`] and [`ErrorKind::Placeholder`] before anything ran; [`ErrorKind::Migration`] if
    /// the server refused a migration, [`ErrorKind::Busy`] if another run held the lock for too long,
    /// [`ErrorKind::Deadline`] if the run exceeded its deadline, [`ErrorKind::Pooled`] if a migration
    /// cannot run over this connection, [`ErrorKind::Database`] if the ledger could not be read or
    /// written. The error has the report of what was applied before it.
    ///
    /// # Panics
    /// In a Tokio runtime without timers (`enable_time`, `enable_all`); outside a runtime, if it waits for another
    /// replica, tries a migration again, or has a deadline. Every verb with a `&mut Client` does.
    ///
    /// # Cancel safety
    /// If the future is dropped, each migration is applied and recorded, or neither; the connection is
    /// outside a transaction and holds no locks once the server has processed what was sent. That can be
    /// long after, so to limit a run use [`Migrator::deadline`], which ends what was sent. A
    /// non-transactional migration is then unfinished, and the next run continues it.
    pub async fn run(&self, client: &mut Client) -> Result<Report, Error> {
        check_embed(self.set)?;
        run::run(self, client, &Apply).await
    }

    /// Runs pending migrations in one transaction and undoes it, to find out whether a run would
    /// succeed on this database. After each it does what a commit does: it checks deferred constraints,
    /// and ends `SET LOCAL` and temporary tables.
    ///
    /// The notes name what one transaction cannot show: migrations that run outside a transaction are left
    /// out, and a trial ends at a migration that uses an enum value of an earlier one.
    ///
    /// It takes the same locks as a run, and holds all of them until its end. Where the lock is a row
    /// ([`Lock::Row`](crate::Lock::Row)), a missing ledger is created for it and kept.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// for one in migrator.trial(&mut client).await?.ran {
    ///     println!("{} would take {:?}", one.filename, one.duration);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Migrator::run`].
    pub async fn trial(&self, client: &mut Client) -> Result<Trial, Error> {
        check_embed(self.set)?;
        let report = run::run(self, client, &TryOut).await?;
        Ok(Trial { ran: report.applied, notes: report.notes, elapsed: report.elapsed })
    }

    /// The statements of a plan as a run would send them, with a comment that names the file above
    /// each migration; without transactions, guards and entries.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// print!("{}", migrator.script(&migrator.plan(&client).await?)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Placeholder`] if a placeholder needs a schema and none is set.
    pub fn script(&self, plan: &Plan<'_>) -> Result<String, Error> {
        run::script(self, plan)
    }

    /// Undoes applied migrations, the last applied first, each in a transaction of its own with its
    /// entry. The down script is the set's. If the set has none for that version, it is the one in the
    /// ledger, so an older binary can undo what a newer one applied; [`Migrator::down_from_ledger`] also
    /// uses it if the set has another text than what was applied.
    ///
    /// A non-transactional down script runs statement by statement. If it is interrupted, all of it
    /// runs again, so its statements must be repeatable. Repeatable migrations that were applied after the
    /// first one to undo are undone with it, or their entry ends if they have no down script; the next run
    /// applies them again.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator, Rollback};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.rollback(&mut client, Rollback::Steps(1)).await?;
    /// migrator.rollback(&mut client, Rollback::to(7)).await?; // 7 is kept
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rollback`] with every obstacle, before anything was undone; otherwise as
    /// [`Migrator::run`].
    ///
    /// # Cancel safety
    /// As [`Migrator::run`].
    pub async fn rollback(&self, client: &mut Client, target: Rollback) -> Result<Report, Error> {
        undo(self, client, &Undoing { target, planned: None, then: Then::Nothing }).await
    }

    /// What `rollback` would undo now, in that order; undoes nothing.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator, Rollback};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// for undo in migrator.plan_rollback(&client, Rollback::Steps(2)).await? {
    ///     println!("would undo {}", undo.entry.filename);
    ///     if undo.is_from_ledger() {
    ///         println!("by this script, which the set does not have:\n{}", undo.script().text());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Migrator::rollback`].
    pub async fn plan_rollback(
        &self,
        client: &Client,
        target: Rollback,
    ) -> Result<Vec<Undo<'s>>, Error> {
        let contents = self.read(client, Reading::WithDownScripts).await?;
        rollback(self.set, contents.recorded, &target, self.down_from_ledger)
            .map_err(|obstacles| ErrorKind::Rollback { obstacles }.into())
    }

    /// As [`Migrator::rollback`], for what [`Migrator::plan_rollback`] returned for this target and a person has
    /// confirmed. If the target means anything else by now, also because this run waited for another one, nothing is
    /// undone.
    ///
    /// ```no_run
    /// # use migrate_runtime::plan::Undo;
    /// # use migrate_runtime::{Error, Migrator, Rollback};
    /// # fn confirmed(undos: &[Undo<'_>]) -> bool { true }
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// let last = Rollback::Steps(1);
    /// let undos = migrator.plan_rollback(&client, last.clone()).await?;
    /// if confirmed(&undos) {
    ///     migrator.rollback_planned(&mut client, last, &undos).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Migrator::rollback`]. The obstacle is [`Obstacle::Changed`](crate::plan::Obstacle::Changed) if the target
    /// means anything else.
    pub async fn rollback_planned(
        &self,
        client: &mut Client,
        target: Rollback,
        planned: &[Undo<'_>],
    ) -> Result<Report, Error> {
        let undoing = Undoing { target, planned: Some(planned), then: Then::Nothing };
        undo(self, client, &undoing).await
    }

    /// Whether these migrations are applied, even if the set does not have them: for a service that
    /// does not migrate, and must not start with an older schema. Each is a version, or a version
    /// with its name as in files (`001_initial_schema`, `001_initial_schema.sql`).
    ///
    /// Empty ones are ignored, so that a list from the environment can be split.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// let required = std::env::var("REQUIRED_MIGRATIONS").unwrap_or_default();
    /// migrator.require_applied(&client, required.split(',')).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Required`] with those that are not applied, and the errors of reading the ledger.
    pub async fn require_applied<I>(&self, client: &Client, versions: I) -> Result<(), Error>
    where
        I: IntoIterator<Item: Into<Version>>,
    {
        let contents = self.read(client, Reading::Entries).await?;
        let is_applied = |required: &Version| {
            let mut finished = contents.entries.iter().filter(|entry| entry.is_finished());
            finished.any(|entry| required.means(&entry.version, &entry.filename))
        };
        let required = versions.into_iter().map(Into::into);
        let required = required.filter(|version: &Version| !version.as_str().is_empty());
        let missing = required.filter(|version| !is_applied(version));
        let versions: Vec<String> = missing.map(|version| version.to_string()).collect();
        if versions.is_empty() { Ok(()) } else { Err(ErrorKind::Required { versions }.into()) }
    }

    /// What `run` would apply now; applies nothing.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// for step in migrator.plan(&client).await?.steps {
    ///     println!("{} is pending: {:?}", step.migration.filename(), step.cause);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Drift`], and the errors of reading the ledger.
    pub async fn plan(&self, client: &Client) -> Result<Plan<'s>, Error> {
        let contents = self.read(client, Reading::Entries).await?;
        self.foresee(contents.entries)
    }

    pub(super) async fn read<'a>(
        &'a self,
        client: &'a Client,
        reading: Reading,
    ) -> Result<Contents<'a>, Error> {
        self.check_names()?;
        let cx = Context::reading(self, client);
        run::watched(&cx, cx.read(reading)).await
    }

    /// Undoes the last applied migration, with the repeatable ones that [`Migrator::rollback`] undoes with it,
    /// and applies them again.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.redo(&mut client).await?; // while the newest file is being written
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Migrator::rollback`] and [`Migrator::run`]. Nothing is undone if the set does not have the migration, or
    /// if it would not be applied for another reason that is known before. One that was undone and then failed is
    /// pending.
    pub async fn redo(&self, client: &mut Client) -> Result<Report, Error> {
        redo(self, client, None).await
    }

    /// Whether ledger and set agree and nothing is pending, for a service that does not migrate and
    /// must not start with an old schema; applies nothing. [`Migrator::require_applied`] checks named
    /// migrations instead.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, ErrorKind, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// if let Err(error) = migrator.verify(&client).await {
    ///     let ErrorKind::Pending { versions } = error.kind() else { return Err(error) };
    ///     println!("not ready: {versions:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Pending`] with the pending versions, and as [`Migrator::plan`].
    pub async fn verify(&self, client: &Client) -> Result<(), Error> {
        // Not the digest, which does not show rows that were changed by hand.
        let reading = match self.reading() {
            Reading::Unless(_) => Reading::Brief,
            other => other,
        };
        let contents = self.read(client, reading).await?;
        let plan = match self.decide(contents.into_entries()) {
            Ok(plan) if plan.steps.iter().all(|step| step.cause == Cause::New) => plan,
            // Drift is reported in full, and only a full read has the earlier texts of a repeatable.
            Err(error) if error.drift().is_none() => return Err(error),
            Ok(_) | Err(_) => self.plan(client).await?,
        };
        let version = |step: &Step<'_>| step.migration.version().to_string();
        let versions: Vec<String> = plan.steps.iter().map(version).collect();
        if versions.is_empty() { Ok(()) } else { Err(ErrorKind::Pending { versions }.into()) }
    }
}
