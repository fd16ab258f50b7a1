//! Who holds the lock is in every error about one, and what blocks no session is not cut by a limit.

use std::time::Duration;

use migrate_runtime::{Error, ErrorKind, Migrations, Migrator, Rollback};
use migrate_tests::cluster::Cluster;
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const TABLE: (&str, &str) = ("1_t.sql", "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1);");
/// That of the lock of `public.migration_ledger`, which is frozen.
const KEY: i64 = 5_200_608_419_534_058_480;

const INVALID: &str = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";

fn with(sql: &str) -> Migrations {
    set(&[TABLE, ("2_x.sql", sql)])
}

fn outside(sql: &str) -> Migrations {
    with(&format!("-- migrate:no-transaction\n{sql}"))
}

/// A database with [`TABLE`] applied, a client of it, and another that is in the way.
async fn with_table() -> (FreshDatabase, Client, Client) {
    let (database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&set(&[TABLE])).run(&mut client).await.expect("the table");
    let other = database.connect().await;
    other.batch_execute("SET application_name = 'in the way'").await.expect("a name");
    (database, client, other)
}

fn quick(set: &Migrations) -> Migrator<'_> {
    Migrator::new(set).lock_timeout(Duration::from_millis(20)).retries(0)
}

/// Whether `error` names the session of `other` with its `statement`.
async fn is_named(error: &Error, other: &Client, statement: &str) -> bool {
    let pid = value(other, "SELECT pg_backend_pid()").await;
    let begins = format!("\nlock held by pid {pid} (application_name `in the way`, user `");
    let text = error.to_string();
    let line = text.find(&begins).and_then(|at| text[at + 1..].lines().next());
    let ends = format!("statement `{statement}`)");
    line.is_some_and(|line| {
        line.contains(", since 20") && line.contains(", transaction ") && line.ends_with(&ends)
    })
}

#[tokio::test]
async fn holder_of_a_lock_is_named_with_its_statement() {
    for (lock, shown, sql) in [
        ("SELECT * FROM t", "SELECT * FROM t", "ALTER TABLE t ADD c int;"),
        ("LOCK TABLE t IN SHARE MODE", "LOCK TABLE t IN SHARE MODE", "UPDATE public.t SET a = 2;"),
        ("SELECT * FROM t", "SELECT * FROM t", "DO $$ BEGIN ALTER TABLE \"t\" ADD c int; END $$;"),
        ("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)", "LOCK TABLE t NOWAIT;"),
        ("SELECT a\n  FROM t", "SELECT a FROM t", "-- migrate:no-transaction\nVACUUM FULL t;"),
        (
            "SELECT * FROM t WHERE 'pg://u:secret@h/' <> ''",
            "SELECT * FROM t WHERE 'pg://u:***@h/' <> ''",
            "-- migrate:no-transaction\nVACUUM t;\nALTER TABLE t ADD c int;",
        ),
    ] {
        let (_database, mut client, mut other) = with_table().await;
        let transaction = other.transaction().await.expect("a transaction");
        transaction.batch_execute(lock).await.expect("a lock");
        let set = with(sql);
        let error = quick(&set).run(&mut client).await.expect_err("blocked");
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(failure.sqlstate.as_deref(), Some("55P03"), "{error}");
        assert_eq!(failure.held_by.len(), 1, "{error}");
        let pid = failure.held_by[0].pid.to_string();
        assert_eq!(failure.held_by[0].statement.as_deref(), Some(lock));
        let text = error.to_string();
        let line = text.lines().find(|line| line.starts_with("lock held by ")).expect("a line");
        let begins = format!("lock held by pid {pid} (application_name `in the way`, user `");
        assert!(line.starts_with(&begins), "{line}");
        assert!(line.contains(", since 20") && line.contains(", transaction 0 s old, "), "{line}");
        assert!(line.ends_with(&format!(", statement `{shown}`)")), "{line}");
        transaction.rollback().await.expect("a rollback");
        assert_eq!(value(&other, "SELECT pg_backend_pid()").await, pid);
    }
}

#[tokio::test]
async fn session_that_blocks_nothing_is_not_named() {
    let (_database, mut client, mut other) = with_table().await;
    let transaction = other.transaction().await.expect("a transaction");
    transaction.batch_execute("SELECT * FROM t").await.expect("a lock");
    let set = with("INSERT INTO t VALUES (1); SELECT 1/0 FROM t;");
    let error = quick(&set).run(&mut client).await.expect_err("a failure");
    assert!(!error.to_string().contains("lock held by"), "{error}");
    let set = with("SET LOCAL statement_timeout = 1; UPDATE t SET a = 1 FROM pg_sleep(5);");
    let error = quick(&set).run(&mut client).await.expect_err("a limit");
    assert!(error.to_string().contains("SQLSTATE 57014"), "{error}");
    assert!(!error.to_string().contains("lock held by"), "{error}");
}

#[tokio::test]
async fn holder_is_named_when_a_limit_for_statements_ends_the_wait() {
    let (_database, mut client, mut other) = with_table().await;
    let transaction = other.transaction().await.expect("a transaction");
    transaction.batch_execute("SELECT * FROM t").await.expect("a lock");
    let set = with("SET LOCAL statement_timeout = 20; ALTER TABLE t ADD c int;");
    let error = Migrator::new(&set).run(&mut client).await.expect_err("a limit");
    assert!(error.to_string().contains("SQLSTATE 57014"), "{error}");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.held_by.len(), 1, "{error}");
}

#[tokio::test]
async fn other_session_of_a_deadlock_is_named() {
    let (database, mut client, mut other) = with_table().await;
    let watcher = database.connect().await;
    client.batch_execute("CREATE TABLE u (a int)").await.expect("a table");
    let transaction = other.transaction().await.expect("a transaction");
    transaction
        .batch_execute("SET LOCAL deadlock_timeout = '1min'; LOCK TABLE u")
        .await
        .expect("u");
    let set = with(
        "SET LOCAL deadlock_timeout = '50ms'; SET LOCAL lock_timeout = 0; \
                    LOCK TABLE t; LOCK TABLE u;",
    );
    let migrator = Migrator::new(&set).retries(0);
    let run = migrator.run(&mut client);
    // It gets the lock when the run is undone, and keeps it.
    let lock = async {
        let held = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND granted \
                    AND mode = 'AccessExclusiveLock'";
        while value(&watcher, held).await == "0" {
            tokio::task::yield_now().await;
        }
        transaction.batch_execute("LOCK TABLE t").await.expect("the lock on t");
    };
    let (result, ()) = tokio::join!(run, lock);
    let error = result.expect_err("a deadlock");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.sqlstate.as_deref(), Some("40P01"), "{error}");
    assert_eq!(failure.held_by[0].statement.as_deref(), Some("LOCK TABLE t"), "{error}");
}

#[tokio::test]
async fn holder_of_the_ledgers_table_is_named() {
    let (_database, mut client, mut other) = with_table().await;
    let transaction = other.transaction().await.expect("a transaction");
    transaction.batch_execute("LOCK TABLE migration_ledger").await.expect("a lock");
    client.batch_execute("SET lock_timeout = '20ms'").await.expect("a limit");
    let set = with("SELECT 1;");
    let error = quick(&set).run(&mut client).await.expect_err("blocked");
    let ErrorKind::Database { held_by, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(held_by[0].statement.as_deref(), Some("LOCK TABLE migration_ledger"), "{error}");
    transaction.rollback().await.expect("a rollback");
    assert!(!is_named(&error, &other, "SELECT 1").await);
    assert!(is_named(&error, &other, "LOCK TABLE migration_ledger").await, "{error}");
}

/// What only reads it waits no longer than what writes it, and names the holder.
#[tokio::test]
async fn holder_of_the_ledgers_table_is_named_where_it_is_read() {
    let (_database, mut client, other) = with_table().await;
    let lock = "BEGIN; LOCK TABLE migration_ledger";
    other.batch_execute(lock).await.expect("a lock");
    let set = with("CREATE TABLE u (a int);");
    let migrator = quick(&set);
    let errors = [
        migrator.run(&mut client).await.map(drop).expect_err("run"),
        migrator.rollback(&mut client, Rollback::All).await.map(drop).expect_err("rollback"),
        migrator.forget(&mut client, 1).await.map(drop).expect_err("forget"),
        migrator.plan(&client).await.map(drop).expect_err("plan"),
        migrator.status(&client).await.map(drop).expect_err("status"),
        migrator.verify(&client).await.expect_err("verify"),
        migrator.history(&client).await.map(drop).expect_err("history"),
    ];
    for error in &errors {
        assert!(error.to_string().starts_with("reading the ledger `public.migration_ledger`: "));
        assert!(is_named(error, &other, lock).await, "{error}");
    }
    assert_eq!(value(&client, "SHOW lock_timeout").await, "0");
    let runtime = tokio::runtime::Handle::current();
    let other = std::sync::Arc::new(other);
    let migrator = migrator.retries(3).on(move |event| {
        if let migrate_runtime::Event::Retrying { .. } = event {
            let other = std::sync::Arc::clone(&other);
            runtime.spawn(async move { other.batch_execute("COMMIT").await });
        }
    });
    assert_eq!(migrator.run(&mut client).await.expect("a second try").applied.len(), 1);
    // A transaction of the caller keeps its own limit.
    client.batch_execute("BEGIN; SET LOCAL lock_timeout = '7min'").await.expect("a limit");
    quick(&set).verify(&client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value(&client, "SHOW lock_timeout").await, "7min");
}

#[tokio::test]
async fn prepared_transaction_is_named() {
    let mut server = Cluster::create();
    server.set("max_prepared_transactions=4");
    server.start();
    let config = server.config("postgres");
    let (mut client, other) = (connect(&config).await, connect(&config).await);
    Migrator::new(&set(&[TABLE])).run(&mut client).await.expect("the table");
    // One that is in no one's way, of the same session, and one of another database.
    let elsewhere = "BEGIN; CREATE TABLE u (); PREPARE TRANSACTION 'another'";
    other.batch_execute(elsewhere).await.expect("a prepared transaction");
    let template = connect(&server.config("template1")).await;
    let elsewhere = "BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'elsewhere'";
    template.batch_execute(elsewhere).await.expect("a prepared transaction");
    let sql = "BEGIN; SELECT * FROM t; PREPARE TRANSACTION 'order 7'";
    other.batch_execute(sql).await.expect("a prepared transaction");
    drop(other);
    let set = with("ALTER TABLE t ADD c int;");
    let error = quick(&set).run(&mut client).await.expect_err("blocked");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.held_by.len(), 1, "{error}");
    assert_eq!(failure.held_by[0].prepared.as_deref(), Some("order 7"), "{error}");
    let text = error.to_string();
    let line = text.lines().find(|line| line.starts_with("lock held by ")).expect("a line");
    assert!(line.starts_with("lock held by prepared transaction `order 7` (user `"), "{line}");
    assert!(line.contains(", since 20") && line.contains(", transaction 0 s old)"), "{line}");
    assert!(line.ends_with(", which COMMIT PREPARED or ROLLBACK PREPARED ends"), "{line}");
    client.batch_execute("ROLLBACK PREPARED 'order 7'").await.expect("its end");
    // One that has the lock of the ledger.
    let other = connect(&config).await;
    let sql = format!("BEGIN; SELECT pg_advisory_xact_lock({KEY}); PREPARE TRANSACTION 'order 8'");
    other.batch_execute(&sql).await.expect("a prepared transaction");
    let waits = Migrator::new(&set).wait_timeout(Duration::from_millis(1500));
    let error = waits.run(&mut client).await.expect_err("a wait");
    let ErrorKind::Busy { holder: Some(holder), .. } = error.kind() else { panic!("{error}") };
    assert_eq!((holder.pid, holder.prepared.as_deref()), (0, Some("order 8")), "{error}");
    let log = std::fs::read_to_string(server.log()).expect("the log");
    assert!(!log.contains("more than one row"), "{log}");
    client.batch_execute("ROLLBACK PREPARED 'order 8'").await.expect("its end");
    assert_eq!(quick(&set).run(&mut client).await.expect("a run").applied.len(), 1);
}

/// Runs `set` while another session holds a lock for a while that `limit` does not allow.
async fn outlasted(limit: &str, sql: &str) -> (FreshDatabase, Client, Result<usize, Error>) {
    let (database, client, mut other) = with_table().await;
    let limit = limit.replace("DATABASE", &format!("DATABASE \"{}\"", database.name()));
    client.batch_execute(&limit).await.expect("a limit");
    let mut client = database.connect().await;
    if limit.starts_with("SET") {
        client.batch_execute(&limit).await.expect("a limit");
    }
    let transaction = other.transaction().await.expect("a transaction");
    transaction.batch_execute("INSERT INTO t VALUES (2)").await.expect("a lock");
    let set = outside(sql);
    let migrator = Migrator::new(&set).retries(0);
    let watcher = database.connect().await;
    let free = async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                     AND datname = current_database()";
        while value(&watcher, waits).await == "0" {
            tokio::task::yield_now().await;
        }
        // Longer than the limit.
        value(&watcher, "SELECT pg_sleep(0.15)").await;
        transaction.rollback().await.expect("a rollback");
    };
    let (result, ()) = tokio::join!(migrator.run(&mut client), free);
    (database, client, result.map(|report| report.applied.len()))
}

#[tokio::test]
async fn limits_of_role_database_and_session_do_not_cut_what_blocks_no_session() {
    for limit in ["ALTER DATABASE SET lock_timeout = '50ms'", "SET lock_timeout = '50ms'"] {
        let (_database, client, result) =
            outlasted(limit, "CREATE INDEX CONCURRENTLY i ON t (a);").await;
        assert_eq!(result.unwrap_or_else(|error| panic!("{limit}: {error}")), 1);
        assert_eq!(value(&client, INVALID).await, "0");
        assert_eq!(value(&client, "SHOW lock_timeout").await, "50ms");
    }
}

#[tokio::test]
async fn migration_can_limit_its_own_index() {
    let sql = "SET lock_timeout = '50ms';\nCREATE INDEX CONCURRENTLY i ON t (a);";
    let (_database, client, result) = outlasted("SET lock_timeout = '50ms'", sql).await;
    let error = result.expect_err("its own limit");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.sqlstate.as_deref(), Some("55P03"), "{error}");
    assert_eq!(value(&client, INVALID).await, "1");
}

#[tokio::test]
async fn statements_outside_a_transaction_are_tried_again() {
    for sql in [
        "VACUUM FULL t;",
        "VACUUM t;\nREINDEX (VERBOSE) TABLE t;\nVACUUM t;",
        "CLUSTER t USING t_b;\nVACUUM t;",
        "SET lock_timeout = '20ms';\nCREATE INDEX CONCURRENTLY i ON t (a);",
    ] {
        let (_database, mut client, mut other) = with_table().await;
        client.batch_execute("CREATE INDEX t_b ON t (b)").await.expect("an index");
        let transaction = other.transaction().await.expect("a transaction");
        transaction.batch_execute("INSERT INTO t VALUES (2)").await.expect("a lock");
        let set = outside(sql);
        let (free, mut blocked) = tokio::sync::mpsc::unbounded_channel();
        let migrator = Migrator::new(&set).lock_timeout(Duration::from_millis(20));
        let migrator = migrator.on(move |event| {
            if let migrate_runtime::Event::Retrying { tries: 2, .. } = event {
                free.send(()).expect("a receiver");
            }
        });
        let release = async {
            blocked.recv().await.expect("a second try");
            transaction.rollback().await.expect("a rollback");
        };
        let both = async { tokio::join!(migrator.run(&mut client), release) };
        let both = tokio::time::timeout(Duration::from_mins(1), both).await;
        let (report, ()) = both.expect("a second try");
        assert_eq!(report.unwrap_or_else(|error| panic!("{sql}: {error}")).applied.len(), 1);
        assert_eq!(value(&client, INVALID).await, "0", "{sql}");
    }
}

#[tokio::test]
async fn session_that_a_run_waited_for_up_to_its_deadline_is_named() {
    let (_database, mut client, other) = with_table().await;
    other.batch_execute(&format!("SELECT pg_advisory_lock({KEY})")).await.expect("the lock");
    let set = with("ALTER TABLE t ADD c int;");
    let migrator = Migrator::new(&set).deadline(Duration::from_secs(3));
    let error = migrator.run(&mut client).await.expect_err("the deadline");
    let ErrorKind::Deadline { at: None, .. } = error.kind() else { panic!("{error}") };
    let pid = value(&other, "SELECT pg_backend_pid()").await;
    let text = error.to_string();
    let named = format!(
        " s in all; the lock on the ledger was held by pid {pid} (application_name `in the way`, "
    );
    assert!(text.contains("\nit waited ") && text.contains(&named), "{text}");
}

/// It can have values of rows, as a detail can.
#[tokio::test]
async fn statement_of_a_holder_is_hidden_with_the_details() {
    let (_database, mut client, other) = with_table().await;
    let set = with("ALTER TABLE t ADD c int;");
    let lock = format!("SELECT pg_advisory_lock({KEY}) WHERE 4711 <> 0");
    for (sql, end) in [("INSERT INTO t VALUES (4711)", "ROLLBACK"), (&*lock, "COMMIT")] {
        other.batch_execute(&format!("BEGIN; {sql}")).await.expect("a lock");
        for (migrator, shown) in [(quick(&set), true), (quick(&set).hide_details(), false)] {
            let migrator = migrator.wait_timeout(Duration::from_millis(20));
            let text = migrator.run(&mut client).await.expect_err("a lock").to_string();
            assert!(text.contains("application_name `in the way`"), "{text}");
            assert_eq!(text.contains("4711"), shown, "{text}");
        }
        other.batch_execute(end).await.expect("an end");
    }
}
