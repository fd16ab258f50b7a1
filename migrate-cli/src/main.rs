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

/// Verbs of the library and of other tools that are no verbs here, and what is used instead.
const VERBS_ELSEWHERE: [(&str, &str); 14] = [
    ("script", "plan --sql"),
    ("pending", "plan"),
    ("upgrade", "up"),
    ("deploy", "up"),
    ("up-to", "up --to <VERSION>"),
    ("downgrade", "down"),
    ("down-to", "down --to <VERSION>"),
    ("goto", "up --to <VERSION>' or 'down --to <VERSION>"),
    ("force", "baseline <VERSION>"),
    ("version", "status"),
    ("dump", "schema"),
    ("lint", "check --lints warn"),
    ("drop", "database drop"),
    ("reset", "database reset"),
];

/// The tip of an unknown verb or argument, if it is a number or of another tool.
fn with_tip(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand)
        && let Some((_, ours)) = VERBS_ELSEWHERE.iter().find(|(theirs, _)| theirs == unknown)
    {
        let tip = format!("here it is '{ours}'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    if let Some((_, ours, value)) = ELSEWHERE.iter().find(|(theirs, ..)| theirs == unknown) {
        let usage = format!("Usage: migrate <COMMAND> {ours} {value}");
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage.into()));
        error.insert(ContextKind::SuggestedArg, ContextValue::String((*ours).to_owned()));
    } else if unknown.trim_start_matches('-').parse::<u64>().is_ok() {
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
