//! The deviations of a set from its history file, and why that file cannot be read or written.

use migrate_set::remedy::{Remedy, Term};
use thiserror::Error;

use super::Update;

/// A deviation of a set from its history file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HistoryProblem {
    /// A merge left both branches' lines; nothing else in the file is reported.
    #[error("lines {first} to {last} are a merge conflict")]
    Conflict {
        /// The line of the first mark, from 1.
        first: usize,
        /// The line of the last mark.
        last: usize,
    },
    /// A line that is not valid in a history file.
    #[error("line {line} is not a valid entry: `{text}`")]
    Malformed {
        /// From 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A version that is repeated, or that is above one of a later line.
    #[error(
        "line {line} has version {version}, which is not above version {last} of a line before it"
    )]
    Disordered {
        /// From 1.
        line: usize,
        /// The version of the line.
        version: String,
        /// The version that precedes it.
        last: String,
    },
    /// The first line is another than that of every history file.
    #[error("its first line is `{found}`, not that of a history file of format 1")]
    Header {
        /// The line.
        found: String,
    },
    /// A frozen migration was edited and no longer means the same.
    #[error("version {version}: `{filename}` was edited after it was frozen")]
    Edited {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
        /// The least update that changes its line.
        update: Update,
    },
    /// A frozen migration was renamed.
    #[error("version {version}: `{frozen}` was renamed to `{name}` after it was frozen")]
    Renamed {
        /// The version as the set writes it.
        version: String,
        /// The name in the history file.
        frozen: String,
        /// The name in the set.
        name: String,
        /// As in `Edited`.
        update: Update,
    },
    /// A frozen migration was removed.
    #[error("version {version}: `{name}` is frozen but missing from the set")]
    Removed {
        /// The version in the history file.
        version: String,
        /// The name in the history file.
        name: String,
        /// As in `Edited`.
        update: Update,
    },
    /// A new migration sorts before a frozen one.
    #[error(
        "version {version}: `{filename}` is new and sorts before version {newest}, which is frozen"
    )]
    OutOfOrder {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
        /// The newest frozen version.
        newest: String,
    },
    /// There is no file, which would freeze nothing.
    #[error("does not exist")]
    Missing {
        /// A history file beside it whose name is nearly the same.
        near: Option<String>,
    },
    /// A new migration is not frozen yet.
    #[error("version {version}: `{filename}` is not frozen yet")]
    New {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
    },
    /// The file has the name that history files had before.
    #[error("does not exist, but `{old}` does")]
    OldName {
        /// The name.
        old: String,
    },
    /// An update was requested in CI, where the file is not committed.
    #[error("is not written in CI")]
    InCi,
    /// An update was requested by a word that does not exist.
    #[error("is not written: `{word}` is not a word of `MIGRATE_UPDATE_HISTORY`")]
    UnknownWord {
        /// The word.
        word: String,
    },
}

impl HistoryProblem {
    /// The least update that resolves it; `None` if none does.
    pub fn update(&self) -> Option<Update> {
        match self {
            HistoryProblem::New { .. } | HistoryProblem::Missing { .. } => Some(Update::Newest),
            HistoryProblem::Edited { update, .. }
            | HistoryProblem::Renamed { update, .. }
            | HistoryProblem::Removed { update, .. } => Some(*update),
            HistoryProblem::OutOfOrder { .. } => Some(Update::All),
            _ => None,
        }
    }

    /// What an update that resolves it does, in words.
    pub(super) fn resolved(&self) -> String {
        match self {
            HistoryProblem::New { version, filename }
            | HistoryProblem::OutOfOrder { version, filename, .. } => {
                format!("version {version}: `{filename}` was added")
            }
            HistoryProblem::Edited { version, filename, .. } => {
                format!("version {version}: `{filename}` was edited")
            }
            HistoryProblem::Renamed { version, frozen, name, .. } => {
                format!("version {version}: `{frozen}` was renamed to `{name}`")
            }
            HistoryProblem::Removed { version, name, .. } => {
                format!("version {version}: `{name}` was removed")
            }
            other => other.to_string(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Remedy {
        match self {
            HistoryProblem::Conflict { .. } => Remedy::new(
                "restore the main branch's version of the file, then add the other migrations with {}",
                &[Term::Freeze],
            ),
            HistoryProblem::Malformed { .. } => "restore the file".into(),
            HistoryProblem::Disordered { .. } => {
                "put the lines in the order of their versions, each once, or restore the file"
                    .into()
            }
            HistoryProblem::Header { .. } => {
                "restore the file; a newer release may have written it".into()
            }
            HistoryProblem::Edited { .. } => Remedy::new(
                "restore the file and put the change into a new migration; if it has not run \
                 anywhere yet, update the history with {}",
                self.or_newest(&[Term::Refreeze]),
            ),
            HistoryProblem::Renamed { .. } => Remedy::new(
                "restore the name, or update the history with {}",
                self.or_newest(&[Term::Refreeze]),
            ),
            HistoryProblem::Removed { .. } => Remedy::new(
                "restore the file; if it has not run anywhere yet, update the history with {}",
                self.or_newest(&[Term::Refreeze]),
            ),
            HistoryProblem::OutOfOrder { .. } => {
                "give it a version above the newest frozen one".into()
            }
            HistoryProblem::OldName { .. } => {
                "rename it: a history file ends with `.history`, and its content is the same".into()
            }
            HistoryProblem::InCi => Remedy::new(
                "commit the file that a build outside CI writes, or set {}",
                &[Term::InCi],
            ),
            HistoryProblem::UnknownWord { .. } => {
                "use `1`, or `rewrite` to change older lines too; in CI `in-ci` or `rewrite,in-ci`"
                    .into()
            }
            HistoryProblem::New { .. } => Remedy::new("freeze it with {}", &[Term::Freeze]),
            HistoryProblem::Missing { near: Some(near) } => Remedy::new(
                format!("did you mean `{near}`? Otherwise freeze the set with {{}}"),
                &[Term::Freeze],
            ),
            HistoryProblem::Missing { near: None } => {
                Remedy::new("freeze the set with {}, and commit the file", &[Term::Freeze])
            }
        }
    }

    /// The term for an update of the newest line if that resolves it, otherwise `older`.
    fn or_newest(&self, older: &'static [Term]) -> &'static [Term] {
        if self.update() == Some(Update::Newest) { &[Term::Freeze] } else { older }
    }
}
