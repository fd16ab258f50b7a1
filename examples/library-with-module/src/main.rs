//! Boots a service whose library brings migrations of its own: both sets share one ledger, and the
//! library's run first, because the service's tables refer to them.
//!
//! `cargo run -p library-with-module` uses `DATABASE_URL`, or a throwaway server without one.

mod accounts;

use std::error::Error;

use migrate_runtime::{Migrations, Migrator, embed_migrations, run_in_order};
use migrate_testing::Server;
use tokio_postgres::NoTls;

/// The service's own set.
static MIGRATIONS: Migrations = embed_migrations!("migrations", module = "notes");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::from_env()?;
    let (mut client, connection) = tokio_postgres::connect(server.url(), NoTls).await?;
    tokio::spawn(connection);

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
