//! Migrates a schema for each tenant, many at a time, and shows what a second boot costs.
//!
//! `cargo run -p multi-tenant` uses a throwaway server, `-- --database-url URL` another database. Tenants
//! come from the command line, or are three made-up ones.

use std::error::Error;

use clap::Parser;
use deadpool_postgres::{Manager, Pool};
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Migrations, Migrator, embed_migrations};
use migrate_testing::{Server, ServerError};
use tokio_postgres::NoTls;

/// What every tenant's schema holds: `{{tables.x}}` stands for the tenant's own table.
static MIGRATIONS: Migrations = embed_migrations!("migrations");

/// Migrates a schema for each tenant
#[derive(Parser)]
struct Cli {
    /// The database to use [default: one on a throwaway server]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The tenants' schemas [default: three made-up ones]
    tenants: Vec<String>,
}

impl Cli {
    /// The server to use; says on one line which it is.
    fn server(&self) -> Result<Server, ServerError> {
        let Some(url) = &self.database_url else {
            let server = Server::start()?;
            eprintln!("using a throwaway server, removed at exit: psql '{}'", server.url());
            return Ok(server);
        };
        eprintln!("using the database of --database-url");
        Server::at(url)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    let server = cli.server()?;
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

    // One tenant's failure keeps no other from being migrated; a service decides what it means.
    match first.failed.as_slice() {
        [] => Ok(()),
        failed => Err(format!("{} tenants could not be migrated", failed.len()).into()),
    }
}
