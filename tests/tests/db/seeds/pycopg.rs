//! pycopg's guide, *Migrations*: numbered files with `-- UP` and `-- DOWN`.

use std::fs;

use migrate_runtime::source::{CreateOptions, SetOptions, create};
use migrate_runtime::status::State;
use migrate_runtime::{Migrator, Rollback};
use migrate_source::check::Down;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::PYCOPG;
use migrate_tests::sets::set;

use super::features::{self, Feature};
use super::{LEDGER, TABLES, copy_of, load, refusal, run, versions};

const FEATURES: &[Feature] = &[
    ("Quick Start: create migration directory", "first_migration_of_a_new_folder"),
    ("Quick Start: create migration files, UP and DOWN", "first_migration_of_a_new_folder"),
    (
        "Quick Start: check status, applied_count and pending_count",
        "status_is_what_the_guide_lists",
    ),
    ("Quick Start: run pending migrations, and get what was applied", "runs_all_or_up_to_a_target"),
    ("File Naming: NNN_description.sql", "names_that_are_none_are_refused"),
    (
        "File Naming: version number (1, 01, 001, etc.)",
        "tests/tests/db/run.rs: version_is_the_same_however_it_is_written",
    ),
    ("File Naming: snake_case description", "status_is_what_the_guide_lists"),
    ("File Naming: .sql, required extension", "names_that_are_none_are_refused"),
    ("File Structure: optional UP and DOWN sections", "sections_are_optional"),
    ("File Structure: comments before the sections", "sections_are_optional"),
    ("File Structure: without sections the entire file is UP", "sections_are_optional"),
    ("Creating a Migrator: with custom tracking table", "tracking_table_has_any_name"),
    ("Checking Status: applied_count and pending_count", "status_is_what_the_guide_lists"),
    (
        "Checking Status: applied, with version, name and applied_at",
        "status_is_what_the_guide_lists",
    ),
    ("Checking Status: pending, with version and name", "status_is_what_the_guide_lists"),
    ("Running Migrations: run all pending migrations", "runs_all_or_up_to_a_target"),
    ("Running Migrations: run up to a specific version", "runs_all_or_up_to_a_target"),
    ("Rolling Back: rollback last migration", "rolls_back_by_steps"),
    ("Rolling Back: rollback last 3 migrations", "rolls_back_by_steps"),
    ("Rolling Back: info of what was rolled back, version and name", "rolls_back_by_steps"),
    ("Creating New Migrations: create a new migration file", "next_file_is_created"),
    ("Creating New Migrations: the created file includes a template", "next_file_is_created"),
    (
        "Creating New Migrations: the template's header with name and date is left out, which the file's name and version control say",
        "next_file_is_created",
    ),
    (
        "Creating New Migrations: a created file that is not filled in is refused, where pycopg applies it as empty",
        "next_file_is_created",
    ),
    ("Listing Migrations: get pending migrations", "what_would_run_is_listed_beforehand"),
    ("Listing Migrations: get applied migrations", "status_is_what_the_guide_lists"),
    (
        "Migration Tracking: a table with version, name and applied_at",
        "status_is_what_the_guide_lists",
    ),
    ("Examples: creating tables", "every_example_goes_up_and_down_and_up"),
    ("Examples: adding columns", "every_example_goes_up_and_down_and_up"),
    ("Examples: creating relations", "every_example_goes_up_and_down_and_up"),
    ("Examples: data migrations", "data_are_migrated_and_brought_back"),
    ("Examples: complex migrations", "data_are_migrated_and_brought_back"),
    (
        "Error Handling: the failed migration is not marked as applied; fix the issue and run again",
        "tests/tests/db/failures.rs: failed_runs_are_repeated_from_where_they_stopped",
    ),
    ("Best Practices: make migrations idempotent", "idempotent_files_run_over_what_is_there"),
    ("Best Practices: always include DOWN migrations", "down_can_be_required"),
    (
        "Best Practices: keep migrations small and focused",
        "tests/tests/db/failures.rs: positions_lead_into_the_file",
    ),
    (
        "Best Practices: never modify applied migrations",
        "tests/tests/db/run.rs: edited_applied_migration_is_drift",
    ),
    ("Best Practices: test migrations both directions", "every_example_goes_up_and_down_and_up"),
    (
        "Adoption: the ledger that pycopg wrote is taken over and gone on with",
        "tests/tests/db/adopt/written.rs: what_the_tools_wrote_is_taken_over",
    ),
];

#[test]
fn every_feature_is_shown() {
    features::check(&["pycopg.rs"], FEATURES);
}

const A: &str = "-- Migration: a\n-- Created: 2024-01-15\n\n-- UP\nCREATE TABLE a (id int);\n\n\
                 -- DOWN\nDROP TABLE a;\n";

#[tokio::test]
async fn first_migration_of_a_new_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let created = create(folder.path(), "create_users", &CreateOptions::default()).expect("a file");
    assert_eq!(created.files, [folder.path().join("0001_create_users.sql")]);
    fs::write(&created.files[0], A).expect("the SQL");
    let (_database, mut client) = FreshDatabase::connected().await;
    let report = run(&load(folder.path()), &mut client).await;
    assert_eq!(report.applied[0].name, "create_users");
    assert_eq!(value(&client, "SELECT down_sql FROM migration_ledger").await, "DROP TABLE a;\n");
}

#[test]
fn names_that_are_none_are_refused() {
    let text = |name| refusal(&[("001_a.sql", A), (name, A)], &SetOptions::default());
    assert!(
        text("create_orders.sql").contains("`create_orders.sql` does not begin with a version")
    );
    assert!(text("002_orders.sq").contains("`002_orders.sq` looks like SQL but does not end in"));
}

#[test]
fn sections_are_optional() {
    let set = set(&[("001_a.sql", A), ("002_b.sql", "-- b\nCREATE TABLE b (id int);\n")]);
    let downs: Vec<bool> = set.iter().map(|one| one.down().is_some()).collect();
    assert_eq!(downs, [true, false]);
    assert!(set.iter().all(|one| one.up().statements().len() == 1));
}

#[tokio::test]
async fn tracking_table_has_any_name() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PYCOPG).table("my_migrations");
    migrator.run(&mut client).await.expect("a run");
    assert_eq!(value(&client, "SELECT count(*) FROM my_migrations").await, "5");
    assert_eq!(value(&client, "SELECT to_regclass('migration_ledger')").await, "NULL");
}

#[tokio::test]
async fn status_is_what_the_guide_lists() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PYCOPG);
    migrator.clone().to("3").run(&mut client).await.expect("three");
    let status = migrator.status(&client).await.expect("a status");
    assert_eq!((status.migrations.len() - status.pending(), status.pending()), (3, 2));
    let applied: Vec<(&str, &str)> = status
        .migrations
        .iter()
        .filter(|row| matches!(&row.state, State::Applied { at, .. } if at.ends_with('Z')))
        .map(|row| (row.version.as_str(), row.name.as_str()))
        .collect();
    assert_eq!(
        applied,
        [("001", "create_users"), ("002", "add_user_profile"), ("003", "create_orders")]
    );
    let pending: Vec<&str> = status
        .migrations
        .iter()
        .filter(|row| row.state == State::Pending)
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(pending, ["backfill_user_slugs", "restructure_permissions"]);
    let tracked = "SELECT count(*) FROM migration_ledger WHERE version || name || applied_at <> ''";
    assert_eq!(value(&client, tracked).await, "3");
}

#[tokio::test]
async fn runs_all_or_up_to_a_target() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PYCOPG);
    let report = migrator.clone().to("2").run(&mut client).await.expect("two");
    let applied: Vec<String> =
        report.applied.iter().map(|one| format!("{}_{}", one.version, one.name)).collect();
    assert_eq!(applied, ["001_create_users", "002_add_user_profile"]);
    let report = migrator.run(&mut client).await.expect("the others");
    assert_eq!(versions(&report.applied), ["003", "004", "005"]);
}

#[tokio::test]
async fn rolls_back_by_steps() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&PYCOPG, &mut client).await;
    let migrator = Migrator::new(&PYCOPG);
    let last = migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("one");
    assert_eq!(versions(&last.undone), ["005"]);
    let three = migrator.rollback(&mut client, Rollback::Steps(3)).await.expect("three");
    let undone: Vec<String> =
        three.undone.iter().map(|one| format!("{}_{}", one.version, one.name)).collect();
    assert_eq!(undone, ["004_backfill_user_slugs", "003_create_orders", "002_add_user_profile"]);
    assert_eq!(value(&client, LEDGER).await, "001");
    assert_eq!(value(&client, TABLES).await, "users");
}

#[tokio::test]
async fn next_file_is_created() {
    let folder = copy_of("pycopg");
    let created = create(folder.path(), "add_orders_table", &CreateOptions::default());
    let created = created.expect("a file");
    let path = folder.path().join("006_add_orders_table.sql");
    assert_eq!(created.to_string(), format!("created {}", path.display()));
    assert_eq!(
        fs::read_to_string(&path).expect("the file"),
        "-- UP\n-- The statements of this migration.\n\n-- DOWN\n-- The statements that undo it.\n"
    );
    let empty = migrate_runtime::source::from_folder(folder.path(), &SetOptions::default());
    let empty = empty.expect_err("nothing in it").to_string();
    assert!(empty.contains("006_add_orders_table.sql"), "{empty}");
    assert!(empty.contains("contains no statements"), "{empty}");
}

#[tokio::test]
async fn what_would_run_is_listed_beforehand() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PYCOPG);
    migrator.clone().to("4").run(&mut client).await.expect("four");
    let plan = migrator.plan(&client).await.expect("a plan");
    let pending: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{}_{}", step.migration.version(), step.migration.name()))
        .collect();
    assert_eq!(pending, ["005_restructure_permissions"]);
    let trial = migrator.trial(&mut client).await.expect("a trial");
    assert_eq!(versions(&trial.ran), ["005"]);
    assert_eq!(value(&client, LEDGER).await, "001 002 003 004");
}

#[tokio::test]
async fn every_example_goes_up_and_down_and_up() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&PYCOPG, &mut client).await;
    assert_eq!(value(&client, TABLES).await, "orders roles user_roles users");
    let migrator = Migrator::new(&PYCOPG);
    for down in (0..5).rev() {
        migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("down");
        assert_eq!(migrator.status(&client).await.expect("a status").pending(), 5 - down);
    }
    assert_eq!(value(&client, TABLES).await, "NULL");
    assert_eq!(run(&PYCOPG, &mut client).await.applied.len(), 5);
    let redone = migrator.redo(&mut client).await.expect("the last one again");
    assert_eq!(versions(&redone.applied), ["005"]);
}

#[tokio::test]
async fn data_are_migrated_and_brought_back() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PYCOPG);
    migrator.clone().to("3").run(&mut client).await.expect("three");
    let user = "INSERT INTO users (username, email, password_hash, role) \
                VALUES ('Ada Lovelace', 'ada@example.com', 'x', 'admin')";
    client.batch_execute(user).await.expect("a user");
    migrator.run(&mut client).await.expect("the others");
    assert_eq!(value(&client, "SELECT slug FROM users").await, "ada-lovelace");
    let role = "SELECT r.name FROM roles r JOIN user_roles ON role_id = r.id";
    assert_eq!(value(&client, role).await, "admin");
    migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("down");
    assert_eq!(value(&client, "SELECT role FROM users").await, "admin");
}

#[tokio::test]
async fn idempotent_files_run_over_what_is_there() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let sql = "CREATE TABLE IF NOT EXISTS users (id int, email text);\n\
               CREATE INDEX IF NOT EXISTS idx_users_email ON users(email);";
    client.batch_execute(sql).await.expect("by hand");
    assert_eq!(run(&set(&[("001_users.sql", sql)]), &mut client).await.applied.len(), 1);
}

#[test]
fn down_can_be_required() {
    let required = SetOptions { down: Down::Required, ..SetOptions::default() };
    let text = refusal(&[("001_a.sql", A), ("002_b.sql", "SELECT 1;")], &required);
    assert!(text.contains("version 002 has no down script, and this set requires one"), "{text}");
}
