//! What the lints find with the schema: each line is the file, the lint and the message.

use super::super::tests::file;
use super::super::{Set, check};
use crate::objects::{Begins, ObjectProblem};

const USERS: &str = "create table users (id int primary key, mail varchar(40))";

/// The findings in scripts that are files `1`, `2` and so on.
#[track_caller]
fn finds(scripts: &[&str], expected: &[&str]) {
    let names: Vec<String> = (1..=scripts.len()).map(|number| number.to_string()).collect();
    let scripts: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(scripts.iter().copied()).collect();
    let files: Vec<_> = scripts.iter().map(file).collect();
    let set = Set { ups: files.len(), files, begins: Begins::Inferred, lints: true };
    let found = check(&set);
    let refused = |(_, name): &(usize, ObjectProblem)| name.message.ends_with("` depends on it");
    assert!(found.names.iter().all(refused), "{scripts:?}: {:?}", found.names);
    let found = found.lints.into_iter().map(|(number, finding)| {
        let span = finding.span.unwrap();
        let shown = &set.files[number].text[span];
        format!("{} {}: {shown}: {}", number + 1, finding.lint.as_str(), finding.message)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected, "{scripts:?}");
}

#[test]
fn a_table_is_new_only_if_this_migration_made_it() {
    let index = "writes to the table are blocked while this index is built; it takes a SHARE lock";
    finds(
        &[USERS, "create index on users (mail)"],
        &[&format!("2 index-not-concurrent: create index on users: {index}")],
    );
    finds(
        &[USERS, "create table if not exists users (id int); create index on users (mail)"],
        &[&format!("2 index-not-concurrent: create index on users: {index}")],
    );
    finds(
        &[
            "create schema s",
            "create table s.t (a int); set local search_path = s; create index on t (a)",
        ],
        &[],
    );
    finds(
        &[
            "create schema s; create table s.t (a int)",
            "create table t (a int); create index on s.t (a)",
        ],
        &[&format!("2 index-not-concurrent: create index on s.t: {index}")],
    );
}

#[test]
fn a_type_change_is_reported_if_it_rewrites() {
    finds(&[USERS, "alter table users alter mail type varchar(80)"], &[]);
    finds(&[USERS, "alter table users alter mail type text using mail::text"], &[]);
    finds(
        &[
            USERS,
            "alter table users alter mail type text; alter table users alter mail type varchar",
        ],
        &[],
    );
    let rewrites = |from: &str, to: &str| {
        format!(
            "the change from {from} to {to} rewrites the table while reads and writes are blocked, and can break \
             the running version; it takes an ACCESS EXCLUSIVE lock"
        )
    };
    finds(
        &[USERS, "alter table users alter id type bigint"],
        &[&format!("2 column-type-change: alter id type bigint: {}", rewrites("int4", "bigint"))],
    );
    finds(
        &[USERS, "alter table users alter mail type text using lower(mail)"],
        &[
            "2 column-type-change: alter mail type text using lower(mail): a type change can rewrite the table \
           while reads and writes are blocked, and can break the running version; it takes an ACCESS EXCLUSIVE \
           lock",
        ],
    );
}

#[test]
fn set_not_null_knows_a_valid_constraint() {
    let with = |rest: &str| {
        format!("alter table users add constraint c check (mail is not null) not valid{rest}")
    };
    let not_null = "alter table users alter mail set not null";
    finds(&[USERS, &with(""), "alter table users validate constraint c", not_null], &[]);
    finds(
        &[USERS, &with(""), not_null],
        &[
            "3 set-not-null: alter mail set not null: constraint `c` is not valid yet, so that all rows are \
           scanned while reads and writes are blocked; it takes an ACCESS EXCLUSIVE lock",
        ],
    );
    finds(
        &[USERS, &with("; alter table users drop constraint c"), not_null],
        &[
            "3 set-not-null: alter mail set not null: all rows are scanned while reads and writes are blocked; \
           it takes an ACCESS EXCLUSIVE lock",
        ],
    );
}

#[test]
fn a_foreign_key_needs_an_index_at_the_end_of_the_set() {
    let posts = "create table posts (id int, author int references users)";
    let found = "2 foreign-key-without-index: references: no index of `posts` begins with `author`, so that a \
                 DELETE or UPDATE of a row that this foreign key refers to reads all of `posts`";
    finds(&[USERS, posts], &[found]);
    finds(&[USERS, posts, "create index concurrently on posts (id, author)"], &[found]);
    finds(&[USERS, posts, "create index concurrently on posts (author, id)"], &[]);
    finds(
        &[USERS, posts, "create index concurrently on posts (author) where author is not null"],
        &[],
    );
    finds(&[USERS, posts, "create index concurrently on posts (author) where id > 1"], &[found]);
    finds(&[USERS, "create table posts (author int primary key references users)"], &[]);
    finds(&[USERS, posts, "do $$ begin execute 'create index on posts (author)'; end $$"], &[]);
}

#[test]
fn what_is_still_read_is_named() {
    let view = "create view v as select mail from users";
    let dropped = "2 column-dropped: drop mail: the running version may still use this column; it takes an \
                   ACCESS EXCLUSIVE lock";
    finds(
        &[&format!("{USERS}; {view}"), "alter table users drop mail"],
        &[
            dropped,
            "2 still-read: drop mail: view `v` (created in 1:1) reads this column, so that the server refuses \
             to drop it",
        ],
    );
    finds(
        &[&format!("{USERS}; {view}"), "alter table users drop mail cascade"],
        &[
            &dropped.replace("drop mail", "drop mail cascade"),
            "2 still-read: drop mail cascade: view `v` (created in 1:1) reads this column, and CASCADE drops it \
             too",
        ],
    );
    finds(
        &[&format!("{USERS}; {view}"), "alter table users alter mail type text"],
        &[
            "2 still-read: alter mail type text: view `v` (created in 1:1) reads this column, so that the server \
           refuses another type",
        ],
    );
    finds(&[&format!("{USERS}; {view}"), "drop view v; alter table users drop mail"], &[dropped]);
    let ids = "create view v as select id from users";
    finds(&[&format!("{USERS}; {ids}"), "alter table users drop mail"], &[dropped]);
    let function = "create function f() returns void language plpgsql as \
                    $$ begin update users set mail = ''; end $$";
    finds(
        &[&format!("{USERS}; {function}"), "alter table users drop mail"],
        &[
            dropped,
            "2 still-read: mail: column `mail` of table `users` is dropped here, and a function still names it \
             in 1:1, where a call fails",
        ],
    );
    finds(
        &[
            &format!("{USERS}; {function}"),
            "alter table users drop mail; create or replace function f() returns void language plpgsql as \
             $$ begin update users set id = 1; end $$",
        ],
        &[dropped],
    );
}

#[test]
fn what_the_check_of_names_also_finds_is_reported_once() {
    use crate::check::{Lints, Objects, SetOptions, SourceError, SourceFile, check};
    #[track_caller]
    fn reports(drop: &str, lints: Lints, objects: Objects, errors: &[&str], warnings: &[&str]) {
        let script = format!("{USERS}; create view v as select mail from users");
        let file = |path: &str, sql: &str| SourceFile { path: path.to_owned(), bytes: sql.into() };
        let files = [file("1_a.sql", &script), file("2_b.sql", drop)];
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
