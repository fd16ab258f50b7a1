//! What ends the service, with what to do next.
//! Errors of the library are passed on unchanged; this file adds those of the service.
//! None of them contains a password: neither `Config` nor the driver's errors show one.

use std::error::Error as StdError;
use std::io;

use migrate_cli::ConnectError;
use migrate_testing::ServerError;
use thiserror::Error;

/// Why the service cannot start or continue.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// There is no server to use.
    #[error(transparent)]
    Server(#[from] ServerError),

    /// There is no client: the address is invalid, or the server refuses the connection. Its text contains
    /// the texts of its sources.
    #[error("{0}")]
    Connect(ConnectError),

    /// The migrations could not be applied, or the ledger could not be read.
    #[error(transparent)]
    Migrate(#[from] migrate_runtime::Error),

    /// The tables could not be read.
    #[error("cannot read the rooms")]
    Query(#[from] tokio_postgres::Error),

    /// The database takes too long.
    #[error("the database does not answer in time")]
    Slow,

    /// The port is in use, or needs a privilege.
    #[error(
        "cannot listen on 127.0.0.1:{port}\nhelp: choose a port with `--port`; 0 takes a free one"
    )]
    Listen {
        /// The port.
        port: u16,
        /// The system's error.
        source: io::Error,
    },

    /// Serving ended by itself.
    #[error("cannot serve any longer")]
    Serve(#[source] io::Error),

    /// The system refused threads or signals.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),

    /// Standard output cannot be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),

    /// A signal came before the service was ready.
    #[error(
        "stopped by a signal before all migrations were applied\n\
         help: start again; what was applied is recorded and stays"
    )]
    Interrupted,
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Failure::Connect(error)
    }
}

/// The error and its sources, each text once.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        // `db error` only announces the server's own message, which a migration's failure already
        // contains.
        let is_wrapper = source
            .downcast_ref::<tokio_postgres::Error>()
            .is_some_and(|error| error.as_db_error().is_some());
        let is_told = source
            .downcast_ref::<tokio_postgres::error::DbError>()
            .is_some_and(|error| text.contains(error.message()));
        if !is_wrapper && !is_told {
            text = format!("{text}\ncaused by: {source}");
        }
        cause = source.source();
    }
    text
}
