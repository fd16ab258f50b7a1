//! Says where in its file a migration failed, from what the server says of the message it got.
//! A migration, a statement's number and a byte in what was sent go in; the file's line and column
//! with a frame come out.
//! It sends nothing on purpose.

use std::ops::Range;

use migrate_core::frame::frame;
use migrate_core::set::{Migration, Script};
use migrate_core::sql::lexer::{TokenKind, lex};
use migrate_core::sql::split::split;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

use crate::error::{Kept, MigrationFailure, Place};
use crate::execute::Run;

/// Which statement failed, as far as the server's answers tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blame {
    /// Its number in the script.
    pub(crate) index: usize,
    /// The byte in what was sent for it that the server points at.
    pub(crate) offset: Option<usize>,
    /// How many statements of it completed, where it is a whole block of the file's own.
    pub(crate) completed: usize,
}

/// A failure of a statement.
pub(crate) fn at_statement(
    run: &Run<'_>,
    migration: &Migration,
    blame: Blame,
    error: &Error,
    kept: Kept,
) -> MigrationFailure {
    let script = migration.up();
    let Blame { index, offset, completed } = blame;
    let place = match script.statements().nth(index) {
        None => Place::File,
        Some(range) => {
            let span = if let Some(offset) = offset {
                word_at(script.text(), origin(run, script, range, offset))
            } else {
                let range = inside_range(script, range, completed);
                inside_block(script, range, error).unwrap_or(range.0..range.1)
            };
            Place::Statement {
                position: script.position(span.start),
                frame: frame(script.text(), span, "here"),
            }
        }
    };
    describe(run, migration, place, error, kept)
}

/// A failure of `COMMIT`, or of what we do right before it.
pub(crate) fn at_commit(
    run: &Run<'_>,
    migration: &Migration,
    error: &Error,
    kept: Kept,
) -> MigrationFailure {
    describe(run, migration, Place::Commit, error, kept)
}

/// A failure that nobody can place more precisely than in the file.
pub(crate) fn somewhere(
    run: &Run<'_>,
    migration: &Migration,
    error: &Error,
    kept: Kept,
) -> MigrationFailure {
    describe(run, migration, Place::File, error, kept)
}

fn describe(
    run: &Run<'_>,
    migration: &Migration,
    place: Place,
    error: &Error,
    kept: Kept,
) -> MigrationFailure {
    let db = error.as_db_error();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    MigrationFailure {
        version: migration.version().to_string(),
        file: run.path_of(migration.up()),
        place,
        message: db.map_or_else(|| error.to_string(), |db| db.message().to_owned()),
        sqlstate: db.map(|db| db.code().code().to_owned()),
        detail: owned(db.and_then(DbError::detail)),
        hint: owned(db.and_then(DbError::hint)),
        context: owned(db.and_then(DbError::where_)),
        kept,
    }
}

/// The byte of the file that the byte `offset` of the statement as sent came from.
fn origin(run: &Run<'_>, script: &Script, range: (usize, usize), offset: usize) -> usize {
    match script.render(range, run.migrator.schema.as_deref()) {
        Ok(rendered) => rendered.origin(offset),
        Err(_) => range.0 + offset,
    }
}

/// The word, or the one character, that begins at the byte `at`.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let length = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
    let one = rest.chars().next().map_or(0, char::len_utf8);
    at..at + length.max(one)
}

/// The statement number `completed` of a range that holds several.
fn inside_range(script: &Script, range: (usize, usize), completed: usize) -> (usize, usize) {
    let text = script.text().get(range.0..range.1).unwrap_or_default();
    let tokens = lex(text);
    let statements = split(text, &tokens).unwrap_or_default();
    match statements.get(completed) {
        Some(one) if statements.len() > 1 => (range.0 + one.start(), range.0 + one.end()),
        _ => range,
    }
}

/// The line of a `DO` block that failed, which the server tells in words only:
/// `PL/pgSQL function inline_code_block line 3 at RAISE`.
fn inside_block(script: &Script, range: (usize, usize), error: &Error) -> Option<Range<usize>> {
    let db = error.as_db_error()?;
    if matches!(db.position(), Some(ErrorPosition::Original(_))) {
        return None;
    }
    let context = db.where_()?.lines().last()?;
    let line = context.split_once("inline_code_block line ")?.1;
    let line: usize = line.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let statement = script.text().get(range.0..range.1)?;
    let body = lex(statement).into_iter().find(|token| token.kind == TokenKind::DollarString)?;
    let start = range.0 + body.start + statement[body.start + 1..].find('$')? + 2;
    let lines = script.text().get(start..range.0 + body.end)?;
    let skipped: usize = lines.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let found = lines[skipped..].lines().next()?;
    let indent = found.len() - found.trim_start().len();
    Some(start + skipped + indent..start + skipped + found.trim_end().len())
}
