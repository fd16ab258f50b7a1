//! Undoes what the caller names, or just what was planned.

use migrate_set::rollback::{Rollback, Undo};
use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::migrator::Migrator;
use crate::outcome::{Error, Report};
use crate::run::{self, Then, Undo as Undoing};
use crate::stale::check_embed;

/// Undoes migrations.
pub(super) async fn undo(
    migrator: &Migrator<'_>,
    client: &Client,
    undoing: &Undoing<'_>,
) -> Result<Report, Error> {
    check_embed(migrator.set)?;
    // The ledger's scripts too.
    let migrator = Migrator { parts: run::ALL, ..migrator.clone() };
    run::run(&migrator, client, undoing).await
}

/// As [`Migrator::redo`], of just what was planned.
///
/// # Errors
/// As [`Migrator::redo`].
pub async fn redo(
    migrator: &Migrator<'_>,
    client: &mut Client,
    planned: Option<&[Undo<'_>]>,
) -> Result<Report, Error> {
    let target = Rollback::Steps(1);
    let undoing = Undoing { target, planned, then: Then::Again };
    let undone = undo(migrator, client, &undoing).await?;
    if undone.undone.is_empty() {
        return Ok(undone);
    }
    let versions = undone.undone.iter().map(|one| Version::new(one.version.clone()));
    let mut redone = run::again(migrator, versions.collect()).run(client).await;
    redone.as_mut().unwrap_or_else(Error::report_mut).add_undone(undone);
    redone
}
