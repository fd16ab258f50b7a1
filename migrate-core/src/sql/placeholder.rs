//! Decides what `{{tables.users}}` and `{{schema}}` mean, and what other `{{...}}` are.
//! A statement goes in, its placeholders with how they are quoted come out; a template text and a
//! schema go in, the SQL to send comes out.
//! It replaces nothing at build time on purpose: the schema is the caller's choice at run time.

use std::borrow::Cow;

use thiserror::Error;

use super::lexer::{Token, TokenKind};
use super::split::Statement;

/// One placeholder: the bytes `start..end` of its text, braces included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
    /// What it stands in.
    pub within: Within,
}

/// What a placeholder stands in, which decides how its value is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// Plain SQL.
    Sql,
    /// `'...'`
    String,
    /// `E'...'`
    EscapeString,
    /// `$tag$...$tag$`
    DollarString,
}

/// A `{{...}}` that is no placeholder of ours, and its bytes.
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
    #[error("`{written}` stands inside a quoted identifier")]
    Quoted {
        /// As written.
        written: String,
    },
    /// `${name}`, which is Flyway's.
    #[error("`${{...}}` is a placeholder of Flyway")]
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
            Self::Quoted { .. } => "remove the double quotes: the value is quoted anyway".into(),
            Self::Flyway => "write the SQL it stands for, or use `{{schema}}`".into(),
        }
    }
}

fn looks_like_go(written: &str) -> bool {
    let inside = written.trim_matches(['{', '}', '-']).trim();
    let keywords = ["if ", "else", "end", "range ", "with ", "index ", "template ", "define "];
    inside.starts_with('.') || keywords.iter().any(|word| inside.starts_with(word))
}

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning<'t> {
    Schema,
    Table(&'t str),
}

/// The meaning of `{{...}}`, blanks inside the braces allowed.
fn meaning(written: &str) -> Option<Meaning<'_>> {
    let inside = written.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    if inside == "schema" {
        return Some(Meaning::Schema);
    }
    let table = inside.strip_prefix("tables.")?;
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    (!table.is_empty() && table.chars().all(plain)).then_some(Meaning::Table(table))
}

/// All placeholders of `statement`, in order.
///
/// # Errors
/// Every `{{...}}` outside a literal that is not ours; inside a literal it is left as it is.
pub fn placeholders(
    text: &str,
    statement: &Statement<'_>,
) -> Result<Vec<Placeholder>, Vec<PlaceholderError>> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    let mut previous: Option<&Token> = None;
    for token in statement.significant() {
        let written = token.text(text);
        let error = |problem| PlaceholderError { problem, span: (token.start, token.end) };
        match token.kind {
            TokenKind::Placeholder if meaning(written).is_some() => {
                found.push(placeholder(token.start, token.end, Within::Sql));
            }
            TokenKind::Placeholder => {
                errors.push(error(PlaceholderProblem::Unknown { written: written.to_owned() }));
            }
            TokenKind::String => inside(written, token.start, Within::String, &mut found),
            TokenKind::EscapeString => {
                inside(written, token.start, Within::EscapeString, &mut found);
            }
            TokenKind::DollarString => {
                inside(written, token.start, Within::DollarString, &mut found);
                errors.extend(go_templates(written, token.start));
            }
            TokenKind::QuotedIdentifier if known_inside(written) => {
                errors.extend(known(written).map(|(start, end)| PlaceholderError {
                    problem: PlaceholderProblem::Quoted { written: written[start..end].to_owned() },
                    span: (token.start + start, token.start + end),
                }));
            }
            TokenKind::QuotedIdentifier => errors.extend(go_templates(written, token.start)),
            TokenKind::Other if written == "{" && follows_dollar(text, previous, token) => {
                let end =
                    text[token.end..].find(['}', '\n']).map_or(token.end, |at| token.end + at + 1);
                let span = (token.start - 1, end);
                errors.push(PlaceholderError { problem: PlaceholderProblem::Flyway, span });
            }
            _ => {}
        }
        previous = Some(token);
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn follows_dollar(text: &str, previous: Option<&Token>, token: &Token) -> bool {
    previous.is_some_and(|before| before.end == token.start && before.text(text).ends_with('$'))
}

fn placeholder(start: usize, end: usize, within: Within) -> Placeholder {
    let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    Placeholder { start: narrow(start), end: narrow(end), within }
}

/// Adds the known placeholders of a literal that begins at the byte `offset`.
fn inside(literal: &str, offset: usize, within: Within, found: &mut Vec<Placeholder>) {
    found.extend(
        known(literal).map(|(start, end)| placeholder(offset + start, offset + end, within)),
    );
}

/// Go templates where SQL stands in quotes: a body that runs, or a name. A string may hold what it
/// likes.
fn go_templates(quoted: &str, offset: usize) -> Vec<PlaceholderError> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = quoted[from..].find("{{").map(|at| from + at) {
        let Some(end) = quoted[start..].find("}}").map(|at| start + at + 2) else { break };
        let written = &quoted[start..end];
        if meaning(written).is_none() && looks_like_go(written) && !written.contains('\n') {
            let problem = PlaceholderProblem::Unknown { written: written.to_owned() };
            found.push(PlaceholderError { problem, span: (offset + start, offset + end) });
        }
        from = start + 2;
    }
    found
}

fn known_inside(literal: &str) -> bool {
    known(literal).next().is_some()
}

/// The byte ranges of the placeholders in `text` that we know.
fn known(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(start) = text[from..].find("{{").map(|at| from + at) {
            let end = text[start..].find("}}").map(|at| start + at + 2)?;
            if meaning(&text[start..end]).is_some() {
                from = end;
                return Some((start, end));
            }
            from = start + 2;
        }
        None
    })
}

/// A piece of a rendered statement, for the way back from its bytes to those of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    rendered: usize,
    template: usize,
    copied: bool,
}

/// A statement as it is sent, and where each byte of it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered<'t> {
    /// The SQL to send.
    pub sql: Cow<'t, str>,
    pieces: Vec<Piece>,
    start: usize,
}

impl Rendered<'_> {
    /// The byte of the template text that the byte `offset` of [`Rendered::sql`] came from; for
    /// a replaced placeholder its first byte.
    pub fn origin(&self, offset: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|piece| piece.rendered <= offset);
        match piece {
            None => self.start + offset,
            Some(piece) if piece.copied => piece.template + (offset - piece.rendered),
            Some(piece) => piece.template,
        }
    }
}

/// A value that cannot stand where its placeholder does.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// `{{schema}}` without a schema, and not in front of a `.` that could go with it.
    #[error("`{{{{schema}}}}` needs a schema, and none was chosen")]
    NoSchema {
        /// The placeholder's first byte.
        at: usize,
    },
    /// The schema's name would end the dollar quotes around the placeholder.
    #[error("the schema name `{schema}` would end the dollar quotes around its placeholder")]
    EndsQuotes {
        /// The placeholder's first byte.
        at: usize,
        /// The name.
        schema: String,
    },
}

impl RenderError {
    /// The placeholder's first byte in the template text.
    pub fn at(&self) -> usize {
        match self {
            Self::NoSchema { at } | Self::EndsQuotes { at, .. } => *at,
        }
    }
}

/// The statement `start..end` of `text` with its `placeholders` replaced for `schema`.
///
/// Without a schema `{{tables.users}}` becomes `"users"`, and `{{schema}}.` vanishes with its dot.
///
/// # Errors
/// [`RenderError`] where a value is missing or cannot be written where it is asked for.
pub fn render<'t>(
    text: &'t str,
    (start, end): (usize, usize),
    placeholders: &[Placeholder],
    schema: Option<&str>,
) -> Result<Rendered<'t>, RenderError> {
    let mut inside =
        placeholders.iter().filter(|p| (start..end).contains(&(p.start as usize))).peekable();
    if inside.peek().is_none() {
        return Ok(Rendered { sql: Cow::Borrowed(&text[start..end]), pieces: Vec::new(), start });
    }
    let mut sql = String::with_capacity(end - start + 64);
    let mut pieces = Vec::new();
    let mut from = start;
    for p in inside {
        let at = p.start as usize;
        pieces.push(Piece { rendered: sql.len(), template: from, copied: true });
        sql.push_str(&text[from..at]);
        pieces.push(Piece { rendered: sql.len(), template: at, copied: false });
        from = p.end as usize;
        match (meaning(&text[at..from]), schema) {
            (Some(Meaning::Schema), None) => {
                let dot = text[from..end].find(|c: char| !c.is_whitespace()).map(|gap| from + gap);
                let dot = dot.filter(|&dot| text.as_bytes()[dot] == b'.');
                from = dot.ok_or(RenderError::NoSchema { at })? + 1;
            }
            (Some(Meaning::Schema), Some(schema)) => {
                push_value(&mut sql, &quoted_identifier(schema), p, schema)?;
            }
            (Some(Meaning::Table(table)), Some(schema)) => {
                let name = format!("{}.{}", quoted_identifier(schema), quoted_identifier(table));
                push_value(&mut sql, &name, p, schema)?;
            }
            (Some(Meaning::Table(table)), None) => sql.push_str(&quoted_identifier(table)),
            (None, _) => sql.push_str(&text[at..from]),
        }
    }
    pieces.push(Piece { rendered: sql.len(), template: from, copied: true });
    sql.push_str(&text[from..end]);
    Ok(Rendered { sql: Cow::Owned(sql), pieces, start })
}

/// Appends `value`, escaped for what `placeholder` stands in.
fn push_value(
    sql: &mut String,
    value: &str,
    placeholder: &Placeholder,
    schema: &str,
) -> Result<(), RenderError> {
    match placeholder.within {
        Within::String => sql.push_str(&value.replace('\'', "''")),
        Within::EscapeString => {
            sql.push_str(&value.replace('\\', r"\\").replace('\'', "''"));
        }
        // The tag is not known here; a name with `$` is rare enough to refuse.
        Within::DollarString if schema.contains('$') => {
            let at = placeholder.start as usize;
            return Err(RenderError::EndsQuotes { at, schema: schema.to_owned() });
        }
        Within::Sql | Within::DollarString => sql.push_str(value),
    }
    Ok(())
}

/// `name` as a quoted identifier (manual, "Identifiers and Key Words").
///
/// ```
/// use migrate_core::sql::placeholder::quoted_identifier;
/// assert_eq!(quoted_identifier(r#"a"b"#), r#""a""b""#);
/// ```
pub fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::super::split::split;
    use super::*;

    fn rendered(text: &str, schema: Option<&str>) -> Result<String, RenderError> {
        let tokens = lex(text);
        let statement = split(text, &tokens).unwrap()[0];
        let found = placeholders(text, &statement).unwrap();
        let range = (statement.start(), statement.end());
        render(text, range, &found, schema).map(|rendered| rendered.sql.into_owned())
    }

    #[test]
    fn placeholders_become_quoted_identifiers() {
        let check = |text: &str, schema: Option<&str>, expected: &str| {
            assert_eq!(rendered(text, schema).as_deref(), Ok(expected), "{text}");
        };
        check("select {{tables.users}}(id)", None, "select \"users\"(id)");
        check("select {{tables.users}}", Some("my app"), "select \"my app\".\"users\"");
        check("create {{ schema }}.t", Some("a\"b"), "create \"a\"\"b\".t");
        check("create {{schema}}.t", None, "create t");
        check("create {{schema}} . t", None, "create  t");
        check("x '{{tables.t}}'::regclass", Some("o'b"), "x '\"o''b\".\"t\"'::regclass");
        check(r"x E'{{schema}}.'", Some(r"a\b'"), r#"x E'"a\\b''".'"#);
        check("do $$ {{tables.t}} {{x}} $$", Some("s"), "do $$ \"s\".\"t\" {{x}} $$");
        check("x '{{ other }}'", Some("s"), "x '{{ other }}'");
        check("x $t${{tables.a$}}$t$", Some("s"), "x $t$\"s\".\"a$\"$t$");
    }

    #[test]
    fn missing_and_dangerous_schemas_are_refused() {
        assert_eq!(
            rendered("create schema {{schema}}", None),
            Err(RenderError::NoSchema { at: 14 })
        );
        let ends = RenderError::EndsQuotes { at: 6, schema: "a$$".into() };
        assert_eq!(rendered("do $$ {{schema}}.x $$", Some("a$$")), Err(ends.clone()));
        assert_eq!(
            ends.to_string(),
            "the schema name `a$$` would end the dollar quotes around its placeholder"
        );
        assert_eq!(
            RenderError::NoSchema { at: 0 }.to_string(),
            "`{{schema}}` needs a schema, and none was chosen"
        );
    }

    #[test]
    fn rendered_bytes_lead_back_to_the_template() {
        let text = ";é {{tables.t}} = x";
        let tokens = lex(text);
        let statement = split(text, &tokens).unwrap()[0];
        let found = placeholders(text, &statement).unwrap();
        let range = (statement.start(), statement.end());
        let rendered = render(text, range, &found, Some("long_schema")).unwrap();
        let back = |needle: &str| rendered.origin(rendered.sql.find(needle).unwrap());
        assert_eq!(back("é"), text.find('é').unwrap());
        assert_eq!(back("schema"), text.find("{{").unwrap());
        assert_eq!(back("= x"), text.find("= x").unwrap());
    }

    #[test]
    fn other_templates_are_errors() {
        let check = |text: &str, message: &str, help: &str| {
            let tokens = lex(text);
            let statement = split(text, &tokens).unwrap()[0];
            let error = &placeholders(text, &statement).unwrap_err()[0].problem;
            assert_eq!((error.to_string().as_str(), error.help().as_str()), (message, help));
        };
        check(
            "select {{table.users}}",
            "unknown placeholder `{{table.users}}`",
            "the placeholders are `{{tables.NAME}}` and `{{schema}}`",
        );
        check(
            "select {{ .Schema }}.t",
            "unknown placeholder `{{ .Schema }}`",
            "this looks like a Go template (tern, atlas); write the SQL it stands for",
        );
        check(
            "do $$ begin alter table \"{{ index .Options \"Namespace\" }}\" add a int; end $$",
            "unknown placeholder `{{ index .Options \"Namespace\" }}`",
            "this looks like a Go template (tern, atlas); write the SQL it stands for",
        );
        check(
            "select \"{{ .Schema }}\".t",
            "unknown placeholder `{{ .Schema }}`",
            "this looks like a Go template (tern, atlas); write the SQL it stands for",
        );
        check(
            "select \"{{schema}}\".t",
            "`{{schema}}` stands inside a quoted identifier",
            "remove the double quotes: the value is quoted anyway",
        );
        check(
            "select ${schema}.t",
            "`${...}` is a placeholder of Flyway",
            "write the SQL it stands for, or use `{{schema}}`",
        );
    }
}
