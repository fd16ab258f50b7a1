//! Whether the checks of a set compare each column of the server's catalogs, or have a reason not to.

use std::collections::{BTreeMap, BTreeSet};

use migrate_tests::database::FreshDatabase;

const LISTED: &str = include_str!("catalog_columns.txt");
const QUERY: &str = include_str!("../../../migrate-testing/src/catalog.sql");

/// How each column of each catalog is compared, as `catalog_columns.txt` has it.
fn listed() -> BTreeMap<(&'static str, &'static str), &'static str> {
    let mut columns = BTreeMap::new();
    let mut catalog = "";
    for line in LISTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(line) = line.strip_prefix("  ") else {
            catalog = line;
            continue;
        };
        let (how, names) = line.rsplit_once(": ").expect("how: columns");
        for name in names.split(' ') {
            let before = columns.insert((catalog, name), how);
            assert_eq!(before, None, "{catalog}.{name} is listed twice");
        }
    }
    columns
}

/// The words of the query, without its comments.
fn words() -> BTreeSet<&'static str> {
    let code = QUERY.lines().map(|line| line.split("--").next().unwrap_or(line));
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).collect()
}

#[tokio::test]
async fn each_column_of_this_server_is_compared_or_has_a_reason_not_to_be() {
    let database = FreshDatabase::create().await;
    let sql = "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
               WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND a.attnum > 0";
    let found = database.connect().await.query(sql, &[]).await.expect("columns");
    let names = found.iter().map(|row| (row.get::<_, &str>(0), row.get::<_, &str>(1)));
    assert!(found.len() > 500, "{}", found.len());
    let listed = listed();
    let new: Vec<(&str, &str)> = names.filter(|name| !listed.contains_key(name)).collect();
    assert!(new.is_empty(), "compare them in catalog.sql, or list why not: {new:?}");
}

#[test]
fn what_is_listed_as_compared_is_in_the_query() {
    let (listed, words) = (listed(), words());
    assert!(listed.len() > 600, "{}", listed.len());
    for ((catalog, name), how) in listed {
        let word = match how.split_once(' ') {
            _ if how == "read" => name,
            // A row of a catalog has all its columns.
            _ if how == "row" => catalog,
            Some(("by", function)) => function,
            Some(("not:", reason)) if !reason.is_empty() => continue,
            _ => panic!("{catalog}.{name}: {how}"),
        };
        assert!(words.contains(word), "{catalog}.{name}: the query has no `{word}`");
    }
}
