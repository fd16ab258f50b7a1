//! Replaces the placeholders `{{tables.users}}` and `{{schema}}`, at run time because the schema is
//! chosen then.

mod find;

use std::borrow::Cow;

use thiserror::Error;

use super::quotes::doubled;

pub use find::{PlaceholderError, PlaceholderProblem, placeholders};

/// One placeholder: the bytes `start..end` of its text, including the braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What surrounds it.
    pub within: Within,
}

/// What surrounds a placeholder, which decides how its value is escaped.
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

/// The meaning of a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning<'t> {
    Schema,
    Table(&'t str),
}

/// The meaning of `{{...}}`; blanks inside the braces are allowed.
fn meaning(written: &str) -> Option<Meaning<'_>> {
    let inside = written.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    if inside == "schema" {
        return Some(Meaning::Schema);
    }
    let table = inside.strip_prefix("tables.")?;
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    (!table.is_empty() && table.chars().all(plain)).then_some(Meaning::Table(table))
}

/// A piece of a rendered statement, to map its bytes back to those of the template.
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
    /// The byte of the template text that the byte `offset` of [`Rendered::sql`] came from; within
    /// a replaced placeholder, its first byte.
    pub fn origin(&self, offset: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|piece| piece.rendered <= offset);
        match piece {
            None => self.start + offset,
            Some(piece) if piece.copied => piece.template + (offset - piece.rendered),
            Some(piece) => piece.template,
        }
    }
}

/// A placeholder that cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// `{{schema}}` without a schema, and not before a `.` that could be removed with it.
    #[error("`{{{{schema}}}}` needs a schema, and none is set")]
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
/// Without a schema, `{{tables.users}}` becomes `"users"`, and `{{schema}}.` is removed.
///
/// # Errors
/// [`RenderError`] if a value is missing or cannot be escaped where the placeholder is.
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
    let (mut pieces, mut from) = (Vec::new(), start);
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

/// Appends `value`, escaped for what surrounds `placeholder`.
fn push_value(
    sql: &mut String,
    value: &str,
    placeholder: &Placeholder,
    schema: &str,
) -> Result<(), RenderError> {
    match placeholder.within {
        Within::String => sql.push_str(&doubled(value, '\'')),
        Within::EscapeString => {
            sql.push_str(&doubled(&doubled(value, '\\'), '\''));
        }
        // The tag is unknown here; a name with `$` is rare enough to refuse.
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
/// use migrate_set::sql::placeholder::quoted_identifier;
/// assert_eq!(quoted_identifier(r#"a"b"#), r#""a""b""#);
/// ```
pub fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", doubled(name, '"'))
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
            "`{{schema}}` needs a schema, and none is set"
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
}
