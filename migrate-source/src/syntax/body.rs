//! Reads the body of a routine or of a `DO` block, which is a string.

use std::panic::catch_unwind;

use migrate_set::sql::lexer::{Token, lex};
use squawk_parser::EntryPoint;

use super::tree::{At, Kind, Tree};
use super::{too_deep, walk};

/// A body in a string of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// Its first byte in the statement.
    pub(crate) offset: usize,
    /// Its text, with bytes of the same place as in the statement.
    pub(crate) text: String,
    pub(crate) language: Language,
    /// Its tree, if the parser knows all of it.
    pub(crate) tree: Option<Tree>,
}

/// The language of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Sql,
    Plpgsql,
    Other,
}

/// The body of a statement that has one.
pub(super) fn of(tree: &Tree, statement: &str) -> Option<Body> {
    let root = tree.root(statement, 0)?;
    let first = root.children().next()?;
    let (parts, default) = match first.kind() {
        Kind::DO => (first, Language::Plpgsql),
        Kind::CREATE_FUNCTION | Kind::CREATE_PROCEDURE => {
            (first.child(Kind::FUNC_OPTION_LIST)?, Language::Other)
        }
        _ => return None,
    };
    let named = parts.find(Kind::LANGUAGE_REF).map(|name| language(name.text()));
    let named = named.or_else(|| Some(language(parts.find(Kind::LANGUAGE_FUNC_OPTION)?.text())));
    let language = named.unwrap_or(default);
    let (start, end) = string(parts)?;
    let text = statement.get(start..end)?;
    let text = if statement.as_bytes().get(start.checked_sub(1)?) == Some(&b'\'') {
        text.replace("''", " '")
    } else {
        text.to_owned()
    };
    let tree = if too_deep(&text) {
        None
    } else {
        catch_unwind(|| match language {
            Language::Sql => walk::body(&text, EntryPoint::SourceFile),
            Language::Plpgsql => walk::body(&without_targets(&text), EntryPoint::Plpgsql),
            Language::Other => None,
        })
        .unwrap_or_default()
    };
    Some(Body { offset: start, text, language, tree })
}

/// The text with blanks in the place of each `INTO target`, which the parser does not know in a query; PL/pgSQL
/// removes it too (`pl_gram.y`, `make_execsql_stmt`).
fn without_targets(text: &str) -> String {
    let mut kept = text.to_owned();
    let tokens: Vec<Token> = lex(text).into_iter().filter(|token| !token.is_trivia()).collect();
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text(text));
    let is = |at: usize, word_: &str| word(at).eq_ignore_ascii_case(word_);
    // What runs another statement, or moves a cursor, has a target that the parser knows.
    let (mut depth, mut is_query, mut at) = (0_usize, false, 0);
    while at < tokens.len() {
        match word(at).to_ascii_lowercase().as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            ";" => (depth, is_query) = (0, false),
            "select" | "insert" | "update" | "delete" | "merge" | "with" => is_query = true,
            "execute" | "fetch" | "move" => is_query = false,
            _ => {}
        }
        let made = at > 0 && (is(at - 1, "insert") || is(at - 1, "merge"));
        let is_target = is(at, "into") && !made && depth == 0 && is_query;
        at += 1;
        if !is_target {
            continue;
        }
        let first = at - 1;
        at += usize::from(is(at, "strict")) + 1;
        while matches!(word(at), "." | "," | "[") {
            at += 2;
            at += usize::from(word(at) == "]");
        }
        if let (Some(first), Some(last)) = (tokens.get(first), tokens.get(at - 1)) {
            kept.replace_range(first.start..last.end, &" ".repeat(last.end - first.start));
        }
    }
    kept
}

fn language(written: &str) -> Language {
    let word = written.rsplit(char::is_whitespace).next().unwrap_or_default();
    match word.trim_matches(['\'', '"']).to_ascii_lowercase().as_str() {
        "sql" => Language::Sql,
        "plpgsql" => Language::Plpgsql,
        _ => Language::Other,
    }
}

/// The bytes between the quotes of the string that is the body.
fn string(parts: At<'_>) -> Option<(usize, usize)> {
    let parts = parts.find(Kind::AS_FUNC_OPTION).unwrap_or(parts);
    let is_string = |kind| matches!(kind, Kind::STRING | Kind::DOLLAR_QUOTED_STRING);
    let mut strings = parts.tokens().iter().filter(|token| is_string(token.kind)).filter(|token| {
        // The language of a `DO` block can be a string too.
        !parts.all().any(|node| {
            matches!(node.kind(), Kind::LANGUAGE_REF | Kind::LANGUAGE_FUNC_OPTION)
                && node.range().contains(&token.start())
        })
    });
    let token = strings.next()?;
    let text = parts.text_of(*token);
    let quote = match token.kind {
        Kind::STRING if text.len() >= 2 => 1,
        Kind::DOLLAR_QUOTED_STRING => text.get(1..)?.find('$')? + 2,
        _ => return None,
    };
    (text.len() >= 2 * quote).then_some((token.start() + quote, token.end() - quote))
}
