//! Fuzzes what a script is cut into, and what its checksum is blind to.
//! Any UTF-8 text is an input. It panics if a byte is lost, a range cuts a character, a canonical text is not a
//! fixed point, or a comment or line ending changes the checksum. It leaves the grammar out, which would refuse
//! nearly every text; `directives` has it.
#![no_main]

use std::str;

use libfuzzer_sys::fuzz_target;
use migrate_fuzz::{file, read, verdict};
use migrate_set::checksum::{Checksum, canonical_text};
use migrate_set::set::Migration;
use migrate_set::sql::lexer::{Token, TokenKind, lex};
use migrate_set::sql::split::{Statement, split};
use migrate_source::check::{Empty, SetOptions, Syntax};
use migrate_source::directives::directive;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        pieces_cover(text);
        let text = read(bytes);
        // A second mark would be the first once more.
        let text = text.trim_start_matches('\u{feff}');
        canonical_is_fixed(text);
        checksum_is_blind(text);
    }
});

/// Tokens follow each other from the first byte to the last; between statements are only blanks, comments
/// and semicolons.
fn pieces_cover(text: &str) {
    let tokens = lex(text);
    let mut covered = 0;
    for token in &tokens {
        assert!(token.start == covered && token.start < token.end, "{token:?} after {covered}");
        assert!(text.get(token.start..token.end).is_some(), "{token:?} cuts a character");
        covered = token.end;
    }
    assert_eq!(covered, text.len(), "the last token ends early");
    match split(text, &tokens) {
        Ok(statements) => statements_cover(&tokens, &statements),
        Err(error) => assert!(error.at < text.len() && text.is_char_boundary(error.at)),
    }
}

fn statements_cover(tokens: &[Token], statements: &[Statement<'_>]) {
    let mut covered = 0;
    for statement in statements {
        let (start, end) = (statement.start(), statement.end());
        assert!(covered <= start && start < end, "{start}..{end} after {covered}");
        between(tokens, covered, start);
        let (first, last) = (statement.tokens.first(), statement.tokens.last());
        assert!(![first, last].into_iter().flatten().any(Token::is_trivia), "{statement:?}");
        covered = end;
    }
    between(tokens, covered, usize::MAX);
}

/// The tokens between two statements are part of none.
fn between(tokens: &[Token], start: usize, end: usize) {
    for token in tokens.iter().filter(|token| start <= token.start && token.end <= end) {
        assert!(token.is_trivia() || token.kind == TokenKind::Semicolon, "{token:?} is lost");
    }
}

/// The canonical text has the same statements of the same tokens, and is its own canonical text.
fn canonical_is_fixed(text: &str) {
    let tokens = lex(text);
    // A meta command reaches to the end of its line, so `;` after it would become part of it.
    let meta = tokens.iter().any(|token| token.kind == TokenKind::Backslash);
    let Ok(statements) = split(text, &tokens) else { return };
    if meta {
        return;
    }
    let canonical = canonical_text(text, &statements);
    let again = lex(&canonical);
    let again = split(&canonical, &again).expect("a canonical text can be split");
    let words = |text, statement: &Statement<'_>| -> Vec<String> {
        statement.significant().map(|token| word(text, token)).collect()
    };
    assert_eq!(again.len(), statements.len(), "{canonical:?}");
    for (before, after) in statements.iter().zip(&again) {
        assert_eq!(words(text, before), words(&canonical, after), "{canonical:?}");
    }
    assert_eq!(canonical_text(&canonical, &again), canonical);
}

/// A token as it is compared: literals over several lines may differ in what joins their segments.
fn word(text: &str, token: &Token) -> String {
    let written = token.text(text);
    let joined =
        matches!(token.kind, TokenKind::String | TokenKind::EscapeString) && written.contains('\n');
    if joined { format!("{:?}", token.kind) } else { written.to_owned() }
}

/// The checksum is the same with comments added or taken away, with CRLF, and with a byte order mark.
fn checksum_is_blind(text: &str) {
    let Some(sum) = checksum(text) else { return };
    let same = |what: &str, changed: String| {
        assert_eq!(checksum(&changed), Some(sum), "{what}: {changed:?}");
    };
    let tokens = lex(text);
    same("comment lines", with_comment_lines(text, &tokens));
    same("comments", with_comments(text, &tokens));
    same("no remarks", without_remarks(text, &tokens));
    same("CRLF", text.replace('\n', "\r\n"));
    same("byte order mark", format!("\u{feff}{text}"));
}

fn checksum(text: &str) -> Option<Checksum> {
    let syntax = Syntax::Off;
    let options = SetOptions { syntax, empty: Empty::Allow, ..SetOptions::default() };
    let checked = verdict(&[file("0001_x.sql", text)], &options).ok()?;
    checked.set.iter().next().map(Migration::checksum)
}

/// The text with a comment line after each line feed between tokens.
fn with_comment_lines(text: &str, tokens: &[Token]) -> String {
    let mut changed = "-- a note\n".to_owned();
    for token in tokens {
        let written = token.text(text);
        match token.kind {
            TokenKind::Blank => changed.push_str(&written.replace('\n', "\n-- a note\n")),
            _ => changed.push_str(written),
        }
    }
    changed
}

/// The text with a comment between each two tokens, but for line comments: those are directives
/// if they are alone on a line.
fn with_comments(text: &str, tokens: &[Token]) -> String {
    let mut changed = String::new();
    for (index, token) in tokens.iter().enumerate() {
        let line = |token: &Token| token.kind == TokenKind::LineComment;
        let previous = index.checked_sub(1).map(|previous| &tokens[previous]);
        if previous.is_some_and(|previous| !line(previous)) && !line(token) {
            changed.push_str("/* a note */");
        }
        changed.push_str(token.text(text));
    }
    changed
}

/// The text without the line comments that are no directives, each of which ends where its line
/// does.
fn without_remarks(text: &str, tokens: &[Token]) -> String {
    let remark = |token: &&Token| {
        token.kind == TokenKind::LineComment && matches!(directive(token.text(text)), Ok(None))
    };
    let kept = tokens.iter().filter(|token| !remark(token));
    kept.map(|token| token.text(text)).collect()
}
