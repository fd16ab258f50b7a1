//! The last line of an error: what is known, or what to do.

use std::borrow::Cow;

use super::kind::ErrorKind;
use super::report::LockKind;

impl ErrorKind {
    /// The last line: what is known, or what to do; `None` where the text has it already.
    pub(super) fn advice(&self) -> Option<Cow<'_, str>> {
        let help: Cow<'_, str> = match self {
            ErrorKind::ConnectionLost { .. } => {
                return Some(
                    "which were applied is unknown; the next run reads it from the ledger".into(),
                );
            }
            ErrorKind::NoFunction { version, .. } => {
                format!("give it with `.function({version:?}, ..)`").into()
            }
            ErrorKind::Busy { help, .. } | ErrorKind::Database { help: Some(help), .. } => {
                help.into()
            }
            ErrorKind::NotAdoptable { tool, .. } => {
                format!("name {tool}'s table with `.table(..)` and `.schema(..)`").into()
            }
            other => other.plain_help()?.into(),
        };
        Some(format!("help: {help}").into())
    }

    /// The help of the errors with a fixed help.
    fn plain_help(&self) -> Option<&'static str> {
        Some(match self {
            ErrorKind::TransactionEnded { .. } => {
                "take COMMIT, ROLLBACK and RESET ALL out of it, and see what it has left in the database"
            }
            ErrorKind::UnwantedFunction { .. } => {
                "write `-- migrate:function` above the first statement of its file"
            }
            ErrorKind::Deadline { .. } => "give a longer `deadline`, or split the migration",
            ErrorKind::Pooled { lock: LockKind::Advisory, .. } => {
                "connect to the server itself, or choose `.lock(Lock::Row)`; for a pooler in session mode, `.lock(Lock::Advisory)`"
            }
            ErrorKind::Pooled { lock: LockKind::Row, .. } => {
                "connect to the server itself, or take the session's settings out of the file"
            }
            ErrorKind::NoAdvisoryLock { .. } => {
                "grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
                 pg_advisory_unlock, or choose `.lock(Lock::Row)`"
            }
            ErrorKind::SameModule { .. } => {
                "name one of them by `embed_migrations!(.., module = \"..\")`"
            }
            ErrorKind::BadName { .. } => "give it the name of a schema or table",
            ErrorKind::UnknownVersion { .. } => "choose one that is; `status` lists them",
            ErrorKind::Required { .. } => "run a binary that has them, before this one starts",
            ErrorKind::NoEntry { .. } => "choose one that is applied; `status` lists them",
            ErrorKind::Pending { .. } => "`run` applies them",
            ErrorKind::ForeignTable { .. } => {
                "choose another name with `.table(..)` or `.schema(..)`"
            }
            ErrorKind::BrokenEntry { .. } => "restore the entry, or the table, from a backup",
            ErrorKind::LockLost { .. } => {
                "a pooler in transaction mode cannot hold a session lock, and a migration must not \
                 release locks that are not its own (pg_advisory_unlock_all, DISCARD ALL)"
            }
            ErrorKind::Placeholder { .. } => "choose one with `.schema(..)`",
            _ => return None,
        })
    }
}
