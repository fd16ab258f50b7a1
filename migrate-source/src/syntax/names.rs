//! Decides which keywords can be a name where the parser found one (gram.y: `ColId`, `type_function_name`,
//! `NonReservedWord`, `ColLabel`).

use super::rules;
use squawk_parser::{
    SyntaxKind as Kind, is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword,
};

/// Whether a word in lower case is a keyword that has to be quoted to be the name of a table, a column or the
/// like (`quote_identifier`).
pub(crate) fn is_reserved(word: &str) -> bool {
    rules::first(word).is_some_and(|kind| {
        is_reserved_keyword(kind) || is_col_name_keyword(kind) || is_type_func_name_keyword(kind)
    })
}

/// Which keywords a position accepts; all accept those that are not reserved in any way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A column, a table and most others: those of the names of columns.
    Column,
    /// A column or a function that needs no parentheses, in an expression.
    Value,
    /// What is selected from: a column's name, or a function that needs no parentheses.
    From,
    /// A function: those of the names of types and functions.
    Function,
    /// A function that is referred to: as a function, and without arguments all but the reserved ones.
    Routine,
    /// A call: as a function, and what has a syntax of its own.
    Call,
    /// A label without `AS`.
    Label,
    /// A type: as a function, and the types that are keywords.
    Type,
    /// A role: all but the reserved ones and `NONE`.
    Role,
    /// A language, or a function without its arguments: all but the reserved ones.
    Any,
}

/// The types that are keywords of the names of columns (gram.y, `SimpleTypename`).
const TYPES: &[Kind] = &[
    Kind::BIGINT_KW,
    Kind::BIT_KW,
    Kind::BOOLEAN_KW,
    Kind::CHAR_KW,
    Kind::CHARACTER_KW,
    Kind::DEC_KW,
    Kind::DECIMAL_KW,
    Kind::FLOAT_KW,
    Kind::INT_KW,
    Kind::INTEGER_KW,
    Kind::INTERVAL_KW,
    Kind::JSON_KW,
    Kind::NCHAR_KW,
    Kind::NUMERIC_KW,
    Kind::REAL_KW,
    Kind::SETOF_KW,
    Kind::SMALLINT_KW,
    Kind::TIME_KW,
    Kind::TIMESTAMP_KW,
    Kind::VARCHAR_KW,
];

impl Class {
    /// The class of the name in the innermost of the nodes `open`; `None` if it is not known.
    pub(super) fn of(open: impl DoubleEndedIterator<Item = Kind>) -> Option<Class> {
        use Kind as K;
        let path = |kind: &Kind| {
            matches!(kind, K::PATH | K::PATH_REF | K::PATH_SEGMENT | K::PATH_SEGMENT_REF)
        };
        let mut around = open.rev().skip_while(path);
        let (name, parent) = (around.next()?, around.next()?);
        Some(match (name, parent) {
            (K::COLUMN_NAME | K::COLUMN_NAME_REF, K::AS_NAME) => Class::Label,
            (K::RELATION_NAME_REF, K::RELATION_FROM_ITEM) => Class::From,
            (K::COLUMN_NAME, K::RETURN_TABLE_COLUMN) | (K::NAME_REF, K::CALL_EXPR)
                if parent == K::RETURN_TABLE_COLUMN
                    || around.next().is_some_and(|kind| kind == K::CREATE_TRIGGER) =>
            {
                Class::Function
            }
            (K::NAME_REF, K::CALL_EXPR) => Class::Call,
            (
                K::NAME_REF,
                K::BIN_EXPR
                | K::TARGET
                | K::SORT_BY
                | K::GROUPING_EXPR
                | K::SET_EXPR
                | K::PARTITION_ITEM
                | K::CONFLICT_INDEX_ITEM
                | K::FIELD_EXPR
                | K::WHERE_CLAUSE,
            ) => Class::Value,
            (K::FUNCTION_NAME_REF | K::PROCEDURE_NAME_REF | K::ROUTINE_NAME_REF, _) => {
                Class::Routine
            }
            (K::FUNCTION_NAME | K::PROCEDURE_NAME | K::AGGREGATE_NAME, _) => Class::Function,
            (K::PATH_TYPE, _)
            | (K::TYPE_NAME_REF, K::DROP_TYPE)
            | (K::DOMAIN_REF, K::DROP_DOMAIN) => Class::Type,
            (K::ROLE_NAME_REF, K::ROLE_REF)
                if around.next().is_some_and(|kind| kind == K::REVOKE_COMMAND) =>
            {
                Class::Column
            }
            (K::ROLE | K::ROLE_NAME_REF, _) => Class::Role,
            (K::LANGUAGE_REF, _) => Class::Any,
            (name, _) if COLUMNS.contains(&name) => Class::Column,
            _ => return None,
        })
    }

    /// Whether a name of this class can be the keyword `kind`.
    pub(super) fn accepts(self, kind: Kind) -> bool {
        let (reserved, column, function) =
            (is_reserved_keyword(kind), is_col_name_keyword(kind), is_type_func_name_keyword(kind));
        match self {
            Class::Column => !reserved && !function,
            Class::Value => !function || kind == Kind::CURRENT_SCHEMA_KW,
            Class::From => (!reserved && !function) || VALUES.contains(&kind),
            Class::Function | Class::Routine => !reserved && !column,
            Class::Call => !NEVER_CALLED.contains(&kind),
            Class::Label => !AS_LABELS.contains(&kind),
            Class::Type => !reserved && (!column || TYPES.contains(&kind)),
            Class::Role => !reserved && kind != Kind::NONE_KW,
            Class::Any => !reserved,
        }
    }
}

/// Functions without parentheses (gram.y, `func_expr_common_subexpr`).
const VALUES: &[Kind] = &[
    Kind::CURRENT_CATALOG_KW,
    Kind::CURRENT_DATE_KW,
    Kind::CURRENT_ROLE_KW,
    Kind::CURRENT_SCHEMA_KW,
    Kind::CURRENT_TIME_KW,
    Kind::CURRENT_TIMESTAMP_KW,
    Kind::CURRENT_USER_KW,
    Kind::LOCALTIME_KW,
    Kind::LOCALTIMESTAMP_KW,
    Kind::SESSION_USER_KW,
    Kind::USER_KW,
];

/// Keywords of the names of columns that are neither a call nor a type with a modifier.
const NEVER_CALLED: &[Kind] = &[
    Kind::BETWEEN_KW,
    Kind::BIGINT_KW,
    Kind::BOOLEAN_KW,
    Kind::INOUT_KW,
    Kind::INT_KW,
    Kind::INTEGER_KW,
    Kind::NONE_KW,
    Kind::OUT_KW,
    Kind::PRECISION_KW,
    Kind::REAL_KW,
    Kind::SETOF_KW,
    Kind::SMALLINT_KW,
    Kind::VALUES_KW,
    Kind::XMLATTRIBUTES_KW,
    Kind::XMLNAMESPACES_KW,
    Kind::XMLTABLE_KW,
];

/// Keywords that are a label only after `AS` (kwlist.h, `AS_LABEL`), and that the parser reads as one.
const AS_LABELS: &[Kind] = &[
    Kind::CHAR_KW,
    Kind::CHARACTER_KW,
    Kind::DAY_KW,
    Kind::FILTER_KW,
    Kind::HOUR_KW,
    Kind::MINUTE_KW,
    Kind::MONTH_KW,
    Kind::OVER_KW,
    Kind::OVERLAPS_KW,
    Kind::PRECISION_KW,
    Kind::SECOND_KW,
    Kind::VARYING_KW,
    Kind::WITHIN_KW,
    Kind::WITHOUT_KW,
    Kind::YEAR_KW,
];

/// The nodes of names that are a `ColId`.
const COLUMNS: &[Kind] = &[
    Kind::ACCESS_METHOD_REF,
    Kind::CHANNEL,
    Kind::CHANNEL_REF,
    Kind::COLLATION,
    Kind::COLLATION_REF,
    Kind::COLUMN_NAME,
    Kind::COLUMN_NAME_REF,
    Kind::COMPOSITE_FIELD,
    Kind::CONFIG_PARAMETER_REF,
    Kind::CONSTRAINT_NAME,
    Kind::CONSTRAINT_NAME_REF,
    Kind::CTE_NAME,
    Kind::CURSOR,
    Kind::DOMAIN,
    Kind::DOMAIN_REF,
    Kind::EXTENSION,
    Kind::EXTENSION_REF,
    Kind::INDEX,
    Kind::INDEX_REF,
    Kind::OP_CLASS_REF,
    Kind::POLICY,
    Kind::POLICY_REF,
    Kind::PREPARED_STATEMENT,
    Kind::PREPARED_STATEMENT_REF,
    Kind::PUBLICATION,
    Kind::PUBLICATION_REF,
    Kind::QUALIFIED_COLUMN_NAME_REF,
    Kind::RELATION_NAME_REF,
    Kind::RULE,
    Kind::RULE_REF,
    Kind::SAVEPOINT,
    Kind::SCHEMA,
    Kind::SCHEMA_REF,
    Kind::SEQUENCE,
    Kind::SEQUENCE_REF,
    Kind::SERVER,
    Kind::SERVER_REF,
    Kind::STATISTICS,
    Kind::STATISTICS_REF,
    Kind::SUBSCRIPTION,
    Kind::SUBSCRIPTION_REF,
    Kind::TABLESPACE_REF,
    Kind::TABLE_ALIAS,
    Kind::TABLE_NAME,
    Kind::TABLE_NAME_REF,
    Kind::TRIGGER,
    Kind::TRIGGER_REF,
    Kind::TYPE_NAME,
    Kind::TYPE_NAME_REF,
    Kind::VIEW,
    Kind::VIEW_REF,
    Kind::WINDOW,
    Kind::WINDOW_REF,
];
