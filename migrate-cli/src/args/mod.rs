//! The verbs of the command line and their options, which `clap` parses.

mod folder;
mod options;

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser, ValueParser};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use folder::Folder;
pub(super) use options::Options;

use super::connection::Connection;
use migrate_runtime::adopt::{Adopt, Adoption};
use migrate_set::rollback::Rollback;
use migrate_set::version::Version;

/// The command line of migrations: a verb and its options, for a service to flatten into its own
/// arguments.
///
/// The [crate's page](super) shows how.
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

/// How an answer is printed.
#[derive(ClapArgs, Debug, Clone, Default)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Do not ask for confirmation
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

// These comments are the text of `--help`.
#[derive(Subcommand, Debug, Clone)]
pub(super) enum Verb {
    /// Show what is applied, what is pending, and where ledger and set disagree
    ///
    /// Exits with 3 if migrations are pending and with 4 if ledger and set disagree.
    Status {
        /// Also write it to this file, as an HTML page with the history
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Apply pending migrations
    Up(Up),
    /// Undo applied migrations, most recently applied first
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
    /// Fail unless all migrations are applied and ledger and set agree
    ///
    /// Exits with 3 if migrations are pending and with 4 if ledger and set disagree.
    Verify,
    /// Show in order what was applied, undone, accepted and forgotten
    History,
    /// Mark migrations as applied without running them
    Baseline {
        /// The last version to mark
        #[arg(value_parser = version())]
        version: Version,
    },
    /// Adopt what another tool has applied
    Adopt(AdoptArgs),
    /// Correct the ledger
    Repair {
        #[command(subcommand)]
        what: Repair,
    },
    /// Create the files of the next migration
    Create(Create),
    /// Write the history file: the migrations in it can no longer be edited unnoticed
    Freeze(Freeze),
    /// Check the folder as the build does; needs no database
    Check(Check),
    /// Print a shell's completion script
    Completions {
        /// The shell
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
            Verb::Freeze(_) => "freeze",
            Verb::Check(_) => "check",
            Verb::Completions { .. } => "completions",
        }
    }
}

/// Which of the pending migrations.
#[derive(ClapArgs, Debug, Clone, Default)]
pub(super) struct Limit {
    /// Up to and including this version
    #[arg(long, value_name = "VERSION", value_parser = version())]
    pub(super) to: Option<Version>,
    /// Only the migration of this version
    #[arg(long, value_name = "VERSION", conflicts_with = "to", value_parser = version())]
    pub(super) only: Option<Version>,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Up {
    #[command(flatten)]
    pub(super) limit: Limit,
    /// Show what would be applied, without applying it
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Apply in one transaction, which is then rolled back
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) trial: bool,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Down {
    /// How many migrations to undo
    #[arg(long, value_name = "N", default_value = "1", conflicts_with_all = ["to", "all"])]
    steps: usize,
    /// Undo every migration newer than this version
    #[arg(long, value_name = "VERSION", conflicts_with = "all", value_parser = version())]
    to: Option<Version>,
    /// Undo every migration
    #[arg(long)]
    all: bool,
    /// Show what would be undone, without undoing it
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Down {
    pub(super) fn target(&self) -> Rollback {
        match &self.to {
            _ if self.all => Rollback::All,
            Some(version) => Rollback::To(version.clone()),
            None => Rollback::Steps(self.steps),
        }
    }
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct AdoptArgs {
    /// The tool
    #[arg(value_parser = tool())]
    tool: Adopt,
    /// The tool's table, if it is not the default one
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// The schema of the tool's table
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// Only the table's rows of this module (pgdbm)
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

/// The tools by name, in lower case.
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

/// A version, as the library's verbs parse it.
fn version() -> ValueParser {
    NonEmptyStringValueParser::new().map(Version::from).into()
}

fn tool() -> ValueParser {
    folder::choice(&TOOLS)
}

#[derive(Subcommand, Debug, Clone)]
pub(super) enum Repair {
    /// Accept the set's text of an edited migration as what was applied
    Accept {
        /// The migration's version
        #[arg(required_unless_present = "all", value_parser = version())]
        version: Option<Version>,
        /// Accept every edited migration
        #[arg(long, conflicts_with = "version")]
        all: bool,
    },
    /// Forget that a migration was applied, so that the next run applies it
    Forget {
        /// The migration's version
        #[arg(value_parser = version())]
        version: Version,
    },
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Create {
    /// What the migration does, in a few words
    #[arg(required = true)]
    pub(super) description: Vec<String>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

#[derive(ClapArgs, Debug, Clone)]
pub(super) struct Freeze {
    /// Write it even if frozen migrations were edited, renamed, removed or preceded
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
