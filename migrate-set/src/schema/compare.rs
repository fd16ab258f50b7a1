//! Compares two schemas object by object, a table by its columns and constraints.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::block::SchemaBlock;
use super::scope::SchemaScope;
use crate::sort::distinct;
use crate::sql::lexer::{TokenKind, lex};
use crate::text::escaped_lines;

/// How many lines of a text a difference shows.
const SHOWN: usize = 12;

/// An object that differs from what was expected, is missing, or was not expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDifference {
    /// Its kind and name, such as `column public.users.email`.
    pub object: String,
    /// What it should be; `None` if it was not expected.
    pub expected: Option<String>,
    /// What it is; `None` if it is missing.
    pub found: Option<String>,
}

impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = &self.object;
        let text = match (&self.expected, &self.found) {
            (Some(expected), Some(found)) if !expected.contains('\n') && !found.contains('\n') => {
                format!("{object}: expected {expected}, found {found}")
            }
            (Some(expected), Some(found)) => {
                let (expected, found) = where_they_differ(expected, found);
                let (expected, found) = (indented(&expected), indented(&found));
                format!("{object}: expected\n{expected}\n  found\n{found}")
            }
            (Some(expected), None) => format!("{object} is missing{}", of_one_line(expected)),
            (None, found) => {
                let found = found.as_deref().map(of_one_line).unwrap_or_default();
                format!("{object} is not expected{found}")
            }
        };
        f.write_str(&escaped_lines(&text))
    }
}

/// The first line of a text, after a name.
fn of_one_line(text: &str) -> String {
    match text.split_once('\n') {
        _ if text.is_empty() => String::new(),
        Some((first, _)) => format!(": {} ..", first.trim_end_matches('\r')),
        None => format!(": {text}"),
    }
}

/// The lines that differ, from the first to the last.
fn where_they_differ<'t>(one: &'t str, other: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let (mut one, mut other): (Vec<_>, Vec<_>) = (one.lines().collect(), other.lines().collect());
    while one.len() > 1 && other.len() > 1 && one.last() == other.last() {
        one.pop();
        other.pop();
    }
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let same = same.min(one.len() - 1).min(other.len() - 1);
    (one.split_off(same), other.split_off(same))
}

fn indented(lines: &[&str]) -> String {
    let shown = lines.iter().take(SHOWN).map(|line| format!("    {}", line.trim_end()));
    let more = lines.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| format!("    .. and {more} more lines"));
    shown.chain(rest).collect::<Vec<_>>().join("\n")
}

/// How the schema `found` differs from the one that is `expected`, as far as the scope goes.
pub fn compare(
    expected: Vec<SchemaBlock>,
    found: Vec<SchemaBlock>,
    scope: &SchemaScope,
) -> Vec<SchemaDifference> {
    differences(&parts(scope.of(expected)), &parts(scope.of(found)))
}

/// What is compared, by its kind and name.
pub type Parts = BTreeMap<String, Part>;

/// A part of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub text: String,
    /// The objects that it can be missing with.
    pub tables: Vec<String>,
}

/// How these parts differ: what is missing, then what is unexpected, then what is another. What is missing or
/// unexpected with its table is not listed separately.
pub fn differences(expected: &Parts, found: &Parts) -> Vec<SchemaDifference> {
    let alone = |these: &Parts, others: &Parts| -> Vec<(String, String)> {
        let is_lacking = |object: &str| these.contains_key(object) && !others.contains_key(object);
        let lacking = these.iter().filter(|(object, part)| {
            is_lacking(object) && !part.tables.iter().any(|table| is_lacking(table))
        });
        lacking.map(|(object, part)| (object.clone(), part.text.clone())).collect()
    };
    let difference = |object, expected, found| SchemaDifference { object, expected, found };
    let missing = alone(expected, found).into_iter();
    let missing = missing.map(|(object, text)| difference(object, Some(text), None));
    let unexpected = alone(found, expected).into_iter();
    let unexpected = unexpected.map(|(object, text)| difference(object, None, Some(text)));
    let changed = expected.iter().filter_map(|(object, part)| {
        let other = &found.get(object)?.text;
        let (one, other) = (Some(part.text.clone()), Some(other.clone()));
        (one != other).then(|| difference(object.clone(), one, other))
    });
    missing.chain(unexpected).chain(changed).collect()
}

fn parts(blocks: Vec<SchemaBlock>) -> Parts {
    let mut parts = Parts::new();
    for block in blocks {
        let object = block.object();
        let mut tables: Vec<String> = block
            .table()
            .into_iter()
            .flat_map(|table| {
                ["table", "foreign table", "materialized view", "view"]
                    .map(|kind| format!("{kind} {table}"))
            })
            .collect();
        let mut statements = block.statements.iter();
        let first = statements.next().map_or("", String::as_str);
        let rest = distinct(statements);
        let whole = match columns(first, &block.name).filter(|_| block.has_columns()) {
            Some((head, lines)) => {
                tables.push(object.clone());
                for line in lines {
                    let (object, text) = named_line(line, &block.name);
                    parts.insert(object, Part { text, tables: tables.clone() });
                }
                tables.pop();
                head
            }
            None => first.to_owned(),
        };
        let own = tables.clone();
        parts.insert(object.clone(), Part { text: whole, tables: own });
        tables.push(object.clone());
        for statement in rest {
            // Its text is its name: one that differs is another.
            let part = Part { text: String::new(), tables: tables.clone() };
            parts.insert(format!("{object}: {statement}"), part);
        }
    }
    parts
}

/// The statement of a table without its columns, and a text for each column and constraint, without comments. A list
/// in parentheses elsewhere than after the name is not of columns.
fn columns<'s>(statement: &'s str, name: &str) -> Option<(String, Vec<&'s str>)> {
    let tokens = lex(statement);
    let open = tokens.iter().find(|token| token.kind == TokenKind::Open)?;
    let head = statement[..open.start].trim_end();
    if !head.ends_with(name) {
        return None;
    }
    let (mut depth, mut part, mut lines) = (0_usize, None::<Range<usize>>, Vec::new());
    for token in tokens.iter().filter(|token| token.start >= open.start && !token.is_trivia()) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && token.text(statement) == "," {
            lines.extend(part.take().map(|part| &statement[part]));
            if depth == 0 {
                return Some((format!("{head}{}", &statement[token.end..]), lines));
            }
        } else if token.start > open.start {
            part = Some(part.map_or(token.start, |part| part.start)..token.end);
        }
    }
    None
}

/// The kind and name of a column or of a constraint, and what it is.
fn named_line(line: &str, table: &str) -> (String, String) {
    let first = |text: &str| lex(text).first().map_or(0, |token| token.end);
    let constraint = line.strip_prefix("CONSTRAINT ").map(str::trim_start);
    let (text, is_column) = constraint.map_or((line, true), |rest| (rest, false));
    let (name, rest) = text.split_at(first(text));
    let object = if is_column {
        format!("column {table}.{name}")
    } else {
        format!("constraint {name} on {table}")
    };
    (object, rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::read;

    fn check(expected: &str, found: &str, differences: &[&str]) {
        let all = compare(read(expected), read(found), &SchemaScope::new());
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(shown, differences);
    }

    const USERS: &str = "-- table public.users\nCREATE TABLE public.users (\n    id bigint NOT NULL,\n    \
        email text DEFAULT 'a,(b'::text NOT NULL,\n    CONSTRAINT users_pkey PRIMARY KEY (id, email)\n);\n\
        -- index public.i on public.users\nCREATE INDEX i ON public.users USING btree (email);\n";

    #[test]
    fn equal_schemas_have_no_differences() {
        check(USERS, USERS, &[]);
        check(USERS, &USERS.replace('\n', "\r\n"), &[]);
    }

    #[test]
    fn tables_differ_by_columns_and_constraints() {
        check(
            USERS,
            &USERS.replace(" NOT NULL,\n    CONSTRAINT", ",\n    nick text,\n    CONSTRAINT"),
            &[
                "column public.users.nick is not expected: text",
                "column public.users.email: expected text DEFAULT 'a,(b'::text NOT NULL, found text DEFAULT 'a,(b'::text",
            ],
        );
        check(
            USERS,
            &USERS.replace("(id, email)", "(id)"),
            &[
                "constraint users_pkey on public.users: expected PRIMARY KEY (id, email), found PRIMARY KEY (id)",
            ],
        );
        let secured = USERS.replace(
            ");\n-- index",
            ");\nALTER TABLE public.users ENABLE ROW LEVEL SECURITY;\n-- index",
        );
        check(
            &secured,
            USERS,
            &["table public.users: ALTER TABLE public.users ENABLE ROW LEVEL SECURITY is missing"],
        );
    }

    #[test]
    fn comments_do_not_count_and_only_a_list_after_the_name_is_of_columns() {
        let remarked =
            USERS.replace("id bigint NOT NULL,", "id bigint NOT NULL, -- unknown: a, (b");
        check(USERS, &remarked.replace("users (\n", "users ( -- c\n"), &[]);
        let partition = |value: &str| {
            format!("-- table p\nCREATE TABLE p PARTITION OF t FOR VALUES IN ({value});\n")
        };
        check(
            &partition("1"),
            &partition("2"),
            &[
                "table p: expected CREATE TABLE p PARTITION OF t FOR VALUES IN (1), found CREATE TABLE p PARTITION OF t FOR VALUES IN (2)",
            ],
        );
    }

    #[test]
    fn what_belongs_to_a_table_is_missing_with_it() {
        check(USERS, "", &["table public.users is missing: CREATE TABLE public.users"]);
        check("", USERS, &["table public.users is not expected: CREATE TABLE public.users"]);
    }

    #[test]
    fn texts_of_several_lines_show_where_they_differ() {
        let function = "-- function public.f()\nCREATE FUNCTION public.f()\n RETURNS integer\nAS $function$\n\
                        BEGIN\n  RETURN 1;\nEND $function$;\n";
        check(
            function,
            &function.replace("RETURN 1", "RETURN 2"),
            &["function public.f(): expected\n      RETURN 1;\n  found\n      RETURN 2;"],
        );
    }
}
