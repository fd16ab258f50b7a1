//! The server, the pooler and the folders that all cases share, and fresh databases to observe.
//! A database comes with a connection that only looks. What a case left behind goes with its database,
//! with force: connections that hang on it too.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use migrate_testing::Server;
use tempfile::TempDir;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::address::Address;
use crate::fleet::LIMIT;
use crate::pooler::Pooler;

const POLL: Duration = Duration::from_millis(5);

/// What all cases share.
pub struct Lab {
    maintenance: Client,
    address: Address,
    pooler: Pooler,
    folder: TempDir,
    next: AtomicU32,
    /// How often a case with replicas is repeated.
    pub rounds: usize,
    // After the pooler, so that it is dropped last.
    _server: Server,
}

impl Lab {
    /// Starts server and pooler.
    pub async fn start(rounds: usize) -> Lab {
        let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
        let address = socket(&server.url().parse().expect("the server's address"));
        let pooler = Pooler::start(&address);
        let maintenance = connect(&address).await.expect("a connection to the server");
        let folder = tempfile::tempdir().expect("a folder");
        let lab = Lab {
            maintenance,
            address,
            pooler,
            folder,
            next: AtomicU32::new(0),
            rounds,
            _server: server,
        };
        lab.await_pooler().await;
        lab
    }

    async fn await_pooler(&self) {
        let begin = Instant::now();
        while connect(&self.pooler.address("postgres")).await.is_none() {
            assert!(begin.elapsed() < LIMIT, "PgBouncer does not answer:\n{}", self.pooler.log());
            tokio::time::sleep(POLL).await;
        }
    }

    /// A path that nothing has taken yet.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join(format!("set{}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// An empty database.
    pub async fn database(&self) -> Database<'_> {
        let name = format!("peers_{}", self.next.fetch_add(1, Ordering::Relaxed));
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        self.maintenance.batch_execute(&sql).await.expect("a database");
        let direct = Address { database: name.clone(), ..self.address.clone() };
        let pooled = self.pooler.address(&name);
        let observer = connect(&direct).await.expect("a connection to the server");
        Database { lab: self, direct, pooled, observer }
    }

    /// The versions of server and pooler.
    pub async fn versions(&self) -> [String; 2] {
        let server =
            value(&self.maintenance, "SELECT 'PostgreSQL ' || current_setting('server_version')");
        [server.await, self.pooler.version.clone()]
    }
}

/// A database of one observation.
pub struct Database<'l> {
    lab: &'l Lab,
    /// Where it is on the server.
    pub direct: Address,
    /// Where it is behind the pooler.
    pub pooled: Address,
    observer: Client,
}

/// What sessions of others hold, between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Advisory locks.
    pub locks: u32,
    /// Sessions in a transaction that do nothing.
    pub transactions: u32,
}

impl Database<'_> {
    /// The first value of a query, as text.
    pub async fn value(&self, sql: &str) -> String {
        value(&self.observer, sql).await
    }

    /// The first value of a query, a count.
    pub async fn count(&self, sql: &str) -> u32 {
        self.value(sql).await.parse().expect("a count")
    }

    /// What is left once no session of others does anything more.
    pub async fn left(&self) -> Left {
        let active = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND pid <> pg_backend_pid() AND state = 'active' AND backend_type = 'client backend'";
        self.wait_until(active, "0").await;
        // A client that lives may react to the server, for example with a rollback; wait for it.
        let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                    AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'";
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(1) && !self.left_now(idle).await.is_nothing() {
            tokio::time::sleep(POLL).await;
        }
        self.left_now(idle).await
    }

    async fn left_now(&self, idle: &str) -> Left {
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND \
                     database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        Left { locks: self.count(locks).await, transactions: self.count(idle).await }
    }

    /// Waits until a query gives this value, or the time is up.
    pub async fn wait_until(&self, sql: &str, expected: &str) {
        let begin = Instant::now();
        while self.value(sql).await != expected && begin.elapsed() < LIMIT {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ends all sessions of others and waits until they are gone.
    pub async fn end_sessions(&self) {
        let others = "FROM pg_stat_activity WHERE datname = current_database() \
                      AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        self.value(&format!("SELECT count(pg_terminate_backend(pid)) {others}")).await;
        self.wait_until(&format!("SELECT count(*) {others}"), "0").await;
    }

    /// Drops it, with the connections that are left.
    pub async fn remove(self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.direct.database);
        self.lab.maintenance.batch_execute(&sql).await.expect("a database to drop");
    }
}

impl Left {
    /// Whether it is nothing.
    pub fn is_nothing(self) -> bool {
        self == Left { locks: 0, transactions: 0 }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.locks, self.transactions) {
            (0, 0) => f.write_str("nothing left"),
            (locks, 0) => write!(f, "locks left: {locks}"),
            (0, transactions) => write!(f, "transactions left open: {transactions}"),
            (locks, open) => write!(f, "locks left: {locks}, transactions left open: {open}"),
        }
    }
}

async fn value(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.expect(sql);
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    });
    row.unwrap_or_default()
}

async fn connect(address: &Address) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(&address.key_values(), NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

fn socket(config: &Config) -> Address {
    let folder = config.get_hosts().iter().find_map(|host| match host {
        Host::Unix(folder) => Some(folder.clone()),
        Host::Tcp(_) => None,
    });
    let port = config.get_ports().first().copied().unwrap_or(5432);
    Address { folder: folder.expect("the server's socket"), port, database: "postgres".to_owned() }
}
