//! `freeze`: writes the history file of a folder.

use std::env;

use clap::Args;
use migrate_runtime::Migrations;
use migrate_source::check::SourceErrors;
use migrate_source::history_file::{self, HistoryProblem, Update, Updated, is_ci};
use migrate_source::replace::replace;

use crate::error::VerbError;
use crate::folder::Folder;
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::{counted, line, notes};

#[derive(Args, Debug, Clone)]
pub(crate) struct Freeze {
    /// Replace any line, not only that of the newest migration: if older ones were edited, renamed,
    /// removed or preceded
    #[arg(long)]
    rewrite: bool,
    /// Write it even if the environment variable CI is set
    #[arg(long)]
    in_ci: bool,
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Freeze {
    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let located = self.folder.locate(set)?;
        let set = located.read()?.set;
        let (file, before) = located.read_history()?;
        let update = if self.rewrite { Update::All } else { Update::Newest };
        let refused = |problems| SourceErrors::in_history(&file, problems);
        let Updated { text, changes, .. } =
            history_file::update(before.as_deref(), &set, update).map_err(refused)?;
        let written = before.as_deref() != Some(&text);
        if written {
            if !self.in_ci && is_ci(env::var_os("CI").as_deref()) {
                return Err(refused(vec![HistoryProblem::InCi]).into());
            }
            replace(&located.history, text.as_bytes())
                .map_err(|source| VerbError::File { file: located.history, source })?;
        }
        let word = if written { "Frozen" } else { "Unchanged" };
        let text = line(word, &format!("{} in {file}", counted(set.len(), "migration")));
        let text = text + &notes(&changes);
        Ok(Answer::new(text, Body::Frozen { file, written, migrations: set.len(), changes }))
    }
}
