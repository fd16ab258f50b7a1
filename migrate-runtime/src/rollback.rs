//! Carries out a rollback: read, decide, undo, and again when another replica was quicker.
//! A run and a target go in; down scripts go out, newest application first, each with what takes
//! its entry away.
//! What is undone is the core's decision, and how a message looks `transactional`'s.

use migrate_core::rollback::{Target, Undo, rollback};
use migrate_core::sql::directive::TransactionMode;

use crate::deed::Deed;
use crate::error::Error;
use crate::execute::{Attempt, Last, Run, Table};
use crate::ledger::Reading;
use crate::{nontransactional, transactional};

impl Run<'_> {
    /// Reads, decides and undoes.
    pub(crate) async fn try_to_undo(&mut self, target: &Target) -> Result<Attempt, Error> {
        let contents = self.read(Reading::WithDownScripts).await?;
        // What an attempt before this one undid counts.
        let target = match target {
            Target::Steps(steps) => Target::Steps(steps.saturating_sub(self.report.undone.len())),
            other => other.clone(),
        };
        let undos = rollback(self.migrator.set, contents.recorded, &target)
            .map_err(|obstacles| Error::Rollback { obstacles, report: Box::default() })?;
        self.undo(&undos).await
    }

    /// Undoes in order: runs of transactional ones together, the others one by one.
    async fn undo(&mut self, undos: &[Undo<'_>]) -> Result<Attempt, Error> {
        if undos.is_empty() {
            return Ok(Attempt::Done);
        }
        let outside = undos.iter().find(|undo| !is_transactional(undo));
        self.look_for_a_pooler(outside.map(Undo::script)).await?;
        match self.enter(Table::Exists).await? {
            Attempt::Done => {}
            other => return Ok(other),
        }
        let mut rest = undos;
        while let Some(first) = rest.first() {
            let attempt;
            if is_transactional(first) {
                let end = rest.iter().position(|undo| !is_transactional(undo));
                let (group, behind) = rest.split_at(end.unwrap_or(rest.len()));
                let last = if behind.is_empty() { Last::OfRun } else { Last::OfGroup };
                let deeds: Vec<_> = group.iter().map(Deed::Undo).collect();
                attempt = transactional::apply(self, &deeds, last, Table::Exists).await?;
                rest = behind;
            } else {
                attempt = nontransactional::undo(self, first).await?;
                rest = &rest[1..];
            }
            if !matches!(attempt, Attempt::Done) {
                return Ok(attempt);
            }
        }
        Ok(Attempt::Done)
    }
}

fn is_transactional(undo: &Undo<'_>) -> bool {
    undo.script().transaction() == TransactionMode::Transactional
}
