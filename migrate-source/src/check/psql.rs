//! Finds what psql replaces before the server sees it: meta-commands, variables and parameters.

use migrate_set::sql::lexer::{Token, TokenKind};
use migrate_set::sql::split::Statement;

use super::mistakes::Mistake;
use super::problem::Problem;

/// The name of a meta-command, with its backslash.
pub(super) fn name(command: &str) -> String {
    command.split_whitespace().next().unwrap_or(command).to_owned()
}

/// What to do about a meta-command.
pub(super) fn help(name: &str) -> &'static str {
    match name.trim_start_matches('\\') {
        "set" | "unset" | "prompt" => {
            "delete the line, and write the value where the variable is used"
        }
        "c" | "connect" => {
            "delete the line: a migration runs in the database that the service is connected to"
        }
        "i" | "ir" | "include" | "include_relative" => "write the SQL of that file here",
        "copy" => {
            "write `COPY ... FROM stdin;`, the data from the next line on, and a line `\\.` after it"
        }
        "." => {
            "delete the line: it ends the data of a `COPY ... FROM stdin;`, and there is none here"
        }
        "g" | "gx" => "write `;` in its place",
        "gset" => "write a `DO` block, where `SELECT ... INTO` sets variables",
        "gexec" => "write a `DO` block that runs `EXECUTE` for each row",
        "if" | "elif" | "else" | "endif" => "write a `DO` block with `IF ... THEN ... END IF`",
        _ => "delete the line",
    }
}

/// The variables of psql and the parameters in `statement`, a statement of `text`.
pub(super) fn replaced(text: &str, statement: &Statement<'_>) -> Vec<Mistake> {
    let tokens: Vec<&Token> = statement.significant().collect();
    let takes_parameters = takes_parameters(text, &tokens);
    let mut mistakes = Vec::new();
    // A slice (`a[1:n]`) and a key of `JSON_OBJECT` have colons too.
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| tokens[before].text(text));
        let problem = match (token.kind, token.text(text)) {
            (TokenKind::Open, _) => {
                open.push(!before.to_ascii_uppercase().starts_with("JSON_"));
                continue;
            }
            (TokenKind::Other, "[") => {
                open.push(false);
                continue;
            }
            (TokenKind::Close, _) | (TokenKind::Other, "]") => {
                open.pop();
                continue;
            }
            (TokenKind::Other, ":") if open.last() != Some(&false) => {
                let Some(end) = variable(&tokens[at..]) else { continue };
                let written = text[token.start..end].to_owned();
                mistakes.push(Mistake {
                    span: Some(token.start..end),
                    problem: Problem::Variable { written },
                });
                continue;
            }
            (TokenKind::Parameter, written) if !takes_parameters => {
                Problem::Parameter { written: written.to_owned() }
            }
            _ => continue,
        };
        mistakes.push(Mistake { span: Some(token.start..token.end), problem });
    }
    mistakes
}

/// The end of the variable that begins at the first of `tokens`, a colon.
fn variable(tokens: &[&Token]) -> Option<usize> {
    let [colon, name, ..] = tokens else { return None };
    let is_name =
        matches!(name.kind, TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::String);
    (is_name && name.start == colon.end).then_some(name.end)
}

/// Whether the statement defines a routine or prepares one, whose parameters these are.
fn takes_parameters(text: &str, tokens: &[&Token]) -> bool {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text(text));
    let is = |at: usize, name: &str| word(at).eq_ignore_ascii_case(name);
    let routine = if is(1, "OR") { 3 } else { 1 };
    is(0, "PREPARE") || (is(0, "CREATE") && (is(routine, "FUNCTION") || is(routine, "PROCEDURE")))
}

#[cfg(test)]
mod tests {
    use migrate_set::sql::lexer::lex;
    use migrate_set::sql::split::split;

    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let tokens = lex(sql);
        let statements = split(sql, &tokens).unwrap();
        let found: Vec<_> = statements.iter().flat_map(|one| replaced(sql, one)).collect();
        let found: Vec<_> = found.into_iter().map(|one| &sql[one.span.unwrap()]).collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn variables_and_parameters_are_found() {
        check(
            "create table t (id int default :start, b int[] default array[:\"a b\"])",
            &[":start"],
        );
        check("alter table :\"t\" owner to :'who'", &[":\"t\"", ":'who'"]);
        check("select $1; insert into t values ($12)", &["$1", "$12"]);
    }

    #[test]
    fn what_only_looks_like_them_is_none() {
        for sql in [
            "select a[1:n], a[:n], b::int, ':x', $$ :x $1 $$ -- :x",
            "select json_object('a':b, 'c':'d'), f(a := 1), f(a => 1)",
            "create or replace function f(int) returns int language sql return $1",
            "create procedure p(int) begin atomic insert into t values ($1); end",
            "prepare p as select $1",
        ] {
            check(sql, &[]);
        }
    }
}
