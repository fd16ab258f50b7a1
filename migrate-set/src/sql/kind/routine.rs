//! Finds what a statement makes that a later one of the same set cannot use: procedures that commit, and values of
//! enums.

use super::super::lexer::{Token, TokenKind, lex};
use super::super::split::Statement;
use super::super::words::Words;
use super::{Command, first_words};

/// A procedure that a statement creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// Its name, without a schema.
    pub name: String,
    /// Whether it takes the place of one with the same parameters.
    pub replaces: bool,
    /// Whether its body commits or rolls back.
    pub commits: bool,
    /// The procedures that it calls.
    pub calls: Vec<String>,
}

/// The procedure that `statement` creates.
pub fn procedure(text: &str, statement: &Statement<'_>) -> Option<Procedure> {
    let mut words = Words::of(text, statement);
    words.eat("CREATE").then_some(())?;
    let replaces = words.eat("OR REPLACE");
    words.eat("PROCEDURE").then_some(())?;
    let name = words.last_name()?;
    let body = Command::of(text, statement).do_body().unwrap_or_default();
    let ends = |word: String| matches!(word.as_str(), "COMMIT" | "ROLLBACK");
    let commits = first_words(&body).any(ends);
    Some(Procedure { name, replaces, commits, calls: calls(&body) })
}

/// The procedures that `statement` calls: with `CALL`, or in the body of a `DO`.
pub fn called(text: &str, statement: &Statement<'_>) -> Vec<String> {
    let mut words = Words::of(text, statement);
    if words.eat("CALL") {
        return words.last_name().into_iter().collect();
    }
    let body = if words.eat("DO") { Command::of(text, statement).do_body() } else { None };
    body.map_or_else(Vec::new, |body| calls(&body))
}

/// The procedures that a body in PL/pgSQL calls.
fn calls(body: &str) -> Vec<String> {
    let tokens: Vec<Token> = lex(body).into_iter().filter(|token| !token.is_trivia()).collect();
    let is_call = |token: &Token| {
        token.kind == TokenKind::Word && token.text(body).eq_ignore_ascii_case("CALL")
    };
    let calls = tokens.iter().enumerate().filter(|(_, token)| is_call(token));
    calls.filter_map(|(at, _)| Words::of_tokens(body, &tokens[at + 1..]).last_name()).collect()
}

/// A value that a statement adds to an enum.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddedValue {
    /// The enum, without a schema.
    pub of: String,
    /// The value, without its quotes.
    pub value: String,
}

/// The value that `statement` adds to an enum.
pub fn added_value(text: &str, statement: &Statement<'_>) -> Option<AddedValue> {
    let mut words = Words::of(text, statement);
    words.eat("ALTER TYPE").then_some(())?;
    let of = words.last_name()?;
    words.eat("ADD VALUE").then_some(())?;
    words.eat("IF NOT EXISTS");
    Some(AddedValue { of, value: words.string()? })
}

/// The enum, or another type, that `statement` creates, without a schema.
pub fn created_type(text: &str, statement: &Statement<'_>) -> Option<String> {
    let mut words = Words::of(text, statement);
    words.eat("CREATE TYPE").then_some(())?;
    words.last_name()
}
