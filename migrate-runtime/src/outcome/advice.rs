//! The last line of an error: what to do.

use std::borrow::Cow;

use super::kind::ErrorKind;
use super::report::LockKind;

impl ErrorKind {
    /// The last line: what to do, or what happens next; `None` if the text already says so.
    pub(super) fn advice(&self) -> Option<Cow<'_, str>> {
        let advice = match self {
            ErrorKind::TransactionEnded { .. } => {
                "help: remove COMMIT, ROLLBACK and RESET ALL from it, and check what it left in the database"
            }
            ErrorKind::NoFunction { version, .. } => {
                return Some(format!("help: pass it with `.function({version:?}, ..)`").into());
            }
            ErrorKind::UnwantedFunction { .. } => {
                "help: write `-- migrate:function` above the first statement of its file"
            }
            ErrorKind::ConnectionLost { .. } => {
                "it is unknown which were applied; the next run reads it from the ledger"
            }
            ErrorKind::Busy { help, .. }
            | ErrorKind::Untrusted { help, .. }
            | ErrorKind::Database { help: Some(help), .. } => {
                return Some(format!("help: {help}").into());
            }
            ErrorKind::Deadline { .. } => "help: set a longer `deadline`, or split the migration",
            ErrorKind::Pooled { lock: LockKind::Advisory, .. } => {
                "help: connect to the server directly, or use `.lock(Lock::Row)`; for a pooler in session mode, `.lock(Lock::Advisory)`"
            }
            ErrorKind::Pooled { lock: LockKind::Row, .. } => {
                "help: connect to the server directly, or remove the session settings from the file"
            }
            ErrorKind::NoAdvisoryLock { .. } => {
                "help: grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
                 pg_advisory_unlock, or use `.lock(Lock::Row)`"
            }
            ErrorKind::SameModule { .. } => {
                "help: give one of them another name with `embed_migrations!(.., module = \"..\")`"
            }
            ErrorKind::BadName { .. } => "help: pass the name of a schema or table",
            ErrorKind::UnknownVersion { .. } => "help: choose one of the set; `status` lists them",
            ErrorKind::Required { .. } => {
                "help: run a binary that contains them before this one starts"
            }
            ErrorKind::NoEntry { .. } => "help: choose an applied version; `status` lists them",
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
                 release locks that it did not take (pg_advisory_unlock_all, DISCARD ALL)"
            }
            ErrorKind::Placeholder { .. } => "help: choose a schema with `.schema(..)`",
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
