//! Books rooms: a small HTTP service that migrates its database at boot, then serves.
//!
//! The set in `migrations/` is part of the binary. `cargo run -p boot-service` needs nothing else:
//! with `DATABASE_URL` it uses that database, and without one a throwaway server of its own.
//! Modules in reading order: arguments come in (`args`), the database is opened (`database`), its
//! tables are shown (`routes`) until a signal comes (`serve`), and what fails is told (`failure`).

mod args;
mod database;
mod failure;
mod routes;
mod serve;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use migrate_runtime::{Migrations, Migrator, embed_migrations};
use tokio::runtime::Runtime;

use crate::args::{Command, Then};
use crate::database::Database;
use crate::failure::{Failure, chain};
use crate::serve::Signals;

/// Every migration of this service, checked when it was built.
static MIGRATIONS: Migrations = embed_migrations!("migrations");

fn main() -> ExitCode {
    let (output, code) = match args::parse(env::args_os().skip(1), env::var_os("PORT")) {
        Ok(Command::Help) => return print_help(),
        Ok(Command::Boot(then)) => match boot(then) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(failure) => (chain(&failure), 1),
        },
        Err(mistake) => (format!("{mistake}\n\n{}", args::USAGE), 2),
    };
    // There is nobody to tell when this fails as well.
    let _ = writeln!(io::stderr(), "{}", output.trim_end());
    ExitCode::from(code)
}

fn print_help() -> ExitCode {
    match write!(io::stdout(), "{}", args::USAGE) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The server outlives the runtime: what is dropped last is what everything else talks to.
fn boot(then: Then) -> Result<(), Failure> {
    let server = database::server()?;
    let runtime = Runtime::new().map_err(Failure::Runtime)?;
    runtime.block_on(run(then, server.url()))
}

/// Migrates, then serves; a signal ends either.
async fn run(then: Then, url: &str) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let database = tokio::select! {
        migrated = migrate(url) => migrated?,
        () = signals.received() => return Err(Failure::Interrupted),
    };
    match then {
        Then::Exit => Ok(()),
        Then::Serve { port } => serve::until_signal(routes::routes(database), port, signals).await,
    }
}

/// Brings the database to what this binary was built for, and says what that took.
async fn migrate(url: &str) -> Result<Arc<Database>, Failure> {
    let config = database::config(url)?;
    let mut client = database::connect(&config).await?;
    let report = Migrator::new(&MIGRATIONS).run(&mut client).await?;
    writeln!(io::stdout(), "{report}").map_err(Failure::Output)?;
    Ok(Arc::new(Database::new(config, client)))
}
