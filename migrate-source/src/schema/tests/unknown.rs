//! What of a schema is not known, because a statement can have done more than its text shows, or may not run.

use super::*;

#[test]
fn what_is_not_known_is_named_with_its_reason() {
    let check = |begins, table: &str| {
        for (scripts, expected) in cases(table) {
            let scripts: Vec<&str> = scripts.split(" // ").collect();
            assert_eq!(schema(&scripts, begins).unknown, expected, "{scripts:#?}");
        }
    };
    check(
        Begins::Nothing,
        r"
            create table t (a int) // do $$ begin execute 'create index i' || current_user; end $$
                => indexes that are made after 2_a.sql:1, which runs dynamic SQL
            create table t (a int) // do $$ begin if true then do 'begin execute ''create index i''; end'; end if; end $$
                => indexes that are made after 2_a.sql:1, which runs dynamic SQL
            do $$ begin if true then alter view strange rename to v; end if; end $$ // create view v as select 1 as one
                => which objects have the names v
            create table t (a int) // do $$ begin if true then create temp table t (b int); end if; end $$ // drop table t
                => which objects have the names t
            create type e as enum ('a'); create table t (a e, b int); drop type e cascade
                => views, sequences, indexes, columns, constraints, types, functions, triggers and policies that are
                    gone after 1_a.sql:1, which drops with CASCADE
            -- migrate:function\n // create table t (a int)
                => objects that are made, changed or gone after 1_a.sql, which calls a function of the service
            create extension strange
                => schemas, tables, types and functions that are made after 1_a.sql:1, which creates an extension
                    whose objects are not known
            create table e (a int); create table t (like e including all)
                => indexes of t whose names the server makes",
    );
    check(
        Begins::Existing,
        r"
            create table t (a int) => what is there before the first migration",
    );
    check(
        Begins::Inferred,
        r"
            create table t (a int)
            alter table u add a int => what is there before the first migration",
    );
}

#[test]
fn a_drop_if_exists_does_not_make_its_schema() {
    for drop in ["drop table if exists s.t", "drop view if exists s.a, s.b cascade"] {
        let text = schema(
            &[drop, "set search_path = s, public; create table t (a int)"],
            Begins::Inferred,
        )
        .text(Places::Hidden);
        assert!(!text.contains("TABLE s.t"), "{text}");
    }
}

#[test]
fn view_of_a_column_that_cascade_drops_is_not_known() {
    let view = "create table r (a int); create table t (a r, b int); create view v as select * from t; \
                drop table r cascade";
    let text = schema(&[view], Begins::Nothing).text(Places::Hidden);
    assert!(text.contains("VIEW public.v AS SELECT * FROM public.t; -- unknown"), "{text}");
}

/// Each statement is in a block that may not run; what is expected are the lines that are not known then.
#[test]
fn what_a_statement_that_may_not_run_changes_is_not_known() {
    let first = "create extension pgcrypto; create type e as enum ('x'); create sequence q; create table p (a int); \
                 create table t (a int, b int constraint c not null constraint t_k unique, constraint k check (a > 0) not valid); \
                 create view v as select 1 as one; create function f(a int) returns int language sql as 'select 1'";
    let table = r"
        alter table t drop constraint c => b integer NOT NULL,
        alter table t drop constraint k => CONSTRAINT k CHECK (a > 0) NOT VALID,
        alter table t alter a set not null => a integer,
        alter table t alter a set default 1 => a integer,
        alter table t alter a type text => a integer,
        alter table t add primary key (a)
            => a integer,
            => CONSTRAINT t_pkey PRIMARY KEY (a)
        alter table t validate constraint k => CONSTRAINT k CHECK (a > 0) NOT VALID,
        alter table t rename b to z
            => b integer NOT NULL,
            => z integer NOT NULL,
        alter table t rename to u
            => CREATE TABLE public.t (
            => CREATE TABLE public.u (
        alter view strange rename to p => CREATE TABLE public.p (
        alter index t_k rename to l
            => CREATE TABLE public.t (
            => CONSTRAINT t_k UNIQUE (b)
        alter table t add constraint k unique using index u => CONSTRAINT k CHECK (a > 0) NOT VALID,
        alter table t set (fillfactor = 70) => CREATE TABLE public.t (
        alter type e add value 'y' => CREATE TYPE public.e AS ENUM ('x');
        alter type e rename value 'x' to 'y' => CREATE TYPE public.e AS ENUM ('x');
        alter sequence q owned by t.a => CREATE SEQUENCE public.q;
        alter sequence q increment 2 => CREATE SEQUENCE public.q;
        create or replace view v as select 2 as one => CREATE VIEW public.v AS SELECT 2 AS one;
        create or replace function f(a int) returns int language sql as 'select 2'
            => CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'select 2';
        create function f(a text) returns int language sql as 'select 2'
            => CREATE FUNCTION public.f(a text) RETURNS integer LANGUAGE sql AS 'select 2';
        drop function f(int) => CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'select 1';
        drop extension pgcrypto => CREATE EXTENSION pgcrypto;
        create schema if not exists public
        grant select on t to x
        alter table t owner to x
        comment on table t is 'x'";
    let mut wrong = Vec::new();
    for (statement, expected) in cases(table) {
        let block = format!("do $d$ begin if current_user = 'x' then {statement}; end if; end $d$");
        let text = schema(&[first, &block], Begins::Nothing).text(Places::Hidden);
        let unknown = text.lines().filter_map(|line| line.split_once(" -- unknown: "));
        let found: Vec<&str> = unknown.map(|(line, _)| line.trim()).collect();
        if found != expected {
            wrong.push(format!("{statement}: {found:?}"));
        }
    }
    assert_eq!(wrong, <[String; 0]>::default());
}

#[test]
fn a_sequence_is_dropped_with_the_table_that_owns_it_now() {
    let check = |alteration: &str, expected: usize| {
        let first = format!(
            "create table t (a int); create table u (a int); create sequence q owned by t.a; {alteration}"
        );
        let text = schema(&[&first, "drop table t"], Begins::Nothing).text(Places::Hidden);
        assert_eq!(text.matches("CREATE SEQUENCE public.q").count(), expected, "{text}");
    };
    check("alter sequence q increment 2", 0);
    check("alter sequence q owned by u.a", 1);
    check("alter sequence q owned by none", 1);
}

#[test]
fn names_of_constraints_are_not_searched_for_without_end() {
    let again = |number: usize| {
        format!("create table t (a int check (a > 0)); alter table t rename to t{number};")
    };
    let made = |count: usize| {
        (0..count).map(again).collect::<String>() + "create table t (a int check (a > 0))"
    };
    let of_t = |script: &str| {
        let SetSchema { objects, .. } = schema(&[script], Begins::Nothing);
        let t = objects.into_iter().find(|one| one.name == "public.t").unwrap();
        (t.parts[1].name.clone(), t.unknown)
    };
    assert_eq!(of_t(&made(20)), ("t_a_check20".to_owned(), None));
    let (_, unknown) = of_t(&made(200));
    assert_eq!(unknown.as_deref(), Some("it may have other constraints"));
}
