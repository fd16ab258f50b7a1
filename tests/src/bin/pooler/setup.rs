//! A throwaway server with a pooler in front of it: databases, clients of either, and the rules that did
//! not hold.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use migrate_runtime::{Error, Lock, Migrations, Migrator, Report};
use migrate_testing::Server;
use migrate_tests::database::{ADVISORY_LOCKS, connect, value};
use migrate_tests::pooler::{PoolMode, Pooler};
use migrate_tests::proof::first_line;
use migrate_tests::sets::set;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_postgres::{Client, Config, NoTls};

/// Server connections for each database.
const POOL_SIZE: usize = 4;

/// For the server to finish what a client has left.
const LIMIT: Duration = Duration::from_secs(20);

/// For a run: far less than the ten minutes of a service, far more than a correct run takes.
const DEADLINE: Duration = Duration::from_mins(1);

/// How one replica ended.
pub(crate) type Outcome = Result<Report, Error>;

/// A server and its pooler.
pub(crate) struct Setup {
    // Declared before the server, so that it is dropped first.
    pooler: Pooler,
    server: Server,
    databases: u32,
    rules: Rules,
}

/// The rules that did not hold.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    broken: Vec<String>,
}

impl Setup {
    pub(crate) async fn create(mode: PoolMode) -> Result<Setup, String> {
        let server = Server::start().map_err(|error| error.to_string())?;
        let config: Config = server.url().parse().expect("the server's own address");
        let pooler = Pooler::start(&config, mode, POOL_SIZE).await?;
        Ok(Setup { pooler, server, databases: 0, rules: Rules::default() })
    }

    /// A new database for a check: its name, and a direct client.
    pub(crate) async fn database(&mut self) -> (String, Client) {
        self.databases += 1;
        let name = format!("d{}", self.databases);
        let maintenance = self.direct("postgres").await;
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        maintenance.batch_execute(&sql).await.expect(&sql);
        let direct = self.direct(&name).await;
        (name, direct)
    }

    /// A direct client, without the pooler.
    pub(crate) async fn direct(&self, database: &str) -> Client {
        connect(&self.server.url_for(database).parse().expect("an address")).await
    }

    /// A client through the pooler.
    pub(crate) async fn client(&self, database: &str) -> Client {
        self.pooler.connect(database).await.expect("a connection to the pooler")
    }

    /// A client through the pooler, and its connection's task.
    pub(crate) async fn connect(&self, database: &str) -> (Client, JoinHandle<()>) {
        let connected = self.pooler.config(database).connect(NoTls).await;
        let (client, connection) = connected.expect("a connection to the pooler");
        (client, tokio::spawn(async { drop(connection.await) }))
    }

    /// The address of a database through the pooler.
    pub(crate) fn address(&self, database: &str) -> String {
        self.pooler.url(database)
    }

    /// Waits until a query returns this.
    pub(crate) async fn wait_for(&self, direct: &Client, sql: &str, expected: &str) {
        let deadline = Instant::now() + LIMIT;
        while value(direct, sql).await != expected {
            assert!(Instant::now() < deadline, "never {expected}: {sql}");
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// This many replicas at the same time, each with its own connection.
    pub(crate) async fn replicas(
        &self,
        count: usize,
        database: &str,
        set: &Migrations,
    ) -> Vec<Outcome> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push((self.client(database).await, Lock::Detect));
        }
        together(clients, set).await
    }
}

impl Deref for Setup {
    type Target = Rules;

    fn deref(&self) -> &Rules {
        &self.rules
    }
}

impl DerefMut for Setup {
    fn deref_mut(&mut self) -> &mut Rules {
        &mut self.rules
    }
}

impl Rules {
    /// Prints and keeps a rule that does not hold.
    pub(crate) fn check(&mut self, holds: bool, rule: impl Into<String>) {
        if !holds {
            let rule = rule.into();
            println!("  BROKEN: {rule}");
            self.broken.push(rule);
        }
    }

    /// As [`Rules::check`], with both values.
    pub(crate) fn equal(&mut self, found: &str, expected: &str, what: &str) {
        self.check(found == expected, format!("{what}: {found}, not {expected}"));
    }

    /// Once the server has finished what the runs left, no server connection is in a transaction and no
    /// lock is held. What was seen last is judged: between two looks the pooler can still send a message of
    /// a client that has left.
    pub(crate) async fn check_quiet(&mut self, direct: &Client, when: &str) {
        let sql = format!(
            "SELECT concat_ws(' ', (SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND backend_type = 'client backend' AND state <> 'idle'), ({ADVISORY_LOCKS}))"
        );
        let deadline = Instant::now() + LIMIT;
        let mut seen = value(direct, &sql).await;
        while seen != "0 0" && Instant::now() < deadline {
            sleep(Duration::from_millis(2)).await;
            seen = value(direct, &sql).await;
        }
        self.equal(&seen, "0 0", &format!("busy server connections and advisory locks {when}"));
    }

    pub(crate) fn broken(&self) -> usize {
        self.broken.len()
    }
}

/// Runs all replicas at the same time, each with its kind of lock.
pub(crate) async fn together(clients: Vec<(Client, Lock)>, set: &Migrations) -> Vec<Outcome> {
    let mut tasks = Vec::new();
    for (mut client, lock) in clients {
        let set = set.clone();
        let run =
            async move { Migrator::new(&set).lock(lock).deadline(DEADLINE).run(&mut client).await };
        tasks.push(tokio::spawn(run));
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("a replica"));
    }
    outcomes
}

/// A set of `count` transactional migrations, each of which creates a table and counts its runs.
pub(crate) fn counting(count: usize) -> Vec<(String, String)> {
    let file = |n: usize| {
        let first = if n == 1 { "CREATE TABLE runs (n int NOT NULL);\n" } else { "" };
        let sql = format!(
            "{first}CREATE TABLE t{n} (id int PRIMARY KEY);\nINSERT INTO runs VALUES ({n});\n"
        );
        (format!("{n:04}_table.sql"), sql)
    };
    (1..=count).map(file).collect()
}

/// The set of these files.
pub(crate) fn of(files: &[(String, String)]) -> Migrations {
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).collect();
    set(&files)
}

/// The number of outcomes of each kind; the kind of an error is its first line.
pub(crate) fn kinds(outcomes: &[Outcome]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for outcome in outcomes {
        let kind = match outcome {
            Ok(_) => "complete".to_owned(),
            Err(error) => first_line(error),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}
