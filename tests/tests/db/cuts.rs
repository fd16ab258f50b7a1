//! What a run does at its deadline when the server does not end by itself what it was sent, and when the connection
//! breaks while it asks why something failed.

use std::time::Duration;

use migrate_runtime::{Error, ErrorKind, Migrations, Migrator};
use migrate_tests::cluster::Cluster;
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::fault::{self, Direction, Fault, Traffic};
use migrate_tests::sets::{set, unparsed};

const DEADLINE: Duration = Duration::from_secs(1);

const APPLIED: &str = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger";

/// No limit of the server ends the wait of a commit; a cancel does, and the commit is then complete.
#[tokio::test]
async fn deadline_ends_a_commit_that_waits_for_a_standby() {
    let mut cluster = Cluster::create();
    cluster.set("synchronous_standby_names=no_such_standby");
    cluster.start();
    let mut client = connect(&cluster.config("postgres")).await;
    client.batch_execute("SET synchronous_commit = local").await.expect("a setting");
    let first = set(&[("1_a.sql", "CREATE TABLE a (x int);")]);
    Migrator::new(&first).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));

    client.batch_execute("RESET synchronous_commit").await.expect("a setting");
    let second =
        set(&[("1_a.sql", "CREATE TABLE a (x int);"), ("2_b.sql", "CREATE TABLE b (x int);")]);
    let migrator = Migrator::new(&second).deadline(DEADLINE);
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 1);
    assert_eq!(
        report.notes,
        [
            "the run was complete when it was cancelled; if a commit waited for a synchronous standby, \
          that may not have it"
        ]
    );
    assert_eq!(value(&client, APPLIED).await, "1 2");

    // So does a verb that changes only the ledger, also one that creates it.
    let migrator = Migrator::new(&second).table("other").deadline(DEADLINE);
    let recorded =
        migrator.baseline(&mut client, 2).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((recorded.amended.len(), recorded.notes), (2, report.notes));
}

/// The first line of a dump.
#[tokio::test]
async fn deadline_ends_a_migration_that_removes_the_limit() {
    for first in ["SET statement_timeout = 0", "SELECT set_config('statement_timeout', '0', false)"]
    {
        let (_database, mut client) = FreshDatabase::connected().await;
        let sql = format!("{first};\nSELECT pg_sleep(600);");
        let set = set(&[("1_a.sql", sql.as_str())]);
        let migrator = Migrator::new(&set).deadline(DEADLINE);
        let error = migrator.run(&mut client).await.expect_err("the deadline");
        let ErrorKind::Deadline { at: Some(failure), unknown, .. } = error.kind() else {
            panic!("{error}")
        };
        assert!(unknown.is_empty(), "{error}");
        assert!(failure.message.contains("statement timeout"), "the server ends it: {error}");
        assert_eq!(value(&client, APPLIED).await, "NULL");
        assert_eq!(value(&client, "SHOW statement_timeout").await, "0");
    }
}

/// The limit is removed where its name cannot be seen.
#[tokio::test]
async fn deadline_cancels_what_the_server_does_not_limit() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[(
        "1_a.sql",
        "DO $$ BEGIN EXECUTE 'SET statement_' || 'timeout = 0'; END $$;\nSELECT pg_sleep(600);",
    )]);
    let error = Migrator::new(&set).deadline(DEADLINE).run(&mut client).await.expect_err("cut");
    let ErrorKind::Deadline { at: Some(failure), unknown, .. } = error.kind() else {
        panic!("{error}")
    };
    assert!(unknown.is_empty() && failure.message.contains("user request"), "{error}");
    assert_eq!(value(&client, APPLIED).await, "NULL");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn outcome_of_what_cannot_be_cancelled_is_unknown() {
    let (database, mut client) = FreshDatabase::connected().await;
    // A cancel ends its sleep, and ends it only when a row is there.
    let waits = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); \
                 EXCEPTION WHEN query_canceled THEN NULL; END; \
                 EXIT WHEN EXISTS (SELECT FROM signal); END LOOP; END $$;";
    let set = set(&[
        ("1_a.sql", "CREATE TABLE a (x int);"),
        ("2_b.sql", waits),
        ("3_c.sql", "SELECT nowhere;"),
    ]);
    let other = database.connect().await;
    other.batch_execute("CREATE TABLE signal (x int)").await.expect("a table");
    let error = Migrator::new(&set).deadline(DEADLINE).run(&mut client).await.expect_err("cut");
    let ErrorKind::Deadline { unknown, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(unknown.last().map(String::as_str), Some("3"), "{error}");
    let text = error.to_string();
    for part in [
        "the run exceeded its deadline of 1 s\nthe outcome of versions ",
        " to 3 is unknown: the server did not end its work when it was asked to, and may still complete it",
        "help: end the process, or abort the task of this connection; the next run reads from the ledger what took effect",
    ] {
        assert!(text.contains(part), "{text}");
    }
    other.batch_execute("INSERT INTO signal VALUES (1)").await.expect("a row");
    let wake = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                AND datname = current_database()";
    assert_eq!(value(&other, wake).await, "t", "nothing is queued that ends it");
    // Nothing was queued after the message, so its failed transaction is still open.
    let answer = client.simple_query("SELECT 1").await;
    let code =
        answer.expect_err("an aborted transaction").code().map(|code| code.code().to_owned());
    assert_eq!(code.as_deref(), Some("25P02"));
}

/// The lock's message waits for its answer longer than the rest of the time.
#[tokio::test]
async fn deadline_between_the_lock_and_the_migrations_leaves_nothing() {
    let database = FreshDatabase::create().await;
    let far = Fault::Delay(Duration::from_millis(400));
    let (mut client, _) = fault::connect(&database.config(), far).await.expect("a client");
    let set = set(&[("1_a.sql", "CREATE TABLE a (x int);")]);
    let migrator = Migrator::new(&set).deadline(Duration::from_millis(1200));
    let error = migrator.run(&mut client).await.expect_err("the deadline");
    assert_eq!(
        error.to_string(),
        "the run exceeded its deadline of 1.2 s\nhelp: set a longer `.deadline(..)`, or split the migration"
    );
    let near = database.connect().await;
    assert_eq!(value(&near, "SELECT to_regclass('migration_ledger')").await, "NULL");
    assert_eq!(value(&near, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn session_that_is_ended_between_the_lock_and_the_migrations_applies_nothing() {
    let database = FreshDatabase::create().await;
    let far = Fault::Delay(Duration::from_millis(400));
    let (mut client, _) = fault::connect(&database.config(), far).await.expect("a client");
    let limit = "SET idle_in_transaction_session_timeout = '100ms'";
    client.batch_execute(limit).await.expect("a limit");
    let set = set(&[("1_a.sql", "CREATE TABLE a (x int);")]);
    let error = Migrator::new(&set).run(&mut client).await.expect_err("an end");
    // The driver passes on the reason if it arrives before the connection ends.
    match error.kind() {
        ErrorKind::ConnectionLost { versions, .. } => assert_eq!(versions, &["1"]),
        _ => assert_eq!(
            error.to_string(),
            "migrations/1_a.sql: terminating connection due to idle-in-transaction timeout (SQLSTATE 25P03)\n\
             version 1 was not applied\n\
             help: run again, closer to the server, or raise `idle_in_transaction_session_timeout` for the role"
        ),
    }
    let near = database.connect().await;
    assert_eq!(value(&near, "SELECT to_regclass('migration_ledger')").await, "NULL");
    assert_eq!(value(&near, ADVISORY_LOCKS).await, "0");
}

/// A run that fails.
async fn fails(database: &FreshDatabase, set: &Migrations, fault: Fault) -> (Error, Traffic) {
    let (mut client, traffic) =
        fault::connect(&database.config(), fault).await.expect("a connection");
    (Migrator::new(set).run(&mut client).await.expect_err("a failure"), traffic)
}

/// The last that the server sends is the answer to that question.
#[tokio::test]
async fn question_why_something_failed_that_has_no_answer_is_not_an_answer() {
    let check = async |before: &str, set: &Migrations, says: &str| {
        let (database, direct) = FreshDatabase::connected().await;
        direct.batch_execute(before).await.expect(before);
        let (error, traffic) = fails(&database, set, Fault::Nothing).await;
        assert!(error.to_string().contains(says), "{error}");
        let (direction, bytes) = (Direction::ToClient, traffic.bytes(Direction::ToClient));
        let (error, _) = fails(&database, set, Fault::Cut { direction, after: bytes - 1 }).await;
        let ErrorKind::Database { source, .. } = error.kind() else { panic!("{error}") };
        assert!(source.as_db_error().is_none(), "{error}");
    };
    let one = set(&[("1_a.sql", "CREATE TABLE a (x int);")]);
    // What is wrong with the ledger.
    check("CREATE VIEW migration_ledger AS SELECT 1", &one, "is a view, owned by role").await;
    // Whether another run has created the ledger.
    let type_of_its_name = "CREATE TYPE migration_ledger AS ENUM ('x')";
    check(type_of_its_name, &one, "creating the ledger").await;
    // How the session reads strings.
    let misspelt = unparsed(&[("1_a.sql", "SELEC '\\';")]);
    check("SELECT", &misspelt, "syntax error").await;
}
