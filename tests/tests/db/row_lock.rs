//! The lock row: when a run takes it, when it takes it over, and what it costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use migrate_runtime::hook::{When, closure};
use migrate_runtime::report::LockKind;
use migrate_runtime::{ErrorKind, Lock, Migrations, Migrator, Report, Rollback};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::set;
use tokio_postgres::Client;

const LOCK_ROWS: &str = "SELECT count(*) FROM migration_ledger WHERE module = ''";

/// What all replicas of [`mixed`] together must leave: rows of `t`, entries, valid indexes.
const LEFT: &str = "SELECT concat_ws(' ', (SELECT count(*) FROM t), \
     (SELECT string_agg(version, ' ' ORDER BY \"position\") FROM migration_ledger \
     WHERE ended_position = 0 AND progress IS NULL), \
     (SELECT count(*) FROM pg_index WHERE indexrelid = 't_a'::regclass AND indisvalid))";

const FIRST: (&str, &str) = ("1_t.sql", "CREATE TABLE t (a int);");
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const GONE: &str = "took over the lock of pid 999999 (application_name `dead`, user `postgres`";

/// Transactional and non-transactional migrations in turn, each of which counts that it ran.
fn mixed() -> Migrations {
    set(&[
        FIRST,
        ("2_a.sql", "INSERT INTO t VALUES (2); SELECT pg_sleep(0.02);"),
        (
            "3_b.sql",
            "-- migrate:no-transaction\n\
             INSERT INTO t VALUES (3);\nCREATE INDEX CONCURRENTLY t_a ON t (a);\n\
             INSERT INTO t VALUES (33);",
        ),
        ("4_c.sql", "INSERT INTO t VALUES (4);"),
    ])
}

fn second() -> Migrations {
    set(&[FIRST, ("2_a.sql", "INSERT INTO t VALUES (2);")])
}

/// All of them at the same time, each with its kind of lock.
async fn together(replicas: Vec<(Client, Lock)>, set: &Migrations) -> Vec<Report> {
    let mut tasks = Vec::new();
    for (mut client, lock) in replicas {
        let set = set.clone();
        tasks.push(tokio::spawn(async move {
            let report = Migrator::new(&set).lock(lock).run(&mut client).await;
            report.unwrap_or_else(|error| panic!("{error}"))
        }));
    }
    let mut reports = Vec::new();
    for task in tasks {
        reports.push(task.await.expect("a replica"));
    }
    reports
}

fn applied(reports: &[Report]) -> usize {
    reports.iter().map(|report| report.applied.len()).sum()
}

/// A role that can create in `public` and cannot take advisory locks.
async fn role_without_advisory_locks(database: &FreshDatabase) -> String {
    let owner = database.connect().await;
    let role = format!("role_{}", database.name());
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{role}'; GRANT CREATE, USAGE ON SCHEMA public TO {role}; \
         REVOKE EXECUTE ON FUNCTION pg_try_advisory_lock(bigint), \
         pg_try_advisory_xact_lock(bigint), pg_advisory_unlock(bigint) FROM PUBLIC"
    );
    owner.batch_execute(&sql).await.expect("a role");
    role
}

async fn login(database: &FreshDatabase, role: &str) -> Client {
    connect(database.config().user(role).password(role)).await
}

#[tokio::test]
async fn role_without_advisory_locks_takes_the_row() {
    let database = FreshDatabase::create().await;
    let role = role_without_advisory_locks(&database).await;
    let mut replicas = Vec::new();
    for _ in 0..8 {
        replicas.push((login(&database, &role).await, Lock::Detect));
    }
    let reports = together(replicas, &mixed()).await;
    assert_eq!(applied(&reports), 4);
    let note = "this role cannot take advisory locks; the run locked with a row of the ledger";
    for report in reports.iter().filter(|report| !report.applied.is_empty()) {
        assert_eq!(report.lock, LockKind::Row);
        assert_eq!(report.notes, [note]);
    }
    let owner = database.connect().await;
    assert_eq!(value(&owner, LEFT).await, "4 1 2 3 4 1");
    assert_eq!(value(&owner, LOCK_ROWS).await, "0");
}

#[tokio::test]
async fn role_without_advisory_locks_is_refused_where_only_those_will_do() {
    let database = FreshDatabase::create().await;
    let role = role_without_advisory_locks(&database).await;
    let mut client = login(&database, &role).await;
    let refused = "this role cannot take the advisory lock of `public.migration_ledger`\n\
                   help: grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
                   pg_advisory_unlock, or use `.lock(Lock::Row)`";
    let outside = set(&[("1_v.sql", "-- migrate:no-transaction\nVACUUM;")]);
    for set in [mixed(), outside] {
        let migrator = Migrator::new(&set).lock(Lock::Advisory);
        let error = migrator.run(&mut client).await.expect_err("no lock");
        assert!(matches!(error.kind(), ErrorKind::NoAdvisoryLock { .. }), "{error}");
        assert_eq!(error.to_string(), refused);
    }
    let owner = database.connect().await;
    assert_eq!(value(&owner, "SELECT to_regclass('migration_ledger')").await, "NULL");
}

/// A ledger with the first migration, and the lock row of a holder that is gone, renewed this many
/// seconds ago.
async fn with_dead_holder(seconds_ago: u32) -> (FreshDatabase, Client) {
    let (database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&set(&[FIRST])).run(&mut client).await.expect("the table");
    let row = format!(
        "INSERT INTO migration_ledger (module, version, kind, name, filename, checksum_algorithm, \
         \"position\", applied_at, execution_ms, applied_by, application, ended_position, progress) VALUES \
         ('', 'lock', 'lock', '', '{TOKEN}', '', 1::bigint << 62, clock_timestamp() - interval \
         '{seconds_ago} s', 30000, 'postgres', 'dead', 1::bigint << 62, 999999)"
    );
    client.batch_execute(&row).await.expect("a lock row");
    (database, client)
}

#[tokio::test]
async fn lock_of_a_dead_holder_is_taken_over_by_either_kind() {
    for lock in [Lock::Row, Lock::Detect] {
        let (_database, mut client) = with_dead_holder(31).await;
        let set = second();
        let report = Migrator::new(&set).lock(lock).run(&mut client).await;
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.applied.len(), 1);
        let [note] = report.notes.as_slice() else { panic!("{:?}", report.notes) };
        assert!(note.starts_with(GONE) && note.ends_with(", which is gone"), "{note}");
        assert_eq!(value(&client, LOCK_ROWS).await, "0");
        assert_eq!(value(&client, "SELECT count(*) FROM t").await, "1");
    }
}

#[tokio::test]
async fn lock_that_has_not_expired_is_waited_for() {
    for lock in [Lock::Row, Lock::Detect] {
        let (_database, mut client) = with_dead_holder(0).await;
        let set = second();
        let migrator = Migrator::new(&set).lock(lock).wait_timeout(Duration::from_millis(100));
        let error = migrator.run(&mut client).await.expect_err("busy");
        let ErrorKind::Busy { holder: Some(holder), .. } = error.kind() else { panic!("{error}") };
        let named = (holder.pid, holder.application_name.as_str(), holder.user.as_str());
        assert_eq!(named, (999_999, "dead", "postgres"));
        assert_eq!(
            error.to_string(),
            format!(
                "timed out after 100 ms waiting for the lock on `public.migration_ledger`, \
                 held by {holder}\n\
                 help: see what it is doing, or set a longer `.wait_timeout(..)`; if it is certainly \
                 gone, `DELETE FROM \"public\".\"migration_ledger\" WHERE module = '' AND \
                 version = 'lock'` removes its lock"
            )
        );
        assert_eq!(value(&client, LOCK_ROWS).await, "1");
        // With nothing to apply, the run does not take the lock.
        let report = Migrator::new(&migrate_tests::sets::set(&[FIRST])).run(&mut client).await;
        assert_eq!(report.expect("a run").messages, 1);
    }
}

#[tokio::test]
async fn lock_of_a_living_session_is_not_taken_over() {
    let (database, mut client) = with_dead_holder(3600).await;
    let holder = database.connect().await;
    let pid = value(&holder, "SELECT pg_backend_pid()").await;
    let its = format!(
        "UPDATE migration_ledger SET progress = {pid}, applied_at = clock_timestamp(), \
         execution_ms = -1 WHERE version = 'lock'"
    );
    client.batch_execute(&its).await.expect("its lock, expired");
    let set = second();
    let migrator = Migrator::new(&set).lock(Lock::Row);
    let impatient = migrator.clone().wait_timeout(Duration::from_millis(200));
    let error = impatient.run(&mut client).await.expect_err("busy");
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    drop(holder);
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    while value(&client, &gone).await != "0" {
        tokio::task::yield_now().await;
    }
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((report.applied.len(), report.notes.len()), (1, 1));
}

#[tokio::test]
async fn lock_through_a_pooler_whose_statement_still_runs_is_not_taken_over() {
    let (database, mut client) = with_dead_holder(3600).await;
    let pooled = "UPDATE migration_ledger SET kind = 'pooled lock' WHERE version = 'lock'";
    client.batch_execute(pooled).await.expect("an update");
    let holder = database.connect().await;
    let cancel = holder.cancel_token();
    let statement = format!("/* {TOKEN} */ SELECT pg_sleep(600)");
    let sleeping = tokio::spawn(async move { holder.batch_execute(&statement).await });
    let runs = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event = 'PgSleep'";
    while value(&client, runs).await == "0" {
        tokio::task::yield_now().await;
    }
    let set = second();
    let migrator = Migrator::new(&set).lock(Lock::Row);
    let impatient = migrator.clone().wait_timeout(Duration::from_millis(200));
    let error = impatient.run(&mut client).await.expect_err("busy");
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    assert_eq!(value(&client, LOCK_ROWS).await, "1");
    cancel.cancel_query(tokio_postgres::NoTls).await.expect("a request to cancel");
    sleeping.await.expect("a task").expect_err("cancelled");
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((report.applied.len(), report.notes.len()), (1, 1));
    assert_eq!(value(&client, LOCK_ROWS).await, "0");
}

#[tokio::test]
async fn both_kinds_of_lock_keep_each_other_out() {
    let database = FreshDatabase::create().await;
    let mut replicas = Vec::new();
    for index in 0..8 {
        let lock = if index % 2 == 0 { Lock::Row } else { Lock::Detect };
        replicas.push((database.connect().await, lock));
    }
    let reports = together(replicas, &mixed()).await;
    assert_eq!(applied(&reports), 4);
    let kinds = reports.iter().filter(|report| report.lock == LockKind::Row).count();
    assert_eq!(kinds, 4);
    let client = database.connect().await;
    assert_eq!(value(&client, LEFT).await, "4 1 2 3 4 1");
    assert_eq!(value(&client, LOCK_ROWS).await, "0");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn dropped_run_gives_the_row_back() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[
        FIRST,
        ("2_a.sql", "SELECT pg_sleep(0.2); INSERT INTO t VALUES (2);"),
        (
            "3_b.sql",
            "-- migrate:no-transaction\nSELECT pg_sleep(0.2);\nVACUUM t;\n\
             INSERT INTO t VALUES (3);",
        ),
    ]);
    Migrator::new(&migrate_tests::sets::set(&[FIRST])).run(&mut client).await.expect("a ledger");
    let migrator = Migrator::new(&set).lock(Lock::Row);
    let mut dropped = 0;
    for millis in [0, 1, 3, 10, 50, 210, 250, 400] {
        let limit = Duration::from_millis(millis);
        let run = tokio::time::timeout(limit, migrator.run(&mut client)).await;
        dropped += u32::from(run.is_err());
        // After everything that the run had sent.
        assert_eq!(value(&client, LOCK_ROWS).await, "0", "after {millis} ms");
        assert_eq!(value(&client, "SELECT now() = statement_timestamp()").await, "t");
    }
    assert!(dropped > 2, "{dropped} were dropped");
    migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    let once = "SELECT string_agg(a::text, ' ' ORDER BY a) FROM t";
    assert_eq!(value(&client, once).await, "2 3");
    assert_eq!(value(&client, LOCK_ROWS).await, "0");
}

#[tokio::test]
async fn the_row_costs_two_messages_more_and_nothing_pending_none() {
    let (_database, proxy, mut client) = CountingProxy::connected().await;
    let (one, two) = (set(&[FIRST]), second());
    // Read, lock, claim, apply, release; the ledger is created with the claim.
    for (set, expected) in [(&one, 5), (&one, 1), (&two, 5), (&two, 1)] {
        proxy.reset();
        let report = Migrator::new(set).lock(Lock::Row).run(&mut client).await;
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.messages, expected);
        assert_eq!(proxy.queries().len(), expected as usize, "{:?}", proxy.queries());
    }
}

/// As if another run had taken it over, and had ended.
#[tokio::test]
async fn run_whose_row_was_taken_over_takes_it_again() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = second();
    let is_taken = AtomicBool::new(false);
    let take = closure(move |client| {
        let is_first = !is_taken.swap(true, Ordering::Relaxed);
        Box::pin(async move {
            if is_first {
                client.batch_execute("DELETE FROM migration_ledger WHERE module = ''").await?;
            }
            Ok(())
        })
    });
    let migrator = Migrator::new(&set).lock(Lock::Row).hook(When::AfterEach, take);
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 2);
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "1");
    assert_eq!(value(&client, LOCK_ROWS).await, "0");
}

#[tokio::test]
async fn every_verb_reports_its_kind_of_lock() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_t.sql", "-- UP\nCREATE TABLE t ();\n-- DOWN\nDROP TABLE t;")]);
    let migrator = Migrator::new(&set).lock(Lock::Row);
    assert_eq!(migrator.run(&mut client).await.expect("a run").lock, LockKind::Row);
    let report = migrator.rollback(&mut client, Rollback::All).await.expect("a rollback");
    assert_eq!(report.lock, LockKind::Row);
    let report = migrator.baseline(&mut client, 1).await.expect("a baseline");
    assert_eq!(report.lock, LockKind::Row);
    let down = migrator.redo(&mut client).await.expect_err("no table");
    assert_eq!(down.report().expect("a report").lock, LockKind::Row);
}
