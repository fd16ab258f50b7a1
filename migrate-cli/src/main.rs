//! The command line of a folder of migrations: `migrate status`, `migrate up` and so on.
//! All of it is in `migrate_cli`, which a service can use in its own binary.

use std::path::{Path, is_separator};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};
use migrate_cli::{Args, Folder};
use migrate_runtime::internal::text::masked;

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
const ELSEWHERE: [(&str, &str, &str); 13] = [
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
    ("--num", "--steps", "<N>"),
    ("-n", "--steps", "<N>"),
    ("--connect-timeout", "--wait", "<TIME>"),
];

/// Verbs of the library and of other tools that are no verbs here, and what is used instead.
const VERBS_ELSEWHERE: [(&str, &str); 16] = [
    ("script", "plan --sql"),
    ("pending", "plan"),
    ("upgrade", "up"),
    ("deploy", "up"),
    ("up-to", "up --to <VERSION>"),
    ("up-by-one", "up --steps 1"),
    ("next", "up --steps 1"),
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

/// What is used instead of an unknown verb or argument: an option, if it is a number, a folder or an address, or what
/// another tool calls differently.
fn with_tip(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand) {
        let ours = VERBS_ELSEWHERE.iter().find(|(theirs, _)| theirs == unknown);
        let tip = match ours {
            Some((_, ours)) => Some(format!("here it is '{ours}'")),
            None => option_of(unknown).map(|option| format!("{option}, after a verb")),
        };
        let shown = masked(unknown).into_owned();
        if let Some(tip) = tip {
            error = without_similar_verbs(&error);
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        error.insert(ContextKind::InvalidSubcommand, ContextValue::String(shown));
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let shown = masked(unknown).into_owned();
    if let Some((_, ours, value)) = ELSEWHERE.iter().find(|(theirs, ..)| theirs == unknown) {
        let usage = format!("Usage: migrate <COMMAND> {ours} {value}");
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage.into()));
        error.insert(ContextKind::SuggestedArg, ContextValue::String((*ours).to_owned()));
    } else if let Some(tip) = option_of(unknown) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error.insert(ContextKind::InvalidArg, ContextValue::String(shown));
    error
}

/// The error without the verbs that are only spelt alike.
fn without_similar_verbs(error: &clap::Error) -> clap::Error {
    // `Error::remove` is not in all versions of clap that are allowed.
    let mut rest = clap::Error::new(error.kind()).with_cmd(&Cli::command());
    for (kind, value) in error.context() {
        if kind != ContextKind::SuggestedSubcommand {
            rest.insert(kind, value.clone());
        }
    }
    rest
}

/// The option that a value without one is meant for.
fn option_of(value: &str) -> Option<&'static str> {
    Some(if value.parse::<u64>().is_ok() {
        "a number needs an option: '--steps <N>' or '--to <VERSION>'"
    } else if value.trim_start_matches('-').parse::<u64>().is_ok() {
        "a number needs an option, and no sign: '--steps <N>' or '--to <VERSION>'"
    } else if value.contains("://") {
        "an address needs an option: '--database-url <URL>'"
    } else if Path::new(value).extension().is_some_and(|ending| ending == "sql") {
        "a verb is for the whole folder, '--dir <FOLDER>'; one file is 'up --only <FILE>'"
    } else if value.contains(is_separator) || Path::new(value).is_dir() {
        "a folder needs an option: '--dir <FOLDER>'"
    } else {
        return None;
    })
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
