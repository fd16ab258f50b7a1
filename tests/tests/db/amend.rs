//! The verbs that change only the ledger, and those that only read it.

use std::sync::{Arc, Mutex};

use migrate_runtime::ledger::Edited;
use migrate_runtime::{ErrorKind, Event, Migrator, Report, Rollback};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const A: (&str, &str) = ("001_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("002_b.sql", "CREATE TABLE b (id int);");
const C: (&str, &str) = ("003_c.sql", "ALTER TABLE b ADD c int;");
const V: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT c FROM b;");

async fn entries(client: &Client) -> String {
    let ledger = "SELECT string_agg(concat_ws(':', kind, version, name, checksum IS NULL), ' ' \
                  ORDER BY position) FROM migration_ledger";
    value(client, ledger).await
}

#[tokio::test]
async fn baseline_takes_for_applied_what_was_there() {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE TABLE a (id int); CREATE TABLE b (id int)").await.expect("tables");
    let set = set(&[A, B, C, V]);
    let migrator = Migrator::new(&set);
    let report = migrator.baseline(&mut client, 2).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((report.amended.len(), report.messages), (2, 3));
    assert!(report.to_string().starts_with("2 amended; 3 messages"), "{report}");
    assert_eq!(entries(&client).await, "versioned:001:a:t versioned:002:b:t");
    let report = migrator.baseline(&mut client, "V2").await.expect("again");
    assert_eq!((report.amended.len(), report.messages), (0, 1));
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 2);
    let error = migrator.baseline(&mut client, "7").await.expect_err("unknown");
    assert!(matches!(error.kind(), ErrorKind::UnknownVersion { .. }), "{error}");
    let error = migrator.baseline(&mut client, "").await.expect_err("empty").to_string();
    assert!(error.starts_with("version (empty) is not in the set\n"), "{error}");
    let error = migrator.to(" ").run(&mut client).await.expect_err("empty").to_string();
    assert!(error.starts_with("version (empty) is not in the set\n"), "{error}");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn migrations_are_named_by_their_files_wherever_they_are_named_by_versions() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let down = "-- UP\nCREATE TABLE b ();\n-- DOWN\nDROP TABLE b;";
    let set = set(&[A, ("002_b.sql", down), C]);
    let migrator = Migrator::new(&set);
    let versions = |report: Report| {
        let applied = report.applied.iter().chain(&report.undone).map(|one| &*one.version);
        let amended = report.amended.iter().map(|one| one.version.as_str());
        applied.chain(amended).collect::<Vec<_>>().join(" ")
    };
    let report = migrator.baseline(&mut client, "001_a.sql").await;
    assert_eq!(versions(report.unwrap_or_else(|e| panic!("{e}"))), "001");
    let report = migrator.clone().to("002_b").run(&mut client).await;
    assert_eq!(versions(report.unwrap_or_else(|e| panic!("{e}"))), "002");
    let report = migrator.rollback(&mut client, Rollback::to("001_a.sql")).await;
    assert_eq!(versions(report.unwrap_or_else(|e| panic!("{e}"))), "002");
    let report = migrator.clone().only("002_b.sql").run(&mut client).await;
    assert_eq!(versions(report.unwrap_or_else(|e| panic!("{e}"))), "002");
    let error = migrator.rollback(&mut client, Rollback::to("003_c.sql")).await;
    let error = error.expect_err("not applied").to_string();
    assert!(error.contains("no versioned migration 003_c.sql is applied"), "{error}");
    let error = migrator.clone().to("002_x.sql").run(&mut client).await.expect_err("unknown");
    assert!(error.to_string().starts_with("version 002_x.sql is not in the set"), "{error}");
}

#[tokio::test]
async fn edited_migrations_are_accepted_on_purpose() {
    let (_database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&set(&[A, B, C])).run(&mut client).await.expect("a run");
    let edited = set(&[
        ("001_a.sql", "CREATE TABLE a (id bigint);"),
        ("002_b.sql", "CREATE TABLE b (id bigint);"),
        C,
    ]);
    let migrator = Migrator::new(&edited);
    migrator.verify(&client).await.expect_err("drift");
    let report = migrator.accept(&mut client, "001_a.sql").await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.amended[0].filename, "001_a.sql");
    let error = migrator.verify(&client).await.expect_err("one is left");
    let ErrorKind::Drift { drift, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(drift.0.len(), 1);
    assert_eq!(
        migrator.accept(&mut client, Edited::All).await.expect("the other").amended.len(),
        1
    );
    migrator.verify(&client).await.unwrap_or_else(|e| panic!("{e}"));
    let who = "SELECT string_agg(concat_ws(' ', version, name, applied_by = session_user), '; ' ORDER BY position) \
               FROM migration_ledger WHERE kind = 'accepted'";
    assert_eq!(value(&client, who).await, "001 a t; 002 b t");
    let error = migrator.accept(&mut client, "9").await.expect_err("no entry");
    assert_eq!(
        error.to_string(),
        "`public.migration_ledger` has no entry for version 9\n\
         help: choose an applied version; `status` lists them"
    );
    assert_eq!(migrator.run(&mut client).await.expect("a run").messages, 1);
}

#[tokio::test]
async fn forgotten_entries_are_applied_again() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A, B, C]);
    let migrator = Migrator::new(&set);
    migrator.run(&mut client).await.expect("a run");
    client.batch_execute("ALTER TABLE b DROP c").await.expect("by hand");
    migrator.forget(&mut client, "003_c").await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        entries(&client).await,
        "versioned:001:a:f versioned:002:b:f versioned:003:c:f forgotten:003:c:f"
    );
    assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 1);
    assert!(
        migrator
            .forget(&mut client, "9")
            .await
            .is_err_and(|error| matches!(error.kind(), ErrorKind::NoEntry { .. }))
    );
}

#[tokio::test]
async fn required_migrations_are_asked_of_the_ledger() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A, B]);
    let migrator = Migrator::new(&set);
    let list = "001_a, 2,, 003_c ,4";
    let error =
        migrator.require_applied(&client, list.split(',')).await.expect_err("an empty database");
    assert_eq!(
        error.to_string(),
        "required migrations are not applied: 001_a, 2, 003_c, 4\n\
         help: run a binary that contains them before this one starts"
    );
    migrator.run(&mut client).await.expect("a run");
    migrator.require_applied(&client, ["001_a", "2"]).await.unwrap_or_else(|e| panic!("{e}"));
    migrator.require_applied(&client, [1, 2]).await.unwrap_or_else(|e| panic!("{e}"));
    let error = migrator.require_applied(&client, list.split(',')).await.expect_err("two");
    let ErrorKind::Required { versions } = error.kind() else { panic!("{error}") };
    assert_eq!(*versions, ["003_c", "4"]);
    migrator.require_applied(&client, "".split(',')).await.expect("nothing required");
}

#[tokio::test]
async fn trial_runs_everything_and_leaves_nothing() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let outside = ("004_d.sql", "-- migrate:no-transaction\nVACUUM;");
    let good = set(&[A, B, C, outside, V]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&seen);
    let migrator = Migrator::new(&good).on(move |event| {
        if let Event::Finished(migration) = event {
            listener.lock().expect("a listener").push(migration.name.clone());
        }
    });
    let trial = migrator.trial(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(*seen.lock().expect("a listener"), ["a", "b", "c", "v"], "although none stays");
    let ran: Vec<&str> = trial.ran.iter().map(|one| &*one.name).collect();
    assert_eq!(ran, ["a", "b", "c", "v"]);
    assert_eq!(trial.notes, ["migrations/004_d.sql runs outside a transaction and was left out"]);
    let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(value(&client, left).await, "0");
    let bad = set(&[A, B, ("003_c.sql", "ALTER TABLE nowhere ADD c int;")]);
    let error = Migrator::new(&bad).trial(&mut client).await.expect_err("a failure");
    assert!(
        error.to_string().starts_with("migrations/003_c.sql:1:1: relation \"nowhere\" does not"),
        "{error}"
    );
    assert!(!error.to_string().contains("stays"), "{error}");
    assert_eq!(value(&client, left).await, "0");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    migrator.run(&mut client).await.expect("a run");
    assert!(migrator.trial(&mut client).await.expect("nothing pending").ran.is_empty());
}

#[tokio::test]
async fn script_shows_what_a_run_would_send() {
    let (_database, client) = FreshDatabase::connected().await;
    let set = set(&[
        ("1_a.sql", "-- a remark\nCREATE TABLE {{tables.a}} (id int);"),
        ("2_b.sql", "-- migrate:no-transaction\nVACUUM;"),
    ]);
    let migrator = Migrator::new(&set).schema("s");
    let plan = migrator.plan(&client).await.expect("a plan");
    assert_eq!(
        migrator.script(&plan).expect("a script"),
        "-- migrations/1_a.sql\nCREATE TABLE \"s\".\"a\" (id int);\n\n\
         -- migrations/2_b.sql, outside a transaction\nVACUUM;\n\n"
    );
}
