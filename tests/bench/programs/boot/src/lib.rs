//! What every measured program does besides migrating: it reads its arguments `HOST PORT DATABASE [wait]`,
//! measures each step, and prints one line of numbers. With `wait` it prints `ready` and continues when it
//! gets a line, so that many programs start at the same moment. It has no dependencies, because it is linked
//! into every program.

use std::io::BufRead;
use std::time::Instant;

/// Where the database is: a host or the folder of a socket, of the superuser `postgres`.
pub struct Address {
    /// A host, or a folder that begins with `/`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database.
    pub database: String,
}

impl Address {
    /// The arguments of this program; waits where they say so.
    ///
    /// # Panics
    /// When they are none.
    pub fn from_arguments() -> Address {
        let mut arguments = std::env::args().skip(1);
        let mut next = || arguments.next().expect("HOST PORT DATABASE");
        let (host, port, database) = (next(), next(), next());
        if arguments.next().as_deref() == Some("wait") {
            println!("ready");
            std::io::stdin().lock().lines().next();
        }
        Address { host, port: port.parse().expect("a port"), database }
    }

    /// As libpq and tokio-postgres read it. No other user or option is taken from the environment.
    pub fn key_values(&self) -> String {
        let Address { host, port, database } = self;
        format!("host='{host}' port={port} user=postgres dbname='{database}' sslmode=disable")
    }
}

/// The times of one boot.
pub struct Boot {
    begun: Instant,
    connected: Option<(Instant, u64)>,
}

impl Boot {
    /// From now on it connects.
    pub fn begin() -> Boot {
        Boot { begun: Instant::now(), connected: None }
    }

    /// From now on it migrates.
    pub fn connected(&mut self) {
        self.connected = Some((Instant::now(), peak()));
    }

    /// Says what it took: microseconds until connected, microseconds of migrating, and by how many KiB
    /// the peak of the resident memory grew meanwhile.
    ///
    /// # Panics
    /// When [`Boot::connected`] did not come first.
    pub fn migrated(&self) {
        let ended = Instant::now();
        let (connected, before) = self.connected.expect("a connection came first");
        let connecting = (connected - self.begun).as_micros();
        let migrating = (ended - connected).as_micros();
        println!("{connecting} {migrating} {}", peak().saturating_sub(before));
    }
}

/// The peak of this process's resident memory in KiB; 0 if the system does not show it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
