//! Finds out whether a `COPY ... FROM stdin` can begin: the table, its columns, the right to insert, and the lock.
//!
//! After a `COPY` that the server refuses at once, tokio-postgres 0.7.18 sends one message too many, and the
//! connection is lost. `EXPLAIN` refuses for the same reasons, and runs no trigger.

use super::lexer::lex;
use super::split::split;
use super::words::Words;

/// The statement that fails if `copy` cannot begin; `None` if `copy` names no table.
pub fn probe(copy: &str) -> Option<String> {
    let tokens = lex(copy);
    let statements = split(copy, &tokens).ok()?;
    let mut words = Words::of(copy, statements.first()?);
    if !words.eat("COPY") {
        return None;
    }
    let table = words.written_name()?;
    let mut columns = Vec::new();
    while words.eat(if columns.is_empty() { "(" } else { "," }) {
        columns.push(words.written_name()?);
    }
    let of_nothing = vec!["NULL"; columns.len()].join(", ");
    Some(match columns.as_slice() {
        [] => format!("EXPLAIN INSERT INTO {table} DEFAULT VALUES"),
        columns => format!(
            "EXPLAIN INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE SELECT {of_nothing}",
            columns.join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_columns_are_inserted_into() {
        let check = |copy: &str, expected: Option<&str>| {
            assert_eq!(probe(copy).as_deref(), expected, "{copy}");
        };
        check("copy s.\"T\" from stdin", Some("EXPLAIN INSERT INTO s.\"T\" DEFAULT VALUES"));
        check(
            "COPY t ( a,\"B c\" ) FROM stdin WITH (FORMAT csv)",
            Some("EXPLAIN INSERT INTO t (a, \"B c\") OVERRIDING SYSTEM VALUE SELECT NULL, NULL"),
        );
        check("COPY (SELECT 1) TO stdout", None);
    }
}
