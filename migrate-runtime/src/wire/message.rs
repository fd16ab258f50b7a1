//! One message: statements, what each is for, and the codes that ours raise.

use std::ops::Range;

use migrate_set::location::byte_of_character;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

/// The SQLSTATE that the guard raises when another replica holds the lock.
pub(crate) const BUSY: &str = "MG001";
/// The SQLSTATE that the guard raises when the ledger is not what the plan was made for.
pub(crate) const MOVED: &str = "MG002";
/// The SQLSTATE that the guard raises when the run's lock, a row of the ledger, was taken over.
pub(crate) const LOST: &str = "MG003";
/// The SQLSTATE that the guard raises when the session reads strings otherwise than the build.
pub(crate) const ESCAPES: &str = "MG005";
/// The SQLSTATE that the guard raises when the run's deadline has passed.
pub(crate) const DEADLINE: &str = "MG004";

/// The SQLSTATE that is raised when the session sends other than UTF-8.
pub(crate) const ENCODING: &str = "MG007";

/// Whether a SQLSTATE of a message of ours comes from a check of its names, table and session: plain SQL raises no
/// code of ours (`division_by_zero`), and what is read in another encoding can be no statement any more
/// (`syntax_error`, `character_not_in_repertoire`).
pub(crate) fn is_of_a_check(sqlstate: &str) -> bool {
    matches!(sqlstate, "22012" | "42601" | "22021")
}

/// The SQLSTATE that is raised when a service's own code has ended the transaction it was given.
pub(crate) const ENDED: &str = "MG006";

/// Whether a SQLSTATE says that others were in the way: `lock_not_available`, `deadlock_detected`,
/// `serialization_failure`.
pub(crate) fn is_others_doing(sqlstate: &str) -> bool {
    matches!(sqlstate, "55P03" | "40P01" | "40001")
}

/// The isolation level is ours: under a stricter default the guard would look at a snapshot taken
/// before it had the lock.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins a transaction of ours in a session whose defaults a migration may have changed.
pub(crate) const BEGIN_WHATEVER: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE";

/// What a statement of a message is for; `step` counts from the first step of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `BEGIN` and settings.
    Control,
    /// Lock and look whether the ledger has moved.
    Guard,
    /// Creates the ledger.
    Create,
    /// Takes the lock that is a row of the ledger.
    Claim,
    /// Notes the session before a migration.
    Save,
    /// One statement of a migration.
    Statement { step: usize, index: usize },
    /// Sees that the transaction is still the one that was begun.
    Check { step: usize },
    /// Restores the session after a migration.
    Restore { step: usize },
    /// Writes the entry.
    Record { step: usize },
    /// Commits the step.
    Commit { step: usize },
    /// Limits how long what follows waits and runs.
    Limit,
    /// Looks for what an earlier attempt left.
    Look,
    /// Gives the session's lock back.
    Unlock,
}

/// One message: parts, each one statement that the server answers with one `CommandComplete`.
#[derive(Debug)]
pub(crate) struct Message {
    text: String,
    parts: Vec<(Part, Range<usize>)>,
}

impl Message {
    pub(crate) fn new() -> Self {
        Message { text: String::new(), parts: Vec::new() }
    }

    /// Makes room for so many bytes: a message that grows by doubling takes up to twice its length.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// Adds one statement, without its `;`.
    pub(crate) fn push(&mut self, part: Part, sql: &str) {
        let start = self.text.len();
        self.text.push_str(sql);
        self.parts.push((part, start..self.text.len()));
        // The line feed ends a line comment that the statement may end with.
        self.text.push_str("\n;\n");
    }

    /// Adds a comment, which is no part.
    pub(crate) fn comment(&mut self, comment: &str) {
        self.text.push_str("/* ");
        self.text.push_str(comment);
        self.text.push_str(" */ ");
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The part that the completion number `index` belongs to.
    pub(super) fn part(&self, index: usize) -> Option<Part> {
        self.parts.get(index).map(|(part, _)| *part)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The part that failed, and the byte within its statement that the server points at.
    ///
    /// The position wins over the count: a syntax error is found before the first statement runs.
    pub(super) fn blame(&self, completed: usize, error: &Error) -> Option<(Part, Option<usize>)> {
        let position = match error.as_db_error().and_then(DbError::position) {
            Some(ErrorPosition::Original(character)) => Some(*character as usize),
            _ => None,
        };
        if let Some(character) = position {
            let byte = byte_of_character(&self.text, character.saturating_sub(1));
            // Statements do not overlap and are in order; what lies between belongs to the first.
            let found = self.parts.iter().rev().find(|(_, range)| range.start <= byte);
            if let Some((part, range)) = found {
                return Some((*part, Some(byte.min(range.end) - range.start)));
            }
        }
        self.parts.get(completed).map(|(part, _)| (*part, None))
    }
}
