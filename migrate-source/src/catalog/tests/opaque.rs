//! What stays certain after a step that is not seen whole.

use super::{USERS, finds, found, valid};
use crate::objects::Begins;

/// A statement that names a table that nothing made, and one that makes a column twice.
const MISSING: &str = "alter table userz add a int";
const DOUBLED: &str = "alter table users add email int";

#[test]
fn other_names_stay_certain() {
    let executes = "create function f() returns trigger language plpgsql as $$ begin \
                    execute format('create table %I (a int)', 'x'); return new; end $$; \
                    create trigger t before insert on users for each row execute function f()";
    for (before, wrong) in [
        ("create temp table n (a int)", MISSING),
        ("create extension citext; drop extension citext", MISSING),
        ("drop extension if exists citext", DOUBLED),
        (executes, DOUBLED),
        (executes, "select emial from users"),
        (
            "create function f() returns int language plpgsql as $$ begin \
             -- create what is missing, drop the rest\n perform 1; return 1; end $$; select f()",
            MISSING,
        ),
        ("do $$ begin execute 'create extension citext'; end $$", MISSING),
        ("create table auth.t (a int)", "create table auth.t (a int)"),
        ("create domain auth.d as text", "create domain auth.d as text"),
        (
            "create table auth.a (x int); create table auth.b (x int); create table auth.c (x int)",
            "alter table atuh.a add y int",
        ),
        ("create schema if not exists app", "select * from app.nothing"),
        ("create procedure p() language sql as $$ select 1 $$; call p()", MISSING),
    ] {
        let all = found(&[("1", USERS), ("2", before), ("3", wrong)], Begins::Inferred);
        assert_eq!(all.len(), 1, "{before}; {wrong}: {all:?}");
    }
}

#[test]
fn what_it_can_have_touched_is_unknown() {
    finds(
        r"
        create temp table n (a int); select a from n
        create extension citext; drop extension citext; create extension citext; create table t (a citext)
        create extension citext; create table t (a citext); drop extension citext cascade; alter table t add a int
        set search_path = app, public; create table v (a int); drop schema if exists app cascade; select a from v
        create schema s; create extension citext schema s; drop schema s cascade; create extension if not exists
            citext; create table t (a citext)
        do $$ begin execute format('create table %I (a int)', 'made'); end $$; select a from made
        do $$ begin execute 'create index made on users (email)'; end $$; drop index made
        do $$ begin execute 'create or replace view v as select 1 as a'; end $$; select a from v
        create procedure p(t regclass) language plpgsql as $$ begin execute format('alter table %s add made int', t);
            end $$; call p('users'); select made from users
        create schema s; create procedure s.p() language plpgsql as $$ begin execute 'create table made (a int)'; end
            $$; do $$ begin call s.p(); end $$; select a from made
        create procedure p() language plpgsql as $$ begin execute 'create table made (a int)'; end $$; create
            procedure q() language plpgsql as $$ begin call p(); end $$; call q(); select a from made",
    );
    valid(&[USERS, "create temp table n (a int)", "create temp table n (b int); select b from n"]);
}

#[test]
fn what_only_a_path_of_another_file_finds_is_uncertain() {
    let sets = "create schema s; set search_path = s, public; create table t (a int)";
    valid(&[sets, "alter table if exists t alter column b set not null"]);
    let named = [("1", sets), ("2", "alter table s.t alter column b set not null")];
    assert_eq!(found(&named, Begins::Nothing).len(), 1);
}

#[test]
fn procedure_that_is_called_does_what_its_text_says() {
    let made = "create procedure p(t regclass) language plpgsql as $$ begin \
                execute format('alter table %s add column b int', t); end $$";
    for call in ["call p('users')", "call public.p('users')", "do $$ begin call p('users'); end $$"]
    {
        valid(&[USERS, made, call, "select b from users"]);
    }
    let harmless = "create procedure p() language plpgsql as $$ begin perform 1; end $$; call p()";
    assert_eq!(found(&[("1", USERS), ("2", harmless), ("3", MISSING)], Begins::Nothing).len(), 1);
    valid(&[
        USERS,
        "create extension pg_partman; call partman.run_maintenance_proc(); select b from users",
    ]);
}
