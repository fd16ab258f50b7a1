//! What ends the service, each with what to do next.
//! The errors of the library are passed on as they are; this file adds those of the service.
//! No password is in any of them: neither `Config` nor the driver's errors show one.

use std::error::Error as StdError;
use std::io;

use migrate_runtime::testing::ServerError;
use thiserror::Error;
use tokio_postgres::config::SslMode;

/// Why the service cannot start, or not go on.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// There is no server to use.
    #[error(transparent)]
    Server(#[from] ServerError),

    /// The driver does not understand the address.
    #[error("cannot use DATABASE_URL\nhelp: write it as `postgresql://user@host/database`")]
    Address(#[source] tokio_postgres::Error),

    /// The server does not let us in.
    #[error("cannot connect to {place}\nhelp: {help}")]
    Connect {
        /// Where the server is said to be.
        place: String,
        /// What to do.
        help: &'static str,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// The migrations could not be applied, or the ledger not be read.
    #[error(transparent)]
    Migrate(#[from] migrate_runtime::Error),

    /// The tables could not be read.
    #[error("cannot read the rooms")]
    Query(#[from] tokio_postgres::Error),

    /// The database takes too long.
    #[error("the database does not answer in time")]
    Slow,

    /// The port is taken, or needs a privilege.
    #[error(
        "cannot listen on 127.0.0.1:{port}\nhelp: choose a port with `--port`; 0 takes a free one"
    )]
    Listen {
        /// The port asked for.
        port: u16,
        /// The system's answer.
        source: io::Error,
    },

    /// Serving ended by itself.
    #[error("cannot serve any longer")]
    Serve(#[source] io::Error),

    /// The system refused threads or signals.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),

    /// Nobody reads what we print.
    #[error("cannot write the output")]
    Output(#[source] io::Error),

    /// A signal came before the service was ready.
    #[error(
        "stopped by a signal before all migrations were applied\n\
         help: start again; what was applied is recorded and stays"
    )]
    Interrupted,
}

impl Failure {
    /// A refused connection; this example speaks no TLS, so that is what a demand for it needs.
    pub(crate) fn connect(place: String, ssl: SslMode, source: tokio_postgres::Error) -> Self {
        let help = match ssl {
            SslMode::Require => {
                "this example connects without TLS, so it cannot do `sslmode=require`; \
                 a service of yours passes tokio-postgres-rustls instead of NoTls"
            }
            _ => "look at DATABASE_URL, and whether the server runs and lets this user in",
        };
        Failure::Connect { place, help, source }
    }
}

/// The error and what is behind it, each text once.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        // `db error` only says that the server's own words come next, and a migration's failure has
        // told those already.
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
