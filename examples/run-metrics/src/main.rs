//! Boots a service three times and prints the metrics: a boot that is refused because an older release runs, one
//! that migrates, and one with nothing pending.
//!
//! `cargo run -p run-metrics` uses a throwaway server, `-- --database-url URL` another database. A service installs
//! the recorder of its exporter, such as `metrics-exporter-prometheus`, in place of the one that prints.

mod observe;
mod printed;

use std::error::Error;

use clap::Parser;
use migrate_runtime::{Migrations, embed_migrations};
use migrate_testing::Server;

use crate::printed::Printed;

static MIGRATIONS: Migrations = embed_migrations!("migrations", module = "orders", lints = deny);

/// Migrates, and prints metrics of it
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
    metrics::set_global_recorder(Printed)?;
    observe::describe();
    for oldest_peer in ["2.2", "2.3", "2.3"] {
        let result =
            observe::migrator(&MIGRATIONS).oldest_peer(oldest_peer).run_url(server.url()).await;
        observe::record(&MIGRATIONS, &result);
        match result {
            Ok(report) => eprintln!("{report}"),
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(())
}
