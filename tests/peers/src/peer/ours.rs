//! This library, in its default way: a `tokio_postgres::Client` and `Migrator::new(&set).run(..)`.

use std::path::Path;

use migrate_runtime::{Migrator, SetOptions, from_folder};
use tokio_postgres::{Client, NoTls};

use crate::address::Address;
use crate::files::{Mode, Script};

/// A client, whose connection is a task.
pub type Session = Client;

pub(super) const PROGRAM: &str = r#"use migrate_runtime::{Migrations, check_embed, embed_migrations};
static MIGRATIONS: Migrations = embed_migrations!("migrations");
fn main() {
    println!("embedded {}", std::hint::black_box(&MIGRATIONS).len());
    if let Err(error) = check_embed(&MIGRATIONS) {
        println!("{error}");
    }
}
"#;

pub(super) fn path(script: &Script) -> String {
    format!("{:04}_{}.sql", script.version, script.name)
}

pub(super) fn text(script: &Script) -> String {
    match script.mode {
        Mode::Transactional => script.sql.clone(),
        Mode::NonTransactional => format!("-- migrate:no-transaction\n{}", script.sql),
    }
}

pub(super) async fn connect(address: &Address) -> Result<Session, String> {
    let connected = tokio_postgres::connect(&address.key_values(), NoTls).await;
    let (client, connection) = connected.map_err(|error| super::with_sources(&error))?;
    tokio::spawn(connection);
    Ok(client)
}

pub(super) async fn migrate(session: &mut Session, folder: &Path) -> Result<(), String> {
    let set = from_folder(folder, &SetOptions::default()).map_err(|error| error.to_string())?;
    let report = Migrator::new(&set).run(session).await;
    report.map(drop).map_err(|error| error.to_string())
}
