//! Takes the comments out of a script that another tool acts on, and puts values in the place of variables.

use migrate_set::set::TransactionMode;
use migrate_set::sql::kind::{StatementKind, kind};
use migrate_set::sql::lexer::{Token, TokenKind, lex};
use migrate_set::sql::split::split;

use super::Tool;
use crate::directives::{Directive, directive};

/// The text in which only the comments of `tool` and our own are directives: any other comment that would be one gets
/// other words.
pub(super) fn with_marks_of(tool: &Tool, text: &str) -> String {
    let Some(marks) = tool.marks else { return text.to_owned() };
    let is_its_own = |comment: &str| {
        let body = comment.trim_start_matches('-').trim().to_ascii_lowercase();
        let is_mark =
            body.starts_with("migrate:") || marks.iter().any(|mark| body.starts_with(mark));
        // Values are put in when the folder is converted.
        is_mark && !body.starts_with("+goose envsub")
    };
    let mut written = String::with_capacity(text.len());
    for token in lex(text) {
        let comment = token.text(text);
        let is_foreign = token.kind == TokenKind::LineComment
            && !is_its_own(comment)
            && directive(comment) != Ok(None);
        if is_foreign {
            written += "-- comment: ";
            written += comment.trim_start_matches('-').trim_start();
        } else {
            written += comment;
        }
    }
    written
}

/// The text of these tokens without what another tool's comments say, and without empty lines around it.
pub(super) fn without_marks(text: &str, tokens: &[Token]) -> String {
    let mut written = String::new();
    let mut skips_line_end = false;
    for token in tokens {
        let part = token.text(text);
        if token.kind == TokenKind::LineComment && is_taken(part) {
            skips_line_end = written.is_empty() || written.ends_with('\n');
            continue;
        }
        let part = if skips_line_end { part.strip_prefix('\n').unwrap_or(part) } else { part };
        skips_line_end = false;
        written += part;
    }
    let start = written.len() - written.trim_start_matches(['\n', ' ', '\t']).len();
    let start = written[..start].rfind('\n').map_or(0, |at| at + 1);
    written[start..].trim_end().to_owned()
}

/// Whether a comment says what the new file says in its own way, or what only the tool needs.
fn is_taken(comment: &str) -> bool {
    let body = comment.trim_start_matches('-').trim();
    let of_tool = ["depends:", "! Previous:", "! Hash:", "! Message:"];
    of_tool.iter().any(|start| body.starts_with(start))
        || matches!(
            directive(comment),
            Ok(Some(
                Directive::Section { .. }
                    | Directive::Divider
                    | Directive::StatementBegin
                    | Directive::StatementEnd
                    | Directive::Transaction(_)
                    | Directive::FileTransaction(_)
            ))
        )
}

/// How a script runs: as its tool says, and outside a transaction if a statement of it cannot run in one.
pub(super) fn mode(text: &str, said: TransactionMode) -> TransactionMode {
    let tokens = lex(text);
    let statements = split(text, &tokens).unwrap_or_default();
    let is_outside = |one| matches!(kind(text, one), StatementKind::OutsideTransaction(_));
    if statements.iter().any(is_outside) { TransactionMode::NonTransactional } else { said }
}

/// The statements of a script as they are sent one by one, or in a transaction of its own; `None` if one has data, which
/// is not sent like that.
pub(super) fn sent(text: &str, mode: TransactionMode) -> Option<Vec<String>> {
    let tokens = lex(text);
    let statements = split(text, &tokens).ok()?;
    let all = statements
        .iter()
        .map(|one| one.data().is_none().then(|| text[one.start()..one.end()].to_owned()));
    let all: Vec<String> = all.collect::<Option<_>>()?;
    let is_alone = mode == TransactionMode::NonTransactional;
    let around = |word: &str| (!is_alone).then(|| word.to_owned());
    Some(around("BEGIN").into_iter().chain(all).chain(around("COMMIT")).collect())
}

/// Whether a script has a statement.
pub(super) fn has_statements(text: &str) -> bool {
    let tokens = lex(text);
    split(text, &tokens).map_or(true, |statements| !statements.is_empty())
}

/// The text with values instead of the variables `${name}`, and of psql's `:name`, `:'name'` and `:"name"`; the latter
/// also inside strings if `everywhere`.
pub(super) fn replaced(text: &str, values: &[(String, String)], everywhere: bool) -> String {
    values.iter().fold(with_values(text, values), |text, (name, value)| {
        with_variable(&text, name, value, everywhere)
    })
}

/// The text with values instead of the variables `${name}` only.
pub(super) fn with_values(text: &str, values: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        // Most texts have no variables, and there can be thousands of values.
        if !text.contains("${") {
            break;
        }
        text = text.replace(&format!("${{{name}}}"), value);
    }
    text
}

fn with_variable(text: &str, name: &str, value: &str, everywhere: bool) -> String {
    let forms = [
        (name.to_owned(), value.to_owned()),
        (format!("'{name}'"), format!("'{}'", value.replace('\'', "''"))),
        (format!("\"{name}\""), format!("\"{}\"", value.replace('"', "\"\""))),
    ];
    if !forms.iter().any(|(form, _)| text.contains(&format!(":{form}"))) {
        return text.to_owned();
    }
    let tokens = lex(text);
    let mut written = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let part = token.text(text);
        let next = tokens.get(at + 1).filter(|_| part == ":").map(|next| next.text(text));
        let form = next.and_then(|next| forms.iter().find(|(form, _)| form == next));
        let is_body = matches!(token.kind, TokenKind::String | TokenKind::DollarString);
        match form {
            Some((_, value)) => written += value,
            None if is_body && everywhere => written += &inside(part, name, value),
            None => written += part,
        }
        at += if form.is_some() { 2 } else { 1 };
    }
    written
}

/// `:NAME` in a literal, as a word.
fn inside(literal: &str, name: &str, value: &str) -> String {
    let mut written = String::new();
    let mut rest = literal;
    while let Some(at) = rest.find(&format!(":{name}")) {
        let end = at + 1 + name.len();
        let is_word = !rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && !rest[..at].ends_with(':');
        written += &rest[..at];
        written += if is_word { value } else { &rest[at..end] };
        rest = &rest[end..];
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::super::tool::named;
    use super::*;

    #[test]
    fn comments_of_other_tools_are_remarks() {
        let check = |tool: &str, text: &str, expected: &str| {
            let tool = named(tool).expect("a tool");
            assert_eq!(with_marks_of(tool, text), expected);
        };
        check(
            "prisma",
            "SELECT 1;\n-- DOWN\nSELECT '-- UP';",
            "SELECT 1;\n-- comment: DOWN\nSELECT '-- UP';",
        );
        check("goose", "-- +goose Up\n-- UP\n", "-- +goose Up\n-- comment: UP\n");
        check("pgdbm", "-- UP\n", "-- UP\n");
        check("goose", "-- up to here", "-- up to here");
    }

    #[test]
    fn marks_leave_no_empty_lines() {
        let check = |text: &str, expected: &str| {
            assert_eq!(without_marks(text, &lex(text)), expected, "{text}");
        };
        check(
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n",
            "SELECT 1;",
        );
        check("-- up\n  -- a remark\n  SELECT 1;\n\n", "  -- a remark\n  SELECT 1;");
        check(
            "SELECT 1--> statement-breakpoint\nSELECT 2",
            "SELECT 1--> statement-breakpoint\nSELECT 2",
        );
    }

    #[test]
    fn values_replace_variables() {
        let check = |text: &str, everywhere: bool, expected: &str| {
            let values = [("who".to_owned(), "o'neil".to_owned())];
            assert_eq!(replaced(text, &values, everywhere), expected, "{text}");
        };
        check("GRANT a TO ${who};", false, "GRANT a TO o'neil;");
        check(
            "SELECT :'who', :\"who\", :who, x::who, ':who'",
            false,
            "SELECT 'o''neil', \"o'neil\", o'neil, x::who, ':who'",
        );
        check("DO $$ :who ::who :whom $$", true, "DO $$ o'neil ::who :whom $$");
    }
}
