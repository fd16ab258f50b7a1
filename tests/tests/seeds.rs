//! The five systems' own examples, embedded by the macro and applied to a real server.

use migrate_runtime::{Migrations, Migrator, embed_migrations};
use migrate_tests::database::{FreshDatabase, value};
use tokio_postgres::Client;

static CHRONIS: Migrations = embed_migrations!("sets/chronis");
static PGDBM_NUMERIC: Migrations = embed_migrations!("sets/pgdbm_numeric");
static PGDBM_TIMESTAMP: Migrations = embed_migrations!("sets/pgdbm_timestamp");
static PYCOPG: Migrations = embed_migrations!("sets/pycopg");
static DATA_BRIDGE: Migrations = embed_migrations!("sets/data_bridge");
static XYN: Migrations = embed_migrations!("sets/xyn");

/// Applies a set, applies it again, and gives a client of the database for what it left.
async fn apply(set: &'static Migrations, expected: usize) -> (FreshDatabase, Client) {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let migrator = Migrator::new(set);
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), expected);
    let again = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((again.applied.len(), again.skipped.len(), again.messages), (0, expected, 1));
    (database, client)
}

/// The tables of `public` but the ledger, in order.
const TABLES: &str = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables \
                      WHERE schemaname = 'public' AND tablename <> 'migration_ledger'";

const DOWNS: &str = "SELECT count(down_sql) FROM migration_ledger";

#[tokio::test]
async fn chronis_flyway_names() {
    let (_database, client) = apply(&CHRONIS, 5).await;
    let versions = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(value(&client, versions).await, "001 002 003 010 011");
    assert_eq!(value(&client, TABLES).await, "chronis_jobs chronis_locks");
}

#[tokio::test]
async fn pgdbm_numbers_with_and_without_a_schema() {
    let (_database, mut client) = apply(&PGDBM_NUMERIC, 11).await;
    let migrator = Migrator::new(&PGDBM_NUMERIC).schema("myapp").create_schema();
    // The guide's own function is not qualified: the schema has to be on the path for it.
    client.batch_execute("SET search_path = myapp").await.expect("a path");
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 11);
    let same = "SELECT count(*) FROM pg_tables a JOIN pg_tables b USING (tablename) \
                WHERE a.schemaname = 'public' AND b.schemaname = 'myapp'";
    // Six tables of its own, and the ledger.
    assert_eq!(value(&client, same).await, "7");
}

#[tokio::test]
async fn pgdbm_timestamps() {
    let (_database, client) = apply(&PGDBM_TIMESTAMP, 6).await;
    let first = "SELECT version FROM migration_ledger WHERE position = 1";
    assert_eq!(value(&client, first).await, "20240126120000");
}

#[tokio::test]
async fn pycopg_sections() {
    let (_database, client) = apply(&PYCOPG, 5).await;
    assert_eq!(value(&client, TABLES).await, "orders roles user_roles users");
    assert_eq!(value(&client, DOWNS).await, "5");
    let down = "SELECT down_sql FROM migration_ledger WHERE version = '001'";
    assert_eq!(value(&client, down).await, "DROP TABLE users;\n");
}

#[tokio::test]
async fn data_bridge_dates_and_sections() {
    let (_database, client) = apply(&DATA_BRIDGE, 12).await;
    assert_eq!(value(&client, DOWNS).await, "12");
    let index = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_users_email'::regclass";
    assert_eq!(value(&client, index).await, "t");
}

#[tokio::test]
async fn xyn_with_its_own_transactions_and_ledger() {
    let (_database, client) = apply(&XYN, 7).await;
    let own = "SELECT string_agg(id, ' ' ORDER BY id) FROM schema_migrations";
    assert!(value(&client, own).await.ends_with("006_your_feature"));
    assert_eq!(value(&client, "SELECT count(*) FROM schema_migrations").await, "7");
}
