//! What the lints find with the schema: each result is the file, the lint and the message.

use super::super::tests::file;
use super::super::{Asked, check};
use crate::lint::Finding;
use crate::objects::{Begins, ObjectProblem};
use crate::tests::cases;

/// Words of the tables, and what they stand for.
const WORDS: &[(&str, &str)] = &[
    ("VIEW", "USERS; create view v as select mail from users"),
    (
        "BODY",
        "USERS; create function f() returns void language plpgsql as \
         $$ begin update users set mail = ''; end $$",
    ),
    ("PARTED", "USERS; create table p (a int not null, b int) partition by range (a)"),
    ("USERS", "create table users (id int primary key, mail varchar(40))"),
    ("POSTS", "create table posts (id int, author int references users)"),
    ("CHECK", "alter table users add constraint c check (mail is not null) not valid"),
    ("NOT-NULL", "alter table users alter mail set not null"),
    ("LOCKED", "writes to the table are blocked while this index is built; it takes a SHARE lock"),
    (
        "REWRITES",
        "rewrites the table while reads and writes are blocked, and can break the running version; it takes an \
         ACCESS EXCLUSIVE lock",
    ),
    (
        "UNINDEXED",
        "2 foreign-key-without-index: references: no index of `posts` begins with `author`, so that a DELETE or \
         UPDATE of a row that this foreign key refers to reads all of `posts`",
    ),
    (
        "ATTACHED",
        "ALTER TABLE ONLY this table ADD the constraint, which is quick; then, for each partition, CREATE UNIQUE INDEX \
         CONCURRENTLY, ADD CONSTRAINT .. USING INDEX, and ALTER INDEX .. ATTACH PARTITION with the names of the \
         constraints",
    ),
    ("JOINS", "attach partition q for values from (1) to (2)"),
    (
        "SCANNED",
        "all rows of this partition are checked against its bounds while reads and writes of it are blocked; it takes \
         an ACCESS EXCLUSIVE lock",
    ),
    ("USED", "the running version may still use this column; it takes an ACCESS EXCLUSIVE lock"),
];

/// Checks the cases of a table: scripts between `//`, which are files `1`, `2` and so on, and all that is found.
#[track_caller]
fn finds(table: &str) {
    shows(table, |finding| &finding.message);
}

/// Checks such cases for this part of each finding.
#[track_caller]
fn shows(table: &str, part: fn(&Finding) -> &str) {
    let full =
        |text: String| WORDS.iter().fold(text, |text, (word, meaning)| text.replace(word, meaning));
    for (scripts, expected) in cases(table) {
        let scripts = full(scripts);
        let expected: Vec<String> = expected.into_iter().map(full).collect();
        let names: Vec<String> = (1..=9).map(|number| number.to_string()).collect();
        let scripts: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(scripts.split(" // ")).collect();
        let files: Vec<_> = scripts.iter().map(file).collect();
        let (ups, begins) = (files.len(), Begins::Inferred);
        let (files, found) = check(files, Asked { ups, begins, lints: true, describes: false });
        let refused =
            |(_, name): &(usize, ObjectProblem)| name.message.ends_with("` depends on it");
        assert!(found.names.iter().all(refused), "{scripts:?}: {:?}", found.names);
        let found = found.lints.into_iter().map(|(number, finding)| {
            let shown = &files[number].text[finding.span.clone().unwrap()];
            format!("{} {}: {shown}: {}", number + 1, finding.lint.as_str(), part(&finding))
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{scripts:?}");
    }
}

#[test]
fn a_table_is_new_only_if_this_migration_made_it() {
    finds(
        r"
        USERS // create index on users (mail)
            => 2 index-not-concurrent: create index on users: LOCKED
        USERS // create table if not exists users (id int); create index on users (mail)
            => 2 index-not-concurrent: create index on users: LOCKED
        create schema s // create table s.t (a int); set local search_path = s; create index on t (a)
        create schema s; create table s.t (a int) // create table t (a int); create index on s.t (a)
            => 2 index-not-concurrent: create index on s.t: LOCKED",
    );
}

#[test]
fn a_type_change_is_reported_if_it_rewrites() {
    finds(
        r"
        USERS // alter table users alter mail type varchar(80)
        USERS // alter table users alter mail type text using mail::text
        USERS // alter table users alter mail type text; alter table users alter mail type varchar
        USERS // create unique index concurrently on users (mail) // alter table users alter mail type varchar(80)
        USERS // create index concurrently i on users (lower(mail)) // alter table users alter mail type varchar(80)
            => 3 column-type-change: alter mail type varchar(80): this type keeps the rows as they are, but index
                `i` (created in 2:1) is built again while reads and writes are blocked; it takes an ACCESS
                EXCLUSIVE lock
        USERS // create index concurrently i on users (id) where id > 1; alter table users alter mail type text
        USERS // create index concurrently i on users (id) where mail <> '' // CHECK
            // alter table users alter mail type text
            => 4 column-type-change: alter mail type text: this type keeps the rows as they are, but index `i`
                (created in 2:1) is built again and constraint `c` (created in 3:1) is checked again while
                reads and writes are blocked; it takes an ACCESS EXCLUSIVE lock
        USERS // CHECK // alter table users drop constraint c // alter table users alter mail type text
        USERS // alter table users alter id type bigint
            => 2 column-type-change: alter id type bigint: the change from int4 to bigint REWRITES
        USERS // alter table users alter mail type text using lower(mail)
            => 2 column-type-change: alter mail type text using lower(mail): a type change can rewrite the table
                while reads and writes are blocked, and can break the running version; it takes an ACCESS
                EXCLUSIVE lock",
    );
}

#[test]
fn a_constraint_that_the_same_statement_drops_is_not_checked_again() {
    finds(
        r"
        USERS // alter table users add constraint c check (mail <> '') not valid // alter table users alter mail type
            varchar(80)
            => 3 column-type-change: alter mail type varchar(80): this type keeps the rows as they are, but constraint
                `c` (created in 2:1) is checked again while reads and writes are blocked; it takes an ACCESS EXCLUSIVE
                lock
        USERS // alter table users add constraint c check (mail <> '') not valid // alter table users alter mail type
            varchar(80), drop constraint c",
    );
}

#[test]
fn set_not_null_knows_a_valid_constraint() {
    finds(
        r"
        USERS // CHECK // alter table users validate constraint c // NOT-NULL
        USERS // CHECK // alter table users validate constraint c // NOT-NULL; alter table users drop constraint c
        USERS // CHECK // alter table users validate constraint c // NOT-NULL, drop constraint c
            => 4 set-not-null: alter mail set not null: all rows are scanned while reads and writes are blocked,
                because the same ALTER TABLE first drops constraint `c`; it takes an ACCESS EXCLUSIVE lock
        USERS // CHECK // alter table users validate constraint c
            // alter table users drop constraint if exists c, alter mail set not null
            => 4 set-not-null: alter mail set not null: all rows are scanned while reads and writes are blocked,
                because the same ALTER TABLE first drops constraint `c`; it takes an ACCESS EXCLUSIVE lock
        USERS // CHECK // NOT-NULL
            => 3 set-not-null: alter mail set not null: constraint `c` is not valid yet, so that all rows are
                scanned while reads and writes are blocked; it takes an ACCESS EXCLUSIVE lock
        USERS // CHECK; alter table users drop constraint c // NOT-NULL
            => 3 set-not-null: alter mail set not null: all rows are scanned while reads and writes are blocked;
                it takes an ACCESS EXCLUSIVE lock",
    );
}

/// `what_helps_on_a_partitioned_table_works_there` does so on a server.
#[test]
fn a_partitioned_table_gets_help_that_works_there() {
    shows(
        r"
        PARTED // create index on p (b)
            => 2 index-not-concurrent: create index on p: build it ON ONLY this table without CONCURRENTLY, which is
                quick, then one CONCURRENTLY on each partition, each followed by ALTER INDEX .. ATTACH PARTITION
        PARTED // alter table p add unique (a), add constraint k primary key (a)
            => 2 unique-without-index: add unique (a): ATTACHED
            => 2 unique-without-index: add constraint k primary key (a): ATTACHED
        PARTED // alter table p add c int unique => 2 unique-without-index: add c int unique: ATTACHED
        PARTED // alter table only p add constraint k unique (a)
        PARTED // alter table p rename to q // alter table q add foreign key (a) references users; create index on q (a)
            => 2 table-renamed: rename to q: leave a view under the old name until no version uses it
            => 3 constraint-not-valid: add foreign key (a) references users: add it to each partition NOT VALID, and
                VALIDATE CONSTRAINT there in a later migration; then add it to this table, which takes over those of
                the partitions without a scan
            => 3 index-not-concurrent: create index on q: build it ON ONLY this table without CONCURRENTLY, which is
                quick, then one CONCURRENTLY on each partition, each followed by ALTER INDEX .. ATTACH PARTITION
        PARTED // alter table p add check (a > 0)
            => 2 constraint-not-valid: add check (a > 0): add it NOT VALID, and VALIDATE CONSTRAINT in a later migration
        USERS // alter table only users add constraint k unique (mail)
            => 2 unique-without-index: add constraint k unique (mail): CREATE UNIQUE INDEX CONCURRENTLY first, then
                ADD CONSTRAINT ... USING INDEX",
        |finding| finding.help,
    );
}

/// `the_lint_reports_what_a_server_goes_through_under_a_lock` puts such statements to a server.
#[test]
fn a_partition_is_scanned_without_a_valid_check() {
    finds(
        r"
        PARTED; create table q (a int not null, b int) // alter table p JOINS
            => 2 constraint-not-valid: JOINS: SCANNED
        PARTED // create table q (a int, b int); alter table p JOINS
        PARTED; create table q (a int, b int) // alter table q add constraint c check (a > 0) not valid // alter table p JOINS
            => 3 constraint-not-valid: JOINS: SCANNED
        PARTED; create table q (a int, b int) // alter table q add constraint c check (a > 0) not valid // alter table q
            validate constraint c // alter table p JOINS
        PARTED; create table q (a int, b int, check (b > 0)) // alter table p JOINS
            => 2 constraint-not-valid: JOINS: SCANNED
        PARTED; create table d partition of p default // create table q partition of p for values from (1) to (2)
            => 2 constraint-not-valid: create table q partition of p: all rows of the default partition `d` are checked
                against the bounds of the new one while reads and writes of it are blocked; it takes an ACCESS
                EXCLUSIVE lock
        PARTED; create table d (a int, b int); alter table p attach partition d default // create table q (a int, b
            int); alter table p JOINS
            => 2 constraint-not-valid: JOINS: all rows of the default partition `d` are checked against the bounds of
                the new one while reads and writes of it are blocked; it takes an ACCESS EXCLUSIVE lock
        PARTED; create table d partition of p default; alter table d add check (a > 9) // create table q partition of p
            for values from (1) to (2)
        PARTED // create table d partition of p default; create table q partition of p for values from (1) to (2)
        PARTED // alter table p set logged, set tablespace x",
    );
}

#[test]
fn a_domain_with_a_constraint_rewrites_the_table() {
    finds(
        r"
        create domain d as int check (value > 0); USERS // alter table users add a d
            => 2 table-rewritten: add a d: the table is rewritten while reads and writes are blocked, because the type
                of this column is a domain with a constraint; it takes an ACCESS EXCLUSIVE lock
        create domain d as int; create domain e as d not null; USERS // alter table users add a d, add b e default 1
            => 2 table-rewritten: add b e default 1: the table is rewritten while reads and writes are blocked, because
                the type of this column is a domain with a constraint; it takes an ACCESS EXCLUSIVE lock
        create domain d as int; alter domain d set not null; create domain e as d; USERS // alter table users add a e
            => 2 table-rewritten: add a e: the table is rewritten while reads and writes are blocked, because the type
                of this column is a domain with a constraint; it takes an ACCESS EXCLUSIVE lock
        create domain d as int not null; alter domain d drop not null; USERS // alter table users add a d
        create domain d as int check (value > 0); USERS // alter table users add a d[]
        create domain d as int; create table users (id int, a d) // alter domain d add check (value > 0)
            => 2 constraint-not-valid: alter domain d add check (value > 0): all rows with a column of this domain are
                checked while writes to their tables are blocked; it takes a SHARE lock",
    );
}

#[test]
fn a_volatile_function_of_the_set_rewrites_the_table() {
    finds(
        r"
        create function f() returns int language plpgsql as 'begin return random(); end'; USERS
            // alter table users add a int default f()
            => 2 volatile-default: add a int default f(): function `f` is VOLATILE, so the table is rewritten while reads
                and writes are blocked; it takes an ACCESS EXCLUSIVE lock
        create sequence s; create function f() returns bigint language sql return nextval('s'); USERS
            // alter table users add a bigint default f()
            => 2 volatile-default: add a bigint default f(): function `f` is VOLATILE, so the table is rewritten while reads
                and writes are blocked; it takes an ACCESS EXCLUSIVE lock
        create function f() returns int stable language plpgsql as 'begin return 1; end'; USERS
            // alter table users add a int default f()
        create function f() returns int language plpgsql as 'begin return 1; end'; USERS // create or replace function
            f() returns int language plpgsql immutable as 'begin return 1; end' // alter table users add a int default f()
        create function f() returns int language plpgsql as 'begin return 1; end'; USERS; create function f(a int)
            returns int language plpgsql stable as 'begin return 1; end' // alter table users add a int default f(1)
        create function f() returns int language sql as 'select 1'; USERS // alter table users add a int default f()
        create function f() returns int language plpgsql as 'begin return 1; end'; USERS // drop function f(); create
            function f() returns int language plpgsql stable as 'begin return 1; end'
            // alter table users add a int default f()
        create function f() returns int language plpgsql as 'begin return 1; end'; create table t (a int); alter table t
            add b int default f()",
    );
}

#[test]
fn an_index_that_this_migration_made_is_built_again_without_a_finding() {
    finds(
        r"
        USERS; create index i on users (mail) // reindex index i
            => 2 index-not-concurrent: reindex index i: writes, and reads that could use the index, are blocked while it
                is built again; it takes a SHARE lock of the table and, of each index, an ACCESS EXCLUSIVE lock
        USERS // create table posts (id int primary key); reindex index posts_pkey; reindex table posts",
    );
}

#[test]
fn a_foreign_key_needs_an_index_at_the_end_of_the_set() {
    finds(
        r"
        USERS // POSTS
            => UNINDEXED
        USERS // POSTS // create index concurrently on posts (id, author)
            => UNINDEXED
        USERS // POSTS // create index concurrently on posts (author, id)
        USERS // POSTS // create index concurrently on posts (author) where author is not null
        USERS // POSTS // create index concurrently on posts (author) where id > 1
            => UNINDEXED
        USERS // create table posts (author int primary key references users)
        USERS // POSTS // do $$ begin execute 'create index on posts (author)'; end $$",
    );
}

#[test]
fn what_is_still_read_is_named() {
    finds(
        r"
        VIEW // alter table users drop mail
            => 2 column-dropped: drop mail: USED
            => 2 still-read: drop mail: view `v` (created in 1:1) reads this column, so that the server refuses
                to drop it
        VIEW // alter table users drop mail cascade
            => 2 column-dropped: drop mail cascade: USED
            => 2 still-read: drop mail cascade: view `v` (created in 1:1) reads this column, and CASCADE drops
                it too
        VIEW // alter table users alter mail type text
            => 2 still-read: alter mail type text: view `v` (created in 1:1) reads this column, so that the
                server refuses another type
        VIEW // drop view v; alter table users drop mail => 2 column-dropped: drop mail: USED
        USERS; create view v as select id from users // alter table users drop mail
            => 2 column-dropped: drop mail: USED
        BODY // alter table users drop mail
            => 2 column-dropped: drop mail: USED
            => 2 still-read: mail: column `mail` of table `users` is dropped here, and a function still names it
                in 1:1, where a call fails
        BODY // alter table users drop mail; create or replace function f() returns void language plpgsql as
            $$ begin update users set id = 1; end $$
            => 2 column-dropped: drop mail: USED",
    );
}

#[test]
fn what_the_check_of_names_also_finds_is_reported_once() {
    use crate::check::{Lints, Objects, SetOptions, SourceError, SourceFile, check};
    #[track_caller]
    fn reports(drop: &str, lints: Lints, objects: Objects, errors: &[&str], warnings: &[&str]) {
        let view = "create table users (id int primary key, mail varchar(40)); \
                    create view v as select mail from users";
        let files = [SourceFile::new("1_a.sql", view), SourceFile::new("2_b.sql", drop)];
        let options = SetOptions { objects, lints, ..SetOptions::default() };
        let (found, warned) = match check("m", &files, &options) {
            Ok(checked) => (Vec::new(), checked.warnings),
            Err(errors) => (errors.0, Vec::new()),
        };
        let shown = |all: &[SourceError]| {
            let messages = all.iter().map(|one| one.problem().to_string());
            messages.filter(|one| one.contains("view")).collect::<Vec<_>>()
        };
        assert_eq!(shown(&found), errors, "{lints:?} {objects:?}");
        assert_eq!(shown(&warned), warnings, "{lints:?} {objects:?}");
    }
    let drop = "alter table users drop mail";
    let name = "column `mail` cannot be dropped: view `v` depends on it";
    let lint =
        "view `v` (created in 1_a.sql:1) reads this column, so that the server refuses to drop it";
    reports(drop, Lints::Warn, Objects::Warn, &[], &[name]);
    reports(drop, Lints::Warn, Objects::Deny, &[name], &[]);
    reports(drop, Lints::Deny, Objects::Warn, &[lint], &[]);
    reports(drop, Lints::Deny, Objects::Deny, &[lint], &[]);
    reports(drop, Lints::Warn, Objects::Off, &[], &[lint]);
    let allowed = &format!("-- migrate:allow names because x\n{drop}");
    reports(allowed, Lints::Warn, Objects::Warn, &[], &[lint]);
    let allowed = &format!("-- migrate:allow still-read because x\n{drop}");
    reports(allowed, Lints::Deny, Objects::Warn, &[], &[]);
    let cascade = "alter table users drop mail cascade";
    let lint = "view `v` (created in 1_a.sql:1) reads this column, and CASCADE drops it too";
    reports(cascade, Lints::Warn, Objects::Warn, &[], &[lint]);
}
