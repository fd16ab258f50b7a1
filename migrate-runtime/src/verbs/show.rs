//! The verbs that show the ledger and do not fail on drift.

use std::time::Duration;

use migrate_set::plan::{Cause, Plan, plan};
use migrate_set::set::{Migration, Migrations};
use tokio_postgres::Client;

use crate::context::Context;
use crate::migrator::{LENIENT, Migrator};
use crate::outcome::{Error, HistoryRow, State, Status, StatusRow};
use crate::run::{begins_again, watched};
use crate::sql::{Contents, Reading};

impl Migrator<'_> {
    /// The history of this set's module in the ledger, in order: what was applied, undone, accepted or
    /// forgotten, when, by which role and by which application. Empty if there is no ledger.
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
        let cx = Context::reading(self, client);
        watched(&cx, cx.history()).await
    }

    /// The state of each migration of the set and the ledger, and drift; applies nothing.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, mut client: tokio_postgres::Client) -> Result<(), Error> {
    /// let status = migrator.status(&client).await?;
    /// println!("{status}"); // a table, and drift if there is any
    /// println!("{} pending", status.pending());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of reading the ledger. Drift is not one: [`Migrator::verify`] fails on it.
    pub async fn status(&self, client: &Client) -> Result<Status, Error> {
        let contents = self.read(client, Reading::Entries).await?;
        let Contents { entries, writers, other_modules, .. } = contents;
        let drift = plan(self.set, entries.clone(), &self.policy).err();
        let drift = drift.filter(|drift| !begins_again(self, drift));
        let all = plan(self.set, entries, &LENIENT)?;
        Ok(Status { migrations: rows(self.set, &all), drift, writers, other_modules })
    }
}

/// A row for each migration of the set, and for each entry that is newer.
fn rows(set: &Migrations, plan: &Plan<'_>) -> Vec<StatusRow> {
    let mut applied = plan.applied.iter().peekable();
    let mut steps = plan.steps.iter().peekable();
    let row = |migration: &Migration, state| StatusRow {
        version: migration.version().to_string(),
        name: migration.name().to_owned(),
        filename: migration.filename().to_owned(),
        state,
    };
    let mut migrations = Vec::with_capacity(set.len() + plan.ahead.len());
    // Both lists are in the set's order, and together they are the set.
    for migration in set {
        if let Some((_, entry)) = applied.next_if(|(found, _)| std::ptr::eq(*found, migration)) {
            let at = entry.applied_at.clone();
            let by = entry.applied_by.clone();
            let millis = u64::try_from(entry.execution_ms).unwrap_or(0);
            let duration = Duration::from_millis(millis);
            migrations.push(row(migration, State::Applied { at, by, duration }));
        } else if let Some(step) = steps.next_if(|step| std::ptr::eq(step.migration, migration)) {
            let state = match step.cause {
                Cause::Unfinished { done, in_flight } => State::Unfinished { done, in_flight },
                _ => State::Pending,
            };
            migrations.push(row(migration, state));
        }
    }
    migrations.extend(plan.ahead.iter().map(|entry| StatusRow {
        version: entry.version.to_string(),
        name: entry.name.clone(),
        filename: entry.filename.clone(),
        state: State::Ahead { at: entry.applied_at.clone(), by: entry.applied_by.clone() },
    }));
    migrations
}
