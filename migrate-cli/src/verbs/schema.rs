//! `schema`: prints the schema that the folder's set makes, without a database, or compares it with a file.

use std::path::{Path, PathBuf};

use clap::Args;
use migrate_runtime::Migrations;
use migrate_runtime::internal::text::escaped_lines;
use migrate_source::check::schema;
use migrate_source::discover::read;
use migrate_source::schema::{Places, SchemaObject};

use crate::error::VerbError;
use crate::folder::Folder;
use crate::output::Answer;
use crate::output::difference::differences;
use crate::output::json::{Body, ObjectBody};
use crate::output::text::line;

#[derive(Args, Debug, Clone)]
pub(crate) struct Schema {
    /// From the folder alone, without a database
    #[arg(long = "static", required = true)]
    is_static: bool,
    /// Add where each object is made, as a comment
    #[arg(long)]
    places: bool,
    /// Compare it with this file, and exit with 4 if they differ
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Schema {
    pub(super) fn is_of_one_folder(&self) -> bool {
        self.folder.names_one() || self.check.is_some()
    }

    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let located = self.folder.locate(set)?;
        let checked = located.read()?;
        let schema = schema(&checked.set, located.options.begins);
        let places = if self.places { Places::Shown } else { Places::Hidden };
        let text = escaped_lines(&schema.text(places)).into_owned();
        if let Some(file) = &self.check {
            return self.compare(file, &text, located.shown);
        }
        let objects = schema.objects.iter().map(body).collect();
        let (folder, migrations, unknown) = (located.shown, checked.set.len(), schema.unknown);
        Ok(Answer::new(text, Body::Schema { folder, migrations, objects, unknown }))
    }

    /// Compares the schema with that of a file.
    fn compare(&self, path: &Path, text: &str, folder: String) -> Result<Answer, VerbError> {
        let file = path.to_string_lossy().into_owned();
        let written = match read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(VerbError::File { file: path.to_owned(), source }),
        };
        let differences = differences(&written, text);
        if differences.is_empty() {
            let text = line("Checked", &format!("the schema of {folder} is that of {file}"));
            return Ok(Answer::new(text, Body::SchemaChecked { folder, file, differences }));
        }
        let places = if self.places { " --places" } else { "" };
        let command = format!("schema --static{places} > {file}");
        Err(VerbError::Schema { file, folder, differences, command })
    }
}

fn body(object: &SchemaObject) -> ObjectBody {
    ObjectBody {
        kind: object.kind,
        name: object.name.clone(),
        definition: object.statement(),
        file: object.place.as_ref().map(|(file, _)| file.clone()),
        line: object.place.as_ref().map(|(_, line)| *line),
        unknown: object.unknown.clone(),
        parts: object.parts.iter().map(body).collect(),
    }
}
