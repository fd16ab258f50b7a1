//! The outcome of a statement that was sent: it failed, or its outcome is unknown.

use migrate_set::set::Script;
use migrate_set::sql::alone::Alone;
use tokio_postgres::error::Severity;

use super::work::Work;
use crate::context::Context;
use crate::outcome::{Error, ErrorKind, Kept, Place};
use crate::run::explain::recording;
use crate::run::locate::{self, Blame};
use crate::wire::{Failure, LOST, Part, was_never_sent};

impl Work<'_, '_> {
    /// The error of statement number `index`, or of recording its progress.
    pub(super) async fn failed(&self, index: usize, failure: Failure) -> Error {
        let Failure { part, offset, error, .. } = failure.placed(self.cx.wire.client).await;
        let (cx, action) = (self.cx, self.action);
        if error.code().is_some_and(|code| code.code() == LOST) {
            return lock_lost(cx);
        }
        let (done, of) = (index, self.ways.len());
        let db = error.as_db_error();
        // If the session was terminated, its last statement may have taken effect.
        let ended = db
            .is_none_or(|db| db.parsed_severity() != Some(Severity::Error) && !was_never_sent(db));
        let kept = if ended { Kept::InFlight { done, of } } else { Kept::Statements { done, of } };
        let failure = match part {
            Some(Part::Commit { .. }) if db.is_some() => {
                locate::at(cx, action, Place::Commit, &error, kept)
            }
            Some(Part::Statement { index: inner, .. } | Part::Probe { index: inner, .. }) => {
                let offset = offset.filter(|_| matches!(part, Some(Part::Statement { .. })));
                let range = inner_range(cx, action.script(), index, inner);
                locate::at_statement(cx, action, Blame { range, offset }, &error, kept)
            }
            _ if db.is_none() => {
                let versions = vec![action.version().to_owned()];
                let is_citus = cx.wire.spreads();
                return ErrorKind::ConnectionLost { versions, is_citus, source: error }.into();
            }
            _ => return cx.database_error(recording(cx, action), error).await,
        };
        locate::error(cx, failure, error).await
    }
}

/// The bytes in the script of a statement, or of statement number `inner` of a block.
fn inner_range(
    cx: &Context<'_>,
    script: &Script,
    index: usize,
    inner: usize,
) -> Option<(usize, usize)> {
    let range = script.statements().nth(index)?;
    let rendered = cx.rendered(script, range).ok()?;
    match Alone::of(&rendered.sql) {
        Alone::Block(ranges) => match ranges.get(inner) {
            Some(&(start, end)) => Some((rendered.origin(start), rendered.origin(end))),
            None => Some(range),
        },
        _ => Some(range),
    }
}

/// Whether an error shows that the statement had already taken effect.
pub(super) fn took_effect(alone: &Alone, sqlstate: &str) -> bool {
    match alone {
        // undefined_object
        Alone::Drops => sqlstate == "42704",
        // undefined_table: it is no longer a partition of the table.
        Alone::Detaches { .. } => sqlstate == "42P01",
        // duplicate_database, invalid_catalog_name, duplicate_object, undefined_object
        Alone::Bare => matches!(sqlstate, "42P04" | "3D000" | "42710" | "42704"),
        _ => false,
    }
}

pub(super) fn lock_lost(cx: &Context<'_>) -> Error {
    ErrorKind::LockLost { ledger: cx.ledger.shown() }.into()
}
