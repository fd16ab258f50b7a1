//! Whether two definitions are the same to the server, as far as that can be seen from their words.

use migrate_set::sort::sort_by;
use migrate_set::sql::lexer::{TokenKind, lex};

use super::object::Sort;
use crate::lint::retype::typed;

/// How two definitions compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    Yes,
    No,
    /// They are written differently, and the server can write both in one way.
    Perhaps,
}

/// What can be left out, because it is so by default.
const DEFAULTS: &[&str] = &[
    " using btree", " asc", " on delete no action", " on update no action", " not deferrable",
    " initially immediate", " match simple", " called on null input", " cost 100",
    " not leakproof", " parallel unsafe", " security invoker", " volatile",
];

/// Whether two definitions of an object of this kind are the same.
pub(super) fn same(sort: Sort, was: &str, is: &str) -> Same {
    if was == is {
        return Same::Yes;
    }
    let (first, second) = (Plain::of(sort, was), Plain::of(sort, is));
    if first == second {
        return Same::Yes;
    }
    let is_loose = match sort {
        Sort::View | Sort::Table => true,
        Sort::Index => [&first, &second].iter().any(|one| one.is_computed()),
        // NOT VALID is at the end of a CHECK.
        Sort::Constraint => {
            first.not_valid == second.not_valid
                && [&first, &second].iter().any(|one| one.head.starts_with("check"))
        }
        _ => false,
    };
    if is_loose { Same::Perhaps } else { Same::No }
}

/// A definition in one spelling.
#[derive(Debug, PartialEq, Eq)]
struct Plain {
    head: String,
    /// Its options, whose order does not matter.
    options: Vec<String>,
    not_valid: bool,
}

impl Plain {
    fn of(sort: Sort, text: &str) -> Plain {
        let mut text = words(text, sort == Sort::Function);
        if sort == Sort::Trigger {
            text = text.replace("execute procedure", "execute function");
        }
        for default in DEFAULTS {
            text = text.replace(default, "");
        }
        let not_valid = text.ends_with(" not valid");
        let text = text.trim_end_matches(" not valid");
        let split = match sort {
            Sort::Function => text.find(" ) "),
            Sort::Constraint | Sort::ForeignKey => text.find(" references "),
            _ => None,
        };
        let (head, rest) = text.split_at(split.unwrap_or(text.len()));
        // A key without columns refers to the primary key.
        let of_target = rest.split_once(" ( ").filter(|_| sort != Sort::Function);
        let of_target = of_target.and_then(|(before, rest)| {
            let (_, after) = rest.split_once(" )")?;
            Some(format!("{before} {after}"))
        });
        let rest = of_target.as_deref().unwrap_or(rest);
        let mut options: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        sort_by(&mut options, Ord::cmp);
        Plain { head: head.to_owned(), options, not_valid }
    }

    /// Whether it is an index with an expression or a condition, which the server writes in its own way.
    fn is_computed(&self) -> bool {
        self.head.contains(" where ") || self.head.matches('(').count() > 1
    }
}

/// The words of a definition, with the body of a function as one.
fn words(text: &str, has_body: bool) -> String {
    let mut words: Vec<String> = Vec::new();
    for token in lex(text).iter().filter(|token| !token.is_trivia()) {
        let word = token.text(text);
        words.push(match token.kind {
            TokenKind::QuotedIdentifier => word.to_owned(),
            _ if has_body && (word.starts_with('\'') || word.starts_with('$')) => body(word),
            _ if word.starts_with(['\'', '$']) => word.to_owned(),
            _ => word.to_ascii_lowercase(),
        });
    }
    words.join(" ").replace("public . ", "").replace("pg_catalog . ", "")
}

/// What is in a string; blanks do not count.
fn body(word: &str) -> String {
    let inner = match word.strip_prefix('$').and_then(|rest| rest.split_once('$')) {
        Some((tag, rest)) => rest.strip_suffix(&format!("${tag}$")).unwrap_or(rest).to_owned(),
        None => word.trim_matches('\'').replace("''", "'"),
    };
    inner.split_whitespace().collect()
}

/// A type in the server's own spelling.
pub(super) fn type_of(text: &str) -> String {
    let text = text.replace("public.", "");
    typed(&text).map_or(text, |known| known.to_string())
}

/// The expression of a default, without casts and parentheses; empty for NULL.
pub(super) fn default_of(text: &str) -> String {
    let mut rest = text.trim().trim_start_matches("DEFAULT ").trim();
    while let Some(inner) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        if inner.contains(['(', ')']) {
            break;
        }
        rest = inner.trim();
    }
    match rest.split("::").next().unwrap_or(rest).trim() {
        "NULL" => String::new(),
        "'t'" | "'true'" => "true".to_owned(),
        "'f'" | "'false'" => "false".to_owned(),
        value => value.replace("public.", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_writes_in_one_way_is_the_same() {
        let check = |sort, was: &str, is: &str, expected| {
            assert_eq!(same(sort, was, is), expected, "{was} / {is}");
            assert_eq!(same(sort, is, was), expected, "{is} / {was}");
        };
        let function = "FUNCTION (a integer) RETURNS integer LANGUAGE sql AS 'select 1'";
        let other = "FUNCTION (a integer) RETURNS integer VOLATILE AS $$ select  1 $$ LANGUAGE sql";
        check(Sort::Function, function, other, Same::Yes);
        check(Sort::Function, function, &other.replace('1', "2"), Same::No);
        check(Sort::Function, function, &format!("{other} STRICT"), Same::No);
        check(Sort::Index, "INDEX (a)", "INDEX USING btree (a ASC)", Same::Yes);
        check(Sort::Index, "INDEX (a)", "UNIQUE INDEX (a)", Same::No);
        check(Sort::Index, "INDEX (a)", "INDEX (a) WHERE (a > 0)", Same::Perhaps);
        check(Sort::Index, "INDEX (lower(a))", "INDEX (upper(a))", Same::Perhaps);
        let key = "FOREIGN KEY (a) REFERENCES public.t";
        let other = "FOREIGN KEY (a) REFERENCES t (id) ON UPDATE NO ACTION";
        check(Sort::ForeignKey, key, other, Same::Yes);
        check(Sort::ForeignKey, key, &other.replace("t (id)", "u (id)"), Same::No);
        check(Sort::ForeignKey, key, &format!("{key} ON DELETE CASCADE"), Same::No);
        check(Sort::Constraint, "CHECK (a > 0)", "CHECK ((a > 0))", Same::Perhaps);
        check(Sort::Constraint, "CHECK (a > 0)", "CHECK (a > 0) NOT VALID", Same::No);
        check(Sort::Constraint, "UNIQUE (a)", "UNIQUE (b)", Same::No);
        let trigger = "TRIGGER BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()";
        check(Sort::Trigger, trigger, &trigger.replace("FUNCTION", "PROCEDURE"), Same::Yes);
        check(Sort::View, "VIEW AS SELECT a", "VIEW AS SELECT t.a", Same::Perhaps);
    }

    #[test]
    fn a_default_is_its_value() {
        let check = |written: &str, expected: &str| assert_eq!(default_of(written), expected);
        check("DEFAULT 'x'::text", "'x'");
        check("DEFAULT (1)", "1");
        check("DEFAULT (now() + '1 day')", "(now() + '1 day')");
        check("DEFAULT NULL", "");
        check("DEFAULT 't'", "true");
    }
}
