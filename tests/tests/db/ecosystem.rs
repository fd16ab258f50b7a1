//! The clients and pools of docs/ecosystem.md, as on that page: each can migrate.

use migrate_runtime::{ErrorKind, Migrations, Migrator, Report};
use migrate_testing::TestDatabase;
use migrate_tests::sets::tables;
use tokio_postgres::NoTls;

/// Migrates from a program without a runtime, with one that lives as long as the run.
fn migrate(url: &str, set: &Migrations) -> Result<Report, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(Migrator::new(set).run_url(url))?)
}

#[tokio::test]
async fn tokio_postgres_client_migrates_and_is_usable() {
    let database = TestDatabase::empty().expect("a database");
    let (mut client, connection) =
        tokio_postgres::connect(database.url(), NoTls).await.expect("it");
    tokio::spawn(connection);
    let set = tables(3);
    assert_eq!(Migrator::new(&set).run(&mut client).await.expect("a run").applied.len(), 3);
    client.execute("INSERT INTO t3 VALUES ($1)", &[&7_i32]).await.expect("the same client");
}

#[tokio::test]
async fn deadpool_migrates_before_the_pool_is_handed_out() {
    let database = TestDatabase::empty().expect("a database");
    let config = database.config().expect("an address");
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(2).build().expect("a pool");
    let set = tables(3);
    {
        let mut client = pool.get().await.expect("a client");
        assert_eq!(Migrator::new(&set).run(&mut client).await.expect("a run").applied.len(), 3);
    }
    assert_eq!(pool.status().available, 1, "it went back into the pool");
    let client = pool.get().await.expect("a client");
    let statement = client.prepare_cached("SELECT count(*) FROM t3").await.expect("cached");
    assert_eq!(client.query_one(&statement, &[]).await.expect("a row").get::<_, i64>(0), 0);
}

#[tokio::test]
async fn bb8_migrates_before_the_pool_is_handed_out() {
    let database = TestDatabase::empty().expect("a database");
    let config = database.config().expect("an address");
    let manager = bb8_postgres::PostgresConnectionManager::new(config, NoTls);
    let pool = bb8::Pool::builder().max_size(2).build(manager).await.expect("a pool");
    let set = tables(3);
    {
        let mut client = pool.get().await.expect("a client");
        assert_eq!(Migrator::new(&set).run(&mut client).await.expect("a run").applied.len(), 3);
    }
    let client = pool.get().await.expect("a client");
    let row = client.query_one("SELECT count(*) FROM t3", &[]).await.expect("a row");
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// A pool that breaks while it migrates hands out a client without a lock and outside a transaction.
#[tokio::test]
async fn client_of_a_failed_run_returns_clean() {
    let database = TestDatabase::empty().expect("a database");
    let config = database.config().expect("an address");
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().expect("a pool");
    let broken = migrate_tests::sets::set(&[("1_a.sql", "CREATE TABLE a (id nowhere);")]);
    let mut client = pool.get().await.expect("a client");
    let error = Migrator::new(&broken).run(&mut client).await.expect_err("no such type");
    assert!(matches!(error.kind(), ErrorKind::Migration { .. }), "{error}");
    drop(client);
    let client = pool.get().await.expect("the same client");
    let locks = migrate_tests::database::value(&client, migrate_tests::database::ADVISORY_LOCKS);
    assert_eq!(locks.await, "0");
    client.batch_execute("BEGIN; CREATE TABLE a (id int); COMMIT").await.expect("no transaction");
}

#[test]
fn blocking_postgres_migrates_by_a_runtime_of_five_lines() {
    let database = TestDatabase::empty().expect("a database");
    let set = tables(3);
    assert_eq!(migrate(database.url(), &set).expect("a run").applied.len(), 3);
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).expect("a client");
    let row = client.query_one("SELECT count(*) FROM t3", &[]).expect("a row");
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[test]
fn blocking_test_uses_a_migrated_database_by_its_address() {
    let set = tables(3);
    let database = TestDatabase::new(&set).expect("a database");
    let mut client = postgres::Client::connect(database.url(), postgres::NoTls).expect("a client");
    client.execute("INSERT INTO t1 VALUES (1)", &[]).expect("a row");
}

/// A run spawns nothing and needs no particular runtime: it is a future like any other.
#[test]
fn run_uses_the_callers_runtime_and_no_other() {
    let database = TestDatabase::empty().expect("a database");
    let set = tables(2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let config = database.config().expect("an address");
    let (mut client, connection) = runtime.block_on(config.connect(NoTls)).expect("a client");
    // Without a spawned task: the connection is driven next to the run.
    let report = runtime.block_on(async {
        let migrator = Migrator::new(&set);
        tokio::select! {
            report = migrator.run(&mut client) => report,
            broken = connection => panic!("the connection ended: {broken:?}"),
        }
    });
    assert_eq!(report.expect("a run").applied.len(), 2);
    assert_eq!(runtime.metrics().num_alive_tasks(), 0, "the run spawned something");
}
