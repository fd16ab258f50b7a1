//! All SQL of the library names operators, types, functions and relations by their schema, so that nothing that
//! others have created is used instead, whatever the `search_path` is.

mod unqualified;

use std::env;
use std::process::Command;

use migrate_testing::{Server, TestDatabase, check_idempotent, check_reversible};
use migrate_tests::database::{connect, value};
use migrate_tests::sets::set;

pub use unqualified::{literals, unqualified};

const SHADOWS: &str = include_str!("shadows.sql");

/// What the server logs where an expression of this process found a shadow.
const CAPTURES: [&str; 6] = [
    "permission denied for function",
    "permission denied for view",
    "operator is not unique",
    "function is not unique",
    "is not an aggregate function",
    "is not a window function",
];

/// Every situation of the snapshots, and checks of a set, as a role that finds shadows.
const TESTS: [&str; 2] = ["snapshots::", "shadows::set_is_checked"];

#[tokio::test]
async fn no_sql_of_the_library_uses_a_shadow() {
    // Its own, because of what its template0 contains.
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let log_in = async |database: &str, user: &str| {
        let mut config: tokio_postgres::Config =
            server.url_for(database).parse().expect("an address");
        config.user(user);
        connect(&config).await
    };
    let postgres = log_in("postgres", "postgres").await;
    postgres
        .batch_execute(
            "CREATE ROLE migrator LOGIN CREATEDB CREATEROLE; \
             ALTER ROLE migrator SET search_path = public, before, pg_catalog, after; \
             ALTER DATABASE template0 WITH ALLOW_CONNECTIONS true",
        )
        .await
        .expect("a role");
    let template = log_in("template0", "postgres").await;
    template.batch_execute(SHADOWS).await.expect("shadows");
    template.batch_execute("ALTER SCHEMA public OWNER TO migrator").await.expect("an owner");
    drop(template);
    let sql = "ALTER DATABASE template0 WITH ALLOW_CONNECTIONS false";
    postgres.batch_execute(sql).await.expect("a template");
    let sql = "CREATE DATABASE named TEMPLATE template0 OWNER migrator";
    postgres.batch_execute(sql).await.expect("a database");

    let migrator = log_in("named", "migrator").await;
    for sql in [
        "SELECT 1 OPERATOR(pg_catalog.=) 1 WHERE 1 = 1",
        "SELECT pg_catalog.now() - now()",
        "SELECT 1::int8 FROM pg_catalog.pg_class c WHERE c.relkind IN ('r')",
        "SELECT ''::text",
        "SELECT FROM pg_class",
    ] {
        let error = migrator.batch_execute(sql).await.expect_err("a shadow");
        let message = error.as_db_error().expect("an error of the server").message();
        assert!(CAPTURES.iter().any(|capture| message.starts_with(capture)), "{sql}: {message}");
    }
    let log = "SELECT pg_read_file(current_setting('data_directory') || '/../log')";
    let before = value(&postgres, log).await.len();

    let url = server.url_for("named").replacen("postgres@", "migrator@", 1);
    let mut tests = Command::new(env::current_exe().expect("this test"));
    let output = tests.args(TESTS).env("DATABASE_URL", url).output().expect("some tests");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let log = value(&postgres, log).await;
    let is_capture = |line: &&str| CAPTURES.iter().any(|capture| line.contains(capture));
    let captures: Vec<&str> = log[before..].lines().filter(is_capture).collect();
    assert_eq!(captures, [""; 0], "{stdout}");
    assert!(output.status.success(), "{stdout}");
    assert!(TESTS.iter().all(|name| stdout.contains(name)), "{stdout}");
}

/// Its own SQL names everything by its schema, for [`no_sql_of_the_library_uses_a_shadow`].
#[test]
fn set_is_checked() {
    let set = set(&[(
        "1_t.sql",
        "-- UP\nCREATE TABLE t (a int);\nCREATE INDEX t_a ON t (a);\n-- DOWN\nDROP TABLE t;",
    )]);
    TestDatabase::new(&set).unwrap_or_else(|error| panic!("{error}"));
    check_reversible(&set).unwrap_or_else(|error| panic!("{error}"));
    check_idempotent(&set).unwrap_or_else(|error| panic!("{error}"));
}
