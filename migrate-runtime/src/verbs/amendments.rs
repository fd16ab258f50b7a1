//! The verbs that change the ledger alone: baseline, accept, forget, and another tool's history.

use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::adopt::Adoption;
use crate::migrator::Migrator;
use crate::outcome::{Error, Report};
use crate::run::{self, Amendment, Edited, Goal};
use crate::stale::check_embed;

impl Migrator<'_> {
    /// Takes the migrations up to `version`, itself included, for applied without running them: for
    /// a database that was there before its ledger. Those that have an entry keep it.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// migrator.baseline(&mut client, 5).await?; // 1 to 5 were made by hand
    /// migrator.run(&mut client).await?; // 6 and what follows
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownVersion`](crate::ErrorKind::UnknownVersion) where the set has no such migration, and what reading and writing
    /// the ledger gives.
    pub async fn baseline(
        &self,
        client: &mut Client,
        version: impl Into<Version>,
    ) -> Result<Report, Error> {
        self.amend(client, Amendment::Baseline(version.into())).await
    }

    /// Records the set's text of edited migrations as what was applied, and who did so: of one version, or
    /// of [`Edited::All`].
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
        self.amend(client, Amendment::Accept(edited.into())).await
    }

    /// Forgets that a migration was applied, and notes who did so: the next run applies it.
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
    /// [`ErrorKind::NoEntry`](crate::ErrorKind::NoEntry) where it is not applied, and what reading and writing the ledger gives.
    pub async fn forget(
        &self,
        client: &mut Client,
        version: impl Into<Version>,
    ) -> Result<Report, Error> {
        self.amend(client, Amendment::Forget(version.into())).await
    }

    /// Takes over what another tool has applied, from that tool's table, in one transaction; the
    /// table stays as it is. What has an entry keeps it, so adopting again changes nothing.
    ///
    /// Where the tool kept a checksum, the set's text must have the same by the tool's own algorithm;
    /// the text is also tried with CRLF line ends and with a byte order mark, which a set does not
    /// keep. What cannot be verified is recorded without a checksum, like a baseline, and said in the
    /// report's notes. Times, roles and durations are taken over where the tool kept them; a time
    /// without a zone is read in the session's.
    ///
    /// The tool must not run meanwhile. Its table is not locked: that takes a privilege beyond SELECT,
    /// and would keep no session away between two migrations, each of which the tool commits by itself. What
    /// it has applied since is taken over by adopting again, before the next run.
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
    /// [`ErrorKind::Adoption`](crate::ErrorKind::Adoption) with everything that prevents it, [`ErrorKind::NotAdoptable`](crate::ErrorKind::NotAdoptable) where the
    /// table is missing or another, and what reading and writing the ledger gives.
    pub async fn adopt(
        &self,
        client: &mut Client,
        from: impl Into<Adoption>,
    ) -> Result<Report, Error> {
        self.amend(client, Amendment::Adopt(from.into())).await
    }

    async fn amend(&self, client: &Client, amendment: Amendment) -> Result<Report, Error> {
        check_embed(self.set)?;
        run::run(self, client, Goal::Amend(&amendment)).await
    }
}
