//! Migrations that change the same objects of the catalog at the same time: they are tried again.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Event, Migrator};
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

/// Returns when another session of the database waits for a lock.
async fn is_waited_for(client: &Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database()";
    while value(client, waiting).await == "0" {
        tokio::task::yield_now().await;
    }
}

/// Runs `sql` as a migration while another session has run `other` and not committed; returns the errors at
/// which the migration was tried again.
async fn tried_again(prepared: &str, other: &str, sql: &str) -> Vec<String> {
    let database = FreshDatabase::create().await;
    let (admin, mut theirs) = (database.connect().await, database.connect().await);
    let mut client = database.connect().await;
    let named = |sql: &str| sql.replace("{db}", database.name());
    admin.batch_execute(&named(prepared)).await.expect("what exists before");
    let transaction = theirs.transaction().await.expect("a transaction");
    transaction.batch_execute(&named(other)).await.expect("the other session's change");
    let (set, seen) = (set(&[("1_a.sql", &named(sql))]), Arc::new(Mutex::new(Vec::new())));
    let errors = Arc::clone(&seen);
    let migrator = Migrator::new(&set).on(move |event| {
        if let Event::Retrying { error, .. } = event {
            errors.lock().expect("a listener").push((*error).to_owned());
        }
    });
    let commit = async {
        is_waited_for(&admin).await;
        transaction.commit().await.expect("a commit");
    };
    let (report, ()) = tokio::join!(migrator.run(&mut client), commit);
    let report = report.unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(report.applied.len(), 1, "{sql}");
    admin.batch_execute(&named("DROP ROLE IF EXISTS r_{db}")).await.expect("no role");
    seen.lock().expect("a listener").clone()
}

/// A statement that creates an extension; a server without any that can be created makes a schema instead.
async fn shared_object(client: &Client) -> String {
    let sql = "SELECT name FROM pg_available_extensions WHERE name IN ('pgcrypto', 'citext', 'hstore') LIMIT 1";
    match value(client, sql).await.as_str() {
        "" => "CREATE SCHEMA IF NOT EXISTS shared_by_all".to_owned(),
        name => format!("CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public"),
    }
}

#[tokio::test]
async fn changes_of_one_catalog_row_are_tried_again() {
    let shared = shared_object(&FreshDatabase::create().await.connect().await).await;
    let role = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'r_{db}') THEN \
                CREATE ROLE r_{db}; END IF; END $$";
    let function = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
    for (prepared, statement, sqlstate) in [
        ("CREATE TABLE t (a int)", "GRANT SELECT ON t TO PUBLIC", "XX000"),
        (function, function, "XX000"),
        ("", function, "23505"),
        ("", &shared, "23505"),
        ("", "CREATE SCHEMA IF NOT EXISTS s", "23505"),
        ("", "CREATE TABLE IF NOT EXISTS t (a int)", "23505"),
        ("", "CREATE SEQUENCE IF NOT EXISTS t", "23505"),
        ("", role, "23505"),
        ("", "ALTER DATABASE {db} SET work_mem = '8MB'", "23505"),
    ] {
        let seen = tried_again(prepared, statement, statement).await;
        assert_eq!(seen.len(), 1, "{statement}: {seen:?}");
        assert!(seen[0].ends_with(&format!("(SQLSTATE {sqlstate})")), "{statement}: {seen:?}");
    }
}

#[tokio::test]
async fn a_row_that_another_session_wrote_is_not_tried_again() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let of_its_own = "CREATE SCHEMA other; CREATE TABLE other.pg_namespace (a int PRIMARY KEY); \
                      INSERT INTO other.pg_namespace VALUES (1), (1);";
    let set = set(&[("1_a.sql", of_its_own)]);
    let migrator = Migrator::new(&set).on(|event| {
        assert!(!matches!(event, Event::Retrying { .. }), "{event:?}");
    });
    let error = migrator.run(&mut client).await.expect_err("a duplicate key");
    assert!(error.to_string().contains("(SQLSTATE 23505)"), "{error}");
}

#[tokio::test]
async fn tenants_that_share_an_extension_and_a_table_are_all_up() {
    let shared = shared_object(&FreshDatabase::create().await.connect().await).await;
    let sql = "CREATE TABLE {{tables.a}} (id int); GRANT SELECT ON public.shared TO PUBLIC;";
    let set = set(&[("1_a.sql", &format!("{shared}; {sql}"))]);
    let migrator = Migrator::new(&set).create_schema();
    let schemas: Vec<String> = (0..200).map(|number| format!("tenant_{number:03}")).collect();
    for round in 1..=3 {
        let (database, client) = FreshDatabase::connected().await;
        client.batch_execute("CREATE TABLE shared (id int)").await.expect("a shared table");
        let config = database.config();
        let get = || async { Ok::<_, Infallible>(Box::new(connect(&config).await)) };
        let report = Tenants::new(&migrator).concurrency(8).run(&schemas, get, |_| {}).await;
        let report = report.expect("a run");
        assert_eq!((report.migrated.len(), report.failed.len()), (200, 0), "{round}: {report}");
    }
}
