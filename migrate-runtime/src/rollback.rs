//! Carries out a rollback: read, decide, undo, and again when another replica was quicker.
//! A run and a target go in; down scripts go out, newest application first, each with what takes
//! its entry away.
//! What is undone is the core's decision, and how it is carried out `execute`'s.

use migrate_set::plan::Cause;
use migrate_set::rollback::{Target, rollback};

use crate::deed::Deed;
use crate::error::ErrorKind;
use crate::execute::{Attempt, Run, Table};
use crate::ledger::Reading;

impl Run<'_> {
    /// Reads, decides and undoes.
    pub(crate) async fn try_to_undo(&mut self, target: &Target) -> Result<Attempt, ErrorKind> {
        let contents = self.read(Reading::WithDownScripts).await?;
        // What an attempt before this one undid counts.
        let target = match target {
            Target::Steps(steps) => Target::Steps(steps.saturating_sub(self.report.undone.len())),
            other => other.clone(),
        };
        let undos = rollback(self.migrator.set, contents.recorded, &target)
            .map_err(|obstacles| ErrorKind::Rollback { obstacles })?;
        // One to undo is as new: how far an earlier rollback came is not noted.
        let work: Vec<_> = undos.iter().map(|undo| (Deed::Undo(undo), Cause::New)).collect();
        self.carry(&work, Table::Exists).await
    }
}
