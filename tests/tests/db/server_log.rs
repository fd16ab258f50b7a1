//! What runs leave in the server's log.

use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::{Error, ErrorKind, Lock, Migrations, Migrator, Report, run_in_order};
use migrate_tests::cluster::Cluster;
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{module, set, tables, unparsed};

const REPLICAS: usize = 12;

/// A server of its own, with its log.
struct LoggingServer(Cluster);

impl LoggingServer {
    fn start() -> LoggingServer {
        let mut cluster = Cluster::create();
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

    /// Boots all replicas at once, as this role.
    async fn outcomes(
        &self,
        (role, database): (&str, &str),
        set: &Arc<Migrations>,
        lock: Lock,
    ) -> Vec<Result<Report, Error>> {
        let mut config = self.0.config(database);
        config.user(role);
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            let (set, mut client) = (Arc::clone(set), connect(&config).await);
            let run = async move { Migrator::new(&set).lock(lock).run(&mut client).await };
            replicas.push(tokio::spawn(run));
        }
        let mut outcomes = Vec::new();
        for replica in replicas {
            outcomes.push(replica.await.expect("a replica"));
        }
        outcomes
    }

    /// Boots all replicas at once, as this role; returns how many migrations they applied together.
    async fn boot(&self, role: &str, set: &Arc<Migrations>, lock: Lock) -> usize {
        let mut applied = 0;
        for outcome in self.outcomes((role, "postgres"), set, lock).await {
            let report = outcome.unwrap_or_else(|error| panic!("{error}"));
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
    let server = LoggingServer::start();
    for (lock, schema) in [(Lock::Detect, "one"), (Lock::Row, "two")] {
        let admin = connect(&server.0.config("postgres")).await;
        let sql =
            format!("CREATE SCHEMA {schema}; ALTER DATABASE postgres SET search_path = {schema}");
        admin.batch_execute(&sql).await.expect("a schema");
        let files = files(30);
        assert_eq!(server.boot("postgres", &set_of(&files[..20]), lock).await, 20);
        assert_eq!(server.boot("postgres", &set_of(&files), lock).await, 10, "more is pending");
        assert_eq!(server.boot("postgres", &set_of(&files), lock).await, 0, "nothing is pending");
        assert_eq!(value(&admin, ADVISORY_LOCKS).await, "0");
        admin.batch_execute("DROP TABLE public.migration_ledger").await.expect("a ledger");
        assert_eq!(server.reported(), Vec::<String>::new(), "{}", server.log());
    }
}

#[tokio::test]
async fn verbs_leave_no_error_in_the_servers_log_where_there_is_no_ledger() {
    let server = LoggingServer::start();
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
        ("pgaudit.log = 'NONE'", 3),
        ("auto_explain.log_min_duration = '10s'", 3),
        ("auto_explain.log_min_duration = '-1'", 3),
        ("pgaudit.log = 'ddl, write'", 7),
        ("pgaudit.role = 'auditor'", 7),
        ("auto_explain.log_min_duration = '0'", 7),
    ] {
        let (_database, mut client) = FreshDatabase::connected().await;
        // Without the module, the setting is only a name.
        client.batch_execute(&format!("SET {setting}")).await.expect(setting);
        let report = Migrator::new(&set).run(&mut client).await.expect("a run");
        assert_eq!((report.applied.len(), report.messages), (3, messages), "{setting}");
    }
}

#[tokio::test]
async fn run_that_waits_leaves_no_line_in_the_servers_log() {
    let server = LoggingServer::start();
    let config = server.0.config("postgres");
    let (mut holder, mut client) = (connect(&config).await, connect(&config).await);
    let slow = set(&[("1_a.sql", "SELECT pg_sleep(6);")]);
    let at_work = tokio::spawn(async move { Migrator::new(&slow).run(&mut holder).await });
    while value(&client, ADVISORY_LOCKS).await == "0" {
        tokio::task::yield_now().await;
    }
    let before = server.log().len();
    let one = set(&[("1_a.sql", "SELECT pg_sleep(2);")]);
    let migrator = Migrator::new(&one).wait_timeout(Duration::from_secs(1));
    let error = migrator.run(&mut client).await.expect_err("busy");
    assert_eq!(error.code(), "busy", "{error}");
    let error = migrator.trial(&mut client).await.expect_err("busy");
    assert_eq!(error.code(), "busy", "{error}");
    // As services do that had their tables before they had a ledger.
    let error = migrator.baseline(&mut client, 1).await.expect_err("busy");
    assert_eq!(error.code(), "busy", "{error}");
    assert_eq!(server.log().len(), before, "{}", server.log());
    at_work.await.expect("a task").expect("a run");
}

/// As some guides to hardening advise. The role sees the messages of its own sessions all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn role_without_pg_stat_activity_leaves_no_error_in_the_servers_log() {
    let server = LoggingServer::start();
    let admin = connect(&server.0.config("postgres")).await;
    let sql = "REVOKE SELECT ON pg_stat_activity FROM PUBLIC; CREATE ROLE small LOGIN; \
               GRANT CREATE ON SCHEMA public TO small";
    admin.batch_execute(sql).await.expect("a role");
    for (lock, count, new) in [(Lock::Detect, 20, 20), (Lock::Row, 30, 10)] {
        let set = set_of(&files(count));
        assert_eq!(server.boot("small", &set, lock).await, new);
        assert_eq!(value(&admin, ADVISORY_LOCKS).await, "0");
        assert_eq!(server.reported(), Vec::<String>::new(), "{}", server.log());
    }
}

/// As services do that had their tables before they had a ledger.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_record_a_baseline_leave_no_error_in_the_servers_log() {
    let server = LoggingServer::start();
    let set = Arc::new(tables(40));
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        let (set, mut client) = (Arc::clone(&set), connect(&server.0.config("postgres")).await);
        replicas.push(tokio::spawn(async move {
            let migrator = Migrator::new(&set);
            let report = migrator.baseline(&mut client, 40).await;
            report.unwrap_or_else(|error| panic!("{error}")).amended.len()
        }));
    }
    let mut amended = 0;
    for replica in replicas {
        amended += replica.await.expect("a replica");
    }
    assert_eq!(amended, 40);
    assert_eq!(server.reported(), Vec::<String>::new(), "{}", server.log());
}

/// The position of the ledger stays the same while they fail, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_with_a_failing_migration_all_report_it_and_log_only_it() {
    let broken = [
        "SELECT pg_sleep(0.01);\nSELECT 1 / 0;",
        "-- migrate:no-transaction\nSELECT pg_sleep(0.01);\nVACUUM;\nSELECT 1 / 0;",
        "-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);",
    ];
    let server = LoggingServer::start();
    let admin = connect(&server.0.config("postgres")).await;
    let mut expected = 0;
    for (lock, prefix) in [(Lock::Detect, "a"), (Lock::Row, "b")] {
        for (n, sql) in broken.iter().enumerate() {
            let database = format!("{prefix}{n}");
            admin.batch_execute(&format!("CREATE DATABASE {database}")).await.expect("a database");
            let table = "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1), (1);";
            let set = Arc::new(set(&[("1_t.sql", table), ("2_x.sql", sql)]));
            for outcome in server.outcomes(("postgres", &database), &set, lock).await {
                let error = outcome.expect_err("a failure");
                let is_it = matches!(error.kind(), ErrorKind::Migration { .. });
                assert!(is_it, "{lock:?}, {sql}: {error}");
            }
            expected += REPLICAS;
        }
    }
    let reported = server.reported();
    let others = ["division by zero", "could not create unique index"];
    let is_other = |line: &&String| !others.iter().any(|error| line.contains(error));
    assert_eq!(reported.iter().find(is_other), None);
    assert_eq!(reported.len(), expected);
}

/// The migrations of a message that the server cannot parse are sent one by one, and no guard is the first to try
/// the lock, because its refusal would be logged.
#[tokio::test]
async fn lock_is_taken_before_each_message_also_after_a_syntax_error() {
    let (_database, proxy, mut client) = CountingProxy::connected().await;
    let files = [("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;"), ("3_c.sql", "SELEC 3;")];
    Migrator::new(&unparsed(&files)).run(&mut client).await.expect_err("a syntax error");
    let queries = proxy.queries();
    let guard = "NOT pg_catalog.pg_try_advisory_xact_lock(";
    let messages: Vec<&String> = queries.iter().filter(|sql| sql.contains(guard)).collect();
    assert_eq!(messages.len(), 4, "all of them, then one by one");
    for message in messages {
        assert!(message.starts_with("SELECT 1 "), "it does not continue a transaction: {message}");
    }
}
