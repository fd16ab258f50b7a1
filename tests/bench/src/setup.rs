//! The server and its databases, and lines to it of any round trip.
//! A section drops the databases that it creates.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use migrate_testing::Server;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::proxy::Proxy;

/// What every section measures on.
pub struct Setup {
    /// The folder of the server's socket.
    pub socket: PathBuf,
    /// The server's port, a part of its socket's name.
    pub port: u16,
    maintenance: Client,
    next: AtomicU32,
    server: Server,
}

/// Where programs connect to.
#[derive(Debug, Clone)]
pub struct Line {
    /// A host, or the folder of the socket.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Setup {
    /// Starts a throwaway server.
    pub async fn start() -> Setup {
        let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
        let config: Config = server.url().parse().expect("the server's address");
        let folder = config.get_hosts().iter().find_map(|host| match host {
            Host::Unix(folder) => Some(folder.clone()),
            Host::Tcp(_) => None,
        });
        let socket = folder.expect("the server's socket");
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let maintenance = connect(&config).await;
        Setup { socket, port, maintenance, next: AtomicU32::new(0), server }
    }

    /// The server's own socket.
    pub fn direct(&self) -> Line {
        Line { host: self.socket.display().to_string(), port: self.port }
    }

    /// A line that counts, and whose round trip is this long.
    pub fn proxy(&self, round_trip: Duration) -> Proxy {
        let socket = self.socket.join(format!(".s.PGSQL.{}", self.port));
        Proxy::start(&socket, round_trip)
    }

    /// An empty database.
    pub async fn database(&self) -> String {
        self.clone_of("template0").await
    }

    /// A copy of a database without connections.
    pub async fn clone_of(&self, template: &str) -> String {
        let name = format!("bench_{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.ask(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        name
    }

    /// How many errors the server has logged.
    pub fn errors(&self) -> usize {
        let log = std::fs::read_to_string(self.socket.join("log")).expect("the server's log");
        log.lines().filter(|line| line.contains("ERROR:")).count()
    }

    /// Drops a database.
    pub async fn drop(&self, name: &str) {
        self.ask(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    /// Has the server write what is dirty now, and not while something is measured.
    pub async fn settle(&self) {
        self.ask("CHECKPOINT").await;
    }

    /// The first value that a statement of the maintenance database returns.
    pub async fn ask(&self, sql: &str) -> String {
        value(&self.maintenance, sql).await
    }

    /// A client of a database, directly.
    pub async fn connect(&self, database: &str) -> Client {
        connect(&self.config(database)).await
    }

    /// The address of a database, directly.
    pub fn config(&self, database: &str) -> Config {
        self.server.url_for(database).parse().expect("the server's address")
    }

    /// A program beside the server's own.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.server.bin(name).unwrap_or_else(|| name.into())
    }
}

impl Line {
    /// The line through a proxy.
    pub fn through(proxy: &Proxy) -> Line {
        Line { host: "127.0.0.1".to_owned(), port: proxy.port }
    }

    /// As libpq and tokio-postgres read it.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host(&self.host).port(self.port).user("postgres").dbname(database);
        config
    }
}

/// A client, whose connection is a task.
pub async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// The first value that a query returns, as text.
pub async fn value(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    });
    row.unwrap_or_default()
}
