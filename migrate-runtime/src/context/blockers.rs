//! Names the sessions that hold the locks that a statement waited for.

use migrate_set::sql::lexer::{Token, TokenKind, lex};
use tokio_postgres::{Error, SimpleQueryRow};

use super::Context;
use crate::boxed::{Boxed, boxed};
use crate::outcome::Holder;
use crate::sql::{Wanted, blocker, blockers};
use crate::wire;

/// The SQLSTATE `deadlock_detected`.
const DEADLOCK: &str = "40P01";

/// The most names of a statement that are looked up.
const NAMES: usize = 100;

impl Context<'_> {
    /// Who holds locks on what `statement` names, if `error` is about a lock, as far as this role may see it: one
    /// message.
    pub(crate) fn holders<'f>(
        &'f self,
        error: &'f Error,
        statement: &'f str,
    ) -> Boxed<'f, Vec<Holder>> {
        boxed(async move {
            let mut found = Vec::new();
            if let Some(wanted) = wanted(error, statement) {
                let (client, sql) = (self.wire.client, blockers(&wanted));
                // Without an answer the error is shown as it is.
                let _ = wire::rows(client, &sql, |row| found.push(self.holder(&row))).await;
            }
            found
        })
    }

    /// The holder in a row, without its statement if details are hidden, because that can contain values of rows too.
    pub(crate) fn holder(&self, row: &SimpleQueryRow) -> Holder {
        let holder = blocker(row);
        let statement = holder.statement.filter(|_| !self.migrator.hides_details);
        Holder { statement, ..holder }
    }
}

/// What is looked for; `None` if the error is not about a lock.
fn wanted(error: &Error, statement: &str) -> Option<Wanted> {
    let db = error.as_db_error()?;
    let harmless: &[&str] = match db.code().code() {
        DEADLOCK => return Some(Wanted { pids: pids(db.detail()?), ..Wanted::default() }),
        // lock_not_available, query_canceled
        "55P03" | "57014" if is_strong(statement) => &[],
        "55P03" => &["AccessShareLock"],
        // It may have waited for none of those that read or write rows.
        "57014" => &["AccessShareLock", "RowShareLock", "RowExclusiveLock"],
        _ => return None,
    };
    Some(Wanted { names: names(statement), pids: Vec::new(), harmless })
}

/// Whether `statement` waits for every other lock on a table; a block can.
fn is_strong(statement: &str) -> bool {
    const FIRST: [&str; 10] = [
        "DO", "CALL", "ALTER", "DROP", "TRUNCATE", "LOCK", "REINDEX", "CLUSTER", "REFRESH",
        "VACUUM",
    ];
    let tokens = lex(statement);
    let first = tokens.iter().find(|token| token.kind == TokenKind::Word);
    first.is_some_and(|token| FIRST.iter().any(|w| token.text(statement).eq_ignore_ascii_case(w)))
}

/// The words and names of `statement`, also of the block in its dollar quotes, each with and without what
/// is before its dot.
fn names(statement: &str) -> Vec<String> {
    let tokens = lex(statement);
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !names.contains(&name) && names.len() < NAMES {
            names.push(name);
        }
    };
    let is_name = |token: &&Token| match token.kind {
        TokenKind::Word => true,
        TokenKind::QuotedIdentifier => token.text(statement).starts_with('"'),
        _ => false,
    };
    for (index, token) in tokens.iter().enumerate() {
        let text = token.text(statement);
        if token.kind == TokenKind::DollarString {
            let tag = text.split_inclusive('$').take(2).map(str::len).sum();
            let inner = text.get(tag..text.len().saturating_sub(tag)).unwrap_or_default();
            self::names(inner).into_iter().for_each(&mut add);
        }
        if !is_name(&token) {
            continue;
        }
        let dot = tokens.get(index + 1).is_some_and(|token| token.text(statement) == ".");
        if let Some(last) = tokens.get(index + 2).filter(|token| dot && is_name(token)) {
            add(format!("{text}.{}", last.text(statement)));
        }
        add(text.to_owned());
    }
    names
}

/// The processes in the detail of a deadlock: the first and the last number of each line, in any language.
fn pids(detail: &str) -> Vec<i32> {
    let of_line = |line: &str| {
        let numbers = line.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<i32> = numbers.filter_map(|number| number.parse().ok()).collect();
        [numbers.first().copied(), numbers.last().copied()]
    };
    detail.lines().flat_map(of_line).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_processes_are_found_in_texts() {
        let check = |statement: &str, expected: &[&str]| {
            assert_eq!(names(statement), expected, "{statement}");
        };
        check(
            "alter table s.\"T t\" add b int",
            &["alter", "table", "s.\"T t\"", "s", "\"T t\"", "add", "b", "int"],
        );
        check("do $x$ begin lock t; end $x$", &["do", "begin", "lock", "t", "end"]);
        check("do $$lock t$$", &["do", "lock", "t"]);
        check("select 'a b', 1 -- c\n", &["select"]);
        let detail = "Process 12 waits for ShareLock on transaction 7; blocked by process 34.\n\
                      Prozess 34 wartet auf 5; blockiert von Prozess 12.";
        assert_eq!(pids(detail), [12, 34, 34, 12]);
        assert!(is_strong("/* x */ Alter table t") && !is_strong("update t set a = 1"));
    }
}
