//! Hooks around a run and around its migrations, and the events for listeners.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use migrate_runtime::hook::{BoxError, RunClient, When};
use migrate_runtime::{Error, ErrorKind, Event, Migrator, Rollback};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;
use tokio::sync::Notify;

/// For what has to happen; it takes milliseconds.
const LIMIT: Duration = Duration::from_mins(1);

const A: (&str, &str) = ("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;");
const B: (&str, &str) = ("2_b.sql", "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;");
const ALONE: (&str, &str) = (
    "3_alone.sql",
    "-- migrate:no-transaction\n-- UP\nCREATE INDEX CONCURRENTLY i ON a (id);\n-- DOWN\nDROP INDEX i;",
);

async fn write_down(context: RunClient<'_>, moment: &str) -> Result<(), BoxError> {
    let migration = context.migration();
    let (version, way) = migration.map_or(("", String::new()), |subject| {
        (subject.version, format!(" {}", subject.direction))
    });
    let done = context.report().applied.len() + context.report().undone.len();
    let line = format!("{moment}{way} {version} after {done}");
    context.execute("INSERT INTO diary (line) VALUES ($1)", &[&line]).await?;
    Ok(())
}

async fn before_run(context: RunClient<'_>) -> Result<(), BoxError> {
    write_down(context, "before run").await
}

async fn before_each(context: RunClient<'_>) -> Result<(), BoxError> {
    write_down(context, "before").await
}

async fn after_each(context: RunClient<'_>) -> Result<(), BoxError> {
    write_down(context, "after").await
}

async fn after_run(context: RunClient<'_>) -> Result<(), BoxError> {
    write_down(context, "after run").await
}

async fn diary(client: &tokio_postgres::Client) -> Vec<String> {
    let rows = client.query("SELECT line FROM diary ORDER BY n", &[]).await.expect("a diary");
    rows.iter().map(|row| row.get::<_, String>(0).trim().to_owned()).collect()
}

async fn with_diary() -> (FreshDatabase, tokio_postgres::Client) {
    let (database, client) = FreshDatabase::connected().await;
    let sql = "CREATE TABLE diary (n serial, line text)";
    client.batch_execute(sql).await.expect("a diary");
    (database, client)
}

#[tokio::test]
async fn hooks_are_called_around_the_run_and_each_migration() {
    let (_database, mut client) = with_diary().await;
    let set = set(&[A, B, ALONE]);
    let migrator = Migrator::new(&set)
        .hook(When::BeforeRun, before_run)
        .hook(When::BeforeEach, before_each)
        .hook(When::AfterEach, after_each)
        .hook(When::AfterRun, after_run);
    migrator.run(&mut client).await.expect("a run");
    let expected = [
        "before run  after 0", "before up 1 after 0", "after up 1 after 0", "before up 2 after 1",
        "after up 2 after 1", "before up 3 after 2", "after up 3 after 3", "after run  after 3",
    ];
    assert_eq!(diary(&client).await, expected);
    assert_eq!(migrator.run(&mut client).await.expect("a run").messages, 1);
    assert_eq!(diary(&client).await.len(), expected.len());
    migrator.rollback(&mut client, Rollback::Steps(2)).await.expect("a rollback");
    let undone = [
        "before run  after 0", "before down 3 after 0", "after down 3 after 1",
        "before down 2 after 1", "after down 2 after 1", "after run  after 2",
    ];
    assert_eq!(diary(&client).await[expected.len()..], undone);
}

#[tokio::test]
async fn hook_stops_the_run_and_undoes_its_migration() {
    async fn refuse(context: RunClient<'_>) -> Result<(), BoxError> {
        match context.migration() {
            Some(subject) if subject.version == "2" => Err("not on a Friday".into()),
            _ => Ok(()),
        }
    }
    for when in [When::BeforeEach, When::AfterEach] {
        let (_database, mut client) = with_diary().await;
        let set = set(&[A, B]);
        let migrator = Migrator::new(&set).hook(when, refuse).hook(When::AfterRun, after_run);
        let error = migrator.run(&mut client).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "migrations/2_b.sql: a hook {when} stopped the run: not on a Friday\n\
                 version 1 was applied before it and is kept"
            )
        );
        let left = "SELECT concat_ws(' ', to_regclass('b') IS NULL, (SELECT count(*) FROM \
                    migration_ledger))";
        assert_eq!(value(&client, left).await, "t 1");
        assert_eq!(diary(&client).await, ["after run  after 1"]);
    }
}

#[tokio::test]
async fn hook_before_the_run_stops_it_before_anything() {
    async fn refuse(_: RunClient<'_>) -> Result<(), BoxError> {
        Err("maintenance is not announced".into())
    }
    let (_database, mut client) = with_diary().await;
    let set = set(&[A]);
    let error =
        Migrator::new(&set).hook(When::BeforeRun, refuse).run(&mut client).await.unwrap_err();
    let text = "a hook before the run stopped the run: maintenance is not announced";
    assert_eq!(error.to_string(), text);
    assert_eq!(value(&client, "SELECT to_regclass('migration_ledger') IS NULL").await, "t");
}

#[tokio::test]
async fn migration_outside_a_transaction_is_kept_if_the_hook_after_it_fails() {
    async fn refuse(_: RunClient<'_>) -> Result<(), BoxError> {
        Err("enough".into())
    }
    let (_database, mut client) = with_diary().await;
    let set = set(&[A, ALONE]);
    Migrator::new(&set).to("1").run(&mut client).await.expect("a run");
    let error = Migrator::new(&set).hook(When::AfterEach, refuse).run(&mut client).await;
    assert!(
        matches!(error.as_ref().map_err(Error::kind), Err(ErrorKind::Hook { .. })),
        "{error:?}"
    );
    assert_eq!(value(&client, "SELECT to_regclass('i') IS NOT NULL").await, "t");
    Migrator::new(&set).run(&mut client).await.expect("the next run");
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(value(&client, locks).await, "0");
}

/// The diary and a role that may create tables.
async fn with_owner() -> (FreshDatabase, tokio_postgres::Client, String) {
    let (database, client) = with_diary().await;
    let role = format!("role_{}", database.name());
    let sql = format!("CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}");
    client.batch_execute(&sql).await.expect("a role");
    (database, client, role)
}

/// A hook that makes this role the session's.
async fn as_owner(context: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    let set_role = "SELECT set_config('role', 'role_' || current_database(), false)";
    context.batch_execute(set_role).await
}

#[tokio::test]
async fn role_of_a_hook_owns_what_the_migration_makes_and_ends_with_it() {
    let (_database, mut client, role) = with_owner().await;
    let set = set(&[A]);
    Migrator::new(&set).hook(When::BeforeEach, as_owner).run(&mut client).await.expect("a run");
    let owner = "SELECT tableowner || ' ' || current_setting('role') FROM pg_tables \
                 WHERE tablename = 'a'";
    assert_eq!(value(&client, owner).await, format!("{role} none"));
    let entry = "SELECT applied_by = session_user FROM migration_ledger";
    assert_eq!(value(&client, entry).await, "t");
}

#[tokio::test]
async fn role_of_a_hook_ends_with_a_migration_outside_a_transaction() {
    let (_database, mut client, role) = with_owner().await;
    let alone = ("2_alone.sql", "-- migrate:no-transaction\nCREATE TABLE alone (id int);");
    let set = set(&[A, alone]);
    let me = value(&client, "SELECT session_user").await;
    for (when, owner) in [(When::BeforeEach, &role), (When::AfterEach, &me)] {
        let migrator = Migrator::new(&set).hook(when, as_owner);
        // The role can neither read the ledger nor write it.
        let applied = migrator.run(&mut client).await.expect("a run").applied;
        assert_eq!(applied.len(), 2, "{when}");
        let left = "SELECT tableowner || ' ' || current_setting('role') FROM pg_tables \
                    WHERE tablename = 'alone'";
        assert_eq!(value(&client, left).await, format!("{owner} none"), "{when}");
        client.batch_execute("DROP TABLE a, alone, migration_ledger").await.expect("a new start");
    }
}

#[tokio::test]
async fn listener_is_called_while_the_message_still_runs() {
    let (database, mut client) = with_diary().await;
    let mut other = database.connect().await;
    let lock = other.transaction().await.expect("a transaction");
    lock.batch_execute("LOCK TABLE diary").await.expect("a lock");
    let set = set(&[A, B, ("3_waits.sql", "SELECT FROM diary;")]);
    let events = Arc::new(Mutex::new(Vec::new()));
    let second = Arc::new(Notify::new());
    let (heard, finished) = (Arc::clone(&events), Arc::clone(&second));
    let migrator = Migrator::new(&set).lock_timeout(Duration::ZERO).on(move |event| {
        let line = match event {
            Event::Planned { migrations } => format!("planned {migrations}"),
            Event::Started(subject) => format!("started {}", subject.version),
            Event::Finished(applied) => format!("finished {}", applied.version),
            other => format!("{other:?}"),
        };
        if line == "finished 2" {
            finished.notify_one();
        }
        heard.lock().expect("a lock").push(line);
    });
    // The third, which is in the same message, cannot end before.
    let release = async {
        second.notified().await;
        lock.commit().await.expect("a release");
    };
    let both = async { tokio::join!(migrator.run(&mut client), release) };
    let (report, ()) = tokio::time::timeout(LIMIT, both).await.expect("a call in the message");
    assert_eq!(report.expect("a run").messages, 3);
    let expected = [
        "planned 3", "started 1", "finished 1", "started 2", "finished 2", "started 3",
        "finished 3",
    ];
    assert_eq!(*events.lock().expect("a lock"), expected);
}

#[tokio::test]
async fn hook_after_the_run_is_called_at_a_deadline_too() {
    async fn hang(_: RunClient<'_>) -> Result<(), BoxError> {
        std::future::pending().await
    }
    let (_database, mut client) = with_diary().await;
    let set = set(&[A, B]);
    let migrator = Migrator::new(&set).deadline(Duration::from_secs(1));
    let migrator = migrator.hook(When::BeforeRun, before_run).hook(When::AfterEach, hang);
    let error = migrator.hook(When::AfterRun, after_run).run(&mut client).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline { .. }), "{error}");
    assert_eq!(value(&client, "SELECT to_regclass('a') IS NULL").await, "t");
    assert_eq!(diary(&client).await, ["before run  after 0", "after run  after 0"]);
}
