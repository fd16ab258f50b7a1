//! A migration that failed: where, why, and what of it stays.

use std::fmt;

use migrate_set::location::Position;
use migrate_set::set::Direction;

use super::text::help_line;

/// What the server refused, and where it is.
///
/// ```
/// use migrate_runtime::error::Place;
/// use migrate_runtime::{Error, ErrorKind};
///
/// /// As an editor or a CI takes it: `migrations/2_b.sql:5:8: relation "nowhere" does not exist`.
/// fn annotation(error: &Error) -> Option<String> {
///     let ErrorKind::Migration { failure, .. } = error.kind() else { return None };
///     let Place::Statement { position, .. } = &failure.place else { return None };
///     Some(format!("{}:{position}: {}", failure.file, failure.message))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationFailure {
    /// The migration's version.
    pub version: String,
    /// Whether it was to be applied or undone.
    pub direction: Direction,
    /// The file, as the set names it.
    pub file: String,
    /// Where to look.
    pub place: Place,
    /// The server's message, or the driver's where the connection broke.
    pub message: String,
    /// The SQLSTATE; `None` where the connection broke.
    pub sqlstate: Option<String>,
    /// The server's detail.
    pub detail: Option<String>,
    /// The server's hint.
    pub hint: Option<String>,
    /// The server's context, such as the line of a function.
    pub context: Option<String>,
    /// What of the migration stays.
    pub kept: Kept,
    /// The statement that failed, as the file has it; `None` where it is not known which.
    pub statement: Option<String>,
    /// What to do about it, such as the GRANT that is missing; `None` where the message says it.
    pub help: Option<String>,
    /// How often it was tried, because others held locks.
    pub tries: u32,
}

/// Where a migration failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// At a statement.
    Statement {
        /// Where the server points, else the statement's first character.
        position: Position,
        /// The line there, with the place underlined.
        frame: String,
    },
    /// At `COMMIT`: a deferred constraint.
    Commit,
    /// Somewhere in the file: the server refused it as a whole and did not say where.
    File,
}

/// What stays of a migration that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: its transaction was undone.
    Nothing,
    /// It is non-transactional; so many of its statements took effect.
    Statements {
        /// Statements that took effect, from the first on.
        done: usize,
        /// Statements in all.
        of: usize,
    },
    /// It is non-transactional, and the connection broke while a statement ran: whether that took
    /// effect is unknown.
    InFlight {
        /// Statements that took effect before it, from the first on.
        done: usize,
        /// Statements in all.
        of: usize,
    },
    /// The connection broke at `COMMIT`, and whether that took effect is unknown.
    Unknown,
}

impl fmt::Display for MigrationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Statement { position, .. } => write!(f, "{}:{position}: ", self.file)?,
            Place::Commit => write!(f, "{}: at COMMIT: ", self.file)?,
            Place::File => write!(f, "{}: ", self.file)?,
        }
        write!(f, "{}", self.message)?;
        if let Some(sqlstate) = &self.sqlstate {
            write!(f, " (SQLSTATE {sqlstate})")?;
        }
        if let Place::Statement { frame, .. } = &self.place {
            write!(f, "\n{frame}")?;
        }
        let lines = [("detail", &self.detail), ("hint", &self.hint), ("context", &self.context)];
        for (name, value) in lines {
            if let Some(value) = value {
                write!(f, "\n{name}: {value}")?;
            }
        }
        match self.kept {
            Kept::Nothing if self.direction == Direction::Down => {
                write!(f, "\nversion {} was not undone, and stays applied", self.version)
            }
            Kept::Nothing => {
                write!(f, "\nversion {} was not applied; mend it and run again", self.version)
            }
            Kept::Statements { done, of } => write!(
                f,
                "\nversion {} is unfinished: {done} of its {of} statements took effect and stay; \
                 the next run goes on behind them",
                self.version
            ),
            Kept::InFlight { done, of } => write!(
                f,
                "\nversion {} is unfinished: {done} of its {of} statements took effect and stay, \
                 and whether the next one did is unknown; the next run finds out",
                self.version
            ),
            Kept::Unknown => write!(
                f,
                "\nwhether version {} was applied is unknown; the next run reads it from the ledger",
                self.version
            ),
        }?;
        if self.tries > 1 {
            write!(f, "\ntried {} times; others held locks each time", self.tries)?;
        }
        write!(f, "{}", help_line(self.help.as_ref()))
    }
}
