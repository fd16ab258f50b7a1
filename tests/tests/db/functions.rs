//! Migrations that end with a function of the service, and sets in the code.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use migrate_runtime::hook::{BoxError, RunClient, closure};
use migrate_runtime::source::{SetOptions, from_texts};
use migrate_runtime::{ErrorKind, Migrator, Rollback};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;
use tokio::sync::Notify;

const USERS: (&str, &str) = (
    "1_users.sql",
    "CREATE TABLE users (id int PRIMARY KEY, password text, hash text);\n\
     INSERT INTO users VALUES (1, 'one'), (2, 'two');",
);
const HASHES: (&str, &str) = (
    "2_hashes.sql",
    "-- migrate:function\n-- UP\nALTER TABLE users ADD hashed_at timestamptz;\n\
     -- DOWN\nUPDATE users SET hash = NULL;\nALTER TABLE users DROP hashed_at;",
);
const DROP: (&str, &str) = ("3_drop.sql", "ALTER TABLE users DROP password;");

async fn hash(transaction: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    for row in transaction.query("SELECT id, password FROM users ORDER BY id", &[]).await? {
        let (id, password): (i32, String) = (row.get(0), row.get(1));
        let hash: String = password.chars().rev().collect();
        transaction
            .execute("UPDATE users SET hash = $1, hashed_at = now() WHERE id = $2", &[&hash, &id])
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn function_runs_after_its_statements_and_before_the_next_migration() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES, DROP]);
    let migrator = Migrator::new(&set).function("2", hash);
    let report = migrator.run(&mut client).await.expect("a run");
    let applied: Vec<_> = report.applied.iter().map(|one| &*one.version).collect();
    assert_eq!(applied, ["1", "2", "3"]);
    // The read, 1, 2 up to its function, the rest of 2, 3, and the lock before each of the three.
    assert_eq!(report.messages, 8);
    let hashes = "SELECT string_agg(hash, ' ' ORDER BY id) FROM users WHERE hashed_at IS NOT NULL";
    assert_eq!(value(&client, hashes).await, "eno owt");
    let entry = "SELECT concat_ws(' ', kind, name, filename, length(checksum), down_sql IS NULL, \
                 progress IS NULL) FROM migration_ledger WHERE version = '2'";
    assert_eq!(value(&client, entry).await, "versioned hashes 2_hashes.sql 64 f t");
    assert_eq!(migrator.run(&mut client).await.expect("a run").messages, 1);
    migrator.rollback(&mut client, Rollback::Steps(2)).await.expect_err("3 has no down");
}

#[tokio::test]
async fn function_is_given_what_it_is_for() {
    async fn look(context: RunClient<'_>) -> Result<(), BoxError> {
        let subject = context.migration().ok_or("no migration")?;
        assert_eq!((subject.version, subject.name), ("2", "hashes"));
        assert_eq!(context.report().applied.len(), 1);
        let inside =
            context.client().query_one("SELECT pg_current_xact_id_if_assigned() IS NOT NULL", &[]);
        assert!(inside.await?.get::<_, bool>(0));
        Ok(())
    }
    let database = FreshDatabase::create().await;
    let set = set(&[USERS, HASHES]);
    Migrator::new(&set)
        .function("2", look)
        .run(&mut database.connect().await)
        .await
        .expect("a run");
}

#[tokio::test]
async fn what_fails_in_a_function_undoes_its_migration_and_nothing_else() {
    async fn fail(transaction: RunClient<'_>) -> Result<(), BoxError> {
        transaction.batch_execute("CREATE TABLE remains ()").await?;
        Err("no such key".into())
    }
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES, DROP]);
    let error = Migrator::new(&set).function("2", fail).run(&mut client).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "migrations/2_hashes.sql: its function failed: no such key\n\
         version 1 was applied before it and is kept\n\
         help: fix the function or its data, and run again; what the migration did is undone"
    );
    assert_eq!(error.report().expect("a report").applied.len(), 1);
    let left = "SELECT concat_ws(' ', to_regclass('remains') IS NULL, (SELECT count(*) FROM \
                migration_ledger), (SELECT count(*) FROM pg_attribute WHERE attrelid = \
                'users'::regclass AND attname = 'hashed_at'))";
    assert_eq!(value(&client, left).await, "t 1 0");
    Migrator::new(&set).function("2", hash).run(&mut client).await.expect("the next run");
}

#[tokio::test]
async fn function_that_ends_its_transaction_fails_the_run_and_is_not_recorded() {
    for ending in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "RESET ALL"] {
        let (_database, mut client) = FreshDatabase::connected().await;
        let set = set(&[USERS, HASHES]);
        let end = closure(move |transaction| {
            Box::pin(async move { Ok(transaction.batch_execute(ending).await?) })
        });
        let error = Migrator::new(&set).function("2", end).run(&mut client).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TransactionEnded { .. }), "{ending}: {error}");
        let entries = "SELECT count(*) FROM migration_ledger";
        assert_eq!(value(&client, entries).await, "1", "{ending}");
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                    AND state LIKE 'idle in transaction%'";
        assert_eq!(value(&client, open).await, "0", "{ending}");
    }
}

#[tokio::test]
async fn session_is_restored_after_a_function() {
    async fn unsettle(transaction: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
        transaction.batch_execute("SET search_path = pg_catalog; CREATE TEMP TABLE t ()").await
    }
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES, DROP]);
    Migrator::new(&set).function("2", unsettle).run(&mut client).await.expect("a run");
    let left = "SELECT current_setting('search_path') || (to_regclass('pg_temp.t') IS NULL)";
    assert_eq!(value(&client, left).await, "\"$user\", publictrue");
}

#[tokio::test]
async fn function_that_is_blocked_is_called_again() {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES]);
    Migrator::new(&set).function("2", hash).to("1").run(&mut client).await.expect("a run");
    let blocker = database.connect().await;
    blocker.batch_execute("BEGIN; LOCK TABLE users IN SHARE MODE").await.expect("a lock");
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let function = closure(move |transaction| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            transaction.batch_execute("LOCK TABLE users IN EXCLUSIVE MODE NOWAIT").await?;
            Ok(())
        })
    });
    // Only the function is blocked, because the file's statement would wait too.
    let only = migrate_tests::sets::set(&[USERS, ("2_hashes.sql", "-- migrate:function\n")]);
    let migrator = Migrator::new(&only).function("2", function);
    let release = async {
        while calls.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        blocker.batch_execute("COMMIT").await.expect("a release");
    };
    let (report, ()) = tokio::join!(migrator.run(&mut client), release);
    assert_eq!(report.expect("a run").applied.len(), 1);
    assert!(calls.load(Ordering::Relaxed) >= 2);
}

/// A function that does not end.
async fn sleep(_: RunClient<'_>) -> Result<(), BoxError> {
    tokio::time::sleep(Duration::from_mins(10)).await;
    Ok(())
}

#[tokio::test]
async fn run_that_is_dropped_in_a_function_leaves_no_transaction_open() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES]);
    Migrator::new(&set).function("2", hash).to("1").run(&mut client).await.expect("a run");
    let called = Arc::new(Notify::new());
    let notify = Arc::clone(&called);
    let endless = closure(move |transaction| {
        notify.notify_one();
        Box::pin(sleep(transaction))
    });
    let migrator = Migrator::new(&set).function("2", endless);
    tokio::select! {
        run = migrator.run(&mut client) => panic!("{run:?}"),
        () = called.notified() => {}
    }
    let open = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass \
                AND attname = 'hashed_at'";
    assert_eq!(value(&client, open).await, "0");
    Migrator::new(&set).function("2", hash).run(&mut client).await.expect("the next run");
}

#[tokio::test]
async fn deadline_cuts_a_function() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES]);
    Migrator::new(&set).function("2", hash).to("1").run(&mut client).await.expect("a run");
    let migrator = Migrator::new(&set).function("2", sleep).deadline(Duration::from_secs(1));
    let error = migrator.run(&mut client).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline { .. }), "{error}");
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "1");
}

#[tokio::test]
async fn trial_calls_functions_and_undoes_what_they_did() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES, DROP]);
    let trial = Migrator::new(&set).function("2", hash).trial(&mut client).await.expect("a trial");
    assert_eq!(trial.ran.len(), 3);
    assert_eq!(value(&client, "SELECT to_regclass('users') IS NULL").await, "t");
}

#[tokio::test]
async fn missing_and_unwanted_functions_are_refused_before_anything_runs() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[USERS, HASHES]);
    let check = async |migrator: Migrator<'_>, client: &mut tokio_postgres::Client, expected| {
        let error = migrator.run(client).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(value(client, "SELECT to_regclass('users') IS NULL").await, "t");
    };
    check(
        Migrator::new(&set),
        &mut client,
        "migrations/2_hashes.sql: its function is missing\n\
         help: pass it with `.function(\"2\", ..)`",
    )
    .await;
    check(
        Migrator::new(&set).function("2", hash).function("1", hash),
        &mut client,
        "version 1 has a function, but its file does not ask for one\n\
         help: write `-- migrate:function` above the first statement of its file",
    )
    .await;
    check(
        Migrator::new(&set).function("2", hash).function("7", hash),
        &mut client,
        "version 7 has a function, but is not in the set\n\
         help: choose one of the set; `status` lists them",
    )
    .await;
}

#[tokio::test]
async fn migrations_in_the_code_run_like_any_other() {
    let texts = [
        ("2_age.up.sql", "ALTER TABLE users ADD age int"),
        ("2_age.down.sql", "ALTER TABLE users DROP age"),
        ("1_users.up.sql", "CREATE TABLE users (id int)"),
    ];
    let set = from_texts(texts, &SetOptions::default()).expect("a set");
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&set);
    assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 2);
    let undone = migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("a rollback");
    assert_eq!(undone.undone.len(), 1);
    let wrong = from_texts([("1_a.sql", "CREATE TABEL a ()")], &SetOptions::default());
    let first = wrong.unwrap_err().to_string();
    assert!(first.starts_with("1_a.sql:1:8: "), "{first}");
}
