//! Finds what a statement makes that a later one of the same set cannot use: procedures that commit, and values of
//! enums.

use super::super::split::Statement;
use super::super::words::Words;
use super::{Command, first_words};

/// The procedure that `statement` creates, and whether its body commits or rolls back.
pub fn committing(text: &str, statement: &Statement<'_>) -> Option<(String, bool)> {
    let mut words = Words::of(text, statement);
    words.eat("CREATE").then_some(())?;
    words.eat("OR REPLACE");
    words.eat("PROCEDURE").then_some(())?;
    let name = words.last_name()?;
    let body = Command::of(text, statement).do_body();
    let ends = |word: String| matches!(word.as_str(), "COMMIT" | "ROLLBACK");
    Some((name, body.is_some_and(|body| first_words(&body).any(ends))))
}

/// The procedure that `statement` calls.
pub fn called(text: &str, statement: &Statement<'_>) -> Option<String> {
    let mut words = Words::of(text, statement);
    words.eat("CALL").then_some(())?;
    words.last_name()
}

/// The value that `statement` adds to an enum, as written.
pub fn added_value<'t>(text: &'t str, statement: &Statement<'_>) -> Option<&'t str> {
    let mut words = Words::of(text, statement);
    words.eat("ALTER TYPE").then_some(())?;
    words.name()?;
    words.eat("ADD VALUE").then_some(())?;
    words.eat("IF NOT EXISTS");
    words.skip()?;
    text[words.span()].rsplit(char::is_whitespace).next()
}
