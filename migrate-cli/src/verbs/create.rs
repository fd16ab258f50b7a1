//! `create`: writes the files of the next migration.

use clap::Args;
use migrate_runtime::Migrations;
use migrate_source::create::{CreateOptions, create};

use crate::error::VerbError;
use crate::folder::{Folder, Located};
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::line;

#[derive(Args, Debug, Clone)]
pub(crate) struct Create {
    /// What the migration does, in a few words
    #[arg(required = true)]
    description: Vec<String>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Create {
    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let Located { path, history, options, .. } = self.folder.locate(set)?;
        let options =
            CreateOptions { names: options.names, history: Some(history), links: options.links };
        let created = create(&path, &self.description.join(" "), &options)?;
        let files: Vec<String> =
            created.files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
        let text = files.iter().map(|file| line("Created", file)).collect();
        let migration_version = created.version.to_string();
        Ok(Answer::new(text, Body::Created { migration_version, files }))
    }
}
