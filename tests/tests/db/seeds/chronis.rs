//! Chronis' guide, *Database Migrations*: V files, applied when the adapter is initialised.

use std::fs;

use migrate_runtime::set::Layout;
use migrate_runtime::source::{CreateOptions, SetOptions, create};
use migrate_runtime::status::State;
use migrate_runtime::{ErrorKind, Migrator, check_embed};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::CHRONIS;
use migrate_tests::sets::set;

use super::features::{self, Feature};
use super::{LEDGER, TABLES, copy_of, load, refusal, run, versions};

const FEATURES: &[Feature] = &[
    ("File Naming Convention: V{version}__{description}.sql", "names_are_those_of_the_guide"),
    ("File Naming Convention: V, required prefix", "names_that_miss_a_part_are_refused"),
    (
        "File Naming Convention: zero-padded version number (e.g., 001, 002, 010)",
        "names_are_those_of_the_guide",
    ),
    (
        "File Naming Convention: __, double underscore separator",
        "names_that_miss_a_part_are_refused",
    ),
    ("File Naming Convention: snake_case description", "names_are_those_of_the_guide"),
    ("File Naming Convention: .sql, file extension", "names_that_miss_a_part_are_refused"),
    ("Examples: V001, V002, V003, V010", "boot_applies_what_is_pending_in_order"),
    (
        "How It Works: Version Tracking, a table of which migrations have been applied",
        "boot_applies_what_is_pending_in_order",
    ),
    (
        "How It Works: Automatic Execution of pending migrations, in order",
        "boot_applies_what_is_pending_in_order",
    ),
    (
        "How It Works: Idempotent, IF NOT EXISTS makes migrations safe to re-run",
        "files_with_if_not_exists_run_over_what_is_there",
    ),
    (
        "Automatic Migration: runs pending migrations on initialization",
        "tests/tests/programs/boot_service/serving.rs: it_serves_what_it_migrated",
    ),
    (
        "Manual Migration Control: check status, applied_count and pending_count",
        "status_is_counted",
    ),
    ("Manual Migration Control: run migrations manually", "status_is_counted"),
    (
        "Manual Migration Control: run up to specific version, target_version",
        "run_up_to_a_version_of_the_set",
    ),
    (
        "Manual Migration Control: target_version=5, which no file has, is refused: a mistyped version would migrate to anywhere",
        "run_up_to_a_version_of_the_set",
    ),
    (
        "Disable Auto-Migration: initialize without running migrations",
        "service_that_does_not_migrate_can_refuse_to_start",
    ),
    ("Creating New Migrations: find the next available version number", "next_file_is_created"),
    ("Creating New Migrations: create a new file with the next version", "next_file_is_created"),
    ("Creating New Migrations: write your SQL migration", "next_file_is_created"),
    ("Creating New Migrations: test your migration", "next_file_is_created"),
    (
        "Best Practices: each migration runs in a transaction and rolls back on failure",
        "failed_migration_is_undone_and_tried_again",
    ),
    (
        "Best Practices: always use IF NOT EXISTS or IF EXISTS",
        "files_with_if_not_exists_run_over_what_is_there",
    ),
    (
        "Best Practices: test migrations on a development database before production",
        "tests/tests/db/amend.rs: trial_runs_everything_and_leaves_nothing",
    ),
    (
        "Best Practices: don't modify applied migrations",
        "applied_file_that_was_modified_is_reported",
    ),
    (
        "Best Practices: one logical change per migration for easier rollback and debugging",
        "tests/tests/db/failures.rs: positions_lead_into_the_file",
    ),
    (
        "Migration Fails: it's automatically rolled back; fix the SQL and try again",
        "failed_migration_is_undone_and_tried_again",
    ),
    (
        "Check Migration Status: applied and pending migrations, version and description",
        "status_lists_versions_and_descriptions",
    ),
    (
        "Skip Auto-Migration: later, run migrations when ready",
        "service_that_does_not_migrate_can_refuse_to_start",
    ),
    (
        "Migration History: the ledger that Chronis wrote, verified and gone on with",
        "tests/tests/db/adopt/written.rs: what_the_tools_wrote_is_taken_over",
    ),
    (
        "Migration History: description, checksum and time of each file come along",
        "tests/tests/db/adopt/histories.rs: chronis_is_verified",
    ),
];

#[test]
fn every_feature_is_shown() {
    features::check(&["chronis.rs"], FEATURES);
}

#[test]
fn names_are_those_of_the_guide() {
    assert_eq!(CHRONIS.layout(), Layout::Flyway);
    let names: Vec<String> =
        CHRONIS.iter().map(|one| format!("{} {}", one.version(), one.name())).collect();
    assert_eq!(
        names,
        [
            "001 initial_schema", "002 add_locks_table", "003 add_job_indexes",
            "010 add_retry_tracking", "011 add_feature"
        ]
    );
    check_embed(&CHRONIS).expect("a set that is its folder");
}

#[test]
fn names_that_miss_a_part_are_refused() {
    let good = ("V001__initial_schema.sql", "SELECT 1;");
    let text = |name| refusal(&[good, (name, "SELECT 1;")], &SetOptions::default());
    for (name, expected) in [
        ("002_add_locks_table.sql", "the set mixes layouts: 1 numeric"),
        ("v002__add_locks_table.sql", "rename it to `V002__add_locks_table.sql`"),
        ("V002_add_locks_table.sql", "rename it to `V002__add_locks_table.sql`"),
        ("V002__add_locks_table.SQL", "rename it to `V002__add_locks_table.sql`"),
    ] {
        assert!(text(name).contains(expected), "{name}: {}", text(name));
    }
}

#[tokio::test]
async fn boot_applies_what_is_pending_in_order() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let report = run(&CHRONIS, &mut client).await;
    assert_eq!(versions(&report.applied), ["001", "002", "003", "010", "011"]);
    assert_eq!(value(&client, LEDGER).await, "001 002 003 010 011");
    assert_eq!(value(&client, TABLES).await, "chronis_jobs chronis_locks");
    let again = run(&CHRONIS, &mut client).await;
    assert_eq!((again.applied.len(), again.skipped.len(), again.messages), (0, 5, 1));
}

/// A second ledger simulates one that was lost.
#[tokio::test]
async fn files_with_if_not_exists_run_over_what_is_there() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&CHRONIS, &mut client).await;
    let report = Migrator::new(&CHRONIS).table("second").run(&mut client).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 5);
}

#[tokio::test]
async fn status_is_counted() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&CHRONIS);
    let status = migrator.status(&client).await.expect("a status");
    assert_eq!((status.migrations.len() - status.pending(), status.pending()), (0, 5));
    migrator.run(&mut client).await.expect("a run");
    let status = migrator.status(&client).await.expect("a status");
    assert_eq!((status.migrations.len() - status.pending(), status.pending()), (5, 0));
}

#[tokio::test]
async fn run_up_to_a_version_of_the_set() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&CHRONIS);
    let error = migrator.clone().to("5").run(&mut client).await.expect_err("no version 5");
    assert_eq!(
        error.to_string(),
        "version 5 is not in the set\nhelp: choose one of the set; `status` lists them"
    );
    let report = migrator.clone().to("3").run(&mut client).await.expect("three");
    assert_eq!(versions(&report.applied), ["001", "002", "003"]);
    let report = migrator.run(&mut client).await.expect("the others");
    assert_eq!(versions(&report.applied), ["010", "011"]);
}

#[tokio::test]
async fn service_that_does_not_migrate_can_refuse_to_start() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&CHRONIS);
    let error = migrator.verify(&client).await.expect_err("pending");
    let ErrorKind::Pending { versions } = error.kind() else { panic!("{error}") };
    assert_eq!(versions.len(), 5);
    assert_eq!(value(&client, TABLES).await, "NULL");
    // Later, run migrations when ready.
    migrator.run(&mut client).await.expect("a run");
    migrator.verify(&client).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn next_file_is_created() {
    let folder = copy_of("chronis");
    let created = create(folder.path(), "add priority", &CreateOptions::default()).expect("a file");
    assert_eq!(created.files, [folder.path().join("V012__add_priority.sql")]);
    let sql = "-- Add new column\n\
               ALTER TABLE chronis_jobs ADD COLUMN IF NOT EXISTS urgent BOOLEAN DEFAULT false;\n\n\
               -- Add index\n\
               CREATE INDEX IF NOT EXISTS idx_chronis_jobs_urgent\nON chronis_jobs(urgent);\n";
    fs::write(&created.files[0], sql).expect("the SQL");
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&CHRONIS, &mut client).await;
    let set = load(folder.path());
    let trial = Migrator::new(&set).trial(&mut client).await.expect("a trial");
    assert_eq!(versions(&trial.ran), ["012"]);
    assert_eq!(versions(&run(&set, &mut client).await.applied), ["012"]);
}

#[tokio::test]
async fn failed_migration_is_undone_and_tried_again() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let a = ("V001__a.sql", "CREATE TABLE a (id int);");
    let broken = "CREATE TABLE b (id int);\nALTER TABLE nowhere ADD c int;";
    let error = Migrator::new(&set(&[a, ("V002__b.sql", broken)]))
        .run(&mut client)
        .await
        .expect_err("a failure");
    let text = error.to_string();
    assert!(text.starts_with("migrations/V002__b.sql:2:1: relation \"nowhere\" does"), "{text}");
    assert!(text.ends_with("version 001 was applied before it and is kept"), "{text}");
    assert_eq!(value(&client, TABLES).await, "a");
    assert_eq!(value(&client, LEDGER).await, "001");
    let fixed = set(&[a, ("V002__b.sql", "CREATE TABLE b (id int);")]);
    assert_eq!(versions(&run(&fixed, &mut client).await.applied), ["002"]);
}

#[tokio::test]
async fn applied_file_that_was_modified_is_reported() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[("V001__a.sql", "CREATE TABLE a (id int);")]), &mut client).await;
    let modified = set(&[("V001__a.sql", "CREATE TABLE a (id bigint);")]);
    let error = Migrator::new(&modified).run(&mut client).await.expect_err("drift").to_string();
    assert!(error.contains("version 001: `migrations/V001__a.sql` was edited after"), "{error}");
}

#[tokio::test]
async fn status_lists_versions_and_descriptions() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&CHRONIS);
    migrator.clone().to("002").run(&mut client).await.expect("two");
    let status = migrator.status(&client).await.expect("a status");
    let (mut applied, mut pending) = (Vec::new(), Vec::new());
    for row in &status.migrations {
        let list = if row.state == State::Pending { &mut pending } else { &mut applied };
        list.push(format!("V{}: {}", row.version, row.name));
    }
    assert_eq!(applied, ["V001: initial_schema", "V002: add_locks_table"]);
    assert_eq!(pending, ["V003: add_job_indexes", "V010: add_retry_tracking", "V011: add_feature"]);
}
