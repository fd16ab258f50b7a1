//! Reads the ledger with one message; after an error, more messages find the cause.

use std::iter;

use tokio_postgres::SimpleQueryRow;
use tracing::warn;

use super::{Context, Table};
use crate::outcome::{ErrorKind, HistoryRow};
use crate::sql::{Contents, Ledger, Reading, column};
use crate::wire::{self, is_of_a_check};

impl<'r> Context<'r> {
    /// Reads the ledger: one message, or two if another role owns it. A table that does not exist is an
    /// empty ledger.
    pub(crate) async fn read(&self, reading: Reading) -> Result<Contents<'r>, ErrorKind> {
        let set = self.migrator.set;
        let mut contents = Contents::against(set);
        // An embedded set is unpacked on first use, here while the server works.
        let unpack = || _ = set.as_slice();
        let take = |row: &_| contents.take(&self.ledger, row);
        // The second is made only if it is sent.
        let reads = [Ledger::read_as_own, Ledger::read].into_iter();
        let queries = reads.map(|read| read(&self.ledger, reading));
        let table = self.rows(queries, unpack, take).await?;
        if table == Table::Missing {
            let mut empty = Contents::default();
            empty.is_in_transaction = contents.is_in_transaction;
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
    pub(crate) async fn history(&self) -> Result<Vec<HistoryRow>, ErrorKind> {
        let mut rows = Vec::new();
        let take = |row: &_| self.ledger.history_row(row).map(|row| rows.push(row));
        self.rows(iter::once(self.ledger.history()), || {}, take).await?;
        Ok(rows)
    }

    /// Sends a query of the ledger and takes its rows; returns whether the table exists. If the check of a
    /// query is not passed, the next one decides.
    async fn rows(
        &self,
        queries: impl Iterator<Item = String> + Send,
        mut work: impl FnMut() + Send,
        mut take: impl FnMut(&SimpleQueryRow) -> Result<(), &'static str> + Send,
    ) -> Result<Table, ErrorKind> {
        let mut broken = None;
        let mut result = Ok(());
        for query in queries {
            let sql = self.migrator.with_names_checked(&query);
            let on = |row: SimpleQueryRow| broken = take(&row).err().or(broken);
            result = self.wire.rows(&sql, &mut work, on).await;
            let code = result.as_ref().err().and_then(|error| error.code());
            if !code.is_some_and(|code| is_of_a_check(code.code())) {
                break;
            }
        }
        if let Some(column) = broken {
            return Err(ErrorKind::BrokenEntry { ledger: self.ledger.shown(), column });
        }
        match result {
            Ok(()) => Ok(Table::Exists),
            Err(source) => self.missing(source).await.map(|()| Table::Missing),
        }
    }

    /// Nothing if the table is missing, otherwise the error.
    async fn missing(&self, source: tokio_postgres::Error) -> Result<(), ErrorKind> {
        match source.code().map(tokio_postgres::error::SqlState::code) {
            // undefined_table; invalid_schema_name.
            Some("42P01" | "3F000") => Ok(()),
            Some(code) if is_of_a_check(code) => Err(self.unreadable(source).await),
            // A column is missing or has another type: it may not be a ledger.
            Some(code) if code.starts_with("42") && code != "42501" => {
                Err(self.foreign_table(source).await)
            }
            _ => Err(self.unreadable(source).await),
        }
    }

    async fn unreadable(&self, source: tokio_postgres::Error) -> ErrorKind {
        let doing = format!("reading the ledger `{}`", self.ledger.shown());
        self.database_error(doing, source).await
    }

    async fn foreign_table(&self, source: tokio_postgres::Error) -> ErrorKind {
        let mut columns = Vec::new();
        let listed = wire::rows(self.wire.client, &self.ledger.columns(), |row| {
            columns.extend(column(&row, 0));
        })
        .await;
        match listed {
            Ok(()) if !columns.is_empty() => {
                ErrorKind::ForeignTable { ledger: self.ledger.shown(), columns }
            }
            _ => self.unreadable(source).await,
        }
    }
}
