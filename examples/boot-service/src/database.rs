//! Keeps the connection to the database, and connects again after a loss.
//! It does not migrate: that happens once, before a request gets a client.

use std::io::{self, Write};
use std::sync::Arc;

use migrate_cli::Connection;
use migrate_testing::Server;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use crate::failure::Failure;

/// The database at this address, or one on a throwaway server, which is removed with the second value. Prints
/// which it is.
///
/// # Errors
/// [`Failure::Server`] if no server can be started.
pub(crate) fn choose(url: Option<String>) -> Result<(Connection, Option<Server>), Failure> {
    let (url, server, said) = match url {
        Some(url) => (url, None, "the database of --database-url".to_owned()),
        None => {
            let server = Server::start()?;
            let url = server.url().to_owned();
            let said = format!("a throwaway server, removed at exit: psql '{url}'");
            (url, Some(server), said)
        }
    };
    writeln!(io::stderr(), "using {said}").map_err(Failure::Output)?;
    Ok((Connection::of_url(url).application_name("boot-service"), server))
}

/// The migrated database.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    client: Mutex<Arc<Client>>,
}

impl Database {
    /// The database of this client, reached again by `connection`.
    pub(crate) fn new(connection: Connection, client: Client) -> Self {
        Database { connection, client: Mutex::new(Arc::new(client)) }
    }

    /// The client that all requests share; a new one if the connection was lost.
    ///
    /// # Errors
    /// [`Failure::Connect`] if the server is still unreachable.
    pub(crate) async fn client(&self) -> Result<Arc<Client>, Failure> {
        let mut client = self.client.lock().await;
        if client.is_closed() {
            *client = Arc::new(self.connection.connect().await?);
        }
        Ok(Arc::clone(&client))
    }
}
