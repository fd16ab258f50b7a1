//! `redo`: undoes the last applied migration and applies it again, after it has asked.

use migrate_runtime::{Report, Rollback, internal};

use super::Context;
use super::down::{confirm_undo, versions};
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::progress::Progress;

pub(super) async fn redo(cx: Context<'_>) -> Result<Answer, VerbError> {
    let undos = cx.migrator.plan_rollback(cx.client, Rollback::Steps(1)).await?;
    if undos.is_empty() {
        return Ok(Answer::of_run(cx.output, &Report::default()));
    }
    let what = versions(&undos);
    let question = format!("undo {what} in {} and apply it again", cx.place);
    confirm_undo(&cx, &undos, &question)?;
    let progress = Progress::begin(cx.output, &format!("redoing {what}"), "Applied");
    let migrator = progress.of(cx.migrator);
    let report = internal::redo(&migrator, cx.client, Some(&undos)).await?;
    drop(progress);
    Ok(Answer::of_run(cx.output, &report))
}
