//! Finds names without a schema in SQL that is made of string literals of Rust sources.

use migrate_set::sql::lexer::{Token, TokenKind, lex};

/// Words that use an operator of the `search_path`.
const OPERATORS: [&str; 6] = ["LIKE", "ILIKE", "SIMILAR", "BETWEEN", "NULLIF", "NATURAL"];

/// Types that the SQL uses, and that are no column of the ledger.
const TYPES: [&str; 14] = [
    "text", "varchar", "timestamptz", "interval", "int4", "int8", "integer", "bigint", "bool",
    "boolean", "numeric", "json", "record", "regclass",
];

/// Words of the grammar before a parenthesis.
const WORDS: [&str; 22] = [
    "ALL", "AND", "ANY", "ARRAY", "AS", "COALESCE", "CONFLICT", "EXISTS", "EXTRACT", "FROM",
    "GREATEST", "KEY", "LATERAL", "LEAST", "NOT", "ON", "OPERATOR", "OR", "SELECT", "THEN",
    "VALUES", "WHEN",
];

/// The string literals of Rust code without comments, with `{{}}` for the arguments of `format!`.
pub fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find('"') {
        let is_character = rest[..at].ends_with('\'') && rest[at + 1..].starts_with('\'');
        rest = &rest[at + 1..];
        if is_character {
            continue;
        }
        let mut literal = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    rest = &rest[at + 1..];
                    break;
                }
                '\\' => match characters.next() {
                    Some((at, '\n')) => {
                        let next = rest[at..].find(|c: char| !c.is_whitespace()).unwrap_or(1);
                        characters = rest[at..][next..].char_indices();
                        rest = &rest[at..][next..];
                    }
                    Some((_, 'n')) => literal.push('\n'),
                    Some((_, other)) => literal.push(other),
                    None => {}
                },
                _ => literal.push(c),
            }
        }
        found.push(with_placeholders(&literal));
    }
    found
}

fn with_placeholders(literal: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in literal.replace("{{", "(").replace("}}", ")").chars() {
        match c {
            '{' => inside = true,
            '}' if inside => {
                inside = false;
                out += "{{}}";
            }
            _ if inside => {}
            _ => out.push(c),
        }
    }
    out
}

/// What `sql` names without a schema, or not that of the system catalogs.
pub fn unqualified(sql: &str) -> Vec<String> {
    let tokens = lex(sql);
    let tokens: Vec<&Token> = tokens.iter().filter(|token| !token.is_trivia()).collect();
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text(sql));
    let before = |at: usize, back: usize| at.checked_sub(back).map_or("", text);
    let mut is_assigning = false;
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let word = text(at);
        let is_qualified = before(at, 1) == "." && before(at, 2) == "pg_catalog";
        let is_wrong = match token.kind {
            TokenKind::Operator => match word {
                ":=" | "=>" => false,
                "::" => (text(at + 1), text(at + 2)) != ("pg_catalog", "."),
                "*" if ["(", ".", "SELECT", "RETURNING", "UNLISTEN"].contains(&before(at, 1)) => {
                    false
                }
                "=" if is_assigning && ["SET", ","].contains(&before(at, 2)) => false,
                "=" if before(at, 1) == "ERRCODE" => false,
                _ => !is_qualified || before(at, 4) != "OPERATOR",
            },
            TokenKind::Word => {
                is_assigning = match word {
                    "SET" => true,
                    "SELECT" | "WHERE" | "FROM" | "RETURNING" => false,
                    _ => is_assigning,
                };
                let is_call = text(at + 1) == "("
                    && !WORDS.contains(&word)
                    && !["AS", ")", "TABLE", "INTO"].contains(&before(at, 1));
                let is_name = TYPES.contains(&word)
                    || (word.starts_with("pg_") && !["pg_catalog", "pg_temp"].contains(&word));
                OPERATORS.contains(&word)
                    || (word == "CASE" && text(at + 1) != "WHEN")
                    || (word == "DISTINCT" && text(at + 1) == "FROM")
                    || ((is_call || is_name) && !is_qualified)
            }
            _ => false,
        };
        if is_wrong {
            found.push(format!("{} {word} {}", before(at, 1), text(at + 1)).trim().to_owned());
        }
    }
    found
}

#[test]
fn names_without_a_schema_are_found() {
    let check = |code: &str, expected: &[&str]| {
        let found: Vec<String> = literals(code).iter().flat_map(|sql| unqualified(sql)).collect();
        assert_eq!(found, expected, "{code}");
    };
    check(r#"("a = 1", '"', "b.\"x\" < c", x)"#, &["a = 1", "\"x\" < c"]);
    check(r#""a OPERATOR(pg_catalog.=) {EQ} OPERATOR(other.=) {}""#, &[". = )"]);
    check(r#""UPDATE t SET a = 1, \"b\" = {b} WHERE c = 2""#, &["c = 2"]);
    check("\"SELECT *, count(*), t.*, 2 * 3, \\\n     now()\"", &[", count (", "2 * 3", ", now ("]);
    check(r#""SELECT pg_catalog.now(), other.now(), {f}(1)""#, &[". now ("]);
    check(r#""a::pg_catalog.int8, b::int8, b::{t}""#, &["b :: int8", ":: int8 ,", "b :: {{}}"]);
    check(r#""CREATE TABLE t (a text, b pg_catalog.text)""#, &["a text ,"]);
    check(r#""FROM pg_class JOIN pg_catalog.pg_proc""#, &["FROM pg_class JOIN"]);
    check(r#""a LIKE 'x' AND b IN (1) AND c BETWEEN""#, &["a LIKE 'x'", "b IN (", "c BETWEEN"]);
    check(r#""CASE a WHEN 1, CASE WHEN a, NULLIF(a, b)""#, &["CASE a", ", NULLIF ("]);
    check(r#""a IS DISTINCT FROM b, t JOIN u USING (a)""#, &["IS DISTINCT FROM", "u USING ("]);
    check(r#""RAISE 'a = b' USING ERRCODE = 'x'; x := f (1)""#, &[":= f ("]);
}
