//! Finds the placeholders of a statement, including those inside literals, and reports look-alikes.

use std::ops::Range;

use thiserror::Error;

use super::{Placeholder, Within, meaning};
use crate::location::narrow;
use crate::sql::lexer::{Token, TokenKind};
use crate::sql::split::Statement;

/// A `{{...}}` that is not a valid placeholder, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceholderError {
    /// What is wrong.
    pub problem: PlaceholderProblem,
    /// The bytes to look at.
    pub span: (usize, usize),
}

/// What is wrong with a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlaceholderProblem {
    /// Neither `{{schema}}` nor `{{tables.name}}`.
    #[error("unknown placeholder `{written}`")]
    Unknown {
        /// As written.
        written: String,
    },
    /// A placeholder inside `"..."`, where its own quotes would end the identifier.
    #[error("`{written}` is inside a quoted identifier")]
    Quoted {
        /// As written.
        written: String,
    },
    /// `${name}`, the syntax of Flyway.
    #[error("`${{...}}` is a Flyway placeholder")]
    Flyway,
}

impl PlaceholderProblem {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown { written } if looks_like_go(written) => {
                "this looks like a Go template (tern, atlas); write the SQL it stands for".into()
            }
            Self::Unknown { .. } => {
                "the placeholders are `{{tables.NAME}}` and `{{schema}}`".into()
            }
            Self::Quoted { .. } => {
                "remove the double quotes: the value is quoted automatically".into()
            }
            Self::Flyway => "write the SQL it stands for, or use `{{schema}}`".into(),
        }
    }
}

fn looks_like_go(written: &str) -> bool {
    let inside = written.trim_matches(['{', '}', '-']).trim();
    let keywords = ["if ", "else", "end", "range ", "with ", "index ", "template ", "define "];
    inside.starts_with('.') || keywords.iter().any(|word| inside.starts_with(word))
}

/// All placeholders of `statement`, in order.
///
/// # Errors
/// Every unknown `{{...}}` outside a literal; inside a literal it is kept as it is.
pub fn placeholders(
    text: &str,
    statement: &Statement<'_>,
) -> Result<Vec<Placeholder>, Vec<PlaceholderError>> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    let mut previous: Option<&Token> = None;
    let mut flyway_to = 0;
    for token in statement.significant() {
        let written = token.text(text);
        match token.kind {
            TokenKind::Placeholder if meaning(written).is_some() => {
                found.push(placeholder(token.start, token.end, Within::Sql));
            }
            TokenKind::Placeholder => {
                let problem = PlaceholderProblem::Unknown { written: written.to_owned() };
                errors.push(PlaceholderError { problem, span: (token.start, token.end) });
            }
            TokenKind::String => found.extend(inside(written, token, Within::String)),
            TokenKind::EscapeString => found.extend(inside(written, token, Within::EscapeString)),
            TokenKind::DollarString => {
                found.extend(inside(written, token, Within::DollarString));
                errors.extend(go_templates(written, token.start));
            }
            TokenKind::QuotedIdentifier if known(written).next().is_some() => {
                let quoted = |written| PlaceholderProblem::Quoted { written };
                errors.extend(wrong(written, token.start, known(written), quoted));
            }
            TokenKind::QuotedIdentifier => errors.extend(go_templates(written, token.start)),
            TokenKind::Other if written == "{" && follows_dollar(text, previous, token) => {
                errors.push(flyway(text, token, &mut flyway_to));
            }
            _ => {}
        }
        previous = Some(token);
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// The error of a Flyway placeholder with this `{`. `to` is the end of the last one: there is one search for all on a
/// line that closes none.
fn flyway(text: &str, brace: &Token, to: &mut usize) -> PlaceholderError {
    if *to <= brace.end {
        let end = text[brace.end..].find(['}', '\n']).map(|at| brace.end + at + 1);
        *to = end.unwrap_or(text.len());
    }
    PlaceholderError { problem: PlaceholderProblem::Flyway, span: (brace.start - 1, *to) }
}

fn follows_dollar(text: &str, previous: Option<&Token>, token: &Token) -> bool {
    previous.is_some_and(|before| before.end == token.start && before.text(text).ends_with('$'))
}

fn placeholder(start: usize, end: usize, within: Within) -> Placeholder {
    Placeholder { start: narrow(start), end: narrow(end), within }
}

/// The known placeholders of the literal `token`.
fn inside(literal: &str, token: &Token, within: Within) -> impl Iterator<Item = Placeholder> {
    let offset = token.start;
    known(literal).map(move |(start, end)| placeholder(offset + start, offset + end, within))
}

/// Go templates in a body that runs or in a quoted name. A string can contain anything.
fn go_templates(quoted: &str, offset: usize) -> Vec<PlaceholderError> {
    let found = braced(quoted).map(|Braced { braces, end }| (braces.end - 2, end));
    let found = found.filter(|&(start, end)| {
        let written = &quoted[start..end];
        meaning(written).is_none() && looks_like_go(written) && !written.contains('\n')
    });
    wrong(quoted, offset, found, |written| PlaceholderProblem::Unknown { written })
}

/// The errors of the byte ranges `found` in `quoted`, which begins at the byte `offset`.
fn wrong(
    quoted: &str,
    offset: usize,
    found: impl Iterator<Item = (usize, usize)>,
    problem: impl Fn(String) -> PlaceholderProblem,
) -> Vec<PlaceholderError> {
    let error = |(start, end): (usize, usize)| PlaceholderError {
        problem: problem(quoted[start..end].to_owned()),
        span: (offset + start, offset + end),
    };
    found.map(error).collect()
}

/// The byte ranges of the known placeholders in `text`.
fn known(text: &str) -> impl Iterator<Item = (usize, usize)> {
    // Braces count in pairs from the first: of an odd number, the last is part of the name.
    braced(text).filter(|found| found.braces.len() % 2 == 0).filter_map(|Braced { braces, end }| {
        let start = braces.end - 2;
        meaning(&text[start..end]).map(|_| (start, end))
    })
}

/// Two or more `{`, and `}}` after them without another `{` between.
struct Braced {
    braces: Range<usize>,
    /// One past the `}}`.
    end: usize,
}

/// All of them in `text`. Each byte is read once: a search for `}}` from every `{{` would read a
/// long literal as many times as it has braces.
fn braced(text: &str) -> impl Iterator<Item = Braced> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(start) = text[from..].find("{{").map(|at| from + at) {
            let rest = text[start..].trim_start_matches('{');
            let braces = start..text.len() - rest.len();
            let next = rest.find('{').map_or(text.len(), |at| braces.end + at);
            from = next;
            if let Some(at) = text[braces.end..next].find("}}") {
                from = braces.end + at + 2;
                return Some(Braced { braces, end: from });
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::lex;
    use crate::sql::split::split;

    #[test]
    fn placeholders_of_a_literal_are_found_between_other_braces() {
        let check = |literal: &str, expected: &[&str]| {
            let found: Vec<&str> =
                known(literal).map(|(start, end)| &literal[start..end]).collect();
            assert_eq!(found, expected, "{literal}");
        };
        check(
            "'{{schema}} {{ schema }}{{tables.a}}'",
            &["{{schema}}", "{{ schema }}", "{{tables.a}}"],
        );
        check("'{{{{schema}}}}'", &["{{schema}}"]);
        check("'{{{schema}}}'", &[]);
        check("'{{ {{schema}} { {{a}} {{schema}'", &["{{schema}}"]);
        check("'{{ { schema}} {{tables.}}'", &[]);
    }

    #[test]
    fn other_templates_are_errors() {
        let check = |text: &str, message: &str, help: &str| {
            let tokens = lex(text);
            let statement = split(text, &tokens).unwrap()[0];
            let error = &placeholders(text, &statement).unwrap_err()[0].problem;
            assert_eq!((error.to_string().as_str(), error.help().as_str()), (message, help));
        };
        let go = "this looks like a Go template (tern, atlas); write the SQL it stands for";
        check(
            "select {{table.users}}",
            "unknown placeholder `{{table.users}}`",
            "the placeholders are `{{tables.NAME}}` and `{{schema}}`",
        );
        check("select {{ .Schema }}.t", "unknown placeholder `{{ .Schema }}`", go);
        check("select \"{{ .Schema }}\".t", "unknown placeholder `{{ .Schema }}`", go);
        check(
            "do $$ begin alter table \"{{ index .Options \"Namespace\" }}\" add a int; end $$",
            "unknown placeholder `{{ index .Options \"Namespace\" }}`",
            go,
        );
        check(
            "do $$ {{ {{{ .Schema }}} }} $$",
            "unknown placeholder `{{ .Schema }}`",
            "this looks like a Go template (tern, atlas); write the SQL it stands for",
        );
        check(
            "select \"{{schema}}\".t",
            "`{{schema}}` is inside a quoted identifier",
            "remove the double quotes: the value is quoted automatically",
        );
        check(
            "select ${schema}.t",
            "`${...}` is a Flyway placeholder",
            "write the SQL it stands for, or use `{{schema}}`",
        );
    }
}
