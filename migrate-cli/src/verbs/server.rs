//! The verbs of a server: they need an address, and no ledger.

use std::time::Duration;

use clap::Subcommand;
use migrate_runtime::Migrator;
use migrate_runtime::internal::{self, DatabasePlace, Target};
use tokio_postgres::Client;

use super::{convert, database, diff, schema, squash, wait};
use crate::connection::Connection;
use crate::error::VerbError;
use crate::output::{Answer, Output};

#[derive(Subcommand, Debug, Clone)]
pub(crate) enum ServerVerb {
    /// Wait until the database can be used, up to a minute or the time of `--wait`
    Wait,
    /// Create or drop the database itself
    #[command(subcommand)]
    Database(database::Database),
    /// Make a folder from that of another tool
    ///
    /// The files that exist are not changed. Exits with 1 if something could not be carried over; the folder is made
    /// all the same, unless a file cannot be read as the tool reads it.
    Convert(convert::Convert),
    /// Compare the schema of the database with what the set makes, or with a schema file
    ///
    /// Exits with 4 if they differ. The set is applied to a database that is created for it and
    /// dropped again.
    Diff(diff::Diff),
    /// Replace the first migrations by one file that makes the same database
    ///
    /// Both ways are compared in databases that are created for it and dropped again. The files that
    /// are replaced are removed, unless one file cannot do all that they do; then it exits with 1.
    Squash(squash::Squash),
    /// `schema` without `--static`.
    #[command(skip)]
    Schema(schema::Schema),
}

impl ServerVerb {
    /// Whether it ends with `up`.
    pub(crate) fn migrates(&self) -> bool {
        matches!(self, ServerVerb::Database(database::Database::Reset(_)))
    }

    /// Whether it connects to the server.
    pub(crate) fn connects(&self) -> bool {
        match self {
            ServerVerb::Convert(verb) => verb.proves(),
            _ => true,
        }
    }

    /// Whether it needs the sets.
    pub(crate) fn needs_sets(&self) -> bool {
        match self {
            ServerVerb::Wait | ServerVerb::Convert(_) => false,
            ServerVerb::Database(_) => self.migrates(),
            ServerVerb::Diff(verb) => verb.needs_sets(),
            ServerVerb::Squash(_) => true,
            ServerVerb::Schema(verb) => !verb.is_of_database(),
        }
    }

    /// Its name in the JSON.
    pub(super) fn name(&self) -> &'static str {
        match self {
            ServerVerb::Wait => "wait",
            ServerVerb::Database(_) => "database",
            ServerVerb::Convert(_) => "convert",
            ServerVerb::Diff(_) => "diff",
            ServerVerb::Squash(_) => "squash",
            ServerVerb::Schema(_) => "schema",
        }
    }

    pub(crate) async fn run(
        &self,
        cx: Connector<'_>,
    ) -> Result<(Option<DatabasePlace>, Answer), VerbError> {
        let at = |(place, answer)| (Some(place), answer);
        match self {
            ServerVerb::Wait => wait::wait(&cx).await.map(at),
            ServerVerb::Database(verb) => verb.run(&cx).await.map(at),
            ServerVerb::Convert(verb) => verb.run(&cx).await.map(|answer| (None, answer)),
            ServerVerb::Diff(verb) => verb.run(&cx).await.map(at),
            ServerVerb::Squash(verb) => verb.run(&cx).await.map(at),
            ServerVerb::Schema(verb) => verb.run_on(&cx).await.map(at),
        }
    }
}

/// How these verbs connect.
pub(crate) struct Connector<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) output: &'c Output,
    /// Those of the program, for a verb that needs them.
    pub(crate) sets: &'c [Migrator<'c>],
}

impl Connector<'_> {
    /// The tables of their ledgers.
    pub(super) fn ledgers(&self) -> Vec<String> {
        self.sets.iter().map(internal::ledger_table).collect()
    }

    /// Their folders, as in messages.
    pub(super) fn folders(&self) -> String {
        let folders: Vec<&str> = self.sets.iter().map(|set| internal::set(set).folder()).collect();
        folders.join(", ")
    }

    pub(super) fn target(&self) -> Result<Target, VerbError> {
        Ok(self.connection.target()?)
    }

    /// A client, and where it is; waits up to the time of `--wait`, else up to `limit`.
    pub(super) async fn connect(
        &self,
        target: &Target,
        limit: Option<Duration>,
    ) -> Result<(Client, DatabasePlace), VerbError> {
        let limit = self.connection.wait().or(limit);
        let tell = |line: &str| self.output.aside(line);
        let (client, place, _) = target.connect_within(limit, &tell).await?;
        Ok((client, place))
    }
}
