//! The word for each kind of error, and what to do about it.

use migrate_set::remedy::{Remedy, Term};
use migrate_set::text::escaped;

use super::kind::ErrorKind;
use super::report::LockKind;
use super::text::UNNAMED;

impl ErrorKind {
    /// One word for it, part of the command line's JSON and so frozen.
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
            #[cfg(feature = "connect")]
            ErrorKind::Connect(_) => "connection",
            ErrorKind::Busy { .. } => "busy",
            ErrorKind::ReadsElsewhere { .. } => "reads_elsewhere",
            ErrorKind::Deadline { .. } | ErrorKind::Unanswered { .. } => "deadline",
            ErrorKind::Interrupted { .. } => "interrupted",
            ErrorKind::Pooled { .. } => "pooled",
            ErrorKind::NoAdvisoryLock { .. } => "no_advisory_lock",
            ErrorKind::CitusWorker { .. } => "citus_worker",
            ErrorKind::OlderPeer { .. } => "older_peer",
            ErrorKind::BadName { .. }
            | ErrorKind::BadRelease { .. }
            | ErrorKind::InTransaction
            | ErrorKind::LedgerElsewhere { .. }
            | ErrorKind::UnknownVersion { .. }
            | ErrorKind::SameModule { .. } => "usage",
            ErrorKind::Required { .. } | ErrorKind::Pending { .. } => "pending",
            ErrorKind::Schema { .. } => "schema",
            ErrorKind::NoEntry { .. } => "no_entry",
            ErrorKind::Adoption { .. } | ErrorKind::NotAdoptable { .. } => "adoption",
            ErrorKind::ForeignTable { .. } => "foreign_table",
            ErrorKind::Untrusted { .. } => "untrusted",
            ErrorKind::Encoding { .. } => "encoding",
            ErrorKind::BrokenEntry { .. } => "broken_entry",
            ErrorKind::LockLost { .. } => "lock_lost",
            ErrorKind::Placeholder { .. } => "placeholder",
            ErrorKind::NotRecorded { .. } | ErrorKind::Database { .. } => "database",
        }
    }

    /// What to do about it; `None` if the text has it already, or if only the source knows.
    pub(super) fn remedy(&self) -> Option<Remedy> {
        Some(match self {
            ErrorKind::Migration { failure, .. } => return failure.help.clone(),
            ErrorKind::Database { help, .. } => return help.clone(),
            ErrorKind::Busy { help, .. }
            | ErrorKind::BadName { help, .. }
            | ErrorKind::LedgerElsewhere { help, .. }
            | ErrorKind::Untrusted { help, .. } => help.clone(),
            ErrorKind::Adoption { obstacles, .. } => obstacles.help(),
            ErrorKind::NoFunction { version, .. } => {
                format!("pass it with `.function({version:?}, ..)`").into()
            }
            ErrorKind::CitusWorker { coordinator } => match coordinator {
                Some(address) => format!("connect to the coordinator, {}", escaped(address)).into(),
                None => "connect to the coordinator".into(),
            },
            ErrorKind::OlderPeer { newest, .. } => Remedy::new(
                format!("set {{}} to the oldest release that runs, once that is {newest} or newer"),
                &[Term::OldestPeer],
            ),
            ErrorKind::NotAdoptable { tool, columns, .. }
                if *tool == UNNAMED && !columns.is_empty() =>
            {
                "name the columns as the table has them".into()
            }
            ErrorKind::NotAdoptable { tool, .. } => Remedy::new(
                format!(
                    "name the table with {{}} and {{}}; if {tool} never ran here, only {{}} is needed"
                ),
                &[Term::AdoptTable, Term::AdoptSchema, Term::Run],
            ),
            other => {
                let fixed = other.of_a_request().or_else(|| other.of_a_run());
                return fixed.map(Remedy::from).or_else(|| other.options());
            }
        })
    }

    /// What to do about it, if that names options or verbs.
    fn options(&self) -> Option<Remedy> {
        Some(match self {
            ErrorKind::Deadline { .. } => {
                Remedy::new("set a longer {}, or split the migration", &[Term::Deadline])
            }
            ErrorKind::Pooled { lock: LockKind::Advisory, .. } => Remedy::new(
                "connect to the server directly, or use {}; for a pooler in session mode, {}",
                &[Term::LockRow, Term::LockAdvisory],
            ),
            ErrorKind::NoAdvisoryLock { .. } => Remedy::new(
                "grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
                 pg_advisory_unlock, or use {}",
                &[Term::LockRow],
            ),
            ErrorKind::BadRelease { .. } => {
                Remedy::new("set {} to numbers with dots, such as 2.3", &[Term::OldestPeer])
            }
            ErrorKind::Pending { .. } => Remedy::new("{} applies them", &[Term::Run]),
            ErrorKind::ForeignTable { .. } => {
                Remedy::new("choose another name with {} or {}", &[Term::Table, Term::Schema])
            }
            ErrorKind::Placeholder { .. } => {
                Remedy::new("choose a schema with {}", &[Term::Schema])
            }
            _ => return None,
        })
    }

    /// What to do about a request that cannot be carried out, if that is always the same.
    fn of_a_request(&self) -> Option<&'static str> {
        Some(match self {
            ErrorKind::UnwantedFunction { is_known: true, .. } => {
                "write `-- migrate:function` above the first statement of its file"
            }
            ErrorKind::SameModule { .. } => {
                "give one of them another name with `embed_migrations!(.., module = \"..\")`"
            }
            ErrorKind::UnwantedFunction { .. } | ErrorKind::UnknownVersion { .. } => {
                "choose one of the set; `status` lists them"
            }
            ErrorKind::Required { .. } => "run a binary that contains them before this one starts",
            ErrorKind::Schema { .. } => {
                "undo what was changed by hand, or write a migration that makes the change and update the file"
            }
            ErrorKind::NoEntry { .. } => "choose an applied version; `status` lists them",
            ErrorKind::InTransaction => {
                "COMMIT or ROLLBACK first; a run has transactions of its own"
            }
            _ => return None,
        })
    }

    /// What to do about a run that failed, if that is always the same.
    fn of_a_run(&self) -> Option<&'static str> {
        Some(match self {
            ErrorKind::TransactionEnded { .. } => {
                "remove COMMIT, ROLLBACK and RESET ALL from it, and check what it left in the database"
            }
            ErrorKind::Function { .. } => {
                "fix the function or its data, and run again; what the migration did is undone"
            }
            ErrorKind::Pooled { lock: LockKind::Row, .. } => {
                "connect to the server directly, or remove the session settings from the file"
            }
            ErrorKind::Deadline { unknown, .. } if !unknown.is_empty() => {
                "end the process, or abort the task of this connection; the next run reads from the ledger what took effect"
            }
            ErrorKind::Unanswered { .. } => {
                "a task must drive the client's connection (`tokio::spawn(connection)`); if one does, check the \
                 server and the pooler"
            }
            ErrorKind::ReadsElsewhere { .. } => {
                "connect to the primary directly, or make what lies in between send it every statement"
            }
            ErrorKind::Interrupted { .. } => "`status` shows which migrations are applied",
            ErrorKind::Encoding { .. } => {
                "leave `client_encoding` as the driver sets it, in the session and in migrations"
            }
            ErrorKind::NotRecorded { .. } => {
                "drop the trigger or the rule of the table that discards rows"
            }
            ErrorKind::BrokenEntry { .. } => "restore the entry, or the table, from a backup",
            ErrorKind::LockLost { .. } => {
                "a pooler in transaction mode cannot hold a session lock, and a migration must not \
                 release locks that it did not take (pg_advisory_unlock_all, DISCARD ALL)"
            }
            _ => return None,
        })
    }
}
