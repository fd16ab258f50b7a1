//! Several replicas at once: each migration runs exactly once, all replicas start, and nothing is left.

use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::report::SkipReason;
use migrate_runtime::{ErrorKind, Event, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{set, tables};

const REPLICAS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_replica_comes_up_and_each_migration_runs_once() {
    let database = FreshDatabase::create().await;
    let mut files = vec![("0_runs.sql".to_owned(), "CREATE TABLE runs (n int);".to_owned())];
    for n in 1..=30 {
        let sql = match n % 10 {
            5 => format!(
                "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY i{n} ON runs (n);\nINSERT INTO runs VALUES ({n});"
            ),
            _ => format!("CREATE TABLE t{n} (id int);\nINSERT INTO runs VALUES ({n});"),
        };
        files.push((format!("{n}_x.sql"), sql));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let set = Arc::new(set(&files));
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        let (set, mut client) = (Arc::clone(&set), database.connect().await);
        replicas.push(tokio::spawn(async move {
            let report = Migrator::new(&set).run(&mut client).await;
            report.unwrap_or_else(|error| panic!("{error}"))
        }));
    }
    let (mut applied, mut meanwhile) = (0, 0);
    for replica in replicas {
        let report = replica.await.expect("a replica");
        assert_eq!(report.applied.len() + report.skipped.len(), 31);
        applied += report.applied.len();
        let waited = |reason: &SkipReason| matches!(reason, SkipReason::AppliedMeanwhile);
        meanwhile += report.skipped.iter().filter(|skipped| waited(&skipped.reason)).count();
    }
    assert_eq!(applied, 31);
    println!(
        "{meanwhile} of {} skips were applied by another replica meanwhile",
        31 * (REPLICAS - 1)
    );
    let client = database.connect().await;
    let once = "SELECT concat_ws(' ', count(*), count(DISTINCT n)) FROM runs";
    assert_eq!(value(&client, once).await, "30 30");
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "31");
    assert_eq!(value(&client, "SELECT count(*) FROM pg_index WHERE NOT indisvalid").await, "0");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn lock_held_by_another_session_is_waited_for_until_the_deadline() {
    let (database, mut client) = FreshDatabase::connected().await;
    let one = set(&[("1_a.sql", "SELECT 1;")]);
    Migrator::new(&one).run(&mut client).await.expect("a run");
    let two = set(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "CREATE TABLE b (id int);")]);
    let slow =
        set(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT FROM gate; CREATE TABLE b (id int);")]);
    let mut third = database.connect().await;
    third.batch_execute("CREATE TABLE gate ()").await.expect("a table");
    let lock = third.transaction().await.expect("a transaction");
    lock.batch_execute("LOCK TABLE gate").await.expect("a lock");
    let mut other = connect(database.config().application_name("the \"other\"")).await;
    let at_work = tokio::spawn(async move {
        Migrator::new(&slow).lock_timeout(Duration::ZERO).run(&mut other).await
    });
    while value(&client, ADVISORY_LOCKS).await == "0" {
        tokio::task::yield_now().await;
    }
    let migrator = Migrator::new(&two).wait_timeout(Duration::from_millis(200));
    let error = migrator.run(&mut client).await.expect_err("busy");
    let ErrorKind::Busy { holder: Some(holder), .. } = error.kind() else { panic!("{error}") };
    let locked = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted \
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(value(&client, locked).await, holder.pid.to_string());
    assert_eq!(
        (holder.application_name.as_str(), holder.user.as_str()),
        ("the \"other\"", "postgres")
    );
    assert!(holder.since.as_ref().is_some_and(|since| since.ends_with('Z')), "{holder}");
    assert_eq!(
        error.to_string(),
        format!(
            "timed out after 200 ms waiting for the lock on `public.migration_ledger`, \
             held by {holder}\n\
             help: see what it is doing, or set a longer `.wait_timeout(..)`"
        )
    );
    lock.commit().await.expect("a release");
    // The text differs from the other's, so what it applied is drift, reported as soon as it is there.
    let error = Migrator::new(&two).run(&mut client).await.expect_err("drift");
    assert!(matches!(error.kind(), ErrorKind::Drift { .. }), "{error}");
    assert_eq!(at_work.await.expect("a task").expect("a run").applied.len(), 1);
}

#[tokio::test]
async fn unfinished_migration_that_another_replica_finished_is_not_continued_twice() {
    let (database, proxy, mut client) = CountingProxy::connected().await;
    let other = database.connect().await;
    let sql = |last: &str| format!("-- migrate:no-transaction\nCREATE TABLE t (a int);\n{last}");
    let broken = set(&[("1_x.sql", &sql("INSERT INTO t VALUES (1/0);"))]);
    Migrator::new(&broken).run(&mut client).await.expect_err("a failure");
    // Another replica takes the lock, with the key from a message of the run.
    let queries = proxy.queries();
    let key =
        queries.iter().find_map(|sql| sql.split_once("pg_try_advisory_lock(")).expect("a lock");
    let key = key.1.split(')').next().expect("a key");
    assert_eq!(value(&other, &format!("SELECT pg_try_advisory_lock({key})")).await, "t");
    proxy.reset();
    let fixed = set(&[("1_x.sql", &sql("INSERT INTO t VALUES (1);"))]);
    let migrator = Migrator::new(&fixed).allow_edited();
    let run = migrator.run(&mut client);
    let finish = async {
        while !proxy.queries().iter().any(|sql| sql.contains("pg_try_advisory_")) {
            tokio::task::yield_now().await;
        }
        // The lock is released after the progress is committed, in another message.
        let finished = "INSERT INTO t VALUES (1); UPDATE migration_ledger SET progress = NULL";
        other.batch_execute(finished).await.expect("the other replica");
        assert_eq!(value(&other, &format!("SELECT pg_advisory_unlock({key})")).await, "t");
    };
    let (report, ()) = tokio::join!(run, finish);
    assert_eq!(report.expect("a run").applied.len(), 0);
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "1");
}

#[tokio::test]
async fn dropped_run_leaves_the_client_usable() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "SELECT pg_sleep(0.3); CREATE TABLE b (id int);"),
        ("3_c.sql", "-- migrate:no-transaction\nSELECT pg_sleep(0.3);\nVACUUM a;"),
    ]);
    // Cut at every stage of the run, also before the first byte and after the last.
    for millis in [0, 1, 5, 20, 100, 350, 500, 700] {
        let migrator = Migrator::new(&set);
        let _ =
            tokio::time::timeout(Duration::from_millis(millis), migrator.run(&mut client)).await;
        assert_eq!(value(&client, "SELECT 1").await, "1");
        assert_eq!(value(&client, ADVISORY_LOCKS).await, "0", "after {millis} ms");
        assert_eq!(value(&client, "SELECT now() = statement_timestamp()").await, "t");
    }
    Migrator::new(&set).run(&mut client).await.expect("the rest");
    let ledger = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger WHERE progress IS NULL";
    assert_eq!(value(&client, ledger).await, "1 2 3");
}

#[tokio::test]
async fn futures_of_a_run_can_be_spawned() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    let migrator = Migrator::new(&set);
    assert_send(migrator.run(&mut client)).await.expect("a run");
    assert_send(migrator.status(&client)).await.expect("a status");
}

/// Its own commits were asynchronous, and the last one, which makes them durable, was another run's.
#[tokio::test]
async fn run_that_another_overtook_has_nothing_unconfirmed() {
    let (database, mut client) = FreshDatabase::connected().await;
    let (set, config) = (tables(3), database.config());
    let rest = set.clone();
    let migrator = Migrator::new(&set).chunk_bytes(1).on(move |event| {
        if let Event::Finished(applied) = event
            && applied.version == "0001"
        {
            let (rest, config) = (rest.clone(), config.clone());
            let other = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let mut other = connect(&config).await;
                    Migrator::new(&rest).run(&mut other).await.map(|report| report.applied.len())
                })
            });
            assert_eq!(other.join().expect("another replica").expect("a run"), 2);
        }
    });
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    let meanwhile = |reason| reason == SkipReason::AppliedMeanwhile;
    let skipped = report.skipped.iter().filter(|skipped| meanwhile(skipped.reason)).count();
    assert_eq!((report.applied.len(), skipped, report.unconfirmed), (1, 2, 0), "{report}");
}
