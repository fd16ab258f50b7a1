//! Statements that leave what they name as it is, or that name something only perhaps.

use super::{USERS, check_all, valid};

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
