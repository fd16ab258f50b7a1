//! sqlx, as its documentation shows it, on a pool of one connection.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

#[tokio::main]
async fn main() {
    let address = boot::Address::from_arguments();
    let options = PgConnectOptions::new_without_pgpass()
        .port(address.port)
        .username("postgres")
        .database(&address.database);
    let options = if address.host.starts_with('/') {
        options.socket(&address.host)
    } else {
        options.host(&address.host)
    };
    let mut boot = boot::Boot::begin();
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await;
    let pool = pool.expect("a connection");
    boot.connected();
    MIGRATOR.run(&pool).await.unwrap_or_else(|error| panic!("{error}"));
    boot.migrated();
}
