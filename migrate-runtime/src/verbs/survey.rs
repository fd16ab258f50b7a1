//! The verbs that show the ledger and never fail on drift: for a command line and for pages.

use migrate_set::plan::plan;
use tokio_postgres::Client;

use super::status;
use crate::context::Context;
use crate::migrator::{LENIENT, Migrator};
use crate::outcome::{Error, ErrorKind, HistoryRow, Survey};
use crate::sql::{Contents, Reading};

impl Migrator<'_> {
    /// All that the ledger has of this set's module, in the order in which it happened: what is
    /// applied, and what was undone, accepted or forgotten. Empty without a ledger.
    ///
    /// An undone or forgotten migration has the row of that act only; one that was applied again has
    /// both.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// for row in migrator.history(&client).await? {
    ///     println!("{} {} by {} at {}", row.version, row.act.as_str(), row.by, row.at);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What reading the ledger gives.
    pub async fn history(&self, client: &Client) -> Result<Vec<HistoryRow>, Error> {
        self.check_names()?;
        Ok(Context::new(self, client).history().await?)
    }

    /// Ledger and set side by side, as [`Migrator::status`] shows them, with drift as part of the
    /// answer.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// let survey = migrator.survey(&client).await?;
    /// println!("{}", survey.status);
    /// if let Some(drift) = survey.drift {
    ///     println!("{drift}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What reading the ledger gives.
    pub async fn survey(&self, client: &Client) -> Result<Survey, Error> {
        let Contents { entries, writers, .. } = self.read(client, Reading::Entries).await?;
        let drift = plan(self.set, entries.clone(), &self.policy).err();
        let all = plan(self.set, entries, &LENIENT).map_err(|drift| ErrorKind::Drift { drift })?;
        Ok(Survey { status: status(self.set, &all, writers), drift })
    }
}
