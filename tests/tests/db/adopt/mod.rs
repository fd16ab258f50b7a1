//! Takes over the tables of other tools.
//! The histories here are written by hand; `tests/peers/src/bin/adoption.rs` uses the real tools.

mod histories;
mod others;
mod refusals;
mod written;

use migrate_runtime::adopt::Adoption;
use migrate_runtime::{Error, Migrations, Migrator, Report};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const A: &str = "CREATE TABLE a (id int);\n";
const B: &str = "-- b's own\nCREATE TABLE b (id int);\n";
const C: &str = "CREATE TABLE c (id int);\n";

const SQLX: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, \
    description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), \
    success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);";

const GOLANG_MIGRATE: &str =
    "CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null);";

/// The entries as `version:verified:applied_at:applied_by:ms`; `me` and `now` are this adoption's.
const ENTRIES: &str = "SELECT string_agg(concat_ws(':', version, \
    CASE WHEN checksum IS NULL THEN 'unverified' ELSE 'verified' END, \
    CASE WHEN applied_at > now() - interval '1 hour' THEN 'now' \
    ELSE to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI') END, \
    CASE WHEN applied_by = session_user THEN 'me' ELSE applied_by END, execution_ms), ' ' \
    ORDER BY position) FROM migration_ledger WHERE kind IN ('versioned', 'repeatable')";

/// `text` as a literal of the server.
fn quoted(text: &str) -> String {
    format!(
        "convert_to(E'{}', 'UTF8')",
        text.replace('\'', "''").replace('\n', "\\n").replace('\r', "\\r")
    )
}

fn sha384(text: &str) -> String {
    format!("sha384({})", quoted(text))
}

fn sqlx_row(version: i64, text: &str, success: bool) -> String {
    let checksum = sha384(text);
    format!(
        "INSERT INTO _sqlx_migrations VALUES ({version}, 'x', '2024-05-0{version} 12:00Z', {success}, \
         {checksum}, 12345678);"
    )
}

fn three(names: [&str; 3]) -> Migrations {
    set(&[(names[0], A), (names[1], B), (names[2], C)])
}

struct Adopted {
    _database: FreshDatabase,
    client: Client,
    report: Report,
}

/// Makes the other tool's history, adopts it twice, then runs what is pending.
async fn adopts(
    set: &Migrations,
    history: &str,
    adoption: impl Into<Adoption>,
    (entries, pending): (&str, usize),
) -> Adopted {
    let (database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("SET timezone = 'Asia/Tokyo'").await.expect("a time zone");
    client.batch_execute(history).await.expect(history);
    let adoption = adoption.into();
    let table = history.split(' ').nth(2).expect("CREATE TABLE and a name").to_owned();
    let rows =
        format!("SELECT string_agg(concat(t.ctid, t.xmin, t), ';' ORDER BY t.ctid) FROM {table} t");
    let before = value(&client, &rows).await;
    let migrator = Migrator::new(set);
    let report = migrator.adopt(&mut client, adoption.clone()).await;
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value(&client, ENTRIES).await, entries);
    assert_eq!(report.amended.len(), entries.split(' ').count());
    assert_eq!(report.messages, 4);
    let again =
        migrator.adopt(&mut client, adoption).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((again.amended.len(), again.notes.len(), again.messages), (0, 0, 2));
    assert!(again.to_string().starts_with("nothing to do; 2 messages"), "{again}");
    assert_eq!(value(&client, ENTRIES).await, entries);
    assert_eq!(value(&client, &rows).await, before);
    let run = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.applied.len(), pending);
    migrator.verify(&client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value(&client, &rows).await, before);
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    Adopted { _database: database, client, report }
}

/// Makes the other tool's history, and returns the error of its adoption, which changed nothing.
async fn refuses(set: &Migrations, history: &str, adoption: impl Into<Adoption>) -> Error {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(history).await.expect(history);
    let error = Migrator::new(set).adopt(&mut client, adoption).await.expect_err("a refusal");
    assert_eq!(value(&client, "SELECT to_regclass('migration_ledger')").await, "NULL");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    error
}

#[tokio::test]
async fn another_tools_history_is_named_where_its_first_migration_is_there() {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(&[SQLX, A, B].concat()).await.expect("a history");
    let migrator = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let migrator = Migrator::new(&migrator);
    let error = migrator.run(&mut client).await.expect_err("already there").to_string();
    let help = "help: `public._sqlx_migrations` has the history of another tool; take it over with `adopt`";
    assert!(error.contains("relation \"a\" already exists") && error.contains(help), "{error}");
    // Another migration fails for a reason of its own.
    client.batch_execute("DROP TABLE a").await.expect("a table less");
    let error = migrator.run(&mut client).await.expect_err("already there").to_string();
    assert!(error.contains("relation \"b\" already exists"), "{error}");
    assert!(!error.contains("_sqlx_migrations"), "{error}");
}
