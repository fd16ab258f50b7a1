//! The server of `DATABASE_URL`: tests create and drop their own databases and roles there, and do not
//! change the database that it names.

use std::env;
use std::process::Command;

use migrate_testing::Server;
use migrate_tests::database::{connect, value};

/// Tests that create databases, a role that logs in, and one that owns tables.
const SOME: [&str; 3] = [
    "run::",
    "hooks::role_of_a_hook_owns_what_the_migration_makes_and_ends_with_it",
    "privileges::owning_a_schema_is_enough",
];

#[tokio::test]
async fn named_database_is_not_changed_and_nothing_is_left_next_to_it() {
    // A server of its own, on which no other test creates anything.
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let postgres = connect(&server.url_for("postgres").parse().expect("an address")).await;
    postgres.batch_execute("CREATE DATABASE named").await.expect("a database");
    let named = connect(&server.url_for("named").parse().expect("an address")).await;
    let objects = "SELECT concat_ws(' ', (SELECT count(*) FROM pg_class), \
                   (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_namespace), \
                   (SELECT count(*) FROM pg_type))";
    let before = value(&named, objects).await;

    let mut tests = Command::new(env::current_exe().expect("this test"));
    tests.args(SOME).env("DATABASE_URL", server.url_for("named"));
    let output = tests.output().expect("some tests");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(SOME.iter().all(|name| printed.contains(name)), "{printed}");

    assert_eq!(value(&named, objects).await, before);
    let databases = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database";
    assert_eq!(value(&postgres, databases).await, "named postgres template0 template1");
    let roles = "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname !~ '^pg_'";
    assert_eq!(value(&postgres, roles).await, "postgres");
}
