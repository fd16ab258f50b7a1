//! A connection with a [`Fault`]: it is cut, split into single bytes, or delayed. A relay forwards and
//! counts its bytes, and injects the fault after the start-up. It does not parse messages after the
//! start-up, because a connection can break at any byte.
//!
//! The start-up's messages are those of the manual, section 55.2.1.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::yield_now;
use tokio::time::sleep;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

/// The direction of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Direction {
    /// Both, the client's first.
    pub const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];

    /// The direction in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::ToServer => "client to server",
            Direction::ToClient => "server to client",
        }
    }
}

/// What happens to a connection once its session has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the bytes are counted.
    Nothing,
    /// After exactly `after` bytes in this direction both sides are closed at once, even if other bytes
    /// are in transit.
    Cut {
        /// The direction whose bytes count.
        direction: Direction,
        /// How many are forwarded; 0 cuts as soon as the session has started.
        after: u64,
    },
    /// Every byte is written separately, in both directions.
    SingleBytes,
    /// Every chunk is delayed for this long, in both directions.
    Delay(Duration),
}

/// How many bytes were forwarded after the start-up.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    to_server: Arc<AtomicU64>,
    to_client: Arc<AtomicU64>,
}

impl Traffic {
    /// The bytes forwarded in this direction until now.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.counter(direction).load(Ordering::SeqCst)
    }

    fn counter(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

/// A client of the server through a connection with this fault, and its traffic.
///
/// The connection lasts until the fault or one of its ends closes it. A server on a Unix socket receives
/// every byte that was forwarded before a cut; over TCP the last ones may be lost.
///
/// # Errors
///
/// Those of connecting; also if a cut right after the start-up comes before the client saw its end.
///
/// # Panics
///
/// When the system has no more sockets.
pub async fn connect(
    config: &Config,
    fault: Fault,
) -> Result<(Client, Traffic), tokio_postgres::Error> {
    let (near, client) = UnixStream::pair().expect("a pair of sockets");
    let traffic = Traffic::default();
    let (upstream, counted) = (config.clone(), traffic.clone());
    // Both ends see an error of the connection.
    tokio::spawn(async move { serve(&upstream, near, fault, counted).await });
    let (client, connection) = config.connect_raw(client, NoTls).await?;
    tokio::spawn(connection);
    Ok((client, traffic))
}

/// Connects to the first host, with libpq's defaults for what is missing, and relays.
async fn serve(
    upstream: &Config,
    near: UnixStream,
    fault: Fault,
    traffic: Traffic,
) -> io::Result<()> {
    let port = upstream.get_ports().first().copied().unwrap_or(5432);
    match upstream.get_hosts().first() {
        Some(Host::Unix(folder)) => {
            let socket = folder.join(format!(".s.PGSQL.{port}"));
            relay(near, UnixStream::connect(socket).await?, fault, &traffic).await
        }
        host => {
            let name = match host {
                Some(Host::Tcp(name)) => name.as_str(),
                _ => "localhost",
            };
            let server = TcpStream::connect((name, port)).await?;
            server.set_nodelay(true)?;
            relay(near, server, fault, &traffic).await
        }
    }
}

/// Relays both directions until one ends; then both ends are dropped, which closes the other direction
/// too.
async fn relay<S>(
    mut near: UnixStream,
    mut far: S,
    fault: Fault,
    traffic: &Traffic,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    start_up(&mut near, &mut far).await?;
    let (from_client, to_client) = near.into_split();
    let (from_server, to_server) = tokio::io::split(far);
    tokio::select! {
        ended = carry(from_client, to_server, Direction::ToServer, fault, traffic) => ended,
        ended = carry(from_server, to_client, Direction::ToClient, fault, traffic) => ended,
    }
}

/// Forwards everything up to the first `ReadyForQuery`, which is the end of the start-up.
async fn start_up<S>(near: &mut UnixStream, far: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // The first packet has no type byte.
    let first = body(near).await?;
    far.write_all(&first).await?;
    loop {
        let tag = far.read_u8().await?;
        let message = body(far).await?;
        near.write_all(&[&[tag], message.as_slice()].concat()).await?;
        match tag {
            b'Z' => return Ok(()),
            // `AuthenticationOk` and `AuthenticationSASLFinal` need no answer.
            b'R' if !matches!(message.get(4..8), Some([0, 0, 0, 0 | 12])) => {
                let tag = near.read_u8().await?;
                let answer = body(near).await?;
                far.write_all(&[&[tag], answer.as_slice()].concat()).await?;
            }
            _ => {}
        }
    }
}

/// A length, which includes its own four bytes, and the bytes that follow.
async fn body<R>(reader: &mut R) -> io::Result<Vec<u8>>
where
    R: AsyncRead + Unpin,
{
    let length = reader.read_u32().await?;
    let rest = length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
    let mut bytes = length.to_be_bytes().to_vec();
    let wanted = bytes.len() + rest as usize;
    reader.take(u64::from(rest)).read_to_end(&mut bytes).await?;
    if bytes.len() == wanted { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// One direction, until its reader ends or its fault has happened.
async fn carry<R, W>(
    mut reader: R,
    mut writer: W,
    direction: Direction,
    fault: Fault,
    traffic: &Traffic,
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut left = match fault {
        Fault::Cut { direction: cut, after } if cut == direction => after,
        _ => u64::MAX,
    };
    let mut chunk = vec![0; 16 * 1024];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        let length = reader.read(&mut chunk[..most]).await?;
        if length == 0 {
            return Ok(());
        }
        write(&mut writer, &chunk[..length], fault).await?;
        left -= length as u64;
        traffic.counter(direction).fetch_add(length as u64, Ordering::SeqCst);
    }
    Ok(())
}

async fn write<W>(writer: &mut W, bytes: &[u8], fault: Fault) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    match fault {
        Fault::SingleBytes => {
            for byte in bytes.chunks(1) {
                writer.write_all(byte).await?;
                // The other end can read it before the next one arrives.
                yield_now().await;
            }
        }
        Fault::Delay(pause) => {
            sleep(pause).await;
            writer.write_all(bytes).await?;
        }
        Fault::Nothing | Fault::Cut { .. } => writer.write_all(bytes).await?,
    }
    writer.flush().await
}
