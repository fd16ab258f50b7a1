//! `repair`: accepts edited migrations and forgets entries, after it has asked.

use clap::Subcommand;
use migrate_runtime::Version;
use migrate_runtime::ledger::Edited;

use super::Context;
use crate::error::VerbError;
use crate::options::version;
use crate::output::Answer;
use crate::output::confirm::confirm;
use crate::output::text::line;

#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Repair {
    /// Accept the set's text of an edited migration as what was applied
    Accept {
        /// The migration's version, or its file name
        #[arg(required_unless_present = "all", value_parser = version())]
        version: Option<Version>,
        /// Accept every edited migration
        #[arg(long, conflicts_with = "version")]
        all: bool,
    },
    /// Forget that a migration was applied, so that the next run applies it
    Forget {
        /// The migration's version, or its file name
        #[arg(value_parser = version())]
        version: Version,
    },
}

impl Repair {
    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let what = match self {
            Repair::Forget { version } => format!("forget that version {version} was applied"),
            Repair::Accept { version: Some(version), .. } => {
                format!("accept the set's text of version {version} as what ran")
            }
            Repair::Accept { version: None, .. } => {
                "accept the set's text of all edited migrations as what ran".to_owned()
            }
        };
        confirm(cx.output, &format!("{what} in {}", cx.place))?;
        let report = match self {
            Repair::Forget { version } => cx.migrator.forget(cx.client, version).await?,
            Repair::Accept { version: Some(version), .. } => {
                cx.migrator.accept(cx.client, version).await?
            }
            Repair::Accept { version: None, .. } => {
                cx.migrator.accept(cx.client, Edited::All).await?
            }
        };
        let mut answer = Answer::of_run(cx.output, &report);
        if let Repair::Forget { .. } = self {
            answer.text = report.amended.iter().map(|one| line("Forgot", &one.filename)).collect();
        }
        Ok(answer)
    }
}
