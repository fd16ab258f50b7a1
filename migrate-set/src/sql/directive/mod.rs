//! Decides which comments speak to the migration library, and holds what they can say.
//! A comment goes in; what it asks for, or how it nearly does, comes out.
//! A run needs nothing of it but [`TransactionMode`], which the build has found out.

#[cfg(feature = "source")]
mod comment;

#[cfg(feature = "source")]
pub(super) use comment::edit_distance;
#[cfg(feature = "source")]
pub use comment::{Direction, Directive, DirectiveError, Spelling, checks, directive};

/// Whether a script runs inside a transaction of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionMode {
    /// The whole script and its ledger entry commit together.
    #[default]
    Transactional,
    /// Statement by statement, each committed by itself.
    NonTransactional,
}
