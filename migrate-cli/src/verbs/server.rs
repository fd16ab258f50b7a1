//! The verbs of a server: they need an address, and neither a ledger nor a set.

use std::time::Duration;

use clap::Subcommand;
use migrate_runtime::internal::{DatabasePlace, Target};
use tokio_postgres::Client;

use super::{convert, database, wait};
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
}

impl ServerVerb {
    /// Whether it ends with `up`.
    pub(crate) fn migrates(&self) -> bool {
        matches!(self, ServerVerb::Database(database::Database::Reset(_)))
    }

    /// Whether it connects to the server.
    pub(crate) fn connects(&self) -> bool {
        match self {
            ServerVerb::Wait | ServerVerb::Database(_) => true,
            ServerVerb::Convert(verb) => verb.proves(),
        }
    }

    /// Its name in the JSON.
    pub(super) fn name(&self) -> &'static str {
        match self {
            ServerVerb::Wait => "wait",
            ServerVerb::Database(_) => "database",
            ServerVerb::Convert(_) => "convert",
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
        }
    }
}

/// How these verbs connect.
pub(crate) struct Connector<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) output: &'c Output,
}

impl Connector<'_> {
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
