//! Reads the ledger with one message; after an error, more messages find the cause.

use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::SqlState;
use tracing::warn;

use super::{Context, Table};
use crate::boxed::boxed;
use crate::outcome::{Error, ErrorKind, HistoryRow};
use crate::sql::{Citus, Contents, Reading, Unread, column, columns, history_row};
use crate::wire::{self, is_of_a_check};

/// How the read of the ledger ended.
struct Outcome {
    result: Result<(), tokio_postgres::Error>,
    unread: Option<Unread>,
    /// A column with a value that this library never writes.
    broken: Option<&'static str>,
}

impl<'r> Context<'r> {
    /// Reads the ledger: one message. A table that does not exist is an empty ledger.
    pub(crate) async fn read(&self, reading: Reading) -> Result<Contents<'r>, Error> {
        let mut contents = Contents::against(self.migrator.set);
        let mut outcome = self.send(&self.ledger.read(reading), |row| contents.take(row)).await;
        let is_unread = matches!(&outcome.result, Err(source) if cannot_call(source))
            || contents.citus == Citus::HasLedger;
        if is_unread && matches!(reading, Reading::Unless(_) | Reading::Brief) {
            // Its function is missing, this role may not call it, or it cannot read the ledger.
            let read = self.ledger.read(Reading::Entries);
            outcome = self.send(&read, |row| contents.take(row)).await;
        }
        if let Some(process) = contents.process {
            self.wire.is_answered_by(process);
        }
        if self.table(outcome).await? == Table::Missing {
            let mut empty = Contents::default();
            empty.transaction = contents.transaction;
            empty.citus = contents.citus;
            return Ok(empty);
        }
        contents.exists = true;
        if !contents.writers.is_empty() {
            let (ledger, roles) = (self.ledger.shown(), contents.writers.join(", "));
            warn!(ledger, roles, "the ledger can also be written by other roles");
        }
        Ok(contents)
    }

    /// Reads the history: one message. A table that does not exist has none.
    pub(crate) async fn history(&self) -> Result<Vec<HistoryRow>, Error> {
        let mut rows = Vec::new();
        let take = |row: &_| history_row(row).map(|row| rows.push(row));
        let outcome = self.send(&self.ledger.history(), take).await;
        self.table(outcome).await?;
        Ok(rows)
    }

    /// Sends a query of the ledger and takes its rows.
    async fn send(
        &self,
        query: &str,
        mut take: impl FnMut(&SimpleQueryRow) -> Result<(), &'static str> + Send,
    ) -> Outcome {
        let sql = self.limited(&self.migrator.with_names_checked(query));
        let (mut broken, mut unread) = (None, None);
        let on = |row: SimpleQueryRow| {
            broken = take(&row).err().or(broken);
            unread = Unread::of(&row).or(unread);
        };
        let result = self.wire.rows(&sql, on).await;
        Outcome { result, unread, broken }
    }

    /// Whether the table exists that a query was for.
    async fn table(&self, outcome: Outcome) -> Result<Table, Error> {
        match outcome {
            Outcome { result: Err(source), .. } => Err(self.failed(source).await),
            Outcome { unread: Some(Unread::Missing), .. } => Ok(Table::Missing),
            Outcome { unread: Some(Unread::Elsewhere), .. } => {
                boxed(self.refuse_elsewhere()).await.map(|()| Table::Missing)
            }
            Outcome { unread: Some(Unread::Refused), .. } => Err(self.refused_ledger().await),
            Outcome { broken: Some(column), .. } => {
                Err(ErrorKind::BrokenEntry { ledger: self.ledger.shown(), column }.into())
            }
            _ => Ok(Table::Exists),
        }
    }

    /// Why the query of the ledger failed.
    async fn failed(&self, source: tokio_postgres::Error) -> Error {
        match source.code().map_or("", |code| code.code()) {
            // A column is missing or has another type: it may not be a ledger.
            code if code.starts_with("42") && code != "42501" && !is_of_a_check(code) => {
                self.foreign_table(source).await
            }
            _ => self.unreadable(source).await,
        }
    }

    async fn unreadable(&self, source: tokio_postgres::Error) -> Error {
        let doing = format!("reading the ledger `{}`", self.ledger.shown());
        self.database_error(doing, source).await
    }

    async fn foreign_table(&self, source: tokio_postgres::Error) -> Error {
        let mut found = Vec::new();
        let listing = columns(&self.ledger.schema, &self.ledger.table);
        let listed = wire::rows(self.wire.client, &listing, |row| found.extend(column(&row, 0)));
        match listed.await {
            Ok(()) if !found.is_empty() => {
                let (ledger, columns) = (self.ledger.shown(), found);
                ErrorKind::ForeignTable { ledger, columns }.into()
            }
            _ => self.unreadable(source).await,
        }
    }
}

/// Whether a function was not called, so that nothing of the ledger was read.
fn cannot_call(source: &tokio_postgres::Error) -> bool {
    let code = source.code();
    code == Some(&SqlState::UNDEFINED_FUNCTION) || code == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}
