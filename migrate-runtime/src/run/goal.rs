//! The goal of a run.

use migrate_set::rollback::Rollback;

use super::edits::Edit;

/// The goal of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal<'g> {
    /// Applies pending migrations.
    Apply,
    /// Undoes migrations.
    Undo(&'g Rollback),
    /// Runs pending migrations, and undoes them.
    TryOut,
    /// Changes only the ledger.
    Edit(&'g Edit),
}

impl Goal<'_> {
    /// One word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Goal::Apply => "run",
            Goal::Undo(_) => "rollback",
            Goal::TryOut => "trial",
            Goal::Edit(_) => "amend",
        }
    }
}
