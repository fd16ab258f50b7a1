//! Asks of a folder of migrations what a pipeline can, without a production database.
//!
//! `cargo run -p ci-check -- [folder]` reads the folder as `embed_migrations!` without further arguments
//! does (a service that gives it some writes them into `options`), applies it to a throwaway database,
//! runs it again and undoes it. It prints a line a check, and exits with 1 at the first
//! problem. `DATABASE_URL` names a server to make databases on; without it a local one is started.
//!
//! A service asks the same of its embedded set in three tests: `TestDatabase::new(&MIGRATIONS)`,
//! `assert_idempotent(&MIGRATIONS)`, `assert_reversible(&MIGRATIONS)`.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use migrate_runtime::source::{SetOptions, SourceErrors, from_folder};
use migrate_runtime::{Migrations, Migrator};
use migrate_testing::{CheckError, TestDatabase, TestError, check_idempotent, check_reversible};
use thiserror::Error;

/// The folder when no other is named.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// What is wrong with a folder, in the library's own words.
#[derive(Debug, Error)]
enum Problem {
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
    let mut args = env::args_os().skip(1);
    let folder = args.next().unwrap_or_else(|| OWN.into());
    let (text, code) = match args.next() {
        Some(_) => ("usage: ci-check [FOLDER]".to_owned(), 2),
        None => match check(Path::new(&folder)).await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(problem) => (problem.to_string(), 1),
        },
    };
    // There is nobody to tell when this fails as well.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}

/// The arguments behind the folder, of which the build of this folder would be given none. Where they are
/// not those of the service, the verdict is not that of its build.
fn options() -> SetOptions {
    SetOptions::default()
}

/// Each check builds on the one before it, so the first problem is the last.
async fn check(folder: &Path) -> Result<(), Problem> {
    let read = || Ok(from_folder(folder, &options())?);
    let set = told("names and SQL", async { read() }).await?;
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
