//! The spans for `tracing`, with the names of OpenTelemetry's database conventions: those of runs, waits
//! and migrations have the level info, those of statements debug.

use std::error::Error as _;

use migrate_set::text::masked;
use tracing::{Span, debug_span, field, info_span};

use super::action::Action;
use crate::outcome::{Error, Report};

/// One run, and whether it succeeded.
pub(super) fn run(module: &str, ledger: &str, goal: &str) -> Span {
    info_span!(
        "migrate.run",
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        db.system.name = "postgresql",
        db.operation.name = goal,
        db.collection.name = ledger,
        db.response.status_code = field::Empty,
        migrate.module = module,
        migrate.applied = field::Empty,
        migrate.undone = field::Empty,
        migrate.messages = field::Empty,
    )
}

/// One wait for another run, or before another try.
pub(super) fn wait() -> Span {
    info_span!("migrate.wait")
}

/// One migration.
pub(super) fn migration(file: &str, action: Action<'_>) -> Span {
    info_span!(
        "migrate.migration",
        otel.kind = "client",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        db.system.name = "postgresql",
        db.operation.name = %action.direction(),
        db.operation.batch.size = action.script().statements().len(),
        db.response.status_code = field::Empty,
        migrate.version = action.version(),
        migrate.name = action.name(),
        migrate.file = file,
    )
}

/// One statement that is a message of its own.
pub(super) fn statement(parent: &Span, sql: &str) -> Span {
    debug_span!(
        parent: parent,
        "migrate.statement",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.query.text = &*masked(sql),
    )
}

/// Records in `span` that it ended with `error`.
pub(super) fn failed(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    let source = error.kind().source();
    let driver = source.and_then(|source| source.downcast_ref::<tokio_postgres::Error>());
    match driver.and_then(tokio_postgres::Error::code) {
        Some(code) => {
            span.record("error.type", code.code());
            span.record("db.response.status_code", code.code());
        }
        None => {
            span.record("error.type", error.code());
        }
    }
}

/// Records in the span of the run what it did.
pub(super) fn ended(report: &Report) {
    let Report { applied, undone, messages, .. } = report;
    let span = Span::current();
    span.record("migrate.applied", applied.len());
    span.record("migrate.undone", undone.len());
    span.record("migrate.messages", messages);
}
