//! The verbs that show the ledger and never fail on drift, for a command line or a web page.

use migrate_set::plan::plan;
use tokio_postgres::Client;

use super::status;
use crate::context::Context;
use crate::migrator::{LENIENT, Migrator};
use crate::outcome::{Error, ErrorKind, HistoryRow, Survey};
use crate::sql::Reading;

impl Migrator<'_> {
    /// The history of this set's module in the ledger, in order: what is applied, and what was undone,
    /// accepted or forgotten. Empty if there is no ledger.
    ///
    /// An undone or forgotten migration has only the row of that event; one that was applied again has
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
    /// Those of reading the ledger.
    pub async fn history(&self, client: &Client) -> Result<Vec<HistoryRow>, Error> {
        self.check_names()?;
        Ok(Context::new(self, client).history().await?)
    }

    /// The [`Migrator::status`], with drift as part of the result instead of an error.
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
    /// Those of reading the ledger.
    pub async fn survey(&self, client: &Client) -> Result<Survey, Error> {
        let entries = self.read(client, Reading::Entries).await?.entries;
        let drift = plan(self.set, entries.clone(), &self.policy).err();
        let all = plan(self.set, entries, &LENIENT).map_err(|drift| ErrorKind::Drift { drift })?;
        Ok(Survey { status: status(self.set, &all), drift })
    }
}
