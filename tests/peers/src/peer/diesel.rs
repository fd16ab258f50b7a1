//! `diesel_migrations`, as its documentation shows it: `run_pending_migrations` on a `PgConnection`.
//! It blocks, so a run of it cannot be dropped; and it documents no lock.

use std::path::Path;

use diesel::connection::CacheSize;
use diesel::{Connection, PgConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use super::Tuning;
use crate::address::Address;
use crate::files::{Mode, Script};

/// A connection.
pub type Session = PgConnection;

pub(super) const PROGRAM: &str = r#"use diesel::Connection;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
fn main() {
    let migrations = MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS);
    println!("embedded {}", migrations.expect("the embedded set").len());
    let mut connection = diesel::PgConnection::establish("").expect("a connection");
    if let Err(error) = connection.run_pending_migrations(MIGRATIONS) {
        println!("{error}");
    }
}
"#;

pub(super) const fn option(tuning: Tuning) -> Option<&'static str> {
    match tuning {
        Tuning::NoStatementCache => {
            Some("`set_prepared_statement_cache_size(CacheSize::Disabled)`")
        }
        _ => None,
    }
}

pub(super) fn path(script: &Script) -> String {
    format!("{:014}_{}/up.sql", script.version, script.name)
}

/// What says that a migration runs outside a transaction.
pub(super) fn write_metadata(up: &Path, script: &Script) {
    if script.mode == Mode::NonTransactional {
        super::write(&up.with_file_name("metadata.toml"), "run_in_transaction = false\n");
    }
}

pub(super) fn connect(address: &Address, tuning: Tuning) -> Result<Session, String> {
    let connected = PgConnection::establish(&address.key_values());
    let mut connection = connected.map_err(|error| super::with_sources(&error))?;
    if tuning == Tuning::NoStatementCache {
        connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    }
    Ok(connection)
}

pub(super) fn migrate(session: &mut Session, folder: &Path) -> Result<(), String> {
    let set = FileBasedMigrations::from_path(folder);
    let set = set.map_err(|error| super::with_sources(&error))?;
    let applied = session.run_pending_migrations(set);
    applied.map(drop).map_err(|error| super::with_sources(&*error))
}
