//! What is found in whole sets: each line is the place, the message and the label.

mod again;
mod begins;
mod block;
mod depend;
mod opaque;
mod there;

use std::sync::OnceLock;

use migrate_set::location::position;
use migrate_set::set::TransactionMode;
use migrate_set::sql::lexer::lex;
use migrate_set::sql::split::split;

use super::{Asked, File, Statement, check};
use crate::objects::Begins;
use crate::syntax::{Judged, judge_all};
use crate::tests::cases;

pub(super) fn file<'s>((name, text): &(&'s str, &'s str)) -> File<'s> {
    let tokens = lex(text);
    let places: Vec<(usize, usize)> =
        split(text, &tokens).unwrap().iter().map(|one| (one.start(), one.code_end())).collect();
    let texts: Vec<&str> = places.iter().map(|&(start, end)| &text[start..end]).collect();
    let judged: Vec<Judged> = judge_all(&texts, |judged| judged.collect());
    let statements = places.iter().zip(judged).map(|(&(start, end), judged)| {
        assert_eq!(judged.error, None, "{}", &text[start..end]);
        Statement { text: &text[start..end], offset: start, judged }
    });
    let statements = statements.collect();
    let mode = TransactionMode::Transactional;
    File {
        name,
        text,
        statements,
        ends_with_function: false,
        is_allowed: false,
        mode,
        down: None,
        feeds: OnceLock::new(),
    }
}

fn found(files: &[(&str, &str)], begins: Begins) -> Vec<String> {
    let files: Vec<File<'_>> = files.iter().map(file).collect();
    let asked = Asked { ups: files.len(), begins, lints: false, describes: false };
    let (files, found) = check(files, asked);
    let found = found.names.into_iter().map(|(number, finding)| {
        let file = &files[number];
        let at = position(file.text, finding.span.start);
        let shown = &file.text[finding.span.clone()];
        assert!(!shown.is_empty(), "{}", finding.message);
        format!("{}:{at}: {} | {} | {}", file.name, finding.message, finding.label, finding.help)
    });
    found.collect()
}

#[test]
fn what_an_extension_makes_is_there_only_before_a_set_that_creates_none() {
    let uses = ("1.sql", "create table t (id uuid default uuid_generate_v4())");
    let creates = ("2.sql", "create extension \"uuid-ossp\"");
    assert_eq!(found(&[uses], Begins::Nothing), [""; 0]);
    assert_eq!(found(&[creates, uses], Begins::Nothing), [""; 0]);
    let found = found(&[uses, creates], Begins::Nothing);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("function `uuid_generate_v4` does not exist"), "{found:?}");
}

/// The findings of scripts that are files `1`, `2` and so on.
#[track_caller]
fn check_all(scripts: &[&str], expected: &[&str]) {
    let names: Vec<String> = (1..=scripts.len()).map(|number| number.to_string()).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(scripts.iter().copied()).collect();
    assert_eq!(found(&files, Begins::Nothing), expected, "{scripts:#?}");
}

#[track_caller]
fn valid(scripts: &[&str]) {
    check_all(scripts, &[]);
}

/// Checks the cases of a table: scripts after that of [`USERS`], and all that is found in them.
#[track_caller]
fn finds(table: &str) {
    for (scripts, expected) in cases(table) {
        let scripts: Vec<&str> = [USERS].into_iter().chain(scripts.split(" // ")).collect();
        check_all(&scripts, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Checks the cases of a table: a script after that of [`USERS`], and a part of the one thing that is found.
#[track_caller]
fn finds_one(table: &str) {
    for (script, part) in cases(table) {
        let all = found(&[("1", USERS), ("2", &script)], Begins::Nothing);
        assert_eq!(all.len(), 1, "{script}: {all:?}");
        assert!(all[0].contains(&part.concat()), "{script}: {all:?}");
    }
}

const USERS: &str = "create table users (id int primary key, email text not null)";

#[test]
fn missing_tables_are_found() {
    finds(
        r"
        alter table userz add score int
            => 2:1:13: table `userz` does not exist | not created by any migration before this one | did you mean
                `users` (created in 1:1)?
        drop table users // alter table users add score int
            => 3:1:13: table `users` does not exist | dropped in 2:1 | create it again before, or remove this
        alter table users rename to people // create index on users (email)
            => 3:1:17: table `users` does not exist | renamed to `people` in 2:1 | write `people`
        create index on posts (id) // create table posts (id int)
            => 2:1:17: table `posts` does not exist | created by 3:1, which comes later | give this file a version
                after that one
        create table posts (id int, author int references usrs (id))
            => 2:1:51: table `usrs` does not exist | not created by any migration before this one | did you mean
                `users` (created in 1:1)?",
    );
    for statement in [
        "insert into nobody values (1)",
        "update nobody set a = 1",
        "delete from nobody",
        "select * from users join nobody on true",
        "create view v as select 1 from nobody",
        "create trigger t before insert on nobody for each row execute function now()",
        "create policy p on nobody using (true)",
        "drop table nobody",
        "truncate nobody",
        "grant select on nobody to public",
        "comment on table nobody is 'x'",
        "comment on column nobody.a is 'x'",
        "create table child (like nobody)",
        "create table child () inherits (nobody)",
        "create table child partition of nobody default",
        "alter table users add foreign key (id) references nobody (id)",
        "copy nobody from '/x'",
        "lock table nobody",
        "create index on nobody (a)",
        "with a as (select * from nobody) select * from a",
        "select (select 1 from nobody)",
        "merge into users using nobody n on true when matched then delete",
        "select 'nobody'::regclass",
    ] {
        let all = found(&[("1", USERS), ("2", statement)], Begins::Nothing);
        let first = all.first().unwrap_or_else(|| panic!("{statement}"));
        assert!(first.contains("table `nobody` does not exist"), "{statement}: {all:?}");
        assert_eq!(all.len(), 1, "{statement}: {all:?}");
    }
}

#[test]
fn missing_columns_are_found() {
    for statement in [
        "create index on users (emial)",
        "create unique index i on users (lower(emial))",
        "alter table users drop column emial",
        "alter table users rename column emial to mail",
        "alter table users alter column emial set not null",
        "alter table users add unique (emial)",
        "alter table users add check (emial <> '')",
        "create table posts (email text references users (emial))",
        "insert into users (id, emial) values (1, 'x')",
        "insert into users (id) values (1) on conflict (emial) do nothing",
        "insert into users (id) values (1) on conflict (id) do update set email = excluded.emial",
        "insert into users (id) values (1) returning emial",
        "update users set emial = 'x'",
        "update users set email = emial",
        "update users set email = 'x' where emial = ''",
        "delete from users where emial = ''",
        "delete from users u where u.emial = ''",
        "select emial from users",
        "select u.emial from users u",
        "select * from users where emial = ''",
        "select * from users order by emial",
        "select count(*) from users group by emial",
        "select * from users a join users b on a.emial = b.email",
        "select * from users join (select 1 as n) s using (emial)",
        "select * from (select id from users) s where s.emial = ''",
        "with s as (select id from users) select emial from s",
        "select * from users where exists (select 1 from users x where x.id = users.emial)",
        "create view v as select emial from users",
        "create materialized view v as select emial from users",
        "create policy p on users using (emial = '')",
        "create trigger t before update of emial on users for each row execute function now()",
        "create trigger t before update on users for each row when (old.emial <> '') execute function now()",
        "comment on column users.emial is 'x'",
        "copy users (emial) from '/x'",
        "create sequence s owned by users.emial",
        "create function f() returns text language sql as 'select emial from users'",
    ] {
        let all = found(&[("1", USERS), ("2", statement)], Begins::Nothing);
        let first = all.first().unwrap_or_else(|| panic!("{statement}"));
        assert!(first.contains("column `emial`"), "{statement}: {all:?}");
        assert!(first.contains("did you mean `email`") || statement.contains("(select"), "{first}");
        assert_eq!(all.len(), 1, "{statement}: {all:?}");
    }
    finds(
        r"
        alter table users drop column email // update users set email = ''
            => 3:1:18: column `email` of table `users` does not exist | dropped in 2:1 | create it again before, or
                remove this
        alter table users rename email to mail // select email from users
            => 3:1:8: column `email` of table `users` does not exist | renamed to `mail` in 2:1 | write `mail`",
    );
}

#[test]
fn doubled_names_are_found() {
    finds_one(
        r"
        create table users (id int primary key, email text not null) => table `users` already exists | created in
        create view users as select 1 => view `users` already exists | created in
        alter table users add email text => column `email` of table `users` already exists | created in
        create table t (a int, a int) => column `a` of table `t` already exists | created in
        alter table users rename id to email => column `email` of table `users` already exists | created in
        alter table users add constraint users_pkey unique (email)
            => constraint `users_pkey` of table `users` already exists | created in
        create index i on users (id); create index i on users (email)
            => index `public.i` already exists | created in
        create type e as enum (); create type e as enum () => type `e` already exists | created in
        create type e as enum ('a'); alter type e add value 'a' => type `e` already has the value 'a' | created in
        create function f() returns int language sql as 'select 1'; create function f() returns int language sql as
            'select 1'
            => function `f` already exists | created in
        create policy p on users using (true); create policy p on users using (true)
            => policy `p` of table `users` already exists | created in
        create schema s; create schema s => schema `s` already exists | created in
        create schema s; create table s.t (a int primary key); alter schema s rename to r; create view r.t_pkey as
            select 1
            => view `r.t_pkey` already exists | created in
        create extension citext; create extension citext => extension `citext` already exists | created in
        create sequence users_pkey => sequence `users_pkey` already exists | created in",
    );
}

#[test]
fn other_missing_objects_are_found() {
    finds_one(
        r"
        drop index users_idx => index `users_idx` does not exist
        alter table users drop constraint c => constraint `c` of table `users` does not exist
        drop trigger t on users => trigger `t` of table `users` does not exist
        drop policy p on users => policy `p` of table `users` does not exist
        alter table users add state status => type `status` does not exist
        select 'x'::status => type `status` does not exist
        drop type status => type `status` does not exist
        drop function f(int) => function `f` does not exist
        select total(id) from users => function `total` does not exist
        call total(1) => function `total` does not exist
        create trigger t before insert on users for each row execute function touch()
            => function `touch` does not exist
        alter sequence s restart => sequence `s` does not exist
        alter table users alter id set default nextval('s') => sequence `s` does not exist
        drop view v => view `v` does not exist
        refresh materialized view v => view `v` does not exist
        create type e as enum ('a'); alter type e add value 'c' after 'b' => type `e` has no value 'b'
        create type c as (a int); create type c as (a int) => type `c` already exists
        create view v as select 1; drop view v cascade; drop view w => view `w` does not exist
        create table public.t (a int); select * from publlic.t => schema `publlic` does not exist
        do $$ begin create type e as enum ('a'); end $$; alter type e add value 'b'; alter type e add value 'b'
            => type `e` already has the value 'b'
        select a.id from users => table `a` is not in the FROM clause
        create extension unknown_thing; alter table users add email text
            => column `email` of table `users` already exists
        create table p (a int) partition by range (a); create table p1 partition of p default; create index on p
            (a); drop index p2_a_idx
            => index `p2_a_idx` does not exist",
    );
}

#[test]
fn partitioned_tables_have_no_index_concurrently() {
    finds(
        r"
        create table p (a int) partition by range (a); alter table p rename to q; create index concurrently on q (a)
            => 2:1:104: an index of the partitioned table `q` cannot be built CONCURRENTLY | partitioned in 2:1 |
                build it ON ONLY this table without CONCURRENTLY, which is quick, then one CONCURRENTLY on each
                partition, each followed by ALTER INDEX .. ATTACH PARTITION
        create table p (a int) partition by range (a); create index i on p (a) // drop index concurrently public.i
            => 3:1:25: index `public.i` cannot be dropped CONCURRENTLY, because its table is partitioned |
                partitioned in 2:1 | write DROP INDEX without CONCURRENTLY
        create table p (a int) partition by range (a); create table p1 partition of p default; create index i on only
            p (a); create index concurrently i1 on p1 (a); alter index i attach partition i1; drop index i
        create table p (a int) partition by range (a); drop table p; create table p (a int); create index
            concurrently i on p (a); drop index concurrently i",
    );
}

#[test]
fn sequence_of_an_identity_column_has_the_name_that_is_given() {
    finds(
        r"
        create table t (a int generated always as identity (sequence name public.numbers start 3)); select
            nextval('numbers'); drop table t
        create table t (a int not null); alter table t alter a add generated always as identity (sequence name s);
            select nextval('s')
        ",
    );
}

#[test]
fn strings_and_types_of_other_databases_have_the_next_action() {
    finds(
        r#"
        insert into users (id, email) values (1, "it's")
            => 2:1:42: column `it's` does not exist | not created by any migration before this one | if it is a
                string, write `'it''s'`; a column is added in an earlier migration
        alter table users add a datetime
            => 2:1:25: type `datetime` does not exist | not created by any migration before this one | write
                `timestamptz`
        alter table users add a nvarchar(20)
            => 2:1:25: type `nvarchar` does not exist | not created by any migration before this one | write `text`
        alter table users add a tinyint(1)
            => 2:1:25: type `tinyint` does not exist | not created by any migration before this one | write
                `smallint`
        alter table users add a enum('a', 'b')
            => 2:1:25: type `enum` does not exist | not created by any migration before this one | create the type
                before the table: `CREATE TYPE name AS ENUM ('a', 'b')`"#,
    );
}

#[test]
fn bodies_are_checked_at_the_end() {
    let function = "create function f() returns int language plpgsql as $$ declare n int; begin \
                    select count(*) into n from posts where id = n; return n; end $$";
    valid(&[function, "create table posts (id int)"]);
    valid(&["create table posts (id int)", function, "drop table posts"]);
    check_all(
        &[USERS, function],
        &["2:1:105: table `posts` does not exist | not created by any migration | \
           create it in an earlier migration"],
    );
    let in_sql = "create function f() returns bigint language sql as 'select count(*) from posts'";
    valid(&["create table posts (id int)", in_sql, "drop table posts"]);
    valid(&[
        USERS,
        "create function f() returns bigint set search_path from current language sql \
         as 'select count(*) from users'",
        "set check_function_bodies = off; \
         create function g() returns bigint language sql as 'select count(*) from later'; \
         create table later (a int)",
    ]);
    check_all(
        &[in_sql, "create table posts (id int)"],
        &["1:1:74: table `posts` does not exist | created by 2:1, which comes later | \
           give this file a version after that one"],
    );
}
