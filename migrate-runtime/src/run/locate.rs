//! Where in its file a migration failed, from the position that the server reports.

use std::ops::Range;

use migrate_set::frame::frame;
use migrate_set::remedy::Remedy;
use migrate_set::set::Script;
use migrate_set::sql::lexer::{TokenKind, lex};
use migrate_set::text::{masked, masked_answer};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::action::Action;
use crate::adopt::other_history;
use crate::context::{Context, Sent, help_for_statement, is_duplicate};
use crate::outcome::{ErrorKind, Kept, MigrationFailure, Place};

/// The statement that failed, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blame {
    /// Its bytes in the script.
    pub(super) range: Option<(usize, usize)>,
    /// The byte in the statement as sent that the server points at.
    pub(super) offset: Option<usize>,
}

/// A failure of a statement.
pub(super) fn at_statement(
    cx: &Context<'_>,
    action: Action<'_>,
    blame: Blame,
    error: &Error,
    kept: Kept,
) -> MigrationFailure {
    let script = action.script();
    let code = blame.range.map(|range| script.without_data(range)).unwrap_or_default();
    let place = match blame.range {
        None => Place::File,
        Some(range) => {
            let span = match blame.offset {
                Some(offset) => word_at(script.text(), origin(cx, script, range, offset)),
                None => inside_block(script, range, error)
                    .or_else(|| row_of_copy(script, range, error))
                    .unwrap_or(code.0..code.1),
            };
            Place::Statement {
                position: script.position(span.start),
                frame: frame(script.text(), span, "here"),
            }
        }
    };
    let mut failure = at(cx, action, place, error, kept);
    failure.statement = blame.range.map(|_| masked(&script.text()[code.0..code.1]).into_owned());
    failure
}

/// The error of a failed migration: with what to do about it, or as a passed deadline.
pub(super) async fn error(
    cx: &Context<'_>,
    mut failure: MigrationFailure,
    source: Error,
) -> crate::outcome::Error {
    let sqlstate = source.code().map_or("", |code| code.code());
    let statement = failure.statement.as_deref().unwrap_or_default();
    failure.held_by = cx.holders(&source, statement).await;
    // query_canceled; admin_shutdown, of a session that did not end by being cancelled
    if matches!(sqlstate, "57014" | "57P01") && cx.is_over() {
        return cx.deadline_error(Some(Box::new(failure)));
    }
    let sent = match failure.kept {
        Kept::Nothing | Kept::Unknown => Sent::InTransaction,
        Kept::Statements { .. } | Kept::InFlight { .. } => Sent::Alone,
    };
    let statement = failure.statement.as_deref().unwrap_or_default();
    failure.help = help_for_statement(cx.wire.client, &source, statement, sent).await;
    if is_duplicate(sqlstate) {
        let other = of_first(cx, &failure.version).await;
        failure.help = other.or(failure.help);
    }
    ErrorKind::Migration { failure: Box::new(failure), source }.into()
}

/// The help where the first migration of the set failed and another tool's table is there.
async fn of_first(cx: &Context<'_>, version: &str) -> Option<Remedy> {
    cx.migrator.set.iter().next().filter(|first| first.version().as_str() == version)?;
    Some(other_history(cx.wire.client).await?.into())
}

/// A failure at `place`, without a statement.
pub(super) fn at(
    cx: &Context<'_>,
    action: Action<'_>,
    place: Place,
    error: &Error,
    kept: Kept,
) -> MigrationFailure {
    let db = error.as_db_error();
    let script = action.script();
    let hides_details = cx.migrator.hides_details;
    let mut hides_source = hides_details;
    let mut shown = |text: &str| {
        let masked = masked_answer(text, script.text());
        hides_source |= masked != text;
        masked.into_owned()
    };
    let message = db.map_or_else(|| error.to_string(), |db| shown(db.message()));
    let detail = db.and_then(DbError::detail).map(&mut shown);
    let hint = db.and_then(DbError::hint).map(&mut shown);
    let context = db.and_then(DbError::where_).map(&mut shown);
    MigrationFailure {
        version: action.version().to_owned(),
        direction: action.direction(),
        file: cx.path_of(script),
        place,
        message,
        sqlstate: db.map(|db| db.code().code().to_owned()),
        detail: detail.filter(|_| !hides_details),
        hint,
        context: context.filter(|_| !hides_details),
        kept,
        statement: None,
        held_by: Vec::new(),
        help: None,
        tries: 1,
        hides_source,
    }
}

/// The byte of the file for the byte `offset` of the statement as sent.
fn origin(cx: &Context<'_>, script: &Script, range: (usize, usize), offset: usize) -> usize {
    match script.render(range, cx.schema()) {
        Ok(rendered) => rendered.origin(offset),
        Err(_) => range.0 + offset,
    }
}

/// The word, the quoted name or the single character that begins at the byte `at`.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(quoted) = rest.strip_prefix('"') {
        // A quote inside a name is written twice.
        let ends = |&(end, _): &(usize, &str)| {
            !quoted[end + 1..].starts_with('"')
                && quoted[..end].matches('"').count().is_multiple_of(2)
        };
        if let Some((end, _)) = quoted.match_indices('"').find(ends) {
            return at..at + end + 2;
        }
    }
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let length = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
    let one = rest.chars().next().map_or(0, char::len_utf8);
    at..at + length.max(one)
}

/// The row of a `COPY` that failed, which the server reports only as text: `COPY t, line 3, column a: "x"`.
fn row_of_copy(script: &Script, range: (usize, usize), error: &Error) -> Option<Range<usize>> {
    let [_, (start, end)] = script.copy(range)?;
    let context = error.as_db_error()?.where_()?;
    let place = context.lines().rev().find_map(|line| line.strip_prefix("COPY "))?;
    // The name of the table may have a comma, and the word for `line` depends on the server's language.
    let number = |part: &str| part.split([',', ':']).next()?.rsplit(' ').next()?.parse().ok();
    let line: usize = place.split(", ").skip(1).find_map(number)?;
    let rows = script.text().get(start..end)?;
    let skipped: usize = rows.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let row = rows[skipped..].lines().next()?;
    Some(start + skipped..start + skipped + row.len())
}

/// The line of a `DO` block that failed, which the server reports only as text.
fn inside_block(script: &Script, range: (usize, usize), error: &Error) -> Option<Range<usize>> {
    let db = error.as_db_error()?;
    if matches!(db.position(), Some(ErrorPosition::Original(_))) {
        return None;
    }
    let line = line_of_block(db.where_()?)?;
    let statement = script.text().get(range.0..range.1)?;
    let body = lex(statement).into_iter().find(|token| token.kind == TokenKind::DollarString)?;
    let start = range.0 + body.start + statement[body.start + 1..].find('$')? + 2;
    let lines = script.text().get(start..range.0 + body.end)?;
    let skipped: usize =
        lines.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let found = lines[skipped..].lines().next()?;
    let indent = found.len() - found.trim_start().len();
    Some(start + skipped + indent..start + skipped + found.trim_end().len())
}

/// The line in the last line of a context, `PL/pgSQL function inline_code_block line 3 at RAISE`. In any language it
/// has this name and one number, some in the other order.
fn line_of_block(context: &str) -> Option<usize> {
    let last = context.lines().last().filter(|last| last.contains("inline_code_block"))?;
    last.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::line_of_block;

    #[test]
    fn lines_of_blocks_are_found_in_any_language() {
        let check = |context: &str, expected: Option<usize>| {
            assert_eq!(line_of_block(context), expected, "{context}");
        };
        check("PL/pgSQL function inline_code_block line 3 at RAISE", Some(3));
        check(
            "SQL statement \"SELECT 1/0\"\nPL/pgSQL function inline_code_block line 12 at PERFORM",
            Some(12),
        );
        check(
            "SQL-Anweisung »SELECT 1/0«\nPL/pgSQL-Funktion inline_code_block Zeile 4 bei PERFORM",
            Some(4),
        );
        check("fonction PL/pgSQL inline_code_block, ligne 4 à RAISE", Some(4));
        check("inline_code_block PL/pgSQL fonksiyonu, 4. satır, RAISE içinde", Some(4));
        check("PL/pgSQL 함수 \"inline_code_block\" 의 4번째 RAISE", Some(4));
        check("PL/pgSQL関数inline_code_blockの4行目 - RAISE", Some(4));
        check("在RAISE的第4行的PL/pgSQL函数inline_code_block", Some(4));
        check(
            "PL/pgSQL function inline_code_block line 3 at RAISE\nPL/pgSQL function f(a) line 1",
            None,
        );
        check("PL/pgSQL function inline_code_block line 99999999999999999999 at RAISE", None);
        check("", None);
    }
}
