//! Decides what a statement means for the transaction and the session around it.
//! The words of one statement go in, a [`Kind`] and a [`SessionEffect`] come out.
//! It does not know what else a statement does, and looks into routine bodies only as far as a
//! `COMMIT` or a `set_config` there would surprise the run.

use std::borrow::Cow;

use super::lexer::{TokenKind, lex};
use super::split::Statement;

/// What a statement means for the transaction around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Runs anywhere.
    Plain,
    /// `BEGIN` or `START TRANSACTION` without modes.
    Begin,
    /// `COMMIT` or `END` without `AND CHAIN`.
    Commit,
    /// Other transaction control, by its words.
    TransactionControl(&'static str),
    /// PostgreSQL refuses it inside a transaction block (SQLSTATE 25001, or 2D000); by its words.
    OutsideTransaction(&'static str),
    /// `COPY` from or to the client, which a script sent as one message has no data for.
    CopyClient,
    /// A meta command of psql.
    MetaCommand,
}

impl Kind {
    /// Whether a transaction of the script's own begins here.
    pub fn opens(self) -> bool {
        matches!(
            self,
            Kind::Begin
                | Kind::TransactionControl(
                    BEGIN_MODES | START_MODES | BEGIN_UNENDED | START_UNENDED
                )
        )
    }

    /// Whether a transaction of the script's own ends here.
    pub fn closes(self) -> bool {
        matches!(
            self,
            Kind::Commit | Kind::TransactionControl("ROLLBACK" | "ABORT" | COMMIT_UNENDED)
        )
    }
}

const BEGIN_MODES: &str = "BEGIN with transaction modes";
const START_MODES: &str = "START TRANSACTION with transaction modes";
// What follows them is the next statement, whose author forgot a semicolon.
const BEGIN_UNENDED: &str = "BEGIN without `;`";
const START_UNENDED: &str = "START TRANSACTION without `;`";
const COMMIT_UNENDED: &str = "COMMIT without `;`";

/// Whether a statement changes the session beyond its transaction, or what we may do in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SessionEffect {
    /// The session stays as it was.
    #[default]
    Keeps,
    /// Settings, the role, temporary tables, prepared statements, cursors or channels may differ.
    Changes,
    /// `RESET ALL` or `DISCARD ALL`: whatever the session held is gone, also what was noted in it.
    Resets,
}

/// The kind of `statement`, a statement of `text`.
pub fn kind(text: &str, statement: &Statement<'_>) -> Kind {
    if statement.tokens.first().is_some_and(|token| token.kind == TokenKind::Backslash) {
        return Kind::MetaCommand;
    }
    let words = Words::of(text, statement);
    transaction_control(&words)
        .or_else(|| outside_transaction(&words))
        .or_else(|| copies_to_client(&words).then_some(Kind::CopyClient))
        .or_else(|| commits_inside(&words))
        .unwrap_or(Kind::Plain)
}

/// The effect of `statement`, a statement of `text`, on the session's settings.
pub fn session_effect(text: &str, statement: &Statement<'_>) -> SessionEffect {
    let words = Words::of(text, statement);
    let changes = match words.at(0) {
        // Even a local role would keep us from writing the ledger's entry.
        "SET" if words.at(1) == "LOCAL" => matches!(words.at(2), "ROLE" | "SESSION"),
        "SET" => !matches!(words.at(1), "CONSTRAINTS" | "TRANSACTION"),
        "RESET" | "DISCARD" if words.at(1) == "ALL" => return SessionEffect::Resets,
        "RESET" | "DISCARD" | "PREPARE" | "DEALLOCATE" | "LISTEN" | "UNLISTEN" | "DECLARE" => true,
        "DO" => {
            return words.do_body().map_or(SessionEffect::Keeps, |body| effect_inside(&body));
        }
        "CREATE" => creates_temporary(&words) || words.contains("SET_CONFIG"),
        "SELECT" | "WITH" => words.contains("SET_CONFIG") || selects_into_temporary(&words),
        "UPDATE" => words.contains("SET_CONFIG") || words.contains("PG_SETTINGS"),
        _ => words.contains("SET_CONFIG"),
    };
    if changes { SessionEffect::Changes } else { SessionEffect::Keeps }
}

/// The settings of a service's own (`app.tenant`) that `text` names where it sets them, also inside
/// quoted bodies.
pub fn own_settings(text: &str) -> Vec<String> {
    let tokens: Vec<_> = lex(text).into_iter().filter(|token| !token.is_trivia()).collect();
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text(text));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is = |name: &str| token.text(text).eq_ignore_ascii_case(name);
        if is("SET") || is("RESET") {
            let scope = ["SESSION", "LOCAL"].iter().any(|s| word(at + 1).eq_ignore_ascii_case(s));
            let name = at + 1 + usize::from(scope);
            if word(name + 1) == "." {
                found.push(format!("{}.{}", word(name), word(name + 2)).to_ascii_lowercase());
            }
        } else if is("SET_CONFIG") && word(at + 1) == "(" {
            let name = word(at + 2).trim_matches('\'');
            found.extend(name.contains('.').then(|| name.to_ascii_lowercase()));
        } else if token.kind == TokenKind::DollarString {
            // Its last tag is no word that sets anything.
            let quoted = token.text(text);
            let body = quoted[1..].find('$').map_or("", |tag| &quoted[tag + 2..]);
            found.extend(own_settings(body));
        }
    }
    found.retain(|name| name.chars().all(|c| c.is_alphanumeric() || "._$".contains(c)));
    found.sort();
    found.dedup();
    found
}

/// Whether `statement`, a statement of `text`, calls a procedure, which may commit inside.
pub fn calls_procedure(text: &str, statement: &Statement<'_>) -> bool {
    let words = Words::of(text, statement);
    let inside = |body: Cow<'_, str>| first_words(&body).any(|word| word == "CALL");
    words.at(0) == "CALL" || (words.at(0) == "DO" && words.do_body().is_some_and(inside))
}

/// A statement with its first words in upper case: enough to tell commands apart.
struct Words<'s, 't> {
    text: &'t str,
    statement: &'s Statement<'t>,
    head: Vec<String>,
}

impl<'s, 't> Words<'s, 't> {
    /// No command is told apart by a word further in than this.
    const HEAD: usize = 24;

    fn of(text: &'t str, statement: &'s Statement<'t>) -> Self {
        let head = statement.significant().take(Self::HEAD);
        let head = head.map(|token| token.text(text).to_ascii_uppercase()).collect();
        Words { text, statement, head }
    }

    /// Word number `index`, or the empty string behind the end.
    fn at(&self, index: usize) -> &str {
        self.head.get(index).map_or("", String::as_str)
    }

    /// How many there are, counted up to [`Words::HEAD`].
    fn len(&self) -> usize {
        self.head.len()
    }

    /// All words of the statement, as written.
    fn all(&self) -> impl Iterator<Item = &'t str> {
        self.statement.significant().map(|token| token.text(self.text))
    }

    fn contains(&self, word: &str) -> bool {
        self.all().any(|found| found.eq_ignore_ascii_case(word))
    }

    /// Behind the option list `( ... )` at `index`, or `index` where there is none.
    fn behind_parentheses(&self, index: usize) -> usize {
        if self.at(index) != "(" {
            return index;
        }
        let close = self.head[index..].iter().position(|word| word == ")");
        close.map_or(self.len(), |offset| index + offset + 1)
    }

    /// The text inside the quotes of a `DO` block, which runs at once.
    fn do_body(&self) -> Option<Cow<'t, str>> {
        let mut tokens = self.statement.significant();
        let is_body = |kind| {
            matches!(kind, TokenKind::DollarString | TokenKind::String | TokenKind::EscapeString)
        };
        let token = tokens.find(|token| is_body(token.kind))?;
        let quoted = token.text(self.text);
        if token.kind == TokenKind::DollarString {
            let tag = quoted[1..].find('$')? + 2;
            return quoted.get(tag..quoted.len() - tag).map(Cow::Borrowed);
        }
        // Doubled and escaped quotes become what they stand for; no other escape matters here.
        let inside = quoted.get(quoted.find('\'')? + 1..quoted.len() - 1)?;
        Some(Cow::Owned(inside.replace("\\'", "'").replace("''", "'")))
    }
}

/// Manual, "SQL Commands": BEGIN, COMMIT, END, ROLLBACK, ABORT, START, PREPARE, SET TRANSACTION.
/// Savepoints nest inside any transaction and are left alone.
fn transaction_control(words: &Words<'_, '_>) -> Option<Kind> {
    let optional = |at: usize| at + usize::from(matches!(words.at(at), "WORK" | "TRANSACTION"));
    Some(match (words.at(0), words.at(1)) {
        ("BEGIN", _) if words.len() == optional(1) => Kind::Begin,
        ("START", "TRANSACTION") if words.len() == 2 => Kind::Begin,
        ("BEGIN", _) if is_mode(words.at(optional(1))) => Kind::TransactionControl(BEGIN_MODES),
        ("BEGIN", _) => Kind::TransactionControl(BEGIN_UNENDED),
        ("START", "TRANSACTION") if is_mode(words.at(2)) => Kind::TransactionControl(START_MODES),
        ("START", "TRANSACTION") => Kind::TransactionControl(START_UNENDED),
        ("COMMIT", "PREPARED") => Kind::OutsideTransaction("COMMIT PREPARED"),
        ("COMMIT" | "END", _) if words.len() == optional(1) => Kind::Commit,
        ("COMMIT" | "END", _) if words.at(optional(1)) == "AND" => {
            Kind::TransactionControl("COMMIT AND CHAIN")
        }
        ("COMMIT", _) => Kind::TransactionControl(COMMIT_UNENDED),
        ("ROLLBACK", "PREPARED") => Kind::OutsideTransaction("ROLLBACK PREPARED"),
        ("ROLLBACK", _) if words.at(optional(1)) == "TO" => return None,
        ("ROLLBACK", _) => Kind::TransactionControl("ROLLBACK"),
        ("ABORT", _) => Kind::TransactionControl("ABORT"),
        ("PREPARE", "TRANSACTION") => Kind::TransactionControl("PREPARE TRANSACTION"),
        ("SET", "TRANSACTION") => Kind::TransactionControl("SET TRANSACTION"),
        _ => return None,
    })
}

/// Whether a word begins a transaction mode (manual, "BEGIN").
fn is_mode(word: &str) -> bool {
    matches!(word, "ISOLATION" | "READ" | "NOT" | "DEFERRABLE")
}

/// What `PreventInTransactionBlock` refuses (tried on PostgreSQL 13, 15 and 18).
fn outside_transaction(words: &Words<'_, '_>) -> Option<Kind> {
    let name = match (words.at(0), words.at(1)) {
        ("CREATE", "INDEX") if words.at(2) == "CONCURRENTLY" => "CREATE INDEX CONCURRENTLY",
        ("CREATE", "UNIQUE") if words.at(3) == "CONCURRENTLY" => "CREATE UNIQUE INDEX CONCURRENTLY",
        ("DROP", "INDEX") if words.at(2) == "CONCURRENTLY" => "DROP INDEX CONCURRENTLY",
        ("REINDEX", _) => return reindex(words),
        ("VACUUM", _) => "VACUUM",
        ("CLUSTER", _) => {
            return clusters_all(words)
                .then_some(Kind::OutsideTransaction("CLUSTER without a table"));
        }
        ("ALTER", "TABLE" | "FOREIGN") if detaches_concurrently(words) => {
            "ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY"
        }
        ("CREATE", "DATABASE") => "CREATE DATABASE",
        ("DROP", "DATABASE") => "DROP DATABASE",
        ("ALTER", "DATABASE") if words.at(3) == "SET" && words.at(4) == "TABLESPACE" => {
            "ALTER DATABASE ... SET TABLESPACE"
        }
        ("CREATE", "TABLESPACE") => "CREATE TABLESPACE",
        ("DROP", "TABLESPACE") => "DROP TABLESPACE",
        ("ALTER", "SYSTEM") => "ALTER SYSTEM",
        ("CREATE", "SUBSCRIPTION") if !connects_not(words) => "CREATE SUBSCRIPTION",
        ("DISCARD", "ALL") => "DISCARD ALL",
        _ => return None,
    };
    Some(Kind::OutsideTransaction(name))
}

/// `REINDEX [ ( option, ... ) ] { INDEX | TABLE | SCHEMA | DATABASE | SYSTEM } [ CONCURRENTLY ] name`
fn reindex(words: &Words<'_, '_>) -> Option<Kind> {
    let target = words.behind_parentheses(1);
    let options = &words.head[1..target];
    let concurrently = options.iter().position(|word| word == "CONCURRENTLY").is_some_and(|at| {
        !matches!(options.get(at + 1).map(String::as_str), Some("FALSE" | "OFF"))
    });
    let name = match words.at(target) {
        "SCHEMA" => "REINDEX SCHEMA",
        "DATABASE" => "REINDEX DATABASE",
        "SYSTEM" => "REINDEX SYSTEM",
        _ if concurrently || words.at(target + 1) == "CONCURRENTLY" => "REINDEX CONCURRENTLY",
        _ => return None,
    };
    Some(Kind::OutsideTransaction(name))
}

/// `CLUSTER`, `CLUSTER VERBOSE` and `CLUSTER ( options )` cluster every table there is.
fn clusters_all(words: &Words<'_, '_>) -> bool {
    let mut at = words.behind_parentheses(1);
    at += usize::from(words.at(at) == "VERBOSE");
    at >= words.len()
}

fn detaches_concurrently(words: &Words<'_, '_>) -> bool {
    words.head.windows(2).any(|pair| pair[0] == "DETACH" && pair[1] == "PARTITION")
        && words.all().last().is_some_and(|word| word.eq_ignore_ascii_case("CONCURRENTLY"))
}

/// `WITH (connect = false)`, in any of the spellings of a boolean that are words.
fn connects_not(words: &Words<'_, '_>) -> bool {
    let mut rest = words.all().skip_while(|word| !word.eq_ignore_ascii_case("CONNECT")).skip(2);
    let value = rest.next().unwrap_or_default();
    ["FALSE", "OFF", "NO"].iter().any(|no| value.eq_ignore_ascii_case(no))
}

fn copies_to_client(words: &Words<'_, '_>) -> bool {
    let mut previous = "";
    words.at(0) == "COPY"
        && words.all().any(|word| {
            let pair = (std::mem::replace(&mut previous, word), word);
            (pair.0.eq_ignore_ascii_case("FROM") && pair.1.eq_ignore_ascii_case("STDIN"))
                || (pair.0.eq_ignore_ascii_case("TO") && pair.1.eq_ignore_ascii_case("STDOUT"))
        })
}

/// A `DO` block whose body commits or rolls back is refused inside a transaction (2D000).
fn commits_inside(words: &Words<'_, '_>) -> Option<Kind> {
    let body = if words.at(0) == "DO" { words.do_body()? } else { return None };
    let ends = |word: &str| matches!(word, "COMMIT" | "ROLLBACK");
    first_words(&body)
        .any(|word| ends(&word))
        .then_some(Kind::OutsideTransaction("DO with COMMIT or ROLLBACK inside"))
}

/// `CREATE [ OR REPLACE ] [ LOCAL | GLOBAL ] { TEMP | TEMPORARY } ...`, or a name in `pg_temp`.
fn creates_temporary(words: &Words<'_, '_>) -> bool {
    let head = &words.head[..words.len().min(8)];
    head.iter().any(|word| is_temporary(word))
}

/// `SELECT ... INTO { TEMP | TEMPORARY } ...`
fn selects_into_temporary(words: &Words<'_, '_>) -> bool {
    let mut previous = "";
    words.all().any(|word| {
        let before = std::mem::replace(&mut previous, word);
        before.eq_ignore_ascii_case("INTO") && is_temporary(word)
    })
}

fn is_temporary(word: &str) -> bool {
    ["TEMP", "TEMPORARY", "PG_TEMP"].iter().any(|temporary| word.eq_ignore_ascii_case(temporary))
}

/// What a PL/pgSQL body does to the session; what it executes dynamically could be anything.
fn effect_inside(body: &str) -> SessionEffect {
    let tokens = lex(body);
    let words = || tokens.iter().filter(|token| !token.is_trivia()).map(|token| token.text(body));
    let mut pairs = words().zip(words().skip(1));
    if pairs.any(|(a, b)| a.eq_ignore_ascii_case("RESET") && b.eq_ignore_ascii_case("ALL")) {
        return SessionEffect::Resets;
    }
    let telling = ["SET_CONFIG", "EXECUTE", "LISTEN", "UNLISTEN", "PREPARE", "PG_SETTINGS"];
    let tells = |word: &str| telling.iter().any(|telling| word.eq_ignore_ascii_case(telling));
    let changes = words().any(|word| tells(word) || is_temporary(word))
        || first_words(body).any(|word| matches!(word.as_str(), "SET" | "RESET"));
    if changes { SessionEffect::Changes } else { SessionEffect::Keeps }
}

/// The words, in upper case, that begin a statement of a PL/pgSQL body.
fn first_words(body: &str) -> impl Iterator<Item = String> {
    let mut starts = true;
    let tokens = lex(body).into_iter().filter(|token| !token.is_trivia());
    tokens.filter_map(move |token| {
        let word = token.text(body).to_ascii_uppercase();
        let started = starts;
        starts = token.kind == TokenKind::Semicolon
            || matches!(word.as_str(), "BEGIN" | "THEN" | "ELSE" | "LOOP");
        started.then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::split::split;
    use super::*;

    fn of(text: &str) -> (Kind, SessionEffect) {
        let tokens = lex(text);
        let statements = split(text, &tokens).unwrap();
        assert_eq!(statements.len(), 1, "{text}");
        (kind(text, &statements[0]), session_effect(text, &statements[0]))
    }

    #[test]
    fn transaction_control_is_known() {
        let check = |text: &str, expected: Kind| assert_eq!(of(text).0, expected, "{text}");
        for text in
            ["begin", "BEGIN WORK", "Begin Transaction", "start transaction", "/* x */ begin"]
        {
            check(text, Kind::Begin);
        }
        for text in ["commit", "COMMIT WORK", "end", "END TRANSACTION"] {
            check(text, Kind::Commit);
        }
        check(
            "begin isolation level serializable",
            Kind::TransactionControl("BEGIN with transaction modes"),
        );
        check(
            "start transaction read only",
            Kind::TransactionControl("START TRANSACTION with transaction modes"),
        );
        check("commit and chain", Kind::TransactionControl("COMMIT AND CHAIN"));
        check("rollback", Kind::TransactionControl("ROLLBACK"));
        check("rollback work", Kind::TransactionControl("ROLLBACK"));
        check("abort", Kind::TransactionControl("ABORT"));
        check("prepare transaction 'x'", Kind::TransactionControl("PREPARE TRANSACTION"));
        check("set transaction read only", Kind::TransactionControl("SET TRANSACTION"));
        for text in [
            "savepoint a",
            "release a",
            "rollback to a",
            "rollback work to savepoint a",
            "prepare p as select 1",
        ] {
            check(text, Kind::Plain);
        }
    }

    #[test]
    fn what_runs_only_outside_a_transaction_is_known() {
        for text in [
            "create index concurrently i on t (a)",
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
            "drop index concurrently i",
            "reindex index concurrently i",
            "reindex (concurrently) table t",
            "reindex (verbose, concurrently true) table t",
            "reindex schema s",
            "reindex (verbose) database d",
            "reindex system d",
            "vacuum",
            "vacuum (full) t",
            "cluster",
            "cluster verbose",
            "cluster (verbose)",
            "alter table t detach partition p concurrently",
            "alter table if exists s.t detach partition p concurrently",
            "create database d",
            "drop database if exists d",
            "alter database d set tablespace x",
            "create tablespace x location '/x'",
            "drop tablespace x",
            "alter system set work_mem = '1MB'",
            "create subscription s connection '' publication p",
            "discard all",
            "commit prepared 'x'",
            "rollback prepared 'x'",
            "do $$ begin update t set a = 1; commit; end $$",
            "do language plpgsql $x$ begin if true then rollback; end if; end $x$",
        ] {
            assert!(matches!(of(text).0, Kind::OutsideTransaction(_)), "{text}");
        }
        for text in [
            "create index i on t (a)",
            "create index concurrently_i on t (a)",
            "drop index i",
            "reindex index i",
            "reindex (concurrently false) index i",
            "refresh materialized view concurrently v",
            "analyze",
            "cluster t",
            "cluster verbose t using i",
            "alter type e add value 'x'",
            "alter table t detach partition p",
            "alter table t detach partition p finalize",
            "alter database d set work_mem = '1MB'",
            "create subscription s connection '' publication p with (connect = false)",
            "do $$ begin raise notice 'commit;'; end $$",
            "do $$ begin insert into t (commit) values (1); end $$",
            "create procedure p() language plpgsql as $$ begin commit; end $$",
        ] {
            assert_eq!(of(text).0, Kind::Plain, "{text}");
        }
    }

    #[test]
    fn settings_of_a_services_own_are_found() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(own_settings(text), expected, "{text}");
        check(
            "SET app.Tenant = 'x'; set local a.b to 1; RESET c.d; set work_mem = 1",
            &["a.b", "app.tenant", "c.d"],
        );
        check("select set_config('e.f', '', false), set_config('work_mem', '', false)", &["e.f"]);
        check("do $x$ begin set session g.h = 'i'; end $x$", &["g.h"]);
        check("select 'set a.b'; update t set a = b.c", &[]);
    }

    #[test]
    fn copies_and_meta_commands_are_known() {
        assert_eq!(of("copy t (a) from stdin").0, Kind::CopyClient);
        assert_eq!(of("COPY (select 1) TO STDOUT WITH (format csv)").0, Kind::CopyClient);
        assert_eq!(of("copy t from '/x'").0, Kind::Plain);
        assert_eq!(of("\\connect x").0, Kind::MetaCommand);
    }

    #[test]
    fn changed_session_settings_are_known() {
        for text in [
            "set search_path = ''",
            "set session work_mem = '1MB'",
            "reset work_mem",
            "set role x",
            "set local role x",
            "set local session authorization x",
            "create temp table t (a int)",
            "create or replace local temporary view v as select 1",
            "create table pg_temp.t (a int)",
            "select 1 into temp t",
            "prepare p as select 1",
            "listen c",
            "declare c cursor with hold for select 1",
            "do $$ begin execute 'set role x'; end $$",
            "do $$ begin create temp table t (a int); end $$",
            "do $$ begin prepare p as select 1; end $$",
            "do 'begin set a.b = ''c''; end'",
            "do E'begin set a.b = \\'c\\'; end'",
            "update pg_settings set setting = '1' where name = 'a'",
            "select pg_catalog.set_config('search_path', '', false)",
            "discard temp",
            "do $$ begin perform set_config('a.b', 'c', false); end $$",
            "do $$ begin set search_path = x; end $$",
        ] {
            assert_eq!(of(text).1, SessionEffect::Changes, "{text}");
        }
        for text in [
            "set local search_path = ''",
            "set constraints all deferred",
            "update t set a = 1",
            "select 'set_config'",
            "create function f() returns void language sql as $$ select set_config('a.b', '', false) $$",
            "create table weather (id int, place text, day date, temp int)",
            "do $$ begin update t set a = 1; end $$",
        ] {
            assert_eq!(of(text).1, SessionEffect::Keeps, "{text}");
        }
        for text in ["reset all", "discard all", "do $$ begin set role x; reset all; end $$"] {
            assert_eq!(of(text).1, SessionEffect::Resets, "{text}");
        }
    }
}
