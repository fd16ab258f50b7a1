//! Decides what a command line asks for: the verbs and their options.
//! `clap` fills these in, and refuses what cannot go together.
//! They read neither the environment nor a file on purpose.

mod folder;
mod options;

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use folder::Folder;
pub(super) use options::Options;

use super::connection::Connection;
use migrate_runtime::{Adopt, Adoption};
use migrate_set::rollback::Target as Rollback;
use migrate_set::version::Version;

/// The command line of migrations: a verb and its options, for a service to flatten into its own.
///
/// See the [module](super) for how.
#[derive(ClapArgs, Debug, Clone)]
#[command(about = "Shows and changes the database's schema", long_about = None)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    pub(super) verb: Verb,
    #[command(flatten)]
    pub(super) connection: Connection,
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    pub(super) output: Output,
}

/// How an answer is told.
#[derive(ClapArgs, Debug, Clone, Default)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Go on without asking
    #[arg(long, short, global = true)]
    pub(super) yes: bool,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

// What is said here is what `--help` says.
#[derive(Subcommand, Debug, Clone)]
pub(super) enum Verb {
    /// Show what is applied, what is pending, and where ledger and set disagree
    ///
    /// Exits with 3 where migrations are pending and with 4 where ledger and set disagree.
    Status {
        /// Write it to this file too, as an HTML page with the history
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Apply what is pending
    Up(Up),
    /// Undo applied migrations, the last applied first
    Down(Down),
    /// Undo the last applied migration and apply it again
    Redo,
    /// Show what `up` would apply
    Plan {
        #[command(flatten)]
        limit: Limit,
        /// Print the statements, as SQL
        #[arg(long)]
        sql: bool,
    },
    /// Fail unless all is applied and ledger and set agree
    ///
    /// Exits with 3 where migrations are pending and with 4 where ledger and set disagree.
    Verify,
    /// Show what happened, in order: applied, undone, accepted, forgotten
    History,
    /// Take migrations for applied without running them
    Baseline {
        /// The last of them
        version: String,
    },
    /// Take over what another tool has applied
    Adopt(AdoptArgs),
    /// Change the ledger where it is wrong
    Repair {
        #[command(subcommand)]
        what: Repair,
    },
    /// Write the files of the next migration
    Create(Create),
    /// Write the lock file, which keeps the set's history
    Lock(Lock),
    /// Check the folder as the build does; needs no database
    Check(Check),
    /// Print a shell's completions
    Completions {
        /// For which shell
        shell: Shell,
    },
}

impl Verb {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Verb::Status { .. } => "status",
            Verb::Up(_) => "up",
            Verb::Down(_) => "down",
            Verb::Redo => "redo",
            Verb::Plan { .. } => "plan",
            Verb::Verify => "verify",
            Verb::History => "history",
            Verb::Baseline { .. } => "baseline",
            Verb::Adopt(_) => "adopt",
            Verb::Repair { .. } => "repair",
            Verb::Create(_) => "create",
            Verb::Lock(_) => "lock",
            Verb::Check(_) => "check",
            Verb::Completions { .. } => "completions",
        }
    }
}

/// Which of the pending migrations.
#[derive(ClapArgs, Debug, Clone, Default)]
pub(super) struct Limit {
    /// Up to this version, itself included
    #[arg(long, value_name = "VERSION")]
    pub(super) to: Option<String>,
    /// This migration and no other
    #[arg(long, value_name = "VERSION", conflicts_with = "to")]
    pub(super) only: Option<String>,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Up {
    #[command(flatten)]
    pub(super) limit: Limit,
    /// Show what would be applied, and apply nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Apply it in one transaction and undo that
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) trial: bool,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Down {
    /// So many of them
    #[arg(long, value_name = "N", default_value = "1", conflicts_with_all = ["to", "all"])]
    steps: usize,
    /// All that are newer than this version, which stays
    #[arg(long, value_name = "VERSION", conflicts_with = "all")]
    to: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Show what would be undone, and undo nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Down {
    pub(super) fn target(&self) -> Rollback {
        match &self.to {
            _ if self.all => Rollback::All,
            Some(version) => Rollback::To(Version::new(version.clone())),
            None => Rollback::Steps(self.steps),
        }
    }
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct AdoptArgs {
    /// The tool
    #[arg(value_parser = tool())]
    tool: Adopt,
    /// Its table, where that is not called as usual
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// The schema of its table
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// Of its table, the rows of this module (pgdbm)
    #[arg(long, value_name = "NAME")]
    from_module: Option<String>,
}

impl AdoptArgs {
    pub(super) fn adoption(&self) -> Adoption {
        let mut adoption = Adoption::from(self.tool);
        if let Some(table) = &self.from_table {
            adoption = adoption.table(table);
        }
        if let Some(schema) = &self.from_schema {
            adoption = adoption.schema(schema);
        }
        if let Some(module) = &self.from_module {
            adoption = adoption.module(module);
        }
        adoption
    }
}

/// The tools by their names, in lower case.
const TOOLS: [(&str, Adopt); 12] = [
    ("refinery", Adopt::Refinery),
    ("sqlx", Adopt::Sqlx),
    ("diesel", Adopt::Diesel),
    ("flyway", Adopt::Flyway),
    ("goose", Adopt::Goose),
    ("golang-migrate", Adopt::GolangMigrate),
    ("dbmate", Adopt::Dbmate),
    ("chronis", Adopt::Chronis),
    ("pgdbm", Adopt::Pgdbm),
    ("pycopg", Adopt::Pycopg),
    ("data-bridge", Adopt::DataBridge),
    ("xyn", Adopt::Xyn),
];

fn tool() -> ValueParser {
    folder::choice(&TOOLS)
}

#[derive(Subcommand, Debug, Clone)]
pub(super) enum Repair {
    /// Take the set's text of an edited migration for what was applied
    Accept {
        /// Its version
        #[arg(required_unless_present = "all")]
        version: Option<String>,
        /// Every edited migration
        #[arg(long, conflicts_with = "version")]
        all: bool,
    },
    /// Forget that a migration was applied: the next run applies it
    Forget {
        /// Its version
        version: String,
    },
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Create {
    /// What it does, in a few words
    #[arg(required = true)]
    pub(super) description: Vec<String>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Lock {
    /// Write it although locked migrations were edited, renamed, removed or preceded
    #[arg(long)]
    pub(super) rewrite: bool,
    #[command(flatten)]
    pub(super) folder: Folder,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) folder: Folder,
}
