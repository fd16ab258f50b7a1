//! Names that are longer than an identifier, empty, or have backslashes.

use std::time::Duration;

use migrate_runtime::set::Layout;
use migrate_runtime::{Migrations, Migrator};
use migrate_source::check::{SetOptions, SourceFile, check};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;

#[tokio::test]
async fn names_in_strings_end_no_string_where_backslashes_escape() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let sql =
        "CREATE TABLE victims (); SET standard_conforming_strings = off; SET backslash_quote = on";
    client.batch_execute(sql).await.expect("old strings");
    let set =
        set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id int);\nSELECT '{{tables.a}}'::text;")]);
    let migrator = Migrator::new(&set).schema("\\'; DROP TABLE victims; --").create_schema();
    // Whether it is refused or applied, no part of a name is a statement.
    let _ = migrator.run(&mut client).await;
    assert_eq!(value(&client, "SELECT to_regclass('public.victims') IS NOT NULL").await, "t");
}

/// Two names that are equal to PostgreSQL, which truncates them to 63 bytes.
fn alike() -> [String; 2] {
    let one = "x".repeat(63);
    let other = format!("{one}y");
    [one, other]
}

fn slow() -> Migrations {
    set(&[("1_a.sql", "SELECT pg_sleep(0.3);"), ("2_b.sql", "CREATE TABLE b ();")])
}

#[tokio::test]
async fn ledgers_that_are_one_table_have_one_lock() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let look = "CREATE TABLE IF NOT EXISTS held (key text); \
                INSERT INTO held SELECT classid || ' ' || objid FROM pg_locks \
                WHERE locktype = 'advisory' AND pid = pg_backend_pid();";
    let [one, other] = alike();
    let first = set(&[("1_a.sql", look)]);
    Migrator::new(&first).table(one).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let both = set(&[("1_a.sql", look), ("2_b.sql", look)]);
    let migrator = Migrator::new(&both).table(other);
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1, "the same ledger");
    assert_eq!(value(&client, "SELECT count(*) FROM held").await, "2");
    assert_eq!(value(&client, "SELECT count(DISTINCT key) FROM held").await, "1");
}

#[tokio::test]
async fn runs_of_one_ledger_under_two_names_apply_once() {
    let database = FreshDatabase::create().await;
    let (mut client, mut second) = (database.connect().await, database.connect().await);
    let set = slow();
    let [one, other] = alike();
    let (one, other) = (Migrator::new(&set).table(one), Migrator::new(&set).table(other));
    let (one, other) = tokio::join!(one.run(&mut client), other.run(&mut second));
    let (one, other) =
        (one.unwrap_or_else(|e| panic!("{e}")), other.unwrap_or_else(|e| panic!("{e}")));
    assert_eq!(one.applied.len() + other.applied.len(), 2);
}

#[tokio::test]
async fn empty_names_are_reported_with_what_to_do() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let set = slow();
    for (what, migrator) in [
        ("`.schema(..)`", Migrator::new(&set).schema("").create_schema()),
        ("`.ledger_schema(..)`", Migrator::new(&set).ledger_schema("")),
        ("`.table(..)`", Migrator::new(&set).table("")),
    ] {
        let error = migrator.run(&mut client).await.expect_err("an empty name").to_string();
        assert!(error.contains("\nhelp: ") && error.contains(what), "{error}");
    }
}

#[tokio::test]
async fn nul_bytes_are_reported_with_what_to_do() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let set = slow();
    let error = Migrator::new(&set).table("a\0b").run(&mut client).await.expect_err("a NUL byte");
    let text = error.to_string();
    assert!(text.contains("\nhelp: ") && !text.contains('\0'), "{text:?}");
}

#[tokio::test]
async fn modules_without_a_name_are_refused_or_work() {
    // The macro refuses them; the lock row has the empty module.
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let options = SetOptions { module: String::new(), ..SetOptions::default() };
    let file = |path: &str| SourceFile { path: path.to_owned(), bytes: b"SELECT 1;".to_vec() };
    let Ok(one) = check("m", &[file("1_a.sql")], &options) else { return };
    Migrator::new(&one.set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let two = check("m", &[file("1_a.sql"), file("2_b.sql")], &options).expect("a set").set;
    let migrator = Migrator::new(&two).wait_timeout(Duration::from_secs(1));
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1, "{report:?}");
}

#[tokio::test]
async fn entries_of_a_module_without_a_name_are_no_lock() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let mut options = SetOptions { module: String::new(), ..SetOptions::default() };
    options.names.layout = Some(Layout::Any);
    let file = |path: &str| SourceFile { path: path.to_owned(), bytes: b"SELECT 1;".to_vec() };
    let Ok(one) = check("m", &[file("lock.sql")], &options) else { return };
    Migrator::new(&one.set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let two = check("m", &[file("lock.sql"), file("next.sql")], &options).expect("a set").set;
    Migrator::new(&two).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "2");
}
