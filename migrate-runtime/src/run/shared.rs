//! Applies the migrations of a fresh database many in one transaction: begin, guard, statements, entries, commit.
//! If one fails, all of it are undone and sent again, each in its own.

use std::ops::Range;

use migrate_set::digest::Running;
use migrate_set::sql::sharing::Sharing;
use tokio_postgres::error::{Severity, SqlState};

use super::action::Action;
use super::batch;
use super::callouts::{self, Messages};
use super::explain::{Stopped, explain, is_blocked};
use super::groups::Last;
use super::guards;
use super::hold::{Hold, has_escapes};
use super::tally::Tally;
use crate::context::{Context, Table};
use crate::lock::Stop;
use crate::outcome::Error;
use crate::sql::{Commit, New, TICK, clock};
use crate::wire::{Failure, Part};

/// The steps of each transaction for `actions`, in order, where one with several migrations has at most `room`
/// statements.
pub(super) fn transactions(
    cx: &Context<'_>,
    room: usize,
    actions: &[Action<'_>],
) -> Vec<Range<usize>> {
    let sharing = |action: &Action<'_>| {
        let script = action.script();
        let at_least = if callouts::divide(cx, *action) { Sharing::Alone } else { Sharing::Shares };
        (script.sharing().max(at_least), script.statements().len())
    };
    ranges(&actions.iter().map(sharing).collect::<Vec<_>>(), room)
}

/// The same for migrations with these numbers of statements.
fn ranges(migrations: &[(Sharing, usize)], room: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    // How many statements can join the last range.
    let mut left = 0;
    let mut has_ended = false;
    for (step, (sharing, statements)) in migrations.iter().enumerate() {
        // One without statements takes room too: where there is none, each has its own transaction.
        let statements = (*statements).max(1);
        let joins = *sharing <= Sharing::Last && !has_ended;
        if let Some(range) = ranges.last_mut().filter(|_| joins && statements <= left) {
            range.end = step + 1;
            left -= statements;
        } else {
            ranges.push(step..step + 1);
            left = if joins { room.saturating_sub(statements) } else { 0 };
        }
        if *sharing == Sharing::Last {
            left = 0;
        }
        has_ended |= *sharing == Sharing::Ends;
    }
    ranges
}

/// Which number each action is in its transaction, from 0, and of how many.
pub(super) fn places(transactions: &[Range<usize>]) -> impl Iterator<Item = (usize, usize)> {
    transactions.iter().flat_map(|steps| (0..steps.len()).map(|nth| (nth, steps.len())))
}

/// Adds the transaction of several migrations, `steps` of `actions`.
pub(super) fn push<'d>(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    messages: &mut Messages<'d>,
    (actions, steps): (&[Action<'d>], Range<usize>),
    place: (i64, Commit, Table),
    running: &mut Running,
) -> Result<(), Error> {
    let ours = actions.get(steps.clone()).unwrap_or_default();
    let escapes = ours.iter().any(|action| has_escapes(action.script(), cx.schema()));
    guards::push(cx, hold, messages, (steps.start, place), escapes);
    messages.push(Part::Tick { step: steps.start }, &clock(ours.len()));
    let mut entries = Vec::with_capacity(ours.len());
    for (step, action) in steps.clone().zip(ours) {
        let script = action.script();
        for (index, range) in script.statements().enumerate() {
            messages.push_statement(cx, Part::Statement { step, index }, script, range)?;
        }
        messages.push(Part::Tick { step }, TICK);
        if let Action::Apply(migration) = *action {
            action.count(cx.migrator.set, running);
            let (down_sql, digests) = (cx.down_sql(migration)?, running.to_string());
            entries.push(New { migration, down_sql, digests });
        }
    }
    messages.push(Part::Record { step: steps.start }, &cx.ledger.record_all(&entries, place.0));
    Ok(())
}

/// The steps of the shared transaction that a failure has undone, if they can be sent again: another session has not
/// cancelled it, and this one goes on.
pub(super) fn undone(transactions: &[Range<usize>], failure: &Failure) -> Option<Range<usize>> {
    let db = failure.error.as_db_error()?;
    let goes_on = db.parsed_severity() == Some(Severity::Error);
    let step = step(failure).filter(|_| goes_on && *db.code() != SqlState::QUERY_CANCELED)?;
    transactions.iter().find(|steps| steps.len() > 1 && steps.contains(&step)).cloned()
}

fn step(failure: &Failure) -> Option<usize> {
    match failure.part? {
        Part::Statement { step, .. }
        | Part::Tick { step }
        | Part::Record { step }
        | Part::Commit { step } => Some(step),
        _ => None,
    }
}

/// Sends what a failure has undone again, from the first of `steps` on, each in its own transaction.
///
/// The one with rows of its own, which is the last, is not run again if it has failed itself: its error is known, and
/// a second time it would use other values of sequences, or act twice outside of the transaction.
pub(super) async fn separately<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    (actions, steps): (&[Action<'_>], Range<usize>),
    (stopped, (last, table)): (Stopped, (Last, Table)),
) -> Result<(), Stop> {
    hold.lock.share_nothing();
    tally.goes_on = true;
    let Some(step) = own_failure(actions, &stopped.failure) else {
        let again = actions.get(steps.start..).unwrap_or_default();
        return batch::apply(cx, hold, tally, again, (last, table)).await;
    };
    let is_blocked = is_blocked(&stopped.failure);
    let error = explain(cx, actions, steps.start, stopped).await;
    let again = actions.get(steps.start..step).unwrap_or_default();
    batch::apply(cx, hold, tally, again, (Last::OfGroup, table)).await?;
    tally.starts(cx, actions.get(step));
    Err(Stop::blocked_if(is_blocked, error))
}

/// The step that failed, if it has rows of its own and would fail alone too.
fn own_failure(actions: &[Action<'_>], failure: &Failure) -> Option<usize> {
    let (Part::Statement { step, .. } | Part::Commit { step }) = failure.part? else { return None };
    // insufficient_resources: of the shared transaction, perhaps.
    let is_large = failure.error.code()?.code().starts_with("53");
    let sharing = actions.get(step)?.script().sharing();
    (sharing == Sharing::Last && !is_large).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_share_up_to_one_with_rows_of_its_own() {
        use Sharing::{Alone, Ends, Last, Shares};
        let check = |kinds: &[Sharing], room: usize, expected: &str| {
            let migrations: Vec<_> = kinds.iter().map(|kind| (*kind, 2)).collect();
            let found = ranges(&migrations, room).into_iter().map(|steps| format!("{steps:?}"));
            assert_eq!(found.collect::<Vec<_>>().join(" "), expected, "{kinds:?}, {room}");
        };
        check(&[], 100, "");
        check(&[Shares, Shares, Shares], 100, "0..3");
        check(&[Shares, Shares, Shares], 0, "0..1 1..2 2..3");
        check(&[Shares, Shares, Shares], 3, "0..1 1..2 2..3");
        check(&[Shares, Shares, Shares], 4, "0..2 2..3");
        check(&[Shares, Last, Shares, Last, Last, Shares], 100, "0..2 2..4 4..5 5..6");
        check(&[Shares, Alone, Shares, Shares, Alone, Alone], 100, "0..1 1..2 2..4 4..5 5..6");
        check(&[Shares, Shares, Ends, Shares, Shares], 100, "0..2 2..3 3..4 4..5");
        assert_eq!(ranges(&[(Shares, 2), (Shares, 0), (Shares, 0)], 0), [0..1, 1..2, 2..3]);
    }
}
