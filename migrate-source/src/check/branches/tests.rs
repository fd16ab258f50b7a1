//! Two branches that began with the same files: each finding is the file with its place, the message and the help.

use super::*;
use crate::check::check;
use crate::tests::{cases, files};

type Files<'f> = [(&'f str, &'f str)];

fn set(all: &Files<'_>) -> Migrations {
    check("m", &files(all), &SetOptions::default()).unwrap().set
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

/// Ends of helps, and the words that stand for them in tables.
const HELPS: [(&str, &str); 3] = [
    ("ALLOW", "or say why not: `-- migrate:allow names because REASON`"),
    ("RESTORE", "restore the file and put the change into a new migration"),
    ("MERGE", "merge first, then make this change to what the other one left"),
];

/// Checks the cases of a table: files of this branch `<>` those of the other, both with [`BASE`], and the findings.
#[track_caller]
fn finds(base: Option<&Files<'_>>, table: &str) {
    for (branches, expected) in cases(table) {
        let (ours, theirs) = branches.split_once("<>").unwrap();
        let [ours, theirs] = [ours, theirs].map(|side| {
            let files = side.split(" // ").filter_map(|file| file.trim().split_once(": "));
            [BASE].into_iter().chain(files).collect::<Vec<_>>()
        });
        let full =
            |text: String| HELPS.iter().fold(text, |text, (word, help)| text.replace(word, help));
        let expected: Vec<String> = expected.into_iter().map(full).collect();
        assert_eq!(found(base, &ours, &theirs), expected, "{branches}");
    }
}

#[test]
fn migrations_that_have_nothing_to_do_with_each_other_can_live_together() {
    finds(
        Some(&[BASE]),
        r"
            <>
            3_o.sql: create table a (id int) <> 2_t.sql: create table b (id int)
            3_o.sql: alter table users add a int <> 2_t.sql: alter table users add b int
            <> 2_t.sql: drop table users
            3_o.sql: select 1 // 2_t.sql: select 2 <> 2_t.sql: select  2 -- the same",
    );
}

#[test]
fn versions_follow_those_of_the_other_branch() {
    finds(
        Some(&[BASE]),
        r"
            2_o.sql: select 1 <> 2_t.sql: select 2 // 3_t.sql: select 3
                => m/2_o.sql: version 2 is also that of `main:2_t.sql` | give it a version after 3, the newest there
            2_o.sql: select 1 // 4_o.sql: select 1 <> 3_t.sql: select 2
                => m/2_o.sql: version 2 is before 3, which `main` has | give it a version after 3: a database that
                    has that one refuses it without `.allow_out_of_order()`",
    );
}

#[test]
fn migrations_that_both_have_are_left_alone() {
    finds(
        Some(&[BASE, ("2_b.sql", "select 2")]),
        r"
            2_b.sql: select 2 <> 2_b.sql: select 2
            2_b.sql: select 2 -- more <> 2_b.sql: select 2
            2_b.sql: select 3 <> 2_b.sql: select 2
                => m/2_b.sql: was edited, and `main` has it as it was | RESTORE
            2_b.sql: select 2 <> 2_b.sql: select 3
                => main:2_b.sql: was edited, and `m` has it as it was | RESTORE
            <> 2_b.sql: select 2
                => main:2_b.sql: was removed from `m` | restore the file, and undo what it does in a new migration",
    );
    finds(
        None,
        r"
            2_b.sql: select 3 <> 2_b.sql: select 2
                => m/2_b.sql: was edited, and `main` has it as it was | RESTORE
            2_c.sql: select 2 <> 2_b.sql: select 2
                => m/2_c.sql: version 2 is also that of `main:2_b.sql` | give it a version after 2, the newest there",
    );
}

#[test]
fn what_neither_branch_has_alone_is_found() {
    finds(
        Some(&[BASE]),
        r"
            3_o.sql: create table x (id int) <> 2_t.sql: create table x (id text)
                => m/3_o.sql:1:14: table `x` already exists | remove one of the two, or drop the first before; ALLOW
            3_o.sql: alter table users add age int <> 2_t.sql: alter table users add age int
                => m/3_o.sql:1:23: column `age` of table `users` already exists | remove one of the two, or drop the
                    first before; ALLOW
            3_o.sql: create index on users (email) <> 2_t.sql: alter table users drop email
                => m/3_o.sql:1:24: column `email` of table `users` does not exist | create it again before, or remove
                    this; ALLOW
            3_o.sql: alter table users rename to people <> 2_t.sql: create view v as select id from users
                => main:2_t.sql:1:33: table `users` does not exist | write `people`; ALLOW
            3_o.sql: drop function f() <> 2_t.sql: drop function f()
                => m/3_o.sql:1:15: function `f` does not exist | create it again before, or remove this; ALLOW
            3_o.sql: -- migrate:allow names because we know\ncreate table x (id int)
                <> 2_t.sql: create table x (id text)",
    );
}

#[test]
fn a_change_that_undoes_another_is_found() {
    finds(
        Some(&[BASE]),
        r"
            3_o.sql: create or replace function f() returns int language sql as 'select 2'
                <> 2_t.sql: create or replace function f() returns int language sql as 'select 3'
                => m/3_o.sql:1:28: the function `public.f` is also changed by `main:2_t.sql`, and only the later
                    change is kept | MERGE
            3_o.sql: alter table users alter email type varchar(80)
                <> 2_t.sql: alter table users alter email type varchar(90)
                => m/3_o.sql:1:25: the column `email` of `public.users` is also changed by `main:2_t.sql`, and only
                    the later change is kept | MERGE
            3_o.sql: alter table users alter email set not null
                <> 2_t.sql: alter table users alter email set default 'x'
            3_o.sql: alter table users alter email set not null
                <> 2_t.sql: alter table users alter email set not null",
    );
}
