//! Boots a service with a library that has migrations of its own. Both sets share one ledger, and the
//! library's run first, because the service's tables refer to its tables.
//!
//! `cargo run -p library-with-module` uses a throwaway server, `-- --database-url URL` another database.

mod accounts;

use std::error::Error;

use clap::Parser;
use migrate_runtime::{Migrations, Migrator, connect, embed_migrations, run_in_order};
use migrate_testing::Server;

/// The service's own set.
static MIGRATIONS: Migrations = embed_migrations!("migrations", module = "notes");

/// Migrates a library's tables and the service's, in one ledger
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

    let accounts = Migrator::new(&accounts::MIGRATIONS);
    let notes = Migrator::new(&MIGRATIONS);
    let sets = [&accounts, &notes];
    for boot in ["first boot", "second boot"] {
        let reports = run_in_order(sets, &mut client).await?;
        for (module, report) in ["accounts", "notes"].iter().zip(reports) {
            println!("{boot}, {module}:\n{report}");
        }
    }
    Ok(())
}
