//! `up`: applies pending migrations, or tries them.

use clap::Args;
use migrate_runtime::{Migrator, Trial, Version, internal};
use tokio_postgres::Client;

use super::Context;
use super::plan::PlanArgs;
use crate::error::VerbError;
use crate::options::{number, version};
use crate::output::json::{AppliedBody, Body, millis};
use crate::output::progress::Progress;
use crate::output::text::{line, line_of, notes, took};
use crate::output::{Answer, Output};

/// Which of the pending migrations.
#[derive(Args, Debug, Clone, Default)]
pub(super) struct Limit {
    /// Up to and including this migration: its version, or its file name
    #[arg(long, value_name = "VERSION", value_parser = version())]
    to: Option<Version>,
    /// Only this migration: its version, or its file name
    #[arg(long, value_name = "VERSION", conflicts_with = "to", value_parser = version())]
    only: Option<Version>,
    /// Only this many, the first that are pending
    #[arg(long, value_name = "N", conflicts_with_all = ["to", "only"], value_parser = number::<usize>)]
    steps: Option<usize>,
}

impl Limit {
    pub(super) fn is_some(&self) -> bool {
        self.to.is_some() || self.only.is_some() || self.steps.is_some()
    }

    /// The migrator, limited to the migrations that the options name. A number means those that are pending now:
    /// what another session applies meanwhile is not replaced by others.
    pub(super) async fn of<'s>(
        &self,
        migrator: &Migrator<'s>,
        client: &Client,
    ) -> Result<Migrator<'s>, VerbError> {
        Ok(match (&self.to, &self.only, self.steps) {
            (Some(version), ..) => migrator.clone().to(version),
            (_, Some(version), _) => migrator.clone().only(version),
            (.., Some(steps)) => {
                let pending = migrator.plan(client).await?.steps;
                let first = pending.iter().take(steps).map(|step| step.migration.version());
                internal::limited_to(migrator, first.cloned().collect())
            }
            (None, None, None) => migrator.clone(),
        })
    }
}

#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Up {
    #[command(flatten)]
    limit: Limit,
    /// Show what would be applied, without applying it
    #[arg(long)]
    dry_run: bool,
    /// Apply in one transaction, which is then rolled back
    #[arg(long, conflicts_with = "dry_run")]
    trial: bool,
}

impl Up {
    pub(super) fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        if self.dry_run {
            return PlanArgs { limit: self.limit.clone(), sql: false }.run(cx).await;
        }
        let (doing, word) = if self.trial { ("trying", "Tried") } else { ("applying", "Applied") };
        let progress = Progress::begin(cx.output, &format!("{doing} pending migrations"), word);
        let migrator = progress.of(self.limit.of(&cx.migrator, cx.client).await?);
        if self.trial {
            let trial = migrator.trial(cx.client).await?;
            drop(progress);
            return Ok(tried(cx.output, &trial));
        }
        let report = migrator.run(cx.client).await?;
        drop(progress);
        Ok(Answer::of_run(cx.output, &report))
    }
}

fn tried(output: &Output, trial: &Trial) -> Answer {
    let mut text = String::new();
    if !output.shows_progress() {
        text.extend(trial.ran.iter().map(|one| line_of("Tried", one)));
    }
    text += &match trial.ran.len() {
        0 => line("Up to date", "nothing to try"),
        n => line("Finished", &format!("{n} tried and undone, in {}", took(trial.elapsed))),
    };
    text += &notes(&trial.notes);
    let body = Body::Trial {
        ran: trial.ran.iter().map(AppliedBody::new).collect(),
        notes: trial.notes.clone(),
        elapsed_ms: millis(trial.elapsed),
    };
    Answer::new(text, body)
}
