//! An index that is found valid is the one that was asked for, not just one of its name.

use migrate_runtime::hook::{BoxError, RunClient, When};
use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind, Migrations, Migrator, Report};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const TABLE: (&str, &str) =
    ("1_t.sql", "CREATE TABLE t (a int, b int, c text); CREATE TABLE u (a int);");

fn outside(sql: &str) -> Migrations {
    let sql = format!("-- migrate:no-transaction\nSELECT 1;\n{sql};");
    set(&[TABLE, ("2_x.sql", &sql)])
}

/// A run that continues after the outcome of `asked` was unknown, with `found` in its place.
async fn after(asked: &str, found: &str) -> (FreshDatabase, Client, Result<Report, Error>) {
    let (database, mut client, set) = unrecorded(asked, found).await;
    let result = Migrator::new(&set).run(&mut client).await;
    (database, client, result)
}

/// A database in which the outcome of `asked` is unknown, with `found` in its place.
async fn unrecorded(asked: &str, found: &str) -> (FreshDatabase, Client, Migrations) {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = outside(asked);
    Migrator::new(&set).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    let digests = migrate_set::resume::digests(set.as_slice()[1].up());
    let instead = format!(
        "DROP INDEX i; {found}; UPDATE migration_ledger SET progress = 1, in_flight = true, \
         digests = NULL, ran = 'no-transaction {}' WHERE version = '2'",
        digests[1]
    );
    client.batch_execute(&instead).await.expect("an index");
    let status = Migrator::new(&set).status(&client).await.expect("a status");
    assert_eq!(status.migrations[1].state, State::Unfinished { done: 1, in_flight: true });
    (database, client, set)
}

/// What fails before the statement is sent again says nothing of its outcome.
#[tokio::test]
async fn outcome_is_still_unknown_after_a_hook_has_failed() {
    async fn fails(_: RunClient<'_>) -> Result<(), BoxError> {
        Err("no".into())
    }
    let asked = "CREATE INDEX CONCURRENTLY i ON t (a)";
    let (_database, mut client, set) = unrecorded(asked, "CREATE INDEX i ON t (a)").await;
    let hooked = Migrator::new(&set).hook(When::BeforeEach, fails);
    let error = hooked.run(&mut client).await.expect_err("a hook");
    assert_eq!(error.code(), "hook", "{error}");
    let report =
        Migrator::new(&set).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.notes, ["index public.i was already built, and was not built again"]);
}

/// The index would be built again, and refused for its name, once the lock is free.
#[tokio::test]
async fn index_that_could_not_be_compared_is_not_built_again() {
    let asked = "CREATE INDEX CONCURRENTLY i ON t (a)";
    let (database, mut client, set) = unrecorded(asked, "CREATE INDEX i ON t (a)").await;
    let (watcher, other) = (database.connect().await, database.connect().await);
    other.batch_execute("BEGIN; LOCK TABLE t").await.expect("a lock");
    let migrator = Migrator::new(&set);
    let cancel = async {
        let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE datname = \
             current_database() AND wait_event_type = 'Lock' AND query LIKE '%TEMPORARY%'";
        while value(&watcher, cancel).await == "0" {}
        other.batch_execute("ROLLBACK").await.expect("no lock");
    };
    let (result, ()) = tokio::join!(migrator.run(&mut client), cancel);
    let error = result.expect_err("no answer").to_string();
    let comparing = "comparing index public.i with the one of statement 2: canceling statement";
    assert!(error.starts_with(comparing), "{error}");
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.notes, ["index public.i was already built, and was not built again"]);
}

#[tokio::test]
async fn index_whose_building_was_not_recorded_is_recognised_however_it_is_written() {
    for (asked, found) in [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON public.t USING btree (a ASC)"),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (lower(c), (t.a + 1) DESC) \
             INCLUDE (b) WITH (fillfactor = 70) WHERE c IS NOT NULL AND a > 0",
            "CREATE UNIQUE INDEX i ON t (lower((c)), (a + 1) DESC NULLS FIRST) \
             INCLUDE (b) WITH (fillfactor = 70) WHERE ((c IS NOT NULL) AND (a > 0))",
        ),
    ] {
        let (_database, client, result) = after(asked, found).await;
        let report = result.unwrap_or_else(|error| panic!("{asked}: {error}"));
        assert_eq!(report.notes, ["index public.i was already built, and was not built again"]);
        assert_eq!(value(&client, "SELECT to_regclass('pg_temp.t') IS NULL").await, "t");
    }
}

#[tokio::test]
async fn another_index_of_that_name_is_not_accepted() {
    for found in [
        "CREATE INDEX i ON t (b)",
        "CREATE UNIQUE INDEX i ON t (a)",
        "CREATE INDEX i ON t USING hash (a)",
        "CREATE INDEX i ON t (a) WHERE a > 0",
        "CREATE INDEX i ON t (a DESC)",
        "CREATE INDEX i ON t (a) INCLUDE (b)",
        "CREATE INDEX i ON t (a, b)",
        "CREATE INDEX i ON u (a)",
    ] {
        let (_database, client, result) =
            after("CREATE INDEX CONCURRENTLY i ON t (a)", found).await;
        let error = result.expect_err("another index");
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(failure.sqlstate.as_deref(), Some("42P07"), "{found}: {error}");
        let unfinished = "SELECT progress FROM migration_ledger WHERE version = '2'";
        assert_eq!(value(&client, unfinished).await, "1");
    }
}

/// An index whose name the server chooses is recognised by what was there before it was sent.
#[tokio::test]
async fn unnamed_index_whose_building_was_not_recorded_is_built_once() {
    for was_built in [true, false] {
        let (_database, mut client) = FreshDatabase::connected().await;
        Migrator::new(&set(&[TABLE])).run(&mut client).await.expect("the table");
        // Nothing can be recorded after the second statement is sent.
        let unrecorded = "CREATE INDEX before ON t (a); ALTER TABLE migration_ledger ADD CONSTRAINT unsent \
             CHECK (progress IS NULL OR progress = 0 OR progress = 1 AND in_flight)";
        client.batch_execute(unrecorded).await.expect("a constraint");
        let set = outside("CREATE INDEX CONCURRENTLY ON t (a); VACUUM t");
        let error = Migrator::new(&set).run(&mut client).await.expect_err("not recorded");
        assert!(error.to_string().contains("23514"), "{error}");
        let indexes = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
                       WHERE relkind = 'i' AND relname ~ '^before|^t_a_'";
        assert_eq!(value(&client, indexes).await, "before t_a_idx");
        let lost = if was_built { "" } else { "DROP INDEX t_a_idx;" };
        let sql = format!("ALTER TABLE migration_ledger DROP CONSTRAINT unsent; {lost}");
        client.batch_execute(&sql).await.expect("no constraint");
        let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        let note = "index public.t_a_idx was already built, and was not built again";
        let notes = if was_built { vec![note] } else { Vec::new() };
        assert_eq!(report.notes, notes);
        assert_eq!(value(&client, indexes).await, "before t_a_idx");
    }
}

#[tokio::test]
async fn another_index_that_if_not_exists_keeps_is_noted() {
    let note =
        "index public.i is not known to be the one of statement 2, and IF NOT EXISTS keeps it";
    for (found, notes) in
        [("CREATE INDEX i ON t (a)", &[][..]), ("CREATE INDEX i ON t (b)", &[note])]
    {
        let (_database, mut client) = FreshDatabase::connected().await;
        Migrator::new(&set(&[TABLE])).run(&mut client).await.expect("the table");
        client.batch_execute(found).await.expect("an index");
        let set = outside("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)");
        let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.notes, notes, "{found}");
    }
}
