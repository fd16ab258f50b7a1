//! data-bridge's guide, *PostgreSQL Migrations*: files by date and time, undone by their DOWN sections.

use std::fs;

use migrate_runtime::set::Layout;
use migrate_runtime::source::{CreateOptions, NameOptions, SetOptions, create, from_texts};
use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind, Migrations, Migrator, Rollback};
use migrate_source::check::Down;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::DATA_BRIDGE;
use migrate_tests::sets::set;
use tokio_postgres::Client;

use super::features::{self, Feature};
use super::{LEDGER, TABLES, copy_of, load, refusal, run, versions};

#[rustfmt::skip]
const FEATURES: &[Feature] = &[
    ("Features: version tracking, timestamp-based", "names_are_dates_and_times"),
    ("Features: transactional, all-or-nothing", "failed_migration_leaves_nothing"),
    ("Features: checksum validation, detect modified migrations after application", "modified_file_is_reported_and_can_be_accepted"),
    ("Features: up/down migrations", "every_pattern_goes_up_and_down_and_up"),
    ("Features: directory-based", "names_are_dates_and_times"),
    ("Features: parallel safe, developers create migrations independently", "developers_migrations_meet"),
    ("Quick Start: initialize, create the tracking table", "ledger_is_made_by_the_first_run"),
    ("Quick Start: create a migration with a timestamp", "next_file_has_the_time_and_both_sections"),
    ("Quick Start: edit the migration", "next_file_has_the_time_and_both_sections"),
    ("Quick Start: check what will be applied", "status_lists_versions"),
    ("Quick Start: apply all pending migrations", "status_lists_versions"),
    ("Quick Start: rollback last migration", "steps_are_undone_newest_first"),
    ("File Naming Convention: YYYYMMDD_HHMMSS_description.sql", "names_are_dates_and_times"),
    ("File Naming Convention: applied in order, clear chronological history", "names_are_dates_and_times"),
    ("File Naming Convention: multiple developers without conflicts", "developers_migrations_meet"),
    ("File Structure: a header, UP and DOWN", "both_sections_can_be_required"),
    ("File Structure: both sections are required", "both_sections_can_be_required"),
    ("File Structure: multiple statements in each section", "every_pattern_goes_up_and_down_and_up"),
    ("migration_init(): creates the table", "ledger_is_made_by_the_first_run"),
    ("migration_init(): version, description, applied_at, checksum", "ledger_is_made_by_the_first_run"),
    ("migration_status(migrations_dir): applied and pending lists", "status_lists_versions"),
    ("migration_apply(migrations_dir): list of applied versions", "status_lists_versions"),
    ("migration_apply(migrations_dir): in order by version", "names_are_dates_and_times"),
    ("migration_apply(migrations_dir): each in a transaction, rolled back where it fails", "failed_migration_leaves_nothing"),
    ("migration_apply(migrations_dir): recorded in the table", "ledger_is_made_by_the_first_run"),
    ("migration_rollback(migrations_dir, steps=1): last migration, last 3 migrations", "steps_are_undone_newest_first"),
    ("migration_rollback(migrations_dir, steps=1): list of reverted versions, in reverse order", "steps_are_undone_newest_first"),
    ("migration_rollback(migrations_dir, steps=1): each rollback runs in a transaction", "failed_rollback_leaves_its_migration_applied"),
    ("migration_rollback(migrations_dir, steps=1): records are removed", "steps_are_undone_newest_first"),
    ("migration_create(description, migrations_dir): path of the file, by its time", "next_file_has_the_time_and_both_sections"),
    ("migration_create(description, migrations_dir): template with UP and DOWN", "next_file_has_the_time_and_both_sections"),
    ("migration_create(description, migrations_dir): the template's header is left out, and so is its example table, which could be applied by mistake", "next_file_has_the_time_and_both_sections"),
    ("migration_create(description, migrations_dir): a folder that does not exist is refused, because a mistyped one would be a second history", "tests/tests/pure/create.rs: folders_that_cannot_take_a_migration_say_so"),
    ("Always Write Reversible Migrations: test your DOWN migration", "every_pattern_goes_up_and_down_and_up"),
    ("Use Transactions Wisely: CREATE INDEX CONCURRENTLY", "concurrent_index_needs_a_directive_in_its_file"),
    ("Use Transactions Wisely: ALTER TYPE ... ADD VALUE", "value_of_a_type_is_used_by_the_next_migration"),
    ("Break Large Migrations into Steps: logical chunks", "tests/tests/db/run.rs: large_sets_go_out_in_chunks"),
    ("Handle Data Migration Carefully: add, migrate, make NOT NULL", "data_are_migrated"),
    ("Add Indexes Carefully: CONCURRENTLY, up and down", "concurrent_index_needs_a_directive_in_its_file"),
    ("Use Constraints for Data Integrity: CHECK", "data_are_migrated"),
    ("Document Complex Migrations: a long header before UP", "every_pattern_goes_up_and_down_and_up"),
    ("Adding a Column: up and down", "every_pattern_goes_up_and_down_and_up"),
    ("Renaming a Column: up and down", "every_pattern_goes_up_and_down_and_up"),
    ("Creating a Table with Relationships: up and down", "every_pattern_goes_up_and_down_and_up"),
    ("Adding Triggers: functions with bodies, up and down", "every_pattern_goes_up_and_down_and_up"),
    ("Checksum Validation: an error names the version", "modified_file_is_reported_and_can_be_accepted"),
    ("SQL Injection Protection: parameterized tracking", "tests/tests/db/identifiers.rs: modules_have_any_name"),
    ("Migration Failed Midway: fix the migration and run again", "failed_migration_leaves_nothing"),
    ("Applied Migration Not in Files: an error; restore the file or remove the record", "file_that_is_gone_is_reported"),
    ("Conflicting Migrations: two files of one timestamp; rename one", "developers_migrations_meet"),
    ("Checksum Mismatch: update the checksum", "modified_file_is_reported_and_can_be_accepted"),
    ("Development: create, edit, apply, test rollback, re-apply", "every_pattern_goes_up_and_down_and_up"),
    ("Staging/Production: check pending, apply, verify", "status_lists_versions"),
    ("Custom Migration Table Name: migrations_table", "table_has_any_name"),
    ("Programmatic Migration Creation: version, name, up and down given in code", "migration_is_given_in_code"),
    ("Migration in Application Startup: only where AUTO_MIGRATE is true", "startup_migrates_if_the_variable_asks_for_it"),
    ("vs Alembic: transactions built-in, checksum SHA256", "ledger_is_made_by_the_first_run"),
    ("vs Alembic: dependencies none (compiled)", "tests/tests/db/invariants.rs: invariant_7_default_features_compile_no_c"),
    ("vs Flyway: rollback built-in", "steps_are_undone_newest_first"),
    ("Examples: table creation, adding columns, foreign keys and triggers", "every_pattern_goes_up_and_down_and_up"),
    ("Adoption: the ledger that data-bridge wrote, verified and gone on with", "tests/tests/db/adopt/written.rs: what_the_tools_wrote_is_taken_over"),
];

#[test]
fn every_feature_is_shown() {
    features::check(&["data_bridge.rs"], FEATURES);
}

const A: (&str, &str) = (
    "20250128_120000_a.sql",
    "-- Migration: 20250128_120000_a\n-- Description: a\n\n-- UP\nCREATE TABLE a (id int);\n\n\
     -- DOWN\nDROP TABLE a;\n",
);
const B: (&str, &str) =
    ("20250128_130000_b.sql", "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;\n");

#[tokio::test]
async fn names_are_dates_and_times() {
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(DATA_BRIDGE.layout(), Layout::Timestamp);
    let report = run(&DATA_BRIDGE, &mut client).await;
    let applied = versions(&report.applied);
    assert_eq!(applied.len(), 12);
    assert_eq!((applied[0], applied[11]), ("20250128_120000", "20250131_170000"));
    assert!(applied.is_sorted());
    assert_eq!(report.applied[0].name, "create_users_table");
}

#[tokio::test]
async fn ledger_is_made_by_the_first_run() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[A]), &mut client).await;
    let row = "SELECT concat_ws(' ', version, name, length(checksum), checksum_algorithm, \
               applied_at > now() - interval '1 hour') FROM migration_ledger";
    assert_eq!(value(&client, row).await, "20250128_120000 a 64 sha256-canonical-1 t");
}

#[tokio::test]
async fn failed_migration_leaves_nothing() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let broken =
        "-- UP\nCREATE TABLE b (id int);\nSELECT * FROM nowhere;\n-- DOWN\nDROP TABLE b;\n";
    let error = Migrator::new(&set(&[A, (B.0, broken)])).run(&mut client).await.expect_err("b");
    assert!(error.to_string().contains("20250128_130000_b.sql:3:15: relation"), "{error}");
    assert_eq!(value(&client, TABLES).await, "a");
    assert_eq!(value(&client, LEDGER).await, "20250128_120000");
    assert_eq!(versions(&run(&set(&[A, B]), &mut client).await.applied), ["20250128_130000"]);
}

#[tokio::test]
async fn modified_file_is_reported_and_can_be_accepted() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[A, B]), &mut client).await;
    let text = A.1.replace("id int", "id bigint");
    let modified = set(&[(A.0, &text), B]);
    let migrator = Migrator::new(&modified);
    let error = migrator.run(&mut client).await.expect_err("drift").to_string();
    assert!(
        error.contains("\nversion 20250128_120000: `migrations/20250128_120000_a.sql` was edited"),
        "{error}"
    );
    let report = migrator.accept(&mut client, "20250128_120000").await.expect("accepted");
    assert_eq!(report.amended.len(), 1);
    migrator.verify(&client).await.expect("no drift");
}

#[tokio::test]
async fn developers_migrations_meet() {
    let alice = ("20250128_120000_alice_feature.sql", "CREATE TABLE alice ();");
    let bob = ("20250128_120000_bob_feature.sql", "CREATE TABLE bob ();");
    let text = refusal(&[alice, bob], &SetOptions::default());
    assert!(text.contains("version 20250128_120000 is claimed by"), "{text}");
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[("20250128_130000_alice_feature.sql", alice.1)]), &mut client).await;
    let both = set(&[("20250128_130000_alice_feature.sql", alice.1), bob]);
    let error = Migrator::new(&both).run(&mut client).await.expect_err("an older one");
    assert!(error.to_string().contains("is pending and sorts before version 2025"), "{error}");
    let report = Migrator::new(&both).allow_out_of_order().run(&mut client).await.expect("bob");
    assert_eq!(versions(&report.applied), ["20250128_120000"]);
}

#[test]
fn next_file_has_the_time_and_both_sections() {
    let folder = copy_of("data_bridge");
    let created = create(folder.path(), "add user profile fields", &CreateOptions::default());
    let created = created.expect("a file");
    let (date, time) = created.version.as_str().split_once('_').expect("a date and a time");
    assert_eq!((date.len(), time.len()), (8, 6));
    assert!(date > "20260000", "{date}");
    let name = format!("{}_add_user_profile_fields.sql", created.version);
    assert_eq!(created.files, [folder.path().join(name)]);
    let text = fs::read_to_string(&created.files[0]).expect("the file");
    assert!(text.starts_with("-- UP\n") && text.contains("\n-- DOWN\n"), "{text}");
    assert!(!text.contains("TABLE") && !text.contains("Description"), "{text}");
    fs::write(&created.files[0], A.1).expect("the SQL");
    assert_eq!(load(folder.path()).len(), 13);
    let empty = tempfile::tempdir().expect("a folder");
    let names = NameOptions { layout: Some(Layout::Timestamp), ..NameOptions::default() };
    let options = CreateOptions { names, ..CreateOptions::default() };
    let first = create(empty.path(), "create users table", &options).expect("a file");
    assert_eq!(first.version.as_str().len(), 14);
}

#[tokio::test]
async fn status_lists_versions() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&DATA_BRIDGE);
    migrator.clone().to("20250128_130000").run(&mut client).await.expect("two");
    let status = migrator.status(&client).await.expect("a status");
    let (pending, applied): (Vec<_>, Vec<_>) =
        status.migrations.iter().partition(|row| row.state == State::Pending);
    assert_eq!((applied.len(), pending.len()), (2, 10));
    assert_eq!(applied[1].version, "20250128_130000");
    assert_eq!(pending[0].version, "20250128_153000");
    let report = migrator.run(&mut client).await.expect("the others");
    assert_eq!(report.applied.len(), 10);
    migrator.verify(&client).await.expect("nothing pending");
}

#[tokio::test]
async fn steps_are_undone_newest_first() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&DATA_BRIDGE, &mut client).await;
    let migrator = Migrator::new(&DATA_BRIDGE);
    let last = migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("one");
    assert_eq!(versions(&last.undone), ["20250131_170000"]);
    let three = migrator.rollback(&mut client, Rollback::Steps(3)).await.expect("three");
    let expected = ["20250131_120000", "20250130_153000", "20250130_101500"];
    assert_eq!(versions(&three.undone), expected);
    let left = "SELECT count(*) FROM migration_ledger WHERE ended_position = 0";
    assert_eq!(value(&client, left).await, "8");
}

#[tokio::test]
async fn failed_rollback_leaves_its_migration_applied() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let down = "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;\nDROP TABLE nowhere;\n";
    let set = set(&[A, (B.0, down)]);
    run(&set, &mut client).await;
    let error = Migrator::new(&set).rollback(&mut client, Rollback::Steps(1)).await;
    assert!(
        matches!(error.as_ref().map_err(Error::kind), Err(ErrorKind::Migration { .. })),
        "{error:?}"
    );
    assert_eq!(value(&client, TABLES).await, "a b");
    assert_eq!(value(&client, LEDGER).await, "20250128_120000 20250128_130000");
}

#[test]
fn both_sections_can_be_required() {
    let required = SetOptions { down: Down::Required, ..SetOptions::default() };
    let text = refusal(&[A, ("20250128_130000_b.sql", "-- UP\nSELECT 1;")], &required);
    assert!(text.contains("version 20250128_130000 has no down script"), "{text}");
    assert!(!text.contains("20250128_120000"), "{text}");
}

#[tokio::test]
async fn every_pattern_goes_up_and_down_and_up() {
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(run(&DATA_BRIDGE, &mut client).await.applied.len(), 12);
    let migrator = Migrator::new(&DATA_BRIDGE);
    let touched = "INSERT INTO users (email, full_name) VALUES ('ada@example.com', 'Ada'); \
                   UPDATE users SET verified = true, updated_at = '2020-01-01'";
    client.batch_execute(touched).await.expect("a user");
    let by_trigger = "SELECT updated_at > '2021-01-01' FROM users";
    assert_eq!(value(&client, by_trigger).await, "t");
    let report = migrator.rollback(&mut client, Rollback::All).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).undone.len(), 12);
    assert_eq!(value(&client, TABLES).await, "NULL");
    assert_eq!(run(&DATA_BRIDGE, &mut client).await.applied.len(), 12);
}

#[tokio::test]
async fn concurrent_index_needs_a_directive_in_its_file() {
    let sql = "-- UP\n-- Note: This migration cannot be fully rolled back\n\
               CREATE INDEX CONCURRENTLY i ON a(id);\n\n-- DOWN\nDROP INDEX CONCURRENTLY IF EXISTS i;\n";
    let text = refusal(&[A, (B.0, sql)], &SetOptions::default());
    assert!(text.contains("CREATE INDEX CONCURRENTLY cannot run in a transaction"), "{text}");
    assert!(text.contains("`-- migrate:no-transaction`"), "{text}");
    let marked = format!("-- migrate:no-transaction\n{sql}");
    let set = set(&[A, (B.0, &marked)]);
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set, &mut client).await;
    let index = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass";
    assert_eq!(value(&client, index).await, "t");
    Migrator::new(&set).rollback(&mut client, Rollback::Steps(1)).await.expect("down");
    assert_eq!(value(&client, "SELECT to_regclass('i')").await, "NULL");
}

#[tokio::test]
async fn value_of_a_type_is_used_by_the_next_migration() {
    let set = set(&[
        ("20250128_120000_a.sql", "CREATE TYPE mood AS ENUM ('sad');"),
        ("20250128_130000_b.sql", "ALTER TYPE mood ADD VALUE 'glad';"),
        ("20250128_140000_c.sql", "CREATE TABLE c AS SELECT 'glad'::mood AS mood;"),
    ]);
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(run(&set, &mut client).await.applied.len(), 3);
    assert_eq!(value(&client, "SELECT mood FROM c").await, "glad");
}

#[tokio::test]
async fn data_are_migrated() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&DATA_BRIDGE);
    migrator.clone().to("20250129_093000").run(&mut client).await.expect("four");
    let user = "INSERT INTO users (email, first_name, last_name) VALUES ('a@b.de', 'Ada', 'L')";
    client.batch_execute(user).await.expect("a user");
    migrator.run(&mut client).await.expect("the others");
    assert_eq!(value(&client, "SELECT full_name FROM users").await, "Ada L");
    let wrong = "INSERT INTO users (email, full_name) VALUES ('nobody', 'x')";
    let error = client.batch_execute(wrong).await.expect_err("no address");
    assert_eq!(error.as_db_error().expect("the server").constraint(), Some("check_email_format"));
}

#[tokio::test]
async fn file_that_is_gone_is_reported() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[A, B]), &mut client).await;
    let without = set(&[B]);
    let migrator = Migrator::new(&without);
    let error = migrator.run(&mut client).await.expect_err("drift").to_string();
    assert!(error.contains("`20250128_120000_a.sql` was applied by"), "{error}");
    assert!(
        error.ends_with(
            "is missing from the set\n  help: restore the file, or use `.allow_missing()`"
        ),
        "{error}"
    );
    migrator.forget(&mut client, "20250128_120000").await.expect("forgotten");
    migrator.verify(&client).await.expect("no drift");
}

#[tokio::test]
async fn table_has_any_name() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A]);
    Migrator::new(&set).table("my_custom_migrations").run(&mut client).await.expect("a run");
    assert_eq!(value(&client, "SELECT version FROM my_custom_migrations").await, "20250128_120000");
}

#[tokio::test]
async fn migration_is_given_in_code() {
    let texts = [
        ("20250128_120000_create_users.up.sql", "CREATE TABLE users (id SERIAL PRIMARY KEY);"),
        ("20250128_120000_create_users.down.sql", "DROP TABLE users;"),
    ];
    let set: Migrations = from_texts(texts, &SetOptions::default()).expect("a set");
    let (_database, mut client) = FreshDatabase::connected().await;
    assert_eq!(run(&set, &mut client).await.applied[0].name, "create_users");
    Migrator::new(&set).rollback(&mut client, Rollback::Steps(1)).await.expect("down");
    assert_eq!(value(&client, TABLES).await, "NULL");
}

/// The value of the variable is an argument, so that a test does not change its environment.
async fn startup(client: &mut Client, auto_migrate: Option<&str>) -> Result<(), Error> {
    let migrator = Migrator::new(&DATA_BRIDGE);
    if auto_migrate == Some("true") {
        migrator.run(client).await?;
    }
    migrator.verify(client).await
}

#[tokio::test]
async fn startup_migrates_if_the_variable_asks_for_it() {
    let (_database, mut client) = FreshDatabase::connected().await;
    assert!(matches!(
        startup(&mut client, None).await.map_err(Error::into_kind),
        Err(ErrorKind::Pending { .. })
    ));
    assert!(matches!(
        startup(&mut client, Some("false")).await.map_err(Error::into_kind),
        Err(ErrorKind::Pending { .. })
    ));
    startup(&mut client, Some("true")).await.unwrap_or_else(|error| panic!("{error}"));
    startup(&mut client, None).await.unwrap_or_else(|error| panic!("{error}"));
}
