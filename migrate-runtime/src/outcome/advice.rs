//! The last line of an error: what to do.

use std::borrow::Cow;

use super::kind::ErrorKind;
use super::report::LockKind;

impl ErrorKind {
    /// The last line: what to do, or what happens next; `None` if the text already says so.
    pub(super) fn advice(&self) -> Option<Cow<'_, str>> {
        let help: Cow<'_, str> = match self {
            ErrorKind::ConnectionLost { .. } => {
                return Some(
                    "it is unknown which were applied; the next run reads it from the ledger"
                        .into(),
                );
            }
            ErrorKind::NoFunction { version, .. } => {
                format!("pass it with `.function({version:?}, ..)`").into()
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
                "remove COMMIT, ROLLBACK and RESET ALL from it, and check what it left in the database"
            }
            ErrorKind::UnwantedFunction { .. } => {
                "write `-- migrate:function` above the first statement of its file"
            }
            ErrorKind::Deadline { .. } => "set a longer `deadline`, or split the migration",
            ErrorKind::Pooled { lock: LockKind::Advisory, .. } => {
                "connect to the server directly, or use `.lock(Lock::Row)`; for a pooler in session mode, `.lock(Lock::Advisory)`"
            }
            ErrorKind::Pooled { lock: LockKind::Row, .. } => {
                "connect to the server directly, or remove the session settings from the file"
            }
            ErrorKind::NoAdvisoryLock { .. } => {
                "grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
                 pg_advisory_unlock, or use `.lock(Lock::Row)`"
            }
            ErrorKind::SameModule { .. } => {
                "give one of them another name with `embed_migrations!(.., module = \"..\")`"
            }
            ErrorKind::BadName { .. } => "pass the name of a schema or table",
            ErrorKind::UnknownVersion { .. } => "choose one of the set; `status` lists them",
            ErrorKind::Required { .. } => "run a binary that contains them before this one starts",
            ErrorKind::NoEntry { .. } => "choose an applied version; `status` lists them",
            ErrorKind::Pending { .. } => "`run` applies them",
            ErrorKind::ForeignTable { .. } => {
                "choose another name with `.table(..)` or `.schema(..)`"
            }
            ErrorKind::BrokenEntry { .. } => "restore the entry, or the table, from a backup",
            ErrorKind::LockLost { .. } => {
                "a pooler in transaction mode cannot hold a session lock, and a migration must not \
                 release locks that it did not take (pg_advisory_unlock_all, DISCARD ALL)"
            }
            ErrorKind::Placeholder { .. } => "choose a schema with `.schema(..)`",
            _ => return None,
        })
    }
}
