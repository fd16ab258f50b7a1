//! Keeps the database open.
//! A [`Connection`] and its first client go in, a [`Database`] comes out that connects again after a
//! loss. It does not migrate: that happens once, before anybody else gets a client.

use std::io::{self, Write};
use std::sync::Arc;

use migrate_cli::Connection;
use migrate_testing::Server;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use crate::failure::Failure;

/// A throwaway server, which goes away with this value.
///
/// # Errors
/// [`Failure::Server`] when there is none to start.
pub(crate) fn throwaway() -> Result<Server, Failure> {
    let server = Server::start()?;
    let (url, why) = (server.url(), "DATABASE_URL is not set");
    writeln!(io::stderr(), "{why}: using a throwaway server, removed at exit: psql '{url}'")
        .map_err(Failure::Output)?;
    Ok(server)
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

    /// The client that all requests share, a new one where the connection was lost.
    ///
    /// # Errors
    /// [`Failure::Connect`] when the server is still away.
    pub(crate) async fn client(&self) -> Result<Arc<Client>, Failure> {
        let mut client = self.client.lock().await;
        if client.is_closed() {
            *client = Arc::new(self.connection.connect().await?);
        }
        Ok(Arc::clone(&client))
    }
}
