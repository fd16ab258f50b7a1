//! Two branches that began with the same files: each finding is the file with its place, the message and the help.

use super::*;
use crate::check::{SourceFile, check};

type Files<'f> = [(&'f str, &'f str)];

fn set(files: &Files<'_>) -> Migrations {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    check("m", &files, &SetOptions::default()).unwrap().set
}

fn found(base: Option<&Files<'_>>, ours: &Files<'_>, theirs: &Files<'_>) -> Vec<String> {
    let (base, ours, theirs) = (base.map(set), set(ours), set(theirs));
    let other = Branch {
        name: "main",
        prefix: "main:",
        migrations: theirs.as_slice(),
        base: base.as_ref().map(Migrations::as_slice),
    };
    let Err(errors) = check_branches(&ours, other, &SetOptions::default()) else {
        return Vec::new();
    };
    let line = |error: &SourceError| {
        let position = error.position().map_or_else(String::new, |at| format!(":{at}"));
        format!("{}{position}: {} | {}", error.file(), error.problem(), error.help())
    };
    errors.0.iter().map(line).collect()
}

const BASE: (&str, &str) = (
    "1_a.sql",
    "create table users (id int primary key, email text); create function f() returns int language sql as 'select 1'",
);

/// The findings of branches that each add these files.
#[track_caller]
fn added(ours: &Files<'_>, theirs: &Files<'_>, expected: &[&str]) {
    let (ours, theirs) = ([&[BASE], ours].concat(), [&[BASE], theirs].concat());
    assert_eq!(found(Some(&[BASE]), &ours, &theirs), expected);
}

#[test]
fn migrations_that_have_nothing_to_do_with_each_other_can_live_together() {
    added(&[], &[], &[]);
    added(
        &[("3_o.sql", "create table a (id int)")],
        &[("2_t.sql", "create table b (id int)")],
        &[],
    );
    added(
        &[("3_o.sql", "alter table users add a int")],
        &[("2_t.sql", "alter table users add b int")],
        &[],
    );
    added(&[], &[("2_t.sql", "drop table users")], &[]);
    added(
        &[("3_o.sql", "select 1"), ("2_t.sql", "select 2")],
        &[("2_t.sql", "select  2 -- the same")],
        &[],
    );
}

#[test]
fn versions_follow_those_of_the_other_branch() {
    added(
        &[("2_o.sql", "select 1")],
        &[("2_t.sql", "select 2"), ("3_t.sql", "select 3")],
        &[
            "m/2_o.sql: version 2 is also that of `main:2_t.sql` | give it a version after 3, the newest there",
        ],
    );
    added(
        &[("2_o.sql", "select 1"), ("4_o.sql", "select 1")],
        &[("3_t.sql", "select 2")],
        &[
            "m/2_o.sql: version 2 is before 3, which `main` has | give it a version after 3: a database that has that one \
           refuses it without `.allow_out_of_order()`",
        ],
    );
}

#[test]
fn migrations_that_both_have_are_left_alone() {
    let second = ("2_b.sql", "select 2");
    let base: &Files<'_> = &[BASE, second];
    let edited: &Files<'_> = &[BASE, ("2_b.sql", "select 3")];
    let check = |base, ours, theirs, expected: &[&str]| {
        assert_eq!(found(base, ours, theirs), expected);
    };
    let help = "restore the file and put the change into a new migration";
    check(Some(base), base, base, &[]);
    check(Some(base), &[BASE, ("2_b.sql", "select 2 -- more")], base, &[]);
    check(
        Some(base),
        edited,
        base,
        &[&format!("m/2_b.sql: was edited, and `main` has it as it was | {help}")],
    );
    check(
        Some(base),
        base,
        edited,
        &[&format!("main:2_b.sql: was edited, and `m` has it as it was | {help}")],
    );
    check(
        None,
        edited,
        base,
        &[&format!("m/2_b.sql: was edited, and `main` has it as it was | {help}")],
    );
    check(
        Some(base),
        &[BASE],
        base,
        &[
            "main:2_b.sql: was removed from `m` | restore the file, and undo what it does in a new migration",
        ],
    );
    check(
        None,
        &[BASE, ("2_c.sql", "select 2")],
        base,
        &[
            "m/2_c.sql: version 2 is also that of `main:2_b.sql` | give it a version after 2, the newest there",
        ],
    );
}

#[test]
fn what_neither_branch_has_alone_is_found() {
    let allow = "say why not: `-- migrate:allow names because REASON`";
    let check = |ours: &str, theirs: &str, expected: &[String]| {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        added(&[("3_o.sql", ours)], &[("2_t.sql", theirs)], &expected);
    };
    check(
        "create table x (id int)",
        "create table x (id text)",
        &[format!(
            "m/3_o.sql:1:14: table `x` already exists | remove one of the two, or drop the first before; or {allow}"
        )],
    );
    check(
        "alter table users add age int",
        "alter table users add age int",
        &[format!(
            "m/3_o.sql:1:23: column `age` of table `users` already exists | remove one of the two, or drop the first before; or {allow}"
        )],
    );
    check(
        "create index on users (email)",
        "alter table users drop email",
        &[format!(
            "m/3_o.sql:1:24: column `email` of table `users` does not exist | create it again before, or remove this; or {allow}"
        )],
    );
    check(
        "alter table users rename to people",
        "create view v as select id from users",
        &[format!("main:2_t.sql:1:33: table `users` does not exist | write `people`; or {allow}")],
    );
    check(
        "drop function f()",
        "drop function f()",
        &[format!(
            "m/3_o.sql:1:15: function `f` does not exist | create it again before, or remove this; or {allow}"
        )],
    );
    check(
        "-- migrate:allow names because we know\ncreate table x (id int)",
        "create table x (id text)",
        &[],
    );
}

#[test]
fn a_change_that_undoes_another_is_found() {
    let help = "merge first, then make this change to what the other one left";
    let check = |ours: &str, theirs: &str, expected: &[&str]| {
        let expected: Vec<String> =
            expected.iter().map(|one| format!("m/3_o.sql:{one} | {help}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        added(&[("3_o.sql", ours)], &[("2_t.sql", theirs)], &expected);
    };
    check(
        "create or replace function f() returns int language sql as 'select 2'",
        "create or replace function f() returns int language sql as 'select 3'",
        &[
            "1:28: the function `public.f` is also changed by `main:2_t.sql`, and only the later change is kept",
        ],
    );
    check(
        "alter table users alter email type varchar(80)",
        "alter table users alter email type varchar(90)",
        &[
            "1:25: the column `email` of `public.users` is also changed by `main:2_t.sql`, and only the later change is kept",
        ],
    );
    check(
        "alter table users alter email set not null",
        "alter table users alter email set default 'x'",
        &[],
    );
    check(
        "alter table users alter email set not null",
        "alter table users alter email set not null",
        &[],
    );
}
