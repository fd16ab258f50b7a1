//! Statements that leave what they name as it is, or that name something only perhaps.

use super::{USERS, check_all, found, valid};
use crate::objects::Begins;

#[test]
fn moves_to_the_schema_in_which_it_is() {
    valid(&[USERS, "alter table users set schema public", "select email from users"]);
    valid(&[
        "create schema app; create table app.t (a int primary key)",
        "alter table app.t set schema app",
    ]);
    valid(&["create sequence s; alter sequence s set schema public; select nextval('s')"]);
    valid(&["create type e as enum ('x'); alter type e set schema public", "create table t (a e)"]);
    valid(&[
        "create function f() returns int language sql as 'select 1'; alter function f() set schema public",
        "select f()",
    ]);
    // Not to its own name.
    check_all(
        &[USERS, "alter table users rename to users"],
        &["2:1:29: table `public.users` already exists | created in 1:1 | \
           remove one of the two, or drop the first before"],
    );
}

#[test]
fn names_of_a_path_of_another_file() {
    let app = "create schema app; set search_path = app, public; create table t (a int); \
               create type e as enum ('x'); create function f() returns int language sql as 'select 1'";
    // The path of the file before can still be set, with some tools.
    let drops = "drop table if exists t; drop type if exists e; drop function if exists f()";
    valid(&[app, drops, "insert into app.t (a) values (app.f()); create table app.u (a app.e)"]);
    valid(&[app, drops, "create table app.t (a int); create type app.e as enum ('x')"]);
}

/// The server gives a name that something has perhaps to what has none of its own, or the next.
#[test]
fn names_that_the_server_makes_beside_one_that_is_perhaps_there() {
    let maybe = |sql: &str| format!("do $$ begin if false then {sql}; end if; end $$");
    let mut all = Vec::new();
    let two = "create table t (a int, b text); create table u (a int)";
    for (perhaps, makes, then) in [
        (
            "create index t_a_idx on u (a)",
            "create index on t (a)",
            "create index t_a_idx1 on u (a)",
        ),
        (
            "create index t_a_idx on u (a)",
            "create index on t (a)",
            "drop table u; drop index t_a_idx",
        ),
        ("create table t_a_idx ()", "create index on t (a)", "drop table u; drop index t_a_idx"),
        ("create index on t (a)", "create index on t (a)", "create index t_a_idx1 on u (a)"),
        (
            "alter table u add constraint t_a_check check (a > 0)",
            "alter table t add check (a > 1)",
            "alter table t drop constraint t_a_check; alter table t add constraint t_a_check1 check (a > 2)",
        ),
        (
            "alter table t add unique (a)",
            "alter table t add unique (a)",
            "alter table t drop constraint t_a_key; create index t_a_key1 on u (a)",
        ),
        (
            "create sequence t_c_seq",
            "alter table t add c serial",
            "create sequence t_c_seq1; select nextval('t_c_seq')",
        ),
    ] {
        let maybe = maybe(perhaps);
        all.extend(found(&[("1", two), ("2", &maybe), ("3", makes), ("4", then)], Begins::Nothing));
    }
    assert_eq!(all, [""; 0]);
    let certain = "create index t_a_idx on u (a)";
    check_all(
        &[two, certain, "create index on t (a)", "create index t_a_idx1 on u (a)"],
        &["4:1:14: index `public.t_a_idx1` already exists | created in 3:1 | \
           remove one of the two, or drop the first before"],
    );
}

/// A statement that names no schema can mean the same name in the next one of the path.
#[test]
fn drops_and_changes_of_a_name_that_is_perhaps_in_the_first_schema() {
    let mut all = Vec::new();
    let begin = "create schema s; create schema x; create table t (a int); create view v as select 1 as a; \
                 create sequence q; create type e as enum ('x'); create index i on t (a); \
                 create function f() returns int language sql as 'select 1'; \
                 create function h() returns trigger language plpgsql as 'begin return new; end'; \
                 do $$ begin if false then create table s.t (a int); create index i on s.t (a); \
                 create view s.v as select 1 as a; create sequence s.q; \
                 create type s.e as enum ('x'); \
                 create function s.f() returns int language sql as 'select 1'; end if; end $$; ";
    for (does, then) in [
        ("drop table t", "create table public.t (a int)"),
        ("drop table t", "create table s.t (a int); drop table s.t; drop table public.t"),
        ("alter table t add b int", "select b from public.t"),
        ("alter table t drop a", "alter table public.t add a int"),
        ("alter table t rename a to b", "select b from public.t"),
        ("alter table t rename to w", "create table public.t (a int); select a from public.w"),
        ("alter table t set schema x", "create table public.t (a int)"),
        ("drop view v", "create view public.v as select 2 as a"),
        ("alter view v rename to w", "create view public.v as select 2 as a"),
        ("drop sequence q", "create sequence public.q"),
        ("alter sequence q rename to r", "create sequence public.q"),
        ("drop index i", "create index i on public.t (a)"),
        ("alter index i rename to k", "create index i on public.t (a); drop index public.k"),
        ("drop type e", "create type public.e as enum ('y')"),
        ("alter type e add value 'y'", "select 'y'::public.e"),
        ("alter type e rename to g", "create type public.e as enum ('y'); select 'x'::public.g"),
        ("create index k on t (a)", "drop index public.k"),
        (
            "create trigger g before insert on t for each row execute function h()",
            "drop trigger g on public.t",
        ),
        ("create policy p on t using (true)", "drop policy p on public.t"),
        ("comment on table t is 'x'", "create table s.t (a int)"),
        ("drop function f()", "create function public.f() returns int language sql as 'select 2'"),
        (
            "create temp table t (z int); drop table t; drop table t",
            "create table public.t (a int)",
        ),
        ("alter function f() rename to g", "select public.g()"),
    ] {
        let does = format!("set search_path = s, public; {does}");
        all.extend(found(&[("1", begin), (does.as_str(), &does), (then, then)], Begins::Nothing));
    }
    assert_eq!(all, [""; 0]);
}
