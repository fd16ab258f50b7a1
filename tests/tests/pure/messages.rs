//! The exact texts of mistakes and drift that the compile-fail tests (`ui`) do not show.

use std::fs;
use std::path::Path;

use migrate_runtime::ledger::Entry;
use migrate_runtime::set::{Kind, Layout};
use migrate_runtime::source::{Dialects, Down, SetOptions, from_folder};
use migrate_runtime::{DriftReport, Migrations, Version};
use migrate_set::plan::{Policy, Tolerance, plan};
use migrate_set::sql::placeholder::RenderError;
use migrate_source::check::{SourceFile, check};
use migrate_tests::sets::set;

/// The mistakes in these files, in a folder named `m`.
fn mistakes_of(files: &[(&str, &str)], options: &SetOptions) -> String {
    let file = |&(path, text): &(&str, &str)| SourceFile::new(path, text);
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    match check("m", &files, options) {
        Ok(checked) => panic!("{} migrations, and no mistake", checked.set.len()),
        Err(errors) => errors.to_string(),
    }
}

/// Compares it with `expected`, whose lines may be indented.
fn refused(files: &[(&str, &str)], expected: &str) {
    refused_with(files, &SetOptions::default(), expected);
}

fn refused_with(files: &[(&str, &str)], options: &SetOptions, expected: &str) {
    assert_eq!(mistakes_of(files, options), unindented(expected), "{files:?}");
}

/// The lines of a literal without the indentation that all but the first have in common.
fn unindented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let rest = || text.lines().skip(1);
    let common = rest().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
    let cut = rest().map(|line| line.get(common..).unwrap_or_default());
    text.lines().take(1).chain(cut).collect::<Vec<_>>().join("\n")
}

/// A transactional migration with a statement that cannot run in one: its words, and its first word.
fn control(sql: &str, words: &str, word: &str) {
    let marks = "^".repeat(word.len());
    let first = sql.lines().next().unwrap();
    refused(
        &[("1_a.sql", sql)],
        &format!(
            "m/1_a.sql:1:1: {words} in a migration that runs in a transaction\n  |\n\
             1 | {first}\n  | {marks} here\n\
             help: remove it: the migration commits as a whole, with its ledger entry; or write `-- migrate:no-transaction` above the first statement and control transactions yourself"
        ),
    );
}

#[test]
fn transaction_control_of_every_kind() {
    control(
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\n",
        "BEGIN with transaction modes",
        "BEGIN",
    );
    control(
        "START TRANSACTION READ ONLY;\nSELECT 1;\n",
        "START TRANSACTION with transaction modes",
        "START",
    );
    control("COMMIT AND CHAIN;\nSELECT 1;\n", "COMMIT AND CHAIN", "COMMIT");
    control("ABORT WORK;\nSELECT 1;\n", "ABORT", "ABORT");
    refused(
        &[("1_a.sql", "BEGIN; BEGIN; SELECT 1; COMMIT;\n")],
        "m/1_a.sql:1:8: BEGIN inside BEGIN in a migration that runs in a transaction
           |
         1 | BEGIN; BEGIN; SELECT 1; COMMIT;
           |        ^^^^^ here
         help: remove it: the migration commits as a whole, with its ledger entry; or write `-- migrate:no-transaction` above the first statement and control transactions yourself",
    );
}

#[test]
fn what_cannot_run_in_a_transaction_by_its_words() {
    for (sql, words) in [
        ("create index concurrently i on t (a)", "CREATE INDEX CONCURRENTLY"),
        ("create unique index concurrently i on t (a)", "CREATE UNIQUE INDEX CONCURRENTLY"),
        ("drop index concurrently i", "DROP INDEX CONCURRENTLY"),
        ("reindex table concurrently t", "REINDEX CONCURRENTLY"),
        ("reindex schema s", "REINDEX SCHEMA"),
        ("reindex database d", "REINDEX DATABASE"),
        ("reindex system d", "REINDEX SYSTEM"),
        ("vacuum t", "VACUUM"),
        ("cluster", "CLUSTER without a table"),
        (
            "alter table t detach partition p concurrently",
            "ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY",
        ),
        ("create database d", "CREATE DATABASE"),
        ("drop database d", "DROP DATABASE"),
        ("alter database d set tablespace x", "ALTER DATABASE ... SET TABLESPACE"),
        ("create tablespace x location '/x'", "CREATE TABLESPACE"),
        ("drop tablespace x", "DROP TABLESPACE"),
        ("alter system set work_mem = '1MB'", "ALTER SYSTEM"),
        ("create subscription s connection '' publication p", "CREATE SUBSCRIPTION"),
        ("alter subscription s refresh publication", "ALTER SUBSCRIPTION ... REFRESH"),
        ("discard all", "DISCARD ALL"),
        ("commit prepared 'x'", "COMMIT PREPARED"),
        ("rollback prepared 'x'", "ROLLBACK PREPARED"),
        ("do $$ begin rollback; end $$", "DO with COMMIT or ROLLBACK inside"),
    ] {
        let text = mistakes_of(&[("1_a.sql", sql)], &SetOptions::default());
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(first, format!("m/1_a.sql:1:1: {words} cannot run in a transaction"), "{sql}");
    }
}

#[test]
fn what_an_earlier_statement_of_the_set_makes_impossible() {
    let commits = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN COMMIT; END$$;";
    refused(
        &[("1_a.sql", commits), ("2_b.sql", "CALL p();")],
        "m/2_b.sql:1:1: CALL of `p`, which commits, cannot run in a transaction
           |
         1 | CALL p();
           | ^^^^ here
         help: write `-- migrate:no-transaction` above it",
    );
    refused(
        &[(
            "2_b.sql",
            "BEGIN;\nALTER TYPE mood ADD VALUE 'b';\nCOMMIT;\nINSERT INTO t VALUES ('b');",
        )],
        "m/2_b.sql:4:23: 'b' is a new value of an enum, and cannot be used in the transaction that adds it
           |
         4 | INSERT INTO t VALUES ('b');
           |                       ^^^ here
         help: use it in the next migration: a file is one transaction, whatever `BEGIN` and `COMMIT` it has; or write `-- migrate:no-transaction` above the first statement",
    );
    set(&[
        ("1_a.sql", "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN NULL; END$$;"),
        ("2_b.sql", "CALL p();"),
        ("3_c.sql", &commits.replace("PROCEDURE p", "PROCEDURE q")),
        ("4_d.sql", "-- migrate:no-transaction\nCALL q();"),
        ("5_e.sql", "BEGIN;\nALTER TYPE mood ADD VALUE 'b';\nCOMMIT;\nINSERT INTO t VALUES ('c');"),
    ]);
}

#[test]
fn body_without_quotes_is_one_mistake() {
    refused(
        &[("1_a.sql", "CREATE FUNCTION f() RETURNS int BEGIN RETURN 1; END;")],
        "m/1_a.sql:1:39: expected ATOMIC, found `RETURN`
           |
         1 | CREATE FUNCTION f() RETURNS int BEGIN RETURN 1; END;
           |                                       ^^^^^^ here
         help: write the body as a string: `AS $$ BEGIN ... END $$ LANGUAGE plpgsql`",
    );
}

#[test]
fn remarks_that_look_like_markers() {
    let up = "CREATE TABLE a (i int);\n-- Down: by hand only\n-- DROP TABLE a;\n";
    let sections =
        "-- migrate:up\nSELECT 1;\n-- migrate:down\n-- Down: only when needed\nSELECT 2;\n";
    assert_eq!(set(&[("1_a.sql", up), ("2_b.sql", sections)]).len(), 2);
    assert_eq!(set(&[("1_a/migration.sql", &format!("{up}SELECT 1;"))]).len(), 1);
    let text = mistakes_of(&[("1_a.sql", &format!("{up}SELECT 1;"))], &SetOptions::default());
    assert!(text.contains("looks like the beginning of a down section"), "{text}");
}

#[test]
fn one_mistake_in_many_files_is_folded() {
    let names: Vec<String> = (1..=30).map(|n| format!("{n:02}_a.sql")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "VACUUM;\nSELCT 1;")).collect();
    let text = mistakes_of(&files, &SetOptions::default());
    assert_eq!(text.matches("VACUUM cannot run in a transaction").count(), 20);
    assert_eq!(text.matches("m/21_a.sql: the same mistake again, and in 9 more files").count(), 2);
    assert!(!text.contains("m/22_a.sql"), "{text}");
}

#[test]
fn down_scripts_that_are_required_can_say_that_there_is_nothing_to_undo() {
    let required = SetOptions { down: Down::Required, ..SetOptions::default() };
    let refused = |down: &str| {
        let files = [("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", down)];
        let files = if down.is_empty() { &files[..1] } else { &files[..] };
        let text = mistakes_of(files, &required);
        assert!(text.contains("m/1_a.up.sql: version 1 has no down script"), "{text}");
        assert!(text.contains("if there is nothing to undo, say so there in a comment"), "{text}");
    };
    refused("");
    refused("-- The statements that undo it.\n");
    for files in [
        &[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "-- nothing to undo\n")][..],
        &[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "")][..],
        &[("1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n-- nothing to undo\n")][..],
    ] {
        let file = |&(path, text): &(&str, &str)| SourceFile::new(path, text);
        let files: Vec<SourceFile> = files.iter().map(file).collect();
        let set = check("m", &files, &required).unwrap_or_else(|errors| panic!("{errors}")).set;
        assert_eq!(set.iter().filter_map(|one| one.down()).count(), 1);
    }
}

#[test]
fn sections_and_scripts_of_the_other_direction() {
    refused(
        &[("1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n-- DOWN\nSELECT 3;\n")],
        "m/1_a.sql:5:1: a second down section begins here
           |
         5 | -- DOWN
           | ^^^^^^^ here
         help: keep one up and one down section per file; move the rest to another file",
    );
    refused(
        &[("1_a.down.sql", "-- UP\nSELECT 1;\n"), ("1_a.up.sql", "SELECT 1;")],
        "m/1_a.down.sql: contains a section that contradicts its name
         help: remove `.up` or `.down` from the name, or remove the section",
    );
    refused(
        &[("R__v.sql", "SELECT 1;\n"), ("R__v.up.sql", "SELECT 1;\n"), ("V1__a.sql", "SELECT 1;")],
        "m/R__v.up.sql: version R__v is claimed by `R__v.sql` and `R__v.up.sql`
         help: renumber whichever has not been applied anywhere yet; for an existing history, set `duplicates = by_name`",
    );
}

#[test]
fn names_that_match_several_files() {
    refused(
        &[("1_a.mysql.up.sql", ""), ("1_a.sqlite.up.sql", ""), ("1_a.up.sql", "SELECT 1;")],
        "m/1_a.mysql.up.sql: `1_a.mysql.up.sql` is written for mysql, not for postgres; one more file has the same problem
         help: set `dialect = postgres` to use the postgres files and ignore the others, or move the others out of the folder",
    );
    refused(
        &[("2024_a/up.sql", "SELECT 1;"), ("2024_a/grants.sql", "SELECT 1;")],
        "m/2024_a/grants.sql: `2024_a/grants.sql` is not a script that a migration folder can contain
         help: move its SQL into a script that a migration folder can contain: `up.sql` or `down.sql`, or prisma's `migration.sql`",
    );
    refused(
        &[("1_a.sql", "SELECT 1;"), ("sql/b.sql", ""), ("sql/c.sql", "")],
        "m/sql/b.sql: `sql/b.sql` is in a folder that is not a migration
         help: name `m/sql` as the folder, if the migrations are there; otherwise move its 2 scripts out, or up into the migration folder",
    );
    refused(
        &[("release-1/a.sql", "SELECT 1;")],
        "m/release-1/a.sql: `release-1/a.sql` is in a release folder
         help: move the files into the migration folder itself, with versions that keep their order",
    );
    refused(
        &[("20240126120000_a.sql", "SELECT 1;"), ("20240127120000_b.sql", "SELECT 1;"), ("3_c.sql", "")],
        "m/3_c.sql: the set mixes layouts: 2 timestamp (`20240126120000_a.sql`), 1 numeric (`3_c.sql`); `3_c.sql` differs from most
         help: rename the files that differ from most, or set `layout = timestamp`, which accepts both kinds of numbers",
    );
    let mut options = SetOptions::default();
    options.names.layout = Some(Layout::Folders);
    options.names.dialects = Dialects::PostgresOnly;
    refused_with(
        &[("1_a.sql", ""), ("1_b.mysql.sql", ""), ("2_b.sql", ""), ("3_c.sql", "")],
        &options,
        "m/1_a.sql: `1_a.sql` is numeric, but the requested layout is folders; 2 more files have the same problem
         help: rename it to `1_a/up.sql`, or set `layout = numeric`",
    );
}

#[test]
fn several_mistakes_are_listed_one_below_the_other() {
    refused(
        &[("1_a.sql", "COMMIT;"), ("1_b.SQL", ""), ("2_c.sql", "-- nothing\n")],
        "m/1_a.sql:1:1: COMMIT ends a transaction that this file did not begin
           |
         1 | COMMIT;
           | ^^^^^^ here
         help: remove it: the migration runs in a transaction automatically; with `-- migrate:no-transaction`, add BEGIN

         m/1_b.SQL: `1_b.SQL` looks like SQL but does not end in `.sql`
         help: rename it to `1_b.sql`

         m/2_c.sql: contains no statements
         help: add SQL, or say why there is none: `-- migrate:allow empty because REASON`",
    );
}

#[test]
fn a_folder_on_disk_is_refused_in_the_same_words() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("1_a.sql"), "SELECT 1;\nVACUUM;\n").unwrap();
    let errors = from_folder(&folder, &SetOptions::default()).unwrap_err().to_string();
    let shown = format!("{}/", folder.display());
    assert_eq!(
        errors.replace(&shown, "m/"),
        mistakes_of(&[("1_a.sql", "SELECT 1;\nVACUUM;\n")], &SetOptions::default())
    );
}

#[test]
fn placeholders_that_cannot_be_filled() {
    let set = set(&[
        ("1_a.sql", "CREATE SCHEMA {{schema}};\n"),
        ("2_b.sql", "DO $$ BEGIN PERFORM {{schema}}.f(); END $$;\n"),
    ]);
    let scripts: Vec<_> = set.iter().map(migrate_runtime::Migration::up).collect();
    let error = scripts[0].sql(None).unwrap_err();
    assert_eq!(error, RenderError::NoSchema { at: 14 });
    assert_eq!(error.to_string(), "`{{schema}}` needs a schema, and none is set");
    assert_eq!(
        scripts[1].sql(Some("a$b")).unwrap_err().to_string(),
        "the schema name `a$b` would end the dollar quotes around its placeholder"
    );
}

/// The entry of `version` after `set` was applied.
fn entry(set: &Migrations, version: &'static str) -> Entry {
    let version = Version::from_static(version);
    let migration = set.iter().find(|migration| *migration.version() == version);
    let checksum = migration.map(|migration| migration.checksum().to_string());
    Entry {
        name: migration.map_or("x", migrate_set::set::Migration::name).to_owned(),
        filename: format!("{version}_x.sql"),
        applied_at: "2026-01-02T03:04:05Z".to_owned(),
        applied_by: "deploy".to_owned(),
        ..Entry::brief(version, Kind::Versioned, checksum)
    }
}

#[test]
fn role_of_several_words_is_quoted_in_a_disagreement() {
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    let missing = Entry { applied_by: "on call".to_owned(), ..entry(&set, "2") };
    let text = report(&set, vec![entry(&set, "1"), missing]);
    assert!(text.contains("was applied by \"on call\" at 2026-01-02T03:04:05Z"), "{text}");
}

/// What the safe policy reports, which here also refuses a ledger that is ahead.
fn report(set: &Migrations, entries: Vec<Entry>) -> String {
    let strict = Policy { ahead: Tolerance::Refuse, ..Policy::default() };
    let report: DriftReport = plan(set, entries, &strict).unwrap_err();
    report.to_string()
}

#[test]
fn each_disagreement_names_file_and_remedy() {
    let set = set(&[("1_a.sql", "SELECT 1;"), ("3_c.sql", "SELECT 3;")]);
    let check = |change: &dyn Fn(&mut Vec<Entry>), drift: &str, help: &str| {
        let mut entries = vec![entry(&set, "1"), entry(&set, "3")];
        change(&mut entries);
        let expected = format!("ledger and set disagree in 1 place\n{drift}\n  help: {help}");
        assert_eq!(report(&set, entries), expected);
    };
    check(
        &|all| all[0].checksum = Some("00".repeat(32)),
        "version 1: `migrations/1_a.sql` was edited after deploy applied it at 2026-01-02T03:04:05Z (applied 0000000000000000000000000000000000000000000000000000000000000000, the set has b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd)",
        "restore the file and put the change into a new migration, or use `.allow_edited()`",
    );
    check(
        &|all| all[1].checksum_algorithm = "md5".into(),
        "version 3: the checksum of `migrations/3_c.sql` in the ledger was made with `md5`, which this binary does not know",
        "run a binary at least as new as the one that applied it",
    );
    check(
        &|all| all.push(entry(&set, "2")),
        "version 2: `2_x.sql` was applied by deploy at 2026-01-02T03:04:05Z and is missing from the set",
        "restore the file, or use `.allow_missing()`",
    );
    check(
        &|all| drop(all.remove(0)),
        "version 1: `migrations/1_a.sql` is pending and sorts before version 3, which was applied",
        "give it a version above the newest applied one, or use `.allow_out_of_order()`",
    );
    check(
        &|all| all.push(entry(&set, "4")),
        "version 4: `4_x.sql` was applied by deploy at 2026-01-02T03:04:05Z and is newer than this set",
        "deploy a binary that includes it, or remove `.refuse_ahead()`",
    );
}

#[test]
fn all_disagreements_are_reported_at_once() {
    let set = set(&[("1_a.sql", "SELECT 1;"), ("3_c.sql", "SELECT 3;"), ("5_e.sql", "SELECT 5;")]);
    let mut unknown = entry(&set, "5");
    unknown.checksum_algorithm = "crc32".into();
    let mut edited = entry(&set, "3");
    edited.checksum = Some("ff".repeat(32));
    let entries = vec![entry(&set, "6"), edited, unknown, entry(&set, "2")];
    assert_eq!(
        report(&set, entries),
        unindented("ledger and set disagree in 5 places
         version 1: `migrations/1_a.sql` is pending and sorts before version 6, which was applied
           help: give it a version above the newest applied one, or use `.allow_out_of_order()`
         version 3: `migrations/3_c.sql` was edited after deploy applied it at 2026-01-02T03:04:05Z (applied ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff, the set has fa4a71571fc2071c8ba7b9fa042ad3267b4f134515497aecc339df06ffd3725d)
           help: restore the file and put the change into a new migration, or use `.allow_edited()`
         version 5: the checksum of `migrations/5_e.sql` in the ledger was made with `crc32`, which this binary does not know
           help: run a binary at least as new as the one that applied it
         version 2: `2_x.sql` was applied by deploy at 2026-01-02T03:04:05Z and is missing from the set
           help: restore the file, or use `.allow_missing()`
         version 6: `6_x.sql` was applied by deploy at 2026-01-02T03:04:05Z and is newer than this set
           help: deploy a binary that includes it, or remove `.refuse_ahead()`"),
    );
}
