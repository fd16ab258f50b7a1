//! Xyn's guide, *Database Migrations*: plain SQL with its own BEGIN, COMMIT and ledger, applied by hand
//! or by a script, and asked for at boot.

use std::fs;
use std::process::Command;

use migrate_runtime::source::{CreateOptions, SetOptions, create};
use migrate_runtime::{ErrorKind, Migrator};
use migrate_tests::database::{FreshDatabase, server, value};
use migrate_tests::predecessors::{Predecessor, XYN};

use super::features::{self, Feature};
use super::{LEDGER, TABLES, copy_of, load, pages, refusal, run, versions};

const FEATURES: &[Feature] = &[
    ("Migration System: plain SQL files", "script_of_the_guide_is_a_run"),
    ("Migration System: manual application", "one_file_is_applied_by_hand"),
    ("Migration System: a table records applied migrations", "script_of_the_guide_is_a_run"),
    (
        "Migration System: all migrations use IF NOT EXISTS or guarded blocks",
        "every_file_may_run_twice",
    ),
    ("Numbering Scheme: 000 to 005, the ledger's own file first", "script_of_the_guide_is_a_run"),
    (
        "Migration Philosophy: excludes from 001, run_edges and parent_run_id",
        "one_file_is_applied_by_hand",
    ),
    ("Migration Philosophy: 001 is retroactive", "retroactive_baseline_is_recorded_and_not_run"),
    (
        "Migration Philosophy: must be idempotent (safe to run multiple times)",
        "every_file_may_run_twice",
    ),
    ("Migration Philosophy: must record itself in the ledger", "files_still_record_themselves"),
    ("Migration Philosophy: should include verification queries", "files_still_record_themselves"),
    ("Migration Philosophy: should document what it changes and why", "comments_are_no_change"),
    ("Automated: checks the ledger", "script_of_the_guide_is_a_run"),
    ("Automated: applies missing migrations in order", "script_of_the_guide_is_a_run"),
    ("Automated: prints final ledger state", "script_of_the_guide_is_a_run"),
    ("Manual: psql -f of one file", "one_file_is_applied_by_hand"),
    (
        "Manual: the SQL for psql in a container",
        "tests/tests/db/amend.rs: script_shows_what_a_run_would_send",
    ),
    (
        "Development: XYN_AUTO_CREATE_SCHEMA, the schema created without migrations, which are applied later",
        "retroactive_baseline_is_recorded_and_not_run",
    ),
    (
        "Production: schema must exist via migrations before app starts",
        "required_migrations_are_looked_for_at_boot",
    ),
    (
        "Production: app startup verifies required migrations are applied",
        "required_migrations_are_looked_for_at_boot",
    ),
    ("XYN_REQUIRED_MIGRATIONS: default (minimal)", "required_migrations_come_from_the_environment"),
    (
        "XYN_REQUIRED_MIGRATIONS: strict mode, all of them",
        "required_migrations_come_from_the_environment",
    ),
    ("XYN_REQUIRED_MIGRATIONS: fail fast on boot", "required_migrations_come_from_the_environment"),
    ("Checking Migration Status: id and applied_at from the ledger", "ledger_is_read_by_sql"),
    ("Creating New Migrations: choose next number", "next_file_is_created"),
    ("Creating New Migrations: follow template, BEGIN to COMMIT", "next_file_is_created"),
    (
        "Creating New Migrations: what follows COMMIT is in the same transaction here",
        "failed_verification_undoes_its_migration",
    ),
    ("Creating New Migrations: test idempotency", "every_file_may_run_twice"),
    (
        "Creating New Migrations: update this README, where `status` and the history file list what there is",
        "tests/tests/build/history.rs: history_is_written_on_request_and_checked",
    ),
    (
        "Historical Migrations: a file without a number is no migration; it is refused in the folder and left alone beside it",
        "files_without_a_number_are_refused",
    ),
    (
        "Future, core.migrations.apply@v1: list files, check ledger, apply if missing, record",
        "script_of_the_guide_is_a_run",
    ),
    (
        "Adoption: the ledger that files of Xyn wrote is taken over and gone on with",
        "tests/tests/db/adopt/written.rs: what_the_tools_wrote_is_taken_over",
    ),
];

#[test]
fn every_feature_is_shown() {
    features::check(&["xyn.rs"], FEATURES);
}

#[tokio::test]
async fn script_of_the_guide_is_a_run() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&XYN);
    migrator.clone().to("002").run(&mut client).await.expect("three");
    let report = migrator.run(&mut client).await.expect("the missing ones");
    assert_eq!(versions(&report.applied), ["003", "004", "005", "006"]);
    assert_eq!(value(&client, LEDGER).await, "000 001 002 003 004 005 006");
    let state = migrator.status(&client).await.expect("a status").to_string();
    assert_eq!(state.lines().count(), 1 + 7 + 1, "{state}");
    assert!(state.ends_with("\n0 pending of 7"), "{state}");
}

#[tokio::test]
async fn one_file_is_applied_by_hand() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&XYN);
    migrator.clone().only("000").run(&mut client).await.expect("the ledger's file");
    let report = migrator.clone().only("001").run(&mut client).await.expect("one");
    assert_eq!(versions(&report.applied), ["001"]);
    assert_eq!(value(&client, TABLES).await, "blueprints events runs schema_migrations steps");
    let excluded = "SELECT count(*) FROM pg_attribute WHERE attname = 'parent_run_id'";
    assert_eq!(value(&client, excluded).await, "0");
}

/// As if a ledger had been lost: every file runs over what it made before.
#[tokio::test]
async fn every_file_may_run_twice() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&XYN, &mut client).await;
    let again = Migrator::new(&XYN).table("second").run(&mut client).await;
    assert_eq!(again.unwrap_or_else(|error| panic!("{error}")).applied.len(), 7);
    assert_eq!(value(&client, "SELECT count(*) FROM schema_migrations").await, "7");
}

/// The schema that another tool creates in development is there before the first migration.
#[tokio::test]
async fn retroactive_baseline_is_recorded_and_not_run() {
    let (_database, mut client) = FreshDatabase::connected().await;
    for migration in XYN.iter().take(2) {
        client.batch_execute(migration.up().text()).await.expect("create_all");
    }
    client.batch_execute("ALTER TABLE runs ADD COLUMN mine int").await.expect("by hand");
    let migrator = Migrator::new(&XYN);
    assert_eq!(migrator.baseline(&mut client, "001").await.expect("two").amended.len(), 2);
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(versions(&report.applied), ["002", "003", "004", "005", "006"]);
    assert_eq!(value(&client, "SELECT count(mine) FROM runs").await, "0");
}

#[tokio::test]
async fn files_still_record_themselves() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&XYN, &mut client).await;
    let own = "SELECT string_agg(id, ' ' ORDER BY id) FROM schema_migrations";
    let names: Vec<&str> = XYN.iter().map(|one| one.filename().trim_end_matches(".sql")).collect();
    assert_eq!(value(&client, own).await, names.join(" "));
}

#[tokio::test]
async fn comments_are_no_change() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&XYN, &mut client).await;
    let folder = copy_of("xyn");
    let path = folder.path().join("001_initial_schema.sql");
    let text = fs::read_to_string(&path).expect("a file");
    let edited = text.replacen("-- Notes:", "-- Notes: made clearer in 2026.\n--", 1);
    assert_ne!(text, edited);
    fs::write(&path, edited).expect("a file");
    Migrator::new(&load(folder.path())).verify(&client).await.expect("no drift");
}

#[tokio::test]
async fn required_migrations_are_looked_for_at_boot() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&XYN);
    let required = ["001_initial_schema"];
    let error = migrator.require_applied(&client, required).await.expect_err("an empty database");
    assert_eq!(
        error.to_string(),
        "required migrations are not applied: 001_initial_schema\n\
         help: run a binary that contains them before this one starts"
    );
    assert_eq!(value(&client, TABLES).await, "NULL");
    migrator.clone().to("002").run(&mut client).await.expect("three");
    migrator.require_applied(&client, required).await.unwrap_or_else(|error| panic!("{error}"));
    let strict = "001_initial_schema,002_add_scheduling_and_priority,003_add_run_edges_for_dag,\
                  004_add_queue_claim_indexes,005_steps_run_idx_constraints";
    let error =
        migrator.require_applied(&client, strict.split(',')).await.expect_err("three to go");
    let ErrorKind::Required { versions } = error.kind() else { panic!("{error}") };
    assert_eq!(versions.len(), 3);
}

/// The page's own command, with the variable set: a process that ends where something is missing.
#[test]
fn required_migrations_come_from_the_environment() {
    let page = pages::command(Predecessor::named("xyn").expect("xyn"));
    let ends = |required: Option<&str>| {
        let mut command = Command::new("sh");
        command.args(["-c", &page]).env_remove("XYN_REQUIRED_MIGRATIONS");
        command.envs(required.map(|list| ("XYN_REQUIRED_MIGRATIONS", list)));
        let output = pages::run(&mut command, server().url());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(ends(None).0, Some(0));
    let strict = "001_initial_schema,002_add_scheduling_and_priority,003_add_run_edges_for_dag,\
                  004_add_queue_claim_indexes,005_steps_run_idx_constraints";
    assert_eq!(ends(Some(strict)).0, Some(0));
    let (code, text) = ends(Some("001_initial_schema,099_not_yet"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("required migrations are not applied: 099_not_yet\nhelp: "), "{text}");
}

#[tokio::test]
async fn ledger_is_read_by_sql() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&XYN, &mut client).await;
    let rows = client
        .query(
            "SELECT version, name, applied_at::text FROM migration_ledger ORDER BY position",
            &[],
        )
        .await
        .expect("the ledger");
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[1].get::<_, String>(1), "initial_schema");
}

const TEMPLATE: &str = "-- Migration: 007_your_feature\n-- Purpose: Brief description\n\
    -- Notes: Important context\n\nBEGIN;\n\n-- DDL changes here (idempotent)\n\
    CREATE TABLE IF NOT EXISTS features (id int);\n\
    ALTER TABLE features ADD COLUMN IF NOT EXISTS name text;\n\nCOMMIT;\n\n\
    -- Verification queries\nSELECT 1 / (1 - (SELECT count(*) FROM features));\n\n\
    -- Record migration\nINSERT INTO schema_migrations (id)\nVALUES ('007_your_feature')\n\
    ON CONFLICT (id) DO NOTHING;\n";

#[tokio::test]
async fn next_file_is_created() {
    let folder = copy_of("xyn");
    let created = create(folder.path(), "your feature", &CreateOptions::default()).expect("a file");
    assert_eq!(created.files, [folder.path().join("007_your_feature.sql")]);
    fs::write(&created.files[0], TEMPLATE).expect("the SQL");
    let (_database, mut client) = FreshDatabase::connected().await;
    let report = run(&load(folder.path()), &mut client).await;
    assert_eq!(versions(&report.applied).last(), Some(&"007"));
}

#[tokio::test]
async fn failed_verification_undoes_its_migration() {
    let folder = copy_of("xyn");
    let wrong = TEMPLATE.replace("SELECT 1 / (1 -", "SELECT 1 / (0 -");
    fs::write(folder.path().join("007_your_feature.sql"), wrong).expect("the SQL");
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = load(folder.path());
    let error = Migrator::new(&set).run(&mut client).await.expect_err("1/0").to_string();
    assert!(error.contains("007_your_feature.sql:14:1: division by zero"), "{error}");
    assert_eq!(value(&client, "SELECT to_regclass('features')").await, "NULL");
    assert_eq!(value(&client, LEDGER).await, "000 001 002 003 004 005 006");
}

#[test]
fn files_without_a_number_are_refused() {
    let files = [("001_a.sql", "SELECT 1;"), ("migrate_to_queue_model.sql", "SELECT 1;")];
    let text = refusal(&files, &SetOptions::default());
    assert!(text.contains("`migrate_to_queue_model.sql` does not begin with a version"), "{text}");
    assert!(text.contains("or move it out of the folder if it is not a migration"), "{text}");
}
