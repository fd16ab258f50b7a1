//! The errors for invalid statements, and unusual statements that are valid. PostgreSQL 18 agrees
//! on each: `SELECT 1/0; STATEMENT` fails with 22012 if the syntax is valid, with 42601 if not.

use super::*;
use crate::tests::cases;

/// `statement` with `<` and `>` around the bytes of the error, and its message.
fn check_error(marked: &str, message: &str) {
    let (before, rest) = marked.split_once('<').unwrap();
    let (found, after) = rest.split_once('>').unwrap();
    let statement = format!("{before}{found}{after}");
    let error = check(&statement).unwrap_err();
    assert_eq!(error.message, message, "{statement}");
    assert_eq!(error.span, before.len()..before.len() + found.len(), "{statement}");
    assert!(!error.help.is_empty(), "{statement}");
}

#[test]
fn broken_statements_are_reported() {
    let table = r"
        create <tabel> t (a int)
            => expected TABLE, INDEX, VIEW or another kind of object, found `tabel`
        <selct> 1 => expected a statement, found `selct`
        create table t (a int, b text<,>) => unexpected trailing `,`
        create table t (a int <b> text) => expected `,`, found `b`
        create table t (a int <nto> null) => expected `,`, found `nto`
        create table t (a int primary <kye>) => expected KEY, found `kye`
        create table t (a int not <nul>) => expected NULL, found `nul`
        create table t (a<,> b int) => expected a type, found `,`
        create table t<> => expected `(`, found the end of the statement
        create table t (<order> int) => expected `)`, found `order`
        create table t (a text default <not> null)
            => expected a default value without AND, OR or NOT, found `not`
        create table t (a bool default true <and> false)
            => expected a default value without AND, OR or NOT, found `and`
        create table t (a int, <,> b int) => unexpected `,`
        create unique <idx> i on t (a) => expected INDEX, found `idx`
        create index i on t<> => expected `(`, found the end of the statement
        create index i on t (a<::>text) => expected parentheses around the expression, found `::`
        create index i on t (a <||> b) => expected parentheses around the expression, found `||`
        create index on t (lower(a), <not> b)
            => expected parentheses around the expression, found `not`
        create or replace <functon> f() returns int language sql as 'select 1'
            => expected FUNCTION, found `functon`
        create function f() returns int language sql as<>
            => expected a string literal, found the end of the statement
        create table a (x int) <create> table b (y int) => expected `;`, found `create`
        alter table t<> => expected an action such as ADD COLUMN, found the end of the statement
        alter table t <ad> column a int => expected an action such as ADD COLUMN, found `ad`
        alter table t add column a<> => expected a type name, found the end of the statement
        alter table t add column a int, <b> int => expected the end of the statement, found `b`
        alter table t alter column a <typ> bigint
            => expected TYPE, SET, DROP, ADD, RESET or RESTART, found `typ`
        alter table t add a text <compression> => expected the end of the statement, found `compression`
        alter table t add a text compression pglz <nto> null
            => expected the end of the statement, found `nto`
        alter table t rename column a <b> => expected TO, found `b`
        alter table t add constraint c <foriegn> key (a) references b (c)
            => expected FOREIGN, found `foriegn`
        alter table t add column a int <refrences> b (c)
            => expected the end of the statement, found `refrences`
        drop <tabel> t => expected TABLE, INDEX, VIEW or another kind of object, found `tabel`
        drop table<> => expected a table name, found the end of the statement
        drop table if <exist> t => expected `,`, found `exist`
        insert into t values (1,<,>2) => expected an expression, found `,`
        insert into t (a, b) <valeus> (1, 2) => expected VALUES or SELECT, found `valeus`
        insert <t> values (1) => expected INTO, found `t`
        insert into t values ('a' <'b'>) => expected `,` or an operator, found `'b'`
        update t set <where> a = 1 => expected a column name, found `where`
        update t set a <==> 1 => expected an expression before `==`
        update t set a = 1 <were> b = 2 => expected `,`, found `were`
        delete <t> where a = 1 => expected FROM, found `t`
        select * from t where a is not <5>
            => expected NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, found `5`
        select * from t where a = <> => expected an expression, found the end of the statement
        select * from t where <=> 1 => expected an expression before `=`
        select a b <c> from t => expected `,`, found `c`
        select a from t join u<> => expected ON or USING, found the end of the statement
        select count(*) fom <t> => expected `,`, found `t`
        <from> t => expected SELECT, found `from`
        comment on table t <'x'> => expected IS, found `'x'`
        create type e as enum ('a' <'b'>) => expected `,` or an operator, found `'b'`
        create trigger g after <insrt> on t execute function f()
            => expected INSERT, UPDATE, DELETE, or TRUNCATE, found `insrt`
        create view v as<> => expected a statement, found the end of the statement
        truncate<> => expected a table name, found the end of the statement
        create policy p on t for <selct> using (true)
            => expected ALL, SELECT, INSERT, UPDATE, or DELETE, found `selct`
        create extension if not <exist> pgcrypto => expected EXISTS, found `exist`
        select <12abc> => trailing junk after number literal
        with a as (select 1)<> => expected `,`, found the end of the statement
        values (1), <> => expected a row after `,`, found the end of the statement
        set search_path<> => expected `=`, found the end of the statement
        alter table t add column <user> text => expected a column name, found `user`
        create table t (a int, check <a> > 0) => expected `(`, found `a`
        select * from {{tables.users}} were <id> = 1
            => expected the end of the statement, found `id`
        update {{schema}}.t st <a> = 1 => expected SET, found `a`
        alter table t add column a int default 1 <or> 2
            => expected a default value without AND, OR or NOT, found `or`
        create index i on t (s<.>a) => expected parentheses around the expression, found `.`
        create table t (id int generated always as <identty>) => expected IDENTITY, found `identty`
        grant select on t <u> => expected TO, found `u`
        create table <user> (id int) => expected a name, found `user`
        alter table t rename a to <order> => expected a column name, found `order`
        alter table t rename to <table> => expected a name, found `table`
        insert into t (a, <end>) values (1, 2) => expected `)`, found `end`
        drop table <order> => expected a table name, found `order`
        alter table t drop column <group> => expected a column name, found `group`";
    for (marked, message) in cases(table) {
        check_error(&marked, &message.concat());
    }
}

#[test]
fn help_names_the_next_action() {
    let table = r#"
        create tabel t (a int) => did you mean `TABLE`?
        create table t (a int, b text,) => remove the comma
        alter table t drop if exists column c => write `COLUMN` before `IF`
        alter table t add if not exists column c int => write `COLUMN` before `IF`
        alter table t drop if exists constraint c => write `CONSTRAINT` before `IF`
        create table t (a int nto null) => did you mean `NOT`?
        create table t (order int) => it is a reserved word; to use it as a name, write `"order"`
        create table t (a text default not null)
            => write the default value; with AND, OR or NOT it needs parentheses
        create index i on t (a || b)
            => an index or a partition key accepts columns, function calls, and expressions in their
                own parentheses: `((a || b))`
        create table a (x int) create table b (y int) => end the statement before it with `;`
        alter table t add column a
            => complete the statement, or remove the `;` that ends it too early
        alter table t rename column a b
            => is `TO` missing before it? If the server accepts it as it is, write `-- migrate:allow
                syntax because REASON`
        values (1) 2
            => fix it; if the server accepts it as it is, write `-- migrate:allow syntax because
                REASON`
        select count(*) fom t => did you mean `FROM` instead of `fom`?
        create table left (a int) => it is a reserved word; to use it as a name, write `"left"`
        <<<<<<< HEAD\nselect 1 => resolve the merge conflict
        >>>>>>> main => resolve the merge conflict"#;
    for (statement, help) in cases(table) {
        assert_eq!(check(&statement).unwrap_err().help, help.concat(), "{statement}");
    }
    // A word as long as a file: compared with each keyword, it would take minutes.
    let help = check(&"x".repeat(3_000_000)).unwrap_err().help;
    assert!(help.starts_with("fix it; "), "{help}");
}

#[test]
fn sql_of_other_databases_has_the_next_action() {
    let table = r#"
        create table `t` (a int) => quote the name with `"
        create table [t] (a int) => quote the name with `"
        create table t (a int auto_increment) => write `GENERATED
        create table t (a int primary key autoincrement) => write `GENERATED
        create table t (a int not null identity(1, 1)) => write `GENERATED
        create table t (a int unsigned) => delete it; to refuse negative
        create table t (a int comment 'x') => write `COMMENT ON
        create table t (a int) engine=InnoDB => delete it; PostgreSQL has no storage engines
        create table t (a int) without rowid => delete both words
        alter table t modify column a bigint => write `ALTER COLUMN
        alter table t delete column a => write `DROP COLUMN name`
        insert ignore into t values (1) => write `ON CONFLICT DO NOTHING
        insert into t values (1) on duplicate key update a = 1 => write `ON CONFLICT (column)
        replace into t values (1) => write `INSERT INTO
        select top 5 * from t => write `LIMIT
        delimiter // => delete the line; a body
        go\ncreate table t (a int) => delete the line; a statement
        use shop => delete it; a run uses
        pragma foreign_keys = on => delete it; PostgreSQL has no such
        source other.sql => write the SQL of that file
        exec f 1 => call a procedure
        create function f() returns int begin return 1 => write the body as a string
        create trigger t before insert on t for each row begin select 1
            => write the body as a function
        insert into t values (?) => `?` is a parameter
        alter table t change a b text => write `RENAME COLUMN
        rename table t to u => write `ALTER TABLE old RENAME TO new`
        create table t (a timestamp default current_timestamp on update current_timestamp)
            => delete `ON UPDATE`
        create table t (a int, index (a)) => write `CREATE INDEX
        create table t (a bigint foreign key references u (id)) => write only `REFERENCES
        set names utf8mb4 => delete the statement
        if not exists (select 1) then create table a (i int) => write it in a block
        create policy if not exists p on t => delete `IF NOT EXISTS`
        create type if not exists t as enum ('a') => delete `IF NOT EXISTS`
        alter table t add constraint if not exists c check (a > 0) => delete `IF NOT EXISTS`
        create index if not exists on t (a) => write a name before `ON`
        # a remark => begin the comment
        // a remark => begin the comment"#;
    for (statement, help) in cases(table) {
        let error = check(&statement).unwrap_err();
        assert!(
            error.help.starts_with(&help.concat()),
            "{statement}: {}: {}",
            error.message,
            error.help
        );
    }
}

const UNUSUAL: &[&str] = &[
    "merge into t using s on t.a = s.a when matched and s.b then update set b = s.b when not matched by source then delete when not matched then insert (a, b) values (s.a, s.b) returning merge_action(), t.*",
    "select * from json_table('[{\"a\":1}]'::jsonb, '$[*]' columns (n for ordinality, a int path '$.a' default 0 on empty, nested path '$.b[*]' columns (c text path '$'))) as j",
    "select json_value('{}', '$.a' returning int default 1 on error), json_query(j, '$' with wrapper), json_exists(j, '$.a')",
    "select json_object('a': 1, 'b': 2 absent on null), json_array(1, 2 null on null), json_arrayagg(x order by y)",
    "create rule r as on update to v where old.a <> new.a do instead (update t set a = new.a; notify x, 'y')",
    "create rule r as on delete to v do instead nothing",
    "create function f(a int) returns int begin atomic select a + 1; return a + 2; end",
    "create function f(a int) returns int language sql immutable parallel safe return a + 1",
    "create procedure p(inout a int default 1) language plpgsql as $$ begin commit; end $$",
    "create table p (a int, b text) partition by range (a, lower(b), (a + 1))",
    "create table p1 partition of p (b default 'x', constraint c check (a > 0)) for values from (minvalue, 'a', 1) to (10, maxvalue, 2)",
    "create table p2 partition of p for values with (modulus 4, remainder 1) partition by list (b)",
    "create table p3 partition of p default",
    "alter table p attach partition q for values in ('a', null)",
    "alter table p detach partition q concurrently",
    "create table r (during tstzrange, room int, exclude using gist (room with =, during with &&) where (room > 0) deferrable initially deferred)",
    "create table g (a int generated always as identity (start 10 increment by 2), b int generated always as (a * 2) stored, c int generated by default as identity)",
    "create table v (a int, b int generated always as (a * 2) virtual)",
    "create table w (id int4range, valid tstzrange, primary key (id, valid without overlaps), foreign key (id, period valid) references x (id, period valid))",
    "alter table t add constraint c not null a not valid",
    "alter table t alter constraint c not enforced",
    "alter table t alter column a set expression as (b * 3)",
    "insert into t as x (a, b) overriding system value values (1, default) on conflict (a, lower(b) collate \"C\" text_ops) where a > 0 do update set b = excluded.b, (c, d) = row (1, 2) where x.b is distinct from excluded.b returning old.a, new.a",
    "insert into t default values on conflict on constraint c do nothing",
    "update t set b = 1 returning with (old as o, new as n) o.b, n.b",
    "select * from t, lateral (select * from u where u.a = t.a order by b limit 1) x left join lateral f(t.a) with ordinality as y (c, d) on true",
    "select a @> b, c #>> '{a,b}', d ->> 'x', e ?| array['a'], f <-> g, h !~~* i, -a, @ b, !! c, a operator(pg_catalog.+) b, |/ 4, a ?& b, j @@ k, a ^@ b from t",
    "create operator === (leftarg = text, rightarg = text, function = f, commutator = ===, restrict = eqsel)",
    "create operator class c default for type int using btree as operator 1 <, operator 2 <=, function 1 btint4cmp(int, int)",
    "create aggregate sum2(int) (sfunc = int4pl, stype = int, initcond = '0')",
    "create aggregate pct(float8 order by anyelement) (sfunc = f, stype = internal, finalfunc = g, hypothetical)",
    "select U&'d\\0061t\\+000061', U&\"d!0061t\" uescape '!', E'a\\'b\\n', B'101', X'1F', N'x', $a$b$a$, $$c$$, 1_000, 0xFF, 0b11, 1e-3",
    "select 'a'\n  'b' as joined",
    "select interval '1' day, interval(3) '1 s', timestamp with time zone '2020-01-01', date '2020-01-01', a at time zone 'UTC', b at local",
    "select percentile_cont(0.5) within group (order by a) filter (where b) over (partition by c order by d range between interval '1 day' preceding and current row exclude ties) from t",
    "select rank() over w from t window w as (partition by a order by b desc nulls last groups between 1 preceding and unbounded following)",
    "with recursive a (n) as (select 1 union all select n + 1 from a) search depth first by n set o cycle n set c using p select * from a",
    "with a as materialized (delete from t returning *), b as not materialized (select 1) insert into u select * from a",
    "select grouping(a, b) from t group by distinct grouping sets ((a), rollup (a, b), cube (b), ()) having count(*) > 1",
    "select distinct on (a) a, b from only t tablesample bernoulli (10) repeatable (1) order by a fetch first 3 rows with ties for no key update of t nowait",
    "select (r).a, (f(1)).*, a[1:2], a[:], array[[1, 2], [3, 4]], row (1, 2) = (3, 4), (1, 2) overlaps (3, 4) from t",
    "select cast(a as numeric(10, 2)), a::text[], a::int array[3], b::\"char\", c::bit varying(3), d::double precision, e::pg_catalog.int4 from t",
    "select extract(epoch from a), position('a' in b), substring(a from 1 for 2), overlay(a placing 'x' from 1), trim(both 'x' from a), normalize(a, nfc), a is not nfkc normalized, xmlelement(name x, xmlattributes(a as b)), a is document, a is json object with unique keys",
    "create index concurrently if not exists i on only t using gin (a jsonb_path_ops, lower(b) collate \"C\" desc nulls last, (c -> 'x')) include (d) nulls not distinct with (fastupdate = off) tablespace s where a is not null",
    "create unique index on t (coalesce(a, ''), cast(b as text), extract(year from c))",
    "create trigger g instead of insert or update of a, b or delete on v referencing new table as n old table as o for each row when (old.* is distinct from new.*) execute function f('x', 1)",
    "create constraint trigger g after insert on t from u deferrable initially deferred for each row execute procedure f()",
    "create event trigger e on ddl_command_end when tag in ('CREATE TABLE') execute function f()",
    "create policy p on t as restrictive for update to public, current_user using (a) with check (b)",
    "alter default privileges for role r in schema s grant select, insert on tables to u with grant option",
    "grant select (a, b), update on t to group g granted by current_user",
    "grant r to u with inherit true, set false, admin option",
    "create domain d as text collate \"C\" default 'x' constraint c check (value ~ '^[a-z]+$') not null",
    "create type c as (a int, b text collate \"C\")",
    "create type r as range (subtype = float8, subtype_diff = f, multirange_type_name = mr)",
    "alter type e add value if not exists 'x' before 'y'",
    "create statistics s (ndistinct, mcv) on a, (b + 1) from t",
    "create publication p for table t (a, b) where (a > 1), tables in schema s with (publish = 'insert')",
    "create materialized view if not exists v with (fillfactor = 70) tablespace s as select 1 with no data",
    "create view v with (security_barrier, security_invoker = true) as select 1 with cascaded check option",
    "create cast (a as b) with function f(a, int) as implicit",
    "create transform for t language l (from sql with function f(internal), to sql with function g(internal))",
    "create foreign table f (a int options (x 'y') not null) server s options (z 'w')",
    "create text search configuration c (copy = pg_catalog.english)",
    "create sequence if not exists s as bigint minvalue -1 no maxvalue start with 1 cache 1 no cycle owned by t.a",
    "create access method m type index handler h",
    "create table n (a national character varying(3), b nchar(2), c setof_t)",
    "create function f() returns setof int language sql as 'select 1'",
    "select numeric(10, 2) '1.5', varchar(3) 'a', time(3) '1:00', a \"day\", b as year",
    "with values as (select 1) select current as of_current from values group by cube",
    "create collation c (provider = icu, locale = 'und', deterministic = false)",
    "alter table if exists only t add column if not exists a int constraint c references u match full on delete set null (a) on update cascade deferrable, alter b type text using b::text, drop column if exists c cascade, validate constraint d, owner to current_user, set (fillfactor = 70), replica identity using index i, enable row level security, force row level security",
    "alter table t alter a set storage external, alter b set compression lz4, alter c set statistics 100, alter d drop expression, alter e add generated always as identity, alter f set default not true",
    "alter table t add a text storage external compression lz4 collate \"C\" default 'x', add column if not exists b text compression default",
    "create temporary table t on commit drop as select 1",
    "create unlogged table t (like u including all excluding indexes, check (a > 0) no inherit)",
    "create table t of ty (primary key (a), b with options default 1)",
    "create table t () inherits (u, v)",
    "create schema s authorization u create table t (a int) create view v as select 1",
    "do language plpgsql $$ begin perform 1; end $$",
    "call p(1, b => 2)",
    "copy t (a, b) from '/x' with (format csv, header match, force_null (a)) where a > 1",
    "explain (analyze, buffers, format json) select 1",
    "security label for x on table t is 'y'",
    "comment on constraint c on domain d is null",
    "comment on function f(int, variadic text[]) is E'a'",
    "reassign owned by a to b",
    "refresh materialized view concurrently v with data",
    "lock table only t, u in access exclusive mode nowait",
    "set local time zone interval '1' hour to minute",
    "set names 'UTF8'",
    "alter system set work_mem = '1MB'",
    "listen x",
    "select all from t",
    "table t",
    "values (1, 'a'), (2, default)",
    "select a user, b as select, c value from t",
    "create table public.user (id int, name text, value int, type text, key int, date date, \"order\" int, year int, zone text)",
    "alter statistics if exists s set statistics 0",
    "alter user mapping for user server s options (a 'b')",
    "select * from {{tables.users}} u join {{schema}}.x on u.a = x.a",
    "",
    "-- nothing",
];

/// Names on servers where these words are no keywords yet.
#[test]
fn newer_keywords_are_names() {
    for statement in [
        "create table t (system_user text, json_value int, merge_action int)",
        "create function json_value(a int) returns int language sql as 'select 1'",
        "select json_value(), json_query(1), json_exists(a) from json_table(1), graph_table(1) where system_user = 'a'",
        "copy t (system_user) from '/x'",
        "create trigger g after insert on t execute function json_arrayagg()",
        "create function json(a json) returns json language sql as 'select 1'",
    ] {
        assert_eq!(check(statement), Ok(()), "{statement}");
    }
    assert!(check("create table t (session_user text)").is_err());
    assert!(
        check("create function normalize(a int) returns int language sql as 'select 1'").is_err()
    );
}

#[test]
fn unusual_statements_are_taken() {
    for statement in UNUSUAL {
        assert_eq!(check(statement), Ok(()), "{statement}");
    }
}

#[test]
fn statements_are_numbered_from_zero() {
    let all = ["select 1", "selct 1", "", "select 2 3"];
    let errors = check_all(all.into_iter());
    let numbers: Vec<usize> = errors.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(check_all(iter::empty()), []);
}

#[test]
fn deep_statements_have_no_verdict() {
    let nested = |depth: usize, wrong: &str| {
        format!("select {}1{} {wrong}", "(".repeat(depth), ")".repeat(depth))
    };
    assert!(check(&nested(400, "1")).is_err());
    for (open, close) in [
        ("(", ")"),
        ("(select ", ")"),
        ("f(", ")"),
        ("array[", "]"),
        ("case when ", " then 1 end"),
        ("not ", ""),
        ("- ", ""),
    ] {
        let statement = format!("select {}1{} 1", open.repeat(20_000), close.repeat(20_000));
        assert_eq!(check(&statement), Ok(()), "{open}");
    }
    let flat = format!("select 1{}", " between 1 and 2".repeat(20_000));
    assert_eq!(check(&flat), Ok(()));
    let wide = format!("insert into t values (1){}", ", ((1), 'a')".repeat(5_000));
    assert_eq!(check(&wide), Ok(()));
}

#[test]
fn long_tokens_are_cut() {
    let error = check("do $$ begin null; end $$ $$ a very long body that goes on\nand on $$");
    assert_eq!(
        error.unwrap_err().message,
        "expected the end of the statement, found `$$ a very long body that goes ...`"
    );
}
