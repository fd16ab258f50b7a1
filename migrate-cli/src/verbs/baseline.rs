//! `baseline`: marks migrations as applied, after it has asked.

use clap::Args;
use migrate_runtime::Version;

use super::Context;
use crate::error::VerbError;
use crate::options::version;
use crate::output::Answer;
use crate::output::confirm::confirm;

#[derive(Args, Debug, Clone)]
pub(crate) struct Baseline {
    /// The last migration to mark: its version, or its file name
    #[arg(value_parser = version())]
    version: Version,
}

impl Baseline {
    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let version = &self.version;
        let what = format!("mark migrations up to version {version} as applied in {}", cx.place);
        confirm(cx.output, &what)?;
        Ok(Answer::of_run(cx.output, &cx.migrator.baseline(cx.client, version).await?))
    }
}
