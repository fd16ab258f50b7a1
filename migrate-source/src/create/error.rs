//! Says why there can be no new migration.
//! A reason goes in, what and where comes out, with the next action behind `help:`.
//! It decides nothing on purpose; [`super`] does.

use std::fmt;

use migrate_set::name::Layout;

use crate::check::SourceErrors;

/// Why there can be no new migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftError {
    /// The description has neither a letter nor a digit.
    NoWord {
        /// As given.
        description: String,
    },
    /// The folder cannot be read, holds names that are mistakes, or its lock file is broken.
    Source(SourceErrors),
    /// The layout does not say what comes next.
    NoNextVersion {
        /// The layout.
        layout: Layout,
    },
    /// The new file would be taken for something else.
    Misread {
        /// What it would be called.
        path: String,
        /// What the build would say; `None` where it would read another version or description.
        reason: Option<String>,
    },
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DraftError::NoWord { description } => write!(
                f,
                "the description `{description}` holds no letter and no digit\n\
                 help: say in a few words what the migration does, such as `add users`"
            ),
            DraftError::Source(errors) => errors.fmt(f),
            DraftError::NoNextVersion { layout } => write!(
                f,
                "layout `{layout}` does not say which version comes next\n\
                 help: name the file by hand, so that it sorts behind the others"
            ),
            DraftError::Misread { path, reason } => {
                match reason {
                    Some(reason) => write!(f, "{reason}")?,
                    None => write!(f, "`{path}` would be read as another version or description")?,
                }
                write!(
                    f,
                    "\nhelp: describe it in other words, and begin with one that is no number"
                )
            }
        }
    }
}

impl std::error::Error for DraftError {}
