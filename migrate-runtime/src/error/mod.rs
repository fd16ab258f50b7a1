//! Says what went wrong at run time: what happened, where, what stays applied, what to do next.
//! The phases hand in what they know; one [`Error`] comes out, with the partial [`Report`].
//! It decides nothing on purpose.

use std::fmt;
use std::time::Duration;

use migrate_set::drift::DriftReport;
use migrate_set::location::Position;
use migrate_set::rollback::Obstacles;
use thiserror::Error;

mod migration;
mod text;

pub use migration::{Direction, Kept, MigrationFailure, Place};
pub(crate) use text::help_line;
use text::{counted, database_message, held_by, stays_applied, under_way};

use crate::adopt::AdoptObstacles;
use crate::hook::{BoxError, When};
use crate::report::{Holder, LockKind, Report};
use crate::stale::StaleEmbed;

/// Why a verb of the [`Migrator`](crate::Migrator) failed.
///
/// Its text begins with what happened and where; `help:` names the next action. `Debug` shows the
/// same text, because that is what a `main` that returns an error prints.
///
/// ```
/// use migrate_runtime::Error;
///
/// /// Whether to try again later, as it is.
/// fn is_passing(error: &Error) -> bool {
///     match error {
///         Error::Busy { .. } | Error::ConnectionLost { .. } | Error::Deadline { .. } => true,
///         // lock_not_available, deadlock_detected: others held locks at every try
///         Error::Migration { failure, .. } => {
///             matches!(failure.sqlstate.as_deref(), Some("55P03" | "40P01"))
///         }
///         _ => false,
///     }
/// }
/// ```
#[derive(Error)]
#[non_exhaustive]
pub enum Error {
    /// Ledger and set disagree; nothing ran since that was read.
    #[error("{drift}{}", stays_applied(report))]
    Drift {
        /// Every deviation.
        drift: DriftReport,
        /// What this run applied before: only where another replica moved the ledger meanwhile.
        report: Box<Report>,
    },

    /// A rollback cannot begin; nothing was undone since that was read.
    #[error("{obstacles}{}", stays_applied(report))]
    Rollback {
        /// Every obstacle.
        obstacles: Obstacles,
        /// What this run undid before: only where another replica moved the ledger meanwhile.
        report: Box<Report>,
    },

    /// The set is not the folder that it was embedded from; nothing ran.
    #[error(transparent)]
    StaleEmbed(#[from] StaleEmbed),

    /// A migration failed. What was applied before it stays applied and recorded.
    #[error("{failure}{}", stays_applied(report))]
    Migration {
        /// What failed and where.
        failure: Box<MigrationFailure>,
        /// The driver's error.
        source: tokio_postgres::Error,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// The function of a migration failed; nothing of the migration stays.
    #[error("{file}: its function failed: {source}{}", stays_applied(report))]
    Function {
        /// The migration's file, as the set names it.
        file: String,
        /// Its version.
        version: String,
        /// What the function returned.
        source: BoxError,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// A hook stopped the run. Around a transactional migration, nothing of that stays.
    #[error(
        "{}a hook {when} stopped the run: {source}{}",
        file.as_ref().map_or_else(String::new, |file| format!("{file}: ")),
        stays_applied(report)
    )]
    Hook {
        /// Which hook.
        when: When,
        /// The migration's file, as the set names it; `None` around the run.
        file: Option<String>,
        /// What the hook returned.
        source: BoxError,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// A function or a hook ended the transaction that it was given. What it committed stays, and is
    /// not recorded.
    #[error(
        "{file}: its function, or a hook, has ended the transaction of the run{}\n\
         help: take COMMIT, ROLLBACK and RESET ALL out of it, and see what it has left in the database",
        stays_applied(report)
    )]
    TransactionEnded {
        /// The migration's file, as the set names it.
        file: String,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// A migration ends with a function, and the migrator was given none; nothing ran.
    #[error("{file}: its function is missing\nhelp: give it with `.function({version:?}, ..)`")]
    NoFunction {
        /// The migration's file, as the set names it.
        file: String,
        /// Its version.
        version: String,
    },

    /// The migrator was given a function for a migration that asks for none; nothing ran.
    #[error(
        "a function was given for version {version}, {}\n\
         help: write `-- migrate:function` above the first statement of its file",
        if *is_known { "whose file does not ask for one" } else { "which is not in the set" }
    )]
    UnwantedFunction {
        /// The version as the caller writes it.
        version: String,
        /// Whether the set has that migration.
        is_known: bool,
    },

    /// The connection broke while a message was under way. The server goes on with what it was
    /// sent, and answers only now and then, so which of the migrations it applied is unknown.
    #[error(
        "the connection broke while {} being applied: {source}{}\n\
         which were applied is unknown; the next run reads it from the ledger",
        under_way(versions),
        stays_applied(report)
    )]
    ConnectionLost {
        /// The versions under way, in order.
        versions: Vec<String>,
        /// The driver's error.
        source: tokio_postgres::Error,
        /// What this run applied before, as far as the server answered.
        report: Box<Report>,
    },

    /// Another replica held the ledger's lock for longer than this run may wait.
    #[error(
        "another session held the lock of `{ledger}` for all of {waited:?}{}{}\nhelp: {help}",
        held_by(holder.as_deref()),
        stays_applied(report)
    )]
    Busy {
        /// The ledger as `schema.table`.
        ledger: String,
        /// How long this run waited.
        waited: Duration,
        /// Who holds it; `None` where the server does not tell.
        holder: Option<Box<Holder>>,
        /// What to do about it.
        help: String,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// The run's deadline passed. What was cut was undone; what was applied before it stays.
    #[error(
        "{}the run was cut at its deadline of {deadline:?}{}\n\
         help: give a longer `deadline`, or split the migration",
        at.as_ref().map_or_else(String::new, |failure| format!("{failure}\n")),
        stays_applied(report)
    )]
    Deadline {
        /// How long the run was given.
        deadline: Duration,
        /// Where it was, if at a migration.
        at: Option<Box<MigrationFailure>>,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// A pooler stands between this connection and the server, and a pending migration needs a
    /// session of its own; nothing ran.
    #[error(
        "{file}: runs outside a transaction, and this connection goes through a pooler, which may \
         serve each message by another session{}\n\
         help: connect to the server itself{}",
        stays_applied(report),
        match lock {
            LockKind::Advisory => ", or choose `.lock(Lock::Row)`; for a pooler in session mode, `.lock(Lock::Advisory)`",
            LockKind::Row => ", or take the session's settings out of the file",
        }
    )]
    Pooled {
        /// The first such migration's file, as the set names it.
        file: String,
        /// What keeps runs apart; a row of the ledger can do without a session, the migration's own
        /// settings cannot.
        lock: LockKind,
        /// What this run applied before: only where it had read the ledger more than once.
        report: Box<Report>,
    },

    /// The role can take no advisory lock, and the caller wants no other; nothing ran.
    #[error(
        "this role can take no advisory lock for `{ledger}`{}\n\
         help: grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
         pg_advisory_unlock, or choose `.lock(Lock::Row)`",
        stays_applied(report)
    )]
    NoAdvisoryLock {
        /// The ledger as `schema.table`.
        ledger: String,
        /// What this run applied before.
        report: Box<Report>,
    },

    /// Two sets were to run in order that one ledger cannot tell apart; nothing ran.
    #[error(
        "two sets are the module `{module}` of `{ledger}`\n\
         help: name one of them by `embed_migrations!(.., module = \"..\")`"
    )]
    SameModule {
        /// The module.
        module: String,
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// A name that no schema or table can have; nothing ran.
    #[error(
        "{option} was given a name that {problem}\nhelp: give it the name of a schema or table"
    )]
    BadName {
        /// The option that it was given to.
        option: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The set has no such migration; nothing ran.
    #[error("version {version} is not in the set\nhelp: choose one that is; `status` lists them")]
    UnknownVersion {
        /// The version as the caller writes it.
        version: String,
    },

    /// Migrations that a service requires are not applied.
    #[error(
        "required and not applied: {}\nhelp: run a binary that has them, before this one starts",
        versions.join(", ")
    )]
    Required {
        /// Them, as the caller writes them.
        versions: Vec<String>,
    },

    /// An entry was named that the ledger does not have; nothing changed.
    #[error(
        "`{ledger}` has no entry of version {version}\nhelp: choose one that is applied; `status` lists them"
    )]
    NoEntry {
        /// The ledger as `schema.table`.
        ledger: String,
        /// The version as the caller writes it.
        version: String,
    },

    /// Another tool's table cannot be taken over; nothing was written.
    #[error("`{table}` cannot be taken over from {tool}:{obstacles}")]
    Adoption {
        /// The tool's name.
        tool: &'static str,
        /// Its table as `schema.table`.
        table: String,
        /// Every reason.
        obstacles: AdoptObstacles,
    },

    /// Another tool's table is missing, or is not that tool's; nothing was written.
    #[error(
        "`{table}` {}\nhelp: name {tool}'s table with `.table(..)` and `.schema(..)`",
        match columns.as_slice() {
            [] => "does not exist".to_owned(),
            columns => format!("is not a table of {tool}: it has the columns {}", columns.join(", ")),
        }
    )]
    NotAdoptable {
        /// The tool's name.
        tool: &'static str,
        /// The table as `schema.table`.
        table: String,
        /// Its columns; none where it is missing.
        columns: Vec<String>,
    },

    /// Migrations are pending, and `verify` applies none.
    #[error("{} pending: {}\nhelp: `run` applies them", counted(versions.len()), versions.join(", "))]
    Pending {
        /// Their versions, in order.
        versions: Vec<String>,
    },

    /// The ledger's name belongs to a table that is no ledger; it was not touched.
    #[error(
        "`{ledger}` is not a migration ledger: it has the columns {}\n\
         help: choose another name with `.table(..)` or `.schema(..)`",
        columns.join(", ")
    )]
    ForeignTable {
        /// The table as `schema.table`.
        ledger: String,
        /// Its columns.
        columns: Vec<String>,
    },

    /// A row of the ledger holds what this library never writes.
    #[error(
        "`{ledger}` holds an entry whose {column} cannot be read\nhelp: restore the entry, or the table, from a backup"
    )]
    BrokenEntry {
        /// The table as `schema.table`.
        ledger: String,
        /// The column.
        column: &'static str,
    },

    /// The session lock was gone when it was to be released: somebody else may have run meanwhile.
    #[error(
        "the lock of `{ledger}` was not held any more when it was to be renewed or released{}\n\
         help: a pooler in transaction mode cannot hold a session lock, and a migration must not \
         release locks that are not its own (pg_advisory_unlock_all, DISCARD ALL)",
        stays_applied(report)
    )]
    LockLost {
        /// The ledger as `schema.table`.
        ledger: String,
        /// What this run applied.
        report: Box<Report>,
    },

    /// A placeholder asks for a schema that cannot be given; nothing ran.
    #[error("{file}:{position}: {problem}\nhelp: choose one with `.schema(..)`")]
    Placeholder {
        /// The file, as the set names it.
        file: String,
        /// Where the placeholder stands.
        position: Position,
        /// What is wrong.
        problem: String,
    },

    /// The server refused a statement of ours, or the connection broke.
    #[error("{doing}: {}{}{}", database_message(source), stays_applied(report), help_line(help.as_ref()))]
    Database {
        /// What was being done.
        doing: String,
        /// What to do about it, such as the GRANT that is missing.
        help: Option<String>,
        /// The driver's error.
        source: tokio_postgres::Error,
        /// What this run applied before.
        report: Box<Report>,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// What the run applied before it failed; `None` for verbs and phases that apply nothing.
    ///
    /// ```
    /// fn tell(error: &migrate_runtime::Error) {
    ///     eprintln!("{error}");
    ///     if let Some(report) = error.report() {
    ///         eprintln!("{} were applied before and stay", report.applied.len());
    ///     }
    /// }
    /// ```
    pub fn report(&self) -> Option<&Report> {
        match self {
            Error::Drift { report, .. }
            | Error::Rollback { report, .. }
            | Error::Migration { report, .. }
            | Error::Function { report, .. }
            | Error::Hook { report, .. }
            | Error::TransactionEnded { report, .. }
            | Error::ConnectionLost { report, .. }
            | Error::Busy { report, .. }
            | Error::Deadline { report, .. }
            | Error::Pooled { report, .. }
            | Error::NoAdvisoryLock { report, .. }
            | Error::LockLost { report, .. }
            | Error::Database { report, .. } => Some(report),
            _ => None,
        }
    }

    fn report_mut(&mut self) -> Option<&mut Report> {
        match self {
            Error::Drift { report, .. }
            | Error::Rollback { report, .. }
            | Error::Migration { report, .. }
            | Error::Function { report, .. }
            | Error::Hook { report, .. }
            | Error::TransactionEnded { report, .. }
            | Error::ConnectionLost { report, .. }
            | Error::Busy { report, .. }
            | Error::Deadline { report, .. }
            | Error::Pooled { report, .. }
            | Error::NoAdvisoryLock { report, .. }
            | Error::LockLost { report, .. }
            | Error::Database { report, .. } => Some(report),
            _ => None,
        }
    }

    /// The same error, of a run that did so much.
    pub(crate) fn of_run(mut self, did: Report) -> Self {
        if let Some(report) = self.report_mut() {
            *report = did;
        }
        self
    }

    /// The same error, of a migration that was tried so often.
    pub(crate) fn tried(mut self, tries: u32) -> Self {
        if let Error::Migration { failure, .. } = &mut self {
            failure.tries = tries;
        }
        self
    }
}
