//! What never changes during a run, and the statements that are not part of a plan's messages.

mod blockers;
mod check;
mod citus;
mod elsewhere;
mod grants;
mod next_action;
mod read;
mod untrusted;

use std::time::{Duration, Instant};

use migrate_set::rollback::NO_TRANSACTION;
use migrate_set::set::{Migration, Script, TransactionMode};
use migrate_set::sql::placeholder::Rendered;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

pub(crate) use check::{check_name, check_unqualified};
pub(crate) use grants::help_for_statement;
pub(crate) use next_action::{Sent, is_duplicate, is_on_server};

use untrusted::encoding_error;

use crate::boxed::{Boxed, boxed};
use crate::migrator::Migrator;
use crate::outcome::{Error, ErrorKind, MigrationFailure};
use crate::sql::{Contents, Ledger, Terms, UseOfLedger, column};
use crate::wire::{ENCODING, IN_FAILED_TRANSACTION, Wire, is_of_a_check};

/// How much earlier the server can reach the deadline than this process: it counts whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(20);

/// `query_canceled`.
const CANCELED: &str = "57014";

/// What never changes during a run.
#[derive(Debug)]
pub(crate) struct Context<'r> {
    pub(crate) migrator: &'r Migrator<'r>,
    pub(crate) wire: Wire<'r>,
    pub(crate) ledger: Ledger,
    pub(crate) started: Instant,
    use_of_ledger: UseOfLedger,
}

/// Whether the ledger's table exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Exists,
    Missing,
}

impl Table {
    pub(crate) fn of(contents: &Contents<'_>) -> Self {
        if contents.exists { Table::Exists } else { Table::Missing }
    }
}

impl<'r> Context<'r> {
    pub(crate) fn new(migrator: &'r Migrator<'r>, client: &'r Client) -> Self {
        let ledger = migrator.ledger();
        let use_of_ledger = UseOfLedger::Writes;
        Context {
            migrator,
            wire: Wire::new(client),
            ledger,
            started: Instant::now(),
            use_of_ledger,
        }
    }

    /// The same for a verb that only reads the ledger, so that its role needs no more privileges.
    pub(crate) fn reading(migrator: &'r Migrator<'r>, client: &'r Client) -> Self {
        Context { use_of_ledger: UseOfLedger::Reads, ..Context::new(migrator, client) }
    }

    /// The schema for placeholders.
    pub(crate) fn schema(&self) -> Option<&'r str> {
        self.migrator.schema.as_deref()
    }

    /// The terms for guards, as of now, for a run that holds the lock row with this token.
    #[inline(never)]
    pub(crate) fn terms<'t>(&'t self, claim: Option<&'t str>) -> Terms<'t> {
        Terms {
            ledger: &self.ledger,
            claim,
            lock_timeout: self.migrator.lock_timeout,
            time_left: self.time_left(),
            is_citus: self.wire.spreads(),
            may_be_plain: false,
        }
    }

    /// The statements that create the ledger, and the schemas if the caller asked for them.
    pub(crate) fn creation(&self) -> Vec<String> {
        let mut sql = self.creation_unchecked();
        sql.push(self.ledger.check());
        sql
    }

    /// The same without the check: IF NOT EXISTS leaves a table that another role has created meanwhile.
    pub(crate) fn creation_unchecked(&self) -> Vec<String> {
        let mut sql = self.migrator.schemas_to_create();
        sql.push(self.ledger.create());
        sql
    }

    /// What is left of the run's time; `None` without a deadline.
    #[inline(never)]
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.migrator.deadline.map(|deadline| deadline.saturating_sub(self.started.elapsed()))
    }

    /// The message of a query of ledgers, which another session may have locked.
    pub(crate) fn limited(&self, query: &str) -> String {
        self.terms(None).limit_of_read() + query
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.time_left().is_some_and(|left| left < ROUNDING)
    }

    /// The error of a passed deadline; `at` is the migration that was cancelled, if any.
    pub(crate) fn deadline_error(&self, at: Option<Box<MigrationFailure>>) -> Error {
        let deadline = self.migrator.deadline.unwrap_or_default();
        ErrorKind::Deadline { deadline, at, unknown: Vec::new() }.into()
    }

    /// A script's file, as in messages.
    pub(crate) fn path_of(&self, script: &Script) -> String {
        self.migrator.set.path_of(script.filename())
    }

    /// One statement of a script, as it is sent.
    pub(crate) fn rendered<'s>(
        &self,
        script: &'s Script,
        range: (usize, usize),
    ) -> Result<Rendered<'s>, Error> {
        let rendered = script.render(range, self.schema());
        rendered.map_err(|error| self.migrator.placeholder_error(script, &error))
    }

    /// The down script for the ledger, with the run's schema.
    pub(crate) fn down_sql(&self, migration: &Migration) -> Result<Option<String>, Error> {
        let Some(down) = migration.down() else { return Ok(None) };
        let sql = self.migrator.sql_of(down)?;
        Ok(Some(match down.transaction() {
            TransactionMode::Transactional => sql,
            TransactionMode::NonTransactional => format!("{NO_TRANSACTION}{sql}"),
        }))
    }

    /// Sends one statement of the library; returns the first column of its last row.
    pub(crate) fn ask<'f>(
        &'f self,
        sql: &'f str,
        doing: &'f str,
    ) -> Boxed<'f, Result<Option<String>, Error>> {
        boxed(async move {
            match self.wire.last_row(sql).await {
                Ok(row) => Ok(row.and_then(|row| column(&row, 0))),
                Err(source) => Err(self.database_error(doing.to_owned(), source).await),
            }
        })
    }

    /// The error of a statement that writes the ledger.
    pub(crate) fn unrecorded(
        &self,
        doing: String,
        source: tokio_postgres::Error,
    ) -> Boxed<'_, Error> {
        boxed(async move {
            let is_discarded = source.code() == Some(&SqlState::DIVISION_BY_ZERO);
            let error = self.database_error(doing.clone(), source).await;
            match error.kind() {
                ErrorKind::Database { .. } if is_discarded => {
                    ErrorKind::NotRecorded { doing }.into()
                }
                _ => error,
            }
        })
    }

    /// The error of a statement of the library, with the GRANT that is missing.
    pub(crate) fn database_error(
        &self,
        doing: String,
        source: tokio_postgres::Error,
    ) -> Boxed<'_, Error> {
        boxed(async move {
            match source.code().map_or("", SqlState::code) {
                ENCODING => return encoding_error(&source),
                IN_FAILED_TRANSACTION => return ErrorKind::InTransaction.into(),
                CANCELED if self.is_over() => return self.deadline_error(None),
                code if is_of_a_check(code) => {
                    let Ledger { schema, table, .. } = &self.ledger;
                    let names: Vec<_> = self.migrator.names().collect();
                    if let Some(error) = self.untrusted(&names, (schema, table)).await {
                        return error;
                    }
                }
                _ => {}
            }
            let help = boxed(grants::help(self, &source)).await;
            let held_by = self.holders(&source, self.ledger.quoted()).await;
            let detail = self.migrator.detail(&source);
            ErrorKind::Database { doing, detail, held_by, help, source }.into()
        })
    }
}
