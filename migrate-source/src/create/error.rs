//! Why a new migration cannot be created.

use migrate_set::name::Layout;
use thiserror::Error;

use crate::check::SourceErrors;

/// Why a new migration cannot be created.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DraftError {
    /// The description has neither a letter nor a digit.
    #[error(
        "the description `{description}` contains no letter or digit\n\
         help: say in a few words what the migration does, such as `add users`"
    )]
    NoWord {
        /// As given.
        description: String,
    },
    /// The folder cannot be read or contains misnamed files, or its history file is invalid.
    #[error(transparent)]
    Source(SourceErrors),
    /// The layout does not say which version comes next.
    #[error(
        "layout `{layout}` does not say which version comes next\n\
         help: name the file by hand, so that it sorts after the others"
    )]
    NoNextVersion {
        /// The layout.
        layout: Layout,
    },
    /// The new file would be read as something else.
    #[error(
        "{}\nhelp: describe it in other words that do not begin with a number",
        reason.clone().unwrap_or_else(|| misread(path))
    )]
    Misread {
        /// The path of the new file.
        path: String,
        /// What the build would report; `None` if it would read another version or description.
        reason: Option<String>,
    },
}

fn misread(path: &str) -> String {
    format!("`{path}` would be read as another version or description")
}
