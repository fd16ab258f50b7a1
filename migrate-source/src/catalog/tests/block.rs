//! The statements of `DO` blocks.

use super::finds;

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
        do $$ declare n int; begin insert into users (id) values (n); end $$
        do $$ declare n int; begin create table t as select n; end $$",
    );
}
