//! What `migrate-testing` and `migrate-cli` share with a run; no part of the public interface, and not
//! covered by its version.

use migrate_set::set::Migrations;

use crate::error::Error;
use crate::migrator::Migrator;

pub use crate::ledger::literal;
pub use crate::protocol::{query, rows};

/// The set that a migrator is for.
pub fn set<'s>(migrator: &Migrator<'s>) -> &'s Migrations {
    migrator.set
}

/// Its ledger's table, as messages name it.
pub fn ledger_table(migrator: &Migrator<'_>) -> String {
    migrator.ledger().shown()
}

/// The statements that create the schemas it creates where they are missing.
pub fn schemas_to_create(migrator: &Migrator<'_>) -> Vec<String> {
    migrator.schemas_to_create()
}

/// The options that decide what is in a database after a run, as one text.
pub fn outcome_options(migrator: &Migrator<'_>) -> String {
    format!("{:?} {:?} {:?}", migrator.schema, migrator.limit, migrator.ledger())
}

/// One word for an error, part of the JSON that the command line promises.
pub fn error_kind(error: &Error) -> &'static str {
    match error {
        Error::Drift { .. } => "drift",
        Error::Rollback { .. } => "rollback",
        Error::StaleEmbed(_) => "stale_embed",
        Error::Migration { .. } => "migration",
        Error::Function { .. }
        | Error::TransactionEnded { .. }
        | Error::NoFunction { .. }
        | Error::UnwantedFunction { .. } => "function",
        Error::Hook { .. } => "hook",
        Error::ConnectionLost { .. } => "connection_lost",
        Error::Busy { .. } => "busy",
        Error::Deadline { .. } => "deadline",
        Error::Pooled { .. } => "pooled",
        Error::NoAdvisoryLock { .. } => "no_advisory_lock",
        Error::BadName { .. } | Error::UnknownVersion { .. } | Error::SameModule { .. } => "usage",
        Error::Required { .. } | Error::Pending { .. } => "pending",
        Error::NoEntry { .. } => "no_entry",
        Error::Adoption { .. } | Error::NotAdoptable { .. } => "adoption",
        Error::ForeignTable { .. } => "foreign_table",
        Error::BrokenEntry { .. } => "broken_entry",
        Error::LockLost { .. } => "lock_lost",
        Error::Placeholder { .. } => "placeholder",
        Error::Database { .. } => "database",
    }
}
