//! Names in the place of placeholders, and where a placeholder cannot be.

use std::borrow::Cow;
use std::panic::catch_unwind;

use migrate_set::sql::lexer::{self, TokenKind, lex};

use super::{SyntaxError, walk};

/// The statement with each placeholder replaced by `name` of it, which has the same length.
pub(super) fn filled(statement: &str, name: impl Fn(&str) -> String) -> Cow<'_, str> {
    if !statement.contains('{') {
        return Cow::Borrowed(statement);
    }
    let mut filled = String::with_capacity(statement.len());
    for token in lex(statement) {
        match token.kind {
            TokenKind::Placeholder => filled.push_str(&name(token.text(statement))),
            _ => filled.push_str(token.text(statement)),
        }
    }
    Cow::Owned(filled)
}

/// As if it were a name without a schema.
pub(super) fn identifier(placeholder: &str) -> String {
    "x".repeat(placeholder.len())
}

/// The first placeholder of a table where only a name without a schema can be: with a schema, it becomes both.
pub(super) fn qualified(statement: &str) -> Option<SyntaxError> {
    if !statement.contains("tables.") {
        return None;
    }
    let is_table = |text: &str| text.contains("tables.");
    let both = |text: &str| {
        if is_table(text) { format!("x.{}", "x".repeat(text.len() - 2)) } else { identifier(text) }
    };
    let filled = filled(statement, both);
    let at = catch_unwind(|| walk::judge(&filled)).ok()?.error?.span.start;
    let of_it = |token: &lexer::Token| token.start < at && at < token.end;
    let token = lex(statement).into_iter().find(of_it)?;
    let written = token.text(statement);
    let name = written.trim_matches(['{', '}']).trim().strip_prefix("tables.")?;
    Some(SyntaxError {
        span: token.start..token.end,
        message: format!("expected a name without a schema, found `{written}`"),
        help: format!("write `{name}`; with a schema, the placeholder becomes `schema.{name}`"),
    })
}

#[cfg(test)]
mod tests {
    use crate::syntax::check;

    /// With a schema, PostgreSQL 15 refuses what the placeholder becomes, or accepts it.
    #[test]
    fn placeholder_of_a_table_is_refused_where_a_name_has_no_schema() {
        let refused = r"
            create index <{{tables.i}}> on {{tables.t}} (a)
            create trigger <{{tables.g}}> after insert on {{tables.t}} execute function f()
            create table {{tables.t}} (a int, constraint <{{tables.c}}> unique (a))
            alter table {{tables.t}} add constraint <{{ tables.c }}> unique (a)
            alter table {{tables.t}} drop constraint <{{tables.c}}>
            alter table {{tables.t}} rename to <{{tables.u}}>
            alter table {{tables.t}} add column <{{tables.a}}> int
            create policy <{{tables.p}}> on {{tables.t}}
            create rule <{{tables.r}}> as on insert to {{tables.t}} do nothing
            drop trigger <{{tables.g}}> on {{tables.t}}";
        for marked in refused.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let written = marked.split(['<', '>']).nth(1).unwrap();
            let error = check(&marked.replace(['<', '>'], "")).unwrap_err();
            assert_eq!(
                error.message,
                format!("expected a name without a schema, found `{written}`")
            );
            let before = marked.find('<').unwrap();
            assert_eq!(error.span, before..before + written.len(), "{marked}");
        }
        let valid = r"
            create table {{tables.t}} (a int references {{tables.u}} (id), like {{tables.v}})
            create index on {{tables.t}} (a)
            create index i on only {{tables.t}} (a)
            create table {{tables.p}} partition of {{tables.t}} for values from (1) to (2)
            create table {{tables.p}} () inherits ({{tables.t}})
            alter table {{tables.t}} attach partition {{tables.p}} default
            alter index {{tables.i}} attach partition {{tables.j}}
            alter index {{tables.i}} rename to j
            alter table {{tables.t}} inherit {{tables.u}}
            alter sequence {{tables.s}} owned by {{tables.t}}.id
            alter type {{tables.e}} add value 'a'
            alter function {{tables.f}}(int) owner to app
            comment on column {{tables.t}}.a is 'x'
            comment on constraint c on {{tables.t}} is 'x'
            create trigger g after insert on {{tables.t}} execute function {{tables.f}}()
            create constraint trigger g after insert on {{tables.t}} from {{tables.u}}
                for each row execute function {{tables.f}}()
            create policy p on {{tables.t}} using (a = (select b from {{tables.u}}))
            create rule r as on insert to {{tables.t}} do instead insert into {{tables.u}} values (1)
            create view {{tables.v}} as select {{tables.t}}.a, t.* from {{tables.t}} t
            create or replace function {{tables.f}}() returns setof {{tables.t}} language sql as 'select'
            create function {{tables.f}}(a {{tables.e}}, b {{tables.t}}[]) returns {{tables.e}}
                language sql as 'select'
            create type {{tables.e}} as enum ('a')
            create domain {{tables.d}} as {{tables.e}} check (value > 'a')
            create sequence {{tables.s}} owned by {{tables.t}}.a
            create statistics {{tables.x}} on a, b from {{tables.t}}
            create publication p for table {{tables.t}}
            create materialized view {{tables.m}} as select 1
            refresh materialized view concurrently {{tables.m}}
            select a::{{tables.e}}, cast(b as {{tables.e}}) from {{tables.t}} join {{tables.u}} using (a)
            select {{tables.f}}(1), ({{tables.t}}.a + 1) from {{tables.t}}
            insert into {{tables.t}} (a) values (1) on conflict (a) do update set a = excluded.a
            update {{tables.t}} set a = {{tables.t}}.a + 1 from {{tables.u}}
            delete from {{tables.t}} using {{tables.u}} where {{tables.t}}.a = 1
            copy {{tables.t}} (a) from stdin
            grant select, insert on table {{tables.t}} to app
            grant usage on sequence {{tables.s}} to app
            grant execute on function {{tables.f}}(int) to app
            lock table {{tables.t}} in share mode
            truncate {{tables.t}}, {{tables.u}} cascade
            drop table if exists {{tables.t}}, {{tables.u}}
            drop index concurrently {{tables.i}}
            drop function {{tables.f}}(int)
            drop trigger g on {{tables.t}}
            vacuum analyze {{tables.t}} (a)
            cluster {{tables.t}} using i
            reindex index {{tables.i}}
            merge into {{tables.t}} using {{tables.u}} u on true when not matched then do nothing
            alter default privileges in schema {{schema}} grant select on tables to app";
        for (line, follows) in joined(valid) {
            assert_eq!(check(&(line.to_owned() + &follows)), Ok(()), "{line}");
        }
    }

    /// Each line with those that are indented more than it.
    fn joined(table: &str) -> Vec<(&str, String)> {
        let mut joined: Vec<(&str, String)> = Vec::new();
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            match joined.last_mut() {
                Some((_, follows)) if line.starts_with("                ") => *follows += line,
                _ => joined.push((line.trim(), String::new())),
            }
        }
        joined
    }
}
