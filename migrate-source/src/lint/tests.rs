use migrate_set::sql::lexer::lex;
use migrate_set::sql::split::split;

use super::*;
use crate::tests::cases;

/// The findings in a transactional script, each as `name: bytes`.
fn found(text: &str) -> Vec<String> {
    found_in(text, TransactionMode::Transactional)
}

fn found_in(text: &str, mode: TransactionMode) -> Vec<String> {
    let tokens = lex(text);
    let statements = split(text, &tokens).unwrap();
    let show = |found: &Finding| {
        format!("{}: {}", found.lint.as_str(), &text[found.span.clone().unwrap()])
    };
    lint(text, &statements, mode).iter().map(show).collect()
}

/// Marks the place of each finding in `text`.
fn marked(text: &str) -> (Vec<&'static str>, String) {
    let (tokens, mut marked) = (lex(text), text.to_owned());
    let findings = lint(text, &split(text, &tokens).unwrap(), TransactionMode::Transactional);
    for span in findings.iter().rev().filter_map(|finding| finding.span.clone()) {
        marked.insert(span.end, '»');
        marked.insert(span.start, '«');
    }
    (findings.iter().map(|found| found.lint.as_str()).collect(), marked)
}

/// Checks each line of a table: the lint finds what is marked in it, and nothing else.
fn check(lint: Lint, table: &str) {
    for (text, _) in cases(table) {
        let plain = text.replace(['«', '»'], "");
        let lints = if plain == text { Vec::new() } else { vec![lint.as_str()] };
        assert_eq!(marked(&plain), (lints, text));
    }
}

#[test]
fn an_index_on_an_existing_table_locks_it() {
    check(
        Lint::IndexNotConcurrent,
        r#"
            «create index i on t» (a)
            «create unique index if not exists i on s.t» (a)
            «CREATE INDEX ON "T"» (a)
            create table u (a int); «create index on t» (a)
            create table "T" (a int); «create index on t» (a)
            create table x.t (a int); «create index on y.t» (a)
            create index concurrently i on t (a)
            create table t (a int); create index on t (a)
            create table s.t (a int); create index on t (a)
            create unlogged table if not exists T (a int); create unique index i on "t" (a)
            create materialized view v as select 1 a; create index on v (a)
            create index on only t (a)
            create table a (b int); alter table a rename to c; create index on c (b)
            «reindex table t»
            «reindex (verbose, concurrently false) index s.i»
            «REINDEX SCHEMA s»
            «reindex database»
            reindex table concurrently t; reindex (tablespace x, concurrently) index i
            reindex system d
            create table t (a int); reindex table t
            create table {{tables.t}} (a int); create index on {{tables.t}} (a)"#,
    );
}

#[test]
fn a_required_column_needs_a_default() {
    check(
        Lint::NotNullWithoutDefault,
        r#"
            alter table t «add column a int not null»
            alter table if exists only t «add a int default null not null»
            alter table t «add a int not null references u on delete set default»
            alter table t add b int, «add column if not exists a text collate "C" not null»
            alter table t add column a int
            alter table t add column a int not null default 1
            alter table t add column a int references u on delete set default
            alter table t add column a int generated always as (b * 2) virtual not null
            alter table t add column a int default (case when b is not null then 1 end)
            create table t (a int); alter table t add column b int not null"#,
    );
}

#[test]
fn a_value_for_each_row_writes_the_table_again() {
    check(
        Lint::VolatileDefault,
        r"
            alter table t «add column a uuid default gen_random_uuid()»
            alter table t «add column a timestamptz not null default pg_catalog.clock_timestamp()»
            alter table t «add column a bigserial»
            alter table t «add column a int generated always as identity»
            alter table t «add column a int generated always as (b * 2) stored»
            alter table t add column a timestamptz not null default now()
            alter table t add column a text default 'random()'
            alter table t alter column a set default gen_random_uuid()
            create table t (a int); alter table t add column b uuid default gen_random_uuid()",
    );
}

#[test]
fn a_table_is_written_again_as_a_whole() {
    check(
        Lint::TableRewritten,
        r"
            alter table t «set unlogged»
            alter table if exists t add b int, «set logged»
            alter table t «set tablespace x»
            alter materialized view v «set access method heap»
            «alter table all in tablespace x owned by a set tablespace y»
            «cluster t using i»
            «CLUSTER»
            «cluster (verbose) s.t»
            «cluster verbose i on t»
            vacuum full «t»
            vacuum (analyze, full) «t»
            vacuum full freeze verbose analyze «a.t» (a, b)
            «vacuum full»
            vacuum t; vacuum (full off, analyze) t; vacuum
            alter table t set (fillfactor = 70), set schema s, set without cluster
            alter table t alter a set default 1, cluster on i
            create table t (a int); alter table t set unlogged
            create table t (a int); vacuum full t; cluster t using i",
    );
}

#[test]
fn another_type_writes_the_table_again() {
    check(
        Lint::ColumnTypeChange,
        r#"
            alter table t «alter column a type bigint»
            alter table t «alter a set data type text using a::text»
            alter table t add b int, «alter "A" type int»
            alter table t alter column type set default 1
            create table t (a int); alter table t alter column a type bigint
            alter table t add column a int; alter table t alter column a type bigint
            alter type t add value 'x'"#,
    );
}

#[test]
fn set_not_null_reads_every_row() {
    check(
        Lint::SetNotNull,
        r"
            alter table t «alter column a set not null»
            alter table t «alter a set not null», alter b drop not null
            alter table t «add constraint c not null a»
            alter table t validate constraint c; alter table t alter column a set not null
            create table t (a int); alter table t alter column a set not null
            alter table t add constraint c not null a not valid
            alter table t alter column a drop not null
            «alter domain d set not null»
            alter domain d drop not null",
    );
}

#[test]
fn a_valid_constraint_reads_every_row() {
    check(
        Lint::ConstraintNotValid,
        r"
            alter table t «add constraint c check (a > 0)»
            alter table t «add foreign key (a) references u (b) on delete cascade»
            alter table t «add column a int default 1 references u»
            alter table t «add column a int check (a > 0)»
            alter table t add constraint c check (a > 0) not valid
            alter table t add constraint c foreign key (a) references u not valid
            alter table t add column a int references u
            create table t (a int); alter table t add check (a > 0)
            alter table t drop constraint c
            «alter domain d add constraint c check (value > 0)»
            «alter domain s.d validate constraint c»
            alter domain d add check (value > 0) not valid
            alter domain d drop constraint c; alter domain d set default 1
            create domain d as int; alter domain d add check (value > 0)
            alter table t «attach partition p for values from (1) to (2)»
            alter table t «attach partition s.p default»
            create table p (a int); alter table t attach partition p for values in (1)
            create table t (a int) partition by list (a); alter table t «attach partition p for values in (1)»
            alter table p validate constraint c; alter table t attach partition p for values in (1)
            alter table t detach partition p
            create table p partition of t for values in (1)",
    );
}

#[test]
fn a_unique_constraint_builds_its_index() {
    check(
        Lint::UniqueWithoutIndex,
        r"
            alter table t «add constraint c unique (a)»
            alter table t «add primary key (a, b)»
            alter table t «add column a int unique»
            alter table t «add constraint c exclude using gist (a with &&)»
            alter table t add a int, «add exclude (a with =)»
            alter table t add constraint c unique using index i
            alter table t add constraint c primary key using index i deferrable
            create table t (a int); alter table t add unique (a)",
    );
}

#[test]
fn old_names_are_missed() {
    check(
        Lint::TableRenamed,
        r#"
            alter table t «rename to u»
            alter table if exists s.t «rename to "U"»
            create table u (a int); alter table t «rename to v»
            create table t (a int); alter table t rename to u
            alter index i rename to j
            alter table t rename constraint c to d"#,
    );
    check(
        Lint::ColumnRenamed,
        r#"
            alter table t «rename column a to b»
            alter table t «rename a to b»
            alter table t «rename "to" to b»
            create table t (a int); alter table t rename a to b
            alter table t add column a int; alter table t rename column a to b
            alter table t rename constraint a to b"#,
    );
}

#[test]
fn dropped_things_are_missed() {
    check(
        Lint::TableDropped,
        r"
            drop table «t»
            drop table if exists «s.t» cascade
            create table u (a int); drop table u, «t»
            create temp table t (a int); drop table t
            drop index t
            drop view t",
    );
    check(
        Lint::ColumnDropped,
        r"
            alter table t «drop column a»
            alter table t «drop if exists a cascade»
            alter table t drop constraint c, «drop a»
            create table t (a int, b int); alter table t drop column a
            alter table t add a int; alter table t drop a
            alter table t drop constraint if exists c
            alter table t alter column a drop default",
    );
}

#[test]
fn a_setting_ends_with_its_migration() {
    check(
        Lint::SessionSetting,
        r#"
            «set search_path» = app
            «SET SESSION "search_path"» TO app, public
            «set schema» 'app'
            «set role» app; create table t (a int)
            «set session authorization» app
            «set session characteristics» as transaction read only
            «set time zone» 'UTC'
            «set my.search_path» = {{schema}}
            set statement_timeout = 0; «set work_mem» = '1GB'; set role a
            select pg_catalog.«set_config('search_path'», '', false)
            select set_config('lock_timeout', '0', false), «SET_CONFIG ( 'a.b'», f(1, 2), x)
            select «set_config('a'» || 'b', 'c', false)
            set local search_path = app
            set constraints all deferred
            set transaction read only
            set role none
            set session authorization default
            set search_path to default; set work_mem = default; reset all
            set names 'UTF8'; set xml option document
            select set_config('search_path', 'app', true)
            select set_config('search_path', 'app', TRUE) from t where a in (false, false)
            select set_config('statement_timeout', '0', false)
            select 'set_config(', "set_config"
            update t set a = 1
            do $$ begin set search_path = app; end $$
            create function f() returns int language sql set search_path = a as 'select 1'"#,
    );
    let text = "set search_path = app";
    assert_eq!(found_in(text, TransactionMode::NonTransactional), [""; 0]);
}

/// The header that `pg_dump` (18) writes in each script.
#[test]
fn the_header_of_a_dump_is_reported_only_for_its_search_path() {
    let header = "SET statement_timeout = 0; SET lock_timeout = 0; \
                  SET idle_in_transaction_session_timeout = 0; SET transaction_timeout = 0; \
                  SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; \
                  SELECT pg_catalog.set_config('search_path', '', false); \
                  SET check_function_bodies = false; SET xmloption = content; \
                  SET client_min_messages = warning; SET row_security = off; \
                  SET default_tablespace = ''; SET default_table_access_method = heap;";
    assert_eq!(found(header), ["session-setting: set_config('search_path'"]);
}

#[test]
fn each_lint_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Lint::ALL.iter().map(|lint| lint.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 17);
    for (index, lint) in Lint::ALL.iter().enumerate() {
        assert_eq!(*lint as usize, index, "the texts are in this order");
        assert!(!lint.message().is_empty() && !lint.help().is_empty());
    }
}
