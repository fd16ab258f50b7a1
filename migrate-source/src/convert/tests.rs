//! What becomes of the folders of tools whose ledgers no other test has, and of what a folder can have besides.

use super::*;
use crate::tests::{cases, files};

/// Checks the cases of a table: the tool or nothing, then files `path = text` between `&&`, those beside the
/// folder after a `+`; and each new file with its text on one line, then what was left, or why there is no folder.
#[track_caller]
fn becomes(table: &str) {
    for (folder, expected) in cases(table) {
        let (tool, all) = folder.split_once(':').unwrap();
        let all = all.split(" && ").filter_map(|file| file.trim().split_once(" ="));
        let all = all.map(|(path, text)| (path, text.trim_start_matches(' ')));
        let (beside, own): (Vec<_>, Vec<_>) = all.partition(|(path, _)| path.starts_with('+'));
        let beside: Vec<_> = beside.iter().map(|(path, text)| (&path[1..], *text)).collect();
        let source = Source { shown: "m", files: &files(&own), beside: &files(&beside) };
        let named = Some(tool).filter(|tool| !tool.is_empty());
        let found = match convert(&source, named, &[("who".to_owned(), "al".to_owned())]) {
            Ok(Converted { files, left, .. }) => {
                let line = |file: &NewFile| {
                    format!("{}: {}", file.path, file.text.trim_end().replace('\n', " | "))
                };
                files.iter().map(line).chain(left.iter().map(ToString::to_string)).collect()
            }
            Err(troubles) => troubles.0.iter().map(ToString::to_string).collect::<Vec<_>>(),
        };
        assert_eq!(found, expected, "{folder}");
    }
}

#[test]
fn times_and_folders_of_umzug_become_names() {
    becomes(
        r"
        : 2024.01.02T03.04.05.users.sql = CREATE TABLE users (); && 2024.01.03T00.00.00.sql = SELECT 1;
            && down/2024.01.02T03.04.05.users.sql = DROP TABLE users;
            => 20240102030405_users.sql: -- UP | CREATE TABLE users (); |  | -- DOWN | DROP TABLE users;
            => 20240103000000.sql: SELECT 1;",
    );
}

#[test]
fn other_markers_become_sections() {
    becomes(
        r"
        : 001_a.sql = -- a licence\nCREATE TABLE a ();\n---- create above / drop below ----\nDROP TABLE a;\n
            => 001_a.sql: -- UP | -- a licence | CREATE TABLE a (); |  | -- DOWN | DROP TABLE a;
        : 001_a.sql = -- rambler up\nCREATE TABLE a ();\n-- rambler down\nDROP TABLE a;\n
            => 001_a.sql: -- UP | CREATE TABLE a (); |  | -- DOWN | DROP TABLE a;
        : 001_a.sql = -- +micrate Up\nCREATE TABLE a ();\n-- +micrate Down\nDROP TABLE a;\n
            => 001_a.sql: -- UP | CREATE TABLE a (); |  | -- DOWN | DROP TABLE a;
        : 001_a.sql = -- // a\nCREATE TABLE a ();\n-- //@UNDO\nDROP TABLE a;\n
            => 001_a.sql: -- UP | -- // a | CREATE TABLE a (); |  | -- DOWN | DROP TABLE a;",
    );
}

#[test]
fn both_kinds_of_refinery_are_migrations() {
    becomes(
        r"
        refinery: U3__c.sql = SELECT 3; && V1__a.sql = -- down\nSELECT 1; && V2__b.rs =
            => 1_a.sql: -- comment: down | SELECT 1;
            => 3_c.sql: SELECT 3;
            => m/V2__b.rs: `V2__b.rs` is a migration in a language other than SQL\nhelp: rewrite it as SQL and move
                the `.rs` file out of the folder; what needs code belongs in the service",
    );
}

#[test]
fn journal_without_numbers_numbers_the_files() {
    becomes(
        r#"
        : a_a.sql = SELECT 1;--> statement-breakpoint\nSELECT 2; && b_b.sql = SELECT 3; && c.sql = SELECT 4;
            && +meta/_journal.json = {"entries": [{"tag": "b_b"}, {"tag": "a_a"}]}
            => 0001_b_b.sql: SELECT 3;
            => 0002_a_a.sql: SELECT 1;--> statement-breakpoint | SELECT 2;
            => m/c.sql: is not in drizzle's journal, so it never ran\nhelp: make it a new migration, or remove it
        drizzle: a_a.sql = SELECT 1;--> statement-breakpoint\nSELECT 2; && b_b.sql = SELECT 3; && c.sql = SELECT 4;
            => m: has no `meta/_journal.json`, which has the order\nhelp: restore it"#,
    );
}

#[test]
fn value_replaces_a_variable_in_a_body() {
    becomes(
        r"
        : committed/000001-a.sql = --! Previous: -\n--! Hash: sha1:ab\n\n--! no-transaction\nDO $$ BEGIN RAISE NOTICE
            ':who'; END $$; && current.sql = SELECT 1;
            => 000001_a.sql: -- migrate:no-transaction | DO $$ BEGIN RAISE NOTICE 'al'; END $$;
            => m/current.sql: is not committed, so it is not a migration yet\nhelp: commit it and convert again, or
                move its statements to a new migration",
    );
}

#[test]
fn change_that_was_reworked_is_two_migrations() {
    becomes(
        r"
        : deploy/never.sql = SELECT 1; && deploy/scale_down.sql = -- only a remark && deploy/users.sql = SELECT 2;
            && deploy/users@v1.sql = SELECT 1; && revert/users.sql = SELECT 1;
            && +sqitch.plan = %project=app\nusers 2024 A <a@b>\n@v1 2024 A <a@b>\nusers [users@v1] 2024 A
            <a@b>\nscale_down 2024 A <a@b>\n
            => 0001_users.sql: SELECT 1;
            => 0002_users.sql: -- UP | SELECT 2; |  | -- DOWN | SELECT 1;
            => 0003_scale_down_change.sql: -- migrate:allow empty because `deploy/scale_down.sql` has no statements
                | -- only a remark
            => m/deploy/never.sql: is not in the plan, so it never ran\nhelp: make it a new migration, or remove it",
    );
}

#[test]
fn folder_of_several_tools_is_refused() {
    becomes(
        r"
        : V1__a.sql = SELECT 1;
            => m: can be a folder of flyway, refinery, pyway, pgmigrate, chronis\nhelp: name the tool with `--from`
        dbmate:
            => m: contains no migrations of dbmate\nhelp: name another folder",
    );
    becomes(
        "  : 1_a.sql = \u{feff}-- +goose Up\\n-- +goose ENVSUB ON\\nGRANT a TO ${who};\n    \
             => 1_a.sql: -- comment: +goose ENVSUB ON | GRANT a TO al;",
    );
}
