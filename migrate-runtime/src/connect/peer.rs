//! The server that a client is connected to, for a second connection that must reach the same one.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::server::Server;

/// One address of a server.
pub(super) struct Peer {
    /// A name, an address, or the folder of a socket.
    pub(super) host: String,
    port: u16,
    /// `None` for a socket.
    address: Option<IpAddr>,
}

/// A connection to a server, of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Peer {
    pub(super) fn new(server: &Server, address: Option<IpAddr>) -> Peer {
        Peer { host: server.host.clone(), port: server.port, address }
    }

    /// Another connection to it.
    ///
    /// # Errors
    /// That of the network.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self.address {
            Some(address) => Ok(Box::new(TcpStream::connect((address, self.port)).await?)),
            None => self.connect_to_socket().await,
        }
    }

    #[cfg(unix)]
    async fn connect_to_socket(&self) -> io::Result<Box<dyn Stream>> {
        let socket = format!("{}/.s.PGSQL.{}", self.host, self.port);
        Ok(Box::new(tokio::net::UnixStream::connect(socket).await?))
    }

    #[cfg(not(unix))]
    async fn connect_to_socket(&self) -> io::Result<Box<dyn Stream>> {
        let problem = "connections to Unix sockets are possible only on Unix";
        Err(io::Error::new(io::ErrorKind::Unsupported, problem))
    }
}
