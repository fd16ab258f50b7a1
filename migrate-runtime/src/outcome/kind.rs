//! What went wrong in a run, and where.

use std::time::Duration;

use migrate_set::drift::DriftReport;
use migrate_set::location::Position;
use migrate_set::release::Release;
use migrate_set::remedy::Remedy;
use migrate_set::rollback::Obstacles;
use migrate_set::schema::SchemaDifference;
use migrate_set::text::escaped;
use thiserror::Error;

#[cfg(feature = "connect")]
use super::connect_error::ConnectError;
use super::failure::MigrationFailure;
use super::hook::{BoxError, When};
use super::obstacle::AdoptObstacles;
use super::report::{Holder, LockKind};
use super::text::{
    columns_of, contracts, counted, differing, error_text, held_by, in_file, lasting, line_of,
    locks_held_by, lost_rows, may_go_on, missing_or_another, unwanted, which_were,
};
use crate::stale::StaleEmbed;

/// What went wrong ([`Error::kind`](super::Error::kind)); its text has no `help:`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Ledger and set disagree; nothing ran after the ledger was read.
    #[error(transparent)]
    Drift {
        /// Every deviation.
        #[from]
        drift: DriftReport,
    },

    /// A rollback cannot start; nothing was undone after the ledger was read.
    #[error(transparent)]
    Rollback {
        /// Every obstacle.
        obstacles: Obstacles,
    },

    /// The set is not the folder that it was embedded from; nothing ran.
    #[error(transparent)]
    StaleEmbed(#[from] StaleEmbed),

    /// A migration failed. Those before it are applied and recorded.
    #[error("{failure}")]
    Migration {
        /// What failed and where.
        failure: Box<MigrationFailure>,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// The function of a migration failed, and the migration was undone.
    #[error("{file}: its function failed: {}", error_text(&**source, detail.as_deref()))]
    Function {
        /// The migration's file, as the set names it.
        file: String,
        /// Its version.
        version: String,
        /// The server's detail, if it comes from there; `None` with
        /// [`Migrator::hide_details`](crate::Migrator::hide_details).
        detail: Option<String>,
        /// What the function returned.
        source: BoxError,
    },

    /// A hook stopped the run. A transactional migration that it was called for was undone.
    #[error(
        "{}a hook {when} stopped the run: {}",
        in_file(file.as_deref()), error_text(&**source, detail.as_deref())
    )]
    Hook {
        /// Which hook.
        when: When,
        /// The migration's file, as the set names it; `None` around the run.
        file: Option<String>,
        /// The server's detail, as that of a function.
        detail: Option<String>,
        /// What the hook returned.
        source: BoxError,
    },

    /// A function or a hook ended the transaction of the run. What it committed is kept, and is not recorded.
    #[error("{file}: its function or a hook ended the transaction of the run")]
    TransactionEnded {
        /// The migration's file, as the set names it.
        file: String,
    },

    /// A migration ends with a function, and the migrator has none for it; nothing ran.
    #[error("{file}: its function is missing")]
    NoFunction {
        /// The migration's file, as the set names it.
        file: String,
        /// Its version.
        version: String,
    },

    /// The migrator has a function for a migration that does not ask for one; nothing ran.
    #[error("version {version} has a function, but {}", unwanted(*is_known))]
    UnwantedFunction {
        /// The version as the caller wrote it.
        version: String,
        /// Whether the set has that migration.
        is_known: bool,
    },

    /// The connection broke while the server ran a message. The server continues with what it has
    /// received, so it is unknown which of the migrations it applied.
    #[error(
        "the connection broke while {} being applied: {}\n\
         it is unknown which were applied; the next run reads it from the ledger{}",
        which_were(versions), error_text(source, None), lost_rows(*is_citus)
    )]
    ConnectionLost {
        /// The versions in the message, in order.
        versions: Vec<String>,
        /// Whether the server is a coordinator of Citus, which commits rows of a single shard there first.
        is_citus: bool,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// There is no connection; nothing ran.
    #[cfg(feature = "connect")]
    #[error(transparent)]
    Connect(#[from] ConnectError),

    /// Another replica held the ledger's lock for longer than `wait_timeout`.
    #[error("timed out after {} waiting for the lock on `{ledger}`{}", lasting(*waited), held_by(holder.as_deref()))]
    Busy {
        /// The ledger as `schema.table`.
        ledger: String,
        /// How long this run waited.
        waited: Duration,
        /// Who holds it; `None` if the server does not show it.
        holder: Option<Box<Holder>>,
        /// What to do about it.
        help: Remedy,
    },

    /// The guards of migrations found another ledger than what was read, each time.
    #[error(
        "this connection reads `{ledger}` from another server than it writes to, or from a cache"
    )]
    ReadsElsewhere {
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// The run's deadline passed. The migration that was cancelled is undone; those before it are kept.
    #[error(
        "{}the run exceeded its deadline of {}{}",
        line_of(at.as_deref()), lasting(*deadline), may_go_on(unknown)
    )]
    Deadline {
        /// The deadline.
        deadline: Duration,
        /// The migration that was cancelled, if any.
        at: Option<Box<MigrationFailure>>,
        /// The versions that the server may still apply or undo, because it did not stop when asked to.
        unknown: Vec<String>,
    },

    /// The server answered nothing up to the run's deadline; nothing ran.
    #[error("the server did not answer the first message within the deadline of {}", lasting(*deadline))]
    Unanswered {
        /// The deadline.
        deadline: Duration,
    },

    /// The command line received a signal.
    #[error("the run was interrupted{}", may_go_on(unknown))]
    Interrupted {
        /// As in [`ErrorKind::Deadline`].
        unknown: Vec<String>,
    },

    /// The connection goes through a pooler, and a pending migration needs a session of its own; nothing ran.
    #[error(
        "{file}: runs outside a transaction, and this connection goes through a pooler, which can \
         use another session for each message"
    )]
    Pooled {
        /// The first such migration's file, as the set names it.
        file: String,
        /// The kind of lock. A row of the ledger works without a session of its own; the migration's
        /// settings do not.
        lock: LockKind,
    },

    /// The server is a worker of Citus, where migrations do not run; nothing ran.
    #[error("this server is a worker of Citus, and migrations run on its coordinator")]
    CitusWorker {
        /// The coordinator as `host:port`; `None` if the worker does not know it.
        coordinator: Option<String>,
    },

    /// The role cannot take advisory locks, and the caller allows no other lock; nothing ran.
    #[error("this role cannot take the advisory lock of `{ledger}`")]
    NoAdvisoryLock {
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// Two sets of `run_in_order` have the same module in one ledger; nothing ran.
    #[error("two sets have the module `{module}` in `{ledger}`")]
    SameModule {
        /// The module.
        module: String,
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// A name that no schema or table can have; nothing ran.
    #[error("the name of a schema or table {problem}")]
    BadName {
        /// What is wrong with it.
        problem: &'static str,
        /// What to do about it, with the option that has it.
        help: Remedy,
    },

    /// [`Migrator::oldest_peer`](crate::Migrator::oldest_peer) names a release that uses what pending migrations
    /// remove; nothing ran.
    #[error("release {oldest} is running, and uses what is removed by{}", contracts(files))]
    OlderPeer {
        /// That release.
        oldest: Release,
        /// The first release that uses nothing of it.
        newest: Release,
        /// The files as the set names them, each with the release of its phase.
        files: Vec<(String, Release)>,
    },

    /// The release of [`Migrator::oldest_peer`](crate::Migrator::oldest_peer) is not one; nothing ran.
    #[error("the oldest peer `{}` is not a release", escaped(written))]
    BadRelease {
        /// As the caller wrote it.
        written: String,
    },

    /// The set has no such migration; nothing ran.
    #[error("version {version} is not in the set")]
    UnknownVersion {
        /// The version as the caller writes it.
        version: String,
    },

    /// Migrations that a service requires are not applied.
    #[error("required migrations are not applied: {}", versions.join(", "))]
    Required {
        /// The versions as the caller wrote them.
        versions: Vec<String>,
    },

    /// The ledger has no entry for this version; nothing changed.
    #[error("`{ledger}` has no entry for version {version}")]
    NoEntry {
        /// The ledger as `schema.table`.
        ledger: String,
        /// The version as the caller writes it.
        version: String,
    },

    /// Another tool's table cannot be adopted; nothing was written.
    #[error("`{table}` cannot be adopted from {tool}:{obstacles}")]
    Adoption {
        /// The tool's name.
        tool: &'static str,
        /// Its table as `schema.table`.
        table: String,
        /// Every reason.
        obstacles: AdoptObstacles,
    },

    /// The table is missing, or is not a table of this tool; nothing was written.
    #[error("`{table}` {}", missing_or_another(tool, columns))]
    NotAdoptable {
        /// The tool's name.
        tool: &'static str,
        /// The table as `schema.table`.
        table: String,
        /// Its columns; empty if the table is missing.
        columns: Vec<String>,
    },

    /// Migrations are pending, and `verify` does not apply them.
    #[error("{} pending: {}", counted(versions.len()), versions.join(", "))]
    Pending {
        /// Their versions, in order.
        versions: Vec<String>,
    },

    /// The schema of the database is not the expected one; nothing was changed.
    #[error("the schema of the database differs from the expected one {}", differing(differences))]
    Schema {
        /// Every object that differs.
        differences: Vec<SchemaDifference>,
    },

    /// The ledger does not exist, and one in another schema has entries of this set; nothing ran.
    #[error("`{ledger}` does not exist, and `{found}` has entries of this set")]
    LedgerElsewhere {
        /// The ledger as `schema.table`.
        ledger: String,
        /// The one in another schema.
        found: String,
        /// What to do about it.
        help: Remedy,
    },

    /// A table with the ledger's name exists and is not a ledger; it was not changed.
    #[error("`{ledger}` is not a migration ledger: it has {}", columns_of(columns))]
    ForeignTable {
        /// The table as `schema.table`.
        ledger: String,
        /// Its columns.
        columns: Vec<String>,
    },

    /// The table would run code of another role with this role's privileges, or hide rows; it was not touched.
    #[error("`{table}` {problem}")]
    Untrusted {
        /// The table as `schema.table`: the ledger, or the table of the tool to adopt from.
        table: String,
        /// The role that owns it.
        owner: String,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        help: Remedy,
    },

    /// The session, or a migration, sends another encoding than the set's; the migration was not applied. In some
    /// encodings a backslash is half of a character, so strings would end elsewhere.
    #[error("the session's client_encoding is {encoding}, and migrations are sent as UTF8")]
    Encoding {
        /// The encoding as the server names it.
        encoding: String,
    },

    /// The caller has begun a transaction on this connection; nothing ran, and that transaction was not ended.
    #[error("the connection is inside a transaction that its caller began")]
    InTransaction,

    /// The ledger's table did not keep the row that a statement wrote; the transaction was undone.
    #[error("{doing}: the table did not keep the row")]
    NotRecorded {
        /// What the statement was for.
        doing: String,
    },

    /// A row of the ledger has a value that this library never writes.
    #[error("`{ledger}` has an entry with an invalid {column}")]
    BrokenEntry {
        /// The table as `schema.table`.
        ledger: String,
        /// The column.
        column: &'static str,
    },

    /// The lock was lost before the run released it: another run may have run at the same time.
    #[error("the lock on `{ledger}` was lost before the run released it")]
    LockLost {
        /// The ledger as `schema.table`.
        ledger: String,
    },

    /// A placeholder cannot be replaced; nothing ran.
    #[error("{file}:{position}: {problem}")]
    Placeholder {
        /// The file, as the set names it.
        file: String,
        /// Where the placeholder is.
        position: Position,
        /// What is wrong.
        problem: String,
    },

    /// The server refused a statement of the library, or the connection broke.
    #[error("{doing}: {}{}", error_text(source, detail.as_deref()), locks_held_by(held_by))]
    Database {
        /// What the statement was for.
        doing: String,
        /// The server's detail; `None` with [`Migrator::hide_details`](crate::Migrator::hide_details).
        detail: Option<String>,
        /// Who held locks on the table, right after it failed because of a lock; at most three.
        held_by: Vec<Holder>,
        /// What to do about it, such as the GRANT that is missing.
        help: Option<Remedy>,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
}
