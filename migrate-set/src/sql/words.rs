//! Reads the words of one statement from left to right: keywords in any case, and names in the
//! server's spelling.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::lexer::{Token, TokenKind};
use super::quotes::{doubled, undoubled, unquoted};
use super::split::Statement;

/// A position within a statement.
#[derive(Clone)]
pub struct Words<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<Token>,
    at: usize,
}

/// The name of a table, with its schema if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    schema: Option<String>,
    last: String,
}

impl TableName {
    /// Its schema, if that is written.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Its last part.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// A name in the same schema.
    #[must_use]
    pub fn renamed(&self, last: String) -> TableName {
        TableName { schema: self.schema.clone(), last }
    }
}

/// Names of tables by their last part, each with the schemas that it was written with.
#[derive(Debug, Default)]
pub struct TableNames(HashMap<String, HashSet<Option<String>>>);

impl TableNames {
    /// Adds a name.
    pub fn add(&mut self, name: TableName) {
        self.0.entry(name.last).or_default().insert(name.schema);
    }

    /// Whether one of them can name the same table; without a schema this is uncertain.
    pub fn may_have(&self, name: &TableName) -> bool {
        self.0.get(&name.last).is_some_and(|schemas| {
            name.schema.is_none() || schemas.contains(&None) || schemas.contains(&name.schema)
        })
    }
}

impl<'t> Words<'t> {
    /// The beginning of `statement`, a statement of `text`.
    pub fn of(text: &'t str, statement: &Statement<'_>) -> Self {
        Words { text, tokens: statement.significant().copied().collect(), at: 0 }
    }

    /// The beginning of `tokens`, tokens of `text` without blanks and comments.
    pub fn of_tokens(text: &'t str, tokens: &[Token]) -> Self {
        Words { text, tokens: tokens.to_vec(), at: 0 }
    }

    /// Word number `index` of the statement, or the empty string past the end.
    pub(super) fn word(&self, index: usize) -> &'t str {
        self.tokens.get(index).map_or("", |token| token.text(self.text))
    }

    /// Whether the next words are `words`, which are separated by blanks.
    pub fn next_are(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(ahead, word)| {
            self.tokens.get(self.at + ahead).is_some_and(|token| self.is(token, word))
        })
    }

    /// Whether the last word stepped over is `word`.
    pub fn follow(&self, word: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|before| self.tokens.get(before));
        before.is_some_and(|token| self.is(token, word))
    }

    /// Steps over `words` if they come next.
    pub fn eat(&mut self, words: &str) -> bool {
        let next = self.next_are(words);
        if next {
            self.at += words.split(' ').count();
        }
        next
    }

    /// Steps over the first of `choices` that comes next.
    pub fn eat_any(&mut self, choices: &[&str]) -> bool {
        choices.iter().any(|words| self.eat(words))
    }

    /// Steps over an identifier and returns it in the server's spelling.
    pub fn identifier(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at)?;
        let written = token.text(self.text);
        let name = match token.kind {
            TokenKind::Word => written.to_ascii_lowercase(),
            TokenKind::QuotedIdentifier | TokenKind::Placeholder => unquoted(written),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// Steps over a name, `[[database.]schema.]name`.
    pub fn name(&mut self) -> Option<TableName> {
        let mut name = TableName { schema: None, last: self.identifier()? };
        while self.eat(".") {
            name = TableName { schema: Some(name.last), last: self.identifier()? };
        }
        Some(name)
    }

    /// As [`Words::name`], but returns only the last part.
    pub fn last_name(&mut self) -> Option<String> {
        self.name().map(|name| name.last)
    }

    /// As [`Words::name`], but returns the name as written.
    pub fn written_name(&mut self) -> Option<String> {
        let start = self.tokens.get(self.at)?.start;
        self.name()?;
        Some(self.text[start..self.span().end].to_owned())
    }

    /// Steps over any word.
    pub fn skip(&mut self) -> Option<()> {
        self.tokens.get(self.at)?;
        self.at += 1;
        Some(())
    }

    /// Steps over a plain string and returns it in lower case.
    pub fn literal(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).filter(|token| token.kind == TokenKind::String)?;
        self.at += 1;
        Some(token.text(self.text).trim_matches('\'').to_ascii_lowercase())
    }

    /// Steps over a string without escapes and returns its contents.
    pub fn string(&mut self) -> Option<String> {
        let contents = contents(self.text, self.tokens.get(self.at)?)?;
        self.at += 1;
        Some(contents)
    }

    /// The bytes of all words stepped over.
    pub fn span(&self) -> Range<usize> {
        let start = self.tokens.first().map_or(0, |token| token.start);
        let last = self.at.checked_sub(1).and_then(|last| self.tokens.get(last));
        start..last.map_or(start, |token| token.end.max(start))
    }

    /// Steps over all remaining words.
    pub fn skip_all(&mut self) {
        self.at = self.tokens.len();
    }

    /// The remaining words, split at the commas outside parentheses and brackets.
    pub fn split_at_commas(&self) -> Vec<Words<'t>> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, self.at);
        for (index, token) in self.tokens.iter().enumerate().skip(self.at) {
            match token.text(self.text) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    parts.push(self.part(from, index));
                    from = index + 1;
                }
                _ => {}
            }
        }
        parts.push(self.part(from, self.tokens.len()));
        parts
    }

    /// The remaining words as a separate statement.
    #[must_use]
    pub fn rest(&self) -> Words<'t> {
        self.part(self.at, self.tokens.len())
    }

    fn part(&self, from: usize, to: usize) -> Words<'t> {
        Words { text: self.text, tokens: self.tokens[from..to].to_vec(), at: 0 }
    }

    /// Whether the remaining words contain `words` outside parentheses.
    pub fn have(&self, words: &str) -> bool {
        self.find(words).is_some()
    }

    /// The remaining words from `words` on, searched outside parentheses.
    pub fn find(&self, words: &str) -> Option<Words<'t>> {
        let mut rest = self.clone();
        let mut depth = 0_usize;
        while let Some(token) = rest.tokens.get(rest.at) {
            match token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                _ if depth == 0 && rest.next_are(words) => return Some(rest),
                _ => {}
            }
            rest.at += 1;
        }
        None
    }

    /// The names, without schema, of the functions called in the remaining words.
    pub fn calls(&self) -> impl Iterator<Item = String> {
        let pairs = self.tokens[self.at.min(self.tokens.len())..].windows(2);
        let call = |pair: &&[Token]| {
            let name = matches!(pair[0].kind, TokenKind::Word | TokenKind::QuotedIdentifier);
            name && pair[1].kind == TokenKind::Open
        };
        pairs
            .filter(call)
            .map(|pair| pair[0].text(self.text).trim_matches('"').to_ascii_lowercase())
    }

    fn is(&self, token: &Token, word: &str) -> bool {
        token.kind != TokenKind::QuotedIdentifier
            && token.text(self.text).eq_ignore_ascii_case(word)
    }
}

/// The contents of a string of `text`; `None` if it has escapes, or continues on another line.
pub fn contents(text: &str, token: &Token) -> Option<String> {
    let written = token.text(text);
    match token.kind {
        TokenKind::String => {
            let inner = written.strip_prefix('\'')?.strip_suffix('\'')?;
            let single = undoubled(inner, '\'');
            let is_one = doubled(&single, '\'') == inner;
            is_one.then_some(single)
        }
        TokenKind::DollarString => {
            let tag = written[1..].find('$')? + 2;
            written.get(tag..written.len() - tag).map(str::to_owned)
        }
        _ => None,
    }
}
