//! `diesel_migrations` on libpq, as its documentation shows it.

use diesel::Connection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

fn main() {
    let address = boot::Address::from_arguments().key_values();
    let mut boot = boot::Boot::begin();
    let mut connection = diesel::PgConnection::establish(&address).expect("a connection");
    boot.connected();
    let applied = connection.run_pending_migrations(MIGRATIONS);
    let _ = applied.unwrap_or_else(|error| panic!("{error}"));
    boot.migrated();
}
