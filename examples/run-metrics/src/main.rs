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
use migrate_testing::{Server, ServerError};

use crate::printed::Printed;

static MIGRATIONS: Migrations = embed_migrations!("migrations", module = "orders", lints = deny);

/// Migrates, and prints metrics of it
#[derive(Parser)]
struct Cli {
    /// The database to use [default: one on a throwaway server]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl Cli {
    /// The server to use. Prints which it is.
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
    let server = Cli::parse().server()?;
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
