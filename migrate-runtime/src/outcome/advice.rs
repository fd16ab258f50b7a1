//! The last line of an error: what is known, or what to do.

use std::borrow::Cow;

use super::kind::ErrorKind;
use super::report::LockKind;

impl ErrorKind {
    /// The last line: what is known, or what to do; `None` where the text has it already.
    pub(super) fn advice(&self) -> Option<Cow<'_, str>> {
        let advice = match self {
            ErrorKind::TransactionEnded { .. } => {
                "help: take COMMIT, ROLLBACK and RESET ALL out of it, and see what it has left in the database"
            }
            ErrorKind::NoFunction { version, .. } => {
                return Some(format!("help: give it with `.function({version:?}, ..)`").into());
            }
            ErrorKind::UnwantedFunction { .. } => {
                "help: write `-- migrate:function` above the first statement of its file"
            }
            ErrorKind::ConnectionLost { .. } => {
                "which were applied is unknown; the next run reads it from the ledger"
            }
            ErrorKind::Busy { help, .. }
            | ErrorKind::Untrusted { help, .. }
            | ErrorKind::Database { help: Some(help), .. } => {
                return Some(format!("help: {help}").into());
            }
            ErrorKind::Deadline { .. } => "help: give a longer `deadline`, or split the migration",
            ErrorKind::Pooled { lock: LockKind::Advisory, .. } => {
                "help: connect to the server itself, or choose `.lock(Lock::Row)`; for a pooler in session mode, `.lock(Lock::Advisory)`"
            }
            ErrorKind::Pooled { lock: LockKind::Row, .. } => {
                "help: connect to the server itself, or take the session's settings out of the file"
            }
            ErrorKind::NoAdvisoryLock { .. } => {
                "help: grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
                 pg_advisory_unlock, or choose `.lock(Lock::Row)`"
            }
            ErrorKind::SameModule { .. } => {
                "help: name one of them by `embed_migrations!(.., module = \"..\")`"
            }
            ErrorKind::BadName { .. } => "help: give it the name of a schema or table",
            ErrorKind::UnknownVersion { .. } => "help: choose one that is; `status` lists them",
            ErrorKind::Required { .. } => {
                "help: run a binary that has them, before this one starts"
            }
            ErrorKind::NoEntry { .. } => "help: choose one that is applied; `status` lists them",
            ErrorKind::NotAdoptable { tool, .. } => {
                let help = format!("help: name {tool}'s table with `.table(..)` and `.schema(..)`");
                return Some(help.into());
            }
            ErrorKind::Pending { .. } => "help: `run` applies them",
            ErrorKind::ForeignTable { .. } => {
                "help: choose another name with `.table(..)` or `.schema(..)`"
            }
            ErrorKind::Encoding { .. } => {
                "help: leave `client_encoding` as the driver sets it, in the session and in migrations"
            }
            ErrorKind::BrokenEntry { .. } => "help: restore the entry, or the table, from a backup",
            ErrorKind::LockLost { .. } => {
                "help: a pooler in transaction mode cannot hold a session lock, and a migration must not \
                 release locks that are not its own (pg_advisory_unlock_all, DISCARD ALL)"
            }
            ErrorKind::Placeholder { .. } => "help: choose one with `.schema(..)`",
            ErrorKind::Drift { .. }
            | ErrorKind::Rollback { .. }
            | ErrorKind::StaleEmbed(_)
            | ErrorKind::Migration { .. }
            | ErrorKind::Function { .. }
            | ErrorKind::Hook { .. }
            | ErrorKind::Adoption { .. }
            | ErrorKind::Database { help: None, .. } => return None,
        };
        Some(advice.into())
    }
}
