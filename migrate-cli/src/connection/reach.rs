//! Tries the servers in order until one answers, as libpq does: after a server that cannot be reached or is
//! not of the wanted kind comes the next; one that refuses the role or fails at TLS ends the search.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::LoadBalanceHosts;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::ConnectError;
use super::peer::Peer;
use super::server::{Place, Server};
use super::session::Session;
use super::target::Target;

/// Why a server is not the one.
#[derive(Debug)]
pub(super) enum Failure {
    /// The driver's error.
    Driver(Error),
    /// Its name has no address.
    Name(io::Error),
    /// No answer within this time.
    Slow(Duration),
    /// It is of another kind than wanted.
    Kind(Session),
}

impl Failure {
    /// Whether no other server is tried.
    fn is_final(&self) -> bool {
        let Failure::Driver(error) = self else { return false };
        if let Some(db) = error.as_db_error() {
            return *db.code() != SqlState::CANNOT_CONNECT_NOW;
        }
        let source = std::error::Error::source(error);
        let io = source.and_then(|source| source.downcast_ref::<io::Error>());
        // TLS reports invalid data.
        io.is_none_or(|error| error.kind() == io::ErrorKind::InvalidData)
    }
}

impl Target {
    /// The TLS connector for its servers.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, ConnectError> {
        self.tls.connector().map_err(|error| ConnectError::tls(&error))
    }

    /// Connects, runs the connection as a task, and names the server that answered.
    pub(crate) async fn connect(&self) -> Result<(Client, Place, Peer), ConnectError> {
        let connector = self.connector()?;
        let mut servers: Vec<&Server> = self.servers.iter().collect();
        self.arrange(&mut servers);
        let mut failures = Vec::new();
        for wanted in self.session.rounds() {
            failures.clear();
            for server in &servers {
                match self.reach(server, *wanted, &connector).await {
                    Ok((client, peer)) => return Ok((client, server.place.clone(), peer)),
                    Err(failure) if failure.is_final() => {
                        return Err(ConnectError::refused(vec![(&server.place, failure)]));
                    }
                    Err(failure) => failures.push((&server.place, failure)),
                }
            }
        }
        Err(ConnectError::refused(failures))
    }

    /// Connects to the first address of a server that answers and is of the wanted kind.
    async fn reach(
        &self,
        server: &Server,
        wanted: Session,
        connector: &MakeRustlsConnect,
    ) -> Result<(Client, Peer), Failure> {
        let mut last = None;
        for address in self.addresses(server).await? {
            let config = self.config_of(server, address);
            // The driver's future is large, and would be in that of every caller.
            let tried = self.within(Box::pin(config.connect(connector.clone()))).await;
            match tried.and_then(|result| result.map_err(Failure::Driver)) {
                Ok((client, connection)) => {
                    // The client's next call reports an error of the connection.
                    tokio::spawn(connection);
                    let answer = self.within(wanted.accepts(&client)).await?;
                    if answer.map_err(Failure::Driver)? {
                        return Ok((client, Peer::new(server, address)));
                    }
                    last = Some(Failure::Kind(wanted));
                }
                Err(failure) if failure.is_final() => return Err(failure),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure::Name(io::ErrorKind::NotFound.into())))
    }

    /// The addresses of a server; `None` for a socket.
    async fn addresses(&self, server: &Server) -> Result<Vec<Option<IpAddr>>, Failure> {
        if server.address.is_some() || server.is_socket() {
            return Ok(vec![server.address]);
        }
        let found = tokio::net::lookup_host((server.host.as_str(), server.port));
        let found = self.within(found).await?.map_err(Failure::Name)?;
        let mut addresses: Vec<_> = found.map(|address| Some(address.ip())).collect();
        self.arrange(&mut addresses);
        Ok(addresses)
    }

    /// The result of `future`, in the time that a server has.
    async fn within<T>(&self, future: impl Future<Output = T>) -> Result<T, Failure> {
        match self.limit {
            None => Ok(future.await),
            Some(limit) => {
                tokio::time::timeout(limit, future).await.map_err(|_| Failure::Slow(limit))
            }
        }
    }

    /// Puts `all` in the order that `load_balance_hosts` asks for.
    fn arrange<T>(&self, all: &mut [T]) {
        if self.order == LoadBalanceHosts::Random {
            all.sort_by_cached_key(|_| RandomState::new().build_hasher().finish());
        }
    }
}
