//! Carries out the plan, in order: transactional actions together, the others one by one.

use migrate_set::plan::Cause;
use migrate_set::sql::sharing::Sharing;

use super::action::Action;
use super::hold::Hold;
use super::stepwise::Outside;
use super::tally::Tally;
use super::{batch, callouts};
use crate::boxed::boxed;
use crate::context::{Context, Table};
use crate::lock::Stop;

/// What follows a group of transactional migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// Nothing: its last commit is the last of the run, and synchronous.
    OfRun,
    /// A non-transactional migration, whose own commits are synchronous.
    OfGroup,
}

/// Actions that are carried out together.
enum Group<'g> {
    /// Transactional actions, in messages.
    Batch(Vec<Action<'g>>, Last),
    /// One action outside a transaction.
    Alone(Action<'g>, Cause, &'static Outside),
}

/// The groups of `work`, in order.
fn groups<'g>(work: &[(Action<'g>, Cause)], outside: Option<&'static Outside>) -> Vec<Group<'g>> {
    let alone = |action: Action<'_>| outside.filter(|_| !action.is_transactional());
    let mut groups = Vec::new();
    let mut rest = work;
    while let Some(((first, cause), others)) = rest.split_first() {
        if let Some(outside) = alone(*first) {
            groups.push(Group::Alone(*first, *cause, outside));
            rest = others;
            continue;
        }
        let end = rest.iter().position(|(action, _)| alone(*action).is_some());
        let (group, after) = rest.split_at(end.unwrap_or(rest.len()));
        let last = if after.is_empty() { Last::OfRun } else { Last::OfGroup };
        groups.push(Group::Batch(group.iter().map(|(action, _)| *action).collect(), last));
        rest = after;
    }
    groups
}

/// Carries out `work` in order: transactional actions together, the others one by one.
pub(super) async fn carry_out<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    work: &[(Action<'_>, Cause)],
    table: Table,
) -> Result<(), Stop> {
    if work.is_empty() {
        return Ok(());
    }
    callouts::begin(cx, tally, work.len()).await?;
    let mut table = boxed(hold.acquire(cx, tally, work, table)).await?;
    for group in groups(work, cx.migrator.parts.find()) {
        let is_last = |action: &Action<'_>| action.script().sharing() == Sharing::Ends;
        let shares_after = match &group {
            Group::Batch(actions, _) => !actions.iter().any(is_last),
            Group::Alone(action, ..) => !is_last(action),
        };
        match group {
            Group::Batch(actions, last) => {
                batch::apply(cx, hold, tally, &actions, (last, table)).await?;
            }
            Group::Alone(action, cause, Outside(apply)) => {
                apply(cx, hold, tally, (action, cause), table).await?;
            }
        }
        table = Table::Exists;
        if !shares_after {
            hold.lock.share_nothing();
        }
    }
    Ok(())
}
