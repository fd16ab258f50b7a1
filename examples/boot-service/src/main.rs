//! Books rooms: a small HTTP service that migrates its database at boot, then serves.
//!
//! The set in `migrations/` is part of the binary. `cargo run -p boot-service` needs nothing else: it starts a
//! throwaway server, unless `-- --database-url URL` names a database. It is its own migration tool too:
//! `cargo run -p boot-service -- migrate status`.
//! Modules in reading order: the arguments (`args`), the connection (`database`), the routes for its health
//! (`health`) and its tables (`routes`), serving until a signal (`serve`), and the errors (`failure`).

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
    let (database_url, task) = match args::read(env::args_os(), env::var_os("PORT")) {
        Ok(asked) => asked,
        Err(refused) => refused.exit(),
    };
    act(database_url, task).unwrap_or_else(|failure| {
        // If this fails too, there is nothing left to report it to.
        let _ = writeln!(io::stderr(), "{}", chain(&failure).trim_end());
        ExitCode::FAILURE
    })
}

/// The server outlives the runtime: everything else talks to it, so it is dropped last.
fn act(database_url: Option<String>, task: Task) -> Result<ExitCode, Failure> {
    let needs_database = match &task {
        Task::Migrate(args) => args.needs_database(),
        Task::Boot(_) => true,
    };
    let (connection, _server) = if needs_database {
        database::choose(database_url)?
    } else {
        (Connection::default(), None)
    };
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

/// Applies the migrations of this binary, and prints what was applied.
async fn migrate(connection: Connection) -> Result<Arc<Database>, Failure> {
    let mut client = connection.connect().await?;
    let report = Migrator::new(&MIGRATIONS).run(&mut client).await?;
    writeln!(io::stdout(), "{report}").map_err(Failure::Output)?;
    Ok(Arc::new(Database::new(connection, client)))
}
