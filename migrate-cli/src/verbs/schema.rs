//! `schema`: prints the schema that the set makes, or writes it to a file, or compares it with one; from the folder
//! alone, or from a database.

use std::path::{Path, PathBuf};

use clap::Args;
use migrate_runtime::Migrations;
use migrate_runtime::internal::{DatabasePlace, SchemaForm, schema_text};
use migrate_runtime::schema::SchemaScope;
use migrate_source::discover::read;
use migrate_source::replace::replace;
use migrate_source::schema::{Places, SchemaObject};

use super::scratch::{ScopeArgs, schema_of_sets, unreadable};
use super::server::Connector;
use crate::error::VerbError;
use crate::folder::Folder;
use crate::output::Answer;
use crate::output::difference::differences;
use crate::output::json::{Body, ObjectBody};
use crate::output::text::line;

#[derive(Args, Debug, Clone)]
pub(crate) struct Schema {
    /// From the folder alone, without a database
    #[arg(long = "static", conflicts_with = "ScopeArgs")]
    is_static: bool,
    /// Add where each object is made, as a comment
    #[arg(long, requires = "is_static")]
    places: bool,
    /// Of the database as it is, not of the set
    #[arg(long, conflicts_with = "is_static")]
    of_database: bool,
    /// Write it to this file
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// Compare it with this file, by the options in it, and exit with 4 if they differ
    #[arg(long, value_name = "FILE", conflicts_with = "ScopeArgs")]
    check: Option<PathBuf>,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Schema {
    pub(super) fn is_of_one_folder(&self) -> bool {
        self.folder.names_one() || self.check.is_some()
    }

    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let located = self.folder.locate(set)?;
        let (checked, schema) = located.read_and_describe()?;
        let places = if self.places { Places::Shown } else { Places::Hidden };
        let text = schema.text(places);
        if let Some(file) = &self.check {
            return self.compare(file, &self.read_file(file)?, &text, located.shown);
        }
        if let Some(file) = &self.output {
            return write_file(file, &text, &located.shown);
        }
        let objects = schema.objects.iter().map(body).collect();
        let (folder, migrations, unknown) = (located.shown, checked.set.len(), schema.unknown);
        Ok(Answer::new(text, Body::Schema { folder, migrations, objects, unknown }))
    }

    /// Whether it needs no database.
    pub(super) fn is_static(&self) -> bool {
        self.is_static
    }

    /// Whether it is that of a database that is there.
    pub(super) fn is_of_database(&self) -> bool {
        self.of_database
    }

    /// From a database: the one that the address names, or one that the sets are applied to.
    pub(super) async fn run_on(
        &self,
        cx: &Connector<'_>,
    ) -> Result<(DatabasePlace, Answer), VerbError> {
        let file = self.check.as_deref().map(|file| self.read_file(file)).transpose()?;
        let scope =
            file.as_ref().map_or_else(|| self.scope.scope(), |file| SchemaScope::of_file(file));
        let (place, text) = if self.of_database {
            let (client, place) = cx.connect(&cx.target()?, None).await?;
            let read = schema_text(&client, &scope, &cx.ledgers()).await;
            (place, read.map_err(unreadable)?)
        } else {
            schema_of_sets(cx, "schema", &scope).await?
        };
        let source = if self.of_database { place.to_string() } else { cx.folders() };
        if let (Some(path), Some(file)) = (&self.check, &file) {
            return Ok((place, self.compare(path, file, &text, source)?));
        }
        let Some(path) = &self.output else {
            let body = Body::SchemaText { schema: text.clone() };
            return Ok((place, Answer::new(text, body)));
        };
        Ok((place, write_file(path, &text, &source)?))
    }

    /// Compares the schema with that of a file.
    fn compare(
        &self,
        path: &Path,
        written: &str,
        text: &str,
        folder: String,
    ) -> Result<Answer, VerbError> {
        let file = path.to_string_lossy().into_owned();
        let differences = differences(written, text);
        if differences.is_empty() {
            let text = line("Checked", &format!("the schema of {folder} is that of {file}"));
            return Ok(Answer::new(text, Body::SchemaChecked { folder, file, differences }));
        }
        let command = self.writes(&file);
        Err(VerbError::Schema { file, folder, differences, command })
    }

    /// The text of a schema file of the form that is asked for.
    fn read_file(&self, path: &Path) -> Result<String, VerbError> {
        match read(path) {
            Ok(bytes) => of_form(path, String::from_utf8_lossy(&bytes).into_owned(), self.form()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let file = path.to_string_lossy().into_owned();
                Err(VerbError::NoSchema { command: self.writes(&file), file })
            }
            Err(source) => Err(VerbError::Unread { file: path.to_owned(), source }),
        }
    }

    fn form(&self) -> SchemaForm {
        if self.is_static { SchemaForm::Static } else { SchemaForm::Database }
    }

    /// The command that writes the file.
    fn writes(&self, file: &str) -> String {
        let option = match (self.places, self.of_database) {
            (true, _) => " --places",
            (_, true) => " --of-database",
            _ => "",
        };
        format!("{}{option} --output {file}", self.form().verb())
    }
}

/// The text of a schema file, unless its first line shows that it is not one of this form.
pub(super) fn of_form(path: &Path, text: String, form: SchemaForm) -> Result<String, VerbError> {
    let file = path.to_owned();
    match SchemaForm::of_file(&text) {
        Some(found) if found == form => Ok(text),
        Some(found) => Err(VerbError::SchemaForm { file, found, expected: form }),
        None => Err(VerbError::NoSchemaForm { file, expected: form }),
    }
}

fn write_file(path: &Path, text: &str, source: &str) -> Result<Answer, VerbError> {
    let failed = |source| VerbError::File { file: path.to_owned(), source };
    replace(path, text.as_bytes()).map_err(failed)?;
    let file = path.to_string_lossy().into_owned();
    let text = line("Written", &format!("the schema of {source} to {file}"));
    Ok(Answer::new(text, Body::SchemaWritten { file }))
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
