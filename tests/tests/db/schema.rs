//! The schema of a database as a file, and what differs from it.

use std::fs;
use std::path::Path;

use migrate_runtime::schema::SchemaScope;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::schema_files::round_trip;

const WIDE: &str = include_str!("schema/wide.sql");

/// A database with an object of each kind.
async fn wide() -> FreshDatabase {
    let database = FreshDatabase::create().await;
    database.connect().await.batch_execute(WIDE).await.expect("all kinds of objects");
    database
}

fn same_lines(one: &str, other: &str) {
    let differ = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert_eq!(differ, None);
    assert_eq!(one.lines().count(), other.lines().count());
}

#[tokio::test]
async fn schema_of_all_kinds_is_one_text_on_each_server_and_makes_the_same_database() {
    let database = wide().await;
    let result = round_trip(&database, &SchemaScope::new().with_grants()).await;
    let found = result.unwrap_or_else(|refused| panic!("{refused}"));
    let role = value(&database.connect().await, "SELECT quote_ident(current_user)").await;
    let text =
        found.text.replace(&format!(" {role} "), " me ").replace(&format!(" {role}\n"), " me\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/db/schema/wide.schema.sql");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &text).expect("the expected text");
    }
    same_lines(&fs::read_to_string(&file).expect("the expected text"), &text);
    same_lines(&found.text, &found.text_again);
    if let (Some(dump), Some(again)) = (found.dump, found.dump_again) {
        let (before, rest) = dump.split_once("-- Name: english_too;").expect("what is not written");
        let (_, after) = rest.split_once("\n--\n-- ").expect("the next object");
        let before = before.trim_end_matches("\n--\n").trim_end();
        same_lines(&format!("{before}\n\n\n--\n-- {after}"), &again);
    }
}
