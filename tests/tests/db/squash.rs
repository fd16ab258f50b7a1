//! A squash file has the entries of what it replaces, so that binaries with it and without it share a ledger.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::internal::made;
use migrate_runtime::ledger::Edited;
use migrate_runtime::tenants::{Progress, Tenants};
use migrate_runtime::{ErrorKind, Migrations, Migrator, Report, Rollback};
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::role::SmallRole;
use migrate_tests::sets::{set, squash};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);");
const B: (&str, &str) = (
    "2_b.sql",
    "-- UP\n-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n-- DOWN\nDROP INDEX a_id;",
);
const C: (&str, &str) = ("3_c.sql", "-- UP\nCREATE TABLE c ();\n-- DOWN\nDROP TABLE c;");
const D: (&str, &str) = ("4_d.sql", "INSERT INTO a VALUES (4);");
const SQL: &str = "CREATE TABLE a (id int); CREATE TABLE c (); INSERT INTO a VALUES (1); CREATE INDEX a_id ON a (id);";
/// Counts the sessions of the database that sleep.
const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                        AND wait_event = 'PgSleep'";
const ENTRIES: &str = "SELECT string_agg(concat_ws(' ', version, kind, name, checksum, ran), ', ' ORDER BY position) \
                       FROM migration_ledger WHERE ended_position = 0";

/// The files 1 to 3, and the set in which one file replaces them; each with the same file after them.
fn both() -> (Migrations, Migrations) {
    let text = squash(&set(&[A, B, C]), SQL);
    (set(&[A, B, C, D]), set(&[("3_squash.sql", &text), D]))
}

async fn run(set: &Migrations, client: &mut Client) -> Report {
    Migrator::new(set).run(client).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn refused(set: &Migrations, client: &mut Client) -> String {
    Migrator::new(set).run(client).await.expect_err("drift").to_string()
}

#[tokio::test]
async fn both_ways_leave_the_same_ledger_and_either_binary_boots_with_one_message() {
    let (old, new) = both();
    let mut ledgers = Vec::new();
    for (first, then) in [(&old, &new), (&new, &old)] {
        let (_database, mut client) = FreshDatabase::connected().await;
        run(first, &mut client).await;
        for set in [first, then, first] {
            let report = run(set, &mut client).await;
            assert_eq!((report.messages, report.skipped.len()), (1, set.len()));
            Migrator::new(set).verify(&client).await.unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(value(&client, "SELECT string_agg(id::text, ' ') FROM a").await, "1 4");
        ledgers.push(value(&client, ENTRIES).await.replace("3 versioned squash", "3 versioned c"));
    }
    assert_eq!(ledgers[0], ledgers[1]);
    assert_eq!(ledgers[0].matches("versioned").count(), 4);
    assert_eq!(ledgers[0].matches("no-transaction").count(), 1);
}

#[tokio::test]
async fn fresh_database_runs_the_squash_file_alone() {
    let (_, new) = both();
    let (_database, mut client) = FreshDatabase::connected().await;
    let plan = Migrator::new(&new).plan(&client).await.expect("a plan");
    assert_eq!(plan.steps.len(), 2);
    let trial = Migrator::new(&new).trial(&mut client).await;
    assert_eq!(trial.unwrap_or_else(|error| panic!("{error}")).ran.len(), 2);
    let report = run(&new, &mut client).await;
    let applied: Vec<&str> = report.applied.iter().map(|one| &*one.filename).collect();
    assert_eq!(applied, ["3_squash.sql", "4_d.sql"]);
    let history = Migrator::new(&new).history(&client).await.expect("a history");
    let history: Vec<&str> = history.iter().map(|row| row.filename.as_str()).collect();
    assert_eq!(history, ["1_a.sql", "2_b.sql", "3_squash.sql", "4_d.sql"]);
    let status = Migrator::new(&new).status(&client).await.expect("a status");
    assert_eq!((status.migrations.len(), status.drift), (2, None));
    Migrator::new(&new).require_applied(&client, ["1", "2_b", "4"]).await.expect("all");
}

#[tokio::test]
async fn database_with_some_of_it_is_an_error_that_says_what_to_run() {
    let (old, new) = both();
    let (_database, mut client) = FreshDatabase::connected().await;
    let before = set(&[A]);
    run(&before, &mut client).await;
    let text = "ledger and set disagree in 1 place\n\
                version 3: `migrations/3_squash.sql` replaces versions 1 to 3, and the ledger has only 1 of 3; \
                version 2 is missing\n  \
                help: migrate this database with a release that still has the replaced files, up to version 3, and \
                then run this one";
    assert_eq!(refused(&new, &mut client).await, text);
    let lenient = Migrator::new(&new).allow_missing().allow_edited().allow_out_of_order();
    assert_eq!(lenient.run(&mut client).await.expect_err("no option lifts it").to_string(), text);
    let hasty = Migrator::new(&new).wait_timeout(Duration::ZERO);
    assert_eq!(hasty.run(&mut client).await.expect_err("none has the lock").to_string(), text);
    let status = Migrator::new(&new).status(&client).await.expect("a status");
    assert_eq!((status.pending(), status.drift.expect("drift").0.len()), (2, 1));
    Migrator::new(&old).to(3).run(&mut client).await.expect("the older release");
    assert_eq!(run(&new, &mut client).await.applied.len(), 1);
    // And the release that has only the first.
    let report = run(&before, &mut client).await;
    assert_eq!(report.ahead, ["2", "3", "4"]);
}

#[tokio::test]
async fn unfinished_migration_is_not_replaced() {
    let (old, new) = both();
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&old, &mut client).await;
    client
        .batch_execute(
            "UPDATE migration_ledger SET progress = 0 WHERE version = '2'; UPDATE migration_ledger SET digests = NULL",
        )
        .await
        .expect("an edit by hand");
    let text = refused(&new, &mut client).await;
    assert!(
        text.contains("has only 2 of 3; version 2 is missing because it is unfinished"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn old_and_new_replicas_boot_at_once_on_an_empty_database() {
    let (old, new) = both();
    let sets = [Arc::new(old), Arc::new(new)];
    for round in 0..6 {
        let database = FreshDatabase::create().await;
        let mut replicas = Vec::new();
        for number in 0..8 {
            let (set, mut client) =
                (Arc::clone(&sets[(round + number) % 2]), database.connect().await);
            replicas.push(tokio::spawn(async move { run(&set, &mut client).await }));
        }
        let mut applied = 0;
        for replica in replicas {
            applied += replica.await.expect("a replica").applied.len();
        }
        assert!([2, 4].contains(&applied) || applied == 3, "{applied}");
        let client = database.connect().await;
        assert_eq!(value(&client, "SELECT string_agg(id::text, ' ') FROM a").await, "1 4");
        assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "4");
        for set in &sets {
            assert_eq!(run(set, &mut database.connect().await).await.messages, 1);
        }
    }
}

#[tokio::test]
async fn only_a_release_with_the_files_undoes_what_is_replaced() {
    let (old, new) = both();
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&new, &mut client).await;
    let (fresh, down) = (Migrator::new(&new), Rollback::To("2".into()));
    let error = fresh.rollback(&mut client, down.clone()).await.expect_err("an obstacle");
    assert_eq!(
        error.to_string().lines().nth(4).zip(error.to_string().lines().nth(3)),
        Some((
            "  help: undo it with a release that still has its file, or with a new migration",
            "version 3: it is one of those that `migrations/3_squash.sql` replaces",
        )),
        "{error}"
    );
    let all = fresh.rollback(&mut client, Rollback::All).await.expect_err("an obstacle");
    assert_eq!(all.to_string().matches("it is one of those that").count(), 1, "{all}");
    let without = set(&[A, B, C]);
    Migrator::new(&without).forget(&mut client, "4").await.expect("forgotten");
    Migrator::new(&without).rollback(&mut client, down).await.expect("the older release undoes it");
    let text = refused(&new, &mut client).await;
    assert!(text.contains("has only 2 of 3; version 3 is missing"), "{text}");
    Migrator::new(&old).run(&mut client).await.expect("and applies it again");
    assert_eq!(run(&new, &mut client).await.messages, 1);
}

#[tokio::test]
async fn another_text_than_the_replaced_one_is_drift() {
    let (old, new) = both();
    let edited = set(&[(A.0, "CREATE TABLE a (id int);"), B, C]);
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&edited, &mut client).await;
    let text = refused(&new, &mut client).await;
    assert!(text.starts_with("ledger and set disagree in 1 place\nversion 1: "), "{text}");
    assert!(
        text.contains(" than the one that `migrations/3_squash.sql` replaces (applied "),
        "{text}"
    );
    assert!(text.ends_with("then use `.allow_edited()`"), "{text}");
    let report = Migrator::new(&new).allow_edited().run(&mut client).await.expect("allowed");
    assert_eq!(report.applied.len(), 1);
    Migrator::new(&old).accept(&mut client, Edited::All).await.expect("accepted");
    assert_eq!(run(&new, &mut client).await.messages, 1);
}

#[tokio::test]
async fn baseline_of_a_squash_file_is_one_of_all_that_it_replaces() {
    let (old, new) = both();
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(SQL).await.expect("a schema");
    Migrator::new(&new).baseline(&mut client, 3).await.expect("a baseline");
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "3");
    assert_eq!(run(&old, &mut client).await.applied.len(), 1);
    for set in [&old, &new] {
        assert_eq!(run(set, &mut client).await.messages, 1);
    }
}

#[tokio::test]
async fn squash_file_that_fails_leaves_nothing() {
    let text = squash(&set(&[A, B, C]), "CREATE TABLE a (id int); SELECT 1 / 0;");
    let (old, failing) = (set(&[A, B, C]), set(&[("3_squash.sql", &text)]));
    let (_database, mut client) = FreshDatabase::connected().await;
    let error = Migrator::new(&failing).run(&mut client).await.expect_err("a division by zero");
    assert!(matches!(error.kind(), ErrorKind::Migration { .. }), "{error}");
    assert_eq!(run(&old, &mut client).await.applied.len(), 3);
    assert_eq!(run(&failing, &mut client).await.applied.len(), 0);
}

/// The files have placeholders, as those of tenants have; such a squash file is written by hand.
#[tokio::test]
async fn each_tenant_is_decided_by_its_own_ledger() {
    let (a, b) = (
        ("1_a.sql", "CREATE TABLE {{tables.a}} ();"),
        ("2_b.sql", "CREATE TABLE {{tables.b}} ();"),
    );
    let old = set(&[a, b]);
    let text = squash(&old, &[a.1, b.1].concat());
    let new = set(&[("2_squash.sql", &text)]);
    let (database, mut client) = FreshDatabase::connected().await;
    for (schema, ran) in [("whole", Some(&old)), ("partly", Some(&set(&[a]))), ("fresh", None)] {
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.expect("a schema");
        if let Some(ran) = ran {
            Migrator::new(ran).schema(schema).run(&mut client).await.expect("a run");
        }
    }
    let config = database.config();
    let get = || async { Ok::<_, Infallible>(Box::new(connect(&config).await)) };
    let (migrator, schemas) = (Migrator::new(&new), ["whole", "partly", "fresh"]);
    let report = Tenants::new(&migrator)
        .run(&schemas.map(str::to_owned), get, |_: Progress<'_, _>| {})
        .await;
    let report = report.expect("a run");
    assert_eq!((report.migrated.len(), report.failed.len()), (1, 1), "{report}");
    assert!(
        report.to_string().contains("the ledger has only 1 of 2; version 2 is missing"),
        "{report}"
    );
    assert_eq!(value(&client, "SELECT count(*) FROM fresh.migration_ledger").await, "2");
}

/// As a run does, of the replicas of two releases.
#[tokio::test]
async fn tenant_that_an_older_release_migrates_is_waited_for() {
    let a = ("1_a.sql", "CREATE TABLE {{tables.a}} ();");
    let b = ("2_b.sql", "CREATE TABLE {{tables.b}} (); SELECT pg_sleep(0.5);");
    let old = set(&[a, b]);
    let text = squash(&old, &[a.1, b.1].concat());
    let new = set(&[("2_squash.sql", &text)]);
    let (database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE SCHEMA s").await.expect("a schema");
    Migrator::new(&set(&[a])).schema("s").run(&mut client).await.expect("a run");
    let (look, config) = (database.connect().await, database.config());
    let get = || async { Ok::<_, Infallible>(Box::new(connect(&config).await)) };
    let (older, newer) = (Migrator::new(&old).schema("s"), Migrator::new(&new));
    let newer = async {
        while value(&look, SLEEPING).await == "0" {
            tokio::task::yield_now().await;
        }
        Tenants::new(&newer).run(["s"], get, |_: Progress<'_, _>| {}).await.expect("a run")
    };
    let (older, newer) = tokio::join!(older.run(&mut client), newer);
    assert_eq!(older.unwrap_or_else(|error| panic!("{error}")).applied.len(), 1);
    assert_eq!((newer.failed.len(), newer.migrated.len()), (0, 1), "{newer}");
}

/// Their owner reads them all, unless the policies are forced.
#[tokio::test]
async fn rows_behind_row_security_are_all_in_the_file_or_an_error() {
    let mut small = SmallRole::create().await;
    let first = "CREATE TABLE own.a (id int); INSERT INTO own.a VALUES (1), (2); \
                 CREATE POLICY p ON own.a USING (id = 1); ALTER TABLE own.a ENABLE ROW LEVEL SECURITY;";
    let force = ("2_b.sql", "ALTER TABLE own.a FORCE ROW LEVEL SECURITY;");
    let rows = "VALUES\n    (1),\n    (2);\n";
    let ledgers = ["own.migration_ledger".to_owned()];
    let own = set(&[("1_a.sql", first)]);
    Migrator::new(&own).schema("own").run(&mut small.client).await.expect("a run");
    let found = made(&small.client, &ledgers).await.expect("all rows");
    assert!(found.script().contains(rows), "{}", found.script());

    let forced = set(&[("1_a.sql", first), force]);
    Migrator::new(&forced).schema("own").run(&mut small.client).await.expect("a run");
    let error = made(&small.client, &ledgers).await.expect_err("a row is hidden");
    assert_eq!(error.code().map(SqlState::code), Some("42501"), "{error}");
    let found = made(&small.admin, &ledgers).await.expect("all rows");
    assert!(found.script().contains(rows), "{}", found.script());
    // They are added before the policies apply to their owner.
    let script = found.script();
    assert!(script.find(rows) < script.find("FORCE ROW LEVEL SECURITY"), "{script}");
}
