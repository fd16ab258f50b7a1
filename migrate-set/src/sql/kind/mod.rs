//! Decides how a statement affects the transaction around it, and in `session` the session.
//! It also searches the bodies of `DO` blocks, where a `COMMIT` or a `set_config` runs at once.

mod session;
mod subscription;
mod routine;

pub use routine::{AddedValue, Procedure, added_value, called, created_type, procedure};
pub use session::{SessionEffect, own_settings, session_effect};

use std::borrow::Cow;

use super::lexer::{Token, TokenKind, lex};
use super::quotes::undoubled;
use super::split::Statement;

/// How a statement affects the transaction around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// Runs anywhere.
    Plain,
    /// `BEGIN` or `START TRANSACTION` without modes.
    Begin,
    /// `COMMIT` or `END` without `AND CHAIN`.
    Commit,
    /// Other transaction control, with its keywords.
    TransactionControl(&'static str),
    /// PostgreSQL refuses it inside a transaction block (SQLSTATE 25001, or 2D000); with its
    /// keywords.
    OutsideTransaction(&'static str),
    /// `COPY` to the client.
    CopyOut,
    /// `COPY` from the client, without data.
    CopyWithoutData,
    /// A psql meta-command.
    MetaCommand,
}

impl StatementKind {
    /// Whether the script begins its own transaction here.
    pub fn opens(self) -> bool {
        matches!(
            self,
            StatementKind::Begin
                | StatementKind::TransactionControl(
                    BEGIN_MODES | START_MODES | BEGIN_UNENDED | START_UNENDED
                )
        )
    }

    /// Whether the script ends its own transaction here.
    pub fn closes(self) -> bool {
        matches!(
            self,
            StatementKind::Commit
                | StatementKind::TransactionControl("ROLLBACK" | "ABORT" | COMMIT_UNENDED)
        )
    }
}

const BEGIN_MODES: &str = "BEGIN with transaction modes";
const START_MODES: &str = "START TRANSACTION with transaction modes";
// The next statement follows without a semicolon.
const BEGIN_UNENDED: &str = "BEGIN without `;`";
const START_UNENDED: &str = "START TRANSACTION without `;`";
const COMMIT_UNENDED: &str = "COMMIT without `;`";

/// The kind of `statement`, a statement of `text`.
pub fn kind(text: &str, statement: &Statement<'_>) -> StatementKind {
    if statement.tokens.first().is_some_and(|token| token.kind == TokenKind::Backslash) {
        return StatementKind::MetaCommand;
    }
    if statement.data().is_some() {
        return StatementKind::Plain;
    }
    let words = Command::of(text, statement);
    transaction_control(&words)
        .or_else(|| outside_transaction(&words))
        .or_else(|| copies_without_data(&words))
        .or_else(|| commits_inside(&words))
        .unwrap_or(StatementKind::Plain)
}

/// Whether `statement`, a statement of `text`, calls a procedure, which can commit.
pub fn calls_procedure(text: &str, statement: &Statement<'_>) -> bool {
    let words = Command::of(text, statement);
    let inside = |body: Cow<'_, str>| first_words(&body).any(|word| word == "CALL");
    words.at(0) == "CALL" || (words.at(0) == "DO" && words.do_body().is_some_and(inside))
}

/// A statement with its first words in upper case, enough to identify the command.
struct Command<'s, 't> {
    text: &'t str,
    statement: &'s Statement<'t>,
    head: Vec<String>,
}

impl<'s, 't> Command<'s, 't> {
    /// No command is identified by a word after this many.
    const HEAD: usize = 24;
    /// Nor, unless it begins with a word of [`Command::LONG`], by a word after this many.
    const SHORT_HEAD: usize = 8;
    /// Commands where options or qualified names can precede the word that identifies them.
    const LONG: [&'static str; 3] = ["ALTER", "CLUSTER", "REINDEX"];

    fn of(text: &'t str, statement: &'s Statement<'t>) -> Self {
        let mut tokens = statement.significant();
        let upper = |token: &Token| token.text(text).to_ascii_uppercase();
        let mut head: Vec<String> = tokens.next().map(upper).into_iter().collect();
        let is_long = head.first().is_some_and(|word| Self::LONG.contains(&word.as_str()));
        let length = if is_long { Self::HEAD } else { Self::SHORT_HEAD };
        head.extend(tokens.take(length - 1).map(upper));
        Command { text, statement, head }
    }

    /// Word number `index`, or the empty string past the end.
    fn at(&self, index: usize) -> &str {
        self.head.get(index).map_or("", String::as_str)
    }

    /// How many words of the head there are.
    fn len(&self) -> usize {
        self.head.len()
    }

    /// All words of the statement, as written.
    fn all(&self) -> impl Iterator<Item = &'t str> {
        self.statement.significant().map(|token| token.text(self.text))
    }

    fn contains(&self, word: &str) -> bool {
        // The length first: a macro is not optimised, and compares most words of a set.
        self.all().any(|found| found.len() == word.len() && found.eq_ignore_ascii_case(word))
    }

    /// The index after the option list `( ... )` at `index`; `index` itself if there is none.
    fn after_parentheses(&self, index: usize) -> usize {
        if self.at(index) != "(" {
            return index;
        }
        let close = self.head[index..].iter().position(|word| word == ")");
        close.map_or(self.len(), |offset| index + offset + 1)
    }

    /// The text inside the quotes of a `DO` block, which runs at once.
    fn do_body(&self) -> Option<Cow<'t, str>> {
        let mut tokens = self.statement.significant();
        let is_body = |kind| {
            matches!(kind, TokenKind::DollarString | TokenKind::String | TokenKind::EscapeString)
        };
        let token = tokens.find(|token| is_body(token.kind))?;
        let quoted = token.text(self.text);
        if token.kind == TokenKind::DollarString {
            let tag = quoted[1..].find('$')? + 2;
            return quoted.get(tag..quoted.len() - tag).map(Cow::Borrowed);
        }
        // Unescapes doubled and escaped quotes; no other escape matters here.
        let inside = quoted.get(quoted.find('\'')? + 1..quoted.len() - 1)?;
        Some(Cow::Owned(undoubled(&inside.replace("\\'", "'"), '\'')))
    }
}

/// Manual, "SQL Commands": BEGIN, COMMIT, END, ROLLBACK, ABORT, START, PREPARE, SET TRANSACTION.
/// Savepoints are allowed: they nest inside any transaction.
fn transaction_control(words: &Command<'_, '_>) -> Option<StatementKind> {
    let optional = |at: usize| at + usize::from(matches!(words.at(at), "WORK" | "TRANSACTION"));
    Some(match (words.at(0), words.at(1)) {
        ("BEGIN", _) if words.len() == optional(1) => StatementKind::Begin,
        ("START", "TRANSACTION") if words.len() == 2 => StatementKind::Begin,
        ("BEGIN", _) if is_mode(words.at(optional(1))) => {
            StatementKind::TransactionControl(BEGIN_MODES)
        }
        ("BEGIN", _) => StatementKind::TransactionControl(BEGIN_UNENDED),
        ("START", "TRANSACTION") if is_mode(words.at(2)) => {
            StatementKind::TransactionControl(START_MODES)
        }
        ("START", "TRANSACTION") => StatementKind::TransactionControl(START_UNENDED),
        ("COMMIT", "PREPARED") => StatementKind::OutsideTransaction("COMMIT PREPARED"),
        ("COMMIT" | "END", _) if words.len() == optional(1) => StatementKind::Commit,
        ("COMMIT" | "END", _) if words.at(optional(1)) == "AND" => {
            StatementKind::TransactionControl("COMMIT AND CHAIN")
        }
        ("COMMIT", _) => StatementKind::TransactionControl(COMMIT_UNENDED),
        ("ROLLBACK", "PREPARED") => StatementKind::OutsideTransaction("ROLLBACK PREPARED"),
        ("ROLLBACK", _) if words.at(optional(1)) == "TO" => return None,
        ("ROLLBACK", _) => StatementKind::TransactionControl("ROLLBACK"),
        ("ABORT", _) => StatementKind::TransactionControl("ABORT"),
        ("PREPARE", "TRANSACTION") => StatementKind::TransactionControl("PREPARE TRANSACTION"),
        ("SET", "TRANSACTION") => StatementKind::TransactionControl("SET TRANSACTION"),
        _ => return None,
    })
}

/// Whether a word begins a transaction mode (manual, "BEGIN").
fn is_mode(word: &str) -> bool {
    matches!(word, "ISOLATION" | "READ" | "NOT" | "DEFERRABLE")
}

/// What `PreventInTransactionBlock` refuses (verified on PostgreSQL 13, 15 and 18).
fn outside_transaction(words: &Command<'_, '_>) -> Option<StatementKind> {
    let name = match (words.at(0), words.at(1)) {
        ("CREATE", "INDEX") if words.at(2) == "CONCURRENTLY" => "CREATE INDEX CONCURRENTLY",
        ("CREATE", "UNIQUE") if words.at(3) == "CONCURRENTLY" => "CREATE UNIQUE INDEX CONCURRENTLY",
        ("DROP", "INDEX") if words.at(2) == "CONCURRENTLY" => "DROP INDEX CONCURRENTLY",
        ("REINDEX", _) => return reindex(words),
        ("VACUUM", _) => "VACUUM",
        ("CLUSTER", _) => {
            return clusters_all(words)
                .then_some(StatementKind::OutsideTransaction("CLUSTER without a table"));
        }
        ("ALTER", "TABLE" | "FOREIGN") if detaches_concurrently(words) => {
            "ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY"
        }
        ("CREATE", "DATABASE") => "CREATE DATABASE",
        ("DROP", "DATABASE") => "DROP DATABASE",
        ("ALTER", "DATABASE") if words.at(3) == "SET" && words.at(4) == "TABLESPACE" => {
            "ALTER DATABASE ... SET TABLESPACE"
        }
        ("CREATE", "TABLESPACE") => "CREATE TABLESPACE",
        ("DROP", "TABLESPACE") => "DROP TABLESPACE",
        ("ALTER", "SYSTEM") => "ALTER SYSTEM",
        ("CREATE" | "ALTER", "SUBSCRIPTION") => {
            return subscription::outside_transaction(words).map(StatementKind::OutsideTransaction);
        }
        ("DISCARD", "ALL") => "DISCARD ALL",
        _ => return None,
    };
    Some(StatementKind::OutsideTransaction(name))
}

/// `REINDEX [ ( option, ... ) ] { INDEX | TABLE | SCHEMA | DATABASE | SYSTEM } [ CONCURRENTLY ] name`
fn reindex(words: &Command<'_, '_>) -> Option<StatementKind> {
    let target = words.after_parentheses(1);
    let options = &words.head[1..target];
    let concurrently = options.iter().position(|word| word == "CONCURRENTLY").is_some_and(|at| {
        !matches!(options.get(at + 1).map(String::as_str), Some("FALSE" | "OFF"))
    });
    let name = match words.at(target) {
        "SCHEMA" => "REINDEX SCHEMA",
        "DATABASE" => "REINDEX DATABASE",
        "SYSTEM" => "REINDEX SYSTEM",
        _ if concurrently || words.at(target + 1) == "CONCURRENTLY" => "REINDEX CONCURRENTLY",
        _ => return None,
    };
    Some(StatementKind::OutsideTransaction(name))
}

/// `CLUSTER`, `CLUSTER VERBOSE` and `CLUSTER ( options )` cluster all tables.
fn clusters_all(words: &Command<'_, '_>) -> bool {
    let mut at = words.after_parentheses(1);
    at += usize::from(words.at(at) == "VERBOSE");
    at >= words.len()
}

fn detaches_concurrently(words: &Command<'_, '_>) -> bool {
    words.head.windows(2).any(|pair| pair[0] == "DETACH" && pair[1] == "PARTITION")
        && words.all().last().is_some_and(|word| word.eq_ignore_ascii_case("CONCURRENTLY"))
}

fn copies_without_data(words: &Command<'_, '_>) -> Option<StatementKind> {
    if words.at(0) != "COPY" {
        return None;
    }
    let mut previous = "";
    words.all().find_map(|word| {
        let pair = (std::mem::replace(&mut previous, word), word);
        let is = |one: &str, other: &str| {
            pair.0.eq_ignore_ascii_case(one) && pair.1.eq_ignore_ascii_case(other)
        };
        match () {
            () if is("FROM", "STDIN") => Some(StatementKind::CopyWithoutData),
            () if is("TO", "STDOUT") => Some(StatementKind::CopyOut),
            () => None,
        }
    })
}

/// A `DO` block whose body commits or rolls back is refused inside a transaction (2D000).
fn commits_inside(words: &Command<'_, '_>) -> Option<StatementKind> {
    let body = if words.at(0) == "DO" { words.do_body()? } else { return None };
    let ends = |word: &str| matches!(word, "COMMIT" | "ROLLBACK");
    first_words(&body)
        .any(|word| ends(&word))
        .then_some(StatementKind::OutsideTransaction("DO with COMMIT or ROLLBACK inside"))
}

/// The words, in upper case, that begin the statements of a PL/pgSQL body.
fn first_words(body: &str) -> impl Iterator<Item = String> {
    let mut starts = true;
    let tokens = lex(body).into_iter().filter(|token| !token.is_trivia());
    tokens.filter_map(move |token| {
        let word = token.text(body).to_ascii_uppercase();
        let started = starts;
        starts = token.kind == TokenKind::Semicolon
            || matches!(word.as_str(), "BEGIN" | "THEN" | "ELSE" | "LOOP");
        started.then_some(word)
    })
}

#[cfg(test)]
mod tests;
