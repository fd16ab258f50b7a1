//! refinery on tokio-postgres, as its documentation shows it: `Runner::run_async(&mut client)`.
//! It documents no lock, and no mark for a migration that cannot run in a transaction.

use std::path::Path;

use refinery::{Runner, load_sql_migrations};
use tokio_postgres::{Client, NoTls};

use super::Tuning;
use crate::address::Address;
use crate::files::Script;

/// A client, whose connection is a task.
pub type Session = Client;

pub(super) const PROGRAM: &str = r#"mod embedded {
    refinery::embed_migrations!("migrations");
}
#[tokio::main]
async fn main() {
    let runner = embedded::migrations::runner();
    println!("embedded {}", runner.get_migrations().len());
    let address = std::env::args().nth(1).expect("an address");
    let connected = tokio_postgres::connect(&address, tokio_postgres::NoTls).await;
    let (mut client, connection) = connected.expect("a connection");
    tokio::spawn(connection);
    if let Err(error) = runner.run_async(&mut client).await {
        println!("{error}");
    }
}
"#;

pub(super) const fn option(tuning: Tuning) -> Option<&'static str> {
    match tuning {
        Tuning::Grouped => Some("`set_grouped(true)`"),
        Tuning::AllowMissing => Some("`set_abort_missing(false)`"),
        _ => None,
    }
}

pub(super) fn path(script: &Script) -> String {
    format!("V{}__{}.sql", script.version, script.name)
}

pub(super) async fn connect(address: &Address) -> Result<Session, String> {
    let connected = tokio_postgres::connect(&address.key_values(), NoTls).await;
    let (client, connection) = connected.map_err(|error| super::with_sources(&error))?;
    tokio::spawn(connection);
    Ok(client)
}

pub(super) async fn migrate(
    session: &mut Session,
    folder: &Path,
    tuning: Tuning,
) -> Result<(), String> {
    let migrations = load_sql_migrations(folder).map_err(|error| super::with_sources(&error))?;
    let runner = Runner::new(&migrations)
        .set_grouped(tuning == Tuning::Grouped)
        .set_abort_missing(tuning != Tuning::AllowMissing);
    let report = runner.run_async(session).await;
    report.map(drop).map_err(|error| super::with_sources(&error))
}
