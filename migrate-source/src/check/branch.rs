//! What keeps the migrations of two branches from living together.

use migrate_set::remedy::{Remedy, Term};
use thiserror::Error;

/// Why a migration of one branch cannot live together with those of another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BranchProblem {
    /// Both branches add a migration of one version.
    #[error("version {version} is also that of `{other}`")]
    SameVersion {
        /// As the file writes it.
        version: String,
        /// The file of the other branch.
        other: String,
        /// The newest version of the other branch.
        newest: String,
    },
    /// A new migration sorts before one that the other branch has.
    #[error("version {version} is before {newest}, which `{branch}` has")]
    Before {
        /// As the file writes it.
        version: String,
        /// The newest version of the other branch.
        newest: String,
        /// The other branch.
        branch: String,
    },
    /// One branch edited a migration that both have.
    #[error("was edited, and `{branch}` has it as it was")]
    Edited {
        /// The branch that did not edit it.
        branch: String,
    },
    /// One branch removed a migration that both had.
    #[error("was removed from `{folder}`")]
    Removed {
        /// The folder of the branch that removed it.
        folder: String,
    },
    /// Both branches change an object, and the later change undoes the other.
    #[error("the {object} is also changed by `{other}`, and only the later change is kept")]
    Replaced {
        /// Its kind and its name.
        object: String,
        /// The file of the other branch.
        other: String,
    },
}

impl BranchProblem {
    /// What to do about it.
    pub fn help(&self) -> Remedy {
        match self {
            BranchProblem::SameVersion { newest, .. } => {
                format!("give it a version after {newest}, the newest there").into()
            }
            BranchProblem::Before { newest, .. } => Remedy::new(
                format!(
                    "give it a version after {newest}: a database that has that one refuses it without {{}}"
                ),
                &[Term::AllowOutOfOrder],
            ),
            BranchProblem::Edited { .. } => {
                "restore the file and put the change into a new migration".into()
            }
            BranchProblem::Removed { .. } => {
                "restore the file, and undo what it does in a new migration".into()
            }
            BranchProblem::Replaced { .. } => {
                "merge first, then make this change to what the other one left".into()
            }
        }
    }
}
