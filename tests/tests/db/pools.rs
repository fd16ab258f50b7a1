//! What the pools of the field hand out is a client like any other.

use migrate_runtime::Migrator;
use migrate_tests::database::FreshDatabase;
use migrate_tests::sets::tables;
use tokio_postgres::NoTls;

#[tokio::test]
async fn deadpool_and_bb8_clients_migrate() {
    let database = FreshDatabase::create().await;
    let set = tables(3);
    let manager = deadpool_postgres::Manager::new(database.config(), NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().expect("a pool");
    let mut client = pool.get().await.expect("a client");
    let report = Migrator::new(&set).run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 3);

    let manager = bb8_postgres::PostgresConnectionManager::new(database.config(), NoTls);
    let pool = bb8::Pool::builder().max_size(1).build(manager).await.expect("a pool");
    let mut client = pool.get().await.expect("a client");
    let report = Migrator::new(&set).run(&mut client).await.expect("a run");
    assert_eq!((report.applied.len(), report.messages), (0, 1));
}
