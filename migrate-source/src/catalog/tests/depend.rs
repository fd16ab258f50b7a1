//! What a `DROP` without CASCADE is refused for.

use super::{finds, finds_one};

#[test]
fn what_is_needed_is_not_dropped() {
    finds(
        r"
        create table posts (author int constraint author references users) // drop table users
            => 3:1:12: table `users` cannot be dropped: constraint `author` of table `posts` depends on it | needed
                since 2:1 | drop that before, or add CASCADE",
    );
    finds_one(
        r"
        create table posts (author int, foreign key (author) references users (id)); drop table if exists users
            => table `users` cannot be dropped: constraint `posts_author_fkey` of table `posts`
        create view v as select email from users; drop table users => view `v` depends
        create materialized view v as select 1 from (select * from users) u; drop table users
            => table `users` cannot be dropped: view `v` depends
        create view v as select u.email from users u; alter table users drop email
            => column `email` cannot be dropped: view `v` depends
        create view v as select * from users; alter table users drop column email
            => column `email` cannot be dropped: view `v` depends
        create view v as select 1 from users order by email; create view w as select * from v; drop view v
            => view `v` cannot be dropped: view `w` depends
        alter table users add code int unique; create table p (c int references users (code)); alter table users
            drop code
            => column `code` cannot be dropped: constraint `p_c_fkey` of table `p`
        create type mood as enum ('ok'); alter table users add m mood[]; drop type mood
            => type `mood` cannot be dropped: column `m` of table `users`
        create domain d as text; alter table users alter email type d; drop domain d
            => type `d` cannot be dropped: column `email` of table `users`
        create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger t before
            insert on users for each row execute function f(); drop function f()
            => function `f` cannot be dropped: trigger `t` of table `users`
        create function f() returns int language sql as 'select 1'; alter table users add n int default f(); drop
            function f
            => function `f` cannot be dropped: column `n` of table `users`
        create sequence s; alter table users alter id set default nextval('s'); drop sequence s
            => sequence `s` cannot be dropped: column `id` of table `users`
        create table t (id serial); drop sequence t_id_seq
            => sequence `t_id_seq` cannot be dropped: column `id` of table `t`",
    );
}

#[test]
fn what_is_no_longer_needed_is_dropped() {
    finds(
        r"
        create table posts (author int references users); drop table users, posts
        create table posts (author int references users); drop table users cascade
        create table posts (author int references users); drop table posts; drop table users
        create table posts (author int references users); alter table posts drop constraint posts_author_fkey; drop
            table users
        create table posts (author int references users); alter table posts drop author; drop table users
        create table posts (author int references users); alter table users rename to old; create table users (id
            int primary key); drop table users
        alter table users add boss int references users; drop table users
        create view v as select * from users; create or replace view v as select 1 as id, '' as email; drop table
            users
        create view v as select id from users; alter table users drop email
        create view v as select id as email from users order by email; alter table users drop email
        create view v as select 1; drop view v; create view v as select 1; drop table users
        create type mood as enum ('ok'); alter table users add m mood; alter table users alter m type text; drop
            type mood
        create type mood as enum ('ok'); alter table users add m mood; alter table users drop m; drop type mood
        create type mood as enum ('ok'); alter table users add m mood; alter type mood rename to old; create type
            mood as enum ('ok'); drop type mood
        create type mood as enum ('ok'); alter table users add m mood; do $$ begin execute 'alter table users alter
            m type text'; end $$; drop type mood
        create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger t before
            insert on users for each row execute function f(); drop trigger t on users; drop function f()
        create function f() returns int language sql as 'select 1'; alter table users add n int default f(); alter
            table users alter n drop default; drop function f()
        create function f() returns int language sql as 'select 1'; alter table users alter id type int using f();
            drop function f()
        create table t (id serial); alter table t alter id drop default; drop sequence t_id_seq",
    );
}

#[test]
fn cascade_doubts_only_what_depends() {
    finds_one(
        r"
        create view v as select 1; create table t (a int); drop table t cascade; drop view w
            => view `w` does not exist
        create view v as select * from users; create table t (a int); drop table t cascade; create view v as select
            1
            => view `v` already exists
        create table posts (author int references users); create table t (a int); drop table t cascade; alter table
            posts add constraint posts_author_fkey foreign key (author) references users
            => constraint `posts_author_fkey` of table `posts` already exists
        create policy p on users using (email = ''); alter table users drop email
            => column `email` cannot be dropped: policy `p` of table `users`",
    );
    finds(
        r"
        create view v as select * from users; create view w as select * from v; drop table users cascade; create
            view w as select 1; create view v as select 1
        create view v as select * from users; alter view v rename to w; drop table users cascade; create view w as
            select 1
        create view v as select * from users; alter table users rename to people; drop table people cascade; create
            view v as select 1
        create view v as select * from users; alter table users drop email cascade; create view v as select 1
        create table posts (author int references users); drop table users cascade; create table users (id int
            primary key); alter table posts add constraint posts_author_fkey foreign key (author) references users
        create table posts (author int references users); alter table users drop constraint users_pkey cascade;
            alter table users add primary key (id); alter table posts add constraint posts_author_fkey foreign key
            (author) references users
        create schema s; create table s.t (id int primary key); create table posts (t int references s.t); alter
            schema s rename to r; drop table r.t cascade; create table r.t (id int primary key); alter table posts
            add constraint posts_t_fkey foreign key (t) references r.t
        create function f(users) returns int language sql as 'select 1'; drop table users cascade; create function
            f(int) returns int language sql as 'select 1'; drop function f(int)
        create table a (id int primary key); create policy p on a using (exists (select 1 from users)); drop table
            users cascade; create policy p on a using (true)",
    );
}

#[test]
fn cascade_of_a_partition_takes_foreign_keys_to_all_partitions() {
    let full = |table: &str| table.replace("PARTED", PARTED).replace("REFER", REFER);
    finds(&full(
        r"
        PARTED; drop table q cascade; REFER
        PARTED; create table part partition of p for values from (1) to (9) partition by range (id); create table
            of_part partition of part for values from (1) to (2); drop table of_part cascade; REFER
        PARTED; alter table p rename to parts; drop table if exists q cascade; alter table r add constraint
            r_id_fkey foreign key (id) references parts",
    ));
    finds_one(&full(
        r"
        PARTED; alter table p detach partition q; drop table q cascade; REFER
            => constraint `r_id_fkey` of table `r` already exists
        PARTED; create table s (id int references users); drop table q cascade; alter table s add constraint
            s_id_fkey foreign key (id) references users
            => constraint `s_id_fkey` of table `s` already exists
        PARTED; create view v as select * from p; drop table q cascade; create view v as select 1
            => view `v` already exists
        create table p (id int primary key); create table q () inherits (p); create table r (id int references p);
            drop table q cascade; REFER
            => constraint `r_id_fkey` of table `r` already exists",
    ));
}

#[test]
fn cascade_doubts_what_hangs_on_any_kind_of_object() {
    finds(
        r#"
        create type u as (id int); create table t of u; drop type u cascade; create table t (id int)
        create table t (id int); create type u as (id int); alter table t of u; drop type u cascade; create table t ()
        create type u as enum ('a'); create table t (a u, b int); create index i on t (a, b); drop type u cascade;
            create index i on t (b)
        create type u as enum ('a'); create domain d as u; drop type u cascade; create domain d as int
        create schema s; create type s.u as enum ('a'); create table t (a s.u, b int); create index i on t (a);
            drop schema s cascade; alter table t add a int; create index i on t (a)
        create collation c from pg_catalog."C"; create table t (a text collate c, b text); create index i on t (b
            collate c); drop collation c cascade; alter table t add a int; create index i on t (a)
        create foreign data wrapper w; create server s foreign data wrapper w; create foreign table t (a int) server s;
            drop server s cascade; create table t (a int)
        create foreign data wrapper w; create server s foreign data wrapper w; create foreign table t (a int) server s;
            drop foreign data wrapper w cascade; create table t (a int)
        create function f(int, int) returns int language sql as 'select 1'; create operator ## (leftarg = int, rightarg
            = int, function = f); create view v as select 1 ## 1 as x; drop operator ## (int, int) cascade; create view
            v as select 1
        create language l handler plpgsql_call_handler; create function f() returns int language l as 'x'; drop language
            l cascade; create function f() returns text language sql as 'select null::text'
        create type u as (a int); create function f(u) returns int language sql as 'select 1'; create cast (u as int)
            with function f(u); create view v as select row(1)::u::int as x; drop cast (u as int) cascade; create view v
            as select 1
        create text search configuration c (copy = simple); create index i on users (to_tsvector('c', email)); drop text
            search configuration c cascade; create index i on users (email)
        create table p (a int); create table q (b int) inherits (p); create table r (c int) inherits (q); create index
            i on q (a); create index j on r (a); alter table p drop a; create index i on q (b); create index j on r (c)
        create table t (a int, b int generated always as (a * 2) stored unique); create index i on t (b); alter table t
            drop a cascade; alter table t add b int; alter table t add constraint t_b_key unique (b); create index i on
            t (b)
        create table p (a int, b int, c int generated always as (b * 2) stored) partition by range (a); create table q
            partition of p default; create index i on q (c); alter table p drop b cascade; create index i on q (a)
        alter table users alter id add generated always as identity; alter table users alter id drop identity; create
            sequence users_id_seq"#,
    );
    finds_one(
        r"
        create type u as enum ('a'); create table t (a u); drop type u cascade; create table t (a int)
            => table `t` already exists
        create table t (a int); truncate t cascade; alter table t add a int => column `a` of table `t` already exists
        drop collation if exists c; create index i on users (email); create index i on users (email)
            => index `public.i` already exists
        alter table users alter id add generated always as identity; create index i on users (id); alter table users
            alter id drop identity; create index i on users (id)
            => index `public.i` already exists",
    );
}

/// A table with a partition, and one that refers to it.
const PARTED: &str = "create table p (id int primary key) partition by range (id); create table q partition of p for \
     values from (0) to (1); create table r (id int references p)";

/// Its foreign key once more.
const REFER: &str = "alter table r add constraint r_id_fkey foreign key (id) references p";
