//! What is there, under each way to name it, and is not reported.

use super::*;

#[test]
fn what_is_there_is_not_reported() {
    finds(
        r#"
        alter table public.users add a int, add unique (a)
        alter table if exists nobody add a int
        drop table if exists nobody
        drop index if exists i
        alter table users drop constraint users_pkey; drop index if exists users_pkey
        alter table users drop constraint if exists c
        create table if not exists users (a int); select email from users
        create table if not exists t (a int); select a from t
        create table posts (id serial, n int generated always as identity); select nextval('posts_id_seq'),
            currval('public.posts_n_seq')
        create table a (b int unique, c int check (c > 0), d int references users); alter table a drop constraint
            a_b_key, drop constraint a_c_check, drop constraint a_d_fkey
        create table a (b int, c int, unique (b, c), check (b < c)); alter table a drop constraint a_b_c_key, drop
            constraint a_check
        create index on users (email); create index on users (email); drop index users_email_idx1
        create index on users (lower(email)); drop index users_lower_idx
        alter table users rename to people; alter table people drop constraint users_pkey
        do $$ declare n int; begin select count(*) into n from users; if n = 0 then create table made (a int); end
            if; end $$; select a from made
        create temp table users (z int); select z from users
        create schema s; set search_path = s, public; create table t (a int); select a from s.t
        select users from users; select users.* from users; select id as n from users order by n
        select u.id from users u, lateral (select u.email) x (y) where x.y = ''
        select ctid, tableoid from users
        select * from users u (a, b) where a = 1
        select a, b from users u (a, b)
        select n from generate_series(1, 2) n; select * from generate_series(1, 2) as g (x) where x = 1
        select key, value from json_each('{}'); select e ->> 'x' from json_array_elements('[]') e
        select x.a from (values (1)) x (a); select column1 from (values (1)) v
        with recursive t (n) as (select 1 union all select n + 1 from t) select n from t
        with t as (insert into users values (1, '') returning id) select id from t
        select count(*) from users group by email having count(*) > 1 order by count(*)
        select current_user, current_date, localtime, user
        update users set email = s.e from (select 1 as i, 'x' as e) s where users.id = s.i
        update users as u set (email) = row ('x') where u.id = 1
        insert into users as u values (1, '') on conflict (id) do update set email = u.email || excluded.email
        delete from users using (values (1)) v (n) where users.id = v.n returning users.id
        create table copy (like users including all); select email from copy
        create table child () inherits (users); select email from child; alter table users add n int; select n from
            child
        create table p (a int, b int) partition by range (a); create table p1 partition of p for values from (1) to
            (2); alter table p add c int; select b, c from p1
        create table t as select id, email as mail from users; select mail from t
        create view v as select * from users; select email from v
        create view v (a, b) as select * from users; select a, b from v
        create or replace view v as select 1 as a; create or replace view v as select 1 as a, 2 as b; select b from
            v
        create type c as (x int); create table t (a c); select (a).x from t; select (t.a).x from t
        create type s as enum ('a'); alter type s rename to r; create table t (a r, b r[])
        create domain d as text check (value <> ''); create table t (a d)
        create function f(a int) returns int language sql as 'select a + $1'; select f(1)
        create function f(id users) returns int language sql as 'select 1'; select users.f from users
        create extension citext; create table t (a citext); create extension pgcrypto; select digest('', '')
        create extension unknown_thing; select whatever(1); select * from anything
        do $$ begin create table t (a int); exception when others then null; end $$; select a, b from t
        do $$ begin execute 'create table t (a int)'; end $$; select a from t
        do $$ begin execute format('alter table %I add x int', 'users'); end $$; select x from users
        do $$ declare r record; begin for r in select 1 loop execute r.x; end loop; end $$; select * from anything
        create function f() returns void language plpgsql as $$ begin create table made (a int); end $$; select f();
            select a from made
        create function f() returns trigger language plpgsql as $$ begin new.z := 1; return new; end $$; create
            trigger t before insert on users for each row execute function f(); drop trigger t on users
        alter table users add constraint c check (length(email) > 1) not valid; alter table users validate
            constraint c
        create unique index i on users (email); alter table users add constraint u unique using index i; alter table
            users drop constraint u; create index u on users (email)
        drop table users cascade; create table users (a int); select a from users
        begin; select 1; commit
        begin; drop table users; rollback; select * from users
        create table p (a int) partition by range (a); create table p1 partition of p default; create index on p
            (a); drop index p1_a_idx; alter table p1 drop constraint p1_pkey
        create table t (a int default nextval(('nobody'::text)::regclass))
        create function f(cstring) returns shell language c as 'x', 'y'
        create function f() returns trigger language plpgsql as $$ begin return null; end $$; create trigger t after
            update on users referencing new table as fresh for each statement execute function f(); create or
            replace function f() returns trigger language plpgsql as $$ begin perform 1 from fresh; return null; end
            $$
        create table if not exists users (a nothing references nobody)
        alter table users add column if not exists email nothing references nobody
        do 'begin execute ''alter table users add a int''; end'; alter table users add column if not exists a
            nothing
        create type mood as enum ('ok'); alter type mood add value if not exists 'ok' after 'nothing'
        set search_path = nobody, public; create table t (a int); reset search_path; select a from t
        with w as (select id as n from users) insert into users (id) select n from w
        alter table users add unique (n), add check (n > 0), add n int
        create materialized view m as select 1 as a; create unique index i on m (a); drop materialized view m;
            create materialized view m as select 1 as a; create unique index i on m (a)
        set search_path to "$user", public; select * from users
        select * from pg_class, information_schema.tables; select oid from pg_type
        alter table users rename constraint users_pkey to pk; drop index if exists users_pkey; alter index pk rename
            to k; alter table users drop constraint k
        create aggregate total (int) (sfunc = int4pl, stype = int); select total(id) from users
        select extract(year from now()), position('a' in 'b'), substring('x' from 1), trim(both 'x' from 'y')
        create rule r as on insert to users do also select new.id
        alter table users alter column email type varchar(10) using email::varchar(10)
        insert into users (id, email) select id, email from users where email = any (array['a'])"#,
    );
}

#[test]
fn range_types_make_multiranges_and_functions() {
    valid(&[
        "create type float8_range as range (subtype = float8); create type hours as range (subtype = time)",
        "create type public.span as range (subtype = float8, multirange_type_name = public.\"Spans\")",
        "create table t (a float8_multirange, b hours_multirange, c public.\"Spans\", d hours[])",
        "select float8_range(1, 2), float8_multirange(float8_range(1, 2, '[]')), \"Spans\"(span(1, 2), span(3, 4)) from t",
    ]);
    finds_one(
        r"
        create type hours as range (subtype = time); create table t (a hour_multirange)
            => type `hour_multirange` does not exist",
    );
}

#[test]
fn words_of_the_grammar_are_not_columns() {
    valid(&[
        "create table t (id int, ready bool, x xml, document text)",
        "select id from t where ready is unknown or ready is not unknown or (ready is unknown) = true",
        "select x is document, x is not document, document from t",
        "select normalize(document, nfc), normalize(document, NFKD), document is nfc normalized from t",
        "values (1, 'a'), (2, 'b') order by column1, column2 desc limit 1",
        "alter table t add note text storage external compression pglz, add brief text compression default",
        "select note, brief from t",
    ]);
    finds_one(
        r"
        values (1) order by column2 => column `column2` does not exist
        values (column1) => column `column1` does not exist
        select normalize(emial, nfc) from users => column `emial` of table `users` does not exist
        select unknown from users => column `unknown` of table `users` does not exist
        select id is document, document from users => column `document` of table `users` does not exist",
    );
}

#[test]
fn the_view_of_a_temporary_table_is_temporary() {
    finds(
        r"
        create temp table x (a int); create view v as select a from x; create table v (b int); select a from v // create
            view w as select b from v
        create temp table x (a int); create or replace view v as select a from x // create table v (b int)
        set search_path = sc1, public; create table v (a int) // create temp table x (a int) // create or replace view v
            as select a from x // alter view v rename to users
        create temp table x (a int) // create table v (b int); create view v as select a from x // alter view v rename to
            users
        create table x (a int) // create temp table x (a int) // create view v as select a from x // drop view public.v
        create temp table x (a int) // create table x (a int) // create view v as select a from x // drop view public.v
        create temp table x (a int) // drop table if exists x; create table x (a int); create view v as select a from x;
            drop view public.v
        create temp table x (a int); create table public.x (a int); create view v as select a from public.x; drop view
            public.v",
    );
    finds_one(
        r"
        create temp table x (a int); create table public.x (a int); create view v as select a from public.x; create view
            v as select 1
            => view `v` already exists | created in",
    );
}

#[test]
fn index_of_a_table_is_in_its_schema() {
    finds(
        r"
        create schema s; alter table users set schema s; alter table s.users replica identity using index users_pkey, cluster
            on users_pkey; cluster s.users using users_pkey; cluster s.users; cluster",
    );
    finds_one(
        r"
        alter table users replica identity using index nothing => index `public.nothing` does not exist | not
        alter table users cluster on nothing => index `public.nothing` does not exist | not
        cluster users using nothing => index `public.nothing` does not exist | not
        cluster nothing using users_pkey => table `nothing` does not exist | not",
    );
}

#[test]
fn keys_are_merged_and_named_as_the_server_does() {
    finds(
        r"
        create table t (a text unique, constraint t_a_key unique (a)); alter table t drop constraint t_a_key
        create table t (a text constraint k unique, constraint k unique (a)); alter table t drop constraint k
        create table t (a text unique, constraint k unique (a), constraint l unique (a)); create index t_a_key on t
            (a); create index l on t (a)
        create table t (a int constraint p primary key, constraint k unique (a)); create index k on t (a)
        create table t (a int unique, b int, constraint t_a_key primary key (b)); alter table t drop constraint
            t_a_key1
        create table t (a int unique, b int, constraint t_a_key check (b > 0)); alter table t drop constraint t_a_key1
        create table t (a int references t (a), b int, unique (a), constraint t_a_fkey check (b > 0)); alter table t
            drop constraint t_a_fkey1
        create table t (a int); alter table t add check (a > 0), add constraint t_a_check unique (a); alter table t drop
            constraint t_a_check1
        create table t (a int, unique (a), unique (a) deferrable); alter table t drop constraint t_a_key1
        create table t (a int unique, unique (a) include (a)); alter table t drop constraint t_a_a1_key, drop
            constraint t_a_key
        create table t (a int, b int, unique (a) include (b)); create index on t (a) include (b); alter table t drop
            constraint t_a_b_key; drop index t_a_b_idx
        create table t (); alter table t add a int unique primary key; create index t_a_key on t (a)
        create table t (a int primary key, b int, unique (a, b), unique (b, a)); alter table t drop constraint
            t_a_b_key, drop constraint t_b_a_key
        create table t (); alter table t add a int constraint t_a_check unique check (a > 0); alter table t drop
            constraint t_a_check1
        create table t (a int primary key, constraint k unique (a) with (fillfactor = 70)); create index t_pkey on t (a)
        create table t (a int unique using index tablespace pg_default not deferrable initially immediate, constraint k
            unique nulls distinct (a)); create index t_a_key on t (a)
        create table t (a int unique deferrable, constraint k unique (a)); alter table t drop constraint t_a_key
        create table t (a int unique initially deferred, constraint k unique (a) deferrable); alter table t drop
            constraint t_a_key
        create table t (a int unique, constraint k unique nulls not distinct (a)); alter table t drop constraint t_a_key
        create table t (a int, constraint t_a_excl unique (a), exclude using btree (a with =)); alter table t drop
            constraint t_a_excl1
        create table t (a int, exclude using btree (a with =), unique (a)); alter table t drop constraint t_a_excl, drop
            constraint t_a_key",
    );
    finds_one(
        r"
        create table t (a int unique, b int, constraint t_a_key unique (b))
            => constraint `t_a_key` of table `t` already exists | created in
        create table t (a int constraint k unique, b int constraint k unique)
            => constraint `k` of table `t` already exists | created in
        create table t (a int constraint t_a_check unique check (a > 0))
            => constraint `t_a_check` of table `t` already exists | created in
        create table t (); alter table t add a int constraint t_a_key check (a > 0) unique
            => constraint `t_a_key` of table `t` already exists | created in
        create table t (a int unique, constraint k unique (a)); alter table t drop constraint t_a_key
            => constraint `t_a_key` of table `t` does not exist | not
        create table t (a int primary key, unique (a)); alter table t drop constraint t_a_key
            => constraint `t_a_key` of table `t` does not exist | not",
    );
}
