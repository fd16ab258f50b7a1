//! Connects to the database at an address; libpq's `PG*` variables, service and password files fill in what it
//! leaves open. Messages contain no password: an address that cannot be parsed is never shown.

mod settings;
mod options;
mod address;
mod service;
mod target;
mod server;
mod passfile;
mod session;
mod peer;
mod way;
mod reach;
mod wait;
mod tls;
mod version1;
mod verify;
mod error;

use std::env;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;

use crate::boxed::Boxed;
use crate::migrator::Migrator;
use crate::outcome::{ConnectError, Error, ErrorKind, Report};
use crate::verbs::interruptible;

pub use error::connection_mistake;
pub use server::DatabasePlace;
pub use settings::EnvFile;
pub use target::Target;
pub use way::Way;

/// How long to wait for a server to answer, unless `connect_timeout` sets another limit.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The variable that holds an address.
pub const ADDRESS: &str = "DATABASE_URL";

/// Connects to the database at `url`: a URI (`postgresql://me@db.example/shop?sslmode=verify-full`) or a list
/// (`host=db.example dbname=shop`).
///
/// As with libpq, several hosts are tried in order, and the `PG*` variables, the service file and the password
/// file fill in what the address leaves open; `postgresql://` leaves open everything. An option of libpq is
/// honoured or refused, never ignored: `docs/cli.md` lists them. `DATABASE_URL` is not read.
///
/// The connection runs as a task of the current Tokio runtime, and ends with the client. Its `application_name`
/// is the name of the program, unless the address or `PGAPPNAME` sets another.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("DATABASE_URL")?;
/// let client = migrate_runtime::connect(&url).await?;
/// let users = client.query_one("SELECT count(*) FROM users", &[]).await?;
/// # drop(users);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ConnectError`](crate::error::ConnectError) if the address or a setting is not valid, if no server can be
/// reached, and if one refuses the connection; outside a Tokio runtime too.
///
/// # Panics
/// In a Tokio runtime without I/O and timers (`enable_all`).
pub fn connect(url: impl Into<String>) -> Connect {
    Connect { url: url.into(), wait: None }
}

/// A connection that is made when it is awaited ([`connect`](crate::connect())).
#[derive(Clone)]
#[must_use = "it connects when it is awaited, or passed to `run_url`"]
pub struct Connect {
    url: String,
    wait: Option<Duration>,
}

impl Connect {
    /// Waits up to `limit` for a server that is not there yet: one that refuses connections or does not answer,
    /// is starting up, or has a name that does not resolve yet. One line of the log (`tracing`, at `INFO`)
    /// shows for what it waits.
    ///
    /// A server that refuses the role or has no such database ends the wait.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use migrate_runtime::{Migrator, connect};
    /// # async fn f(migrator: Migrator<'_>, url: String) -> Result<(), migrate_runtime::Error> {
    /// let server = connect(&url).wait_for_server(Duration::from_secs(60));
    /// migrator.run_url(server).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for_server(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    async fn open(self) -> Result<(Client, Way), ConnectError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(ConnectError::no_runtime());
        }
        let target = Target::read(Some(&self.url), &program(), None)?;
        if let Some(problem) = &target.warning {
            tracing::warn!("{problem}");
        }
        let tell = |line: &str| tracing::info!("{line}");
        let (client, _, way) = target.connect_within(self.wait, &tell).await?;
        Ok((client, way))
    }
}

impl std::fmt::Debug for Connect {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect").field("wait", &self.wait).finish_non_exhaustive()
    }
}

impl IntoFuture for Connect {
    type Output = Result<Client, ConnectError>;
    type IntoFuture = Boxed<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(self.open().await?.0) })
    }
}

impl From<&str> for Connect {
    /// As [`connect`](crate::connect()).
    fn from(url: &str) -> Self {
        connect(url)
    }
}

impl From<&String> for Connect {
    /// As [`connect`](crate::connect()).
    fn from(url: &String) -> Self {
        connect(url)
    }
}

impl From<String> for Connect {
    /// As [`connect`](crate::connect()).
    fn from(url: String) -> Self {
        connect(url)
    }
}

impl Migrator<'_> {
    /// Connects to the database at `url` as [`connect`](crate::connect()) does, and applies pending migrations as
    /// [`Migrator::run`] does. The connection ends with the run.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrations, Migrator};
    /// # async fn f(migrations: &Migrations, url: String) -> Result<(), Error> {
    /// let report = Migrator::new(migrations).run_url(&url).await?;
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] if there is no connection; otherwise as [`Migrator::run`].
    ///
    /// # Panics
    /// In a Tokio runtime without I/O and timers (`enable_all`).
    ///
    /// # Cancel safety
    /// As [`Migrator::run`].
    pub async fn run_url(&self, url: impl Into<Connect>) -> Result<Report, Error> {
        let (mut client, way) = url.into().open().await.map_err(ErrorKind::Connect)?;
        interruptible(self.clone(), Arc::new(way)).run(&mut client).await
    }
}

/// The name of this program; `migrate` if the system does not know it.
fn program() -> String {
    let file = env::current_exe().unwrap_or_else(|_| PathBuf::from("migrate"));
    file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
