//! The words of definitions in one spelling, so that what is the same to the server is the same text.

use crate::lint::retype::{spelled, typed};
use crate::syntax::tree::{At, Kind};

/// The options that a function has by default.
pub(super) const DEFAULTS: &[&str] = &[
    "called on null input", "cost 100", "not leakproof", "parallel unsafe", "security invoker",
    "volatile",
];

/// An option of a function in one spelling.
pub(super) fn option(at: At<'_>) -> String {
    if at.kind() != Kind::AS_FUNC_OPTION {
        return canonical(at).replace('\'', "");
    }
    let text = at.text().trim_start_matches(['a', 'A']).trim_start_matches(['s', 'S']).trim();
    let body = match text.strip_prefix('$').and_then(|rest| rest.split_once('$')) {
        Some((tag, rest)) => rest.strip_suffix(&format!("${tag}$")).unwrap_or(rest).to_owned(),
        None => text.trim_matches('\'').replace("''", "'"),
    };
    format!("as {}", body.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The words of a node in one spelling.
pub(super) fn canonical(at: At<'_>) -> String {
    spelling(at, &at.tokens().iter().map(|token| (token.kind, token.start)).collect::<Vec<_>>())
}

fn spelling(at: At<'_>, kept: &[(Kind, usize)]) -> String {
    let mut text = String::new();
    let tokens = at.tokens().iter().filter(|token| kept.contains(&(token.kind, token.start)));
    for token in tokens {
        let word = at.text_of(*token);
        let quoted = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        let plain = |word: &&str| {
            word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let word = match (quoted.filter(plain), token.kind) {
            (Some(quoted), _) => quoted.to_owned(),
            (None, Kind::STRING | Kind::DOLLAR_QUOTED_STRING | Kind::ESC_STRING) => word.to_owned(),
            (None, _) if word.starts_with('"') => word.to_owned(),
            (None, _) => word.to_ascii_lowercase(),
        };
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&word);
    }
    spelled_types(&text.replace("public . ", "").replace("pg_catalog . ", ""))
}

/// The words of types that have several spellings, in one.
fn spelled_types(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut kept: Vec<&str> = Vec::with_capacity(words.len());
    let mut rest = words.as_slice();
    while let Some(first) = rest.first() {
        let (word, count) = match rest {
            ["character", "varying", ..] => ("varchar", 2),
            ["double", "precision", ..] => ("float8", 2),
            ["timestamp", "with", "time", "zone", ..] => ("timestamptz", 4),
            ["timestamp", "without", "time", "zone", ..] => ("timestamp", 4),
            ["int" | "integer" | "bigint" | "smallint" | "boolean" | "decimal" | "real", ..] => {
                (spelled(first), 1)
            }
            _ => (*first, 1),
        };
        kept.push(word);
        rest = rest.get(count..).unwrap_or_default();
    }
    kept.join(" ")
}

/// The words of a node without those of these children.
pub(super) fn without(at: At<'_>, skip: &[Kind]) -> String {
    let skipped: Vec<std::ops::Range<usize>> =
        at.children().filter(|child| skip.contains(&child.kind())).map(At::range).collect();
    let inside = |start: usize| skipped.iter().any(|range| range.contains(&start));
    let kept = at.tokens().iter().filter(|token| !inside(token.start));
    spelling(at, &kept.map(|token| (token.kind, token.start)).collect::<Vec<_>>())
}

/// The expression of a default, without its keywords and casts.
pub(super) fn value_of(at: At<'_>) -> String {
    let text = at.children().next().map(canonical).unwrap_or_default();
    let mut rest = text.trim();
    while let Some(inner) = rest.strip_prefix("( ").and_then(|rest| rest.strip_suffix(" )")) {
        if inner.contains(['(', ')']) {
            break;
        }
        rest = inner.trim();
    }
    let value = rest.split(" : : ").next().unwrap_or(rest).split(" :: ").next().unwrap_or(rest);
    match value {
        "null" => String::new(),
        "'t'" | "'true'" => "true".to_owned(),
        "'f'" | "'false'" => "false".to_owned(),
        value => value.to_owned(),
    }
}

/// A type in one spelling, with its length or precision, and whether it is a serial one.
pub(super) fn column_type(at: At<'_>) -> (String, bool) {
    let text = canonical(at).replace(" . ", ".");
    let is_serial = ["serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"];
    let is_serial = is_serial.contains(&text.as_str());
    (typed(&text).map_or(text, |known| known.to_string()), is_serial)
}

/// What a constraint is, with the columns that it names; without the table that a foreign key refers to, which
/// can get another name.
pub(super) fn definition(at: At<'_>, columns: &[String]) -> String {
    let listed = columns.join(" , ");
    let deferrable =
        [Kind::DEFERRABLE_CONSTRAINT_OPTION, Kind::INITIALLY_DEFERRED_CONSTRAINT_OPTION];
    let is_deferrable = deferrable.iter().any(|kind| at.find(*kind).is_some());
    let end = if is_deferrable { " deferrable" } else { "" };
    match at.kind() {
        Kind::PRIMARY_KEY_CONSTRAINT => format!("primary key ( {listed} ){end}"),
        Kind::UNIQUE_CONSTRAINT => format!("unique ( {listed} ){end}"),
        Kind::FOREIGN_KEY_CONSTRAINT | Kind::REFERENCES_CONSTRAINT => {
            let actions = [Kind::ON_DELETE_ACTION, Kind::ON_UPDATE_ACTION].into_iter();
            let actions = actions.filter_map(|kind| at.child(kind)).map(canonical);
            let actions = actions.filter(|action| !action.ends_with("no action"));
            let actions = actions.collect::<Vec<_>>().join(" ");
            format!("foreign key ( {listed} ) {actions}{end}")
        }
        _ => without(at, &[Kind::CONSTRAINT_NAME_CLAUSE, Kind::NOT_VALID]),
    }
}
