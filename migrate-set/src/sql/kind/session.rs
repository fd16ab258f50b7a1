//! Decides whether a statement changes the session that it runs in.
//! When in doubt, it does: to save and restore a session is cheap, and a leak would go unnoticed.

use super::super::lexer::{TokenKind, lex};
use super::super::split::Statement;
use super::{Command, first_words};

/// Whether a statement changes the session beyond its transaction, or the role that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SessionEffect {
    /// The session is unchanged.
    #[default]
    Keeps,
    /// Settings, the role, temporary tables, prepared statements, cursors or channels can change.
    Changes,
    /// `RESET ALL` or `DISCARD ALL`: the session loses all state, including what was saved in it.
    Resets,
}

/// The effect of `statement`, a statement of `text`, on the session's settings.
pub fn session_effect(text: &str, statement: &Statement<'_>) -> SessionEffect {
    let words = Command::of(text, statement);
    let changes = match words.at(0) {
        // Even a local role could lack the right to write the ledger entry.
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

/// The custom settings (`app.tenant`) that `text` sets, or reads, because a hook can have set them, including those
/// in quoted bodies.
pub fn own_settings(text: &str) -> Vec<String> {
    let tokens: Vec<_> = lex(text).into_iter().filter(|token| !token.is_trivia()).collect();
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text(text));
    let mut found: Vec<String> = Vec::new();
    // Kept sorted: the code of a sort is 8 KiB in each service.
    let mut add = |name: String| {
        if let Err(place) = found.binary_search(&name) {
            found.insert(place, name);
        }
    };
    for (at, token) in tokens.iter().enumerate() {
        let is = |name: &str| token.text(text).eq_ignore_ascii_case(name);
        if is("SET") || is("RESET") {
            let scope = ["SESSION", "LOCAL"].iter().any(|s| word(at + 1).eq_ignore_ascii_case(s));
            let name = at + 1 + usize::from(scope);
            if word(name + 1) == "." {
                add(format!("{}.{}", word(name), word(name + 2)).to_ascii_lowercase());
            }
        } else if (is("SET_CONFIG") || is("CURRENT_SETTING")) && word(at + 1) == "(" {
            let name = word(at + 2).trim_matches('\'');
            if name.contains('.') {
                add(name.to_ascii_lowercase());
            }
        } else if token.kind == TokenKind::DollarString {
            // The closing tag cannot set anything.
            let quoted = token.text(text);
            let body = quoted[1..].find('$').map_or("", |tag| &quoted[tag + 2..]);
            own_settings(body).into_iter().for_each(&mut add);
        }
    }
    found.retain(|name| name.chars().all(|c| c.is_alphanumeric() || "._$".contains(c)));
    found
}

/// `CREATE [ OR REPLACE ] [ LOCAL | GLOBAL ] { TEMP | TEMPORARY } ...`, or a name in `pg_temp`.
fn creates_temporary(words: &Command<'_, '_>) -> bool {
    let head = &words.head[..words.len().min(8)];
    head.iter().any(|word| is_temporary(word))
}

/// `SELECT ... INTO { TEMP | TEMPORARY } ...`
fn selects_into_temporary(words: &Command<'_, '_>) -> bool {
    let mut previous = "";
    words.all().any(|word| {
        let before = std::mem::replace(&mut previous, word);
        before.eq_ignore_ascii_case("INTO") && is_temporary(word)
    })
}

fn is_temporary(word: &str) -> bool {
    ["TEMP", "TEMPORARY", "PG_TEMP"].iter().any(|temporary| word.eq_ignore_ascii_case(temporary))
}

/// What a PL/pgSQL body does to the session; dynamic SQL could do anything.
fn effect_inside(body: &str) -> SessionEffect {
    let tokens = lex(body);
    let words = || tokens.iter().filter(|token| !token.is_trivia()).map(|token| token.text(body));
    let mut pairs = words().zip(words().skip(1));
    if pairs.any(|(a, b)| a.eq_ignore_ascii_case("RESET") && b.eq_ignore_ascii_case("ALL")) {
        return SessionEffect::Resets;
    }
    let suspects = ["SET_CONFIG", "EXECUTE", "LISTEN", "UNLISTEN", "PREPARE", "PG_SETTINGS"];
    let is_suspect = |word: &str| suspects.iter().any(|known| word.eq_ignore_ascii_case(known));
    let changes = words().any(|word| is_suspect(word) || is_temporary(word))
        || first_words(body).any(|word| matches!(word.as_str(), "SET" | "RESET"));
    if changes { SessionEffect::Changes } else { SessionEffect::Keeps }
}

#[cfg(test)]
mod tests {
    use super::super::super::split::split;
    use super::*;

    fn of(text: &str) -> SessionEffect {
        let tokens = lex(text);
        let statements = split(text, &tokens).unwrap();
        assert_eq!(statements.len(), 1, "{text}");
        session_effect(text, &statements[0])
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
        check(
            "do $$ begin perform current_setting('j.k', true), current_setting('role'); end $$",
            &["j.k"],
        );
        check("select 'set a.b'; update t set a = b.c", &[]);
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
            assert_eq!(of(text), SessionEffect::Changes, "{text}");
        }
    }

    #[test]
    fn kept_and_reset_sessions_are_known() {
        for text in [
            "set local search_path = ''",
            "set constraints all deferred",
            "update t set a = 1",
            "select 'set_config'",
            "create function f() returns void language sql as $$ select set_config('a.b', '', false) $$",
            "create table weather (id int, place text, day date, temp int)",
            "do $$ begin update t set a = 1; end $$",
        ] {
            assert_eq!(of(text), SessionEffect::Keeps, "{text}");
        }
        for text in ["reset all", "discard all", "do $$ begin set role x; reset all; end $$"] {
            assert_eq!(of(text), SessionEffect::Resets, "{text}");
        }
    }
}
