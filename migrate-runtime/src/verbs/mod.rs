//! The verbs of a migrator: what a service calls. Each reads the ledger, and hands over to [`crate::run`]
//! where something is done.

mod amendments;
mod show;

use migrate_set::plan::{Plan, Step};
use migrate_set::rollback::{Rollback, Undo, rollback};
use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::context::Context;
use crate::migrator::Migrator;
use crate::outcome::{Error, ErrorKind, Report, Trial};
use crate::run::{self, Goal};
use crate::sql::{Contents, Reading};
use crate::stale::check_embed;

impl<'s> Migrator<'s> {
    /// Applies what is pending, exactly once whatever number of replicas run at the same time.
    ///
    /// Nothing pending is one message and takes no lock. The client's connection has to be driven by a
    /// task of its own (`tokio::spawn(connection)`): without one, no message is ever answered.
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
    /// [`ErrorKind::Drift`] and [`ErrorKind::Placeholder`] before anything ran; [`ErrorKind::Migration`] where
    /// the server refused a migration, [`ErrorKind::Busy`] where others held the lock for too long,
    /// [`ErrorKind::Deadline`] when the run's own time was up, [`ErrorKind::Pooled`] where the connection
    /// cannot carry a migration, [`ErrorKind::Database`] where the ledger could not be read or written.
    /// Each keeps the report of what was applied before.
    ///
    /// # Panics
    /// Outside a Tokio runtime with timers (`enable_time`, `enable_all`), where it waits for another
    /// replica, tries a migration again, or has a deadline. Every verb that takes a `&mut Client` does.
    ///
    /// # Cancel safety
    /// A dropped future leaves every migration applied and recorded, or neither; the connection is
    /// outside a transaction and without a lock once the server has worked off what was sent. A
    /// non-transactional migration is then unfinished, and the next run goes on with it.
    pub async fn run(&self, client: &mut Client) -> Result<Report, Error> {
        check_embed(self.set)?;
        run::run(self, client, Goal::Apply).await
    }

    /// Runs what is pending in one transaction and undoes it, so that a database shows beforehand
    /// what a run would meet. Migrations that run outside a transaction are left out.
    ///
    /// Locks are taken and held as in a run, all of them until the end.
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
        let report = run::run(self, client, Goal::TryOut).await?;
        Ok(Trial { ran: report.applied, notes: report.notes, elapsed: report.elapsed })
    }

    /// The statements of a plan as a run would send them, each migration under a comment with its
    /// file; without what surrounds them (transactions, guards, entries).
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
    /// [`ErrorKind::Placeholder`] where a placeholder asks for a schema that was not chosen.
    pub fn script(&self, plan: &Plan<'_>) -> Result<String, Error> {
        Ok(run::script(self, plan)?)
    }

    /// Undoes applied migrations, newest application first, each in a transaction of its own with
    /// its entry. The down script is the set's. Where the set has none for that version, it is the one in the
    /// ledger, so an older binary can undo what a newer one applied; [`Migrator::down_from_ledger`] also
    /// uses it where the set has another text than what was applied.
    ///
    /// A non-transactional down script is run statement by statement; where it is cut short, all of
    /// it runs again, so write it so that it can be repeated. Repeatable migrations are not undone.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator, Rollback};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.rollback(&mut client, Rollback::Steps(1)).await?;
    /// migrator.rollback(&mut client, Rollback::To(7.into())).await?; // 7 stays
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rollback`] with every obstacle, before anything was undone; else as
    /// [`Migrator::run`].
    ///
    /// # Cancel safety
    /// As [`Migrator::run`].
    pub async fn rollback(&self, client: &mut Client, target: Rollback) -> Result<Report, Error> {
        check_embed(self.set)?;
        run::run(self, client, Goal::Undo(&target)).await
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

    /// Whether these migrations are applied, whatever the set contains: for a service that must not
    /// migrate, and must not start on an older schema. Each is a version, or a version with its
    /// name as files have it (`001_initial_schema`, `001_initial_schema.sql`).
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
    /// [`ErrorKind::Required`] with all that are not applied, and the errors of reading the ledger.
    pub async fn require_applied<I>(&self, client: &Client, versions: I) -> Result<(), Error>
    where
        I: IntoIterator<Item: Into<Version>>,
    {
        let contents = self.read(client, Reading::Entries).await?;
        let is_applied = |required: &Version| {
            contents.entries.iter().filter(|entry| entry.is_finished()).any(|entry| {
                let stem = entry.filename.trim_end_matches(".sql").trim_end_matches(".up");
                let is_it = |name: &str| Version::from(name).as_str() == required.as_str();
                entry.version == *required || is_it(stem) || is_it(&entry.filename)
            })
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
    /// [`ErrorKind::Drift`] and what reading the ledger gives.
    pub async fn plan(&self, client: &Client) -> Result<Plan<'s>, Error> {
        let contents = self.read(client, Reading::Entries).await?;
        Ok(self.decide(contents.entries)?)
    }

    pub(super) async fn read<'a>(
        &'a self,
        client: &'a Client,
        reading: Reading,
    ) -> Result<Contents<'a>, ErrorKind> {
        self.check_names()?;
        Context::new(self, client).read(reading).await
    }

    /// Undoes the last applied migration and applies it again.
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
    /// As [`Migrator::rollback`] and [`Migrator::run`]. A migration that was undone and then failed
    /// is pending.
    pub async fn redo(&self, client: &mut Client) -> Result<Report, Error> {
        let undone = self.rollback(client, Rollback::Steps(1)).await?;
        match undone.undone.first() {
            Some(last) => {
                let mut report = self.clone().only(&*last.version).run(client).await?;
                report.undone = undone.undone;
                report.messages += undone.messages;
                report.elapsed += undone.elapsed;
                Ok(report)
            }
            None => Ok(undone),
        }
    }

    /// Whether ledger and set agree and nothing is pending, for a service that must not migrate
    /// and must not start on an old schema; applies nothing. [`Migrator::require_applied`] asks for
    /// named migrations instead.
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
    /// [`ErrorKind::Pending`] with what is, and as [`Migrator::plan`].
    pub async fn verify(&self, client: &Client) -> Result<(), Error> {
        let contents = self.read(client, self.reading()).await?;
        let plan = match self.decide(contents.into_entries()) {
            // What drifted is reported in full.
            Err(ErrorKind::Drift { .. }) => self.plan(client).await?,
            plan => plan?,
        };
        let version = |step: &Step<'_>| step.migration.version().to_string();
        let versions: Vec<String> = plan.steps.iter().map(version).collect();
        if versions.is_empty() { Ok(()) } else { Err(ErrorKind::Pending { versions }.into()) }
    }
}
