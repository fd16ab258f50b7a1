//! A schema, a ledger and a module can have any name that PostgreSQL accepts.

use migrate_runtime::{ErrorKind, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{module, set};
use tokio_postgres::Client;

/// Names that a table, a schema and a module can have.
fn names() -> Vec<String> {
    let plain = [
        "Upper Case",
        "select",
        "user",
        "default",
        "pg_toast_x",
        "o'brien",
        "''",
        "\"",
        "\"\"quoted\"\"",
        "back\\slash",
        "\\'; DROP TABLE victims; --",
        "x\"; DROP TABLE victims; --",
        "x'; DROP TABLE victims; --",
        "x'); DROP TABLE victims; --",
        "$$; DROP TABLE victims; $$",
        "$a$ /* -- ",
        "{{schema}}",
        "{{tables.a}}",
        "%I %s %%",
        "a.b",
        "line\nfeed\ttab",
        "größe",
        "日本語",
        "🦀 e\u{301}",
        " ",
        "*/",
    ];
    let long = ["x".repeat(63), "é".repeat(31), format!("{}\"", "q".repeat(62))];
    plain.iter().map(|&name| name.to_owned()).chain(long).collect()
}

/// Those that a ledger can have: not a schema and a table in one.
fn names_of_tables() -> Vec<String> {
    names().into_iter().filter(|name| !name.contains('.')).collect()
}

/// A database with a table that an injection would drop.
async fn with_victims() -> (FreshDatabase, CountingProxy, Client) {
    let (database, proxy, client) = CountingProxy::connected().await;
    client.batch_execute("CREATE TABLE victims ()").await.expect("victims");
    (database, proxy, client)
}

/// Runs, runs again, inspects, and runs a later migration, in both ways.
async fn used(client: &mut Client, migrator: Migrator<'_>, migrations: usize, name: &str) {
    let result = migrator.run(client).await;
    let report = result.unwrap_or_else(|error| panic!("{name:?}: {error}"));
    assert_eq!(report.applied.len(), migrations, "{name:?}");
    let report = migrator.run(client).await.expect("again");
    assert_eq!((report.applied.len(), report.messages), (0, 1), "{name:?}");
    assert_eq!(migrator.plan(client).await.expect("a plan").steps.len(), 0, "{name:?}");
    assert_eq!(migrator.status(client).await.expect("a status").pending(), 0, "{name:?}");
    migrator.verify(client).await.expect("up to date");
    assert_eq!(value(client, ADVISORY_LOCKS).await, "0", "{name:?}");
    let victims = "SELECT to_regclass('public.victims') IS NOT NULL";
    assert_eq!(value(client, victims).await, "t", "{name:?}");
}

const FILES: &[(&str, &str)] = &[
    ("1_a.sql", "CREATE TABLE {{tables.a}} (id int);\nSELECT '{{tables.a}}'::regclass;"),
    (
        "2_b.sql",
        "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY ON {{tables.a}} (id);\nVACUUM {{tables.a}};",
    ),
    ("3_c.sql", "SET search_path = '';\nCREATE VIEW {{schema}}.v AS SELECT * FROM {{tables.a}};"),
];

/// The names of the objects that a query finds, which must be exactly these.
async fn found(client: &Client, sql: &str, expected: &[&str]) {
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    // No name holds this character.
    let query = format!("SELECT string_agg(n, chr(1) ORDER BY n COLLATE \"C\") FROM ({sql}) f (n)");
    assert_eq!(value(client, &query).await, expected.join("\u{1}"));
}

const SCHEMAS: &str = "SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' \
                       AND nspname <> 'information_schema' OR nspname = 'pg_toast_x'";

#[tokio::test]
async fn schemas_have_any_name() {
    let (_database, _proxy, mut client) = with_victims().await;
    let set = set(FILES);
    let names: Vec<String> = names().into_iter().filter(|name| !name.starts_with("pg_")).collect();
    for name in &names {
        used(&mut client, Migrator::new(&set).schema(name).create_schema(), set.len(), name).await;
    }
    let all: Vec<&str> = names.iter().map(String::as_str).chain(["public"]).collect();
    found(&client, SCHEMAS, &all).await;
    let each = format!(
        "SELECT DISTINCT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c \
         JOIN ({SCHEMAS}) s (n) ON c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = s.n) \
         WHERE relkind IN ('r', 'v') GROUP BY s.n"
    );
    found(&client, &each, &["a migration_ledger v", "victims"]).await;
}

#[tokio::test]
async fn ledgers_have_any_name() {
    let (_database, _proxy, mut client) = with_victims().await;
    let set = set(&[
        ("1_a.sql", "SELECT 1;"),
        ("2_b.sql", "-- migrate:no-transaction\nSELECT 1;\nVACUUM victims;"),
    ]);
    let names = names_of_tables();
    for name in &names {
        used(&mut client, Migrator::new(&set).table(name), set.len(), name).await;
    }
    let all: Vec<&str> = names.iter().map(String::as_str).chain(["victims"]).collect();
    let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    found(&client, tables, &all).await;
}

#[tokio::test]
async fn ledgers_live_in_schemas_of_any_name() {
    let (_database, _proxy, mut client) = with_victims().await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    let names = names_of_tables().into_iter().filter(|name| !name.starts_with("pg_"));
    let names: Vec<String> = names.collect();
    for name in &names {
        let migrator = Migrator::new(&set).ledger_schema(name).table(name).create_schema();
        used(&mut client, migrator, set.len(), name).await;
    }
    let all: Vec<&str> = names.iter().map(String::as_str).chain(["public"]).collect();
    found(&client, SCHEMAS, &all).await;
}

#[tokio::test]
async fn modules_have_any_name() {
    let (_database, _proxy, mut client) = with_victims().await;
    let mut names = names();
    // A module is a value, not an identifier.
    names.push("m".repeat(2000));
    for name in &names {
        let set = module(
            name,
            &[
                ("1_a.sql", "SELECT 1;"),
                ("2_b.sql", "-- migrate:no-transaction\nVACUUM victims;\nSELECT 1;"),
            ],
        );
        used(&mut client, Migrator::new(&set), set.len(), name).await;
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    found(&client, "SELECT DISTINCT module FROM migration_ledger", &all).await;
}

#[tokio::test]
async fn names_are_read_alike_where_backslashes_escape() {
    let (database, proxy, mut client) = with_victims().await;
    client
        .batch_execute("SET standard_conforming_strings = off; SET backslash_quote = on")
        .await
        .expect("old strings");
    let name = "\\'; DROP TABLE victims; -- \"x\\";
    let set = module(name, &[("1_it's \\ x.sql", "CREATE TABLE {{tables.a}} (id int);")]);
    let migrator = Migrator::new(&set).schema(name).table(name).create_schema();
    assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 1);
    proxy.reset();
    assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 0);
    assert_eq!(proxy.round_trips(), 1);
    let plain = database.connect().await;
    let entry = "SELECT module || ' ' || filename FROM \"\\'; DROP TABLE victims; -- \"\"x\\\".\"\\'; DROP TABLE victims; -- \"\"x\\\"";
    assert_eq!(value(&plain, entry).await, format!("{name} 1_it's \\ x.sql"));
    assert_eq!(value(&plain, "SELECT to_regclass('victims') IS NOT NULL").await, "t");
}

#[tokio::test]
async fn foreign_tables_of_odd_names_are_reported() {
    let (_database, _proxy, mut client) = with_victims().await;
    let name = "it's \\ \"odd\"";
    client
        .batch_execute("CREATE TABLE \"it's \\ \"\"odd\"\"\" (id int, x int)")
        .await
        .expect("a table");
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    let error = Migrator::new(&set).table(name).run(&mut client).await.expect_err("foreign");
    assert_eq!(
        error.to_string(),
        "`public.it's \\ \"odd\"` is not a migration ledger: it has the columns id, x\n\
         help: choose another name with `.table(..)` or `.schema(..)`"
    );
}

#[tokio::test]
async fn long_names_are_found_again() {
    let (_database, _proxy, mut client) = with_victims().await;
    let set = set(FILES);
    let (schema, table) = ("s".repeat(63), "é".repeat(31));
    let migrator = Migrator::new(&set).schema(&schema).table(&table).create_schema();
    used(&mut client, migrator, set.len(), &schema).await;
}

#[tokio::test]
async fn other_runs_with_a_lock_of_the_same_name_wait() {
    let (database, _proxy, mut client) = with_victims().await;
    let set = set(&[("1_a.sql", "SELECT pg_sleep(0.5);"), ("2_b.sql", "CREATE TABLE b ();")]);
    let name = "\"; DROP TABLE victims; --";
    let mut other = database.connect().await;
    let migrator = Migrator::new(&set).table(name);
    let (one, two) = tokio::join!(migrator.run(&mut client), migrator.run(&mut other));
    let applied = one.expect("a run").applied.len() + two.expect("a run").applied.len();
    assert_eq!(applied, 2);
}

#[tokio::test]
async fn nul_bytes_are_an_error_and_no_panic() {
    let (_database, _proxy, mut client) = with_victims().await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    let migrator = Migrator::new(&set).table("a\0b");
    let error = migrator.run(&mut client).await.expect_err("a NUL byte");
    assert!(matches!(error.kind(), ErrorKind::BadName { .. }), "{error}");
    assert!(migrator.status(&client).await.is_err());
    // The connection is usable.
    assert_eq!(Migrator::new(&set).run(&mut client).await.expect("a run").applied.len(), 1);
}
