//! What an interrupted statement leaves, and what the next run does with it.

use std::time::Duration;

use migrate_runtime::error::Kept;
use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind, Migrations, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, server, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const TABLE: (&str, &str) = (
    "1_t.sql",
    "CREATE TABLE t (a int, b int); CREATE INDEX t_b ON t (b); INSERT INTO t VALUES (1, 1);",
);
const INVALID: &str = "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index \
                       WHERE NOT indisvalid";

fn outside(sql: &str) -> Migrations {
    let sql = format!("-- migrate:no-transaction\n{sql}");
    set(&[TABLE, ("2_x.sql", &sql)])
}

async fn run(client: &mut Client, set: &Migrations) -> Result<Vec<String>, Error> {
    Migrator::new(set).run(client).await.map(|report| report.notes)
}

/// Runs `set` up to a statement that waits for a transaction, and ends its session.
async fn cut_short(database: &FreshDatabase, set: &Migrations) -> Error {
    let one = migrate_tests::sets::set(&[TABLE]);
    let mut in_the_way = database.connect().await;
    Migrator::new(&one).run(&mut in_the_way).await.expect("the table");
    let transaction = in_the_way.transaction().await.expect("a transaction");
    transaction.batch_execute("INSERT INTO t VALUES (2, 2)").await.expect("a lock");
    let mut client = database.connect().await;
    // In another database, because a rebuild would wait for the watcher's snapshots.
    let watcher = connect(&server().url().parse().expect("the server's address")).await;
    let cut = async {
        let waits = &format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' \
             AND wait_event_type = 'Lock' AND query ~ 'CONCURRENTLY'",
            database.name()
        );
        let mut pid = String::new();
        while pid.is_empty() {
            pid = value(&watcher, waits).await;
            tokio::task::yield_now().await;
        }
        value(&watcher, &format!("SELECT pg_terminate_backend({pid})")).await;
        let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
        while value(&watcher, &gone).await != "0" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let migrator = Migrator::new(set);
    let both = async { tokio::join!(migrator.run(&mut client), cut) };
    let both = tokio::time::timeout(Duration::from_mins(1), both).await;
    let (result, ()) = both.expect("a statement that waits");
    transaction.rollback().await.expect("a rollback");
    result.expect_err("a session that ended")
}

#[tokio::test]
async fn index_that_failed_is_reported_and_built_again_when_the_data_are_fixed() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set =
        outside("CREATE UNIQUE INDEX CONCURRENTLY \"T a\" ON t (a);\nINSERT INTO t VALUES (3, 3);");
    run(&mut client, &migrate_tests::sets::set(&[TABLE])).await.expect("the table");
    client.batch_execute("INSERT INTO t VALUES (1, 1)").await.expect("a duplicate");
    let error = run(&mut client, &set).await.expect_err("a duplicate");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.kept, Kept::Statements { done: 0, of: 2 });
    assert_eq!(failure.sqlstate.as_deref(), Some("23505"));
    assert_eq!(value(&client, INVALID).await, "\"T a\"");
    let status = Migrator::new(&set).status(&client).await.expect("a status");
    assert_eq!(status.migrations[1].state, State::Unfinished { done: 0, in_flight: false });

    client.batch_execute("DELETE FROM t; INSERT INTO t VALUES (1, 1)").await.expect("fixed");
    assert_eq!(
        run(&mut client, &set).await.expect("a run"),
        ["dropped the INVALID index public.\"T a\", which an earlier attempt had left"]
    );
    assert_eq!(value(&client, INVALID).await, "NULL");
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "2");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn index_whose_session_died_is_unknown_and_built_again() {
    for (name, left) in [("t_a ", "t_a"), ("", "t_a_idx")] {
        let database = FreshDatabase::create().await;
        let set = outside(&format!("CREATE INDEX CONCURRENTLY {name}ON public.t (a);"));
        let error = cut_short(&database, &set).await;
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(failure.kept, Kept::InFlight { done: 0, of: 1 }, "{error}");
        let mut client = database.connect().await;
        assert_eq!(value(&client, INVALID).await, left);
        let status = Migrator::new(&set).status(&client).await.expect("a status");
        assert_eq!(status.migrations[1].state, State::Unfinished { done: 0, in_flight: true });
        let notes = run(&mut client, &set).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            notes,
            [format!("dropped the INVALID index public.{left}, which an earlier attempt had left")]
        );
        let valid = "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index \
                     WHERE indrelid = 't'::regclass AND indisvalid";
        assert_eq!(value(&client, valid).await, format!("{left} t_b"));
    }
}

#[tokio::test]
async fn invalid_index_of_another_role_does_not_satisfy_if_not_exists() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&mut client, &migrate_tests::sets::set(&[TABLE])).await.expect("the table");
    client.batch_execute("INSERT INTO t VALUES (1, 1)").await.expect("a duplicate");
    client.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)").await.expect_err("it");
    client.batch_execute("DELETE FROM t").await.expect("fixed");
    let set = outside("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);");
    assert_eq!(run(&mut client, &set).await.expect("a run").len(), 1);
    assert_eq!(value(&client, INVALID).await, "NULL");
}

#[tokio::test]
async fn rebuilt_indexes_leave_nothing() {
    for statement in [
        "REINDEX INDEX CONCURRENTLY t_b",
        "REINDEX (VERBOSE) TABLE CONCURRENTLY t",
        "REINDEX SCHEMA CONCURRENTLY public",
    ] {
        let database = FreshDatabase::create().await;
        let set = outside(&format!("SELECT 1;\n{statement};"));
        let error = cut_short(&database, &set).await;
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(failure.kept, Kept::InFlight { done: 1, of: 2 }, "{error}");
        let mut client = database.connect().await;
        // The new index before the two are exchanged, the old one afterwards.
        let left = value(&client, INVALID).await;
        assert!(left.contains("_ccnew") || left.contains("_ccold"), "{statement}: {left}");
        let notes = run(&mut client, &set).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(
            notes.iter().all(|note| note.starts_with("dropped the INVALID index")),
            "{notes:?}"
        );
        assert_eq!(value(&client, INVALID).await, "NULL", "{statement}");
    }
}

#[tokio::test]
async fn index_that_another_session_builds_is_waited_for() {
    let (database, mut client) = FreshDatabase::connected().await;
    run(&mut client, &migrate_tests::sets::set(&[TABLE])).await.expect("the table");
    let mut in_the_way = database.connect().await;
    let transaction = in_the_way.transaction().await.expect("a transaction");
    transaction.batch_execute("INSERT INTO t VALUES (2, 2)").await.expect("a lock");
    let other = database.connect().await;
    let building =
        tokio::spawn(
            async move { other.batch_execute("CREATE INDEX CONCURRENTLY t_a ON t (a)").await },
        );
    while value(&client, INVALID).await == "NULL" {
        tokio::task::yield_now().await;
    }
    let set = outside("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);");
    let migrator = Migrator::new(&set).wait_timeout(Duration::from_millis(100));
    let error = migrator.run(&mut client).await.expect_err("in use");
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    transaction.rollback().await.expect("a rollback");
    building.await.expect("a task").expect("their index");
    assert!(run(&mut client, &set).await.expect("a run").is_empty());
}

/// The notes of a run that continues after an unknown outcome, if the statement had taken effect.
async fn after_all(sql: &str, statement: &str) -> Vec<String> {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = outside(&format!("{sql}\n{statement};"));
    run(&mut client, &set).await.unwrap_or_else(|error| panic!("{error}"));
    // As after a session that breaks between the statement and the record that it ran.
    let digests = migrate_set::resume::digests(set.as_slice()[1].up());
    let forget = format!(
        "UPDATE migration_ledger SET progress = 1, in_flight = true, digests = NULL, \
         ran = 'no-transaction {}' WHERE version = '2'",
        digests[1]
    );
    client.batch_execute(&forget).await.expect("an update");
    let notes = run(&mut client, &set).await.unwrap_or_else(|error| panic!("{error}"));
    let finished =
        "SELECT progress IS NULL AND NOT in_flight FROM migration_ledger WHERE version = '2'";
    assert_eq!(value(&client, finished).await, "t");
    notes
}

#[tokio::test]
async fn statements_that_had_taken_effect_are_not_repeated() {
    let notes = after_all("SELECT 1;", "CREATE INDEX CONCURRENTLY t_a ON t (a)").await;
    assert_eq!(notes, ["index public.t_a was already built, and was not built again"]);
    let notes = after_all("CREATE INDEX i ON t (a);", "DROP INDEX CONCURRENTLY i").await;
    assert_eq!(notes, ["statement 2 had already taken effect, and was not repeated"]);
    assert!(after_all("SELECT 1;", "VACUUM t").await.is_empty());
}

const DETACH: &str = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";

/// A partition that a statement has detached by half; `None` before 14, where DETACH PARTITION CONCURRENTLY is new.
async fn half_detached() -> Option<FreshDatabase> {
    let (database, client) = FreshDatabase::connected().await;
    if value(&client, "SELECT current_setting('server_version_num')::int < 140000").await == "t" {
        return None;
    }
    client
        .batch_execute(
            "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        )
        .await
        .expect("a partition");
    let mut in_the_way = database.connect().await;
    let transaction = in_the_way.transaction().await.expect("a transaction");
    transaction.batch_execute("SELECT * FROM p").await.expect("a lock");
    client.batch_execute(&format!("SET statement_timeout = 300; {DETACH}")).await.expect_err("two");
    client.batch_execute("SET statement_timeout = 300").await.expect("a limit");
    client.batch_execute(DETACH).await.expect_err("cut");
    transaction.rollback().await.expect("a rollback");
    assert_eq!(value(&client, "SELECT inhdetachpending FROM pg_inherits").await, "t");
    Some(database)
}

#[tokio::test]
async fn half_detached_partitions_are_finished() {
    let Some(database) = half_detached().await else { return };
    let mut client = database.connect().await;
    let notes = run(&mut client, &outside(&format!("{DETACH};"))).await;
    assert_eq!(notes.expect("a run"), ["statement 1 was finished with FINALIZE"]);
    assert_eq!(value(&client, "SELECT count(*) FROM pg_inherits").await, "0");
}

/// Not the server's hint to use FINALIZE, which the run did.
#[tokio::test]
async fn lock_that_ends_the_finish_of_a_detached_partition_is_reported() {
    let Some(database) = half_detached().await else { return };
    let in_the_way = database.connect().await;
    in_the_way.batch_execute("BEGIN; LOCK TABLE p1 IN ACCESS SHARE MODE").await.expect("a lock");
    let mut client = database.connect().await;
    let set = outside(&format!("SET lock_timeout = 100;\n{DETACH};"));
    let error = Migrator::new(&set).retries(0).run(&mut client).await.expect_err("a lock");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.sqlstate.as_deref(), Some("55P03"), "{error}");
}

#[tokio::test]
async fn session_of_the_statements_before_is_prepared_again() {
    let (database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE SCHEMA s; CREATE TABLE s.u (a int)").await.expect("a schema");
    let sql = |last: &str| {
        format!(
            "SET search_path = s;\nCREATE TEMP TABLE mine (a int);\nCREATE INDEX CONCURRENTLY u_a ON u (a);\n{last};"
        )
    };
    let broken = outside(&sql("INSERT INTO nowhere SELECT a FROM mine"));
    run(&mut client, &broken).await.expect_err("a failure");
    let fixed = outside(&sql("INSERT INTO u SELECT a FROM mine"));
    let mut client = database.connect().await;
    Migrator::new(&fixed).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, "SHOW search_path").await, "\"$user\", public");
    assert_eq!(value(&client, "SELECT to_regclass('pg_temp.mine') IS NULL").await, "t");
}

#[tokio::test]
async fn statements_that_want_no_transaction_get_none() {
    let (_database, mut client) = FreshDatabase::connected().await;
    client
        .batch_execute(
            "CREATE TABLE n (a int); CREATE PROCEDURE twice() LANGUAGE plpgsql AS $$ \
             BEGIN INSERT INTO n VALUES (1); COMMIT; INSERT INTO n VALUES (2); COMMIT; END $$",
        )
        .await
        .expect("a procedure");
    let set = outside(
        "CALL twice();\nDO $$ BEGIN CALL twice(); END $$;\n\
         BEGIN; INSERT INTO n VALUES (3); COMMIT;\nINSERT INTO n VALUES (4);",
    );
    run(&mut client, &set).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        value(&client, "SELECT string_agg(a::text, '' ORDER BY ctid) FROM n").await,
        "121234"
    );
}
