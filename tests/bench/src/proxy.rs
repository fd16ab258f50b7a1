//! A proxy on the loopback that delays and counts.
//! Where the server is, and a delay, go in; a port, and what went through, come out. Every chunk is
//! delivered the delay after it arrived, however many are under way, in either direction. Threads and
//! blocking calls, because a timer of an asynchronous runtime has steps of a millisecond.

mod count;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use count::Splitter;
pub use count::Traffic;

/// What is left of a delay when the thread stops sleeping and spins: waking takes so long.
const SPIN: Duration = Duration::from_micros(150);

/// The request codes that ask for encryption (`SSLRequest` and `GSSENCRequest`).
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// A chunk of bytes and when it is due.
type Parcel = (Instant, Vec<u8>);

/// A proxy at a free port of 127.0.0.1; it lives as long as the process.
#[derive(Debug)]
pub struct Proxy {
    /// Where to connect to.
    pub port: u16,
    seen: Arc<Mutex<Traffic>>,
}

impl Proxy {
    /// A proxy to the socket of a server; a round trip takes `round_trip` longer.
    pub fn start(socket: &Path, round_trip: Duration) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let seen = Arc::new(Mutex::new(Traffic::default()));
        let line =
            Line { socket: socket.to_owned(), delay: round_trip / 2, seen: Arc::clone(&seen) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let line = line.clone();
                // An end of a connection is seen by its client, not here.
                thread::spawn(move || line.serve(client));
            }
        });
        Proxy { port, seen }
    }

    /// What went through since the last call, of all connections.
    pub fn take(&self) -> Traffic {
        std::mem::take(&mut *lock(&self.seen))
    }
}

fn lock(seen: &Mutex<Traffic>) -> MutexGuard<'_, Traffic> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that a connection needs to know.
#[derive(Debug, Clone)]
struct Line {
    socket: PathBuf,
    delay: Duration,
    seen: Arc<Mutex<Traffic>>,
}

impl Line {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let startup = startup(&mut client)?;
        let mut server = UnixStream::connect(&self.socket)?;
        thread::sleep(self.delay);
        server.write_all(&startup)?;
        let (from_client, to_client) = (client.try_clone()?, client.try_clone()?);
        let (from_server, to_server) = (server.try_clone()?, server.try_clone()?);
        let (frontend, backend) = (self.clone(), self.clone());
        let upwards = thread::spawn(move || {
            let passed = frontend.pass(from_client, to_server, |tag, length, seen| {
                seen.count_frontend(tag, length);
            });
            let _ = server.shutdown(Shutdown::Write);
            passed
        });
        let mut is_ready = false;
        let passed = backend.pass(from_server, to_client, |tag, length, seen| {
            if is_ready {
                seen.down_bytes += length;
            }
            is_ready |= tag == b'Z';
        });
        let _ = client.shutdown(Shutdown::Write);
        let _ = upwards.join();
        passed
    }

    /// Reads chunks, shows their messages and passes them on in time; ends with the reader's end.
    fn pass(
        &self,
        mut from: impl Read,
        mut to: impl Write + Send + 'static,
        mut show: impl FnMut(u8, u64, &mut Traffic),
    ) -> io::Result<()> {
        let mut splitter = Splitter::default();
        let mut chunk = vec![0; 256 * 1024];
        let mut count = |bytes: &[u8]| {
            let mut seen = lock(&self.seen);
            splitter.push(bytes, &mut |tag, length| show(tag, length, &mut seen));
        };
        if self.delay.is_zero() {
            loop {
                let length = from.read(&mut chunk)?;
                if length == 0 {
                    return Ok(());
                }
                count(&chunk[..length]);
                to.write_all(&chunk[..length])?;
            }
        }
        let (sender, receiver): (Sender<Parcel>, Receiver<Parcel>) = channel();
        let delivery = thread::spawn(move || deliver(&mut to, &receiver));
        loop {
            let length = from.read(&mut chunk)?;
            if length == 0 {
                break;
            }
            let due = Instant::now() + self.delay;
            count(&chunk[..length]);
            if sender.send((due, chunk[..length].to_vec())).is_err() {
                break;
            }
        }
        drop(sender);
        delivery.join().unwrap_or(Ok(()))
    }
}

/// Writes each parcel when it is due.
fn deliver(to: &mut impl Write, parcels: &Receiver<Parcel>) -> io::Result<()> {
    for (due, bytes) in parcels {
        if let Some(left) = due.checked_duration_since(Instant::now() + SPIN) {
            thread::sleep(left);
        }
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        to.write_all(&bytes)?;
    }
    Ok(())
}

/// The start-up or cancel packet, whole; encryption is refused until the client does without.
fn startup(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    loop {
        let mut head = [0; 8];
        client.read_exact(&mut head)?;
        let [a, b, c, d, code @ ..] = head;
        if ENCRYPTION.contains(&u32::from_be_bytes(code)) {
            client.write_all(b"N")?;
            continue;
        }
        // A start-up packet has at most 10,000 bytes (MAX_STARTUP_PACKET_LENGTH).
        let length = u32::from_be_bytes([a, b, c, d]).clamp(8, 10_008) as usize;
        let mut packet = head.to_vec();
        packet.resize(length, 0);
        client.read_exact(&mut packet[8..])?;
        return Ok(packet);
    }
}
