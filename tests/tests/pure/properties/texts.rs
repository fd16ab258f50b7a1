//! The texts of the properties: tokens, sequences of them, and what can be between two.

use migrate_set::sql::lexer::{TokenKind, lex};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A word; not `end`, with which a statement would be a COMMIT, refused in a transaction.
fn word() -> impl Strategy<Value = String> {
    let known = ["select", "create", "function", "or", "replace", "procedure", "case", "e"];
    prop_oneof![
        3 => "[a-dA-D_é][a-d0-9_$é]{0,4}",
        1 => select(known.to_vec()).prop_map(str::to_owned),
    ]
}

/// The contents of literals: every character that has a meaning outside.
const INSIDE: &str = "[a-b;()\\-/*$\"{} \n\t1é]{0,6}";

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![INSIDE, Just("''".to_owned()), Just("\\".to_owned())];
    let prefix = select(vec!["", "", "", "B", "x", "N", "U&"]);
    (prefix, vec(piece, 0..3)).prop_map(|(prefix, pieces)| format!("{prefix}'{}'", pieces.concat()))
}

fn escape_string() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![INSIDE, select(vec!["''", "\\'", "\\\\", "\\n"]).prop_map(str::to_owned)];
    (select(vec!["E", "e"]), vec(piece, 0..3))
        .prop_map(|(prefix, pieces)| format!("{prefix}'{}'", pieces.concat()))
}

/// Between two segments of one literal.
pub(super) const SEGMENT_GAPS: &[&str] = &["\n", " \n ", "\n\n", "\n-- it's\n", " \n\t-- ;\n "];

/// A literal that continues on a later line.
fn continued_string() -> impl Strategy<Value = String> {
    let gap = select(SEGMENT_GAPS);
    let inside = "[a-b;\" ]{0,3}";
    (select(vec!["", "E", "N"]), inside, gap, inside)
        .prop_map(|(prefix, one, gap, two)| format!("{prefix}'{one}'{gap}'{two}'"))
}

fn quoted_identifier() -> impl Strategy<Value = String> {
    let piece = prop_oneof!["[a-b;()\\-/*$' é]{1,5}", Just("\"\"".to_owned())];
    (select(vec!["", "", "U&"]), vec(piece, 1..3))
        .prop_map(|(prefix, pieces)| format!("{prefix}\"{}\"", pieces.concat()))
}

fn dollar_string() -> impl Strategy<Value = String> {
    let inside = "[a-b;()\\-/*'\"{} \n1é]{0,8}";
    (select(vec!["", "a", "_1", "é"]), inside)
        .prop_map(|(tag, text)| format!("${tag}${text}${tag}$"))
}

fn number() -> impl Strategy<Value = String> {
    select(vec!["0", "1", "42", "1.5", ".5", "1e3", "1.5e-3", "0xFF", "1_000", "$1", "$23"])
        .prop_map(str::to_owned)
}

fn operator() -> impl Strategy<Value = String> {
    let all =
        ["=", "<", ">=", "->>", "#>>", "@>", "-|-", "||", "::", ":=", "=>", "+", "-", "*", "/"];
    select(all.to_vec()).prop_map(str::to_owned)
}

/// One token that is whole by itself, or a few in parentheses.
pub(super) fn token() -> impl Strategy<Value = Vec<String>> {
    let one = prop_oneof![
        6 => word(),
        2 => string(),
        1 => escape_string(),
        1 => continued_string(),
        1 => quoted_identifier(),
        2 => dollar_string(),
        2 => number(),
        2 => operator(),
        2 => select(vec![",", ".", "[", "]", ":", "{{schema}}", "{{tables.a}}"]).prop_map(str::to_owned),
    ];
    one.prop_map(|token| vec![token]).prop_recursive(2, 8, 3, |inner| {
        vec(inner, 0..3).prop_map(|inside| {
            let mut all = vec!["(".to_owned()];
            all.extend(inside.concat());
            all.push(")".to_owned());
            all
        })
    })
}

/// Tokens of a script, `;` among them: as written, none of them blank.
fn tokens() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![6 => token(), 1 => Just(vec![";".to_owned()])];
    vec(piece, 1..10).prop_map(|pieces| pieces.concat())
}

/// A `BEGIN ATOMIC` routine or not, before the rest.
pub(super) fn script() -> impl Strategy<Value = Vec<String>> {
    let routine = "create function f ( ) begin atomic select 1 ; case 2 end ; end ;";
    let routine: Vec<String> = routine.split(' ').map(str::to_owned).collect();
    prop_oneof![5 => Just(Vec::new()), 1 => Just(routine)]
        .prop_flat_map(|head| tokens().prop_map(move |rest| [head.clone(), rest].concat()))
}

/// Blanks and comments that can be between any two tokens. A line feed alone is none: between
/// two literals it means that the second continues the first.
pub(super) fn gap() -> impl Strategy<Value = String> {
    let piece = select(vec![
        " ", "\t", "  ", "\x0b", "\x0c", "/**/", "/* it's; \" $$ ( */", "/* /* ; */\n*/", "/*--*/",
        " -- it's; $$ ( /*\n", " --\n", "\n", "\n\n",
    ]);
    vec(piece, 1..3).prop_map(|pieces| pieces.concat())
}

/// `tokens` with `gaps` between them; each gap begins with a comment, so that a literal after
/// another does not become its continuation.
pub(super) fn joined(tokens: &[String], gaps: &[String]) -> String {
    let mut text = String::new();
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 {
            text.push_str("/**/");
            if !gaps.is_empty() {
                text.push_str(&gaps[index % gaps.len()]);
            }
        }
        text.push_str(token);
    }
    text
}

/// `tokens` as people write them.
fn plain(tokens: &[String]) -> String {
    tokens.join(" ")
}

/// A sequence of tokens, or characters in any order; no psql meta command, which is in no set.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => (script(), vec(gap(), 0..4)).prop_map(|(tokens, gaps)| joined(&tokens, &gaps)),
        1 => script().prop_map(|tokens| plain(&tokens)),
        1 => script().prop_map(|tokens| tokens.concat()),
        2 => "[a-cE'\"$;()\\-/* \n\r.:=<>+@{}1é]{0,40}",
    ]
    .prop_filter("a psql meta command", |text| {
        lex(text).iter().all(|token| token.kind != TokenKind::Backslash)
    })
}
