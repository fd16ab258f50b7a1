//! `diff`: compares the schema of the database with what the set makes, or with a schema file, object by object.

use std::path::PathBuf;

use clap::Args;
use migrate_runtime::internal::{DatabasePlace, SchemaForm, schema_differences};
use migrate_runtime::{Error, ErrorKind};

use super::schema::of_form;
use super::scratch::{ScopeArgs, schema_of_sets, unreadable};
use super::server::Connector;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::line;

#[derive(Args, Debug, Clone)]
pub(crate) struct Diff {
    /// Compare with this schema file instead of the set
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    scope: ScopeArgs,
}

impl Diff {
    /// Whether it compares with the set.
    pub(super) fn needs_sets(&self) -> bool {
        self.file.is_none()
    }

    pub(super) async fn run(
        &self,
        cx: &Connector<'_>,
    ) -> Result<(DatabasePlace, Answer), VerbError> {
        // A file has the scope that it was written with.
        let (expected, text) = match &self.file {
            Some(file) => {
                let failed = |source| VerbError::Unread { file: file.clone(), source };
                let text = std::fs::read_to_string(file).map_err(failed)?;
                let text = of_form(file, text, SchemaForm::Database)?;
                (file.to_string_lossy().into_owned(), text)
            }
            None => (cx.folders(), schema_of_sets(cx, "diff", &self.scope.scope()).await?.1),
        };
        let (client, place) = cx.connect(&cx.target()?, None).await?;
        let found = schema_differences(&client, &text, &cx.ledgers()).await;
        let differences = found.map_err(unreadable)?;
        if !differences.is_empty() {
            return Err(Error::from(ErrorKind::Schema { differences }).into());
        }
        let text = line("Checked", &format!("the schema of {place} is that of {expected}"));
        Ok((place, Answer::new(text, Body::Differences { differences: Vec::new() })))
    }
}
