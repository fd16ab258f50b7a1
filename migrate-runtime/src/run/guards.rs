//! The guard of each transaction, and the creation of the ledger after the first.

use tracing::Level;

use super::callouts::Messages;
use super::hold::Hold;
use crate::context::{Context, Table};
use crate::sql::{Commit, Purpose};
use crate::wire::{Message, Part};

/// Adds the guard of a transaction with migrations, from `step` on, which creates the ledger if it is missing.
pub(super) fn push(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    messages: &mut Messages<'_>,
    (step, (position, commit, table)): (usize, (i64, Commit, Table)),
    has_escapes: bool,
) {
    let listens = !cx.migrator.listeners.is_empty() || tracing::enabled!(Level::INFO);
    let is_watched = listens && step > 0;
    let purpose = Purpose::Apply { position, commit, has_escapes, is_watched };
    let terms = hold.terms(cx);
    let Some([lock, unmoved]) = terms.plain_guard(purpose) else {
        return messages.push(Part::Guard, &terms.guard(purpose));
    };
    messages.push(Part::Guard, &lock);
    if table == Table::Missing {
        for sql in cx.creation_unchecked() {
            messages.push(Part::Create, &sql);
        }
        messages.push(Part::Guard, &cx.ledger.plain_check());
    }
    messages.push(Part::Guard, &unmoved);
}

/// Creates the ledger inside a transaction, under its lock.
pub(super) fn push_ledger(
    cx: &Context<'_>,
    hold: &Hold<'_>,
    message: &mut Message,
    commit: Commit,
) {
    message.push(Part::Guard, &hold.terms(cx).guard(Purpose::Ledger { commit }));
    for sql in cx.creation() {
        message.push(Part::Create, &sql);
    }
}
