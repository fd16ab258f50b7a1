//! How long a run waits: for locks of other sessions, for other replicas, and in total.

use std::sync::Arc;
use std::time::{Duration, Instant};

use migrate_runtime::adopt::Adopt;
use migrate_runtime::error::Kept;
use migrate_runtime::hook::{When, closure};
use migrate_runtime::{ErrorKind, Event, Migrations, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::set;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::block_in_place;
use tokio_postgres::Client;

const TABLE: (&str, &str) = ("1_t.sql", "CREATE TABLE t (a int);");

/// A database with [`TABLE`] applied, and a client of it.
async fn with_table() -> (FreshDatabase, Client) {
    let (database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&set(&[TABLE])).run(&mut client).await.expect("the table");
    (database, client)
}

fn alters(sql: &str) -> Migrations {
    set(&[TABLE, ("2_x.sql", sql), ("3_y.sql", "CREATE TABLE y (a int);")])
}

#[tokio::test]
async fn blocked_migration_is_tried_again_until_the_table_is_free() {
    let (database, mut client) = with_table().await;
    let mut other = database.connect().await;
    let transaction = other.transaction().await.expect("a transaction");
    transaction.batch_execute("SELECT * FROM t").await.expect("a lock");
    for (name, sql) in [
        ("transactional", "ALTER TABLE t ADD b int;"),
        ("non-transactional", "-- migrate:no-transaction\nALTER TABLE t ADD b int;\nVACUUM t;"),
    ] {
        let set = alters(sql);
        let migrator = Migrator::new(&set).lock_timeout(Duration::from_millis(20));
        let error = migrator.clone().retries(1).run(&mut client).await.expect_err("blocked");
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        assert_eq!((failure.sqlstate.as_deref(), failure.tries), (Some("55P03"), 2), "{name}");
        assert!(
            error.to_string().contains("\ntried 2 times; other sessions held locks each time"),
            "{error}"
        );
        assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
        assert_eq!(value(&client, "SHOW lock_timeout").await, "0", "{name}");
    }
    let set = alters("-- migrate:no-transaction\nALTER TABLE t ADD b int;\nVACUUM t;");
    let (blocked, migrator) = noticed(&set, |event| matches!(event, Event::Retrying { .. }));
    let migrator = migrator.lock_timeout(Duration::from_millis(20));
    let free = async {
        blocked.notified().await;
        transaction.rollback().await.expect("a rollback");
    };
    let (report, ()) = tokio::join!(migrator.run(&mut client), free);
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 2);
    assert!(report.waited >= Duration::from_millis(20), "{report:?}");
}

/// A migrator of this set, and what is notified by events of this kind.
fn noticed(
    set: &Migrations,
    is: impl Fn(&Event<'_>) -> bool + Send + Sync + 'static,
) -> (Arc<Notify>, Migrator<'_>) {
    let notify = Arc::new(Notify::new());
    let seen = Arc::clone(&notify);
    let notice = move |event: &Event<'_>| {
        if is(event) {
            seen.notify_one();
        }
    };
    (notify, Migrator::new(set).on(notice))
}

#[tokio::test]
async fn deadlocks_and_serialization_failures_are_tried_again() {
    for code in ["40P01", "40001", "55P03"] {
        let (_database, mut client) = with_table().await;
        // A sequence is not undone, so it counts the tries.
        client.batch_execute("CREATE SEQUENCE tries").await.expect("a sequence");
        let set = alters(&format!(
            "ALTER TABLE t ADD b int; DO $$ BEGIN IF nextval('tries') < 3 THEN \
             RAISE EXCEPTION 'in the way' USING ERRCODE = '{code}'; END IF; END $$;"
        ));
        let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.applied.len(), 2);
        assert_eq!(value(&client, "SELECT last_value FROM tries").await, "3");
    }
}

#[tokio::test]
async fn lock_timeout_is_the_callers_the_sessions_or_five_seconds() {
    let (_database, mut client) = with_table().await;
    client.batch_execute("CREATE TABLE seen (n serial, value text)").await.expect("a table");
    let note = "INSERT INTO seen (value) SELECT current_setting('lock_timeout');";
    let outside = format!("-- migrate:no-transaction\n{note}\nVACUUM t;");
    let own = format!("SET LOCAL lock_timeout = '7s'; {note}");
    let files = [TABLE, ("2_a.sql", note), ("3_b.sql", &outside), ("4_c.sql", &own)];
    Migrator::new(&set(&files)).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    client.batch_execute("SET lock_timeout = '9s'").await.expect("a limit");
    let files = [&files[..], &[("5_d.sql", note)]].concat();
    Migrator::new(&set(&files)).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let files = [&files[..], &[("6_e.sql", note)]].concat();
    let migrator_set = set(&files);
    let migrator = Migrator::new(&migrator_set).lock_timeout(Duration::ZERO);
    migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let seen = "SELECT string_agg(value, ' ' ORDER BY n) FROM seen";
    assert_eq!(value(&client, seen).await, "5s 5s 7s 9s 0");
    assert_eq!(value(&client, "SHOW lock_timeout").await, "9s");
}

#[tokio::test]
async fn what_blocks_no_session_has_no_lock_limit() {
    let (database, mut client) = with_table().await;
    let mut other = database.connect().await;
    let transaction = other.transaction().await.expect("a transaction");
    transaction.batch_execute("INSERT INTO t VALUES (1)").await.expect("a lock");
    let set = alters("-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);");
    let migrator = Migrator::new(&set).lock_timeout(Duration::from_millis(20));
    let free = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        transaction.rollback().await.expect("a rollback");
    };
    let (report, ()) = tokio::join!(migrator.run(&mut client), free);
    assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 2);
}

#[tokio::test]
async fn deadline_cuts_the_statement_that_runs() {
    for sql in ["SELECT pg_sleep(60);", "-- migrate:no-transaction\nSELECT pg_sleep(60);\nVACUUM;"]
    {
        let (_database, mut client) = with_table().await;
        let set = alters(sql);
        let migrator = Migrator::new(&set).deadline(Duration::from_secs(2));
        let started = Instant::now();
        let error = migrator.run(&mut client).await.expect_err("the deadline");
        assert!(started.elapsed() < Duration::from_secs(30), "cut by the server");
        let ErrorKind::Deadline { at: Some(failure), .. } = error.kind() else { panic!("{error}") };
        assert_ne!(failure.kept, Kept::Unknown);
        let text = error.to_string();
        let end = "the run exceeded its deadline of 2 s\n\
                   help: set a longer `.deadline(..)`, or split the migration";
        assert!(text.starts_with("migrations/2_x.sql:") && text.ends_with(end), "{text}");
        assert_eq!(value(&client, "SHOW statement_timeout").await, "0");
        assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    }
}

#[tokio::test]
async fn deadline_passes_between_migrations_too() {
    let (_database, mut client) = with_table().await;
    let set = set(&[
        TABLE,
        ("2_a.sql", "SELECT pg_sleep(0.1);"),
        ("3_b.sql", "SELECT pg_sleep(0.8);"),
        ("4_c.sql", "SELECT pg_sleep(0.4); SELECT pg_sleep(0.4);"),
        ("5_d.sql", "SELECT pg_sleep(0.8);"),
    ]);
    // None takes as long.
    let migrator = Migrator::new(&set).deadline(Duration::from_millis(1500));
    let error = migrator.run(&mut client).await.expect_err("the deadline");
    let ErrorKind::Deadline { .. } = error.kind() else { panic!("{error}") };
    let report = error.report().expect("a report");
    assert!(!report.applied.is_empty() && report.applied.len() < 4, "{report:?}");
    // A shorter limit of the session is kept.
    client.batch_execute("SET statement_timeout = 500").await.expect("a limit");
    let migrator = Migrator::new(&set).deadline(Duration::from_mins(1));
    let error = migrator.run(&mut client).await.expect_err("the session's limit");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.sqlstate.as_deref(), Some("57014"));
}

#[tokio::test]
async fn holder_that_a_run_waits_for_is_reported_once() {
    let (database, mut client) = with_table().await;
    let set = alters("CREATE TABLE x (a int);");
    let slow = alters("SELECT FROM t; CREATE TABLE x (a int);");
    let (mut other, mut third) = (database.connect().await, database.connect().await);
    let lock = third.transaction().await.expect("a transaction");
    lock.batch_execute("LOCK TABLE t").await.expect("a lock");
    let holder = tokio::spawn(async move {
        Migrator::new(&slow).lock_timeout(Duration::ZERO).run(&mut other).await
    });
    while value(&client, ADVISORY_LOCKS).await == "0" {
        tokio::task::yield_now().await;
    }
    let has_holder = |event: &Event<'_>| matches!(event, Event::Waiting { holder: Some(_), .. });
    let (known, migrator) = noticed(&set, has_holder);
    let migrator = migrator.allow_edited();
    let release = async {
        known.notified().await;
        lock.commit().await.expect("a release");
    };
    let (report, ()) = tokio::join!(migrator.run(&mut client), release);
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 0);
    let waited_for = report.waited_for.expect("a holder");
    assert!(waited_for.pid > 0 && waited_for.since.is_some(), "{waited_for}");
    holder.await.expect("a task").expect("a run");
}

#[tokio::test]
async fn while_another_replica_applies_a_run_only_looks() {
    let database = FreshDatabase::create().await;
    let proxy = CountingProxy::start(&database.config()).await;
    let (mut first, mut second) = (database.connect().await, proxy.connect().await);
    let sql = "SELECT pg_sleep(0.03);";
    let names: Vec<String> = (1..=40).map(|n| format!("{n}_x.sql")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), sql)).collect();
    let set = set(&files);
    let migrator = Migrator::new(&set);
    let other = async {
        let look = database.connect().await;
        while value(&look, "SELECT to_regclass('migration_ledger') IS NULL").await == "t" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.reset();
        migrator.run(&mut second).await.expect("a run")
    };
    let (one, other) = tokio::join!(migrator.run(&mut first), other);
    let one = one.expect("a run");
    assert_eq!(one.applied.len() + other.applied.len(), 40);
    let queries = proxy.queries();
    let tries = queries.iter().filter(|sql| sql.contains("pg_sleep")).count();
    // The other run takes 1.2 s, and a wait is at most half a second; a try after each wait would take six.
    assert!(tries <= 3, "{tries} tries, {} messages", queries.len());
    assert!(other.waited >= Duration::from_millis(500), "{other:?}");
}

/// Another session locks the ledger after it was read, and until the run pauses.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lock_on_the_ledger_is_waited_for_as_one_on_a_table() {
    for sql in ["CREATE TABLE x (a int);", "-- migrate:no-transaction\nCREATE TABLE x (a int);"] {
        let (database, mut client) = with_table().await;
        client.batch_execute("SET lock_timeout = '20ms'").await.expect("a limit");
        let other = Arc::new(database.connect().await);
        let (locking, set) = (Arc::clone(&other), set(&[TABLE, ("2_x.sql", sql)]));
        let lock = closure(move |_| {
            let locking = Arc::clone(&locking);
            let sql = "BEGIN; LOCK TABLE migration_ledger";
            Box::pin(async move { Ok(locking.batch_execute(sql).await?) })
        });
        let runtime = Handle::current();
        let migrator = Migrator::new(&set).hook(When::BeforeRun, lock).on(move |event| {
            if matches!(event, Event::Retrying { .. }) {
                let commit = other.batch_execute("COMMIT");
                block_in_place(|| runtime.block_on(commit)).expect("a commit");
            }
        });
        let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.applied.len(), 1, "{sql}");
    }
}

/// As a run is.
#[tokio::test]
async fn trials_and_adoptions_are_tried_again_too() {
    let (database, mut client) = with_table().await;
    let other = database.connect().await;
    let old = "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL); \
               INSERT INTO schema_migrations VALUES (2, false)";
    client.batch_execute(old).await.expect("a table");
    let set = alters("ALTER TABLE t ADD b int;");
    for (table, is_trial) in [("t", true), ("schema_migrations", false)] {
        let (blocked, migrator) = noticed(&set, |event| matches!(event, Event::Retrying { .. }));
        let migrator = migrator.lock_timeout(Duration::from_millis(20));
        other.batch_execute(&format!("BEGIN; LOCK TABLE {table}")).await.expect("a lock");
        let free = async {
            blocked.notified().await;
            other.batch_execute("COMMIT").await.expect("a commit");
        };
        let verb = async {
            if is_trial {
                migrator.trial(&mut client).await.map(|trial| trial.ran.len())
            } else {
                let report = migrator.adopt(&mut client, Adopt::GolangMigrate).await;
                report.map(|report| report.amended.len())
            }
            .unwrap_or_else(|error| panic!("{table}: {error}"))
        };
        let (count, ()) = tokio::join!(verb, free);
        assert_eq!(count, if is_trial { 2 } else { 1 }, "{table}");
    }
}

/// What runs before the blocked migration is undone with it, so it is no reason to go on.
#[tokio::test]
async fn blocked_trial_is_tried_as_often_as_a_run() {
    let (database, mut client) = with_table().await;
    let other = database.connect().await;
    other.batch_execute("BEGIN; SELECT * FROM t").await.expect("a lock");
    let set = set(&[TABLE, ("2_y.sql", "CREATE TABLE y ();"), ("3_t.sql", "DROP TABLE t;")]);
    let migrator = Migrator::new(&set).lock_timeout(Duration::from_millis(20)).retries(1);
    let migrator = migrator.deadline(Duration::from_secs(10));
    let error = migrator.trial(&mut client).await.expect_err("blocked");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((failure.sqlstate.as_deref(), failure.tries), (Some("55P03"), 2));
}

/// A migration is blocked by a table first, and then another replica has the lock.
#[tokio::test]
async fn pauses_before_another_try_do_not_count_as_waits_for_other_replicas() {
    let (database, mut client) = with_table().await;
    let (table, lock) = (database.connect().await, database.connect().await);
    table.batch_execute("BEGIN; SELECT * FROM t").await.expect("a lock");
    let set = alters("ALTER TABLE t ADD b int;");
    let (blocked, migrator) = noticed(&set, |e| matches!(e, Event::Retrying { tries: 2, .. }));
    // The first pause is 125 to 375 ms, the second 250 to 750 ms.
    let migrator = migrator.lock_timeout(Duration::from_millis(20));
    let waits = Arc::new(Notify::new());
    let migrator = migrator.wait_timeout(Duration::from_millis(300)).on({
        let waits = Arc::clone(&waits);
        move |event| {
            if let Event::Waiting { .. } = event {
                waits.notify_one();
            }
        }
    });
    let replica = async {
        blocked.notified().await;
        let key = 5_200_608_419_534_058_480_i64;
        lock.batch_execute(&format!("SELECT pg_advisory_lock({key})")).await.expect("the lock");
        table.batch_execute("ROLLBACK").await.expect("a rollback");
        waits.notified().await;
        lock.batch_execute("SELECT pg_advisory_unlock_all()").await.expect("no lock");
    };
    let run = async {
        let report = migrator.run(&mut client).await;
        report.unwrap_or_else(|error| panic!("{error}"))
    };
    let (report, ()) = tokio::join!(run, replica);
    assert_eq!(report.applied.len(), 2);
}
