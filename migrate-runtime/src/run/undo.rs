//! Decides what a rollback undoes: what the target asks for, without what an earlier attempt undid.

use migrate_set::rollback::{Rollback, Undo, rollback};

use super::hold::Hold;
use super::tally::Tally;
use crate::context::Context;
use crate::outcome::ErrorKind;
use crate::sql::Reading;

/// Reads the ledger, and decides what to undo, the last applied first.
pub(super) async fn read<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    target: &Rollback,
) -> Result<Vec<Undo<'r>>, ErrorKind> {
    let contents = hold.read(cx, tally, Reading::WithDownScripts).await?;
    let target = match target {
        Rollback::Steps(steps) => Rollback::Steps(steps.saturating_sub(tally.report.undone.len())),
        other => other.clone(),
    };
    rollback(cx.migrator.set, contents.recorded, &target, cx.migrator.down_from_ledger)
        .map_err(|obstacles| ErrorKind::Rollback { obstacles })
}
