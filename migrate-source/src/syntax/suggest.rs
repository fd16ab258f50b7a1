//! Suggests the keyword that a misspelt word was meant to be.

use squawk_parser::SyntaxKind as Kind;

use super::message::Found;
use crate::directives::edit_distance;

/// Keywords of migrations, the most frequent first.
const KEYWORDS: &[&str] = &[
    "TABLE", "CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE", "SELECT", "FROM", "WHERE",
    "NOT", "INTO", "VALUES", "SET", "NULL", "DEFAULT", "PRIMARY", "KEY", "REFERENCES", "UNIQUE",
    "CHECK", "CONSTRAINT", "FOREIGN", "COLUMN", "INDEX", "TYPE", "ADD", "RENAME", "USING", "ON",
    "CASCADE", "RESTRICT", "EXISTS", "FUNCTION", "PROCEDURE", "TRIGGER", "VIEW", "MATERIALIZED",
    "SCHEMA", "SEQUENCE", "EXTENSION", "DOMAIN", "POLICY", "ROLE", "COMMENT", "GRANT", "REVOKE",
    "REPLACE", "RETURNS", "RETURNING", "LANGUAGE", "EXECUTE", "BEFORE", "AFTER", "EACH", "BEGIN",
    "COMMIT", "TRUNCATE", "CONCURRENTLY", "GENERATED", "ALWAYS", "IDENTITY", "STORED", "COLLATE",
    "CONFLICT", "NOTHING", "JOIN", "INNER", "OUTER", "LEFT", "RIGHT", "GROUP", "ORDER", "HAVING",
    "LIMIT", "UNION", "WITH", "CASE", "WHEN", "THEN", "ELSE", "END", "PARTITION", "INCLUDE",
    "VALIDATE", "DEFERRABLE", "INITIALLY", "TEMPORARY", "OWNER", "PRIVILEGES", "DISTINCT",
];

/// `did you mean ...?`, for the word that the parser complains about or for the one before it,
/// which the parser may have read as a name.
pub(super) fn suggestion(wanted: &str, found: &Found<'_>) -> Option<String> {
    let here = word(found.text, found.kind).and_then(|word| nearest(word, wanted, 2));
    if let Some(keyword) = here {
        return Some(format!("did you mean `{keyword}`?"));
    }
    let before = word(found.previous, found.previous_kind)?;
    let keyword = nearest(before, wanted, 1)?;
    Some(format!("did you mean `{keyword}` instead of `{before}`?"))
}

/// A token that is a word but not a keyword.
fn word(text: Option<&str>, kind: Option<Kind>) -> Option<&str> {
    text.filter(|text| kind == Some(Kind::IDENT) && text.is_ascii() && !text.starts_with('"'))
}

/// The keyword at most `most` edits from `word`, or fewer if it is short; wanted keywords come
/// first.
fn nearest<'w>(word: &str, wanted: &'w str, most: usize) -> Option<&'w str> {
    let most = match word.len() {
        0..=2 => return None,
        3..=5 => 1,
        _ => most,
    };
    let upper = word.to_ascii_uppercase();
    let keyword = |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase());
    let wanted = wanted.split([' ', ',']).filter(keyword);
    // A word can be as long as a file, and is that far from each keyword.
    let is_close = |known: &&str| known.len().abs_diff(upper.len()) <= most;
    let known = wanted.chain(KEYWORDS.iter().copied()).filter(is_close);
    let near = known.map(|known| (edit_distance(&upper, known), known));
    near.filter(|(edits, _)| *edits <= most).min_by_key(|(edits, _)| *edits).map(|(_, known)| known)
}
