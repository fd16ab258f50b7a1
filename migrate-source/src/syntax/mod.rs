//! Checks statements against PostgreSQL's grammar, without a catalog, the bodies of PL/pgSQL or the
//! server's version; when in doubt, a statement is valid.
//!
//! This is the only module that names squawk, because its API changes weekly.

mod body;
mod dialects;
mod mistakes;
mod placeholders;
mod message;
mod walk;
mod rules;
mod names;
mod suggest;
pub(crate) mod tree;
#[cfg(test)]
mod tests;

use std::iter;
use std::ops::Range;
use std::panic::catch_unwind;

use migrate_set::sql::lexer::{TokenKind, lex};

pub(crate) use body::{Body, Language};
pub(crate) use dialects::for_type_of_another_database;
pub(crate) use names::needs_quotes;
use placeholders::{filled, identifier, qualified};
use tree::Tree;

use crate::stream::stream;

/// What is wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The bytes of the statement; empty and at its end if something is missing there.
    pub span: Range<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// The parser is recursive: 3,000 parentheses overflow the stack that the compiler gives a macro,
/// and an overflow cannot be caught.
pub(crate) const STACK: usize = 64 << 20;

/// Deeper statements are left to the server, which has its own limits.
const DEPTH: usize = 500;

/// Checks one statement without its `;`; an empty one is valid.
///
/// Prefer [`check_all`] for several: each call starts threads.
///
/// # Errors
/// The first place where the grammar does not fit.
///
/// ```
/// # use migrate_source::syntax::check;
/// assert_eq!(check("create table users (id bigint primary key)"), Ok(()));
/// let error = check("create table users (id bigint primary kye)").unwrap_err();
/// assert_eq!(error.message, "expected KEY, found `kye`");
/// assert_eq!(error.span, 38..41);
/// assert_eq!(error.help, "did you mean `KEY`?");
/// ```
pub fn check(statement: &str) -> Result<(), SyntaxError> {
    match check_all(iter::once(statement)).pop() {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// A statement that was judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    /// What is wrong with it.
    pub(crate) error: Option<SyntaxError>,
    /// Its tree, if it has one: it is valid, and the parser knows it.
    pub(crate) tree: Option<Tree>,
    /// The body that it has in a string.
    pub(crate) body: Option<Body>,
}

/// Judges statements on all cores and reads them with their bodies, while `end` takes those that are judged, in
/// order, on a stack that is as large. A statement without a verdict has neither error nor tree.
pub(crate) fn judge_all<E: Default + Send>(
    statements: &[&str],
    end: impl FnOnce(&mut dyn Iterator<Item = Judged>) -> E + Send,
) -> E {
    let judge = |statement: &&str| {
        let mut judged = verdict(statement);
        judged.body = judged.tree.as_ref().and_then(|tree| body::of(tree, statement));
        judged
    };
    stream(statements, SHARE, STACK, judge, end).unwrap_or_default()
}

/// Checks statements on all cores and returns the index, from 0, of each invalid statement with its
/// error.
///
/// Without a verdict there is no error: a statement that is nested too deeply, a panic of the
/// parser, or a thread that cannot be started does not fail a build.
pub fn check_all<'s>(statements: impl Iterator<Item = &'s str>) -> Vec<(usize, SyntaxError)> {
    let statements: Vec<&str> = statements.collect();
    judge_all(&statements, |judged| {
        let judged = judged.enumerate();
        judged.filter_map(|(index, judged)| Some((index, judged.error?))).collect()
    })
}

/// How many statements a thread takes at once: about 3 ms in an unoptimised macro.
const SHARE: usize = 32;

/// What is wrong with `statement`, or its tree; neither if there is no verdict.
fn verdict(statement: &str) -> Judged {
    if too_deep(statement) {
        return Judged::default();
    }
    let filled = filled(statement, identifier);
    let judged = catch_unwind(|| walk::judge(&filled)).unwrap_or_default();
    match judged.tree.as_ref().and_then(|_| qualified(statement)) {
        Some(error) => Judged { error: Some(error), ..Judged::default() },
        None => judged,
    }
}

/// Whether the parser could exceed its stack: by nesting, by operators before an operand, and by
/// `BETWEEN`, whose right sides it also nests.
fn too_deep(statement: &str) -> bool {
    // Each level takes at least one byte.
    if statement.len() <= DEPTH {
        return false;
    }
    let (mut open, mut run, mut deepest) = (0_usize, 0_usize, 0_usize);
    for token in lex(statement).iter().filter(|token| !token.is_trivia()) {
        let text = token.text(statement);
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        run = if token.kind == TokenKind::Operator || is("not") { run + 1 } else { 0 };
        if matches!(text, "(" | "[") || is("case") || is("between") {
            open += 1;
        } else if matches!(text, ")" | "]") || is("end") {
            open = open.saturating_sub(1);
        }
        deepest = deepest.max(open + run);
    }
    deepest > DEPTH
}
