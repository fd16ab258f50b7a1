//! The verbs that change only the ledger: baseline, accept, forget and adopt.

use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::adopt::Adoption;
use crate::migrator::Migrator;
use crate::outcome::{Error, Report};
use crate::run::{self, Accept, Baseline, Edited, Forget, Goal};
use crate::stale::check_embed;

impl Migrator<'_> {
    /// Marks the migrations up to and including `version` as applied without running them, for a
    /// database that existed before its ledger. Existing entries are kept.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.baseline(&mut client, 5).await?; // 1 to 5 were made by hand
    /// migrator.run(&mut client).await?; // 6 and later
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownVersion`](crate::ErrorKind::UnknownVersion) if the set has no such migration, and the errors of reading and
    /// writing the ledger.
    pub async fn baseline(
        &self,
        client: &mut Client,
        version: impl Into<Version>,
    ) -> Result<Report, Error> {
        self.edit(client, &Baseline(self.named(version))).await
    }

    /// Accepts the edited text of an applied migration, or with [`Edited::All`] of all: its entry gets the
    /// set's checksum, and the ledger records the role that accepted it. It can be named by its version or by its
    /// file (`003_add_email.sql`). The version of a renumbered file
    /// accepts its number: the entry of its text gets the set's version.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// use migrate_runtime::ledger::Edited;
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.accept(&mut client, 3).await?; // the edit of 3 is right as it is
    /// for one in migrator.accept(&mut client, Edited::All).await?.amended {
    ///     println!("the text of {} is accepted", one.filename);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoEntry`](crate::ErrorKind::NoEntry) if the version is not applied or not in the set, and the errors of reading
    /// and writing the ledger.
    pub async fn accept(
        &self,
        client: &mut Client,
        edited: impl Into<Edited>,
    ) -> Result<Report, Error> {
        self.edit(client, &Accept(edited.into())).await
    }

    /// Ends the entry of a migration, so that the next run applies it; the ledger records the role that
    /// ended it. It can be named as in [`Migrator::accept`].
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.forget(&mut client, 3).await?;
    /// migrator.run(&mut client).await?; // applies 3 again
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoEntry`](crate::ErrorKind::NoEntry) if it is not applied, and the errors of reading and writing the ledger.
    pub async fn forget(
        &self,
        client: &mut Client,
        version: impl Into<Version>,
    ) -> Result<Report, Error> {
        self.edit(client, &Forget(version.into())).await
    }

    /// Adds entries for the migrations that another tool has applied, from that tool's table, in one
    /// transaction; the table is not changed. Existing entries are kept, so adopting again changes
    /// nothing.
    ///
    /// If the tool recorded a checksum, the set's text must have the same one by the tool's algorithm;
    /// the text is also tried with CRLF line ends and with a byte order mark, which a set does not
    /// keep. A migration that cannot be verified is recorded without a checksum, like a baseline, and
    /// the report has a note. [`Migrator::allow_edited`] does this also where the checksums differ, and
    /// [`Migrator::allow_missing`] leaves out what the set does not have. Times, roles and durations are copied if the tool recorded them; a time
    /// without a time zone is read in that of the session.
    ///
    /// The tool must not run at the same time. Its table is not locked, because that needs more
    /// privileges than SELECT, and other tools commit after each migration. If the tool has applied
    /// more since, adopt again before the next run.
    ///
    /// ```no_run
    /// use migrate_runtime::adopt::Adopt;
    /// use migrate_runtime::Migrator;
    /// # async fn adopt(
    /// #     migrator: Migrator<'_>,
    /// #     mut client: tokio_postgres::Client,
    /// # ) -> Result<(), migrate_runtime::Error> {
    /// println!("{}", migrator.adopt(&mut client, Adopt::Sqlx).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Adoption`](crate::ErrorKind::Adoption) with every reason against it, [`ErrorKind::NotAdoptable`](crate::ErrorKind::NotAdoptable) if the
    /// table is missing or not the tool's, and the errors of reading and writing the ledger.
    pub async fn adopt(
        &self,
        client: &mut Client,
        from: impl Into<Adoption>,
    ) -> Result<Report, Error> {
        self.edit(client, &from.into()).await
    }

    async fn edit(&self, client: &Client, goal: &dyn Goal) -> Result<Report, Error> {
        check_embed(self.set)?;
        run::run(self, client, goal).await
    }
}
