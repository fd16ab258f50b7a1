//! This library, as its README shows it.

use migrate_runtime::{Migrations, Migrator, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("migrations");

#[tokio::main]
async fn main() {
    let address = boot::Address::from_arguments().key_values();
    let mut boot = boot::Boot::begin();
    let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls).await;
    let (mut client, connection) = connected.expect("a connection");
    tokio::spawn(connection);
    boot.connected();
    let report = Migrator::new(&MIGRATIONS).run(&mut client).await;
    let _ = report.unwrap_or_else(|error| panic!("{error}"));
    boot.migrated();
}
