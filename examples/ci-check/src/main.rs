//! Asks of a folder of migrations what a pipeline can, without a production database.
//!
//! `cargo run -p ci-check -- [folder]` reads the folder as `embed_migrations!` without further arguments
//! does (a service that gives it some writes them into `options`), applies it to a throwaway database,
//! runs it again and undoes it. It prints a line a check, and exits with 1 at the first
//! problem. Its databases are on a throwaway server, or with `--database-url URL` new ones on that server.
//!
//! A service asks the same of its embedded set in three tests: `TestDatabase::new(&MIGRATIONS)`,
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

/// The folder when no other is named.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// Asks of a folder of migrations what a pipeline can
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
    /// Has the checks use the server that was asked for, and says on one line which it is.
    fn use_server(&self) -> Result<(), Problem> {
        let (server, which) = match &self.database_url {
            Some(url) => (Server::at(url)?, "the server of --database-url"),
            None => (Server::start()?, "a throwaway server, removed at exit"),
        };
        writeln!(io::stderr(), "using databases of its own on {which}")?;
        Ok(server.for_tests()?)
    }
}

/// What is wrong with a folder, in the library's own words.
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
    // There is no place left to report a failure of this.
    let _ = writeln!(io::stderr(), "{problem}");
    ExitCode::FAILURE
}

/// The arguments behind the folder, of which the build of this folder would be given none. Where they are
/// not those of the service, the verdict is not that of its build.
fn options() -> SetOptions {
    SetOptions::default()
}

/// Each check builds on the one before it, so the first problem is the last.
async fn check(cli: &Cli) -> Result<(), Problem> {
    let read = || Ok(from_folder(&cli.folder, &options())?);
    let set = told("names and SQL", async { read() }).await?;
    cli.use_server()?;
    told("applies to an empty database", applied(&set)).await?;
    told("a second run does nothing", async { Ok(check_idempotent(&set)?) }).await?;
    told("up, down and up again is as up", async { Ok(check_reversible(&set)?) }).await
}

/// Runs the set in a database that is dropped behind it.
async fn applied(set: &Migrations) -> Result<(), Problem> {
    let database = TestDatabase::empty()?;
    let mut client = database.connect().await?;
    Migrator::new(set).run(&mut client).await?;
    Ok(())
}

/// A line about a check: what it is, and how it ended.
async fn told<T>(
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
