//! What the answers of a folder's verbs contain: objects of its schema, and mistakes in it.

use migrate_source::check::SourceError;
use migrate_source::convert::Trouble;
use serde::Serialize;

/// An object of a schema.
#[derive(Serialize)]
pub(crate) struct ObjectBody {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) definition: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<ObjectBody>,
}

/// A mistake in a folder.
#[derive(Serialize)]
pub(crate) struct ProblemBody {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    message: String,
    help: String,
}

impl ProblemBody {
    pub(crate) fn all(errors: &[SourceError]) -> Vec<ProblemBody> {
        let problem = |error: &SourceError| ProblemBody {
            file: error.file().to_owned(),
            line: error.position().map(|position| position.line),
            column: error.position().map(|position| position.column),
            message: error.problem().to_string(),
            help: format!("{:#}", error.help()),
        };
        errors.iter().map(problem).collect()
    }
}

impl From<&Trouble> for ProblemBody {
    fn from(trouble: &Trouble) -> ProblemBody {
        let Trouble { file, line, what, help } = trouble.clone();
        ProblemBody { file, line, column: None, message: what, help }
    }
}
