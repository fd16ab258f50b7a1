//! The options of a set that grown histories need: each refuses by default and names itself.

use migrate_runtime::{Migrations, Migrator};
use migrate_source::check::{Down, Duplicates, Empty, SetOptions, SourceFile, check};
use migrate_tests::database::{FreshDatabase, value};

const FILES: &[(&str, &str)] = &[
    ("1_a.sql", "CREATE TABLE a (id int);"),
    ("2_c.sql", "ALTER TABLE b ADD c int;"),
    ("2_b.sql", "CREATE TABLE b (id int);"),
    ("3_d.sql", "CREATE TABLE d (id int);"),
];

fn attempt(files: &[(&str, &str)], options: &SetOptions) -> Result<Migrations, String> {
    let file = |&(path, sql): &(&str, &str)| SourceFile::new(path, sql);
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    check("m", &files, options).map(|checked| checked.set).map_err(|errors| errors.to_string())
}

fn by_name() -> SetOptions {
    SetOptions { duplicates: Duplicates::ByName, ..SetOptions::default() }
}

fn versions(set: &Migrations) -> Vec<&str> {
    set.iter().map(|migration| migration.version().as_str()).collect()
}

#[test]
fn equal_versions_are_ordered_by_name_on_request() {
    let error = attempt(FILES, &SetOptions::default()).expect_err("a duplicate");
    assert_eq!(
        error,
        "m/2_c.sql: version 2 is claimed by `2_b.sql` and `2_c.sql`\n\
         help: renumber whichever has not been applied anywhere yet; for an existing history, \
         set `duplicates = by_name`"
    );
    let set = attempt(FILES, &by_name()).expect("a set");
    assert_eq!(versions(&set), ["1", "2_b", "2_c", "3"]);
}

#[test]
fn names_that_begin_with_a_number_order_their_versions() {
    let files =
        &[("1_2_a.sql", "SELECT 1;"), ("1_3_b.sql", "SELECT 2;"), ("1.1_c.sql", "SELECT 3;")];
    assert_eq!(versions(&attempt(files, &by_name()).expect("a set")), ["1.1", "1_2_a", "1_3_b"]);
}

#[test]
fn pairs_with_two_spellings_stay_pairs() {
    let pair = &[("1_jobs.up.sql", "SELECT 1;"), ("1_job.down.sql", "SELECT 2;")];
    for options in [SetOptions::default(), by_name()] {
        let set = attempt(pair, &options).expect("a set");
        assert_eq!(versions(&set), ["1"]);
        assert!(set.iter().all(|migration| migration.down().is_some()));
    }
}

#[test]
fn mistake_inside_a_file_hides_no_equal_version() {
    let files = &[
        ("1_a.sql", "SELECT 1;"),
        ("1_b.sql", "CREATE INDEX CONCURRENTLY i ON t (a);"),
        ("1_c.sql", "SELECT 2;"),
    ];
    let error = attempt(files, &SetOptions::default()).expect_err("mistakes");
    let first: Vec<&str> = error.lines().filter(|line| line.starts_with("m/")).collect();
    let expected = [
        "m/1_b.sql: version 1 is claimed by `1_a.sql` and `1_b.sql`",
        "m/1_b.sql:1:1: CREATE INDEX CONCURRENTLY cannot run in a transaction",
        "m/1_c.sql: version 1 is claimed by `1_a.sql` and `1_c.sql`",
    ];
    assert_eq!(first, expected);
    let files = &[("1_a.up.go", "package x"), ("1_a.down.sql", "SELECT 1;")];
    let error = attempt(files, &SetOptions::default()).expect_err("another language");
    assert_eq!(error.matches("help:").count(), 1, "{error}");
}

#[tokio::test]
async fn version_that_later_gets_a_twin_is_known_again() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let one = attempt(&[FILES[0], FILES[2]], &by_name()).expect("a set");
    assert_eq!(versions(&one), ["1", "2"]);
    Migrator::new(&one).run(&mut client).await.expect("a run");
    let all = attempt(FILES, &by_name()).expect("a set");
    let report = Migrator::new(&all).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let applied: Vec<&str> = report.applied.iter().map(|a| &*a.version).collect();
    assert_eq!(applied, ["2_c", "3"]);
    let ledger = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(value(&client, ledger).await, "1 2 2_c 3");
    assert_eq!(Migrator::new(&all).run(&mut client).await.expect("again").messages, 1);
}

#[test]
fn down_scripts_are_required_or_left_unchecked_on_request() {
    let files =
        &[("1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\nDROP TABLE (a;\n"), ("2_b.sql", "SELECT 2;")];
    let error = attempt(files, &SetOptions::default()).expect_err("a broken down script");
    assert!(error.starts_with("m/1_a.sql:4:12: this parenthesis is never closed"), "{error}");
    let options = SetOptions { down: Down::Unchecked, ..SetOptions::default() };
    let set = attempt(files, &options).expect("a set");
    let down = set.iter().next().and_then(|migration| migration.down()).expect("a down script");
    assert_eq!(down.sql(None).as_deref(), Ok("DROP TABLE (a;\n"));
    let options = SetOptions { down: Down::Required, ..SetOptions::default() };
    let error = attempt(&files[1..], &options).expect_err("no down script");
    assert_eq!(
        error,
        "m/2_b.sql: version 2 has no down script, and this set requires one\n\
         help: mark its statements with `-- UP` and add a `-- DOWN` section, or a `.down.sql` file next to it; \
         if there is nothing to undo, say so there in a comment"
    );
}

#[test]
fn empty_migrations_are_allowed_on_request() {
    let files = &[("1_a.sql", "-- nothing any more\n")];
    let error = attempt(files, &SetOptions::default()).expect_err("empty");
    assert_eq!(
        error,
        "m/1_a.sql: contains no statements\n\
         help: add SQL, or say why there is none: `-- migrate:allow empty because REASON`"
    );
    let options = SetOptions { empty: Empty::Allow, ..SetOptions::default() };
    assert_eq!(attempt(files, &options).expect("a set").len(), 1);
    let files = &[("1_a.sql", "-- migrate:allow empty because it moved to 2\n")];
    assert_eq!(attempt(files, &SetOptions::default()).expect("a set").len(), 1);
}
