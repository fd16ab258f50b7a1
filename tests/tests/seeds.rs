//! The five systems' own examples, embedded by the macro and applied to a real server.

use migrate_runtime::{Migrations, Migrator, embed_migrations};
use migrate_tests::database::FreshDatabase;

static CHRONIS: Migrations = embed_migrations!("sets/chronis");
static PGDBM_NUMERIC: Migrations = embed_migrations!("sets/pgdbm_numeric");
static PGDBM_TIMESTAMP: Migrations = embed_migrations!("sets/pgdbm_timestamp");
static PYCOPG: Migrations = embed_migrations!("sets/pycopg");
static DATA_BRIDGE: Migrations = embed_migrations!("sets/data_bridge");
static XYN: Migrations = embed_migrations!("sets/xyn");

/// Applies a set, applies it again, and looks at what the ledger then says.
async fn check(set: &'static Migrations, expected: usize) {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let migrator = Migrator::new(set);
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    println!("{report}");
    assert_eq!(report.applied.len(), expected);
    let again = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((again.applied.len(), again.skipped.len(), again.messages), (0, expected, 1));
}

#[tokio::test]
async fn chronis() {
    check(&CHRONIS, 5).await;
}

#[tokio::test]
async fn pgdbm_numeric() {
    check(&PGDBM_NUMERIC, 11).await;
}

#[tokio::test]
async fn pgdbm_timestamp() {
    check(&PGDBM_TIMESTAMP, 6).await;
}

#[tokio::test]
async fn pycopg() {
    check(&PYCOPG, 5).await;
}

#[tokio::test]
async fn data_bridge() {
    check(&DATA_BRIDGE, 12).await;
}

#[tokio::test]
async fn xyn() {
    check(&XYN, 7).await;
}
