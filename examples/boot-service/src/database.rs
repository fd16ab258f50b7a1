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
    let connection = |url: String| Connection::of_url(url).application_name("boot-service");
    if let Some(url) = url {
        say("the database of --database-url")?;
        return Ok((connection(url), None));
    }
    let server = Server::start()?;
    say(&format!("a throwaway server, removed at exit: psql '{}'", server.url()))?;
    Ok((connection(server.url().to_owned()), Some(server)))
}

fn say(which: &str) -> Result<(), Failure> {
    writeln!(io::stderr(), "using {which}").map_err(Failure::Output)
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
