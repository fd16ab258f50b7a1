//! `check`: checks a folder and its history file as the build does, and whether a service's set is that of
//! the folder.

use clap::Args;
use migrate_runtime::{Error, Migrations, internal};
use migrate_source::check::{Checked, SourceErrors};
use migrate_source::history_file;

use crate::error::VerbError;
use crate::folder::Folder;
use crate::output::Answer;
use crate::output::json::{Body, ProblemBody};
use crate::output::style::{WARNING, titled};
use crate::output::text::{counted, line};

#[derive(Args, Debug, Clone)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Check {
    pub(super) fn is_of_one_folder(&self) -> bool {
        self.folder.names_one() || self.folder.names_history()
    }

    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let located = self.folder.locate(set)?;
        let embedded = set;
        let Checked { set, warnings, .. } = located.read()?;
        if let Some(embedded) = embedded {
            internal::compare_sets(embedded, &set, located.shown.clone()).map_err(Error::from)?;
        }
        let (file, frozen) = located.read_history()?;
        // The history file is optional, unless one is named.
        if frozen.is_some() || self.folder.names_history() {
            let problems = history_file::compare(frozen.as_deref(), &set);
            SourceErrors::of_history(&file, problems)?;
        }
        let mut text: String = warnings
            .iter()
            .map(|found| titled("warning", WARNING, &format!("{found:#}")))
            .collect();
        let against = if frozen.is_some() { format!(" and {file}") } else { String::new() };
        let (migrations, folder) = (set.len(), located.shown);
        text +=
            &line("Checked", &format!("{} in {folder}{against}", counted(migrations, "migration")));
        let warnings = ProblemBody::all(&warnings);
        Ok(Answer::new(text, Body::Checked { folder, migrations, warnings }))
    }
}
