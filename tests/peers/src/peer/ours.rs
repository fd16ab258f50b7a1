//! This library, in its default way: a `tokio_postgres::Client` and `Migrator::new(&set).run(..)`.

use std::path::Path;

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{Lock, Migrator};
use tokio_postgres::{Client, NoTls};

use super::Tuning;
use crate::address::Address;
use crate::files::{Mode, Script};

/// A client, whose connection is a task.
pub type Session = Client;

pub(super) const PROGRAM: &str = r#"use migrate_runtime::{Migrations, Migrator, embed_migrations};
static MIGRATIONS: Migrations = embed_migrations!("migrations");
#[tokio::main]
async fn main() {
    println!("embedded {}", MIGRATIONS.len());
    let address = std::env::args().nth(1).expect("an address");
    let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls).await;
    let (mut client, connection) = connected.expect("a connection");
    tokio::spawn(connection);
    if let Err(error) = Migrator::new(&MIGRATIONS).run(&mut client).await {
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

pub(super) const fn option(tuning: Tuning) -> Option<&'static str> {
    match tuning {
        Tuning::RowLock => Some("`lock(Lock::Row)`"),
        _ => None,
    }
}

pub(super) async fn migrate(
    session: &mut Session,
    folder: &Path,
    tuning: Tuning,
) -> Result<(), String> {
    let set = from_folder(folder, &SetOptions::default()).map_err(|error| error.to_string())?;
    let lock = if tuning == Tuning::RowLock { Lock::Row } else { Lock::Detect };
    let report = Migrator::new(&set).lock(lock).run(session).await;
    report.map(drop).map_err(|error| error.to_string())
}
