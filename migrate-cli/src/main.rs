//! The command line of a folder of migrations: `migrate status`, `migrate up` and so on.
//! All of it is in `migrate_cli`, which a service can use in its own binary.

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use migrate_cli::{Args, Folder};

/// Migrates a PostgreSQL database from a folder of SQL
///
/// Exits with 0 on success, 1 if something failed, 2 if the request was not valid or not confirmed,
/// 3 if migrations are pending (`verify`, `status --exit-code`) and 4 if ledger and set, or a
/// file or the database and the schema of the set, disagree.
#[derive(Parser)]
#[command(name = "migrate", version)]
struct Cli {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    args: Args,
}

/// Options of other tools, and what is used here instead.
const ELSEWHERE: [(&str, &str, &str); 11] = [
    ("--source", "--dir", "<FOLDER>"),
    ("--folder", "--dir", "<FOLDER>"),
    ("--path", "--dir", "<FOLDER>"),
    ("--migrations-dir", "--dir", "<FOLDER>"),
    ("--migration-dir", "--dir", "<FOLDER>"),
    ("--url", "--database-url", "<URL>"),
    ("--uri", "--database-url", "<URL>"),
    ("--dsn", "--database-url", "<URL>"),
    ("--database", "--database-url", "<URL>"),
    ("--target", "--to", "<VERSION>"),
    ("--connect-timeout", "--wait", "<TIME>"),
];

/// The tip of an unknown argument, if it is a number or an option of another tool.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    if let Some((_, ours, value)) = ELSEWHERE.iter().find(|(theirs, ..)| theirs == unknown) {
        let usage = format!("Usage: migrate <COMMAND> {ours} {value}");
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage.into()));
        error.insert(ContextKind::SuggestedArg, ContextValue::String((*ours).to_owned()));
    } else if unknown.parse::<u64>().is_ok() {
        let tip = "a number needs an option: 'up --to <VERSION>' or 'down --steps <N>'";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn main() -> ExitCode {
    let parsed = Cli::try_parse();
    let Cli { folder, args } = parsed.unwrap_or_else(|error| with_tip(error).exit());
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(args.run_folder(&folder)),
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
