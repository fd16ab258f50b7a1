//! Migrations that run outside a transaction: statement by statement, under a session lock that is
//! released on every path.

use migrate_runtime::error::Kept;
use migrate_runtime::status::State;
use migrate_runtime::{ErrorKind, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::sets::set;

const TABLE: (&str, &str) = ("1_t.sql", "CREATE TABLE t (a int, b int);");

#[tokio::test]
async fn concurrent_indexes_are_built_statement_by_statement() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[
        TABLE,
        (
            "2_indexes.sql",
            "-- migrate:no-transaction\n\
             CREATE INDEX CONCURRENTLY t_a ON t (a);\n\
             CREATE INDEX CONCURRENTLY t_b ON t (b);\n\
             VACUUM t;",
        ),
        ("3_c.sql", "ALTER TABLE t ADD c int;"),
    ]);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 3);
    let indexes = "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY 1) FROM pg_index \
                   WHERE indrelid = 't'::regclass AND indisvalid";
    assert_eq!(value(&client, indexes).await, "t_a t_b");
    let ledger = "SELECT string_agg(version || ':' || position, ' ' ORDER BY position) \
                  FROM migration_ledger WHERE progress IS NULL";
    assert_eq!(value(&client, ledger).await, "1:1 2:2 3:3");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    assert_eq!(Migrator::new(&set).run(&mut client).await.expect("again").messages, 1);
}

#[tokio::test]
async fn non_transactional_set_may_begin_a_ledger() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_v.sql", "-- migrate:no-transaction\nVACUUM;")]);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1);
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn failure_in_between_is_reported_and_continued() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let files = |last: &'static str| {
        let sql = format!(
            "-- migrate:no-transaction\n\
             INSERT INTO t VALUES (1);\n\
             CREATE INDEX CONCURRENTLY t_a ON t (a);\n\
             {last};\n\
             INSERT INTO t VALUES (2);"
        );
        set(&[TABLE, ("2_x.sql", &sql), ("3_c.sql", "SELECT 1;")])
    };
    let broken = files("INSERT INTO t VALUES (1, 2, 3)");
    let error = Migrator::new(&broken).run(&mut client).await.expect_err("a failure");
    assert_eq!(
        error.to_string(),
        "migrations/2_x.sql:4:29: INSERT has more expressions than target columns (SQLSTATE 42601)\n  \
         |\n\
         4 | INSERT INTO t VALUES (1, 2, 3);\n  \
         |                             ^ here\n\
         version 2 is unfinished: 2 of its 4 statements took effect and are kept, \
         and the next run continues after them; fix the rest and run again\n\
         version 1 was applied before it and is kept"
    );
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!() };
    assert_eq!(failure.kept, Kept::Statements { done: 2, of: 4 });
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    let status = Migrator::new(&broken).status(&client).await.expect("a status");
    assert_eq!(status.migrations[1].state, State::Unfinished { done: 2, in_flight: false });
    assert_eq!(status.pending(), 2);

    let fixed = files("INSERT INTO t VALUES (1, 2)");
    let report = Migrator::new(&fixed).run(&mut client).await.expect("fixed");
    assert_eq!(report.applied.len(), 2);
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "3");
    let ledger = "SELECT string_agg(version || ':' || position, ' ' ORDER BY position) \
                  FROM migration_ledger WHERE progress IS NULL";
    assert_eq!(value(&client, ledger).await, "1:1 2:2 3:3");
    assert_eq!(
        Migrator::new(&fixed).run(&mut client).await.expect("recorded as fixed").messages,
        1
    );
}

#[tokio::test]
async fn own_transaction_blocks_are_one_step() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let files = |last: &str| {
        let sql = format!(
            "-- migrate:no-transaction\nVACUUM t;\nBEGIN;\n\
             SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n\
             INSERT INTO t VALUES (1); -- é\n{last};\nCOMMIT;\nVACUUM t;"
        );
        set(&[TABLE, ("2_x.sql", &sql)])
    };
    for (last, place) in [("SELECT 1/0", "6:1"), ("SELECT nope", "6:8")] {
        let migrator_set = files(last);
        let migrator = Migrator::new(&migrator_set);
        let error = migrator.run(&mut client).await.expect_err("a failure");
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(failure.kept, Kept::Statements { done: 1, of: 3 });
        assert!(error.to_string().starts_with(&format!("migrations/2_x.sql:{place}: ")), "{error}");
        assert_eq!(value(&client, "SELECT count(*) FROM t").await, "0");
        assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    }
    let fixed = files("INSERT INTO t VALUES (2)");
    Migrator::new(&fixed).run(&mut client).await.expect("fixed");
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "2");
}
