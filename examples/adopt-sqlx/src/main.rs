//! Takes over a database that sqlx has migrated, and applies the rest.
//!
//! `cargo run -p adopt-sqlx` uses a throwaway server, `-- --database-url URL` another database. It first
//! creates what an older release with `sqlx::migrate!` would have left: the first migration applied, and
//! sqlx's own table.

use std::error::Error;

use clap::Parser;
use migrate_runtime::adopt::Adopt;
use migrate_runtime::{Migrations, Migrator, connect, embed_migrations};
use migrate_testing::Server;
use tokio_postgres::Client;

/// The same folder that `sqlx::migrate!` used.
static MIGRATIONS: Migrations = embed_migrations!("migrations");

/// Takes over a database that sqlx has migrated, and applies the rest
#[derive(Parser)]
struct Cli {
    /// The database to use [default: one on a throwaway server]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Cli::parse().database_url.as_deref().map_or_else(Server::start, Server::at)?;
    if server.is_throwaway() {
        eprintln!("using a throwaway server, removed at exit: psql '{}'", server.url());
    }
    let mut client = connect(server.url()).await?;
    as_sqlx_left_it(&client).await?;

    let migrator = Migrator::new(&MIGRATIONS);
    // Verifies sqlx's checksums and fills the ledger. It changes nothing the second time, so it can stay
    // in the boot until every database has a ledger.
    println!("{}", migrator.adopt(&mut client, Adopt::Sqlx).await?);
    println!("{}", migrator.run(&mut client).await?);
    println!("{}", migrator.status(&client).await?);
    Ok(())
}

/// What sqlx 0.8 writes: the table, and a row with the SHA-384 of the first file.
async fn as_sqlx_left_it(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(concat!(
            include_str!("../migrations/20240101120000_create_songs.up.sql"),
            "CREATE TABLE _sqlx_migrations (\
             version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, \
             checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);",
        ))
        .await?;
    let file = include_str!("../migrations/20240101120000_create_songs.up.sql");
    let row = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
               VALUES (20240101120000, 'create songs', true, sha384($1::text::bytea), 1234567)";
    client.execute(row, &[&file]).await?;
    Ok(())
}
