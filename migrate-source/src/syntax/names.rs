//! Decides which keywords can be a name where the parser found one (gram.y: `ColId`, `type_function_name`,
//! `NonReservedWord`, `ColLabel`).

use super::tree::{any_of, kinds};
use super::walk;
use squawk_parser::{
    SyntaxKind as Kind, is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword,
};

/// Keywords that not every supported server has: the others accept them as any name, and the server's version is not
/// known here (`SYSTEM_USER` and the first JSON functions since 16, `JSON` as one since 17).
const NEWER: &[Kind] = kinds![
    GRAPH_TABLE_KW, JSON_KW, JSON_ARRAY_KW, JSON_ARRAYAGG_KW, JSON_EXISTS_KW, JSON_OBJECT_KW,
    JSON_OBJECTAGG_KW, JSON_QUERY_KW, JSON_SCALAR_KW, JSON_SERIALIZE_KW, JSON_TABLE_KW,
    JSON_VALUE_KW, MERGE_ACTION_KW, SYSTEM_USER_KW
];

/// Whether a keyword is any name on some supported servers.
pub(super) fn is_newer(kind: Kind) -> bool {
    NEWER.contains(&kind)
}

/// Whether a keyword is never a name, on any supported server.
pub(super) fn is_reserved(kind: Kind) -> bool {
    is_reserved_keyword(kind) && !is_newer(kind)
}

/// Whether a keyword is a name of columns and the like, but not of functions and types.
pub(super) fn is_column_only(kind: Kind) -> bool {
    is_col_name_keyword(kind) && !is_newer(kind)
}

/// Whether a word in lower case is a keyword that has to be quoted to be the name of a table, a column or the
/// like (`quote_identifier`).
pub(crate) fn needs_quotes(word: &str) -> bool {
    walk::first(word).is_some_and(|kind| {
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
const TYPES: &[Kind] = kinds![
    BIGINT_KW, BIT_KW, BOOLEAN_KW, CHAR_KW, CHARACTER_KW, DEC_KW, DECIMAL_KW, FLOAT_KW, INT_KW,
    INTEGER_KW, INTERVAL_KW, NCHAR_KW, NUMERIC_KW, REAL_KW, SETOF_KW, SMALLINT_KW, TIME_KW,
    TIMESTAMP_KW, VARCHAR_KW
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
                any_of![
                    BIN_EXPR, TARGET, SORT_BY, GROUPING_EXPR, SET_EXPR, PARTITION_ITEM,
                    CONFLICT_INDEX_ITEM, FIELD_EXPR, WHERE_CLAUSE
                ],
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
            (K::QUALIFIED_COLUMN_NAME_REF, _) => Class::Column,
            (name, _) if is_column(name) => Class::Column,
            _ => return None,
        })
    }

    /// Whether a name of this class can be the keyword `kind`.
    pub(super) fn accepts(self, kind: Kind) -> bool {
        let (reserved, column, function) =
            (is_reserved(kind), is_column_only(kind), is_type_func_name_keyword(kind));
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
const VALUES: &[Kind] = kinds![
    CURRENT_CATALOG_KW, CURRENT_DATE_KW, CURRENT_ROLE_KW, CURRENT_SCHEMA_KW, CURRENT_TIME_KW,
    CURRENT_TIMESTAMP_KW, CURRENT_USER_KW, LOCALTIME_KW, LOCALTIMESTAMP_KW, SESSION_USER_KW,
    USER_KW
];

/// Keywords of the names of columns that are neither a call nor a type with a modifier.
const NEVER_CALLED: &[Kind] = kinds![
    BETWEEN_KW, BIGINT_KW, BOOLEAN_KW, INOUT_KW, INT_KW, INTEGER_KW, NONE_KW, OUT_KW, PRECISION_KW,
    REAL_KW, SETOF_KW, SMALLINT_KW, VALUES_KW, XMLATTRIBUTES_KW, XMLNAMESPACES_KW, XMLTABLE_KW
];

/// Keywords that are a label only after `AS` (kwlist.h, `AS_LABEL`), and that the parser reads as one.
const AS_LABELS: &[Kind] = kinds![
    CHAR_KW, CHARACTER_KW, DAY_KW, FILTER_KW, HOUR_KW, MINUTE_KW, MONTH_KW, OVER_KW, OVERLAPS_KW,
    PRECISION_KW, SECOND_KW, VARYING_KW, WITHIN_KW, WITHOUT_KW, YEAR_KW
];

/// Whether it is a node of a name that is a `ColId`.
fn is_column(node: Kind) -> bool {
    matches!(
        node,
        any_of![
            ACCESS_METHOD_REF, CHANNEL, CHANNEL_REF, COLLATION, COLLATION_REF, COLUMN_NAME,
            COLUMN_NAME_REF, COMPOSITE_FIELD, CONFIG_PARAMETER_REF, CONSTRAINT_NAME,
            CONSTRAINT_NAME_REF, CTE_NAME, CURSOR, DOMAIN, DOMAIN_REF, EXTENSION, EXTENSION_REF,
            INDEX, INDEX_REF, OP_CLASS_REF, POLICY, POLICY_REF, PREPARED_STATEMENT,
            PREPARED_STATEMENT_REF, PUBLICATION, PUBLICATION_REF, RELATION_NAME_REF, RULE,
            RULE_REF, SAVEPOINT, SCHEMA, SCHEMA_REF, SEQUENCE, SEQUENCE_REF, SERVER, SERVER_REF,
            STATISTICS, STATISTICS_REF, SUBSCRIPTION, SUBSCRIPTION_REF, TABLESPACE_REF,
            TABLE_ALIAS, TABLE_NAME, TABLE_NAME_REF, TRIGGER, TRIGGER_REF, TYPE_NAME,
            TYPE_NAME_REF, VIEW, VIEW_REF, WINDOW, WINDOW_REF
        ]
    )
}
