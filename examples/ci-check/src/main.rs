//! Checks a folder of migrations in a pipeline, without a production database.
//!
//! `cargo run -p ci-check -- [folder]` reads the folder as `embed_migrations!` does without further arguments
//! (put your service's arguments into `options`), applies it to a throwaway database, runs it again and undoes
//! it. It prints one line per check, and exits with 1 at the first problem. Its databases are on a throwaway
//! server; with `--database-url URL` it creates them on that server.
//!
//! A service checks its embedded set with three tests: `TestDatabase::new(&MIGRATIONS)`,
//! `assert_idempotent(&MIGRATIONS)`, `assert_reversible(&MIGRATIONS)`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use migrate_runtime::source::{SetOptions, SourceErrors, from_folder};
use migrate_runtime::{Migrations, Migrator};
use migrate_testing::{
    CheckError, Server, ServerError, TestDatabase, TestError, check_idempotent, check_reversible,
};
use thiserror::Error;

/// The default folder.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// Checks a folder of migrations in a pipeline, without a production database
#[derive(Parser)]
struct Cli {
    /// The folder
    #[arg(default_value = OWN)]
    folder: PathBuf,
    /// The server to create databases on [default: a throwaway one]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl Cli {
    /// Makes the checks use the server of the arguments, and prints which it is.
    fn use_server(&self) -> Result<(), Problem> {
        let (server, which) = match &self.database_url {
            Some(url) => (Server::at(url)?, "the server of --database-url"),
            None => (Server::start()?, "a throwaway server, removed at exit"),
        };
        writeln!(io::stderr(), "using databases of its own on {which}")?;
        Ok(server.for_tests()?)
    }
}

/// What is wrong with a folder, with the library's text.
#[derive(Debug, Error)]
enum Problem {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Source(#[from] SourceErrors),
    #[error(transparent)]
    Test(#[from] TestError),
    #[error(transparent)]
    Migrate(#[from] migrate_runtime::Error),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(problem) = check(&Cli::parse()).await else { return ExitCode::SUCCESS };
    // If this fails too, there is nothing left to report it to.
    let _ = writeln!(io::stderr(), "{problem}");
    ExitCode::FAILURE
}

/// The arguments of `embed_migrations!` after the folder; none here. If they differ from the service's, the
/// result differs from that of its build.
fn options() -> SetOptions {
    SetOptions::default()
}

/// Each check depends on the one before it, so the first problem ends the checks.
async fn check(cli: &Cli) -> Result<(), Problem> {
    let read = || Ok(from_folder(&cli.folder, &options())?);
    let set = checked("names and SQL", async { read() }).await?;
    cli.use_server()?;
    checked("applies to an empty database", applied(&set)).await?;
    checked("a second run does nothing", async { Ok(check_idempotent(&set)?) }).await?;
    checked("up, down and up again is as up", async { Ok(check_reversible(&set)?) }).await
}

/// Runs the set in a database that is dropped afterwards.
async fn applied(set: &Migrations) -> Result<(), Problem> {
    let database = TestDatabase::empty()?;
    let mut client = database.connect().await?;
    Migrator::new(set).run(&mut client).await?;
    Ok(())
}

/// One line for a check: its name and its result.
async fn checked<T>(
    what: &str,
    check: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let mut out = io::stdout();
    write!(out, "{what} ... ")?;
    out.flush()?;
    let checked = check.await;
    writeln!(out, "{}", if checked.is_ok() { "ok" } else { "FAILED" })?;
    checked
}
