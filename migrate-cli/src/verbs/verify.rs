//! `verify`: fails if migrations are pending, or if ledger and set disagree.

use migrate_runtime::{Error, ErrorKind};

use super::Context;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::line;

pub(super) async fn verify(cx: Context<'_>) -> Result<Answer, VerbError> {
    let plan = cx.migrator.plan(cx.client).await?;
    let versions: Vec<String> =
        plan.steps.iter().map(|step| step.migration.version().to_string()).collect();
    if !versions.is_empty() {
        return Err(Error::from(ErrorKind::Pending { versions }).into());
    }
    let text = line("Verified", &format!("{} applied, nothing pending", plan.applied.len()));
    Ok(Answer::new(text, Body::Verify { pending: versions }))
}
