//! Tells `tracing` what a run is at, in the names of OpenTelemetry's database conventions.
//! Migrations, statements and errors go in; spans come out.
//! Spans of whole runs, waits and migrations are of level info, those of statements of level debug.

use std::error::Error as _;

use tracing::{Span, debug_span, field, info_span};

use crate::deed::Deed;
use crate::error::ErrorKind;
use crate::execute::{Goal, Run};

/// One run, and whether it came to its end.
pub(crate) fn run(module: &str, ledger: &str, goal: Goal<'_>) -> Span {
    info_span!(
        "migrate.run",
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        db.system.name = "postgresql",
        db.operation.name = goal.as_str(),
        db.collection.name = ledger,
        db.response.status_code = field::Empty,
        migrate.module = module,
        migrate.applied = field::Empty,
        migrate.undone = field::Empty,
        migrate.messages = field::Empty,
    )
}

/// One wait, for others or before another try.
pub(crate) fn wait() -> Span {
    info_span!("migrate.wait")
}

/// One migration.
pub(crate) fn migration(file: &str, deed: Deed<'_>) -> Span {
    info_span!(
        "migrate.migration",
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        db.system.name = "postgresql",
        db.operation.name = %deed.direction(),
        db.operation.batch.size = deed.script().statements().len(),
        db.response.status_code = field::Empty,
        migrate.version = deed.version(),
        migrate.name = deed.name(),
        migrate.file = file,
    )
}

/// One statement that is a message of its own.
pub(crate) fn statement(parent: &Span, sql: &str) -> Span {
    debug_span!(
        parent: parent,
        "migrate.statement",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.query.text = sql,
    )
}

/// Notes in `span` that it ended with `error`.
pub(crate) fn failed(span: &Span, error: &ErrorKind) {
    span.record("otel.status_code", "ERROR");
    let driver = error.source().and_then(|source| source.downcast_ref::<tokio_postgres::Error>());
    match driver.and_then(tokio_postgres::Error::code) {
        Some(code) => {
            span.record("error.type", code.code());
            span.record("db.response.status_code", code.code());
        }
        None => {
            span.record("error.type", "_OTHER");
        }
    }
}

impl Run<'_> {
    /// Whether anybody wants to know of migrations while a message runs.
    pub(crate) fn is_watched(&self) -> bool {
        !self.migrator.listeners.is_empty() || tracing::enabled!(tracing::Level::INFO)
    }
}
