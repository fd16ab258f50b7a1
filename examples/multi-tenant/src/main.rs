//! Migrates a schema for each tenant, many at a time, and shows what a second boot costs.
//!
//! `cargo run -p multi-tenant` uses `DATABASE_URL`, or a throwaway server without one. Tenants come
//! from the command line, or are three made-up ones.

use std::env;
use std::error::Error;

use deadpool_postgres::{Manager, Pool};
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Migrations, Migrator, embed_migrations};
use migrate_testing::Server;
use tokio_postgres::NoTls;

/// What every tenant's schema holds: `{{tables.x}}` stands for the tenant's own table.
static MIGRATIONS: Migrations = embed_migrations!("migrations");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::from_env()?;
    let pool = Pool::builder(Manager::new(server.url().parse()?, NoTls)).max_size(8).build()?;
    let mut tenants: Vec<String> = env::args().skip(1).collect();
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
