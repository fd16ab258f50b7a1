//! The statements of `DO` blocks.

use super::{finds, found};
use crate::objects::Begins;

#[test]
fn what_certainly_runs_is_checked() {
    finds(
        r"
        do $$ begin alter table userz add a int; end $$
            => 2:1:25: table `userz` does not exist | not created by any migration before this one | did you mean
                `users` (created in 1:1)?
        do $$ begin alter table users add constraint e check (emial <> ''); exception when duplicate_object then
            null; end $$
            => 2:1:55: column `emial` of table `users` does not exist | not created by any migration before this one
                | did you mean `email` (created in 1:1)?
        do $$ declare n int; begin n := 1; create type mood as enum ('ok'); alter table users add m mood; end $$;
            alter table users add m int
            => 2:1:129: column `m` of table `users` already exists | created in 2:1 | remove one of the two, or drop
                the first before",
    );
}

#[test]
fn what_is_made_after_a_block_is_certain_again() {
    finds(
        r"
        do $$ begin if false then create function f(a int) returns int language sql as 'select 1'; end if; end $$;
            create or replace function f(a int) returns int language sql as 'select 1'; create function f(a int) returns
            int language sql as 'select 1'
            => 2:1:200: function `f` already exists | created in 2:1 | remove one of the two, or drop the first before",
    );
}

#[test]
fn what_is_made_where_a_schema_may_not_be_can_be_in_the_next() {
    let mut all = Vec::new();
    let begins = [
        "do $$ begin if false then create schema s; end if; end $$",
        "create table if not exists t (a int); do $$ begin if false then alter table t set schema s; end if; end $$; \
         drop table if exists t, s.t",
    ];
    for (makes, then) in [
        ("create table t (b int)", "select b from public.t; alter table public.t add c int"),
        ("create table t (b int)", "create schema s; create table s.t (b int)"),
        ("create table t (id serial primary key)", "select nextval('public.t_id_seq')"),
        ("create table t (id int primary key)", "alter index public.t_pkey rename to p"),
        ("create table t (b int); create index i on t (b)", "drop index public.i"),
        ("create table t (b int); create index on t (b)", "drop index public.t_b_idx"),
        ("create table t as select 1 as b", "select b from public.t"),
        ("create view v as select 1 as b", "drop view public.v"),
        ("create sequence q", "drop sequence public.q"),
        ("create type e as enum ('x')", "select 'x'::public.e"),
        ("create type e as enum ('x')", "create schema s; create type s.e as enum ('x')"),
        ("create function f() returns int language sql as 'select 1'", "select public.f()"),
    ] {
        for begin in begins {
            let makes = format!("set search_path = s, public; {makes}");
            for start in [Begins::Nothing, Begins::Inferred] {
                let files = [("1", begin), ("2", &makes), ("3", then)];
                all.extend(
                    found(&files, start).into_iter().map(|one| format!("{makes}; {then}: {one}")),
                );
            }
        }
    }
    assert!(all.is_empty(), "{all:#?}");
    // A schema that is certainly there is the only one.
    let makes = "create schema s; set search_path = s, public; create table t (b int)";
    let all = found(&[("1", makes), ("2", "select b from public.t")], Begins::Nothing);
    assert_eq!(all.len(), 1, "{all:?}");
}

#[test]
fn what_may_not_run_is_not_checked() {
    finds(
        r"
        do $$ begin if false then alter table userz add a int; end if; end $$
        do $$ begin return; alter table userz add a int; end $$
        do $$ begin perform 1; alter table userz add a int; end $$
        do $$ begin alter table userz add a int; exception when others then null; end $$
        do $$ begin alter table userz add a int; exception when undefined_table then null; end $$
        do $$ begin create table users (a nothing); exception when duplicate_table then null; end $$
        do $$ begin create type mood as enum ('ok'); alter table userz add a int; exception when duplicate_object
            then null; end $$
        do $$ begin create type mood as enum ('ok'); exception when duplicate_object then null; end $$; do $$ begin
            create type mood as enum ('ok'); exception when duplicate_object then null; end $$
        do $$ begin alter table users add constraint users_pkey foreign key (id) references nobody; exception when
            duplicate_object then null; end $$
        create table p (id int); do $$ begin if false then alter table users inherit p; end if; end $$; drop table p
            cascade; select email from users
        create table p (id int); create table c () inherits (p); create table g () inherits (c); do $$ begin if false
            then alter table c no inherit p; end if; end $$; drop table p cascade; select * from c; select * from g
        create table p (x int); do $$ begin if false then alter table users inherit p; end if; end $$; alter table
            users add x int
        create function f(a text) returns int language sql as 'select 1'; do $$ begin if false then create function f(a
            int) returns int language sql as 'select 1'; end if; end $$; create function f(a int) returns int language
            sql as 'select 1'
        create function f(a int) returns int language sql as 'select 1'; do $$ begin if false then drop function
            f(int); end if; end $$; create function f(a text) returns int language sql as 'select 1'; create function
            f(a int) returns int language sql as 'select 1'
        do $$ begin execute 'create table t (b int)'; end $$; create table if not exists t (a int, a int references
            nobody, constraint c check (a > 0), constraint c check (a > 1)); select b from t; alter table t add a int
        create table t (a int); do $$ begin if true then drop table t; alter table users rename to t; end if; end $$;
            select email from t
        do $$ declare n int; begin insert into users (id) values (n); end $$
        do $$ declare n int; begin create table t as select n; end $$",
    );
}
