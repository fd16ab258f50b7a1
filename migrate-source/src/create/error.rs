//! Why a new migration cannot be created.

use std::fmt;

use migrate_set::name::Layout;

use crate::check::SourceErrors;

/// Why a new migration cannot be created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftError {
    /// The description has neither a letter nor a digit.
    NoWord {
        /// As given.
        description: String,
    },
    /// The folder cannot be read or contains misnamed files, or its history file is invalid.
    Source(SourceErrors),
    /// The layout does not say which version comes next.
    NoNextVersion {
        /// The layout.
        layout: Layout,
    },
    /// The new file would be read as something else.
    Misread {
        /// The path of the new file.
        path: String,
        /// What the build would report; `None` if it would read another version or description.
        reason: Option<String>,
    },
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DraftError::NoWord { description } => write!(
                f,
                "the description `{description}` contains no letter or digit\n\
                 help: say in a few words what the migration does, such as `add users`"
            ),
            DraftError::Source(errors) => errors.fmt(f),
            DraftError::NoNextVersion { layout } => write!(
                f,
                "layout `{layout}` does not say which version comes next\n\
                 help: name the file by hand, so that it sorts after the others"
            ),
            DraftError::Misread { path, reason } => {
                match reason {
                    Some(reason) => write!(f, "{reason}")?,
                    None => write!(f, "`{path}` would be read as another version or description")?,
                }
                write!(f, "\nhelp: describe it in other words that do not begin with a number")
            }
        }
    }
}

impl std::error::Error for DraftError {}
