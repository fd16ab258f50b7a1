//! Reads names as the server does: folded, without quotes, and 63 bytes long.

use std::ops::Range;

use crate::syntax::tree::{At, Kind};

/// The bytes that the server keeps of a name (`NAMEDATALEN`).
pub(super) const LENGTH: usize = 63;

/// A name, with its schema or its table if that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) qualifier: Option<String>,
    pub(super) name: String,
    /// Its bytes in the file.
    pub(super) span: Range<usize>,
}

impl Path {
    /// The path in a node of a name; `None` if it is not known before the run.
    pub(super) fn of(at: At<'_>) -> Option<Path> {
        if let Some(name) = name(at) {
            return Some(Path { qualifier: None, name, span: at.span() });
        }
        let mut parts = parts(at)?;
        let name = parts.pop()?;
        Some(Path { qualifier: parts.pop(), name, span: at.span() })
    }

    /// The path of `schema.table.column`: that of the table, and the column.
    pub(super) fn of_column(at: At<'_>) -> Option<(Path, String)> {
        let mut parts = parts(at)?;
        let (column, name) = (parts.pop()?, parts.pop()?);
        Some((Path { qualifier: parts.pop(), name, span: at.span() }, column))
    }

    /// The path in a string, such as that of `nextval('s')`.
    pub(super) fn of_string(at: At<'_>) -> Option<Path> {
        let text = string(at)?;
        let parts: Vec<&str> = text.split('.').collect();
        let plain = |part: &&str| {
            part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && part.bytes().next().is_some_and(|b| !b.is_ascii_digit())
        };
        let quoted = |part: &&str| {
            part.len() > 2
                && part.starts_with('"')
                && part.ends_with('"')
                && !part[1..part.len() - 1].contains('"')
        };
        if !parts.iter().all(|part| plain(part) || quoted(part)) || parts.len() > 2 {
            return None;
        }
        let mut parts: Vec<String> = parts.into_iter().map(folded).collect::<Option<_>>()?;
        let name = parts.pop()?;
        Some(Path { qualifier: parts.pop(), name, span: at.span() })
    }
}

/// The parts of a name between its dots.
pub(super) fn parts(at: At<'_>) -> Option<Vec<String>> {
    let names = at.tokens().iter().filter(|token| token.kind != Kind::DOT);
    names.map(|token| folded(at.text_of(*token))).collect()
}

/// A name of one part.
pub(super) fn name(at: At<'_>) -> Option<String> {
    match at.tokens() {
        [token] => folded(at.text_of(*token)),
        _ => None,
    }
}

/// The contents of a string without escapes.
pub(super) fn string(at: At<'_>) -> Option<String> {
    let text = at.text();
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.contains('{') && !inner.contains('\n')).then(|| inner.replace("''", "'"))
}

/// A word as the server reads it; `None` for a placeholder and for escapes of characters.
pub(super) fn folded(word: &str) -> Option<String> {
    if let [b'"', .., b'"'] = word.as_bytes() {
        let quoted = &word[1..word.len() - 1];
        return (!quoted.contains('{')).then(|| cut(&quoted.replace("\"\"", "\"")).to_owned());
    }
    let (mut is_upper, mut is_other) = (false, false);
    let (bytes, mut at) = (word.as_bytes(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'$' => {}
            b'A'..=b'Z' => is_upper = true,
            128.. => is_other = true,
            _ => return None,
        }
        at += 1;
    }
    if is_other && !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
        return None;
    }
    let mut name = cut(word).to_owned();
    if is_upper {
        name.make_ascii_lowercase();
    }
    Some(name)
}

/// The part of a name that the server keeps.
pub(super) fn cut(name: &str) -> &str {
    if name.len() <= LENGTH {
        return name;
    }
    clip(name, LENGTH)
}

/// The name that the server makes of a table, its columns and a label (`makeObjectName`).
pub(super) fn made(table: &str, columns: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!columns.is_empty());
    let room = LENGTH.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let (first, second) = (clip(table, first), clip(columns, second));
    if columns.is_empty() {
        format!("{first}_{label}")
    } else {
        format!("{first}_{second}_{label}")
    }
}

/// The characters that are in the first `end` bytes.
fn clip(text: &str, mut end: usize) -> &str {
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_cut() {
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(folded(written).as_deref(), expected, "{written}");
        };
        check("Users", Some("users"));
        check("\"Users\"", Some("Users"));
        check("\"a\"\"b\"", Some("a\"b"));
        check("{{schema}}", None);
        check("U&\"x\"", None);
        check(&"x".repeat(70), Some(&"x".repeat(63)));
        check(&"é".repeat(40), Some(&"é".repeat(31)));
    }

    #[test]
    fn made_names_are_those_of_the_server() {
        let check = |table: &str, columns: &str, label: &str, expected: &str| {
            assert_eq!(made(table, columns, label), expected);
        };
        check("users", "", "pkey", "users_pkey");
        check("users", "email", "key", "users_email_key");
        let long = "a".repeat(60);
        check(&long, "", "pkey", &format!("{}_pkey", "a".repeat(58)));
        check(&long, &"b".repeat(60), "key", &format!("{}_{}_key", "a".repeat(29), "b".repeat(29)));
    }
}
