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

use super::peer::Peer;
use super::server::{DatabasePlace, Server};
use super::session::Session;
use super::target::Target;
use super::tls::Mode;
use crate::outcome::ConnectError;

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
    /// Its name ends with a dot, which is in no certificate.
    Dotted,
}

impl Failure {
    /// Whether no other server is tried.
    fn is_final(&self) -> bool {
        let Failure::Driver(error) = self else { return matches!(self, Failure::Dotted) };
        if let Some(db) = error.as_db_error() {
            return *db.code() != SqlState::CANNOT_CONNECT_NOW;
        }
        if self.lacks_user() {
            return true;
        }
        // A proxy of containers accepts connections before the server does, and closes them.
        if error.is_closed() {
            return false;
        }
        // TLS reports invalid data.
        io_kind(error).is_none_or(|kind| kind == io::ErrorKind::InvalidData)
    }

    /// Whether no role is named, and the user of this process has no name either: a container can run as any number.
    pub(super) fn lacks_user(&self) -> bool {
        let Failure::Driver(error) = self else { return false };
        io_error(error).is_some_and(is_nameless)
    }

    /// Whether the same server can be the one a little later.
    pub(super) fn can_pass(&self) -> bool {
        let is_forbidden = match self {
            Failure::Driver(error) => io_kind(error) == Some(io::ErrorKind::PermissionDenied),
            _ => false,
        };
        !is_forbidden && !self.is_final()
    }
}

fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    io_error(error).map(io::Error::kind)
}

fn io_error(error: &Error) -> Option<&io::Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>())
}

/// Whether the driver did not find the name of a user. The system's own error, such as that of a socket which is not
/// there, has a number.
fn is_nameless(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && error.raw_os_error().is_none()
}

impl Target {
    /// The TLS connector for its servers.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn connector(&self) -> Result<MakeRustlsConnect, ConnectError> {
        self.tls.connector().map_err(|error| ConnectError::tls(&error))
    }

    /// Tries the servers in order; returns the one that answered, or why each is not the one.
    pub(super) async fn try_all(
        &self,
        connector: &MakeRustlsConnect,
    ) -> Result<(Client, DatabasePlace, Peer), Vec<(&DatabasePlace, Failure)>> {
        let mut servers: Vec<&Server> = self.servers.iter().collect();
        self.arrange(&mut servers);
        let mut failures = Vec::new();
        for wanted in self.session.rounds() {
            failures.clear();
            for server in &servers {
                match self.reach(server, *wanted, connector).await {
                    Ok((client, peer)) => return Ok((client, server.place.clone(), peer)),
                    Err(failure) if failure.is_final() => {
                        return Err(vec![(&server.place, failure)]);
                    }
                    Err(failure) => failures.push((&server.place, failure)),
                }
            }
        }
        Err(failures)
    }

    /// Connects to the first address of a server that answers and is of the wanted kind.
    async fn reach(
        &self,
        server: &Server,
        wanted: Session,
        connector: &MakeRustlsConnect,
    ) -> Result<(Client, Peer), Failure> {
        // As libpq, which compares the name as it is written; some versions of rustls remove the dot.
        if self.tls.mode == Mode::VerifyFull && !server.is_socket() && server.host.ends_with('.') {
            return Err(Failure::Dotted);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_is_not_a_socket_that_is_not_there() {
        assert!(is_nameless(&io::Error::new(io::ErrorKind::NotFound, "Null record")));
        assert!(!is_nameless(&io::Error::from_raw_os_error(2)));
        assert!(!is_nameless(&io::Error::from(io::ErrorKind::ConnectionRefused)));
    }
}
