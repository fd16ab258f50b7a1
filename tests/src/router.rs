//! A router of reads on the loopback interface: it changes the simple queries that its rule names, so that
//! they read a copy of a table that does not follow, as a replica or a cache is.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

use crate::database::connect;
use crate::proxy::{Upstream, read_startup, through};

/// What is sent instead of a query; `None` for the query itself.
pub type Rule = fn(&str) -> Option<String>;

/// A running router; dropping it stops it.
#[derive(Debug)]
pub struct Router {
    config: Config,
    listener: JoinHandle<()>,
}

impl Router {
    /// A router to the first host of `upstream`.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn start(upstream: &Config, rule: Rule) -> Router {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let config = through(upstream, listener.local_addr().expect("an address").port());
        let upstream = Upstream::of(upstream);
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, upstream.clone(), rule));
            }
        });
        Router { config, listener }
    }

    /// A client through the router.
    pub async fn connect(&self) -> Client {
        connect(&self.config).await
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn serve(mut client: TcpStream, upstream: Upstream, rule: Rule) -> io::Result<()> {
    let startup = read_startup(&mut client).await?;
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(upstream.connect().await?);
    to_server.write_all(&startup).await?;
    tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    loop {
        forward(&mut from_client, &mut to_server, rule).await?;
    }
}

/// Forwards one message (manual, section 55.7: a kind, a length that counts itself, and the body).
async fn forward(
    client: &mut (impl AsyncRead + Unpin),
    server: &mut (impl AsyncWrite + Unpin),
    rule: Rule,
) -> io::Result<()> {
    let (kind, length) = (client.read_u8().await?, client.read_u32().await?);
    let mut body = vec![0; length as usize - 4];
    client.read_exact(&mut body).await?;
    if kind == b'Q'
        && let Some(other) = rule(String::from_utf8_lossy(&body).trim_end_matches('\0'))
    {
        body = [other.as_bytes(), b"\0"].concat();
    }
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    server.write_all(&[&[kind], &length.to_be_bytes()[..], &body].concat()).await
}
