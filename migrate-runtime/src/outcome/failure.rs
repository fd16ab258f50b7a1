//! A migration that failed: where, why, and what of it is kept.

use std::fmt;

use migrate_set::location::Position;
use migrate_set::name::Direction;
use migrate_set::remedy::Remedy;
use migrate_set::text::quoted;

use super::report::Holder;
use super::text::locks_held_by;

/// What the server refused, and where.
///
/// ```
/// use migrate_runtime::error::Place;
/// use migrate_runtime::{Error, ErrorKind};
///
/// /// The format of editors and CI systems: `migrations/2_b.sql:5:8: relation "nowhere" does not exist`.
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
    /// Whether the run was applying or undoing it.
    pub direction: Direction,
    /// The file, as the set names it.
    pub file: String,
    /// Where it failed.
    pub place: Place,
    /// The server's message, or the driver's if the connection broke.
    pub message: String,
    /// The SQLSTATE; `None` if the connection broke.
    pub sqlstate: Option<String>,
    /// The server's detail, which can contain values of rows; `None` with
    /// [`Migrator::hide_details`](crate::Migrator::hide_details).
    pub detail: Option<String>,
    /// The server's hint.
    pub hint: Option<String>,
    /// The server's context, such as the line of a function; `None` as `detail`.
    pub context: Option<String>,
    /// What of the migration is kept.
    pub kept: Kept,
    /// The statement that failed, as in the file but with secrets masked; `None` if it is not known which.
    pub statement: Option<String>,
    /// Who held locks on what the statement names, right after it failed because of a lock; at most three.
    pub held_by: Vec<Holder>,
    /// What to do about it, such as the GRANT that is missing; `None` if nothing is known.
    pub help: Option<Remedy>,
    /// How often it was tried; more than once if other sessions held locks or changed the same
    /// objects of the catalog.
    pub tries: u32,
    /// Whether the driver's error shows what is hidden or masked here.
    pub(crate) hides_source: bool,
}

/// Where a migration failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// At a statement.
    Statement {
        /// The position that the server reports, otherwise the statement's first character.
        position: Position,
        /// That line of the file, with the place underlined.
        frame: String,
    },
    /// At `COMMIT`, for example by a deferred constraint.
    Commit,
    /// Somewhere in the file: the server refused the whole message without a position.
    File,
}

/// What is kept of a migration that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: its transaction was undone.
    Nothing,
    /// It is non-transactional, and its first statements took effect.
    Statements {
        /// How many took effect.
        done: usize,
        /// Statements in all.
        of: usize,
    },
    /// It is non-transactional, and the connection broke while a statement ran, so it is unknown
    /// whether that took effect.
    InFlight {
        /// How many took effect before it.
        done: usize,
        /// Statements in all.
        of: usize,
    },
    /// The connection broke at `COMMIT`, so it is unknown whether the migration was applied.
    Unknown,
}

impl fmt::Display for MigrationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Statement { position, .. } => write!(f, "{}:{position}: ", self.file)?,
            Place::Commit => write!(f, "{}: at COMMIT: ", self.file)?,
            Place::File => write!(f, "{}: ", self.file)?,
        }
        f.write_str(&quoted(&self.message))?;
        if let Some(sqlstate) = &self.sqlstate {
            write!(f, " (SQLSTATE {sqlstate})")?;
        }
        if let Place::Statement { frame, .. } = &self.place {
            write!(f, "\n{frame}")?;
        }
        let lines = [("detail", &self.detail), ("hint", &self.hint), ("context", &self.context)];
        for (name, value) in lines {
            if let Some(value) = value {
                write!(f, "\n{name}: {}", quoted(value))?;
            }
        }
        f.write_str(&locks_held_by(&self.held_by))?;
        self.kept(f)?;
        if self.tries > 1 {
            let what = match self.sqlstate.as_deref() {
                Some("23505" | "XX000") => "changed the same objects",
                _ => "held locks",
            };
            write!(f, "\ntried {} times; other sessions {what} each time", self.tries)?;
        }
        Ok(())
    }
}

impl MigrationFailure {
    /// What to do with `it` if only the file can be at fault, or if nothing has to change; the help has all else.
    fn again(&self, it: &str) -> String {
        match &self.sqlstate {
            _ if self.help.is_some() => String::new(),
            Some(code) if is_of_the_server(code) => "; run again".to_owned(),
            // integrity_constraint_violation
            Some(code) if code.starts_with("23") => {
                format!("; fix {it}, or the rows that break the constraint, and run again")
            }
            _ => format!("; fix {it} and run again"),
        }
    }

    /// A line with what of the migration is kept.
    fn kept(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = &self.version;
        match self.kept {
            Kept::Nothing if self.direction == Direction::Down => {
                write!(f, "\nversion {version} was not undone and is still applied")
            }
            Kept::Nothing | Kept::Statements { done: 0, .. } => {
                write!(f, "\nversion {version} was not applied{}", self.again("it"))
            }
            Kept::Statements { done, of } | Kept::InFlight { done, of }
                if self.direction == Direction::Down =>
            {
                write!(
                    f,
                    "\nversion {version} is still applied: {done} of the {of} statements of its down script \
                     took effect and are kept; the next rollback runs all of them again"
                )
            }
            Kept::Statements { done, of } => write!(
                f,
                "\nversion {version} is unfinished: {done} of its {of} statements took effect and are kept, \
                 and the next run continues after them{}",
                self.again("the rest")
            ),
            Kept::InFlight { done, of } => write!(
                f,
                "\nversion {version} is unfinished: {done} of its {of} statements took effect and are kept, \
                 and whether the next one did is unknown; the next run finds out"
            ),
            Kept::Unknown => write!(
                f,
                "\nwhether version {version} was applied is unknown; the next run reads it from the ledger"
            ),
        }
    }
}

/// Whether a statement can fail with this SQLSTATE because of others or of the server, and not of its file.
fn is_of_the_server(sqlstate: &str) -> bool {
    let class = sqlstate.get(..2).unwrap_or_default();
    // lock_not_available
    matches!(class, "08" | "40" | "53" | "57" | "58" | "XX") || sqlstate == "55P03"
}
