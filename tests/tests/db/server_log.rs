//! What runs leave in the server's log.

use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::{Lock, Migrations, Migrator, run_in_order};
use migrate_tests::cluster::Cluster;
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::sets::{module, set, tables};

const REPLICAS: usize = 12;

/// A server of its own, with its log.
struct LoggingServer(Cluster);

impl LoggingServer {
    fn start(settings: &[&str]) -> LoggingServer {
        let mut cluster = Cluster::create();
        settings.iter().for_each(|setting| cluster.set(setting));
        cluster.start();
        LoggingServer(cluster)
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.0.log()).expect("the log");
        assert!(log.contains("ready to accept connections"), "{log}");
        log
    }

    /// The lines of the log that a monitor reports.
    fn reported(&self) -> Vec<String> {
        let log = self.log();
        let is_reported = |line: &&str| {
            ["ERROR:", "WARNING:", "FATAL:", "PANIC:"].iter().any(|level| line.contains(level))
        };
        log.lines().filter(is_reported).map(str::to_owned).collect()
    }

    /// Boots all replicas at once; returns how many migrations they applied together.
    async fn boot(&self, set: &Arc<Migrations>, lock: Lock) -> usize {
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            let (set, mut client) = (Arc::clone(set), connect(&self.0.config("postgres")).await);
            replicas.push(tokio::spawn(async move {
                let report = Migrator::new(&set).lock(lock).run(&mut client).await;
                report.unwrap_or_else(|error| panic!("{error}"))
            }));
        }
        let mut applied = 0;
        for replica in replicas {
            let report = replica.await.expect("a replica");
            assert_eq!(report.applied.len() + report.skipped.len(), set.len());
            applied += report.applied.len();
        }
        applied
    }
}

/// Files that take a second together, some of them outside a transaction.
fn files(count: usize) -> Vec<(String, String)> {
    let file = |n: usize| {
        let sql = match n % 10 {
            0 => "SELECT pg_sleep(0.3);".to_owned(),
            5 => format!("-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY i{n} ON t1 (id);"),
            _ => format!("CREATE TABLE t{n} (id int);"),
        };
        (format!("{n}_x.sql"), sql)
    };
    (1..=count).map(file).collect()
}

fn set_of(files: &[(String, String)]) -> Arc<Migrations> {
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    Arc::new(set(&files))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ordinary_boots_leave_no_error_in_the_servers_log() {
    let server = LoggingServer::start(&[]);
    for (lock, schema) in [(Lock::Detect, "one"), (Lock::Row, "two")] {
        let admin = connect(&server.0.config("postgres")).await;
        let sql =
            format!("CREATE SCHEMA {schema}; ALTER DATABASE postgres SET search_path = {schema}");
        admin.batch_execute(&sql).await.expect("a schema");
        let files = files(30);
        assert_eq!(server.boot(&set_of(&files[..20]), lock).await, 20);
        assert_eq!(server.boot(&set_of(&files), lock).await, 10, "more is pending");
        assert_eq!(server.boot(&set_of(&files), lock).await, 0, "nothing is pending");
        assert_eq!(value(&admin, ADVISORY_LOCKS).await, "0");
        admin.batch_execute("DROP TABLE public.migration_ledger").await.expect("a ledger");
        assert_eq!(server.reported(), Vec::<String>::new(), "{}", server.log());
    }
}

#[tokio::test]
async fn verbs_leave_no_error_in_the_servers_log_where_there_is_no_ledger() {
    let server = LoggingServer::start(&[]);
    let mut client = connect(&server.0.config("postgres")).await;
    let (one, other) =
        (set(&[("1_a.sql", "SELECT 1;")]), module("other", &[("1_b.sql", "SELECT 1;")]));
    let migrator = Migrator::new(&one);
    migrator.plan(&client).await.expect("a plan");
    migrator.status(&client).await.expect("a status");
    migrator.verify(&client).await.expect_err("pending");
    assert_eq!(migrator.history(&client).await.expect("a history").len(), 0);
    migrator.trial(&mut client).await.expect("a trial");
    run_in_order([&migrator, &Migrator::new(&other)], &mut client).await.expect("two sets");
    // The quick check does not hold for the ledger of another role.
    let sql = "CREATE ROLE app SUPERUSER; ALTER TABLE migration_ledger OWNER TO app";
    client.batch_execute(sql).await.expect("another owner");
    assert_eq!(migrator.run(&mut client).await.expect("up to date").messages, 1);
    assert_eq!(server.reported(), Vec::<String>::new(), "{}", server.log());
}

#[tokio::test]
async fn where_each_statement_is_logged_a_message_has_one_migration() {
    let set = tables(3);
    for (setting, messages) in [
        ("pgaudit.log = 'none'", 3),
        ("auto_explain.log_min_duration = '-1'", 3),
        ("pgaudit.log = 'ddl, write'", 7),
        ("pgaudit.role = 'auditor'", 7),
        ("auto_explain.log_min_duration = '0'", 7),
    ] {
        let database = FreshDatabase::create().await;
        let mut client = database.connect().await;
        // Without the module, the setting is only a name.
        client.batch_execute(&format!("SET {setting}")).await.expect(setting);
        let report = Migrator::new(&set).run(&mut client).await.expect("a run");
        assert_eq!((report.applied.len(), report.messages), (3, messages), "{setting}");
    }
}

#[tokio::test]
async fn run_that_waits_leaves_no_line_in_the_servers_log() {
    let server = LoggingServer::start(&[]);
    let config = server.0.config("postgres");
    let (mut holder, mut client) = (connect(&config).await, connect(&config).await);
    let slow = set(&[("1_a.sql", "SELECT pg_sleep(2);")]);
    let at_work = tokio::spawn(async move { Migrator::new(&slow).run(&mut holder).await });
    while value(&client, ADVISORY_LOCKS).await == "0" {
        tokio::task::yield_now().await;
    }
    let before = server.log().len();
    let one = set(&[("1_a.sql", "SELECT pg_sleep(2);")]);
    let migrator = Migrator::new(&one).wait_timeout(Duration::from_secs(1));
    let error = migrator.run(&mut client).await.expect_err("busy");
    assert_eq!(error.code(), "busy", "{error}");
    assert_eq!(server.log().len(), before, "{}", server.log());
    at_work.await.expect("a task").expect("a run");
}
