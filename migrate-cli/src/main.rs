//! The command line of a folder of migrations: `migrate status`, `migrate up` and so on.
//! All of it is in `migrate_cli`, which a service can use in its own binary.

use std::process::ExitCode;

use clap::Parser;
use migrate_cli::{Args, Folder};

/// Migrates a PostgreSQL database from a folder of SQL
///
/// Exits with 0 on success, 1 if something failed, 2 if the request was not valid or not confirmed,
/// 3 if migrations are pending (`verify`, `status --exit-code`) and 4 if ledger and set disagree.
#[derive(Parser)]
#[command(name = "migrate", version)]
struct Cli {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    let Cli { folder, args } = Cli::parse();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(args.run_folder(&folder)),
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
