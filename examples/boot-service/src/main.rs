//! Books rooms: a small HTTP service that migrates its database at boot, then serves.
//!
//! The set in `migrations/` is part of the binary. `cargo run -p boot-service` needs nothing else:
//! with `DATABASE_URL` it uses that database, and without one a throwaway server of its own. It is its
//! own migration tool as well: `cargo run -p boot-service -- migrate status`.
//! Modules in reading order: arguments come in (`args`), the database is kept open (`database`), its
//! health (`health`) and tables (`routes`) are shown until a signal comes (`serve`), and what fails is
//! told (`failure`).

mod args;
mod database;
mod failure;
mod health;
mod routes;
mod serve;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use migrate_cli::Connection;
use migrate_runtime::{Migrations, Migrator, embed_migrations};
use tokio::runtime::Runtime;

use crate::args::{Task, Then};
use crate::database::Database;
use crate::failure::{Failure, chain};
use crate::serve::Signals;

/// Every migration of this service, checked when it was built.
static MIGRATIONS: Migrations = embed_migrations!("migrations");

fn main() -> ExitCode {
    let (connection, task) = match args::read(env::args_os(), env::var_os("PORT")) {
        Ok(asked) => asked,
        Err(refused) => refused.exit(),
    };
    act(connection, task).unwrap_or_else(|failure| {
        // There is nobody to tell when this fails as well.
        let _ = writeln!(io::stderr(), "{}", chain(&failure).trim_end());
        ExitCode::FAILURE
    })
}

/// The server outlives the runtime: what is dropped last is what everything else talks to.
fn act(connection: Connection, task: Task) -> Result<ExitCode, Failure> {
    let needs_database = match &task {
        Task::Migrate(args) => args.needs_database(),
        Task::Boot(_) => true,
    };
    let is_alone = needs_database && !connection.has_address();
    let server = is_alone.then(database::throwaway).transpose()?;
    let connection = match &server {
        Some(server) => Connection::of_url(server.url()),
        None => connection,
    };
    let connection = connection.application_name("boot-service");
    let runtime = Runtime::new().map_err(Failure::Runtime)?;
    match task {
        Task::Migrate(args) => {
            let migrator = Migrator::new(&MIGRATIONS);
            Ok(runtime.block_on(args.connection(connection).run(migrator)))
        }
        Task::Boot(then) => runtime.block_on(boot(then, connection)).map(|()| ExitCode::SUCCESS),
    }
}

/// Migrates, then serves; a signal ends either.
async fn boot(then: Then, connection: Connection) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let database = tokio::select! {
        migrated = migrate(connection) => migrated?,
        () = signals.received() => return Err(Failure::Interrupted),
    };
    match then {
        Then::Exit => Ok(()),
        Then::Serve { port } => serve::until_signal(routes::routes(database), port, signals).await,
    }
}

/// Brings the database to what this binary was built for, and says what that took.
async fn migrate(connection: Connection) -> Result<Arc<Database>, Failure> {
    let mut client = connection.connect().await?;
    let report = Migrator::new(&MIGRATIONS).run(&mut client).await?;
    writeln!(io::stdout(), "{report}").map_err(Failure::Output)?;
    Ok(Arc::new(Database::new(connection, client)))
}
