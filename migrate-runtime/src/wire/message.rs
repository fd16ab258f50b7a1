//! A message: its statements, the purpose of each, and the SQLSTATEs that guards raise.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;

use migrate_set::location::byte_of_character;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

/// The SQLSTATE that the guard raises when another replica holds the lock.
pub(crate) const BUSY: &str = "MG001";
/// The SQLSTATE that the guard raises when the ledger has changed since it was read.
pub(crate) const MOVED: &str = "MG002";
/// The SQLSTATE that the guard raises when the run's lock, a row of the ledger, was taken over.
pub(crate) const LOST: &str = "MG003";
/// The SQLSTATE that the guard raises when the session reads strings differently from the build.
pub(crate) const ESCAPES: &str = "MG005";
/// The SQLSTATE that the guard raises when the run's deadline has passed.
pub(crate) const DEADLINE: &str = "MG004";

/// The SQLSTATE that is raised when the session does not send UTF-8.
pub(crate) const ENCODING: &str = "MG007";

/// The SQLSTATE of a message in a transaction that the caller began, and that has failed
/// (`in_failed_sql_transaction`).
pub(crate) const IN_FAILED_TRANSACTION: &str = "25P02";

/// Whether a SQLSTATE of a message comes from a check of its names, table and session: plain SQL cannot raise a code
/// of its own (`division_by_zero`), and what is read in another encoding may not be a statement (`syntax_error`,
/// `character_not_in_repertoire`).
pub(crate) fn is_of_a_check(sqlstate: &str) -> bool {
    matches!(sqlstate, "22012" | "42601" | "22021")
}

/// The SQLSTATE that is raised when the service's own code has ended the transaction of the run.
pub(crate) const ENDED: &str = "MG006";

/// Whether another session was the cause, so that the statement can succeed when it is sent again.
pub(crate) fn is_conflict(error: &Error) -> bool {
    let is_one = |db: &DbError| is_conflict_of(db.code().code(), db.schema(), db.message());
    error.as_db_error().is_some_and(is_one)
}

/// Whether a question has no answer for a reason that has nothing to do with it: the connection broke, a limit or an
/// administrator ended it, or another session held a lock.
pub(crate) fn is_unanswered(error: &Error) -> bool {
    let class = |db: &DbError| db.code().code().get(..2).map(str::to_owned);
    let class = error.as_db_error().and_then(class);
    is_conflict(error) || class.is_none_or(|class| matches!(&*class, "08" | "53" | "57" | "58"))
}

/// Another session held a lock (`lock_not_available`, `deadlock_detected`, `serialization_failure`), or changed
/// the same row of the catalog: both added it (`unique_violation` of a catalog's own index, also with
/// `IF NOT EXISTS`), or one changed what the other was changing (`internal_error`).
///
/// The server translates no text of an `internal_error`, which has no field that distinguishes a conflict from
/// `tuple already updated by self`, a mistake that stays.
fn is_conflict_of(sqlstate: &str, schema: Option<&str>, message: &str) -> bool {
    match sqlstate {
        "55P03" | "40P01" | "40001" => true,
        "23505" => schema == Some("pg_catalog"),
        "XX000" => message.starts_with("tuple concurrently "),
        _ => false,
    }
}

/// With a stricter default isolation level, the guard would use a snapshot from before it had the lock.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins a transaction in a session whose defaults a migration may have changed.
pub(crate) const BEGIN_EXPLICIT: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE";

/// The purpose of a statement; `step` counts from the first step of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `BEGIN` and settings.
    Control,
    /// Takes the lock and checks that the ledger has not changed.
    Guard,
    /// Creates the ledger.
    Create,
    /// Takes the lock row.
    Claim,
    /// Saves the session before a migration.
    Save,
    /// One statement of a migration.
    Statement { step: usize, index: usize },
    /// Finds out whether a `COPY` can begin.
    Probe { step: usize, index: usize },
    /// Checks that the transaction is still the same.
    Check { step: usize },
    /// Restores the session after a migration.
    Restore { step: usize },
    /// Notes the time after a migration that shares its transaction.
    Tick { step: usize },
    /// Writes the entry.
    Record { step: usize },
    /// Checks deferred constraints, as the commit of the step would.
    Constraints { step: usize },
    /// Commits the step.
    Commit { step: usize },
    /// Limits how long the next statement waits and runs.
    Limit,
    /// Looks for an index that an earlier attempt left.
    Look,
    /// Releases the session's lock.
    Unlock,
}

impl Part {
    /// Whether a server that passes the text of a message on to others needs the statement alone in it.
    fn is_alone(self) -> bool {
        matches!(self, Part::Statement { .. } | Part::Probe { .. } | Part::Create | Part::Limit)
    }
}

/// The part that failed, and the byte within its statement that the server points at.
pub(super) type Blamed = (Part, Option<usize>);

/// What the positions of a server count: characters, or bytes where its encoding is `SQL_ASCII`, which has no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Characters,
    Bytes,
}

/// What is sent at once: all of a message, or some of its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Empty if it was handed over and each of its characters is one byte.
    text: String,
    length: usize,
    /// Where its first part begins in the text, and in the whole message.
    begins: (usize, usize),
}

impl Piece {
    fn new(text: String, begins: (usize, usize)) -> Self {
        Piece { length: text.len(), text, begins }
    }

    /// The text to send. What is needed of it afterwards is kept: a chunk is half a megabyte, and the driver makes
    /// copies.
    pub(super) fn hand_over(&mut self) -> Cow<'_, str> {
        if self.text.is_ascii() {
            Cow::Owned(mem::take(&mut self.text))
        } else {
            Cow::Borrowed(&self.text)
        }
    }

    /// The byte of the whole message for a position that the server counts in this text.
    fn byte(&self, before: usize, unit: Unit) -> usize {
        let byte = match unit {
            Unit::Characters if !self.text.is_empty() => byte_of_character(&self.text, before),
            Unit::Characters | Unit::Bytes => before.min(self.length),
        };
        let (in_piece, in_message) = self.begins;
        in_message + byte.saturating_sub(in_piece)
    }
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

    /// Reserves memory: a message that grows by doubling uses up to twice its length.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// Adds one statement, without its `;`.
    pub(crate) fn push(&mut self, part: Part, sql: &str) {
        let start = self.text.len();
        self.text.push_str(sql);
        self.parts.push((part, start..self.text.len()));
        // The line feed ends a line comment at the end of the statement.
        self.text.push_str("\n;\n");
    }

    /// Adds a comment, which is not a part.
    pub(crate) fn comment(&mut self, comment: &str) {
        self.text.push_str("/* ");
        self.text.push_str(comment);
        self.text.push_str(" */ ");
    }

    /// All of it, without a copy.
    pub(super) fn whole(&mut self) -> Piece {
        Piece::new(mem::take(&mut self.text), (0, 0))
    }

    /// The same as several, in order: a part that has to be alone, or those between two such parts. Each has the
    /// comment at the beginning of the message.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut was_alone = true;
        for (part, range) in &self.parts {
            match ranges.last_mut() {
                Some(last) if !was_alone && !part.is_alone() => last.end = range.end,
                _ => ranges.push(range.clone()),
            }
            was_alone = part.is_alone();
        }
        let comment = self.parts.first().map_or("", |(_, first)| &self.text[..first.start]);
        let piece = |range: Range<usize>| {
            let begins = (comment.len(), range.start);
            Piece::new([comment, &self.text[range]].concat(), begins)
        };
        ranges.into_iter().map(piece).collect()
    }

    /// The part of completion number `index`.
    pub(super) fn part(&self, index: usize) -> Option<Part> {
        self.parts.get(index).map(|(part, _)| *part)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The part that failed, and the byte within its statement that the server points at.
    ///
    /// The position has precedence over the count: a syntax error is found before the first statement runs.
    pub(super) fn blame(
        &self,
        piece: &Piece,
        completed: usize,
        error: &Error,
        unit: Unit,
    ) -> Option<Blamed> {
        let position = match error.as_db_error().and_then(DbError::position) {
            Some(ErrorPosition::Original(position)) => Some(*position as usize),
            _ => None,
        };
        if let Some(position) = position {
            let byte = piece.byte(position.saturating_sub(1), unit);
            // Statements do not overlap and are in order; bytes in between belong to the one before.
            let found = self.parts.iter().rev().find(|(_, range)| range.start <= byte);
            if let Some((part, range)) = found {
                return Some((*part, Some(byte.min(range.end) - range.start)));
            }
        }
        self.parts.get(completed).map(|(part, _)| (*part, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_migrations_are_alone_in_their_piece() {
        let check = |parts: &[(Part, &str)], comment: &str, expected: &[&str]| {
            let mut message = Message::new();
            if !comment.is_empty() {
                message.comment(comment);
            }
            for (part, sql) in parts {
                message.push(*part, sql);
            }
            let pieces = message.pieces();
            let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
            assert_eq!(texts, expected);
            for piece in pieces {
                let (in_piece, in_message) = piece.begins;
                assert_eq!(piece.byte(in_piece, Unit::Characters), in_message, "{}", piece.text);
                assert!(message.text[in_message..].starts_with(&piece.text[in_piece..]));
            }
        };
        let statement = |index| Part::Statement { step: 0, index };
        let parts = [
            (Part::Control, "BEGIN"),
            (Part::Guard, "DO ''"),
            (statement(0), "A -- é"),
            (statement(1), "B"),
            (Part::Record { step: 0 }, "INSERT"),
            (Part::Commit { step: 0 }, "COMMIT"),
        ];
        check(&[], "", &[]);
        check(&parts[..1], "", &["BEGIN"]);
        check(&parts, "", &["BEGIN\n;\nDO ''", "A -- é", "B", "INSERT\n;\nCOMMIT"]);
        check(&parts[2..5], "t", &["/* t */ A -- é", "/* t */ B", "/* t */ INSERT"]);
        check(&[(Part::Create, "C"), (Part::Create, "D")], "", &["C", "D"]);
    }

    #[test]
    fn positions_are_the_same_after_a_text_was_handed_over() {
        for sql in ["SELECT a", "SELECT 'é' a", ""] {
            let mut message = Message::new();
            message.push(Part::Guard, sql);
            let mut piece = message.whole();
            let places = |piece: &Piece| -> Vec<usize> {
                let place = |at| [Unit::Characters, Unit::Bytes].map(|unit| piece.byte(at, unit));
                (0..=piece.length + 1).flat_map(place).collect()
            };
            let (sent, expected) = (piece.text.clone(), places(&piece));
            assert_eq!(piece.hand_over(), sent);
            assert_eq!(piece.text.is_empty(), sent.is_ascii(), "{sql}");
            assert_eq!(places(&piece), expected, "{sql}");
        }
    }
}
