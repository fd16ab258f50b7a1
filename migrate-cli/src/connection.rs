//! The database of `--database-url`, else of the environment, else of the file `.env`.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use migrate_runtime::error::ConnectError;
use migrate_runtime::internal::{ADDRESS, Target};
use tokio_postgres::{Client, Config};

use crate::env_file;
use crate::options::time;

/// Where the database is: `--database-url`, else the environment.
///
/// [`Args`](super::Args) contains one. A service that uses the same database for its other
/// subcommands flattens a second one into its own arguments; an option given before or after the
/// subcommand then applies to both.
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
#[allow(clippy::doc_markdown, reason = "these comments are the text of `--help`")]
pub struct Connection {
    /// The database, as `postgresql://user@host/database` or `host=... dbname=...` [default:
    /// $DATABASE_URL, else $PGHOST, $PGDATABASE and so on]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    /// How long to wait for a server that is not there yet: 30s, 2m
    #[arg(long, value_name = "TIME", global = true, value_parser = time)]
    wait: Option<Duration>,
    #[arg(skip)]
    application_name: Option<String>,
    /// A file of variables, for those that the environment does not have [default of the program
    /// `migrate`: `.env` of this folder or of one above it in its repository]
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    env_file: Option<PathBuf>,
}

impl std::fmt::Debug for Connection {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// The database at this address; `DATABASE_URL` is ignored.
    pub fn of_url(url: impl Into<String>) -> Self {
        Connection { database_url: Some(url.into()), ..Connection::default() }
    }

    /// Sets the sessions' `application_name`, unless the address or `PGAPPNAME` does; the default is
    /// `migrate`.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    /// Whether an address was given, by `--database-url` or by `DATABASE_URL`: for a service that
    /// otherwise uses another database. `PGHOST` and the other variables do not count.
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
        let is_set = || env::var_os(ADDRESS).is_some_and(|value| !value.is_empty());
        self.database_url.is_some() || is_set()
    }

    /// Reads `.env` if no other file was given.
    pub(crate) fn finds_file(&mut self) {
        self.env_file = self.env_file.take().or_else(env_file::find);
    }

    /// The same, which waits as long as `other` if it has no limit of its own.
    pub(crate) fn or_wait_of(mut self, other: &Connection) -> Self {
        self.wait = self.wait.or(other.wait);
        self
    }

    /// How long to wait for the server.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// The same, at this address if none was given.
    pub(crate) fn or_url(mut self, url: impl Into<String>) -> Self {
        self.database_url.get_or_insert_with(|| url.into());
        self
    }

    /// The driver's configuration, with the password; without TLS, which [`Connection::connect`] adds.
    ///
    /// The driver sends one password to all hosts, so one of the password file is included only if it
    /// is that of every host.
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
    /// [`ConnectError`] if no database is named, or an address or a setting is not valid
    /// or, such as `target_session_attrs=primary`, not one of the driver.
    pub fn config(&self) -> Result<Config, ConnectError> {
        self.target()?.config()
    }

    /// A new client, over TLS as `sslmode` requires. Its connection runs as a task of the current
    /// runtime and ends with the client.
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
    /// [`ConnectError`] as [`Connection::config`], and if the server cannot be reached or refuses the
    /// connection.
    pub async fn connect(&self) -> Result<Client, ConnectError> {
        let target = self.target()?;
        Ok(target.connect_within(self.wait, &aside).await?.0)
    }

    pub(crate) fn target(&self) -> Result<Target, ConnectError> {
        let name = self.application_name.as_deref().unwrap_or("migrate");
        let file = self.env_file.as_deref().map(env_file::read).transpose()?;
        Target::read(self.database_url.as_deref(), name, file.as_ref())
    }
}

fn aside(line: &str) {
    // A closed stream is not an error of the connection.
    let _ = writeln!(io::stderr(), "{line}");
}
