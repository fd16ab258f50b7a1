//! The invariants of a database after every replica ended well. [`Quiet::broken`] compares it with the
//! result of a [`Quiet`] run, which has no faults, and returns a sentence for each invariant that does
//! not hold. It reads PostgreSQL's catalogs, `pg_dump` and the ledger.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use migrate_runtime::Lock;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::replica::{self, End, Outcome};
use super::script::{Name, Script};
use crate::cluster::Cluster;
use crate::database::{ADVISORY_LOCKS, comparable, connect, value};

/// How long the sessions of killed replicas can take to finish what they were sent.
const SESSIONS_LIMIT: Duration = Duration::from_secs(30);

const DATA: &str = "SELECT md5(string_agg(i::text, ',' ORDER BY id)) FROM items i";

const SESSIONS: &str = "SELECT concat_ws(' ', application_name, state, left(query, 80)) \
     FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
     AND backend_type = 'client backend'";

const INVALID: &str = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";

const MARKS: &str = "SELECT concat_ws(' ', migration, mark), count(*) FROM marks GROUP BY 1";

const UNFINISHED: &str = "SELECT concat_ws(' after statement ', version, progress) \
     FROM migration_ledger WHERE ended_position = 0 AND progress IS NOT NULL";

/// The lock that is a row of the ledger.
const LOCK_ROWS: &str = "SELECT count(*) FROM migration_ledger WHERE module = ''";

/// The result of a run without faults.
#[derive(Debug, Clone)]
pub struct Quiet {
    /// The set that ran.
    pub script: Script,
    /// How long the replica took, from its start to its end.
    pub took: Duration,
    /// The lock of its replicas.
    pub lock: Lock,
    name: Name,
    schema: String,
    data: String,
}

impl Quiet {
    /// Runs one replica in a new database named `quiet`.
    ///
    /// # Panics
    ///
    /// When it fails, because then faults are not what breaks a round.
    pub async fn run(cluster: &Cluster, name: Name, lock: Lock) -> Quiet {
        let client = create(cluster, "quiet").await;
        let started = Instant::now();
        let mut command = replica::command(&cluster.address("quiet"), name, lock, "replica");
        let outcome = Outcome::of(&mut command);
        let took = started.elapsed();
        assert_eq!(outcome.end, End::Ok, "a run without faults: {outcome}");
        assert_eq!(value(&client, LOCK_ROWS).await, "0", "a run without faults leaves its lock");
        let (schema, data) = (dump(cluster, "quiet"), value(&client, DATA).await);
        Quiet { script: Script::new(name), took, name, lock, schema, data }
    }

    /// The same for replicas with this lock.
    #[must_use]
    pub fn with_lock(&self, lock: Lock) -> Quiet {
        Quiet { lock, ..self.clone() }
    }

    /// Every invariant that does not hold in `database`.
    ///
    /// # Panics
    ///
    /// When the server refuses a query.
    pub async fn broken(&self, cluster: &Cluster, database: &str) -> Vec<String> {
        let client = connect(&cluster.config(database)).await;
        let mut broken = sessions(&client).await;
        broken.extend(self.ledger(&client).await);
        let counters = counts(&client, "SELECT migration, n FROM ran").await;
        broken.extend(not_once("transactional migration", &self.script.counted, &counters));
        let marks = counts(&client, MARKS).await;
        broken.extend(not_once("plain statement", &self.script.marks, &marks));
        broken.extend(column(&client, INVALID).await.iter().map(|index| invalid(index)));
        // A replica that was killed after its last migration leaves its row: no other replica needs the
        // lock then, so none removes it.
        if self.lock != Lock::Row && value(&client, LOCK_ROWS).await != "0" {
            broken.push("a lock row is left".to_owned());
        }
        if value(&client, DATA).await != self.data {
            broken.push("the data is not that of a quiet run".to_owned());
        }
        let schema = dump(cluster, database);
        if schema != self.schema {
            broken.push(format!("the schema differs: {}", difference(&self.schema, &schema)));
        }
        broken
    }

    /// How far a run came that did not end well, in one sentence instead of one for each missing object.
    ///
    /// # Panics
    ///
    /// When the server refuses a question.
    pub async fn stuck(&self, cluster: &Cluster, database: &str) -> Vec<String> {
        let client = connect(&cluster.config(database)).await;
        let entries = "SELECT count(*) FROM migration_ledger WHERE ended_position = 0";
        let entries = value(&client, entries).await;
        let mut stuck =
            vec![format!("the ledger holds {entries} of {}", self.script.versions.len())];
        stuck.extend(column(&client, UNFINISHED).await.iter().map(|entry| unfinished(entry)));
        stuck.extend(column(&client, INVALID).await.iter().map(|index| invalid(index)));
        stuck
    }

    /// How the ledger differs from a set that is applied in order, each migration once and completely.
    async fn ledger(&self, client: &Client) -> Vec<String> {
        let mut broken = Vec::new();
        let sql =
            "SELECT version FROM migration_ledger WHERE ended_position = 0 ORDER BY \"position\"";
        let versions = column(client, sql).await;
        if versions != self.script.versions {
            broken.push(format!("the ledger holds {}", versions.join(" ")));
        }
        broken.extend(column(client, UNFINISHED).await.iter().map(|entry| unfinished(entry)));
        broken
    }

    /// The command for a replica of the same set at this address, whose session has this name.
    pub fn replica(&self, address: &str, session: &str) -> Command {
        replica::command(address, self.name, self.lock, session)
    }
}

/// Creates a database, and returns a client of it.
///
/// # Panics
///
/// When the server refuses.
pub async fn create(cluster: &Cluster, database: &str) -> Client {
    let maintenance = connect(&cluster.config("postgres")).await;
    let sql = format!("CREATE DATABASE {database} TEMPLATE template0");
    maintenance.batch_execute(&sql).await.expect(&sql);
    connect(&cluster.config(database)).await
}

/// The sessions and locks that are left, after running statements had time to end.
async fn sessions(client: &Client) -> Vec<String> {
    let deadline = Instant::now() + SESSIONS_LIMIT;
    let mut left = column(client, SESSIONS).await;
    while !left.is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = column(client, SESSIONS).await;
    }
    let mut broken: Vec<String> =
        left.iter().map(|session| format!("a session is left: {session}")).collect();
    let locks = value(client, ADVISORY_LOCKS).await;
    if locks != "0" {
        broken.push(format!("{locks} advisory locks are left"));
    }
    broken
}

/// What did not run exactly once, and what ran although it is not in the set.
fn not_once(kind: &str, expected: &[String], found: &BTreeMap<String, usize>) -> Vec<String> {
    let missing = expected.iter().filter(|key| !found.contains_key(*key)).map(|key| (key, 0));
    let counted = found.iter().map(|(key, &times)| (key, times));
    let wrong = missing.chain(counted).filter(|(key, n)| *n != 1 || !expected.contains(key));
    wrong.map(|(key, times)| format!("{kind} {key} ran {times} times")).collect()
}

fn unfinished(entry: &str) -> String {
    format!("unfinished: {entry}")
}

fn invalid(index: &str) -> String {
    format!("the index {index} is INVALID")
}

/// The first column of every row.
///
/// # Panics
///
/// When the server refuses.
pub async fn column(client: &Client, sql: &str) -> Vec<String> {
    rows(client, sql).await.into_iter().map(|(first, _)| first).collect()
}

/// The first two columns of every row, the second a number.
///
/// # Panics
///
/// When the server refuses, or the second is not a number.
pub async fn counts(client: &Client, sql: &str) -> BTreeMap<String, usize> {
    let count = |(key, n): (String, String)| (key, n.parse().expect("a count"));
    rows(client, sql).await.into_iter().map(count).collect()
}

async fn rows(client: &Client, sql: &str) -> Vec<(String, String)> {
    let messages = client.simple_query(sql).await.expect(sql);
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            let text = |index| if index < row.len() { row.get(index) } else { None };
            Some((text(0).unwrap_or("NULL").to_owned(), text(1).unwrap_or_default().to_owned()))
        }
        _ => None,
    };
    messages.iter().filter_map(row).collect()
}

/// The schema as `pg_dump` writes it, [`comparable`].
fn dump(cluster: &Cluster, database: &str) -> String {
    let mut command = Command::new(cluster.program("pg_dump"));
    command.args(["--schema-only", "--dbname", &cluster.address(database)]);
    let output = command.output().expect("pg_dump, of the server's version or newer");
    assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    comparable(&String::from_utf8(output.stdout).expect("a dump in UTF-8"))
}

/// The first line in which two texts differ.
fn difference(expected: &str, found: &str) -> String {
    let lines = expected.lines().zip(found.lines()).find(|(one, other)| one != other);
    lines.map_or_else(
        || format!("{} lines instead of {}", found.lines().count(), expected.lines().count()),
        |(one, other)| format!("`{other}` instead of `{one}`"),
    )
}
