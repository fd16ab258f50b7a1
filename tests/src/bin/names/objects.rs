//! The names that the statements of a set create, by the words around them: what a mutant misspells.

use std::collections::{BTreeMap, BTreeSet};

use migrate_set::sql::lexer::{Token, TokenKind, lex};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Table,
    Column,
    Type,
    Function,
    Index,
    Constraint,
    Sequence,
    View,
    Trigger,
    Schema,
    Policy,
}

impl Object {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Object::Table => "table",
            Object::Column => "column",
            Object::Type => "type",
            Object::Function => "function",
            Object::Index => "index",
            Object::Constraint => "constraint",
            Object::Sequence => "sequence",
            Object::View => "view",
            Object::Trigger => "trigger",
            Object::Schema => "schema",
            Object::Policy => "policy",
        }
    }

    fn created_by(word: &str) -> Option<Object> {
        Some(match word {
            "TABLE" => Object::Table,
            "TYPE" | "DOMAIN" => Object::Type,
            "FUNCTION" | "PROCEDURE" => Object::Function,
            "INDEX" => Object::Index,
            "SEQUENCE" => Object::Sequence,
            "VIEW" => Object::View,
            "TRIGGER" => Object::Trigger,
            "SCHEMA" => Object::Schema,
            "POLICY" => Object::Policy,
            _ => return None,
        })
    }
}

/// The tokens of one statement, without white space and comments.
pub(crate) struct Words<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

impl<'t> Words<'t> {
    pub(crate) fn of(text: &'t str) -> Words<'t> {
        Words { text, tokens: lex(text).into_iter().filter(|token| !token.is_trivia()).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    /// The word as it is, in capitals; a sign as it is.
    pub(crate) fn word(&self, at: usize) -> String {
        let text = self.tokens.get(at).map_or("", |token| token.text(self.text));
        text.to_ascii_uppercase()
    }

    /// The name at `at`, as the server folds it.
    pub(crate) fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        let text = token.text(self.text);
        match token.kind {
            TokenKind::Word => Some(text.to_lowercase()),
            TokenKind::QuotedIdentifier if text.starts_with('"') => {
                Some(text.trim_matches('"').replace("\"\"", "\""))
            }
            _ => None,
        }
    }

    /// Past `IF NOT EXISTS`, `IF EXISTS`, `CONCURRENTLY` and `ONLY`.
    fn past_options(&self, mut at: usize) -> usize {
        while matches!(self.word(at).as_str(), "IF" | "NOT" | "EXISTS" | "CONCURRENTLY" | "ONLY") {
            at += 1;
        }
        at
    }

    /// The index of the last part of the qualified name that begins at `at`.
    pub(crate) fn last_part(&self, mut at: usize) -> usize {
        while self.word(at + 1) == "." {
            at += 2;
        }
        at
    }

    /// The index of the first part of the qualified name that `at` is a part of.
    pub(crate) fn first_part(&self, mut at: usize) -> usize {
        while at >= 2 && self.word(at - 1) == "." {
            at -= 2;
        }
        at
    }
}

/// Every name that a set creates, with the kinds of objects that have it.
#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<String, BTreeSet<Object>>);

impl Objects {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds what a statement creates.
    pub(crate) fn add(&mut self, words: &Words<'_>) {
        if words.word(0) == "CREATE" {
            self.add_created(words);
        }
        for at in 0..words.len() {
            match words.word(at).as_str() {
                "CONSTRAINT" => self.insert(words, words.past_options(at + 1), Object::Constraint),
                "COLUMN" => self.insert(words, words.past_options(at + 1), Object::Column),
                "RENAME" if words.word(at + 1) == "TO" => {
                    self.insert(words, at + 2, Object::Table);
                }
                "TO" if at >= 2 && words.word(at - 2) != "RENAME" && words.word(0) == "ALTER" => {
                    self.insert(words, at + 1, Object::Column);
                }
                _ => {}
            }
        }
    }

    fn add_created(&mut self, words: &Words<'_>) {
        let kind = (1..6).find_map(|at| Some((at, Object::created_by(&words.word(at))?)));
        let Some((at, kind)) = kind else { return };
        let first = words.past_options(at + 1);
        let last = words.last_part(first);
        if last > first {
            self.insert(words, first, Object::Schema);
        }
        self.insert(words, last, kind);
        if kind == Object::Table && words.word(last + 1) == "(" {
            self.add_columns(words, last + 1);
        }
    }

    /// The columns between the parentheses that open at `open`.
    fn add_columns(&mut self, words: &Words<'_>, open: usize) {
        let mut depth = 0_usize;
        for at in open..words.len() {
            let word = words.word(at);
            if depth == 1 && (at == open + 1 || words.word(at - 1) == ",") {
                let no_column =
                    ["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE", "LIKE"];
                if !no_column.contains(&word.as_str()) {
                    self.insert(words, at, Object::Column);
                }
            }
            match word.as_str() {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn insert(&mut self, words: &Words<'_>, at: usize, kind: Object) {
        if let Some(name) = words.name(at) {
            self.0.entry(name).or_default().insert(kind);
        }
    }

    /// What the name at `at` most likely refers to, if the set creates one.
    pub(crate) fn kind(&self, words: &Words<'_>, at: usize) -> Option<Object> {
        let kinds = self.0.get(&words.name(at)?)?;
        let before = words.first_part(at).checked_sub(1).map(|at| words.word(at));
        let before = before.unwrap_or_default();
        let expected = match before.as_str() {
            _ if words.word(at + 1) == "." => [Object::Table, Object::Schema],
            "FROM" | "JOIN" | "INTO" | "UPDATE" | "TABLE" | "REFERENCES" | "ON" => {
                [Object::Table, Object::View]
            }
            "CONSTRAINT" => [Object::Constraint, Object::Constraint],
            "INDEX" => [Object::Index, Object::Index],
            "TYPE" => [Object::Type, Object::Type],
            _ if words.word(at + 1) == "(" => [Object::Function, Object::Table],
            _ => [Object::Column, Object::Type],
        };
        let likely = expected.into_iter().find(|kind| kinds.contains(kind));
        likely.or_else(|| kinds.iter().next().copied())
    }
}
