//! Connections whose reads are answered by a lagging replica, or by a cache.

use std::time::Duration;

use migrate_runtime::{ErrorKind, Lock, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::router::{Router, Rule};
use migrate_tests::sets::tables;

const LEDGER: &str = "\"public\".\"migration_ledger\"";
const COPY: &str = "\"stale\".\"migration_ledger\"";

/// As Pgpool-II and its like: a message that begins with `SELECT` is read elsewhere.
fn reads(sql: &str) -> Option<String> {
    sql.starts_with("SELECT").then(|| sql.replace(LEDGER, COPY))
}

/// Each statement is sent by itself, also inside a transaction.
fn every_read(sql: &str) -> Option<String> {
    let is_guard = sql.contains("pg_try_advisory_xact_lock");
    (!is_guard).then(|| sql.replace(LEDGER, COPY))
}

/// A database with the first of three migrations applied, and a copy of its ledger from before that, read
/// by the rule.
async fn lagging(rule: Rule, lock: Lock) -> (FreshDatabase, Router) {
    let (database, mut client) = FreshDatabase::connected().await;
    let copy = "CREATE SCHEMA stale; \
                CREATE TABLE stale.migration_ledger (LIKE public.migration_ledger INCLUDING ALL)";
    Migrator::new(&tables(1)).lock(lock).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    client.batch_execute(copy).await.expect(copy);
    let router = Router::start(&database.config(), rule).await;
    (database, router)
}

#[tokio::test]
async fn run_reads_where_its_guards_run() {
    let (database, router) = lagging(reads, Lock::Detect).await;
    let mut client = router.connect().await;
    let set = tables(3);
    let migrator = Migrator::new(&set).wait_timeout(Duration::from_mins(1));
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((report.applied.len(), report.skipped.len()), (2, 1));
    let direct = database.connect().await;
    assert_eq!(value(&direct, "SELECT count(*) FROM migration_ledger").await, "3");
}

/// The row of a run that has ended is in the copy, with a process that never existed.
#[tokio::test]
async fn lock_row_of_a_copy_is_not_waited_for() {
    let (database, router) = lagging(reads, Lock::Row).await;
    let direct = database.connect().await;
    let row = "INSERT INTO stale.migration_ledger (module, version, kind, name, filename, \
               checksum_algorithm, position, applied_at, execution_ms, applied_by, progress) \
               VALUES ('', 'lock', 'lock', 'gone', 'token', '', 1::bigint << 62, now(), 3600000, \
               session_user, 424242)";
    direct.batch_execute(row).await.expect(row);
    let mut client = router.connect().await;
    let set = tables(3);
    let migrator = Migrator::new(&set).lock(Lock::Row).wait_timeout(Duration::from_mins(1));
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 2);
}

#[tokio::test]
async fn ledger_that_is_always_read_elsewhere_is_reported() {
    let (_database, router) = lagging(every_read, Lock::Detect).await;
    let mut client = router.connect().await;
    let set = tables(2);
    let migrator = Migrator::new(&set);
    let error = migrator.run(&mut client).await.expect_err("another ledger");
    assert!(matches!(error.kind(), ErrorKind::ReadsElsewhere { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "this connection reads `public.migration_ledger` from another server than it writes to, or from a cache\n\
         help: connect to the primary directly, or make what lies in between send it every statement"
    );
    // What cannot be noticed by reading is at least the same for both.
    assert_eq!(migrator.status(&client).await.expect("a status").pending(), 2);
    let error = migrator.verify(&client).await.expect_err("pending");
    assert!(
        matches!(error.kind(), ErrorKind::Pending { versions } if versions.len() == 2),
        "{error}"
    );
}
