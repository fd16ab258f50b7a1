//! Removes the entry of an unfinished migration that begins again with its first statement.

use migrate_set::plan::Cause;
use migrate_set::set::TransactionMode;
use migrate_set::version::Version;

use super::edits::forget_unfinished;
use super::goal::At;
use super::hold::Hold;
use super::plan::{self, Todo};
use super::tally::Tally;
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::migrator::Migrator;

/// Reads and plans; starts over after it removed an entry.
pub(super) async fn read<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
) -> Result<(Todo<'r>, Table), Stop> {
    let planned = plan::read(cx, hold, tally, Migrator::decide).await;
    let drift = match &planned {
        Err(Stop::Failed(error)) => error.drift(),
        _ => None,
    };
    let version = match (&planned, drift) {
        (Ok((todo, _)), _) => now_transactional(todo),
        (Err(_), Some(drift))
            if drift.is_partly_replaced()
                && tally.backoff.rest_can_follow(tally.position, cx.migrator.wait_timeout) =>
        {
            return Err(Stop::Busy);
        }
        (Err(_), Some(drift)) => plan::given_up(&cx.migrator.forgets, drift),
        (Err(_), None) => None,
    };
    let Some(version) = version else { return planned };
    forget_unfinished(At { cx, hold, tally }, &version).await?;
    for one in tally.report.amended.drain(..).collect::<Vec<_>>() {
        let version = one.version;
        tally.report.note(format!("version {version} begins again with its first statement"));
    }
    Err(Stop::Moved)
}

/// An unfinished migration of which nothing took effect, and whose text now runs in a transaction. Its
/// entry cannot be continued there.
fn now_transactional(todo: &Todo<'_>) -> Option<Version> {
    let is_one = |cause: Cause, mode: TransactionMode| {
        matches!(cause, Cause::Unfinished { .. }) && mode == TransactionMode::Transactional
    };
    let mut steps = todo.steps.iter();
    let found = steps.find(|step| is_one(step.cause, step.migration.up().transaction()))?;
    Some(found.migration.version().clone())
}
