//! The state of one non-transactional migration while it runs.

use std::time::Instant;

use migrate_set::plan::Cause;
use migrate_set::resume::digests;
use migrate_set::sql::alone::Alone;
use migrate_set::sql::placeholder::Rendered;
use tracing::Span;

use crate::context::Context;
use crate::outcome::Error;
use crate::run::action::Action;
use crate::run::hold::Hold;
use crate::run::spans;
use crate::run::tally::Tally;
use crate::sql::{Progress, Session};
use crate::wire::{Failure, Message, OnDrop, OnPart};

/// How many statements took effect, and whether the next one is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) done: u32,
    pub(super) in_flight: bool,
}

/// One non-transactional migration while it runs.
pub(super) struct Work<'w, 'r> {
    pub(super) cx: &'w Context<'r>,
    pub(super) hold: &'w Hold<'r>,
    pub(super) tally: &'w mut Tally<'r>,
    pub(super) action: Action<'w>,
    /// The down script for the ledger; that of an undo is not needed.
    pub(super) down_sql: Option<String>,
    /// The cause in the plan; that of an undo is `New`.
    pub(super) cause: Cause,
    /// How each statement runs.
    pub(super) ways: Vec<Alone>,
    /// Its progress in the ledger.
    pub(super) noted: Noted,
    /// The digest of the first statement, of the first two, and so on.
    digests: Vec<String>,
    /// Whether the outcome of the statement that an earlier run sent last is not known yet.
    pub(super) is_unknown: bool,
    /// Whether it is finished in the ledger.
    pub(super) finished: bool,
    /// The indexes that the table of the statement at which it is continued had before that was sent.
    pub(super) indexes: Option<String>,
    /// The session before the migration, if that changes it.
    pub(super) session: Option<Session>,
    /// The statement that restores the limits of the session.
    pub(super) limits: Option<String>,
    pub(super) cleanup: OnDrop<'r>,
    pub(super) started: Instant,
}

impl<'w, 'r> Work<'w, 'r> {
    pub(super) fn new(
        cx: &'w Context<'r>,
        hold: &'w Hold<'r>,
        tally: &'w mut Tally<'r>,
        (action, cause): (Action<'w>, Cause),
    ) -> Result<Self, Error> {
        let script = action.script();
        let way = |range| Ok(Alone::of(&cx.rendered(script, range)?.sql));
        let ways = script.statements().map(way).collect::<Result<Vec<_>, Error>>()?;
        let down_sql = match action {
            Action::Apply(migration) => cx.down_sql(migration)?,
            Action::Undo(_) => None,
        };
        Ok(Work {
            cx,
            hold,
            tally,
            action,
            down_sql,
            cause,
            noted: noted(cause, &ways),
            ways,
            digests: digests(script),
            is_unknown: matches!(cause, Cause::Unfinished { in_flight: true, .. }),
            finished: false,
            indexes: None,
            session: None,
            limits: None,
            cleanup: cx.wire.on_drop(Vec::new()),
            started: Instant::now(),
        })
    }

    /// Whether it begins with an entry of its own.
    pub(super) fn is_recorded_first(&self) -> bool {
        matches!(self.action, Action::Apply(_)) && !self.is_continued()
    }

    /// Whether an earlier run began it.
    pub(super) fn is_continued(&self) -> bool {
        matches!(self.cause, Cause::Unfinished { .. })
    }

    /// The statement at which it is continued.
    pub(super) fn resumed_at(&self) -> usize {
        match self.cause {
            Cause::Unfinished { done, .. } => done as usize,
            Cause::New | Cause::Changed => 0,
        }
    }

    /// The table of a statement that builds an index whose name the server chooses.
    pub(super) fn table_of_unnamed(&self, index: usize) -> Option<&str> {
        match self.ways.get(index)? {
            Alone::Builds { name: None, table, .. } => Some(table),
            _ => None,
        }
    }

    /// The span of a statement.
    pub(super) fn span(&self, index: usize) -> Result<Span, Error> {
        let script = self.action.script();
        let rendered = self.cx.rendered(script, script.without_data(self.range(index)))?;
        Ok(spans::statement(&self.tally.at, &rendered.sql))
    }

    /// The bytes of a statement in the script.
    pub(super) fn range(&self, index: usize) -> (usize, usize) {
        self.action.script().statements().nth(index).unwrap_or_default()
    }

    pub(super) fn rendered(&self, index: usize) -> Result<Rendered<'w>, Error> {
        self.cx.rendered(self.action.script(), self.range(index))
    }

    /// `noted` as the ledger has it, with the digest of all that it counts.
    pub(super) fn progress(&self, noted: Noted) -> Progress<'_> {
        let Noted { done, in_flight } = noted;
        let count = done as usize + usize::from(in_flight);
        let last = count.checked_sub(1).and_then(|last| self.digests.get(last));
        let table = self.table_of_unnamed(done as usize).filter(|_| in_flight);
        Progress { done, in_flight, digest: last.map(String::as_str), table }
    }

    /// Makes a dropped future release what is now held.
    pub(super) fn arm(&mut self) {
        let messages = self.unlock().into_iter().chain(self.restores()).collect();
        self.cleanup.arm(messages);
    }

    /// Sends `message`; the error is why it stopped, and after how many statements.
    pub(super) async fn send(
        &self,
        message: Message,
        on: OnPart<'_>,
    ) -> Result<(), (Failure, usize)> {
        let outcome = self.cx.wire.send(message, on).await;
        match outcome.failure {
            None => Ok(()),
            Some(failure) => Err((failure, outcome.completed)),
        }
    }
}

/// The progress in the ledger after the step has started.
fn noted(cause: Cause, ways: &[Alone]) -> Noted {
    match cause {
        Cause::Unfinished { done, in_flight } => Noted { done, in_flight },
        Cause::New | Cause::Changed => at(0, ways),
    }
}

/// The progress in the ledger before statement number `index` is sent.
pub(super) fn at(index: usize, ways: &[Alone]) -> Noted {
    let in_flight = ways.get(index).is_some_and(|alone| !alone.is_atomic());
    Noted { done: u32::try_from(index).unwrap_or(u32::MAX), in_flight }
}
