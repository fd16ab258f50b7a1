//! What `migrate-testing` and `migrate-cli` share with a run; it is not part of the public interface,
//! and its version promises nothing.

use migrate_set::set::Migrations;
use migrate_set::version::Version;

use crate::context::is_on_server;
use crate::migrator::{Limit, Migrator};
use crate::outcome::{Error, ErrorKind};

pub use migrate_set::schema::SchemaForm;
pub use migrate_set::set::DEFAULT_MODULE;
pub use migrate_set::sql::cluster::{ClusterKind, ClusterObject, created_for_all};
pub use migrate_set::sql::placeholder::quoted_identifier;
pub use migrate_set::text;

pub use crate::adopt::former::{ToolFile, formers};
pub use crate::adopt::other_history;
pub use crate::boxed::Boxed;
#[cfg(feature = "connect")]
pub use crate::connect::{ADDRESS, DatabasePlace, EnvFile, Target, Way, connection_mistake};
pub use crate::migrator::Interrupt;
pub use crate::sql::literal;
pub use crate::stale::compare as compare_sets;
pub use crate::verbs::{Made, interruptible, made, redo, schema_differences, schema_text};
pub use crate::wire::{process, query, rows};
pub use migrate_set::former::Former;
pub use migrate_set::squash;

/// The set that a migrator is for.
pub fn set<'s>(migrator: &Migrator<'s>) -> &'s Migrations {
    migrator.set
}

/// A migrator of another set, with the same schemas and ledger.
pub fn with_set<'s>(migrator: &Migrator<'_>, set: &'s Migrations) -> Migrator<'s> {
    let Migrator { schema, ledger_schema, table, create_schema, .. } = migrator.clone();
    Migrator { schema, ledger_schema, table, create_schema, ..Migrator::new(set) }
}

/// The same migrator for these of its migrations and no others.
pub fn limited_to<'s>(migrator: &Migrator<'s>, versions: Vec<Version>) -> Migrator<'s> {
    Migrator { limit: Limit::Only(versions), ..migrator.clone() }
}

/// Its ledger's table, as messages name it.
pub fn ledger_table(migrator: &Migrator<'_>) -> String {
    migrator.ledger().shown()
}

/// The statements that create the missing schemas.
pub fn schemas_to_create(migrator: &Migrator<'_>) -> Vec<String> {
    migrator.schemas_to_create()
}

/// What determines the contents of a database after a run besides the set, as one text: the options and
/// the ledger, which another release can have with other columns.
pub fn outcome_options(migrator: &Migrator<'_>) -> String {
    let ledger = migrator.ledger();
    format!("{:?} {:?} {:?} {}", migrator.schema, migrator.limit, ledger, ledger.create())
}

/// Whether a migration failed because its server has what it creates for all databases, such as a role.
pub fn exists_on_server(error: &Error) -> bool {
    let ErrorKind::Migration { source, .. } = error.kind() else { return false };
    source.as_db_error().is_some_and(is_on_server)
}
