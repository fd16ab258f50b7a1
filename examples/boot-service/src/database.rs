//! Opens the database and keeps it open.
//! `DATABASE_URL` goes in, or nothing; a [`Database`] comes out that connects again after a loss.
//! It does not migrate: that happens once, before anybody else gets a client.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::testing::Server;
use tokio::sync::Mutex;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

use crate::failure::Failure;

/// A server that does not answer must not keep a boot or a health check waiting.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The server of `DATABASE_URL`, or a throwaway one that goes away with this value.
///
/// # Errors
/// [`Failure::Server`] when there is none to start.
pub(crate) fn server() -> Result<Server, Failure> {
    let server = Server::from_env()?;
    if server.is_throwaway() {
        let (url, why) = (server.url(), "DATABASE_URL is not set");
        writeln!(io::stderr(), "{why}: using a throwaway server, removed at exit: psql '{url}'")
            .map_err(Failure::Output)?;
    }
    Ok(server)
}

/// What the address says, with a limit and a name where it gives none.
///
/// # Errors
/// [`Failure::Address`] when the driver does not understand it.
pub(crate) fn config(url: &str) -> Result<Config, Failure> {
    let mut config: Config = url.parse().map_err(Failure::Address)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_LIMIT);
    }
    if config.get_application_name().is_none() {
        config.application_name("boot-service");
    }
    Ok(config)
}

/// A new client, whose connection runs as a task and ends with it.
///
/// # Errors
/// [`Failure::Connect`] with the driver's error.
pub(crate) async fn connect(config: &Config) -> Result<Client, Failure> {
    match config.connect(NoTls).await {
        Ok((client, connection)) => {
            // How it ends is told to whoever uses the client next.
            tokio::spawn(connection);
            Ok(client)
        }
        Err(source) => Err(Failure::connect(place(config), config.get_ssl_mode(), source)),
    }
}

/// The migrated database.
#[derive(Debug)]
pub(crate) struct Database {
    config: Config,
    client: Mutex<Arc<Client>>,
}

impl Database {
    /// The database of this client, reached again by `config`.
    pub(crate) fn new(config: Config, client: Client) -> Self {
        Database { config, client: Mutex::new(Arc::new(client)) }
    }

    /// The client that all requests share, a new one where the connection was lost.
    ///
    /// # Errors
    /// [`Failure::Connect`] when the server is still away.
    pub(crate) async fn client(&self) -> Result<Arc<Client>, Failure> {
        let mut client = self.client.lock().await;
        if client.is_closed() {
            *client = Arc::new(connect(&self.config).await?);
        }
        Ok(Arc::clone(&client))
    }
}

/// Where the server is said to be, for a message.
///
/// A password with an unescaped `@` reaches into what the driver takes for the host, so a host that
/// is no name is not shown.
fn place(config: &Config) -> String {
    let is_name =
        |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
    let port = config.get_ports().first().unwrap_or(&5432);
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) if is_name(name) => format!("{name}, port {port}"),
        Some(Host::Unix(folder)) => format!("the socket in {}, port {port}", folder.display()),
        _ => "the host of DATABASE_URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_secrets() {
        #[track_caller]
        fn check(url: &str, expected: &str) {
            assert_eq!(place(&config(url).unwrap()), expected, "{url}");
        }
        check("postgresql://me:secret@db.example/app", "db.example, port 5432");
        check("postgresql://me:secret@127.0.0.1:5433/app", "127.0.0.1, port 5433");
        check("host=/run/pg password=secret", "the socket in /run/pg, port 5432");
        check("postgresql://me:sec@ret@db.example/app", "the host of DATABASE_URL");
    }

    #[test]
    fn what_the_address_says_is_kept() {
        let config = config("host=h connect_timeout=3 application_name=mine").unwrap();
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(config.get_application_name(), Some("mine"));
    }
}
