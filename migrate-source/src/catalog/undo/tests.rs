//! Down scripts: each with what is known of it, and what is reported.

use super::super::tests::file;
use super::super::{self as catalog, Asked};
use crate::objects::{Begins, Undoing};
use crate::tests::cases;

/// What is there before each of the migrations.
const BEFORE: &str = "create table users (id int primary key, mail text default 'x', age int); \
                      create index users_age_idx on users (age); \
                      create type mood as enum ('ok', 'sad'); \
                      create function f() returns int language sql as 'select 1'; \
                      create view v as select id from users; \
                      create table parted (a int) partition by range (a); \
                      create table part partition of parted default; \
                      create function g() returns trigger language plpgsql as $$ begin return new; end $$";

/// What is known of the down script of a migration, and its findings.
fn judged(up: &str, down: &str) -> (Undoing, Vec<String>) {
    let scripts = [("1", BEFORE), ("2.up", up), ("2.down", down)];
    let mut files: Vec<_> = scripts.iter().map(file).collect();
    files[1].down = Some(2);
    let asked = Asked { ups: 2, begins: Begins::Inferred, lints: true, describes: false };
    let (_, found) = catalog::check(files, asked);
    assert_eq!(found.names, [], "{up}");
    let of_down = found.lints.into_iter().filter(|(_, finding)| finding.lint.is_of_down());
    let texts = of_down.map(|(number, finding)| {
        assert_eq!(number, 2);
        finding.message.replace("the down script ", "")
    });
    (found.downs[0].1, texts.collect())
}

/// Checks the cases of a table: an up and a down script between `//`, or one that undoes nothing, what is known
/// of it, and all that is reported.
#[track_caller]
fn check(expected: Undoing, table: &str) {
    for (scripts, reported) in cases(table) {
        let (up, down) = scripts.split_once(" // ").unwrap_or((&scripts, "select 1"));
        assert_eq!(judged(up, down), (expected, reported), "{scripts}");
    }
}

#[test]
fn what_stays_is_named_with_its_place() {
    check(
        Undoing::Differs,
        r"
            create table t (a serial primary key, b int unique) => leaves table `t`, created in 2.up:1
            \n create index i on users (mail) => leaves index `i`, created in 2.up:2
            alter table users add a int => leaves column `a` of table `users`, created in 2.up:1
            alter table users add constraint c check (id > 0)
                => leaves constraint `c` of table `users`, created in 2.up:1
            create sequence s => leaves sequence `s`, created in 2.up:1
            create type t as enum ('a') => leaves type `t`, created in 2.up:1
            alter type mood add value 'bad' => leaves value 'bad' of type `mood`, created in 2.up:1
            create schema s => leaves schema `s`, created in 2.up:1
            create extension pgcrypto; select digest('', '') => leaves extension `pgcrypto`, created in 2.up:1
            create function h() returns int language sql as 'select 1' => leaves function `h`, created in 2.up:1
            create function f(int) returns int language sql as 'select 1' => leaves function `f(int4)`
            create trigger t before insert on users for each row execute function g()
                => leaves trigger `t` of table `users`, created in 2.up:1
            create policy p on users using (true) => leaves policy `p` of table `users`, created in 2.up:1
            create materialized view m as select 1 as a => leaves view `m`, created in 2.up:1",
    );
}

#[test]
fn what_is_missing_is_named_with_what_became_of_it() {
    check(
        Undoing::Differs,
        r"
            drop view v => does not bring back view `v`, dropped in 2.up:1
            alter table users drop column mail
                => does not bring back column `mail` of table `users`, dropped in 2.up:1
            alter table users rename mail to email
                => does not bring back column `mail` of table `users`, renamed to `email` in 2.up:1
            drop index users_age_idx => does not bring back index `users_age_idx`, dropped in 2.up:1
            drop function f() => does not bring back function `f`, dropped in 2.up:1
            select 1 // drop view v => does not bring back view `v`, dropped in 2.down:1",
    );
}

#[test]
fn what_is_different_is_named_with_both() {
    check(
        Undoing::Differs,
        r"
            alter table users alter mail type varchar(20)
                => leaves column `mail` of table `users` with the type varchar(20), which was text
            alter table users alter mail set not null => leaves column `mail` of table `users` with NOT NULL
            alter table users alter mail drop default
                => leaves column `mail` of table `users` with no default, which was 'x'
            comment on column users.mail is 'y' => leaves column `mail` of table `users` with another comment
            alter table users enable row level security => leaves table `users` with row level security
            create or replace function f() returns int language sql as 'select 2'
                => leaves function `f` with another definition
            alter table users drop column mail // alter table users add column mail text
                => leaves column `mail` of table `users` with no default, which was 'x'
            drop index users_age_idx // create unique index users_age_idx on users (age)
                => leaves index `users_age_idx` with another definition",
    );
}

#[test]
fn what_is_undone_is_not_reported() {
    check(
        Undoing::Undoes,
        r"
            create table __diesel_schema_migrations (version text primary key) // drop table
                __diesel_schema_migrations
            create table t (a serial primary key); create index on t (a) // drop table t
            create table t (a int) // drop table if exists t cascade
            create table t (a int) // do $$ begin drop table t; end $$
            alter table users add a int unique // alter table users drop a
            alter table users rename mail to email // alter table users rename email to mail
            alter table users rename to people // alter table people rename to users
            alter table users alter mail type varchar(9) // alter table users alter mail type text
            alter table users alter age set not null // alter table users alter age drop not null
            drop view v; alter table users drop age // alter table users add age integer null; create index on users
                (age); create view v as select id from users
            create or replace function f() returns int language sql as 'select 2' // CREATE OR REPLACE FUNCTION f()
                RETURNS integer AS $$ select 1 $$ LANGUAGE sql
            insert into users (id) values (1) // delete from users
            create extension if not exists pgcrypto; select digest('', '') // drop extension pgcrypto; select
                'digest'
            create type t as enum ('a'); create table t2 (a t) // drop table t2; drop type t
            create schema s; create table s.t (a int) // drop schema s cascade
            alter type mood rename value 'sad' to 'bad' // alter type mood rename value 'bad' to 'sad'
            create unique index concurrently i on users (mail) // drop index concurrently i
            create index i on only parted (a); create index j on part (a); alter index i attach partition j
                // drop index i
            create table t (a int references users); grant select on t to public // drop table t
            alter table users enable row level security // alter table users disable row level security
            drop trigger if exists x on users // select 1
            create table a (id int primary key); create table b (a int references a) // drop table b, a
            create table a (id int primary key); alter table users add a int references a // drop table a cascade;
                alter table users drop a
            create view w as select mail from users; create view x as select mail from w // drop view w cascade
            create type t as enum ('x'); create table a (b t) // alter table a alter b type text; drop type t; drop
                table a",
    );
}

#[test]
fn a_name_that_is_not_there_fails() {
    check(
        Undoing::Fails,
        r"
            create table t (a int) // drop table tt => fails: table `tt` does not exist
            alter table users add a int // alter table users drop a, drop b
                => fails: column `b` of table `users` does not exist
            select 1 // create table users (a int) => fails: table `users` already exists
            create table a (id int primary key); create table b (a int references a) // drop table a; drop table b
                => fails: table `a` cannot be dropped: constraint `b_a_fkey` of table `b` depends on it
            create sequence s; create table a (b int default nextval('s'::regclass)) // drop sequence if exists s;
                drop table a
                => fails: sequence `s` cannot be dropped: column `b` of table `a` depends on it
            create view w as select mail from users // drop table users
                => fails: table `users` cannot be dropped: view `v` depends on it
            create type t as enum ('x'); create table a (b t[]) // drop type t; drop table a
                => fails: type `t` cannot be dropped: column `b` of table `a` depends on it
            create view w as select mail from users // alter table users rename mail to email; alter table users
                drop email
                => fails: column `email` cannot be dropped: view `w` depends on it
            create index on users (mail) // drop index i => fails: index `i` does not exist",
    );
}

#[test]
fn what_is_not_known_is_not_reported() {
    check(
        Undoing::Unknown,
        r"
            do $$ begin execute 'create table ' || 'x'; end $$ // select 1
            create table t (a int) // do $$ begin execute 'drop table t'; end $$
            create table t (a int) // do $$ begin if true then drop table t; end if; end $$
            grant select on users to public // select 1
            create or replace view v as select id, mail from users // select 1
            create publication p // drop publication p",
    );
}
