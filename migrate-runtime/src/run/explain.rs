//! Why a message stopped: a migration that failed, a statement of ours that was refused, a broken line.

use tokio_postgres::error::Severity;

use super::action::Action;
use super::locate::{self, Blame};
use crate::context::Context;
use crate::outcome::{ErrorKind, Kept, MigrationFailure};
use crate::wire::{DEADLINE, ENDED, Failure, Part, is_others_doing};

/// Why a message stopped.
pub(super) struct Stopped {
    pub(super) failure: Failure,
    pub(super) completed: usize,
}

/// Whether others were in the way of a part that is undone and can be tried again.
pub(super) fn is_blocked(failure: &Failure) -> bool {
    let code = failure.error.code().map_or("", |code| code.code());
    failure.part.is_some() && is_others_doing(code)
}

/// What writing the entry of a migration is called in messages.
pub(super) fn recording(cx: &Context<'_>, action: Action<'_>) -> String {
    let (file, ledger) = (cx.path_of(action.script()), cx.ledger.shown());
    format!("{file}: recording version {} in `{ledger}`", action.version())
}

/// The error of a message that stopped after the first `done` of its `actions`.
pub(super) async fn explain(
    cx: &Context<'_>,
    actions: &[Action<'_>],
    done: usize,
    stopped: Stopped,
) -> ErrorKind {
    let Stopped { failure: Failure { part, offset, error }, completed } = stopped;
    let Some(db) = error.as_db_error() else {
        let versions = actions[done..].iter().map(|action| action.version().to_string());
        return ErrorKind::ConnectionLost { versions: versions.collect(), source: error };
    };
    if db.code().code() == DEADLINE {
        return cx.deadline_error(None);
    }
    // A session that is ended at COMMIT may have committed.
    let ended = db.parsed_severity() != Some(Severity::Error);
    let unknown = ended && matches!(part, Some(Part::Commit { .. }));
    let kept = if unknown { Kept::Unknown } else { Kept::Nothing };
    let action = |step: usize| actions.get(step).copied();
    let failure: Option<MigrationFailure> = match part {
        Some(Part::Statement { step, index }) => action(step).map(|action| {
            let range = action.script().statements().nth(index);
            locate::at_statement(cx, action, Blame { range, offset }, &error, kept)
        }),
        Some(Part::Commit { step }) => {
            action(step).map(|action| locate::at_commit(cx, action, &error, kept))
        }
        Some(Part::Check { step }) if db.code().code() == ENDED => {
            let file = action(step).map(|action| cx.path_of(action.script()));
            return ErrorKind::TransactionEnded { file: file.unwrap_or_default() };
        }
        Some(Part::Check { step } | Part::Restore { step }) => {
            action(step).map(|action| locate::somewhere(cx, action, &error, kept))
        }
        // The message was refused unread and without a position.
        _ if completed == 0 => {
            action(done).map(|action| locate::somewhere(cx, action, &error, kept))
        }
        _ => None,
    };
    if let Some(failure) = failure {
        return locate::error(cx, failure, error).await;
    }
    let doing = match part {
        Some(Part::Record { step }) => action(step).map(|action| recording(cx, action)),
        _ => None,
    };
    cx.database_error(doing.unwrap_or_else(|| cx.doing(part)), error).await
}
