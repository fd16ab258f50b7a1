//! The rules of PostgreSQL's grammar that the parser, which is squawk's, does not have: it accepts more.

use squawk_parser::{SyntaxKind as Kind, is_type_func_name_keyword};

use super::names::{Class, is_column_only};
use super::tree::{Token, any_of, kinds};
use super::walk::{Node, Walk};

/// What can follow `IS [NOT]` (gram.y, `a_expr`), unless the parser has a single operator for the
/// words together.
const AFTER_IS: &[Kind] = kinds![
    NULL_KW, TRUE_KW, FALSE_KW, UNKNOWN_KW, DISTINCT_KW, DOCUMENT_KW, NORMALIZED_KW, NFC_KW,
    NFD_KW, NFKC_KW, NFKD_KW, JSON_KW, OF_KW
];

/// Operators that need two operands (gram.y, `MathOp`, without `+` and `-`).
const INFIX: &[&str] = &["<", ">", "=", "<=", ">=", "<>", "!=", "*", "/", "%", "^", "=>", ":="];

/// A keyword that the server does not accept as a name here.
pub(super) const NO_NAME: &str = "expected a name";
pub(super) const NO_COLUMN: &str = "expected a column name";

/// Where gram.y has `name`, and the parser a path.
pub(super) const PLAIN: &str = "expected a name without a schema";

/// gram.y, `ColConstraintElem`: a default is a `b_expr`, which has no AND, OR or NOT.
pub(super) const NO_DEFAULT: &str = "expected a default value without AND, OR or NOT";

/// What the parser accepts in a list of columns and the server does not (gram.y, `index_elem`).
pub(super) const BARE: &str = "expected parentheses around the expression";

impl Walk<'_> {
    /// Whether the columns of a list that begins here must have types: those of a plain table, not
    /// those of a partition, of a typed table or of a query.
    pub(super) fn typed(&self, kind: Kind) -> bool {
        match self.open.last() {
            Some(parent) if kind == Kind::TABLE_ARG_LIST => {
                parent.kind == Kind::CREATE_TABLE && parent.last == Some(Kind::TABLE_NAME)
            }
            Some(parent) if kind == Kind::COLUMN => parent.typed,
            _ => false,
        }
    }

    /// Why no node of this kind can begin here.
    pub(super) fn misfit(&self, kind: Kind) -> Option<&'static str> {
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

    /// Complains if a node that ends here lacks something, or must not be here.
    pub(super) fn ended(&mut self, node: &Node) {
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
            Kind::JOIN if self.lacks_condition(node) => {
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
        if INFIX.contains(&&self.text[first.start()..last.end()]) {
            self.complain(from, "expected an expression before it");
        }
    }

    /// Why this token cannot be here.
    pub(super) fn unfit(&self, token: Token) -> Option<&'static str> {
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
            Kind::DOT if self.is_after_plain_name() => Some(PLAIN),
            _ => None,
        }
    }

    /// Whether the last token is a name that can have no schema: of a new index, of a constraint, or after RENAME.
    fn is_after_plain_name(&self) -> bool {
        let name = self.tree.tokens.len().saturating_sub(1);
        // The longest that matters is all of `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS`.
        let before = self.tree.tokens.get(name.saturating_sub(8)..name).unwrap_or_default();
        let kinds: Vec<Kind> = before.iter().map(|token| token.kind).collect();
        let of_index = |kind: &Kind| {
            matches!(
                kind,
                any_of![CREATE_KW, UNIQUE_KW, INDEX_KW, CONCURRENTLY_KW, IF_KW, NOT_KW, EXISTS_KW]
            )
        };
        let before = kinds.strip_suffix(kinds![IF_KW, EXISTS_KW]).unwrap_or(&kinds);
        before.ends_with(kinds![CONSTRAINT_KW])
            || before.ends_with(kinds![RENAME_KW, TO_KW])
            || before.ends_with(kinds![USING_KW, INDEX_KW])
            || (kinds.contains(&Kind::INDEX_KW)
                && kinds.starts_with(kinds![CREATE_KW])
                && kinds.iter().all(of_index))
    }

    /// Why a keyword cannot be the name that is here; after a dot, each can.
    fn misnamed(&self, previous: &Token, token: Token) -> Option<&'static str> {
        let given = self.names.iter().find(|(start, _)| *start == token.start());
        let kind = given.map_or(token.kind, |(_, kind)| *kind);
        let is_setting = |node: &Node| node.kind == Kind::CONFIG_PARAMETER_REF;
        let any_is_a_name = previous.kind == Kind::DOT && !self.open.iter().any(is_setting);
        if !kind.is_keyword() || any_is_a_name {
            return None;
        }
        let class = Class::of(self.open.iter().map(|node| node.kind));
        let follows = |c: char| self.text[token.end()..].trim_start().starts_with(c);
        let accepts = match class {
            Some(Class::Label) if previous.kind == Kind::AS_KW => true,
            // The qualifier of a function or a type is a schema.
            Some(Class::Function | Class::Type) if follows('.') => Class::Column.accepts(kind),
            Some(Class::Routine) if !follows('(') => Class::Any.accepts(kind),
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
        let gap = &self.text[previous.end()..token.start()];
        let continues = gap.contains('\n') && !gap.contains("/*");
        let string = previous.kind != Kind::UESCAPE_KW;
        (string && literal.from < self.tree.tokens.len() && !continues)
            .then_some("expected `,` or an operator")
    }
}

fn is_constraint(kind: Kind) -> bool {
    matches!(
        kind,
        any_of![
            NOT_NULL_CONSTRAINT, NULL_CONSTRAINT, DEFAULT_CONSTRAINT, PRIMARY_KEY_CONSTRAINT,
            UNIQUE_CONSTRAINT, CHECK_CONSTRAINT, REFERENCES_CONSTRAINT, GENERATED_CONSTRAINT
        ]
    )
}
