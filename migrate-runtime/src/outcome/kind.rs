//! What went wrong at run time: what happened and where, and what to do next.
//! The phases fill in what they know; [`Error`](super::Error) adds what the run did before.

use std::time::Duration;

use migrate_set::drift::DriftReport;
use migrate_set::location::Position;
use migrate_set::rollback::Obstacles;
use thiserror::Error;

use super::failure::MigrationFailure;
use super::hook::{BoxError, When};
use super::obstacle::AdoptObstacles;
use super::report::{Holder, LockKind};
use super::text::{counted, database_message, held_by, under_way};
use crate::stale::StaleEmbed;

/// What went wrong ([`Error::kind`](super::Error::kind)); its text has no `help:`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Ledger and set disagree; nothing ran since that was read.
    #[error("{drift}")]
    Drift {
        /// Every deviation.
        drift: DriftReport,
    },

    /// A rollback cannot begin; nothing was undone since that was read.
    #[error("{obstacles}")]
    Rollback {
        /// Every obstacle.
        obstacles: Obstacles,
    },

    /// The set is not the folder that it was embedded from; nothing ran.
    #[error(transparent)]
    StaleEmbed(#[from] StaleEmbed),

    /// A migration failed. What was applied before it stays applied and recorded.
    #[error("{failure}")]
    Migration {
        /// What failed and where.
        failure: Box<MigrationFailure>,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// The function of a migration failed; nothing of the migration stays.
    #[error("{file}: its function failed: {source}")]
    Function {
        /// The migration's file, as the set names it.
        file: String,
        /// Its version.
        version: String,
        /// What the function returned.
        source: BoxError,
    },

    /// A hook stopped the run. Around a transactional migration, nothing of that stays.
    #[error(
        "{}a hook {when} stopped the run: {source}",
        file.as_ref().map_or_else(String::new, |file| format!("{file}: "))
    )]
    Hook {
        /// Which hook.
        when: When,
        /// The migration's file, as the set names it; `None` around the run.
        file: Option<String>,
        /// What the hook returned.
        source: BoxError,
    },

    /// A function or a hook ended the transaction that it was given. What it committed stays, and is
    /// not recorded.
    #[error("{file}: its function, or a hook, has ended the transaction of the run")]
    TransactionEnded {
        /// The migration's file, as the set names it.
        file: String,
    },

    /// A migration ends with a function, and the migrator was given none; nothing ran.
    #[error("{file}: its function is missing")]
    NoFunction {
        /// The migration's file, as the set names it.
        file: String,
        /// Its version.
        version: String,
    },

    /// The migrator was given a function for a migration that asks for none; nothing ran.
    #[error(
        "a function was given for version {version}, {}",
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
    #[error("the connection broke while {} being applied: {source}", under_way(versions))]
    ConnectionLost {
        /// The versions under way, in order.
        versions: Vec<String>,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// Another replica held the ledger's lock for longer than this run may wait.
    #[error(
        "another session held the lock of `{ledger}` for all of {waited:?}{}",
        held_by(holder.as_deref())
    )]
    Busy {
        /// The ledger as `schema.table`.
        ledger: String,
        /// How long this run waited.
        waited: Duration,
        /// Who holds it; `None` where the server does not show it.
        holder: Option<Box<Holder>>,
        /// What to do about it.
        help: String,
    },

    /// The run's deadline passed. What was cut was undone; what was applied before it stays.
    #[error(
        "{}the run was cut at its deadline of {deadline:?}",
        at.as_ref().map_or_else(String::new, |failure| format!("{failure}\n"))
    )]
    Deadline {
        /// How long the run was given.
        deadline: Duration,
        /// Where it was, if at a migration.
        at: Option<Box<MigrationFailure>>,
    },

    /// A pooler is between this connection and the server, and a pending migration needs a
    /// session of its own; nothing ran.
    #[error(
        "{file}: runs outside a transaction, and this connection goes through a pooler, which may \
         serve each message by another session"
    )]
    Pooled {
        /// The first such migration's file, as the set names it.
        file: String,
        /// What keeps runs apart; a row of the ledger can do without a session, the migration's own
        /// settings cannot.
        lock: LockKind,
    },

    /// The role can take no advisory lock, and the caller wants no other; nothing ran.
    #[error("this role can take no advisory lock for `{ledger}`")]
    NoAdvisoryLock {
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// Two sets that run in order are one module of one ledger; nothing ran.
    #[error("two sets are the module `{module}` of `{ledger}`")]
    SameModule {
        /// The module.
        module: String,
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// A name that no schema or table can have; nothing ran.
    #[error("{option} was given a name that {problem}")]
    BadName {
        /// The option that it was given to.
        option: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The set has no such migration; nothing ran.
    #[error("version {version} is not in the set")]
    UnknownVersion {
        /// The version as the caller writes it.
        version: String,
    },

    /// Migrations that a service requires are not applied.
    #[error("required and not applied: {}", versions.join(", "))]
    Required {
        /// Them, as the caller writes them.
        versions: Vec<String>,
    },

    /// An entry was named that the ledger does not have; nothing changed.
    #[error("`{ledger}` has no entry of version {version}")]
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
        "`{table}` {}",
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
    #[error("{} pending: {}", counted(versions.len()), versions.join(", "))]
    Pending {
        /// Their versions, in order.
        versions: Vec<String>,
    },

    /// The ledger's name belongs to a table that is no ledger; it was not touched.
    #[error(
        "`{ledger}` is not a migration ledger: it has the columns {}",
        columns.join(", ")
    )]
    ForeignTable {
        /// The table as `schema.table`.
        ledger: String,
        /// Its columns.
        columns: Vec<String>,
    },

    /// Code of another role would run with this role's privileges if the table was read or written, or the table
    /// would not show all its rows; it was not touched.
    #[error("`{table}` {problem}")]
    Untrusted {
        /// The table as `schema.table`: the ledger, or the table of the tool to adopt from.
        table: String,
        /// The role that owns it.
        owner: String,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        help: String,
    },

    /// The session sends text in another encoding than the set's, or a migration made it do so; the migration was
    /// not applied. In some encodings a backslash is half of a character, so strings would end elsewhere.
    #[error("the session's client_encoding is {encoding}, and migrations are sent as UTF8")]
    Encoding {
        /// The encoding as the server names it.
        encoding: String,
    },

    /// A row of the ledger holds what this library never writes.
    #[error("`{ledger}` holds an entry whose {column} cannot be read")]
    BrokenEntry {
        /// The table as `schema.table`.
        ledger: String,
        /// The column.
        column: &'static str,
    },

    /// The session lock was gone when it was to be released: another run may have run meanwhile.
    #[error("the lock of `{ledger}` was not held any more when it was to be renewed or released")]
    LockLost {
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// A placeholder asks for a schema that cannot be given; nothing ran.
    #[error("{file}:{position}: {problem}")]
    Placeholder {
        /// The file, as the set names it.
        file: String,
        /// Where the placeholder is.
        position: Position,
        /// What is wrong.
        problem: String,
    },

    /// The server refused a statement of ours, or the connection broke.
    #[error("{doing}: {}", database_message(source))]
    Database {
        /// What was being done.
        doing: String,
        /// What to do about it, such as the GRANT that is missing.
        help: Option<String>,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
}

impl ErrorKind {
    /// One word for it, part of the command line's JSON.
    pub(super) fn code(&self) -> &'static str {
        match self {
            ErrorKind::Drift { .. } => "drift",
            ErrorKind::Rollback { .. } => "rollback",
            ErrorKind::StaleEmbed(_) => "stale_embed",
            ErrorKind::Migration { .. } => "migration",
            ErrorKind::Function { .. }
            | ErrorKind::TransactionEnded { .. }
            | ErrorKind::NoFunction { .. }
            | ErrorKind::UnwantedFunction { .. } => "function",
            ErrorKind::Hook { .. } => "hook",
            ErrorKind::ConnectionLost { .. } => "connection_lost",
            ErrorKind::Busy { .. } => "busy",
            ErrorKind::Deadline { .. } => "deadline",
            ErrorKind::Pooled { .. } => "pooled",
            ErrorKind::NoAdvisoryLock { .. } => "no_advisory_lock",
            ErrorKind::BadName { .. }
            | ErrorKind::UnknownVersion { .. }
            | ErrorKind::SameModule { .. } => "usage",
            ErrorKind::Required { .. } | ErrorKind::Pending { .. } => "pending",
            ErrorKind::NoEntry { .. } => "no_entry",
            ErrorKind::Adoption { .. } | ErrorKind::NotAdoptable { .. } => "adoption",
            ErrorKind::ForeignTable { .. } => "foreign_table",
            ErrorKind::Untrusted { .. } => "untrusted",
            ErrorKind::Encoding { .. } => "encoding",
            ErrorKind::BrokenEntry { .. } => "broken_entry",
            ErrorKind::LockLost { .. } => "lock_lost",
            ErrorKind::Placeholder { .. } => "placeholder",
            ErrorKind::Database { .. } => "database",
        }
    }

    /// Whether it can end a run that has applied something before.
    pub(super) fn ends_a_run(&self) -> bool {
        matches!(
            self,
            ErrorKind::Drift { .. }
                | ErrorKind::Rollback { .. }
                | ErrorKind::Migration { .. }
                | ErrorKind::Function { .. }
                | ErrorKind::Hook { .. }
                | ErrorKind::TransactionEnded { .. }
                | ErrorKind::ConnectionLost { .. }
                | ErrorKind::Busy { .. }
                | ErrorKind::Deadline { .. }
                | ErrorKind::Pooled { .. }
                | ErrorKind::NoAdvisoryLock { .. }
                | ErrorKind::LockLost { .. }
                | ErrorKind::Untrusted { .. }
                | ErrorKind::Encoding { .. }
                | ErrorKind::Database { .. }
        )
    }

    /// The same, of a migration that was tried so often.
    pub(crate) fn tried(mut self, tries: u32) -> Self {
        if let ErrorKind::Migration { failure, .. } = &mut self {
            failure.tries = tries;
        }
        self
    }
}
