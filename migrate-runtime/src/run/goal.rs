//! What a run is for.

use migrate_set::rollback::Rollback;

use super::edits::Amendment;

/// What a run is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal<'g> {
    /// Nothing pending.
    Apply,
    /// So much undone.
    Undo(&'g Rollback),
    /// What is pending run and undone again.
    TryOut,
    /// The ledger changed, and nothing else.
    Amend(&'g Amendment),
}

impl Goal<'_> {
    /// One word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Goal::Apply => "run",
            Goal::Undo(_) => "rollback",
            Goal::TryOut => "trial",
            Goal::Amend(_) => "amend",
        }
    }
}
