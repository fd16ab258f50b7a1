//! `verify`: fails if migrations are pending, or if ledger and set disagree.

use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind};

use super::Context;
use super::status::{has_no_entry, writers};
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::line;

pub(super) async fn verify(cx: Context<'_>) -> Result<Answer, VerbError> {
    let status = cx.migrator.status(cx.client).await?;
    if has_no_entry(&status) {
        cx.warn_of_other_history().await;
    }
    let note = writers(&status);
    if let Some(drift) = status.drift {
        return Err(Error::from(ErrorKind::Drift { drift }).into());
    }
    let rows = || status.migrations.iter().filter(|row| !matches!(row.state, State::Ahead { .. }));
    let pending = rows().filter(|row| !matches!(row.state, State::Applied { .. }));
    let versions: Vec<String> = pending.map(|row| row.version.clone()).collect();
    if !versions.is_empty() {
        return Err(Error::from(ErrorKind::Pending { versions }).into());
    }
    let text = line("Verified", &format!("{} applied, nothing pending", rows().count()));
    Ok(Answer::new(text + &note, Body::Verify { pending: versions }))
}
