//! The parts of a file besides statements: sections, and the syntax of other tools and databases.

use migrate_set::set::Script;
use migrate_source::check::{self, SetOptions, SourceFile};

use super::statements::check;

fn file(text: &str) -> [SourceFile; 1] {
    [SourceFile::new("1_a.sql", text)]
}

/// The file holds these statements in its up section and in its down section.
fn sections(situation: &str, text: &str, up: &[&str], down: &[&str]) {
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        let checked = match check::check("m", &file(&text), &SetOptions::default()) {
            Ok(checked) => checked,
            Err(errors) => panic!("{situation}: {errors}"),
        };
        let migrations: Vec<_> = checked.set.iter().collect();
        assert_eq!(migrations.len(), 1, "{situation}");
        assert_eq!(statements(migrations[0].up()), up, "{situation}, up: {text}");
        let found = migrations[0].down().map(statements).unwrap_or_default();
        assert_eq!(found, down, "{situation}, down: {text}");
    }
}

fn statements(script: &Script) -> Vec<&str> {
    script.statements().map(|(start, end)| &script.text()[start..end]).collect()
}

/// The file is refused, with these mistakes: the first line of each.
fn refused(situation: &str, text: &str, mistakes: &[&str]) {
    let Err(errors) = check::check("m", &file(text), &SetOptions::default()) else {
        panic!("{situation}: accepted: {text}");
    };
    let shown: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    let first: Vec<&str> = shown.iter().filter_map(|error| error.lines().next()).collect();
    assert_eq!(first, mistakes, "{situation}: {text}");
}

/// One line a mistake, but not of thousands: each is shown with its place.
#[test]
fn fifty_mistakes_of_a_file_are_shown_and_the_rest_is_counted() {
    let lines = |count: usize| "rollback; selekt 1;".repeat(count);
    let shown = |text: &str| {
        let errors = check::check("m", &file(text), &SetOptions::default()).unwrap_err();
        errors.0.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(shown(&lines(25)).len(), 50);
    let many = shown(&lines(1000));
    assert_eq!(many.len(), 51);
    assert!(many[49].starts_with("m/1_a.sql:1:467: expected a statement, found `selekt`"));
    assert_eq!(
        many[50],
        "m/1_a.sql:1:476: 1950 more mistakes in this file\nhelp: fix those above first"
    );
    // Up and down, mistakes of sections and words of Go too.
    let both = shown(&format!("-- UP\n{}\n-- DOWN\n{0}", "rollback;".repeat(51)));
    assert_eq!(both.len(), 51);
    assert!(both[50].contains(" 52 more mistakes"), "{}", both[50]);
    let sections = shown(&format!("{}select 1", "-- migrate:upp\n".repeat(51)));
    assert_eq!(sections.len(), 51);
    assert!(sections[50].contains("1 more mistake in this file"), "{}", sections[50]);
    let templates = shown(&format!("do $${}$$", "{{ .a }}".repeat(60)));
    assert_eq!(templates.len(), 51);
}

#[test]
fn sections_of_goose() {
    sections(
        "several a line, comments between",
        "-- +goose Up\ncreate table a (x int); -- 1st\n\n-- one\nselect 2;  -- 2nd\nselect 3; select 4;\n\n\
         -- +goose Down\n-- two\ndrop table a;  -- 1st\n",
        &["create table a (x int)", "select 2", "select 3", "select 4"],
        &["drop table a"],
    );
    sections(
        "one statement a block",
        "-- +goose Up\n-- +goose StatementBegin\ncreate function f() returns int as $$\nbegin\n  -- a;\n  \
         return 1; -- b;\nend;\n$$\nlanguage plpgsql;\n-- +goose StatementEnd\n\n-- +goose Down\n\
         drop function f();\n",
        &[
            "create function f() returns int as $$\nbegin\n  -- a;\n  return 1; -- b;\nend;\n$$\nlanguage plpgsql",
        ],
        &["drop function f()"],
    );
    sections(
        "blocks on both sides, the last without `;`",
        "\n-- +goose Up\n-- +goose StatementBegin\ncreate table a ();\n-- +goose StatementEnd\n\
         -- +goose StatementBegin\ncreate table b ()\n-- +goose StatementEnd\n-- +goose Down\n\
         -- +goose StatementBegin\ndrop table b\n-- +goose StatementEnd\n",
        &["create table a ()", "create table b ()"],
        &["drop table b"],
    );
    sections(
        "several statements a block: goose sends them as one, we split",
        "-- +goose Up\n-- +goose StatementBegin\n\n\n-- 1\n  -- 2\n\ncreate table a ();\ncreate table b ();\n\
         -- 3\n\n-- +goose StatementEnd\ncreate table c ();\n-- +goose Down\n",
        &["create table a ()", "create table b ()", "create table c ()"],
        &[],
    );
    sections(
        "data in the file",
        "-- +goose Up\n-- +goose StatementBegin\ncopy a (x, y) from stdin;\n1\tone\n2\tit's (\n\\.\n-- +goose StatementEnd\n",
        &["copy a (x, y) from stdin;\n1\tone\n2\tit's (\n\\."],
        &[],
    );
    sections(
        "any case, blanks before",
        "    \n-- +goose UP\n-- +goose statementBegin\ncreate table a ();\n-- +goose STATEMENTEND\n\
         -- +goose down\ndrop table a;",
        &["create table a ()"],
        &["drop table a"],
    );
    sections(
        "no down section",
        "-- +goose Up\ninsert into a values ('x\n\ny\n\n-- z\n');\n",
        &["insert into a values ('x\n\ny\n\n-- z\n')"],
        &[],
    );
    sections(
        "markers in a literal and in a body",
        "-- +goose Up\nselect '\n-- +goose Down\n;';\ndo $$ begin\n-- +goose Down\nend $$;\n",
        &["select '\n-- +goose Down\n;'", "do $$ begin\n-- +goose Down\nend $$"],
        &[],
    );
    sections(
        "a comment above the marker",
        "-- one\n\n/* two; */\n-- +goose Up\nselect 1;\n-- +goose Down\n-- nothing\n",
        &["select 1"],
        &[],
    );
    sections(
        "substitution switched off says nothing",
        "-- +goose Up\nselect 1;\n-- +goose ENVSUB OFF\nselect 2;\n",
        &["select 1", "select 2"],
        &[],
    );
    sections(
        "a section whose last statement has no `;`: goose refuses it, it is whole all the same",
        "-- +goose Up\nselect 1;\nselect 2\n-- +goose Down\nselect 3\n",
        &["select 1", "select 2"],
        &["select 3"],
    );
    sections(
        "no marker: goose refuses it, here all of it is up",
        "create table a (x int);\ndrop table a;\n",
        &["create table a (x int)", "drop table a"],
        &[],
    );
}

#[test]
fn sections_that_goose_refuses() {
    refused(
        "a block never closed",
        "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n\n-- +goose Down\nselect 2;\n",
        &["m/1_a.sql:2:1: `StatementBegin` is never closed"],
    );
    refused(
        "an end alone",
        "-- +goose Up\nselect 1;\n-- +goose StatementEnd\n",
        &["m/1_a.sql:3:1: `StatementEnd` closes nothing"],
    );
    refused(
        "two up sections",
        "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n-- +goose Up\nselect 3;\n",
        &["m/1_a.sql:5:1: a second up section begins here"],
    );
    refused(
        "down before up",
        "-- +goose Down\nselect 2;\n-- +goose Up\nselect 1;\n",
        &["m/1_a.sql:3:1: the down section comes before the up section"],
    );
    refused(
        "only down",
        "-- +goose Down\nselect 2;\n",
        &["m/1_a.sql: contains a down section but no up section"],
    );
    refused(
        "a statement above the marker",
        "select 1;\n-- +goose Up\nselect 2;\n",
        &["m/1_a.sql:1:1: a statement comes before the first section"],
    );
    refused(
        "an unknown word",
        "-- +goose Upp\nselect 1;\n",
        &["m/1_a.sql:1:1: unknown directive `+goose Upp`"],
    );
    refused(
        "nothing but a comment",
        "-- +goose Up\n-- one\n",
        &["m/1_a.sql: contains no statements"],
    );
    refused(
        "two empty sections",
        "\n-- one\n-- +goose Up\n\n-- two\n-- +goose Down\n\n",
        &["m/1_a.sql: contains no statements"],
    );
    refused(
        "substitution of the environment",
        "-- +goose ENVSUB ON\n-- +goose Up\nselect 1;\n",
        &["m/1_a.sql:1:1: goose's environment substitution is not possible in an embedded set"],
    );
    refused(
        "`${}` without it",
        "-- +goose Up\ncreate table ${NAME}a (x int);\n",
        &["m/1_a.sql:2:14: `${...}` is a Flyway placeholder"],
    );
    refused(
        "`$` without it",
        "-- +goose Up\ncreate table a ($NAME text);\n",
        &["m/1_a.sql:2:17: expected `)`, found `$NAME`"],
    );
    refused(
        "a statement in two halves",
        "-- +goose Up\nselect 1\nselect 2;\n",
        &["m/1_a.sql:3:8: expected `,`, found `2`"],
    );
}

#[test]
fn delimiters_of_other_tools() {
    check(
        "a comment that names one is a comment",
        "-- atlas:delimiter -- end\ntable a;\n-- end\ntable b",
        &["table a", "table b"],
    );
    check(
        "blank lines are no delimiter",
        "-- atlas:delimiter \\n\\n\ntable a\n\ntable b",
        &["table a\n\ntable b"],
    );
    check(
        "`DELIMITER` is a word",
        "delimiter //\ntable a //\ndelimiter ;\ntable b",
        &["delimiter //\ntable a //\ndelimiter", "table b"],
    );
    refused(
        "blank lines",
        "-- atlas:delimiter \\n\\n\n\ncreate index i on a (x)\n\ncreate index j on a (y)",
        &["m/1_a.sql:5:1: expected `;`, found `create`"],
    );
    refused(
        "three blank lines, a body never closed",
        "-- atlas:delimiter \\n\\n\\n\ncreate extension x;\n\n\ncreate function f() returns text as $$\nbegin return 1; end;\n",
        &["m/1_a.sql:5:37: this dollar-quoted string is never closed"],
    );
    refused(
        "dashes",
        "-- atlas:delimiter \\n---\\n\ncreate index i on a (x)\n---\ncreate index j on a (y)",
        &["m/1_a.sql:4:1: expected `;`, found `create`"],
    );
    refused(
        "`DELIMITER //`",
        "DELIMITER //\ncreate table a (x int) //\nDELIMITER ;\n",
        &["m/1_a.sql:1:1: expected a statement, found `DELIMITER`"],
    );
    refused(
        "`DELIMITER $$`",
        "DELIMITER $$\ncreate table a (x int)$$\nDELIMITER ;\n",
        &["m/1_a.sql:1:1: expected a statement, found `DELIMITER`"],
    );
    refused(
        "`delimiter` with a quote",
        "delimiter 'x\ntable a x\ndelimiter ;\n",
        &["m/1_a.sql:1:11: this string is never closed"],
    );
    refused(
        "`DELIMITER |` in a block",
        "-- +goose Up\n-- +goose StatementBegin\nDELIMITER |\n-- +goose StatementEnd\nselect 1;\n",
        &["m/1_a.sql:3:1: expected a statement, found `DELIMITER`"],
    );
    refused(
        "a meta command of psql",
        "\\set x 1\nselect 1;\n",
        &["m/1_a.sql:1:1: `\\set` is a command of psql, not SQL"],
    );
}

#[test]
fn other_dialects() {
    check("comments that MySQL runs", "/*!80031 alter table a */;\ntable b;", &["table b"]);
    check("`#` is an operator", "# one\ntable a; table b", &["# one\ntable a", "table b"]);
    check("`go` is a word", "table a\ngo\ntable b", &["table a\ngo\ntable b"]);
    check("backticks are operators", "table `a;b`; table c", &["table `a", "b`", "table c"]);
    check(
        "a body that is not quoted is cut",
        "create trigger t after insert on a begin select 1; end; table b",
        &["create trigger t after insert on a begin select 1", "end", "table b"],
    );
    refused(
        "`#` comments",
        "# one\nselect 1;\n",
        &["m/1_a.sql:1:1: expected a statement, found `#`"],
    );
    refused(
        "`#` comments inside",
        "select * from (\n  select x from b # one\n) c;\n",
        &["m/1_a.sql:2:19: expected `)`, found `#`"],
    );
    refused(
        "`GO`",
        "select 1\nGO\nselect 2\nGO\n",
        &["m/1_a.sql:3:1: expected `;`, found `select`"],
    );
    refused(
        "backticks",
        "create table `a` (`x` int);\n",
        &["m/1_a.sql:1:14: expected a name, found a backquote"],
    );
    refused(
        "`ENGINE`",
        "create table a (x int) engine = InnoDB;\n",
        &["m/1_a.sql:1:24: expected the end of the statement, found `engine`"],
    );
    refused(
        "double quotes for strings, with a backslash",
        "insert into a values (\"\\\"\");\n",
        &["m/1_a.sql:1:23: this quoted identifier is never closed"],
    );
    refused(
        "SQLite's trigger",
        "create trigger t after insert on a begin\n  delete from b;\nend;\n",
        &["m/1_a.sql:1:36: expected EXECUTE, found `begin`"],
    );
    refused(
        "MySQL's procedure",
        "create procedure p(in x int)\nbegin\n  declare y int default 0;\n  set y = 1;\nend;\n",
        &["m/1_a.sql:3:3: expected ATOMIC, found `declare`"],
    );
    refused(
        "T-SQL's `BEGIN TRY`",
        "create procedure p as\nbegin try\n  select 1;\nend try\nbegin catch\n  select 2;\nend catch;\n",
        &[
            "m/1_a.sql:1:20: expected a param list, found `as`",
            "m/1_a.sql:4:5: expected the end of the statement, found `try`",
            "m/1_a.sql:7:5: expected the end of the statement, found `catch`",
        ],
    );
    refused(
        "T-SQL's brackets",
        "create table [a] ([x] int);\n",
        &["m/1_a.sql:1:14: expected a name, found `[`"],
    );
}
