//! Rewrites raw messages of the parser, such as `expected NULL_KW`, for the author of the SQL.

use migrate_set::text::masked;
use squawk_parser::{SyntaxKind as Kind, is_reserved_keyword};

use super::dialects::of_another_database;
use super::mistakes::{missing, usual};
use super::rules::{BARE, NO_COLUMN, NO_DEFAULT, NO_NAME};
use super::suggest::suggestion;
use super::tree::kinds;

/// The token that the parser complains about.
#[derive(Clone, Copy)]
pub(super) struct Found<'s> {
    /// Its index among the tokens of the statement.
    pub(super) index: usize,
    /// Its text; `None` at the end of the statement.
    pub(super) text: Option<&'s str>,
    /// Its kind.
    pub(super) kind: Option<Kind>,
    /// The text of the token before it.
    pub(super) previous: Option<&'s str>,
    /// The kind of the token before it.
    pub(super) previous_kind: Option<Kind>,
    /// The text of the token before that.
    pub(super) earlier: Option<&'s str>,
    /// The text of the token after it.
    pub(super) next: Option<&'s str>,
    /// The first two words of the statement.
    pub(super) begin: [Option<&'s str>; 2],
}

/// How many characters of a token are shown.
const SHOWN: usize = 30;

/// What to do if the parser is wrong.
const IS_VALID: &str =
    "the server accepts it as it is, write `-- migrate:allow syntax because REASON`";

/// The sentence for the raw message `raw`.
pub(super) fn message(raw: &str, found: &Found<'_>) -> String {
    let shown = shown(found);
    if raw.starts_with("unexpected comma") || raw.starts_with("unexpected closing comma") {
        return "unexpected `,`".to_owned();
    }
    if raw == "unexpected trailing comma" {
        return "unexpected trailing `,`".to_owned();
    }
    if raw == "expected an expression before it" {
        return format!("expected an expression before {shown}");
    }
    match wanted(raw, found) {
        Some(wanted) => format!("expected {wanted}, found {shown}"),
        None if raw.starts_with("unexpected token") => format!("unexpected {shown}"),
        None => lower_first(&words(raw.trim_end_matches('.'))),
    }
}

/// The next action for the raw message `raw`.
pub(super) fn help(raw: &str, found: &Found<'_>) -> String {
    let wanted = wanted(raw, found).unwrap_or_default();
    if let Some(suggestion) = suggestion(&wanted, found) {
        return suggestion;
    }
    if let Some(help) = usual(&wanted, found).or_else(|| of_another_database(&wanted, found)) {
        return help.to_owned();
    }
    let help = match found.text {
        Some("<<<<<<<" | "|||||||" | "=======" | ">>>>>>>") => "resolve the merge conflict",
        Some(word) if follows_exists(found) => {
            return format!("write `{0}` before `IF`", word.to_ascii_uppercase());
        }
        _ if raw == BARE => {
            "an index or a partition key accepts columns, function calls, and expressions in their \
             own parentheses: `((a || b))`"
        }
        _ if raw == NO_DEFAULT => {
            "write the default value; with AND, OR or NOT it needs parentheses"
        }
        Some(_) if wanted == "`;`" => "end the statement before it with `;`",
        Some(",") if raw.contains("comma") => "remove the comma",
        Some(word) if raw == NO_NAME || raw == NO_COLUMN || name_is_reserved(&wanted, found) => {
            return format!("it is a reserved word; to use it as a name, write `\"{word}\"`");
        }
        None => "complete the statement, or remove the `;` that ends it too early",
        Some(word) if begins_statement(word) => "is a `;` missing before it?",
        Some(_) => {
            return match missing(&wanted) {
                Some(word) => format!("is `{word}` missing before it? If {IS_VALID}"),
                None => format!("fix it; if {IS_VALID}"),
            };
        }
    };
    help.to_owned()
}

/// Whether it is `COLUMN` or `CONSTRAINT` after `IF [NOT] EXISTS`, where a name is.
fn follows_exists(found: &Found<'_>) -> bool {
    found.previous_kind == Some(Kind::EXISTS_KW)
        && matches!(found.kind, Some(Kind::COLUMN_KW | Kind::CONSTRAINT_KW))
}

/// Whether a word usually begins a statement, so that a `;` could be missing before it.
fn begins_statement(word: &str) -> bool {
    ["alter", "create", "drop", "insert", "update", "delete", "grant", "revoke", "truncate"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether the token is a reserved word where a name is wanted, and does not begin a clause.
fn name_is_reserved(wanted: &str, found: &Found<'_>) -> bool {
    let list_begins = wanted == "`)`" && matches!(found.previous, Some("(" | ","));
    let clause = *kinds![
        WHERE_KW, FROM_KW, SELECT_KW, INTO_KW, ON_KW, AS_KW, NOT_KW, USING_KW, RETURNING_KW
    ];
    (list_begins || wanted.contains("name"))
        && found.kind.is_some_and(|kind| is_reserved_keyword(kind) && !clause.contains(&kind))
}

/// The first line of a token, truncated if it is long.
fn shown(found: &Found<'_>) -> String {
    let text = match found.text {
        None => return "the end of the statement".to_owned(),
        Some("`") => return "a backquote".to_owned(),
        Some(text) => text,
    };
    let both = format!("{} {text}", found.previous.unwrap_or_default());
    if masked(&both) != both {
        return "a password".to_owned();
    }
    let line = text.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(SHOWN).collect();
    if cut.len() < text.len() { format!("`{cut}...`") } else { format!("`{cut}`") }
}

/// What the parser wanted, if the message says so.
fn wanted(raw: &str, found: &Found<'_>) -> Option<String> {
    if raw.starts_with("missing co") {
        return Some("`,`".to_owned());
    }
    let wanted = raw.strip_prefix("expected ").or_else(|| raw.strip_prefix("Expected "))?;
    let ends = [", got ", ", found ", " but got "];
    let wanted = ends.iter().find_map(|end| wanted.split_once(end)).map_or(wanted, |(w, _)| w);
    Some(match wanted {
        "command" if found.index == 0 || found.text.is_none() => "a statement".to_owned(),
        "command" => "the end of the statement".to_owned(),
        "name ref list" => "a list of names".to_owned(),
        "path name" | "simple type name" => format!("a {}", wanted.rsplit_once(' ')?.1),
        "start of a select statement" => "SELECT".to_owned(),
        "expression in atom_expr" | "an expression in target_el" => "an expression".to_owned(),
        "ident, year, month, day, hour, minute, second, or string" => "a field".to_owned(),
        "one of `*` or column list" => "`*` or a list of columns".to_owned(),
        "alter column option" => "TYPE, SET, DROP, ADD, RESET or RESTART".to_owned(),
        "table relation name" | "relation name" => "a table name".to_owned(),
        "select stmt" => "VALUES or SELECT".to_owned(),
        other => with_article(&words(other.trim_end_matches('.'))),
    })
}

/// The parser's names of tokens and nodes as they are written in SQL.
fn words(raw: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(',');
        let comma = &word[bare.len()..];
        let shown = match bare {
            "COMMA" | "comma" => "`,`",
            "L_PAREN" | "'('" => "`(`",
            "R_PAREN" => "`)`",
            "L_BRACK" => "`[`",
            "R_BRACK" => "`]`",
            "EQ" => "`=`",
            "DOT" => "`.`",
            "COLON" => "`:`",
            "COLON_COLON" => "`::`",
            "FAT_ARROW" => "`=>`",
            "STAR" => "`*`",
            "SEMICOLON" => "`;`",
            "IDENT" | "ident" | "identifier" | "path" => "name",
            "STRING" => "string",
            "INT_NUMBER" | "numeric" => "number",
            "expr" => "expression",
            "stmt" => "statement",
            "from_item" => "FROM item",
            "AT_TIME_ZONE" => "AT TIME ZONE",
            other => {
                let bare = other.strip_suffix("_KW").unwrap_or(other);
                return format!("{}{comma}", bare.replace('_', " "));
            }
        };
        format!("{shown}{comma}")
    };
    raw.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let lower = |first: char| match text.get(1..2) {
        // A word in capitals is a keyword.
        Some(second) if second.chars().all(char::is_uppercase) => first,
        _ => first.to_ascii_lowercase(),
    };
    chars.next().map(lower).into_iter().chain(chars).collect()
}

fn with_article(phrase: &str) -> String {
    let first = phrase.split(' ').next().unwrap_or_default();
    let plural = phrase.ends_with('s') && !phrase.ends_with("ss");
    let named = ["a", "an", "the", "at", "one", "parentheses"].contains(&first);
    match phrase.chars().next() {
        Some(c) if !c.is_lowercase() || named || plural => phrase.to_owned(),
        Some('a' | 'e' | 'i' | 'o') => format!("an {phrase}"),
        _ if phrase.starts_with("unsigned") => format!("an {phrase}"),
        _ => format!("a {phrase}"),
    }
}
