//! What is printed of sets: the scripts are those of files `1_a.sql`, `2_a.sql` and so on.

mod shared;
mod unknown;

use super::*;
use crate::check::{self, Begins, SetOptions, SourceFile};
use crate::tests::cases;

fn schema(scripts: &[&str], begins: Begins) -> SetSchema {
    let file = |(number, script): (usize, &&str)| {
        SourceFile::new(format!("{}_a.sql", number + 1), *script)
    };
    let files: Vec<SourceFile> = scripts.iter().enumerate().map(file).collect();
    let options = SetOptions { begins, ..SetOptions::default() };
    check::check_and_describe("m", &files, &options).unwrap().1
}

/// The statements of these blocks, without what begins them.
fn statements<'t>(blocks: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    blocks.flat_map(|block| block.lines().skip(1)).collect()
}

#[track_caller]
fn prints(scripts: &[&str], expected: &[&str]) {
    let schema = schema(scripts, Begins::Nothing);
    assert_eq!(schema.unknown, <[String; 0]>::default());
    let text = schema.text(Places::Hidden);
    assert_eq!(statements(text.split("\n\n")), expected, "{scripts:#?}\n{text}");
}

/// Checks the cases of a table: statements after one that makes a table `t` of one column, and the lines of `t`
/// but its first; those that are no statement are indented.
#[track_caller]
fn part(table: &str) {
    for (statements, expected) in cases(table) {
        let script = format!("create table t (a int); {statements}");
        let text = schema(&[&script], Begins::Nothing).text(Places::Hidden);
        let is_of_table = |one: &&str| {
            one.starts_with("-- table public.t\n")
                || one.lines().next().is_some_and(|head| head.ends_with(" on public.t"))
        };
        let mut lines = self::statements(text.split("\n\n").filter(is_of_table));
        lines.retain(|line| !line.starts_with("CREATE TABLE") && *line != ");");
        let indent = |line: String| match line.split(' ').next() {
            Some("CREATE" | "ALTER") => line,
            _ => format!("    {line}"),
        };
        assert_eq!(lines, expected.into_iter().map(indent).collect::<Vec<_>>(), "{statements}");
    }
}

#[test]
fn each_object_is_a_block() {
    let script = "create table t (a int); create index i on t (a); create view v as select a from t; \
                  create function f(a int) returns int language sql as 'select 1'; alter table t set (fillfactor = 70); \
                  alter view v set (security_barrier); do $$ begin execute 'create index j' || current_user; end $$";
    let expected = "\
-- The schema that a set makes, written by `migrate schema --static`. Do not edit it.
-- unknown: indexes that are made after 1_a.sql:1, which runs dynamic SQL

-- table public.t
CREATE TABLE public.t (
    a integer
);
ALTER TABLE public.t SET (fillfactor = 70);

-- index i on public.t
CREATE INDEX i ON public.t (a);

-- view public.v
CREATE VIEW public.v AS SELECT a FROM public.t;
ALTER VIEW public.v SET (security_barrier);

-- function public.f(int4)
CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'select 1';
";
    assert_eq!(schema(&[script], Begins::Nothing).text(Places::Hidden), expected);
}

#[test]
fn a_column_that_is_merged_with_that_of_a_parent_is_the_table_s_own() {
    let script = "create table p (a int, b int not null); create table c (b int, a int, x int) inherits (p); \
                  create table q (a int) partition by list (a); create table r partition of q (a default 1) default; \
                  alter table p alter a type bigint";
    let schema = schema(&[script], Begins::Nothing);
    let shown = |object: &SchemaObject| {
        let shown = |one: &SchemaObject| match &one.unknown {
            None => format!("{} {}", one.name, one.definition),
            Some(why) => format!("{}, {why}", one.name),
        };
        (object.name.clone(), object.parts.iter().map(shown).collect::<Vec<_>>().join("; "))
    };
    let expected = [
        ("public.c", "b integer NOT NULL; a, it may have been altered; x integer"),
        ("public.p", "a bigint; b integer NOT NULL"),
        ("public.q", "a integer"),
        ("public.r", ""),
    ];
    let expected = expected.map(|(table, columns)| (table.to_owned(), columns.to_owned()));
    assert_eq!(schema.objects.iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn a_table_has_its_columns_and_constraints() {
    prints(
        &[
            "create table users (id bigserial primary key, email varchar(80) unique not null, \
           age int DEFAULT 1+2 check (age > 0 AND Age<200), \"At\" timestamptz(3) default now())",
            "create table posts (id int generated always as identity, author bigint references users (id) \
           on delete cascade, \"order\" numeric(10, 2) default -1, tags text[] collate \"C\", \
           constraint t unique (author, tags) include (id), primary key (id))",
        ],
        &[
            "CREATE TABLE public.posts (",
            "    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,",
            "    author bigint,",
            "    \"order\" numeric(10,2) DEFAULT -1,",
            "    tags text[] COLLATE \"C\",",
            "    CONSTRAINT posts_author_fkey FOREIGN KEY (author) REFERENCES public.users (id) ON DELETE CASCADE,",
            "    CONSTRAINT posts_pkey PRIMARY KEY (id),",
            "    CONSTRAINT t UNIQUE (author, tags) INCLUDE (id)",
            ");",
            "CREATE TABLE public.users (",
            "    id bigint NOT NULL DEFAULT nextval('public.users_id_seq'::regclass),",
            "    email character varying(80) NOT NULL,",
            "    age integer DEFAULT 1 + 2,",
            "    \"At\" timestamp(3) with time zone DEFAULT now(),",
            "    CONSTRAINT users_age_check CHECK (age > 0 AND age < 200),",
            "    CONSTRAINT users_email_key UNIQUE (email),",
            "    CONSTRAINT users_pkey PRIMARY KEY (id)",
            ");",
            "CREATE SEQUENCE public.posts_id_seq OWNED BY public.posts.id;",
            "CREATE SEQUENCE public.users_id_seq OWNED BY public.users.id;",
        ],
    );
}

#[test]
fn columns_are_those_after_all_alterations() {
    part(
        r"
        alter table t alter a type bigint using a::bigint => a bigint
        alter table t alter column a set not null, alter a set default 2 => a integer NOT NULL DEFAULT 2
        alter table t alter a set not null; alter table t alter a drop not null => a integer
        alter table t add constraint c not null a => a integer NOT NULL
        alter table t add not null a; alter table t drop constraint t_a_not_null => a integer
        alter table t add constraint c not null a, add constraint d check (a is not null); alter table t drop constraint d
            => a integer NOT NULL
        alter table t alter a set default 1; alter table t alter a drop default => a integer
        alter table t rename a to b => b integer
        alter table t add b text; alter table t drop a => b text
        alter table t alter a set not null; alter table t alter a add generated by default as identity
            => a integer NOT NULL GENERATED BY DEFAULT AS IDENTITY
        alter table t drop a; alter table t add a smallserial
            => a smallint NOT NULL DEFAULT nextval('public.t_a_seq'::regclass)
        alter table t drop a, add a int generated always as (1) stored => a integer GENERATED ALWAYS AS (1) STORED
        alter table t add if not exists a text => a integer
        alter table t alter a type char => a character(1)
        alter table t alter a type bool => a boolean
        alter table t alter a type time => a time without time zone
        alter table t alter a type float => a double precision
        alter table t alter a type bit varying(3) => a bit varying(3)
        alter table t alter a type varchar => a character varying
        alter table t alter a type pg_catalog.int8 => a bigint
        alter table t alter a type int[3][] => a integer[]
        alter table t alter a type interval day => a interval day
        alter table t alter a type t[] => a public.t[]",
    );
}

#[test]
fn names_are_those_of_the_end() {
    prints(
        &[
            "create type mood as enum ('sad', 'ok'); create table a (id int primary key, m mood default 'ok'::mood); \
           create table b (a int constraint f references a (id)); create index on a (lower(m::text)) where id > 0; \
           create function f() returns trigger language plpgsql as 'begin end'; \
           create trigger t after update of m on a for each row when (new.id = 1) execute function f(); \
           create policy p on a using (id = 1); create view v as select x.id from a x",
            "alter type mood rename to feeling; alter table a rename to c; alter table c rename id to key; \
           alter function f() rename to g; alter trigger t on c rename to u; alter policy p on c rename to q; \
           alter table c rename constraint a_pkey to k; alter index a_lower_idx rename to i; \
           alter type feeling rename value 'ok' to 'fine'; alter type feeling add value 'so' before 'fine'; \
           create schema s; alter table b set schema s",
        ],
        &[
            "CREATE TABLE public.c (",
            "    key integer NOT NULL,",
            "    m public.feeling DEFAULT 'ok'::public.feeling,",
            "    CONSTRAINT k PRIMARY KEY (key)",
            ");",
            "CREATE INDEX i ON public.c (lower(m::text)) WHERE key > 0;",
            "CREATE TRIGGER u AFTER UPDATE OF m ON public.c FOR EACH ROW WHEN (new.key = 1) EXECUTE FUNCTION public.g();",
            "CREATE POLICY q ON public.c USING (key = 1);",
            "CREATE VIEW public.v AS SELECT x.id FROM public.c x;",
            "CREATE FUNCTION public.g() RETURNS trigger LANGUAGE plpgsql AS 'begin end';",
            "CREATE TYPE public.feeling AS ENUM ('sad', 'so', 'fine');",
            "CREATE TABLE s.b (",
            "    a integer,",
            "    CONSTRAINT f FOREIGN KEY (a) REFERENCES public.c (key)",
            ");",
            "CREATE SCHEMA s;",
        ],
    );
}

#[test]
fn what_hangs_on_a_table_follows_it() {
    part(
        r"
        create unique index i on t using btree (a desc nulls last) include (a)
            => a integer
            => CREATE UNIQUE INDEX i ON public.t USING btree (a DESC NULLS LAST) INCLUDE (a);
        create index i on t (a); drop index i => a integer
        create unique index i on t (a); alter table t add constraint k unique using index i
            => a integer,
            => CONSTRAINT k UNIQUE (a)
        alter table t add constraint c check (a > 1) not valid
            => a integer,
            => CONSTRAINT c CHECK (a > 1) NOT VALID
        alter table t add constraint c check (a > 1) not valid; alter table t validate constraint c
            => a integer,
            => CONSTRAINT c CHECK (a > 1)
        alter table t add primary key (a)
            => a integer NOT NULL,
            => CONSTRAINT t_pkey PRIMARY KEY (a)
        alter table t enable row level security
            => a integer
            => ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
        alter table t enable row level security; alter table t disable row level security => a integer
        create policy p on t using (true); alter policy p on t with check (a = 1)
            => a integer
            => CREATE POLICY p ON public.t USING (true);
            => ALTER POLICY p ON public.t WITH CHECK (a = 1);
        alter table t alter a set statistics 10, set (fillfactor = 70)
            => a integer
            => ALTER TABLE public.t SET (fillfactor = 70);
            => ALTER TABLE public.t ALTER COLUMN a SET STATISTICS 10;",
    );
}

#[test]
fn one_of_several_functions_has_another_name() {
    let f = "create function f(a int) returns int language sql as 'select 1'; \
             create function f() returns trigger language plpgsql as 'begin end';";
    let trigger =
        "create table t (a int); create trigger u after update on t execute function f();";
    let function = |head: &str| match head {
        "f()" | "g()" => format!(
            "CREATE FUNCTION public.{head} RETURNS trigger LANGUAGE plpgsql AS 'begin end';"
        ),
        head => {
            format!("CREATE FUNCTION public.{head} RETURNS integer LANGUAGE sql AS 'select 1';")
        }
    };
    let (of_int, of_none) = (function("f(a integer)"), function("f()"));
    let (int_as_g, none_as_g) = (function("g(a integer)"), function("g()"));
    prints(&[f, "alter function f(int) rename to g"], &[&of_none, &int_as_g]);
    prints(
        &[f, "alter function f(int) rename to g; alter function g(int) rename to f"],
        &[&of_none, &of_int],
    );
    prints(
        &[f, "alter function f(int) rename to g; alter function f() rename to g"],
        &[&none_as_g, &int_as_g],
    );
    let table = |called: &str| {
        let trigger = format!(
            "CREATE TRIGGER u AFTER UPDATE ON public.t EXECUTE FUNCTION public.{called}();"
        );
        ["CREATE TABLE public.t (", "    a integer", ");", &trigger].map(str::to_owned)
    };
    let [head, column, end, of_g] = table("g");
    prints(
        &[f, trigger, "alter function f() rename to g"],
        &[&head, &column, &end, &of_g, &of_int, &none_as_g],
    );
    let [.., of_f] = table("f");
    prints(
        &[f, trigger, "alter function f(int) rename to g"],
        &[&head, &column, &end, &of_f, &of_none, &int_as_g],
    );
}

#[test]
fn other_objects_are_statements() {
    prints(
        &["create extension pgcrypto; create domain d as int not null check (value > 0); create type c as (a int, b text[]); \
           create sequence s start 10; alter sequence s increment by 2; \
           create function add(a int, b int) returns int language sql immutable as $$select a + b$$; \
           create or replace function add(a text) returns text language sql begin atomic select a || 'x'; end; \
           alter function add(int, int) set search_path = ''; drop function add(text); \
           create materialized view m as select 1 as one with no data; create index i on m (one); \
           create unlogged table u (like e) with (fillfactor = 70)".replace("create unlogged", "create table e (a int); create unlogged").as_str(),
          "create table part (a int) partition by range (a); create table copy as select 1 as one"],
        &[
            "CREATE TABLE public.copy (",
            "    one -- unknown: its type, which a query determines",
            ");",
            "CREATE TABLE public.e (",
            "    a integer",
            ");",
            "CREATE TABLE public.part (",
            "    a integer",
            ") PARTITION BY RANGE (a);",
            "CREATE UNLOGGED TABLE public.u (",
            "    a integer",
            ") WITH (fillfactor = 70);",
            "CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS one WITH NO DATA;",
            "CREATE INDEX i ON public.m (one);",
            "CREATE FUNCTION public.add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$select a + b$$;",
            "ALTER FUNCTION public.add(int4,int4) SET search_path = '';",
            "CREATE TYPE public.c AS (a integer, b text[]);",
            "CREATE DOMAIN public.d AS integer NOT NULL CHECK (value > 0);",
            "CREATE SEQUENCE public.s START 10;",
            "ALTER SEQUENCE public.s INCREMENT BY 2;",
            "CREATE EXTENSION pgcrypto;",
        ],
    );
}

#[test]
fn places_are_comments() {
    let text = schema(&["\ncreate table t (\n  a int)"], Begins::Nothing).text(Places::Shown);
    let expected =
        "-- table public.t\nCREATE TABLE public.t ( -- 1_a.sql:2\n    a integer -- 1_a.sql:3\n);\n";
    assert_eq!(text.split_once("\n\n").map(|(_, blocks)| blocks), Some(expected));
}

#[test]
fn blanks_and_case_do_not_count() {
    let one = schema(&["create table t (a int default 1, b text check (b<>'X'))"], Begins::Nothing);
    let other = schema(
        &["CREATE TABLE public.T(\n  A INTEGER DEFAULT 1 , -- a\n B Text CHECK( B <> 'X' )\n)"],
        Begins::Nothing,
    );
    assert_eq!(one.text(Places::Hidden), other.text(Places::Hidden));
}

#[test]
fn view_is_replaced_in_the_schema_where_it_would_be_made() {
    prints(
        &[
            "create schema app; set search_path = app, public; create table v (a int)",
            "create or replace view v as select 1 as b",
            "drop view v",
        ],
        &["CREATE TABLE app.v (", "    a integer", ");", "CREATE SCHEMA app;"],
    );
}

#[test]
fn a_parent_of_later_is_shown() {
    part(
        "
        create table p (a int); alter table t inherit p; alter table p rename to q
            => a integer
            => ALTER TABLE public.t INHERIT public.q;",
    );
    let perhaps = "create table p (a int); create table t (a int); \
                   do $$ begin if true then alter table t inherit p; end if; end $$";
    let text = schema(&[perhaps], Begins::Nothing).text(Places::Hidden);
    assert!(
        text.contains("CREATE TABLE public.t ( -- unknown: it may have been altered"),
        "{text}"
    );
}
