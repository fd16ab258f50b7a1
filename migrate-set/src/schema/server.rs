//! What the server writes in several forms: those of its versions, of which the newest is taken, and expressions that it
//! writes otherwise when it has read them.

use std::collections::HashSet;

use crate::sql::lexer::{Token, TokenKind, lex};

/// From this version a view that reads one table names its columns without the table.
const SHORT_COLUMNS: u32 = 160_000;

/// The same statement as the newest server writes it.
pub(super) fn normalised(version: u32, kind: &str, text: String) -> String {
    match kind {
        "view" | "materialized view" if version < SHORT_COLUMNS => short_columns(&text),
        // Before 14, a procedure has no other arguments, and `IN` is not written.
        "procedure" => without_in(&text),
        _ => text,
    }
}

/// The same SQL as the server writes it in a database that was restored from it.
pub fn as_restored(text: String) -> String {
    with_flat_conditions(with_cast_elements(text))
}

/// The same SQL with the cast of an array at its elements, where the server puts it when it reads the text:
/// `(ARRAY['a'::character varying])::text[]` becomes `ARRAY[('a'::character varying)::text]`.
fn with_cast_elements(text: String) -> String {
    if !text.contains("(ARRAY[") {
        return text;
    }
    let tokens = lex(&text);
    let (mut written, mut index) = (String::new(), 0);
    while index < tokens.len() {
        if let Some((array, end)) = cast_array(&text, &tokens[index..]) {
            written += &array;
            index += end;
        } else {
            written += tokens[index].text(&text);
            index += 1;
        }
    }
    written
}

/// The array of `(ARRAY[..])::type[]`, with which the tokens begin, and how many they are.
fn cast_array(text: &str, tokens: &[Token]) -> Option<(String, usize)> {
    let at = |index: usize| tokens.get(index).map_or("", |token| token.text(text));
    if (at(0), at(1), at(2)) != ("(", "ARRAY", "[") {
        return None;
    }
    let (mut depth, mut start, mut items) = (0_usize, 3, Vec::new());
    let close = (3..tokens.len()).find(|index| {
        match at(*index) {
            "(" | "[" => depth += 1,
            ")" | "]" if depth > 0 => depth -= 1,
            "," | "]" if depth == 0 => {
                items.push(
                    tokens[start..*index].iter().map(|token| token.text(text)).collect::<String>(),
                );
                start = index + 1;
            }
            _ => {}
        }
        depth == 0 && at(*index) == "]" && start == index + 1
    })?;
    let is_type = |token: &&Token| is_name(token) || matches!(token.text(text), "." | " ");
    let words: String =
        tokens.get(close + 3..)?.iter().take_while(is_type).map(|token| token.text(text)).collect();
    let end = close + 3 + tokens[close + 3..].iter().take_while(is_type).count();
    if (at(close + 1), at(close + 2), at(end), at(end + 1)) != (")", "::", "[", "]") {
        return None;
    }
    let items: Vec<String> =
        items.iter().map(|item| format!("({})::{words}", item.trim())).collect();
    Some((format!("ARRAY[{}]", items.join(", ")), end + 2))
}

/// The same SQL without the parentheses of an `AND` that begins an `AND`, and of an `OR` that begins an `OR`: the server
/// writes `((a >= 1) AND (a <= 9)) AND b` for a `BETWEEN`, and reads that as one list of three.
fn with_flat_conditions(text: String) -> String {
    if !text.contains("((") {
        return text;
    }
    let tokens = lex(&text);
    let mut left = HashSet::new();
    for index in 1..tokens.len() {
        if tokens[index - 1].kind != TokenKind::Open || tokens[index].kind != TokenKind::Open {
            continue;
        }
        let end = close(&tokens, index);
        let after = tokens[end..].iter().find(|token| !token.is_trivia());
        let word = after.map_or("", |token| token.text(&text));
        let inner = tokens.get(index + 1..end - 1).unwrap_or_default();
        if matches!(word, "AND" | "OR") && outer(inner).any(|token| token.text(&text) == word) {
            left.extend([index, end - 1]);
        }
    }
    without(&text, &tokens, |index| left.contains(&index))
}

/// `text` without the tokens at these places.
fn without(text: &str, tokens: &[Token], is_left: impl Fn(usize) -> bool) -> String {
    let kept = tokens.iter().enumerate().filter(|(index, _)| !is_left(*index));
    kept.map(|(_, token)| token.text(text)).collect()
}

/// Removes `IN ` before arguments; only the list of arguments is in parentheses of depth one with commas.
fn without_in(text: &str) -> String {
    let tokens = lex(text);
    let (mut depth, mut left) = (0_usize, Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth == 1 => break,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 1 && token.text(text) == "IN" => {
                let before = tokens[..index].iter().rfind(|before| !before.is_trivia());
                if before.is_some_and(|before| matches!(before.text(text), "(" | ",")) {
                    left.extend([index, index + 1]);
                }
            }
            _ => {}
        }
    }
    without(text, &tokens, |index| left.contains(&index))
}

/// Removes the table before the columns of a view that reads one, outside of its subqueries.
fn short_columns(text: &str) -> String {
    let tokens = lex(text);
    let Some((select, from, end)) = single_source(text, &tokens) else { return text.to_owned() };
    let source = &tokens[from..end];
    let Some(name) = outer(source).filter(|token| is_name(token)).last() else {
        return text.to_owned();
    };
    let name = name.text(text);
    let mut left = Vec::new();
    let mut index = select;
    while index < tokens.len() {
        if index == from {
            index = end;
        } else if opens_query(text, &tokens, index) {
            index = close(&tokens, index);
        } else {
            if names_column(text, &tokens, index, name) {
                left.extend([index, index + 1]);
            }
            index += 1;
        }
    }
    without(text, &tokens, |index| left.contains(&index))
}

/// Whether the token is the table before a column.
fn names_column(text: &str, tokens: &[Token], index: usize, name: &str) -> bool {
    let at = |index: usize| tokens.get(index).map_or("", |token| token.text(text));
    let before = index.checked_sub(1).map_or("", at);
    at(index) == name
        && at(index + 1) == "."
        && tokens.get(index + 2).is_some_and(is_name)
        && !matches!(before, "." | "::")
        && !matches!(at(index + 3), "(" | ".")
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
}

/// The tokens outside of parentheses.
fn outer(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    let mut depth = 0_usize;
    tokens.iter().filter(move |token| {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

/// Where the `SELECT` of a view begins, and where its `FROM` begins and ends, if it reads one table, function or
/// subquery.
fn single_source(text: &str, tokens: &[Token]) -> Option<(usize, usize, usize)> {
    let (mut depth, mut select, mut from, mut end) = (0_usize, None, None, None);
    let mut follows_as = false;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 => match token.text(text) {
                "AS" => follows_as = true,
                "SELECT" if follows_as => _ = select.get_or_insert(index),
                "UNION" | "INTERSECT" | "EXCEPT" | "JOIN" => return None,
                "FROM" if select.is_some() => _ = from.get_or_insert(index),
                "WHERE" | "GROUP" | "HAVING" | "WINDOW" | "ORDER" | "LIMIT" | "OFFSET"
                | "FETCH" | "FOR" | "TABLESAMPLE" | "WITH"
                    if from.is_some() && !is_ordinality(text, &tokens[index..]) =>
                {
                    end.get_or_insert(index);
                }
                _ => {}
            },
            TokenKind::Other
                if depth == 0 && from.is_some() && end.is_none() && token.text(text) == "," =>
            {
                return None;
            }
            _ => {}
        }
    }
    let (select, from) = (select?, from?);
    let first = (from + 1..tokens.len()).find(|index| !tokens[*index].is_trivia())?;
    let is_join = tokens[first].kind == TokenKind::Open && !opens_query(text, tokens, first);
    (!is_join).then_some((select, from, end.unwrap_or(tokens.len())))
}

fn is_ordinality(text: &str, tokens: &[Token]) -> bool {
    let mut words = tokens.iter().filter(|token| !token.is_trivia()).map(|token| token.text(text));
    words.next() == Some("WITH") && words.next() == Some("ORDINALITY")
}

/// Whether a query in parentheses begins here.
fn opens_query(text: &str, tokens: &[Token], index: usize) -> bool {
    let mut after = tokens[index + 1..].iter().filter(|token| !token.is_trivia());
    tokens[index].kind == TokenKind::Open
        && after.next().is_some_and(|next| matches!(next.text(text), "SELECT" | "WITH" | "VALUES"))
}

/// One past the parenthesis that closes the one here.
fn close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth == 1 => return index + 1,
            TokenKind::Close => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, text: &str, expected: &str) {
        assert_eq!(normalised(150_000, kind, text.to_owned()), expected);
    }

    #[test]
    fn views_of_one_table_name_columns_as_the_newest_server_does() {
        let view = |text: &str, expected: &str| {
            let made = |query: &str| format!("CREATE VIEW s.v AS\n SELECT {query};");
            check("view", &made(text), &made(expected));
        };
        view("users.id,\n    users.a AS b\n   FROM s.users", "id,\n    a AS b\n   FROM s.users");
        view("u.id FROM s.users u WHERE (u.a = 1)", "id FROM s.users u WHERE (a = 1)");
        view("\"U\".id FROM s.\"U\" ORDER BY \"U\".id", "id FROM s.\"U\" ORDER BY id");
        view("users.* FROM s.users", "users.* FROM s.users");
        view("(users.c).d FROM s.users", "(c).d FROM s.users");
        let inner = "(EXISTS ( SELECT 1 FROM s.b WHERE (b.id = a.id)))";
        view(&format!("a.id FROM s.a WHERE {inner}"), &format!("id FROM s.a WHERE {inner}"));
        view(
            "g.g, g.n FROM f(1) WITH ORDINALITY g(g, n)",
            "g, n FROM f(1) WITH ORDINALITY g(g, n)",
        );
        view("q.a FROM ( SELECT b.a FROM b) q", "a FROM ( SELECT b.a FROM b) q");
        for same in [
            "a.id FROM s.a, s.b",
            "a.id FROM (s.a JOIN s.b ON ((a.id = b.id)))",
            "a.id FROM s.a UNION SELECT b.id FROM s.b",
            "1 AS one",
            "a.f(1) FROM s.a",
        ] {
            view(same, same);
        }
        let with = "CREATE VIEW v AS\n WITH c AS ( SELECT t.id FROM t)\n SELECT c.id FROM c;";
        check("view", with, &with.replace("SELECT c.id", "SELECT id"));
    }

    #[test]
    fn casts_of_arrays_are_at_their_elements() {
        let check = |text: &str, expected: &str| {
            assert_eq!(with_cast_elements(text.to_owned()), expected);
        };
        check(
            "CHECK (((a)::text = ANY ((ARRAY['x,]'::character varying, f(1, 2)])::text[])))",
            "CHECK (((a)::text = ANY (ARRAY[('x,]'::character varying)::text, (f(1, 2))::text])))",
        );
        check("(ARRAY[a])::character varying[]", "ARRAY[(a)::character varying]");
        for same in ["ANY (ARRAY[1, 2])", "(ARRAY[1])::text", "'(ARRAY[1])::text[]'", "(ARRAY[1"] {
            check(same, same);
        }
    }

    #[test]
    fn conditions_that_begin_one_of_their_kind_are_part_of_it() {
        let check = |text: &str, expected: &str| {
            assert_eq!(with_flat_conditions(text.to_owned()), expected);
        };
        check(
            "CHECK ((((n >= 1) AND (n <= 9)) AND (v <> ')'::text)))",
            "CHECK (((n >= 1) AND (n <= 9) AND (v <> ')'::text)))",
        );
        check("(((n < 1) OR (n > 9))\n OR b)", "((n < 1) OR (n > 9)\n OR b)");
        check("((((a AND b) AND c) OR d) OR e)", "((a AND b AND c) OR d OR e)");
        for same in [
            "(((n >= 1) AND (n <= 9)) OR b)",
            "(a AND ((n >= 1) AND (n <= 9)))",
            "(NOT (a AND b) AND c)",
            "((f((a AND b))) AND c)",
            "(($$ AND $$ = a) AND b)",
            "((a",
            "((",
        ] {
            check(same, same);
        }
    }

    #[test]
    fn procedures_have_no_in() {
        let text = "CREATE PROCEDURE p(IN a integer DEFAULT f(1, 2), IN b text DEFAULT ', IN '::text, INOUT c int)\n AS";
        let expected = "CREATE PROCEDURE p(a integer DEFAULT f(1, 2), b text DEFAULT ', IN '::text, INOUT c int)\n AS";
        check("procedure", text, expected);
    }
}
