//! Undoes what the caller names, or just what was confirmed.

use migrate_set::rollback::{Rollback, Undo};
use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::migrator::{Limit, Migrator};
use crate::outcome::{Error, Report};
use crate::run::{self, Undo as Undoing};
use crate::stale::check_embed;

/// As [`Migrator::rollback`]. If `target` does not mean `confirmed` any more, under the lock too, nothing is undone.
///
/// # Errors
/// As [`Migrator::rollback`].
pub async fn undo(
    migrator: &Migrator<'_>,
    client: &mut Client,
    target: Rollback,
    confirmed: Option<&[Undo<'_>]>,
) -> Result<Report, Error> {
    check_embed(migrator.set)?;
    // The ledger's scripts too.
    let migrator = Migrator { parts: run::ALL, ..migrator.clone() };
    run::run(&migrator, client, &Undoing { target, confirmed }).await
}

/// As [`Migrator::redo`], with what was confirmed as in [`undo`].
///
/// # Errors
/// As [`Migrator::redo`].
pub async fn redo(
    migrator: &Migrator<'_>,
    client: &mut Client,
    confirmed: Option<&[Undo<'_>]>,
) -> Result<Report, Error> {
    let undone = undo(migrator, client, Rollback::Steps(1), confirmed).await?;
    if undone.undone.is_empty() {
        return Ok(undone);
    }
    let versions = undone.undone.iter().map(|one| Version::new(one.version.clone()));
    let again = Migrator { limit: Limit::Only(versions.collect()), ..migrator.clone() };
    // The last that was applied is not always the one of the highest version.
    let again = again.allow_out_of_order();
    let mut redone = again.run(client).await;
    redone.as_mut().unwrap_or_else(Error::report_mut).add_undone(undone);
    redone
}
