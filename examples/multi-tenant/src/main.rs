//! Migrates one schema per tenant, many in parallel, and shows the cost of a second boot.
//!
//! `cargo run -p multi-tenant` uses a throwaway server, `-- --database-url URL` another database. Tenants come
//! from the command line; by default there are three examples.

use std::error::Error;

use clap::Parser;
use deadpool_postgres::{Manager, Pool};
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Migrations, Migrator, embed_migrations};
use migrate_testing::Server;
use tokio_postgres::NoTls;

/// The contents of every tenant's schema: `{{tables.x}}` is the tenant's own table.
static MIGRATIONS: Migrations = embed_migrations!("migrations");

/// Migrates one schema per tenant, many in parallel
#[derive(Parser)]
struct Cli {
    /// The database to use [default: one on a throwaway server]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The tenants' schemas [default: three examples]
    tenants: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    let server = cli.database_url.as_deref().map_or_else(Server::start, Server::at)?;
    if server.is_throwaway() {
        eprintln!("using a throwaway server, removed at exit: psql '{}'", server.url());
    }
    let pool = Pool::builder(Manager::new(server.url().parse()?, NoTls)).max_size(8).build()?;
    let mut tenants = cli.tenants;
    if tenants.is_empty() {
        tenants = ["tenant_ada", "tenant_bob", "tenant_eve"].map(str::to_owned).to_vec();
    }

    let migrator = Migrator::new(&MIGRATIONS).create_schema();
    let boot = Tenants::new(&migrator).concurrency(8);
    let first = boot.run(&tenants, || pool.get(), |progress| println!("{progress}")).await?;
    println!("{first}");
    let second = boot.run(&tenants, || pool.get(), |_| {}).await?;
    println!("{second}");

    // A tenant that fails does not stop the others; a service decides what to do with it.
    match first.failed.as_slice() {
        [] => Ok(()),
        failed => Err(format!("{} tenants could not be migrated", failed.len()).into()),
    }
}
