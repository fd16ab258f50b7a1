//! Says what became of a statement that was sent: what failed, and what of it stays.
//! The server's error goes in, the run's error comes out.
//! It tells a statement that failed from one whose outcome nobody knows.

use migrate_set::set::Script;
use migrate_set::sql::alone::Alone;
use tokio_postgres::error::Severity;

use super::Work;
use crate::error::{ErrorKind, Kept};
use crate::execute::Run;
use crate::failure::{self, Blame};
use crate::protocol::{Failure, LOST};
use crate::transactional::{Part, rendered};

impl Work<'_, '_> {
    /// The error of statement number `index`, or of a note about it.
    pub(super) async fn failed(&mut self, index: usize, failure: Failure<Part>) -> ErrorKind {
        let Failure { part, offset, error } = failure;
        let (run, deed) = (&mut *self.run, self.deed);
        if error.code().is_some_and(|code| code.code() == LOST) {
            return lock_lost(run);
        }
        let (done, of) = (index, self.ways.len());
        let db = error.as_db_error();
        // A session that is ended may have taken its last statement along or not.
        let ended = db.is_none_or(|db| db.parsed_severity() != Some(Severity::Error));
        let kept = if ended { Kept::InFlight { done, of } } else { Kept::Statements { done, of } };
        let failure = match part {
            Some(Part::Commit { .. }) if db.is_some() => {
                failure::at_commit(run, deed, &error, kept)
            }
            Some(Part::Statement { index: inner, .. }) => {
                let range = inner_range(run, deed.script(), index, inner);
                failure::at_statement(run, deed, Blame { range, offset }, &error, kept)
            }
            _ if db.is_none() => {
                let versions = vec![deed.version().to_owned()];
                return ErrorKind::ConnectionLost { versions, source: error };
            }
            _ => {
                let doing = run.recording(deed);
                return run.database_error(doing, error).await;
            }
        };
        failure::error(run, failure, error).await
    }
}

/// The bytes in the script of a statement, or of statement number `inner` of a block.
fn inner_range(
    run: &Run<'_>,
    script: &Script,
    index: usize,
    inner: usize,
) -> Option<(usize, usize)> {
    let range = script.statements().nth(index)?;
    let rendered = rendered(run, script, range).ok()?;
    match Alone::of(&rendered.sql) {
        Alone::Block(ranges) => match ranges.get(inner) {
            Some(&(start, end)) => Some((rendered.origin(start), rendered.origin(end))),
            None => Some(range),
        },
        _ => Some(range),
    }
}

/// Whether an error says that the statement had taken effect when its session broke.
pub(super) fn took_effect(alone: &Alone, sqlstate: &str) -> bool {
    match alone {
        // undefined_object
        Alone::Drops => sqlstate == "42704",
        // undefined_table: it is no partition of the table any more.
        Alone::Detaches { .. } => sqlstate == "42P01",
        // duplicate_database, invalid_catalog_name, duplicate_object, undefined_object
        Alone::Bare => matches!(sqlstate, "42P04" | "3D000" | "42710" | "42704"),
        _ => false,
    }
}

pub(super) fn lock_lost(run: &Run<'_>) -> ErrorKind {
    ErrorKind::LockLost { ledger: run.ledger.shown() }
}
