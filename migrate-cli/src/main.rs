//! The command line of a folder of migrations: `migrate status`, `migrate up` and so on.
//! Arguments and the environment go in; a table or JSON, and an exit code, come out.
//! All of it is `migrate_cli`, which a service can have in its own binary.

use std::process::ExitCode;

use clap::Parser;
use migrate_cli::{Args, Folder};

/// Migrates a PostgreSQL database from a folder of SQL
///
/// Exits with 0 where all is well, 1 where something failed, 2 where it was asked for what cannot be,
/// 3 where migrations are pending and 4 where ledger and set disagree.
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
