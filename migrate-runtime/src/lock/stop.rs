//! Why an attempt ended: a reason to start over, or an error.

use tokio_postgres::error::{DbError, SqlState};

use crate::boxed::{Boxed, boxed};
use crate::context::Context;
use crate::outcome::{Error, ErrorKind};
use crate::sql::{Ledger, what_is_wrong};
use crate::wire::{BUSY, ESCAPES, Failure, LOST, MOVED, Part, is_conflict};

/// Why an attempt ended before its goal.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The ledger has changed since it was read.
    Moved,
    /// The lock row of this run was taken over.
    Lost,
    /// Another replica holds the lock.
    Busy,
    /// This role cannot take advisory locks.
    NoAdvisory,
    /// The session reads strings differently from the build.
    Escapes,
    /// A migration was undone because of another session, and can be tried again.
    Blocked(Error),
    /// The run cannot go on.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

impl Stop {
    /// The reason to start over: a guard refused the message, or another run created the ledger first.
    fn of(failure: &Failure) -> Option<Stop> {
        let db = failure.error.as_db_error()?;
        let code = db.code().code();
        match failure.part? {
            Part::Guard if code == BUSY => Some(Stop::Busy),
            Part::Guard if code == MOVED => Some(Stop::Moved),
            Part::Guard if code == LOST => Some(Stop::Lost),
            // division_by_zero: in plain SQL, which shows no reason.
            Part::Guard if code == "22012" => Some(Stop::Moved),
            Part::Guard if code == ESCAPES => Some(Stop::Escapes),
            Part::Guard if lacks_advisory_locks(db) => Some(Stop::NoAdvisory),
            // duplicate_table, duplicate_object, unique_violation of the catalog: another session has
            // just created it.
            Part::Create if matches!(code, "42P07" | "42710" | "23505") => Some(Stop::Moved),
            // Positions are unique, as a last defence: the second run that writes one is undone.
            Part::Record { .. } if code == "23505" && is_position(db.constraint()) => {
                Some(Stop::Moved)
            }
            _ => None,
        }
    }

    /// The failure of a read, which is tried again if another session has locked the ledger.
    pub(crate) fn of_read(error: Error) -> Stop {
        let is_blocked =
            matches!(error.kind(), ErrorKind::Database { source, .. } if is_conflict(source));
        Stop::blocked_if(is_blocked, error)
    }

    /// `error` as a reason to try again if another session was the cause, otherwise as a failure.
    pub(crate) fn blocked_if(is_blocked: bool, error: Error) -> Stop {
        if is_blocked { Stop::Blocked(error) } else { Stop::Failed(error) }
    }
}

impl Context<'_> {
    /// The reason to start over after a message whose transaction has ended; `None` for a real failure.
    pub(crate) fn reason<'f>(&'f self, failure: &'f Failure) -> Boxed<'f, Option<Stop>> {
        boxed(async move {
            let stop = Stop::of(failure)?;
            let code = failure.error.code().map_or("", SqlState::code);
            if failure.part == Some(Part::Create) && code == "42710" {
                // Without a table, a type has its name. That does not change by starting over.
                let Ledger { schema, table, .. } = &self.ledger;
                let found = self.wire.last_row(&what_is_wrong(schema, table)).await;
                // Without an answer the next attempt reports why.
                return (!found.is_ok_and(|row| row.is_none())).then_some(stop);
            }
            Some(stop)
        })
    }

    /// Why a message stopped before any migration: a reason to start over, or an error.
    pub(crate) fn refused(&self, failure: Failure, completed: usize) -> Boxed<'_, Stop> {
        boxed(async move {
            self.wire.end_transaction(&failure.error, completed).await;
            match self.reason(&failure).await {
                Some(stop) => stop,
                None if matches!(failure.part, Some(Part::Record { .. })) => {
                    self.unrecorded(self.doing(failure.part), failure.error).await.into()
                }
                None => {
                    let is_blocked = is_conflict(&failure.error);
                    let error = self.database_error(self.doing(failure.part), failure.error).await;
                    Stop::blocked_if(is_blocked, error)
                }
            }
        })
    }

    /// The words for what a part does, in messages.
    pub(crate) fn doing(&self, part: Option<Part>) -> String {
        let ledger = self.ledger.shown();
        match part {
            Some(Part::Create) => format!("creating the ledger `{ledger}`"),
            Some(Part::Record { .. }) => format!("writing the ledger `{ledger}`"),
            _ => format!("locking the ledger `{ledger}`"),
        }
    }
}

/// Whether a guard failed because the server has no such functions, or this role cannot use them.
fn lacks_advisory_locks(db: &DbError) -> bool {
    match db.code().code() {
        // undefined_function, feature_not_supported
        "42883" | "0A000" => true,
        // insufficient_privilege: of the function, not of the ledger.
        "42501" => db.message().contains("advisory"),
        _ => false,
    }
}

fn is_position(constraint: Option<&str>) -> bool {
    constraint.is_some_and(|name| name.ends_with("_position_key"))
}
