//! Services on sqlx and on diesel-async that migrate at boot, each as docs/ecosystem.md shows it.
//! It fails when one of them does not see what was migrated; it prints a line each.
#![allow(clippy::expect_used, reason = "without a server there is nothing to look at")]

use diesel::{Connection as _, sql_query};
use diesel_async::AsyncPgConnection;
use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{Error, Migrations, Migrator};
use migrate_testing::TestDatabase;
use tokio_postgres::NoTls;

/// Over a connection of its own, which ends with the run.
async fn migrate(url: &str, set: &Migrations) -> Result<usize, Error> {
    Ok(Migrator::new(set).run_url(url).await?.applied.len())
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("1_a.sql"), "CREATE TABLE a (id int);").expect("a file");
    let set = from_folder(folder.path(), &SetOptions::default()).expect("a set");
    by_sqlx(&set).await;
    by_diesel_async(&set).await;
    by_diesel_async_on_the_same_connection(&set).await;
    by_diesel(&set).await;
}

async fn by_sqlx(set: &Migrations) {
    let database = TestDatabase::empty().expect("a database");
    assert_eq!(migrate(database.url(), set).await.expect("a run"), 1);
    let pool = sqlx::PgPool::connect(database.url()).await.expect("a pool");
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM a").fetch_one(&pool).await.expect("a row");
    assert_eq!(count, 0);
    pool.close().await;
    println!("sqlx: its pool sees what a connection before it migrated");
}

async fn by_diesel_async(set: &Migrations) {
    let database = TestDatabase::empty().expect("a database");
    assert_eq!(migrate(database.url(), set).await.expect("a run"), 1);
    let mut connection =
        <AsyncPgConnection as diesel_async::AsyncConnection>::establish(database.url())
            .await
            .expect("a connection");
    let inserted =
        diesel_async::RunQueryDsl::execute(sql_query("INSERT INTO a VALUES (1)"), &mut connection);
    assert_eq!(inserted.await.expect("a row"), 1);
    println!("diesel-async: its connection sees what a connection before it migrated");
}

/// It takes over a client of tokio-postgres, which can have migrated before.
async fn by_diesel_async_on_the_same_connection(set: &Migrations) {
    let database = TestDatabase::empty().expect("a database");
    let (mut client, connection) =
        tokio_postgres::connect(database.url(), NoTls).await.expect("a client");
    tokio::spawn(connection);
    Migrator::new(set).run(&mut client).await.expect("a run");
    let mut connection = AsyncPgConnection::try_from(client).await.expect("the same connection");
    let inserted =
        diesel_async::RunQueryDsl::execute(sql_query("INSERT INTO a VALUES (1)"), &mut connection);
    assert_eq!(inserted.await.expect("a row"), 1);
    println!("diesel-async: it takes over the client that migrated");
}

async fn by_diesel(set: &Migrations) {
    let database = TestDatabase::empty().expect("a database");
    assert_eq!(migrate(database.url(), set).await.expect("a run"), 1);
    let url = database.url().to_owned();
    let inserted = tokio::task::spawn_blocking(move || {
        let mut connection = diesel::PgConnection::establish(&url).expect("a connection");
        diesel::RunQueryDsl::execute(sql_query("INSERT INTO a VALUES (1)"), &mut connection)
    });
    assert_eq!(inserted.await.expect("its thread").expect("a row"), 1);
    println!("diesel: its connection sees what a connection before it migrated");
}
