//! What the JSON has of an error.

use migrate_runtime::ErrorKind;
use serde::Serialize;

use super::folder::ProblemBody;
use super::json::DriftBody;
use crate::error::VerbError;

/// Why the verb failed.
#[derive(Serialize)]
pub(super) struct ErrorBody {
    kind: &'static str,
    /// The first line.
    message: String,
    help: Option<String>,
    /// All of it, as a terminal shows it.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlstate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    drift: Vec<DriftBody>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<ProblemBody>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<String>,
}

impl ErrorBody {
    pub(super) fn new(error: &VerbError) -> ErrorBody {
        let text = format!("{error:#}");
        let place = error.place();
        let position = place.and_then(|(_, position)| position);
        let mut body = ErrorBody {
            kind: error.kind(),
            message: text.lines().next().unwrap_or_default().to_owned(),
            help: text.lines().find_map(|line| line.strip_prefix("help: ")).map(str::to_owned),
            text,
            file: place.map(|(file, _)| file.to_owned()),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            sqlstate: None,
            pending: None,
            drift: Vec::new(),
            problems: Vec::new(),
            differences: Vec::new(),
        };
        match error {
            VerbError::Schema { differences, .. } => body.differences.clone_from(differences),
            VerbError::Set(errors) => body.problems = ProblemBody::all(&errors.0),
            VerbError::Convert(troubles) => {
                body.problems = troubles.0.iter().map(ProblemBody::from).collect();
            }
            VerbError::Migrate(error) => match error.kind() {
                ErrorKind::Schema { differences } => {
                    body.differences = differences.iter().map(ToString::to_string).collect();
                }
                ErrorKind::Migration { failure, .. } => body.sqlstate.clone_from(&failure.sqlstate),
                ErrorKind::Pending { versions } => body.pending = Some(versions.clone()),
                ErrorKind::Drift { drift, .. } => {
                    body.drift = drift.0.iter().map(DriftBody::new).collect();
                }
                _ => {}
            },
            _ => {}
        }
        body
    }
}
