//! Walks the events of squawk's parser: keeps the tree, and the first complaint of the parser or of [`super::rules`].
//!
//! It walks events, because the tree of `squawk_syntax` takes five times the parse to build and six times the
//! build to compile.

use std::borrow::Cow;

use migrate_set::sql::lexer::{self, TokenKind, lex};
use squawk_parser::{EntryPoint, LexedStr, StrStep, SyntaxKind as Kind};

use super::message::{self, Found};
use super::names::{is_newer, is_reserved};
use super::tree::{Token, Tree, kinds};
use super::{Judged, SyntaxError};

/// Beginnings of valid statements that the parser refuses (squawk 2.68, found with the regression
/// tests of PostgreSQL 18).
const UNKNOWN: &[&[Kind]] = &[
    &[Kind::ALTER_KW, Kind::STATISTICS_KW, Kind::IF_KW],
    &[Kind::ALTER_KW, Kind::USER_KW, Kind::MAPPING_KW, Kind::FOR_KW, Kind::USER_KW],
    &[Kind::SET_KW, Kind::NAMES_KW, Kind::STRING],
];

/// What is wrong with `statement`, or its tree; neither if the parser does not know it.
pub(super) fn judge(statement: &str) -> Judged {
    let mut text = Cow::Borrowed(statement);
    loop {
        let walk = walked(&text, &[], EntryPoint::SourceFile);
        let Some(first) = walk.first.as_ref().map(|first| first.at) else {
            return Judged { tree: Some(walk.tree.whole()), ..Judged::default() };
        };
        let Some(without) = without_storage(&text, &walk, first) else {
            let tree = with_names(&text, &walk, first);
            let error = if tree.is_some() { None } else { walk.finish() };
            return Judged { error, tree, body: None };
        };
        text = Cow::Owned(without);
    }
}

/// The tree of a body; `None` if the parser does not know all of it.
pub(super) fn body(text: &str, language: EntryPoint) -> Option<Tree> {
    let walk = walked(text, &[], language);
    walk.is_known.then_some(walk.tree)
}

/// The kind of the first token of a text.
pub(super) fn first(text: &str) -> Option<Kind> {
    walked(text, &[], EntryPoint::SourceFile).tree.tokens.first().map(|token| token.kind)
}

fn walked<'s>(statement: &'s str, names: &[(usize, Kind)], entry: EntryPoint) -> Walk<'s> {
    let lexed = LexedStr::new(statement);
    let output = entry.parse(&lexed.to_input());
    let mut walk = Walk::new(statement);
    walk.names = names.to_vec();
    lexed.intersperse_trivia(&output, &mut |step| walk.step(&step));
    for (range, message) in lexed.errors() {
        walk.lexical(range.start as usize, message);
    }
    walk
}

/// The statement with blanks for `STORAGE ..` or `COMPRESSION ..`, if the parser complains about it: it knows them
/// only in `CREATE TABLE`, not in `ADD COLUMN`. A catalog keeps neither.
fn without_storage(statement: &str, walk: &Walk<'_>, first: usize) -> Option<String> {
    let [word, value] = walk.tree.tokens.get(first..first + 2)? else { return None };
    let is_alter = walk.tree.tokens.first().is_some_and(|token| token.kind == Kind::ALTER_KW);
    let is_name = value.kind == Kind::IDENT || value.kind.is_keyword();
    if !is_alter || !is_name || !matches!(word.kind, Kind::STORAGE_KW | Kind::COMPRESSION_KW) {
        return None;
    }
    let mut text = statement.to_owned();
    let bytes = word.start()..value.end();
    text.replace_range(bytes.clone(), &" ".repeat(bytes.len()));
    Some(text)
}

/// How many keywords of a statement are tried as names.
const NAMES: usize = 8;

/// The tree of a statement that is valid with keywords as names: the parser reads some of them only as keywords
/// (`WITH values AS (..)`, `SET role = app`), so it is asked again with an identifier in their place.
fn with_names(statement: &str, walk: &Walk<'_>, first: usize) -> Option<Tree> {
    let (mut text, mut names, mut at) = (statement.to_owned(), Vec::new(), first);
    for _ in 0..NAMES {
        // The parser reads a newer keyword's own syntax, and complains inside or after it.
        let tokens = walk.tree.tokens.iter().enumerate();
        let newer = tokens.filter(|(index, token)| *index < at && is_newer(token.kind));
        let places = [at, at.saturating_sub(1), at + 1].into_iter();
        let mut places = places.chain(newer.map(|(index, _)| index));
        let tried = places.find_map(|index| {
            let token = *walk.tree.tokens.get(index)?;
            // The first word of a statement is never a name.
            (index > 0 && token.kind.is_keyword() && !is_reserved(token.kind)).then_some(())?;
            let mut text = text.clone();
            let bytes = token.start()..token.end();
            text.replace_range(bytes.clone(), &"x".repeat(bytes.len()));
            let mut names = names.clone();
            names.push((token.start(), token.kind));
            let next = walked(&text, &names, EntryPoint::SourceFile);
            let complaint = next.first.as_ref().map(|complaint| complaint.at);
            if complaint.is_some_and(|next| next <= at) {
                return None;
            }
            let tree = complaint.is_none().then_some(next.tree);
            Some((text, names, complaint, tree))
        })?;
        match tried {
            (.., tree @ Some(_)) => return tree,
            (next_text, next_names, next, None) => {
                (text, names, at) = (next_text, next_names, next?);
            }
        }
    }
    None
}

/// An open node of the syntax tree.
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Its index in the tree.
    pub(super) index: usize,
    /// The number of tokens before it.
    pub(super) from: usize,
    /// The child that began last.
    pub(super) last: Option<Kind>,
    /// A list of columns that must have types.
    pub(super) typed: bool,
}

/// A complaint about the token `at`, which can be one past the last.
pub(super) struct Complaint {
    pub(super) at: usize,
    pub(super) message: String,
}

pub(super) struct Walk<'s> {
    pub(super) text: &'s str,
    pub(super) offset: usize,
    pub(super) tree: Tree,
    pub(super) open: Vec<Node>,
    /// Keywords that an identifier stands in for, by their first byte.
    pub(super) names: Vec<(usize, Kind)>,
    /// `IS` or `IS NOT` as an operator was the last token.
    pub(super) after_is: bool,
    pub(super) first: Option<Complaint>,
    /// Whether the parser has no complaint of its own.
    pub(super) is_known: bool,
}

/// The words between the verb of a statement and the kind of its object.
const VERB_WORDS: &[Kind] = kinds![
    CREATE_KW, ALTER_KW, DROP_KW, OR_KW, REPLACE_KW, TEMP_KW, TEMPORARY_KW, LOCAL_KW, GLOBAL_KW,
    UNLOGGED_KW, UNIQUE_KW, MATERIALIZED_KW, FOREIGN_KW, RECURSIVE_KW, EVENT_KW
];

impl<'s> Walk<'s> {
    fn new(text: &'s str) -> Self {
        let tree = Tree::of_length(text.len());
        let (open, names) = (Vec::new(), Vec::new());
        Walk { text, offset: 0, tree, open, names, after_is: false, first: None, is_known: true }
    }

    fn step(&mut self, step: &StrStep<'_>) {
        match *step {
            StrStep::Enter { kind } => self.enter(kind),
            StrStep::Exit => self.exit(),
            StrStep::Error { msg, .. } => {
                self.is_known = false;
                self.complain(self.tree.tokens.len(), msg);
            }
            StrStep::Token { kind, text } => {
                let start = self.offset;
                self.offset += text.len();
                if !kind.is_trivia() {
                    self.token(Token::new(kind, start..self.offset));
                }
            }
        }
    }

    /// Keeps the complaint about the earliest token.
    pub(super) fn complain(&mut self, at: usize, message: &str) {
        if self.first.as_ref().is_none_or(|first| at < first.at) {
            self.first = Some(Complaint { at, message: message.to_owned() });
        }
    }

    fn lexical(&mut self, byte: usize, message: &str) {
        let at = self.tree.tokens.partition_point(|token| token.end() <= byte);
        self.complain(at, message);
    }

    fn enter(&mut self, kind: Kind) {
        let from = self.tree.tokens.len();
        let typed = self.typed(kind);
        if let Some(complaint) = self.misfit(kind) {
            self.complain(from, complaint);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.last = Some(kind);
        }
        let index = self.tree.enter(kind);
        self.open.push(Node { kind, index, from, last: None, typed });
    }

    fn exit(&mut self) {
        let Some(node) = self.open.pop() else { return };
        self.tree.exit(node.index);
        self.ended(&node);
    }

    fn token(&mut self, token: Token) {
        if let Some(complaint) = self.unfit(token) {
            self.complain(self.tree.tokens.len(), complaint);
        }
        let within = self.open.last().map(|node| node.kind);
        self.after_is = token.kind == Kind::IS_KW && within == Some(Kind::BIN_EXPR);
        self.tree.tokens.push(token);
    }

    fn finish(mut self) -> Option<SyntaxError> {
        let Complaint { at, message } = self.first.take()?;
        let kinds: Vec<Kind> = self.tree.tokens.iter().take(5).map(|token| token.kind).collect();
        if UNKNOWN.iter().any(|unknown| kinds.starts_with(unknown)) {
            return None;
        }
        let (at, message) = self.after_verb(at, message);
        let tokens = &self.tree.tokens;
        let before = |n| at.checked_sub(n).and_then(|before| tokens.get(before)).copied();
        let token = tokens.get(at).map(|token| self.whole(*token));
        let text = |token: Token| &self.text[token.start()..token.end()];
        let found = Found {
            index: at,
            text: token.map(text),
            kind: token.map(|token| token.kind),
            previous: before(1).map(text),
            previous_kind: before(1).map(|token| token.kind),
            earlier: before(2).map(text),
            next: tokens.get(at + 1).copied().map(text),
            begin: [0, 1].map(|index| tokens.get(index).copied().map(text)),
        };
        let end = self.text.len();
        Some(SyntaxError {
            span: token.map_or(end..end, |token| token.start()..token.end()),
            message: message::message(&message, &found),
            help: message::help(&message, &found),
        })
    }

    /// The token as the server reads it: the parser splits operators into characters.
    fn whole(&self, token: Token) -> Token {
        let around =
            |whole: &&lexer::Token| whole.start <= token.start() && token.start() < whole.end;
        let whole = lex(self.text);
        match whole.iter().find(around) {
            Some(whole) if whole.kind == TokenKind::Operator => {
                Token::new(token.kind, whole.start..whole.end)
            }
            _ => token,
        }
    }

    /// If the parser does not know a statement by its first words, the mistake is after them.
    fn after_verb(&self, at: usize, message: String) -> (usize, String) {
        let verbs =
            self.tree.tokens.iter().take_while(|token| VERB_WORDS.contains(&token.kind)).count();
        if at > 0 || verbs == 0 || !message.starts_with("expected command") {
            return (at, message);
        }
        (verbs, "expected TABLE, INDEX, VIEW or another kind of object".to_owned())
    }
}
