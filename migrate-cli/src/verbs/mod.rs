//! The verbs, each in a file with its arguments. They ask the migrator or the folder, and make an answer.

mod status;
mod up;
mod down;
mod redo;
mod plan;
mod verify;
mod history;
mod baseline;
mod adopt;
mod repair;
mod create;
mod freeze;
mod check;
mod schema;
mod scratch;
mod diff;
mod init;
mod completions;
mod server;
mod wait;
mod database;
mod cluster;
mod convert;
mod prove;
mod squash;
mod beyond;
mod replaced;

use clap::Subcommand;
use migrate_runtime::internal::{self, DatabasePlace};
use migrate_runtime::{Migrations, Migrator};
use tokio_postgres::Client;

use crate::error::VerbError;
use crate::folder::Folder;
use crate::output::style::{FAINT, shown, styled};
use crate::output::{Answer, Output};

pub(crate) use server::{Connector, ServerVerb};

#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Verb {
    #[command(flatten)]
    Database(DatabaseVerb),
    #[command(flatten)]
    Server(ServerVerb),
    #[command(flatten)]
    Folder(FolderVerb),
}

// These comments are the text of `--help`. The aliases are the same verbs of sqlx, diesel, dbmate and Flyway.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum DatabaseVerb {
    /// Show what is applied, what is pending, and where ledger and set disagree
    ///
    /// Exits with 4 if ledger and set disagree, and with `--exit-code` with 3 if migrations are
    /// pending.
    #[command(aliases = ["info", "list"])]
    Status(status::StatusArgs),
    /// Apply pending migrations
    #[command(aliases = ["run", "migrate", "apply"])]
    Up(up::Up),
    /// Undo applied migrations, most recently applied first
    #[command(aliases = ["revert", "rollback", "undo"])]
    Down(down::Down),
    /// Undo the last applied migration and apply it again
    Redo,
    /// Show what `up` would apply
    Plan(plan::PlanArgs),
    /// Fail unless all migrations are applied and ledger and set agree
    ///
    /// Exits with 3 if migrations are pending and with 4 if ledger and set disagree.
    #[command(alias = "validate")]
    Verify,
    /// Show in order what was applied, undone, accepted and forgotten
    History(history::HistoryArgs),
    /// Mark migrations as applied without running them
    Baseline(baseline::Baseline),
    /// Adopt what another tool has applied
    Adopt(adopt::AdoptArgs),
    /// Correct the ledger
    #[command(subcommand)]
    Repair(repair::Repair),
}

#[derive(Subcommand, Debug, Clone)]
pub(crate) enum FolderVerb {
    /// Create the files of the next migration
    #[command(aliases = ["add", "new", "generate"])]
    Create(create::Create),
    /// Write the history file: the migrations in it can no longer be edited unnoticed
    Freeze(freeze::Freeze),
    /// Check the folder as the build does; needs no database
    ///
    /// In a service, also checks that the set in the binary is that of the folder.
    Check(check::Check),
    /// Print the schema that the set makes, or the database's
    ///
    /// With `--static` it needs no database. Otherwise the set is applied to a database that is
    /// created for it on the server of the address, and dropped again.
    Schema(schema::Schema),
    /// Make the folder with its first migration, and a build script
    Init(init::Init),
    /// Print a shell's completion script
    Completions(completions::Completions),
}

/// What a verb of the database works with.
pub(crate) struct Context<'a> {
    pub(crate) migrator: Migrator<'a>,
    pub(crate) client: &'a mut Client,
    pub(crate) place: &'a DatabasePlace,
    pub(crate) output: &'a Output,
}

impl Context<'_> {
    /// A first line that names the database and the ledger.
    fn head(&self) -> String {
        let ledger = internal::ledger_table(&self.migrator);
        let line = match &self.place.server {
            Some(_) => format!("{}, ledger {ledger}", self.place),
            None => format!("ledger {ledger}"),
        };
        styled(FAINT, &shown(&line)) + "\n"
    }

    /// Warns if the database has the history of another tool, which can be why the ledger has no entry.
    async fn warn_of_other_history(&self) {
        if let Some(found) = internal::other_history(self.client).await {
            self.output.warn(&found);
        }
    }
}

impl Verb {
    /// The same; `schema` needs a database unless it is static.
    pub(crate) fn resolved(self) -> Self {
        match self {
            Verb::Folder(FolderVerb::Schema(verb)) if !verb.is_static() => {
                Verb::Server(ServerVerb::Schema(verb))
            }
            other => other,
        }
    }

    /// Whether it needs one set, because it concerns versions, or a folder or a file of one.
    pub(crate) fn is_for_one_set(&self) -> bool {
        match self {
            Verb::Database(verb) => match verb {
                DatabaseVerb::Status(verb) => verb.writes_page(),
                DatabaseVerb::Up(verb) => verb.has_limit(),
                DatabaseVerb::Plan(verb) => verb.has_limit(),
                DatabaseVerb::Verify | DatabaseVerb::History(_) => false,
                _ => true,
            },
            Verb::Server(verb) => matches!(verb, ServerVerb::Squash(_)),
            Verb::Folder(FolderVerb::Check(verb)) => verb.is_of_one_folder(),
            Verb::Folder(FolderVerb::Schema(verb)) => verb.is_of_one_folder(),
            Verb::Folder(_) => !self.is_for_no_set(),
        }
    }

    /// Whether it is the same for all sets.
    pub(crate) fn is_for_no_set(&self) -> bool {
        matches!(
            self,
            Verb::Folder(FolderVerb::Completions(_)) | Verb::Server(ServerVerb::Convert(_))
        )
    }

    /// Whether it changes the database, so that a failure ends it.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Verb::Database(verb) => matches!(verb, DatabaseVerb::Up(_)),
            Verb::Server(verb) => verb.migrates(),
            Verb::Folder(_) => false,
        }
    }

    /// Sets the modules of the program.
    pub(crate) fn set_modules(&mut self, modules: &[String]) {
        if let Verb::Database(DatabaseVerb::Status(verb)) = self {
            modules.clone_into(&mut verb.modules);
        }
    }

    /// Its name in the JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Verb::Database(verb) => match verb {
                DatabaseVerb::Status(_) => "status",
                DatabaseVerb::Up(_) => "up",
                DatabaseVerb::Down(_) => "down",
                DatabaseVerb::Redo => "redo",
                DatabaseVerb::Plan(_) => "plan",
                DatabaseVerb::Verify => "verify",
                DatabaseVerb::History(_) => "history",
                DatabaseVerb::Baseline(_) => "baseline",
                DatabaseVerb::Adopt(_) => "adopt",
                DatabaseVerb::Repair(_) => "repair",
            },
            Verb::Server(verb) => verb.name(),
            Verb::Folder(verb) => match verb {
                FolderVerb::Init(_) => "init",
                FolderVerb::Create(_) => "create",
                FolderVerb::Freeze(_) => "freeze",
                FolderVerb::Check(_) => "check",
                FolderVerb::Schema(_) => "schema",
                FolderVerb::Completions(_) => "completions",
            },
        }
    }
}

impl DatabaseVerb {
    /// `plan --sql`, which prints nothing by itself.
    pub(crate) fn plan() -> Self {
        DatabaseVerb::Plan(plan::PlanArgs { sql: true, ..plan::PlanArgs::default() })
    }

    /// `up`, for all that is pending.
    pub(crate) fn up() -> Self {
        DatabaseVerb::Up(up::Up::default())
    }

    pub(crate) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        // The statements of a plan can be piped to another program.
        if !matches!(self, DatabaseVerb::Plan(plan::PlanArgs { sql: true, .. })) {
            cx.output.begin(&cx.head());
        }
        match self {
            DatabaseVerb::Status(verb) => verb.run(cx).await,
            DatabaseVerb::Up(verb) => verb.run(cx).await,
            DatabaseVerb::Down(verb) => verb.run(cx).await,
            DatabaseVerb::Redo => redo::redo(cx).await,
            DatabaseVerb::Plan(verb) => verb.run(cx).await,
            DatabaseVerb::Verify => verify::verify(cx).await,
            DatabaseVerb::History(verb) => verb.run(cx).await,
            DatabaseVerb::Baseline(verb) => verb.run(cx).await,
            DatabaseVerb::Adopt(verb) => verb.run(cx).await,
            DatabaseVerb::Repair(verb) => verb.run(cx).await,
        }
    }
}

impl FolderVerb {
    /// The same verb for this folder.
    pub(crate) fn of(mut self, folder: &Folder) -> Self {
        match &mut self {
            FolderVerb::Init(init::Init { folder: own, .. })
            | FolderVerb::Create(create::Create { folder: own, .. })
            | FolderVerb::Freeze(freeze::Freeze { folder: own, .. })
            | FolderVerb::Check(check::Check { folder: own, .. })
            | FolderVerb::Schema(schema::Schema { folder: own, .. }) => folder.clone_into(own),
            FolderVerb::Completions(_) => {}
        }
        self
    }

    /// `set` is the embedded one, whose folder is the default; `None` in the binary `migrate`.
    pub(crate) fn run<A: clap::Args>(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        match self {
            FolderVerb::Init(verb) => verb.run(set),
            FolderVerb::Create(verb) => verb.run(set),
            FolderVerb::Freeze(verb) => verb.run(set),
            FolderVerb::Check(verb) => verb.run(set),
            FolderVerb::Schema(verb) => verb.run(set),
            FolderVerb::Completions(verb) => Ok(verb.run::<A>(set)),
        }
    }
}

#[cfg(test)]
mod tests {
    use migrate_source::check::{SetOptions, SourceFile, check};

    /// The migration of a file.
    pub(super) fn one(path: &str, sql: &str) -> migrate_runtime::Migration {
        let set = check("m", &[SourceFile::new(path, sql)], &SetOptions::default()).unwrap().set;
        set.as_slice()[0].clone()
    }
}
