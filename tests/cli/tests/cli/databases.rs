//! `database`: what it must not drop, and what prevents it.

use std::path::Path;
use std::process::Command;

use migrate_tests::cargo::program;
use migrate_tests::database::{FreshDatabase, connect, value};
use tempfile::TempDir;

/// The exit code and the output of a verb for the database at `url`.
pub(crate) fn run(folder: &Path, url: &str, args: &[&str]) -> (Option<i32>, String) {
    run_with(folder, url, "", args)
}

/// The same with options of the session.
fn run_with(folder: &Path, url: &str, options: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program("migrate"));
    command.args(args).current_dir(folder).env("DATABASE_URL", url).env("PGOPTIONS", options);
    let output = command.output().expect("a run");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    (output.status.code(), text)
}

/// A folder, and a database next to one that exists; the test drops it.
async fn new_database() -> (TempDir, FreshDatabase, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let other = FreshDatabase::create().await;
    let url = other.url().replace(other.name(), &format!("{}_new", other.name()));
    let (code, text) = run(folder.path(), &url, &["database", "create"]);
    assert_eq!(code, Some(0), "{text}");
    (folder, other, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_is_used_is_dropped_only_on_request() {
    let (folder, _other, url) = new_database().await;
    let user = connect(&url.parse().expect("an address")).await;
    let (code, text) = run(folder.path(), &url, &["database", "drop", "--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("error: cannot drop `"), "{text}");
    let end = "is being accessed by other users (SQLSTATE 55006)\n\
               detail: There is 1 other session using the database.\n\
               help: end these sessions, or pass `--disconnect`\n";
    assert!(text.ends_with(end), "{text}");
    let (code, text) = run(folder.path(), &url, &["database", "drop", "--yes", "--disconnect"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(user.simple_query("SELECT 1").await.is_err(), "the session goes on");
}

/// As a dump with `--create` makes one.
#[tokio::test(flavor = "multi_thread")]
async fn copy_of_a_database_is_not_dropped() {
    let (folder, other, url) = new_database().await;
    let client = other.connect().await;
    let new = format!("{}_new", other.name());
    let comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ";
    let comment = value(&client, &format!("{comment}'{new}'")).await;
    assert!(comment.starts_with("created by `migrate database create` as number "), "{comment}");
    client.batch_execute(&format!("DROP DATABASE {new}")).await.expect("no database");
    client.batch_execute(&format!("CREATE DATABASE {new}")).await.expect("a database");
    let mark = format!("COMMENT ON DATABASE {new} IS '{comment}'");
    client.batch_execute(&mark).await.expect("a comment");
    let (code, text) = run(folder.path(), &url, &["database", "drop", "--yes"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("was not created by `database create`, so it is not dropped"), "{text}");
    let (code, text) = run(folder.path(), &url, &["database", "drop", "--yes", "--drop-foreign"]);
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn role_that_must_not_create_databases_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, client) = FreshDatabase::connected().await;
    let role = database.name();
    client.batch_execute(&format!("CREATE ROLE {role}")).await.expect("a role");
    let url = database.url().replace(role, &format!("{role}_new"));
    let options = format!("-c role={role}");
    let (code, text) = run_with(folder.path(), &url, &options, &["database", "create"]);
    client.batch_execute(&format!("DROP ROLE {role}")).await.expect("no role");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("error: cannot create `"), "{text}");
    let end = "permission denied to create database (SQLSTATE 42501)\n\
               help: use a role that may: its owner, a superuser, or one with CREATEDB to create it\n";
    assert!(text.ends_with(end), "{text}");
}

/// As on a standby.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_read_only_is_named_with_the_way_out() {
    let folder = crate::folder(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let database = FreshDatabase::create().await;
    let new = database.url().replace(database.name(), &format!("{}_new", database.name()));
    let read_only = "-c default_transaction_read_only=on";
    let cases: [(&str, &[&str], &str); 3] = [
        (database.url(), &["diff"], "cannot create a database for `migrate diff`"),
        (database.url(), &["schema"], "cannot create a database for `migrate schema`"),
        (&new, &["database", "create"], "cannot create `"),
    ];
    for (url, args, begin) in cases {
        let (code, text) = run_with(folder.path(), url, read_only, args);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.starts_with(&format!("error: {begin}")), "{text}");
        let end = "cannot execute CREATE DATABASE in a read-only transaction (SQLSTATE 25006)\n\
                   help: connect to the primary, and check that `default_transaction_read_only` is off\n";
        assert!(text.ends_with(end), "{text}");
    }
}
