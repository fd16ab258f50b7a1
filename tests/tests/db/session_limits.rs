//! What a migration can leave in its session in unusual ways.

use migrate_runtime::Migrator;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::furnished::{Case, Furnished, Way, leftovers_of};
use migrate_tests::sets::set;

const NONE: [&str; 0] = [];

async fn left_by(case: Case, ways: &[Way]) -> Vec<String> {
    let mut found = Vec::new();
    for way in ways {
        let left = leftovers_of(&[&[case]], *way).await;
        found.extend(left.into_iter().map(|line| format!("{way:?} {line}")));
    }
    found
}

const SUCCEEDING: &[Way] = &[Way::Together, Way::Outside];

#[tokio::test]
async fn channels_of_what_runs_outside_a_transaction() {
    let outside = &[Way::Outside, Way::FailsOutside];
    assert_eq!(left_by(("listen", "LISTEN left_l;"), outside).await, NONE);
    assert_eq!(left_by(("unlisten", "UNLISTEN mine;"), outside).await, NONE);
    assert_eq!(left_by(("unlisten all", "UNLISTEN *; LISTEN left_l;"), outside).await, NONE);
}

#[tokio::test]
async fn read_only_outside_a_transaction() {
    let case = ("read only", "SET default_transaction_read_only = on;");
    assert_eq!(left_by(case, &[Way::Outside]).await, NONE);
    let case = ("characteristics", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;");
    assert_eq!(left_by(case, &[Way::Outside]).await, NONE);
}

#[tokio::test]
async fn isolation_levels_outside_a_transaction() {
    let level = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;";
    assert_eq!(left_by(("level", level), &[Way::Outside, Way::FailsOutside]).await, NONE);
}

#[tokio::test]
async fn callers_isolation_level_outside_a_transaction() {
    for sql in
        ["-- migrate:no-transaction\nSET work_mem = '9MB';\nVACUUM public.seen;", "RESET ALL;"]
    {
        let mut at = Furnished::create("SET default_transaction_isolation = 'serializable'").await;
        let (found, _) = at.left_when_dropped(("serializable", sql)).await;
        assert_eq!(found, NONE);
        at.is_usable().await;
    }
}

#[tokio::test]
async fn statements_prepared_by_what_fails() {
    // PREPARE is not undone with its transaction.
    let case = ("prepared", "PREPARE left_p AS SELECT 1;");
    assert_eq!(left_by(case, &[Way::Fails]).await, NONE);
}

#[tokio::test]
async fn statements_prepared_in_a_block() {
    let case = ("prepared", "DO $$ BEGIN PREPARE left_p AS SELECT 1; END $$;");
    assert_eq!(left_by(case, SUCCEEDING).await, NONE);
}

#[tokio::test]
async fn blocks_in_plain_quotes() {
    let case = ("quoted block", "DO 'BEGIN SET work_mem = ''9MB''; END';");
    assert_eq!(left_by(case, SUCCEEDING).await, NONE);
    let case = ("escaped block", "DO E'BEGIN SET work_mem = \\'9MB\\'; END';");
    assert_eq!(left_by(case, SUCCEEDING).await, NONE);
}

#[tokio::test]
async fn settings_by_the_view_of_them() {
    let case = ("update", "UPDATE pg_settings SET setting = '9999' WHERE name = 'work_mem';");
    assert_eq!(left_by(case, SUCCEEDING).await, NONE);
}

#[tokio::test]
async fn settings_of_the_services_own() {
    for sql in [
        "SET app.tenant = 'left';",
        "SELECT set_config('app.tenant', '', false);",
        "DO $$ BEGIN SET app.tenant = 'left'; END $$;",
        "RESET ALL; SET app.tenant = 'left';",
    ] {
        let mut at = Furnished::create("SET app.tenant = 'mine'").await;
        assert_eq!(at.leftovers_of(("own setting", sql), Way::Together).await, NONE);
        at.is_usable().await;
    }
}

#[tokio::test]
async fn temporary_types_and_functions() {
    let case = ("type", "CREATE TYPE pg_temp.left_e AS ENUM ('a');");
    assert_eq!(left_by(case, &[Way::Together]).await, NONE);
    let function = "CREATE FUNCTION pg_temp.left_f() RETURNS int LANGUAGE sql AS 'SELECT 1';";
    assert_eq!(left_by(("function", function), &[Way::Together]).await, NONE);
}

#[tokio::test]
async fn dropped_runs_that_reset_all() {
    let mut at = Furnished::create("").await;
    let (found, points) = at.left_when_dropped(("reset all", "RESET ALL;")).await;
    assert!(points > 2, "{points}");
    assert_eq!(found, NONE);
    at.is_usable().await;
}

#[tokio::test]
async fn dropped_runs_that_change_how_strings_are_read() {
    let mut at = Furnished::create("SET standard_conforming_strings = off").await;
    let case = ("strings", "SELECT 'a\\b'; RESET ALL;");
    assert_eq!(at.left_when_dropped(case).await.0, NONE);
    at.is_usable().await;
}

#[tokio::test]
async fn dropped_runs_that_listen_outside_a_transaction() {
    let mut at = Furnished::create("").await;
    let sql = "-- migrate:no-transaction\nLISTEN left_l; UNLISTEN mine; VACUUM public.seen;";
    assert_eq!(at.left_when_dropped(("listen", sql)).await.0, NONE);
    at.is_usable().await;
}

#[tokio::test]
async fn runs_last_commit_is_a_synchronous_one_whatever_it_sets() {
    for sql in ["SET LOCAL synchronous_commit = off;", "SET synchronous_commit = off;"] {
        let (_database, mut client) = FreshDatabase::connected().await;
        // A deferred trigger sees how its transaction commits.
        let create = "CREATE TABLE t (a int); CREATE TABLE commits (mode text); \
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            INSERT INTO commits VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
            CREATE CONSTRAINT TRIGGER note AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED \
            FOR EACH ROW EXECUTE FUNCTION note();";
        let last = format!("INSERT INTO t VALUES (2); {sql}");
        let set = set(&[
            ("1_a.sql", create),
            ("2_b.sql", "INSERT INTO t VALUES (1);"),
            ("3_c.sql", &last),
        ]);
        let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.applied.len(), 3);
        let modes = "SELECT string_agg(mode, ' ') FROM commits";
        assert_eq!(value(&client, modes).await, "off on", "{sql}");
    }
}

#[tokio::test]
async fn deferrable_outside_a_transaction() {
    let level = "SET SESSION CHARACTERISTICS AS TRANSACTION DEFERRABLE;";
    assert_eq!(left_by(("deferrable", level), &[Way::Outside, Way::FailsOutside]).await, NONE);
}
