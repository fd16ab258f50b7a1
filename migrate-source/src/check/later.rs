//! Finds statements that a transaction cannot run because of an earlier statement of the same set.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use migrate_set::set::{Migration, Script, TransactionMode};
use migrate_set::sql::kind::{self, AddedValue, Procedure, StatementKind};
use migrate_set::sql::lexer::{Token, TokenKind, lex};
use migrate_set::sql::split::{Statement, split};
use migrate_set::sql::words::{Words, contents};

use super::Down;
use super::error::SourceError;
use super::mistakes::{Mistake, placed};
use super::problem::{Beside, Problem};

/// The values that a script adds to enums that it did not create.
#[derive(Default)]
struct Added {
    /// Each with its enums, and how many were added before it.
    values: HashMap<String, Vec<(String, usize)>>,
    count: usize,
    /// How many of them are followed by a COMMIT of the script.
    committed: usize,
}

/// The use of a value in the transaction that adds it to an enum, which PostgreSQL does not allow (55P04). psql commits
/// after each statement or block; here the script is one transaction. Not every string is of the enum: before a COMMIT
/// of the script, it has to be cast.
pub(super) fn early_value(text: &str, statements: &[Statement<'_>]) -> Option<Mistake> {
    let alters = |statement: &Statement<'_>| {
        statement
            .significant()
            .next()
            .is_some_and(|token| token.text(text).eq_ignore_ascii_case("ALTER"))
    };
    // Checked first, because it is cheap and few scripts have it.
    if !statements.iter().any(alters) || !text.to_ascii_uppercase().contains("ADD VALUE") {
        return None;
    }
    let (mut created, mut added) = (HashSet::new(), Added::default());
    for statement in statements {
        let tokens: Vec<&Token> = statement.significant().collect();
        if let Some(span) = added.used(text, &tokens) {
            let value = text[span.clone()].to_owned();
            return Some(Mistake { span: Some(span), problem: Problem::EarlyValue { value } });
        }
        created.extend(kind::created_type(text, statement));
        if let Some(value) = kind::added_value(text, statement)
            && !created.contains(&value.of)
        {
            added.add(value);
        }
        if kind::kind(text, statement) == StatementKind::Commit {
            added.committed = added.count;
        }
    }
    None
}

impl Added {
    fn add(&mut self, AddedValue { of, value }: AddedValue) {
        self.values.entry(value).or_default().push((of, self.count));
        self.count += 1;
    }

    /// Whether the string is a value that the script has committed.
    fn has_committed(&self, string: &str) -> bool {
        let known = self.values.get(string);
        known.is_some_and(|known| known.iter().any(|(_, before)| *before < self.committed))
    }

    /// Where a statement of `text` uses one of them.
    fn used(&self, text: &str, tokens: &[&Token]) -> Option<Range<usize>> {
        let is = |at: usize, word: &str| {
            tokens.get(at).is_some_and(|token| token.text(text).eq_ignore_ascii_case(word))
        };
        if self.values.is_empty() || is(0, "COMMENT") || (is(0, "ALTER") && is(1, "TYPE")) {
            return None;
        }
        if is(0, "DO") {
            return tokens.iter().find_map(|token| self.used_in_body(text, token));
        }
        let used = |(at, token): (usize, &&Token)| {
            let string = contents(text, token)?;
            let known = self.values.get(&string)?;
            let is_of_its_type = || known.iter().any(|(of, _)| is_cast(text, tokens, at, of));
            (self.has_committed(&string) || is_of_its_type()).then_some(token.start..token.end)
        };
        tokens.iter().enumerate().find_map(used)
    }

    /// Where a body in dollar quotes, which runs at once, uses one that the script has committed.
    fn used_in_body(&self, text: &str, token: &Token) -> Option<Range<usize>> {
        if token.kind != TokenKind::DollarString {
            return None;
        }
        let start = token.start + token.text(text)[1..].find('$')? + 2;
        let body = contents(text, token)?;
        let inner = lex(&body).into_iter();
        let mut used = inner.filter(|inner| {
            contents(&body, inner).is_some_and(|string| self.has_committed(&string))
        });
        used.next().map(|used| start + used.start..start + used.end)
    }
}

/// Whether the string at `at` is cast to the type `of`: `'b'::mood`, `CAST('b' AS mood)` or `mood 'b'`.
fn is_cast(text: &str, tokens: &[&Token], at: usize, of: &str) -> bool {
    let name = |from: usize| {
        let after: Vec<Token> = tokens.iter().skip(from).take(5).map(|token| **token).collect();
        Words::of_tokens(text, &after).last_name()
    };
    let is = |at: Option<usize>, word: &str| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|one| one.text(text).eq_ignore_ascii_case(word))
    };
    let cast = is(Some(at + 1), "::") || (is(Some(at + 1), "AS") && is(at.checked_sub(2), "CAST"));
    let named = if cast { name(at + 2) } else { at.checked_sub(1).and_then(name) };
    named.is_some_and(|name| name == of)
}

/// The calls, in a transaction, of procedures that the set made and that commit (2D000).
pub(super) fn committing_calls(
    folder: &str,
    migrations: &[Migration],
    downs: Down,
) -> Vec<SourceError> {
    let mut procedures = Procedures::default();
    let mut errors = Vec::new();
    for migration in migrations {
        let up = migration.up();
        let mut found = procedures.calls(up);
        let calls = |down: &&Script| down.text().to_ascii_uppercase().contains("CALL");
        let down = migration.down().filter(|_| downs != Down::Unchecked);
        if let Some(down) = down.filter(calls) {
            // What the set makes later was undone before it.
            let mut below = procedures.clone();
            let calls = below.calls(down);
            if down.filename() == up.filename() {
                found.extend(calls);
            } else {
                errors.extend(placed(folder, down.filename(), down.text(), calls));
            }
        }
        errors.extend(placed(folder, up.filename(), up.text(), found));
    }
    errors
}

/// The procedures that a set made, and whether each commits.
#[derive(Clone, Default)]
struct Procedures(HashMap<String, bool>);

impl Procedures {
    /// The calls in `script` of procedures that commit; adds those that it makes.
    fn calls(&mut self, script: &Script) -> Vec<Mistake> {
        let upper = script.text().to_ascii_uppercase();
        // Checked first, because it is cheap and few scripts have either.
        if !upper.contains("PROCEDURE") && (self.0.is_empty() || !upper.contains("CALL")) {
            return Vec::new();
        }
        let ours = script.transaction() == TransactionMode::Transactional;
        let mut inside = false;
        let beside = match (ours, script.statements().len()) {
            (false, _) => Beside::Begin,
            (true, 1) => Beside::Nothing,
            (true, _) => Beside::Others,
        };
        let mut mistakes = Vec::new();
        for (start, end) in script.single_statements() {
            let text = &script.text()[start..end];
            let tokens = lex(text);
            let Some(statement) = split(text, &tokens).ok().and_then(|one| one.into_iter().next())
            else {
                continue;
            };
            if let Some(made) = kind::procedure(text, &statement) {
                self.add(made);
            }
            let kind = kind::kind(text, &statement);
            inside = kind.opens() || inside && !kind.closes();
            let mut called = kind::called(text, &statement).into_iter();
            let commits = called.find(|name| self.0.get(name) == Some(&true));
            if let (Some(name), true) = (commits, ours || inside) {
                let statement = format!("CALL of `{name}`, which commits,");
                let first = tokens.first().map_or(0, |token| token.end);
                let problem = Problem::OutsideTransaction { statement, beside };
                mistakes.push(Mistake { span: Some(start..start + first), problem });
            }
        }
        mistakes
    }

    /// Of several of one name, which differ in their parameters, all have to commit.
    fn add(&mut self, Procedure { name, replaces, commits, calls }: Procedure) {
        let commits = commits || calls.iter().any(|called| self.0.get(called) == Some(&true));
        let others = self.0.get(&name).filter(|_| !replaces).copied();
        self.0.insert(name, commits && others.unwrap_or(true));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SetOptions, check};
    use super::*;

    /// The first line of each mistake in these files, after the folder.
    fn mistakes(files: &[(&str, &str)], downs: Down) -> Vec<String> {
        let files = crate::tests::files(files);
        let options = SetOptions { down: downs, ..SetOptions::default() };
        let errors = check("m", &files, &options).err().map_or_else(Vec::new, |errors| errors.0);
        let first = |error: &SourceError| error.to_string().lines().next().map(str::to_owned);
        errors.iter().filter_map(first).collect()
    }

    const TYPE: &str = "create type mood as enum ('a'); create table t (m mood);";

    fn early(sql: &str, expected: Option<&str>) {
        let found = mistakes(&[("1_a.sql", TYPE), ("2_b.sql", sql)], Down::Optional);
        let expected = expected.map(|place| {
            let (at, value) = place.split_once(' ').unwrap();
            format!(
                "m/2_b.sql:{at}: {value} is a new value of an enum, and cannot be used in the transaction that \
                 adds it"
            )
        });
        assert_eq!(found, Vec::from_iter(expected), "{sql}");
    }

    #[test]
    fn values_are_not_used_where_they_are_added() {
        let own = "begin;\nalter type mood add value 'b';\ncommit;\n";
        early(&format!("{own}insert into t values ('b');"), Some("4:23 'b'"));
        early(&format!("{own}insert into t values ($$b$$);"), Some("4:23 $$b$$"));
        early(&format!("{own}do $x$ begin update t set m = 'b'; end $x$;"), Some("4:31 'b'"));
        let it = "begin;\nalter type public.mood add value 'it''s';\ncommit;\n";
        early(&format!("{it}insert into t values ('it''s');"), Some("4:23 'it''s'"));
        let add = "alter type mood add value if not exists 'b';\n";
        early(&format!("{add}insert into t values ('b'::mood);"), Some("2:23 'b'"));
        early(&format!("{add}update t set m = cast('b' as public.mood);"), Some("2:23 'b'"));
        early(&format!("{add}delete from t where m = mood 'b';"), Some("2:30 'b'"));
        early(
            &format!("create type other as enum ('x');\n{add}select 'b'::mood;"),
            Some("3:8 'b'"),
        );
    }

    #[test]
    fn other_strings_and_values_of_a_new_type_are_used() {
        let add = "begin;\nalter type mood add value 'b';\ncommit;\n";
        for sql in [
            "alter type mood add value 'b'; create table log (a text default 'b');",
            "alter type mood add value 'b'; select 'b'::text, 'c'::mood;",
            "create type n as enum ('a'); alter type n add value 'b'; select 'b'::n;",
            &format!("{add}alter type mood add value 'c' after 'b';"),
            &format!("{add}comment on type mood is 'b';"),
            &format!("-- migrate:no-transaction\n{add}insert into t values ('b');"),
            &format!(
                "{add}create function f() returns void language plpgsql as $$ begin perform 'b'; end $$;"
            ),
        ] {
            early(sql, None);
        }
    }

    const COMMITS: &str = "create procedure p() language plpgsql as $$ begin commit; end $$;";

    #[test]
    fn calls_that_commit_are_found_in_both_scripts() {
        let refused = |at: &str, name: &str| {
            format!("m/{at}: CALL of `{name}`, which commits, cannot run in a transaction")
        };
        let check = |sql: &str, at: &str, name: &str| {
            let found = mistakes(&[("1_p.sql", COMMITS), ("2_c.sql", sql)], Down::Optional);
            assert_eq!(found, [refused(&format!("2_c.sql:{at}"), name)], "{sql}");
        };
        check("call p();", "1:1", "p");
        check("select 1; do $$ begin if true then call public.p(); end if; end $$;", "1:11", "p");
        check("-- UP\nselect 1;\n-- DOWN\ncall p();", "4:1", "p");
        check("-- migrate:no-transaction\nvacuum;\nbegin;\ncall p();\ncommit;", "4:1", "p");
        let through = "create procedure q() language plpgsql as $$ begin call p(); end $$;";
        check(&format!("{through}\ncall q();"), "2:1", "q");
        let pair =
            [("1_p.sql", COMMITS), ("2_c.up.sql", "select 1;"), ("2_c.down.sql", "call p();")];
        assert_eq!(mistakes(&pair, Down::Optional), [refused("2_c.down.sql:1:1", "p")]);
        assert_eq!(mistakes(&pair, Down::Unchecked), [""; 0]);
    }

    #[test]
    fn calls_that_may_not_commit_are_allowed() {
        let other = "create procedure p(int) language plpgsql as $$ begin null; end $$;";
        let replaced = "create or replace procedure p() language plpgsql as $$ begin null; end $$;";
        let down = |sql: &str| format!("-- UP\n{sql}\n-- DOWN\n-- nothing");
        for sql in [
            format!("{other} call p(1);"),
            format!("{replaced} call p();"),
            "call app.gone();".to_owned(),
            "create table call (p int); select call.p from call;".to_owned(),
        ] {
            let found = mistakes(&[("1_p.sql", COMMITS), ("2_c.sql", &down(&sql))], Down::Optional);
            assert_eq!(found, [""; 0], "{sql}");
        }
        // What is made later was undone before.
        let files = [("1_a.sql", "-- UP\nselect 1;\n-- DOWN\ncall p();"), ("2_p.sql", COMMITS)];
        assert_eq!(mistakes(&files, Down::Optional), [""; 0]);
    }
}
