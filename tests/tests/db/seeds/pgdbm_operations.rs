//! pgdbm's *Migration Guide*, the rest: dry runs, history, failures and what its troubleshooting names.

use std::fs;

use migrate_runtime::source::{CreateOptions, SetOptions, create};
use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind, Migrator, Rollback};
use migrate_source::check::Lints;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::predecessors::PGDBM;
use migrate_tests::role::SmallRole;
use migrate_tests::sets::set;

use super::{LEDGER, TABLES, copy_of, load, refusal, run, versions};

#[tokio::test]
async fn dry_run_changes_nothing() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PGDBM);
    let plan = migrator.plan(&client).await.expect("a plan");
    let pending: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{} {}", step.migration.version(), step.migration.filename()))
        .collect();
    assert_eq!(pending.len(), 11);
    assert_eq!(pending[3], "004 004_add_user_status.sql");
    assert_eq!(migrator.trial(&mut client).await.expect("a trial").ran.len(), 11);
    assert_eq!(value(&client, TABLES).await, "NULL");
    assert_eq!(value(&client, "SELECT to_regclass('migration_ledger')").await, "NULL");
}

#[tokio::test]
async fn history_is_shown_by_status_and_by_sql() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PGDBM);
    migrator.run(&mut client).await.expect("a run");
    let status = migrator.status(&client).await.expect("a status");
    let history: Vec<&str> = status
        .migrations
        .iter()
        .filter(|row| matches!(&row.state, State::Applied { at, .. } if at.starts_with("20")))
        .map(|row| row.filename.as_str())
        .collect();
    assert_eq!((history.len(), history[0]), (11, "001_initial_schema.sql"));
    let last_ten = "SELECT module, version, filename, applied_at::text FROM migration_ledger \
                    ORDER BY applied_at DESC LIMIT 10";
    let rows = client.query(last_ten, &[]).await.expect("the ledger");
    assert_eq!(rows.len(), 10);
    assert_eq!(rows[0].get::<_, String>(2), "011_require_user_phone.sql");
}

#[tokio::test]
async fn one_migration_is_asked_for() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PGDBM);
    let file = ["001_initial_schema.sql"];
    assert!(matches!(
        migrator.require_applied(&client, file).await.map_err(Error::into_kind),
        Err(ErrorKind::Required { .. })
    ));
    migrator.clone().to("1").run(&mut client).await.expect("one");
    migrator.require_applied(&client, file).await.unwrap_or_else(|error| panic!("{error}"));
    for other in ["001_initial_schema.SQL", "002_add_users_table.sql", "001_other.sql"] {
        assert!(migrator.require_applied(&client, [other]).await.is_err(), "{other}");
    }
}

#[tokio::test]
async fn next_file_is_created_with_content() {
    let folder = copy_of("pgdbm_numeric");
    let created = create(folder.path(), "add_prices_table", &CreateOptions::default());
    let created = created.expect("a file");
    assert_eq!(created.files, [folder.path().join("012_add_prices_table.sql")]);
    let content = "CREATE TABLE IF NOT EXISTS {{tables.prices}} (\n    id SERIAL PRIMARY KEY,\n\
                   \x20   name VARCHAR(255) NOT NULL,\n    price DECIMAL(10, 2) NOT NULL\n);\n";
    fs::write(&created.files[0], content).expect("the SQL");
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&PGDBM, &mut client).await;
    assert_eq!(versions(&run(&load(folder.path()), &mut client).await.applied), ["012"]);
}

const A: (&str, &str) = ("001_a.sql", "CREATE TABLE a (id int);");

#[tokio::test]
async fn failure_lists_what_succeeded() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A, ("002_b.sql", "CREATE TABLE b (id int);"), ("003_c.sql", "SELECT 1/0;")]);
    let error = Migrator::new(&set).run(&mut client).await.expect_err("a failure");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    let report = error.report().expect("a report");
    assert_eq!(failure.file, "migrations/003_c.sql");
    assert_eq!(report.applied.last().expect("the last success").filename, "002_b.sql");
    assert_eq!(value(&client, LEDGER).await, "001 002");
}

/// The down script comes with the file, or in a file of its own that is added when it is needed.
#[tokio::test]
async fn rollback_sql_is_recorded_also_later() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let up = "CREATE TABLE products (id int);";
    let without = set(&[A, ("002_products.up.sql", up)]);
    run(&without, &mut client).await;
    let none = Migrator::new(&without).rollback(&mut client, Rollback::Steps(1)).await;
    assert!(
        matches!(none.as_ref().map_err(Error::kind), Err(ErrorKind::Rollback { .. })),
        "{none:?}"
    );
    let down = ("002_products.down.sql", "DROP TABLE products;");
    let with = set(&[A, ("002_products.up.sql", up), down]);
    let migrator = Migrator::new(&with);
    let undo = migrator.plan_rollback(&client, Rollback::Steps(1)).await.expect("a plan");
    assert_eq!(undo[0].script().text(), "DROP TABLE products;");
    migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("undone");
    assert_eq!(value(&client, TABLES).await, "a");
    run(&with, &mut client).await;
    let recorded = "SELECT down_sql FROM migration_ledger WHERE version = '002' AND \
                    ended_position = 0";
    assert_eq!(value(&client, recorded).await, "DROP TABLE products;\n");
}

#[tokio::test]
async fn idempotent_files_run_over_what_is_there() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let good = "CREATE TABLE IF NOT EXISTS users (email text);\n\
                CREATE INDEX IF NOT EXISTS idx_users_email ON users(email);";
    client.batch_execute(good).await.expect("by hand");
    assert_eq!(run(&set(&[("001_users.sql", good)]), &mut client).await.applied.len(), 1);
    let bad = set(&[("001_users.sql", "CREATE TABLE users (email text);")]);
    let error = Migrator::new(&bad).table("second").run(&mut client).await.expect_err("twice");
    assert!(error.to_string().contains("relation \"users\" already exists"), "{error}");
}

#[test]
fn breaking_change_is_linted() {
    let denied = SetOptions { lints: Lints::Deny, ..SetOptions::default() };
    let good = ("001_a.sql", "ALTER TABLE users ADD COLUMN phone VARCHAR(20);");
    let bad = ("002_b.sql", "ALTER TABLE users ADD COLUMN phone VARCHAR(20) NOT NULL;");
    let text = refusal(&[good, bad], &denied);
    assert!(text.contains("002_b.sql:1:19: existing rows have no value for this column"), "{text}");
    assert!(!text.contains("001_a.sql:"), "{text}");
    let renamed = ("002_b.sql", "ALTER TABLE users RENAME COLUMN name TO full_name;");
    assert!(refusal(&[good, renamed], &denied).contains("002_b.sql:1:"));
}

/// Not in the guide, but pgdbm 0.5.0 has it; another comment would be another checksum.
#[tokio::test]
async fn files_outside_a_transaction_stay_as_they_are() {
    let sql = "-- pgdbm:no-transaction\nCREATE INDEX CONCURRENTLY i ON a(id);";
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[A, ("002_i.sql", sql)]), &mut client).await;
    let index = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass";
    assert_eq!(value(&client, index).await, "t");
}

#[tokio::test]
async fn data_are_migrated() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PGDBM);
    migrator.clone().to("007").run(&mut client).await.expect("seven");
    client.batch_execute("INSERT INTO users (email) VALUES ('a@b.de')").await.expect("a user");
    migrator.clone().to("010").run(&mut client).await.expect("ten");
    assert_eq!(value(&client, "SELECT full_name FROM users").await, " ");
    let error = migrator.run(&mut client).await.expect_err("nobody has a phone").to_string();
    assert!(error.contains("011_require_user_phone.sql:2:1: column \"phone\""), "{error}");
}

#[tokio::test]
async fn pending_ones_are_applied_one_by_one() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let migrator = Migrator::new(&PGDBM);
    let plan = migrator.plan(&client).await.expect("a plan");
    let pending: Vec<String> =
        plan.steps.iter().map(|step| step.migration.version().to_string()).collect();
    let mut lines = Vec::new();
    for version in pending {
        let report = migrator.clone().only(version).run(&mut client).await.expect("one");
        let one = &report.applied[0];
        lines.push(format!("Applying {}... done", one.filename));
    }
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[10], "Applying 011_require_user_phone.sql... done");
    let plan = migrator.plan(&client).await.expect("a plan");
    assert!(plan.steps.is_empty(), "No pending migrations");
}

/// As `vector`, `dblink` needs a superuser; unlike that one it comes with every packaged server.
#[tokio::test]
async fn denied_extension_has_a_help() {
    let mut at = SmallRole::create().await;
    let set = set(&[("001_e.sql", "CREATE EXTENSION IF NOT EXISTS dblink SCHEMA own;")]);
    let error = Migrator::new(&set).schema("own").run(&mut at.client).await.expect_err("denied");
    let text = error.to_string();
    assert!(text.contains("permission denied to create extension \"dblink\""), "{text}");
    assert!(text.contains("help: grant the role the privilege, or migrate as the owner"), "{text}");
}

#[tokio::test]
async fn modified_file_is_reported_and_its_record_can_be_removed() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[A]), &mut client).await;
    let modified = set(&[("001_a.sql", "CREATE TABLE a (id bigint);")]);
    let migrator = Migrator::new(&modified);
    let error = migrator.run(&mut client).await.expect_err("drift").to_string();
    assert!(error.contains("version 001: `migrations/001_a.sql` was edited after"), "{error}");
    client.batch_execute("DROP TABLE a").await.expect("in development only");
    migrator.forget(&mut client, "001").await.expect("forgotten");
    assert_eq!(versions(&migrator.run(&mut client).await.expect("again").applied), ["001"]);
}

#[tokio::test]
async fn missing_schema_is_reported_or_created() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("001_users.sql", "CREATE TABLE {{tables.users}} (id int);")]);
    let migrator = Migrator::new(&set).schema("myapp");
    let error = migrator.run(&mut client).await.expect_err("no schema").to_string();
    assert!(error.contains("schema \"myapp\" does not exist"), "{error}");
    assert!(error.contains("help: create the schema, or use `.create_schema()`"), "{error}");
    let report = migrator.create_schema().run(&mut client).await.expect("created");
    assert_eq!(report.applied.len(), 1);
}
