//! Finds the first place in a statement that PostgreSQL's grammar does not accept.
//!
//! The parser is squawk's; the rules here cover what it accepts and PostgreSQL does not. They walk
//! the parser's events, because the tree of `squawk_syntax` takes five times the parse to build and
//! six times the build to compile.

use migrate_set::sql::lexer::{self, TokenKind, lex};
use squawk_parser::{EntryPoint, LexedStr, StrStep, SyntaxKind as Kind, is_type_func_name_keyword};

use super::message::{self, Found};
use super::names::{Class, is_column_only, is_newer, is_reserved};
use super::tree::{Token, Tree};
use super::{Judged, SyntaxError};

/// Beginnings of valid statements that the parser refuses (squawk 2.68, found with the regression
/// tests of PostgreSQL 18).
const UNKNOWN: &[&[Kind]] = &[
    &[Kind::ALTER_KW, Kind::STATISTICS_KW, Kind::IF_KW],
    &[Kind::ALTER_KW, Kind::USER_KW, Kind::MAPPING_KW, Kind::FOR_KW, Kind::USER_KW],
];

/// What is wrong with `statement`, or its tree; neither if the parser does not know it.
pub(super) fn judge(statement: &str) -> Judged {
    let walk = walked(statement, &[], EntryPoint::SourceFile);
    let Some(first) = walk.first.as_ref().map(|first| first.at) else {
        return Judged { tree: Some(walk.into_tree()), ..Judged::default() };
    };
    let tree = with_names(statement, &walk, first);
    let error = if tree.is_some() { None } else { walk.finish() };
    Judged { error, tree, body: None }
}

/// The tree of the statements of a body in SQL; `None` if the parser does not know all of them.
pub(super) fn body(text: &str) -> Option<Tree> {
    let walk = walked(text, &[], EntryPoint::SourceFile);
    walk.is_known.then(|| walk.into_tree())
}

/// The tree of a body in PL/pgSQL; `None` if the parser does not know all of it.
pub(super) fn plpgsql(text: &str) -> Option<Tree> {
    let walk = walked(text, &[], EntryPoint::Plpgsql);
    walk.is_known.then(|| walk.into_tree())
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
            text.replace_range(token.start..token.end, &"x".repeat(token.end - token.start));
            let mut names = names.clone();
            names.push((token.start, token.kind));
            let next = walked(&text, &names, EntryPoint::SourceFile);
            let complaint = next.first.as_ref().map(|complaint| complaint.at);
            if complaint.is_some_and(|next| next <= at) {
                return None;
            }
            let tree = complaint.is_none().then(|| next.into_tree());
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
struct Node {
    kind: Kind,
    /// Its index in the tree.
    index: usize,
    /// The number of tokens before it.
    from: usize,
    /// The child that began last.
    last: Option<Kind>,
    /// A list of columns that must have types.
    typed: bool,
}

/// A complaint about the token `at`, which can be one past the last.
struct Complaint {
    at: usize,
    message: String,
}

struct Walk<'s> {
    text: &'s str,
    offset: usize,
    tree: Tree,
    open: Vec<Node>,
    /// Keywords that an identifier stands in for, by their first byte.
    names: Vec<(usize, Kind)>,
    /// `IS` or `IS NOT` as an operator was the last token.
    after_is: bool,
    first: Option<Complaint>,
    /// Whether the parser has no complaint of its own.
    is_known: bool,
}

/// What can follow `IS [NOT]` (gram.y, `a_expr`), unless the parser has a single operator for the
/// words together.
const AFTER_IS: &[Kind] = &[
    Kind::NULL_KW,
    Kind::TRUE_KW,
    Kind::FALSE_KW,
    Kind::UNKNOWN_KW,
    Kind::DISTINCT_KW,
    Kind::DOCUMENT_KW,
    Kind::NORMALIZED_KW,
    Kind::NFC_KW,
    Kind::NFD_KW,
    Kind::NFKC_KW,
    Kind::NFKD_KW,
    Kind::JSON_KW,
    Kind::OF_KW,
];

/// Operators that need two operands (gram.y, `MathOp`, without `+` and `-`).
const INFIX: &[&str] = &["<", ">", "=", "<=", ">=", "<>", "!=", "*", "/", "%", "^", "=>", ":="];

/// A keyword that the server does not accept as a name here.
pub(super) const NO_NAME: &str = "expected a name";
pub(super) const NO_COLUMN: &str = "expected a column name";

/// gram.y, `ColConstraintElem`: a default is a `b_expr`, which has no AND, OR or NOT.
pub(super) const NO_DEFAULT: &str = "expected a default value without AND, OR or NOT";

/// What the parser accepts in a list of columns and the server does not (gram.y, `index_elem`).
pub(super) const BARE: &str = "expected parentheses around the expression";

/// The words between the verb of a statement and the kind of its object.
const VERB_WORDS: &[Kind] = &[
    Kind::CREATE_KW,
    Kind::ALTER_KW,
    Kind::DROP_KW,
    Kind::OR_KW,
    Kind::REPLACE_KW,
    Kind::TEMP_KW,
    Kind::TEMPORARY_KW,
    Kind::LOCAL_KW,
    Kind::GLOBAL_KW,
    Kind::UNLOGGED_KW,
    Kind::UNIQUE_KW,
    Kind::MATERIALIZED_KW,
    Kind::FOREIGN_KW,
    Kind::RECURSIVE_KW,
    Kind::EVENT_KW,
];

impl<'s> Walk<'s> {
    fn new(text: &'s str) -> Self {
        let tree = Tree::of_length(text.len());
        let (open, names) = (Vec::new(), Vec::new());
        Walk { text, offset: 0, tree, open, names, after_is: false, first: None, is_known: true }
    }

    fn into_tree(self) -> Tree {
        self.tree
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
                    self.token(Token { kind, start, end: self.offset });
                }
            }
        }
    }

    /// Keeps the complaint about the earliest token.
    fn complain(&mut self, at: usize, message: &str) {
        if self.first.as_ref().is_none_or(|first| at < first.at) {
            self.first = Some(Complaint { at, message: message.to_owned() });
        }
    }

    fn lexical(&mut self, byte: usize, message: &str) {
        let at = self.tree.tokens.partition_point(|token| token.end <= byte);
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

    /// Whether the columns of a list that begins here must have types: those of a plain table, not
    /// those of a partition, of a typed table or of a query.
    fn typed(&self, kind: Kind) -> bool {
        match self.open.last() {
            Some(parent) if kind == Kind::TABLE_ARG_LIST => {
                parent.kind == Kind::CREATE_TABLE && parent.last == Some(Kind::TABLE_NAME)
            }
            Some(parent) if kind == Kind::COLUMN => parent.typed,
            _ => false,
        }
    }

    /// Why no node of this kind can begin here.
    fn misfit(&self, kind: Kind) -> Option<&'static str> {
        let parent = self.open.last()?;
        match (parent.kind, parent.last) {
            // The parser accepts several statements, but ours are already split at semicolons.
            (Kind::SOURCE_FILE, Some(_)) if kind != Kind::ERROR => Some("expected `;`"),
            (Kind::SELECT, None | Some(Kind::WITH_CLAUSE)) if kind == Kind::FROM_CLAUSE => {
                Some("expected SELECT")
            }
            (Kind::PARTITION_ITEM, None)
                if matches!(kind, Kind::PREFIX_EXPR | Kind::LITERAL | Kind::CASE_EXPR) =>
            {
                Some(BARE)
            }
            (Kind::COLUMN, Some(Kind::COLUMN_NAME)) if parent.typed && is_constraint(kind) => {
                Some("expected a type")
            }
            _ => None,
        }
    }

    fn exit(&mut self) {
        let Some(node) = self.open.pop() else { return };
        self.tree.exit(node.index);
        let here = self.tree.tokens.len();
        let within = self.open.last().map(|parent| parent.kind);
        match node.kind {
            Kind::IS_NOT => self.after_is = true,
            Kind::CUSTOM_OP if within == Some(Kind::PREFIX_EXPR) => self.prefix(node.from),
            Kind::COLUMN if node.typed && node.last == Some(Kind::COLUMN_NAME) => {
                self.complain(here, "expected a type");
            }
            Kind::CREATE_TABLE if node.last == Some(Kind::TABLE_NAME) => {
                self.complain(here, "expected `(`");
            }
            Kind::DROP_TABLE if matches!(node.last, None | Some(Kind::IF_EXISTS)) => {
                self.complain(here, "expected a table name");
            }
            Kind::ALTER_TABLE if node.last == Some(Kind::TABLE_RELATION_NAME) => {
                self.complain(here, "expected an action such as ADD COLUMN");
            }
            Kind::JOIN if self.lacks_condition(&node) => {
                self.complain(here, "expected ON or USING");
            }
            Kind::SET_COLUMN_LIST if node.from == here => {
                self.complain(here, "expected a column name");
            }
            _ if self.begins_bare_expression(node.from) => self.complain(here, BARE),
            _ => {}
        }
    }

    /// Whether a join that needs a condition has none.
    fn lacks_condition(&self, join: &Node) -> bool {
        let first = self.tree.tokens.get(join.from).map(|token| token.kind);
        !matches!(join.last, Some(Kind::ON_CLAUSE | Kind::JOIN_USING_CLAUSE))
            && !matches!(first, Some(Kind::CROSS_KW | Kind::NATURAL_KW))
    }

    /// Whether the node that began with the token `from` and ends here is the left side of an
    /// expression without parentheses in the columns of an index or a partition key.
    fn begins_bare_expression(&self, from: usize) -> bool {
        let infix = |node: &&Node| {
            node.from == from
                && matches!(
                    node.kind,
                    Kind::BIN_EXPR | Kind::CAST_EXPR | Kind::FIELD_EXPR | Kind::POSTFIX_EXPR
                )
        };
        let depth = self.open.iter().rev().take_while(infix).count();
        let around = self.open.len().checked_sub(depth + 1).map(|at| self.open[at].kind);
        depth > 0 && around == Some(Kind::PARTITION_ITEM)
    }

    /// Checks the operator that begins with the token `from` and has no operand before it.
    fn prefix(&mut self, from: usize) {
        let (Some(first), Some(last)) = (self.tree.tokens.get(from), self.tree.tokens.last())
        else {
            return;
        };
        if INFIX.contains(&&self.text[first.start..last.end]) {
            self.complain(from, "expected an expression before it");
        }
    }

    fn token(&mut self, token: Token) {
        if let Some(complaint) = self.unfit(token) {
            self.complain(self.tree.tokens.len(), complaint);
        }
        let within = self.open.last().map(|node| node.kind);
        self.after_is = token.kind == Kind::IS_KW && within == Some(Kind::BIN_EXPR);
        self.tree.tokens.push(token);
    }

    /// Why this token cannot be here.
    fn unfit(&self, token: Token) -> Option<&'static str> {
        let previous = self.tree.tokens.last()?;
        if self.after_is && !AFTER_IS.contains(&token.kind) {
            return Some("expected NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
        }
        if let Some(complaint) = self.misnamed(previous, token) {
            return Some(complaint);
        }
        match token.kind {
            Kind::NOT_KW if previous.kind == Kind::DEFAULT_KW => {
                let mut around = self.open.iter().rev().take(3);
                let default = around.any(|node| node.kind == Kind::DEFAULT_CONSTRAINT);
                default.then_some(NO_DEFAULT)
            }
            Kind::AND_KW | Kind::OR_KW => {
                let mut around = self.open.iter().rev().map(|node| node.kind);
                let around = around.find(|kind| *kind != Kind::BIN_EXPR);
                (around == Some(Kind::DEFAULT_CONSTRAINT)).then_some(NO_DEFAULT)
            }
            Kind::STRING => self.beside(previous, token),
            _ => None,
        }
    }

    /// Why a keyword cannot be the name that is here; after a dot, each can.
    fn misnamed(&self, previous: &Token, token: Token) -> Option<&'static str> {
        let given = self.names.iter().find(|(start, _)| *start == token.start);
        let kind = given.map_or(token.kind, |(_, kind)| *kind);
        let is_setting = |node: &Node| node.kind == Kind::CONFIG_PARAMETER_REF;
        let any_is_a_name = previous.kind == Kind::DOT && !self.open.iter().any(is_setting);
        if !kind.is_keyword() || any_is_a_name {
            return None;
        }
        let class = Class::of(self.open.iter().map(|node| node.kind));
        let next = self.text[token.end..].trim_start().chars().next();
        let accepts = match class {
            Some(Class::Label) if previous.kind == Kind::AS_KW => true,
            // The qualifier of a function or a type is a schema.
            Some(Class::Function | Class::Type) if next == Some('.') => Class::Column.accepts(kind),
            Some(Class::Routine) if next != Some('(') => Class::Any.accepts(kind),
            Some(class) => class.accepts(kind),
            // As an identifier, it has to be one that any name can be.
            None => given.is_none() || !(is_column_only(kind) || is_type_func_name_keyword(kind)),
        };
        let is_column = matches!(
            self.open.last().map(|node| node.kind),
            Some(Kind::COLUMN_NAME | Kind::COLUMN_NAME_REF)
        );
        (!accepts).then_some(if is_column { NO_COLUMN } else { NO_NAME })
    }

    /// A string continues only on a later line (scan.l, `quotecontinue`).
    fn beside(&self, previous: &Token, token: Token) -> Option<&'static str> {
        let literal = self.open.last().filter(|node| node.kind == Kind::LITERAL)?;
        let gap = &self.text[previous.end..token.start];
        let continues = gap.contains('\n') && !gap.contains("/*");
        let string = previous.kind != Kind::UESCAPE_KW;
        (string && literal.from < self.tree.tokens.len() && !continues)
            .then_some("expected `,` or an operator")
    }

    fn finish(mut self) -> Option<SyntaxError> {
        let Complaint { at, message } = self.first.take()?;
        let kinds: Vec<Kind> = self.tree.tokens.iter().take(5).map(|token| token.kind).collect();
        if UNKNOWN.iter().any(|unknown| kinds.starts_with(unknown)) {
            return None;
        }
        let (at, message) = self.after_verb(at, message);
        let before = at.checked_sub(1).and_then(|before| self.tree.tokens.get(before)).copied();
        let token = self.tree.tokens.get(at).map(|token| self.whole(*token));
        let text = |token: Token| &self.text[token.start..token.end];
        let found = Found {
            index: at,
            text: token.map(text),
            kind: token.map(|token| token.kind),
            previous: before.map(text),
            previous_kind: before.map(|token| token.kind),
        };
        let end = self.text.len();
        Some(SyntaxError {
            span: token.map_or(end..end, |token| token.start..token.end),
            message: message::message(&message, &found),
            help: message::help(&message, &found),
        })
    }

    /// The token as the server reads it: the parser splits operators into characters.
    fn whole(&self, token: Token) -> Token {
        let around = |whole: &&lexer::Token| whole.start <= token.start && token.start < whole.end;
        let whole = lex(self.text);
        match whole.iter().find(around) {
            Some(whole) if whole.kind == TokenKind::Operator => {
                Token { kind: token.kind, start: whole.start, end: whole.end }
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

fn is_constraint(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::NOT_NULL_CONSTRAINT
            | Kind::NULL_CONSTRAINT
            | Kind::DEFAULT_CONSTRAINT
            | Kind::PRIMARY_KEY_CONSTRAINT
            | Kind::UNIQUE_CONSTRAINT
            | Kind::CHECK_CONSTRAINT
            | Kind::REFERENCES_CONSTRAINT
            | Kind::GENERATED_CONSTRAINT
    )
}
