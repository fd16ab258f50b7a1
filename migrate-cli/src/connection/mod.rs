//! Decides which database a command line means, and connects to it.
//! `--database-url`, else `DATABASE_URL`, with libpq's `PG*` variables and password file for what
//! that leaves open, go in; a client comes out.
//! No password is in any message: an address that cannot be read is never shown.

mod address;
mod error;
mod passfile;
mod settings;
mod tls;

use std::time::Duration;

use clap::Args;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use error::ConnectError;
pub(crate) use settings::Place;
use settings::Target;

/// A server that does not answer keeps nobody waiting for longer, unless `connect_timeout` says so.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The variable that holds an address.
const ADDRESS: &str = "DATABASE_URL";

/// Where the database is: `--database-url`, else the environment.
///
/// [`Args`](super::Args) holds one. A service that wants the same database for its other subcommands
/// flattens a second one where its own arguments are; what is given on either side of the subcommand
/// then counts for both.
///
/// ```
/// use clap::Parser;
/// use migrate_cli::{Args, Connection};
///
/// #[derive(Parser)]
/// struct Cli {
///     #[command(flatten)]
///     connection: Connection,
///     #[command(subcommand)]
///     command: Command,
/// }
///
/// #[derive(clap::Subcommand)]
/// enum Command {
///     Serve,
///     Migrate(Args),
/// }
///
/// let url = "postgresql://me@db.example/app";
/// let cli = Cli::parse_from(["service", "serve", "--database-url", url]);
/// assert_eq!(cli.connection.config()?.get_dbname(), Some("app"));
/// # Ok::<(), migrate_cli::ConnectError>(())
/// ```
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Connection")]
#[allow(clippy::doc_markdown, reason = "what is said here is what `--help` says")]
pub struct Connection {
    /// The database, as `postgresql://user@host/database` or `host=... dbname=...` [default:
    /// $DATABASE_URL, else $PGHOST, $PGDATABASE and so on]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    #[arg(skip)]
    application_name: Option<String>,
}

impl std::fmt::Debug for Connection {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// The database at this address, whatever `DATABASE_URL` says.
    pub fn of_url(url: impl Into<String>) -> Self {
        Connection { database_url: Some(url.into()), application_name: None }
    }

    /// What the server's views call the sessions where neither the address nor `PGAPPNAME` does;
    /// `migrate` otherwise.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    /// Whether an address was given, by `--database-url` or by `DATABASE_URL`: for a service that has
    /// another database to use where nobody names one. `PGHOST` and its like are not asked.
    ///
    /// ```
    /// use migrate_cli::Connection;
    ///
    /// /// The database of the command line or of the environment, else the service's own.
    /// fn or_own(connection: Connection, own: &str) -> Connection {
    ///     if connection.has_address() { connection } else { Connection::of_url(own) }
    /// }
    /// ```
    pub fn has_address(&self) -> bool {
        let is_set = || std::env::var_os(ADDRESS).is_some_and(|value| !value.is_empty());
        self.database_url.is_some() || is_set()
    }

    /// The same, at this address where none was given.
    pub(crate) fn or_url(mut self, url: impl Into<String>) -> Self {
        self.database_url.get_or_insert_with(|| url.into());
        self
    }

    /// What the driver is told, the password included; without TLS, which [`Connection::connect`]
    /// adds.
    ///
    /// ```
    /// use migrate_cli::Connection;
    ///
    /// let config = Connection::of_url("postgresql://me@localhost/shop").config()?;
    /// assert_eq!(config.get_dbname(), Some("shop"));
    /// # Ok::<(), migrate_cli::ConnectError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConnectError`] where no database is named, or an address or a setting cannot be read.
    pub fn config(&self) -> Result<Config, ConnectError> {
        Ok(self.target()?.config)
    }

    /// A new client, over TLS as `sslmode` says. Its connection runs as a task of the current
    /// runtime and ends with it.
    ///
    /// ```no_run
    /// # use migrate_cli::{ConnectError, Connection};
    /// # async fn f(connection: Connection) -> Result<(), ConnectError> {
    /// let client = connection.connect().await?;
    /// # drop(client);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ConnectError`] as [`Connection::config`], and where the server cannot be reached or does not
    /// let us in.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        self.target()?.connect().await
    }

    pub(crate) fn target(&self) -> Result<Target, ConnectError> {
        let name = self.application_name.as_deref().unwrap_or("migrate");
        settings::target(self.database_url.as_deref(), name, &|name| std::env::var_os(name))
    }
}

impl Target {
    /// What encrypts a connection to it.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, ConnectError> {
        self.tls.connector().map_err(|error| ConnectError::tls(&error))
    }

    /// Connects, and has the connection run as a task.
    pub(crate) async fn connect(&self) -> Result<Client, ConnectError> {
        let connector = self.connector()?;
        let each = self.config.get_connect_timeout().copied().unwrap_or(CONNECT_LIMIT);
        let hosts = self.config.get_hosts().len().max(self.config.get_hostaddrs().len());
        // The driver's own limit ends with the socket's connection, before the server says a word.
        let limit = each * u32::try_from(hosts.max(1)).unwrap_or(1);
        match tokio::time::timeout(limit, self.config.connect(connector)).await {
            Ok(Ok((client, connection))) => {
                // How it ends is told to whoever uses the client next.
                tokio::spawn(connection);
                Ok(client)
            }
            Ok(Err(source)) => Err(ConnectError::refused(&self.place, source)),
            Err(_) => Err(ConnectError::slow(&self.place, limit)),
        }
    }
}
