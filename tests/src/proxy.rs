//! A proxy on the loopback interface that records the frontend's messages and counts round trips, once
//! a session is ready. It forwards everything unchanged, but refuses encryption.
//!
//! The message formats are those of the manual, section 55.7.

mod message;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};

use crate::database::{FreshDatabase, connect};

pub use message::Message;
use message::Splitter;

/// The request codes that ask for encryption (`SSLRequest` and `GSSENCRequest`).
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// A chunk of bytes and when it is due.
type Parcel = (Instant, Vec<u8>);

/// A proxy between clients and one server, on a free port of 127.0.0.1. Dropping it closes its
/// connections.
#[derive(Debug)]
pub struct CountingProxy {
    config: Config,
    seen: Arc<Mutex<Seen>>,
    listener: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    messages: Vec<Message>,
    round_trips: usize,
}

impl CountingProxy {
    /// A proxy to the first host of `upstream`; needs a running Tokio runtime.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn start(upstream: &Config) -> CountingProxy {
        CountingProxy::with_delay(upstream, Duration::ZERO).await
    }

    /// An empty database, a proxy to it, and a client through the proxy.
    ///
    /// # Panics
    ///
    /// When there is no server, or no port is free.
    pub async fn connected() -> (FreshDatabase, CountingProxy, Client) {
        let database = FreshDatabase::create().await;
        let proxy = CountingProxy::start(&database.config()).await;
        let client = proxy.connect().await;
        (database, proxy, client)
    }

    /// A proxy that delays each chunk for this long in either direction, like a network: chunks that
    /// follow are not delayed further. A round trip takes twice as long.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn with_delay(upstream: &Config, one_way: Duration) -> CountingProxy {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on the loopback");
        let port = listener.local_addr().expect("the listener's address").port();
        let config = through(upstream, port);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let line = Line { upstream: Upstream::of(upstream), one_way, seen: Arc::clone(&seen) };
        let listener = tokio::spawn(listen(listener, line));
        CountingProxy { config, seen, listener }
    }

    /// The address of the proxy, with the upstream's user, password and database.
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// A new client through the proxy.
    pub async fn connect(&self) -> Client {
        connect(&self.config).await
    }

    /// The frontend's messages since the start or the last [`reset`](Self::reset), of all connections.
    ///
    /// Start-up, passwords and the termination (`X`, which comes at any time after a client is dropped)
    /// are left out. A message is recorded before its answer reaches the client.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.seen).messages.clone()
    }

    /// How many of [`messages`](Self::messages) there are by type byte.
    pub fn counts(&self) -> BTreeMap<char, usize> {
        let mut counts = BTreeMap::new();
        for message in &lock(&self.seen).messages {
            *counts.entry(message.tag).or_default() += 1;
        }
        counts
    }

    /// The SQL of each simple query (`Q`).
    pub fn queries(&self) -> Vec<String> {
        let messages = self.messages();
        messages
            .into_iter()
            .filter(|message| message.tag == 'Q')
            .map(|message| message.sql)
            .collect()
    }

    /// How often the server was ready for a query (`Z`), without the first time of each session.
    ///
    /// After an error the client may continue before the `Z` is counted; its next answer comes after it.
    pub fn round_trips(&self) -> usize {
        lock(&self.seen).round_trips
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        *lock(&self.seen) = Seen::default();
    }
}

impl Drop for CountingProxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Where the server is.
#[derive(Debug, Clone)]
pub(crate) enum Upstream {
    Unix(PathBuf),
    Tcp(String, u16),
}

impl Upstream {
    /// The first host, with libpq's defaults for what is missing.
    pub(crate) fn of(config: &Config) -> Upstream {
        let port = config.get_ports().first().copied().unwrap_or(5432);
        if let Some(address) = config.get_hostaddrs().first() {
            return Upstream::Tcp(address.to_string(), port);
        }
        match config.get_hosts().first() {
            Some(Host::Unix(folder)) => Upstream::Unix(folder.join(format!(".s.PGSQL.{port}"))),
            Some(Host::Tcp(name)) => Upstream::Tcp(name.clone(), port),
            None => Upstream::Tcp("localhost".to_owned(), port),
        }
    }

    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Upstream::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Upstream::Tcp(host, port) => {
                let server = TcpStream::connect((host.as_str(), *port)).await?;
                server.set_nodelay(true)?;
                Box::new(server)
            }
        })
    }
}

/// A connection of either kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The same session parameters, at the proxy's address.
pub(crate) fn through(upstream: &Config, port: u16) -> Config {
    let mut config = Config::new();
    config.host("127.0.0.1").port(port).ssl_mode(SslMode::Disable);
    if let Some(user) = upstream.get_user() {
        config.user(user);
    }
    if let Some(password) = upstream.get_password() {
        config.password(password);
    }
    if let Some(database) = upstream.get_dbname() {
        config.dbname(database);
    }
    if let Some(options) = upstream.get_options() {
        config.options(options);
    }
    if let Some(name) = upstream.get_application_name() {
        config.application_name(name);
    }
    config
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that a connection needs to know.
#[derive(Debug, Clone)]
struct Line {
    upstream: Upstream,
    one_way: Duration,
    seen: Arc<Mutex<Seen>>,
}

/// Accepts until aborted, which also aborts the connections, as the set is dropped.
async fn listen(listener: TcpListener, line: Line) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                connections.spawn(serve(client, line.clone()));
            }
            // The client sees how its connection ends.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut client: TcpStream, line: Line) -> io::Result<()> {
    client.set_nodelay(true)?;
    let startup = read_startup(&mut client).await?;
    relay(client, line.upstream.connect().await?, startup, &line).await
}

/// The whole start-up or cancel packet; requests for encryption are refused.
pub(crate) async fn read_startup(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let length = client.read_u32().await?;
        let code = client.read_u32().await?;
        // A start-up packet has at most 10,000 bytes (MAX_STARTUP_PACKET_LENGTH).
        let rest = length
            .checked_sub(8)
            .filter(|rest| *rest <= 10_000)
            .ok_or(io::ErrorKind::InvalidData)?;
        if ENCRYPTION.contains(&code) {
            client.write_all(b"N").await?;
            continue;
        }
        let mut packet = [length.to_be_bytes(), code.to_be_bytes()].concat();
        client.take(u64::from(rest)).read_to_end(&mut packet).await?;
        return Ok(packet);
    }
}

/// Relays both directions until both are closed, or until one fails.
async fn relay<S>(client: TcpStream, server: S, startup: Vec<u8>, line: &Line) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = tokio::io::split(server);
    let (frontend, frontend_parcels) = mpsc::channel(1024);
    let (backend, backend_parcels) = mpsc::channel(1024);
    let due = Instant::now() + line.one_way;
    frontend.send((due, startup)).await.map_err(|_| io::ErrorKind::BrokenPipe)?;

    let seen = &*line.seen;
    let mut is_ready = false;
    tokio::try_join!(
        collect(from_client, frontend, line.one_way, move |tag, body| lock(seen)
            .messages
            .extend(Message::read(tag, body))),
        collect(from_server, backend, line.one_way, move |tag, _| {
            if tag == b'Z' {
                lock(seen).round_trips += usize::from(is_ready);
                is_ready = true;
            }
        }),
        deliver(to_server, frontend_parcels),
        deliver(to_client, backend_parcels),
    )?;
    Ok(())
}

/// Reads chunks, passes their messages to `show` and forwards them, until the peer closes.
async fn collect<R>(
    mut reader: R,
    parcels: mpsc::Sender<Parcel>,
    one_way: Duration,
    mut show: impl FnMut(u8, &[u8]),
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
{
    let mut splitter = Splitter::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = reader.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        splitter.push(&chunk[..length], &mut show)?;
        let parcel = (Instant::now() + one_way, chunk[..length].to_vec());
        if parcels.send(parcel).await.is_err() {
            return Ok(());
        }
    }
}

/// Writes each parcel when it is due, and closes after the last.
async fn deliver<W>(mut writer: W, mut parcels: mpsc::Receiver<Parcel>) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    while let Some((due, bytes)) = parcels.recv().await {
        if due > Instant::now() {
            sleep_until(due).await;
        }
        writer.write_all(&bytes).await?;
    }
    writer.shutdown().await
}
