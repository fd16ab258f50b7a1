//! Reads the ledger, and says why it cannot.
//! A client and a ledger go in, [`Contents`] come out.
//! It sends one message, and others only behind an error.

use migrate_set::set::Migrations;
use tokio_postgres::Client;

use crate::error::ErrorKind;
use crate::history::HistoryRow;
use crate::ledger::{Contents, Ledger, Reading};
use crate::{privilege, protocol};

/// Reads the ledger: one message. A table that does not exist is an empty ledger.
pub(crate) async fn read<'s>(
    client: &Client,
    ledger: &Ledger,
    reading: Reading,
    set: &'s Migrations,
) -> Result<Contents<'s>, ErrorKind> {
    let mut contents = Contents::against(set);
    let mut broken = None;
    // An embedded set is unpacked when it is first looked at.
    let unpack = || _ = set.as_slice();
    let result = protocol::rows_while(client, &ledger.read(reading), unpack, |row| {
        if let Err(column) = contents.take(ledger, &row) {
            broken = Some(column);
        }
    })
    .await;
    if let Some(column) = broken {
        return Err(ErrorKind::BrokenEntry { ledger: ledger.shown(), column });
    }
    match result {
        Ok(()) => {
            contents.exists = true;
            Ok(contents)
        }
        Err(source) => missing(client, ledger, source).await.map(|()| Contents::default()),
    }
}

/// Reads what happened: one message. A table that does not exist has no past.
pub(crate) async fn history(
    client: &Client,
    ledger: &Ledger,
) -> Result<Vec<HistoryRow>, ErrorKind> {
    let mut rows = Vec::new();
    let mut broken = None;
    let result = protocol::rows(client, &ledger.history(), |row| match ledger.past(&row) {
        Ok(row) => rows.push(row),
        Err(column) => broken = Some(column),
    })
    .await;
    if let Some(column) = broken {
        return Err(ErrorKind::BrokenEntry { ledger: ledger.shown(), column });
    }
    match result {
        Ok(()) => Ok(rows),
        Err(source) => missing(client, ledger, source).await.map(|()| Vec::new()),
    }
}

/// Nothing where the table is missing, else why it cannot be read.
async fn missing(
    client: &Client,
    ledger: &Ledger,
    source: tokio_postgres::Error,
) -> Result<(), ErrorKind> {
    match source.code().map(tokio_postgres::error::SqlState::code) {
        // undefined_table; a schema that does not exist says the same.
        Some("42P01") => Ok(()),
        // Some column is missing or of another type: whose table is it?
        Some(code) if code.starts_with("42") && code != "42501" => {
            Err(foreign_table(client, ledger, source).await)
        }
        _ => Err(unreadable(client, ledger, source).await),
    }
}

async fn unreadable(client: &Client, ledger: &Ledger, source: tokio_postgres::Error) -> ErrorKind {
    let doing = format!("reading the ledger `{}`", ledger.shown());
    let help = privilege::help(client, ledger, &source).await;
    ErrorKind::Database { doing, help, source }
}

async fn foreign_table(
    client: &Client,
    ledger: &Ledger,
    source: tokio_postgres::Error,
) -> ErrorKind {
    let mut columns = Vec::new();
    let listed = protocol::rows(client, &ledger.columns(), |row| {
        columns.extend(row.get(0).map(str::to_owned));
    })
    .await;
    match listed {
        Ok(()) if !columns.is_empty() => {
            ErrorKind::ForeignTable { ledger: ledger.shown(), columns }
        }
        _ => unreadable(client, ledger, source).await,
    }
}
