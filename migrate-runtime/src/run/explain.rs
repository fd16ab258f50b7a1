//! Why a message stopped: a failed migration, a refused statement of the library, or a broken connection.

use tokio_postgres::error::Severity;

use super::action::{Action, versions};
use super::locate::{self, Blame};
use crate::boxed::{Boxed, boxed};
use crate::context::Context;
use crate::outcome::{Error, ErrorKind, Kept, MigrationFailure, Place};
use crate::wire::{
    DEADLINE, ENCODING, ENDED, Failure, IN_FAILED_TRANSACTION, Part, ends_unknown, is_conflict,
};

/// Why a message stopped.
pub(super) struct Stopped {
    pub(super) failure: Failure,
    pub(super) completed: usize,
}

/// Whether another session was the cause, so that the part was undone and can be tried again.
pub(super) fn is_blocked(failure: &Failure) -> bool {
    failure.part.is_some() && is_conflict(&failure.error)
}

/// The words for writing the entry of a migration, in messages.
pub(super) fn recording(cx: &Context<'_>, action: Action<'_>) -> String {
    let (file, ledger) = (cx.path_of(action.script()), cx.ledger.shown());
    format!("{file}: recording version {} in `{ledger}`", action.version())
}

/// The error of a message that stopped after the first `done` of its `actions`.
pub(super) fn explain<'e>(
    cx: &'e Context<'_>,
    actions: &'e [Action<'_>],
    done: usize,
    stopped: Stopped,
) -> Boxed<'e, Error> {
    boxed(explained(cx, actions, done, stopped))
}

async fn explained(
    cx: &Context<'_>,
    actions: &[Action<'_>],
    done: usize,
    Stopped { failure, completed }: Stopped,
) -> Error {
    let stopped = Stopped { failure: failure.placed(cx.wire.client).await, completed };
    let db = stopped.failure.error.as_db_error().filter(|db| !ends_unknown(db));
    let Some(code) = db.map(|db| db.code().code()) else {
        let (versions, source) = (versions(&actions[done..]), stopped.failure.error);
        return ErrorKind::ConnectionLost { versions, is_citus: cx.wire.spreads(), source }.into();
    };
    if code == DEADLINE {
        return cx.deadline_error(None);
    }
    if code == ENCODING || (code == IN_FAILED_TRANSACTION && stopped.completed == 0) {
        return cx.database_error(String::new(), stopped.failure.error).await;
    }
    let part = stopped.failure.part;
    if let (Some(Part::Check { step }), ENDED) = (part, code) {
        let file = actions.get(step).map(|action| cx.path_of(action.script()));
        return ErrorKind::TransactionEnded { file: file.unwrap_or_default() }.into();
    }
    // A guard needs the language, and the message was read.
    let lacks_language = code == "42704" && part == Some(Part::Guard);
    if !lacks_language && let Some(failure) = failed_migration(cx, actions, done, &stopped) {
        return locate::error(cx, failure, stopped.failure.error).await;
    }
    let error = stopped.failure.error;
    match part {
        Some(Part::Record { step }) => {
            let doing = actions.get(step).map(|action| recording(cx, *action));
            cx.unrecorded(doing.unwrap_or_else(|| cx.doing(part)), error).await
        }
        _ => cx.database_error(cx.doing(part), error).await,
    }
}

/// The migration at which a message stopped; `None` if it stopped at a statement of the library.
fn failed_migration(
    cx: &Context<'_>,
    actions: &[Action<'_>],
    done: usize,
    Stopped { failure: Failure { part, offset, error, .. }, completed }: &Stopped,
) -> Option<MigrationFailure> {
    // A session that was terminated at COMMIT may have committed.
    let ended = error.as_db_error()?.parsed_severity() != Some(Severity::Error);
    let unknown = ended && matches!(part, Some(Part::Commit { .. }));
    let kept = if unknown { Kept::Unknown } else { Kept::Nothing };
    let at =
        |step: usize, place: Place| Some(locate::at(cx, *actions.get(step)?, place, error, kept));
    match *part {
        Some(Part::Statement { step, index } | Part::Probe { step, index }) => {
            let action = *actions.get(step)?;
            let offset = offset.filter(|_| matches!(part, Some(Part::Statement { .. })));
            let blame = Blame { range: action.script().statements().nth(index), offset };
            Some(locate::at_statement(cx, action, blame, error, kept))
        }
        Some(Part::Commit { step } | Part::Constraints { step }) => at(step, Place::Commit),
        Some(Part::Check { step } | Part::Restore { step } | Part::Tick { step }) => {
            at(step, Place::File)
        }
        // The whole message was refused, without a position.
        _ if *completed == 0 => at(done, Place::File),
        _ => None,
    }
}
