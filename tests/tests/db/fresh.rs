//! Migrations of a fresh database share transactions, and nothing shows it but the number of transactions.

mod random;

use std::time::Duration;

use migrate_runtime::hook::{BoxError, RunClient, When};
use migrate_runtime::{ErrorKind, Migrations, Migrator};
use migrate_tests::cluster::Cluster;
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::fault::{self, Direction, Fault, Traffic};
use migrate_tests::sets::{module, set, tables};
use tokio_postgres::Client;

/// Which versions of the ledger were committed together.
async fn together(client: &Client) -> String {
    let sql = "SELECT string_agg(versions, ' | ' ORDER BY first) FROM (SELECT min(position) AS first, \
               string_agg(version, ' ' ORDER BY position) AS versions FROM migration_ledger GROUP BY xmin::text) t";
    value(client, sql).await
}

/// The same after a run on a fresh database, which begins with `prepare`.
async fn after(prepare: &str, set: &Migrations) -> String {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(prepare).await.expect(prepare);
    let report =
        Migrator::new(set).run(&mut client).await.unwrap_or_else(|e| panic!("{prepare}: {e}"));
    assert_eq!(report.applied.len(), set.len());
    together(&client).await
}

#[tokio::test]
async fn definitions_share_up_to_rows_and_each_migration_has_its_times() {
    let set = set(&[
        ("01_t.sql", "CREATE TABLE t (id serial PRIMARY KEY, at timestamptz DEFAULT now());"),
        ("02_i.sql", "BEGIN; CREATE INDEX ON t (at); COMMIT;"),
        ("03_rows.sql", "INSERT INTO t DEFAULT VALUES; SELECT setval('t_id_seq', 7);"),
        (
            "04_rows.sql",
            "INSERT INTO t DEFAULT VALUES; INSERT INTO t SELECT 20 FROM pg_sleep(0.02);",
        ),
        ("05_e.sql", "CREATE TYPE e AS ENUM ('a');"),
        ("06_v.sql", "CREATE VIEW v AS SELECT * FROM t;"),
        ("07_value.sql", "ALTER TYPE e ADD VALUE 'b';"),
        ("08_u.sql", "CREATE TABLE u (e e DEFAULT 'b');"),
        ("09_path.sql", "SET search_path = public;"),
        ("10_w.sql", "CREATE TABLE w (a int);"),
        ("11_do.sql", "DO $$ BEGIN CREATE TABLE x (a int); END $$;"),
        ("12_y.sql", "CREATE TABLE y (a int);"),
        ("13_z.sql", "CREATE TABLE z (a int);"),
    ]);
    let (_database, mut client) = FreshDatabase::connected().await;
    let report = Migrator::new(&set).run(&mut client).await.expect("a run");
    assert_eq!((report.applied.len(), report.messages), (13, 3));
    assert_eq!(together(&client).await, "01 02 03 | 04 | 05 06 | 07 | 08 | 09 | 10 | 11 | 12 13");
    let rows = "SELECT string_agg(id::text, ' '), count(DISTINCT at) FROM t";
    assert_eq!(value(&client, rows).await, "1 8 20");
    // Each has its own time, in order, and the report has what the ledger has.
    let times = "SELECT count(DISTINCT applied_at) = 13 AND bool_and(is_later) FROM (SELECT applied_at, \
                 applied_at > lag(applied_at, 1, '-infinity') OVER (ORDER BY position) AS is_later \
                 FROM migration_ledger) t";
    assert_eq!(value(&client, times).await, "t");
    let took = value(
        &client,
        "SELECT string_agg(execution_ms::text, ' ' ORDER BY position) FROM migration_ledger",
    );
    let reported: Vec<String> =
        report.applied.iter().map(|one| one.duration.as_millis().to_string()).collect();
    assert_eq!(took.await, reported.join(" "));
    assert!(report.applied[3].duration >= Duration::from_millis(20), "{report:?}");
}

#[tokio::test]
async fn run_whose_first_transaction_fails_leaves_nothing() {
    let table = ("1_t.sql", "CREATE TABLE t (id int);");
    let alone = ("1_do.sql", "DO $$ BEGIN CREATE TABLE t (id int); PERFORM nowhere(); END $$;");
    let rows = ("2_rows.sql", "INSERT INTO t SELECT 1 / 0;");
    let both = ("1_t.sql", "CREATE TABLE t (id int); INSERT INTO t SELECT 1 / 0;");
    for (files, kept) in [(&[alone][..], 0), (&[both], 0), (&[both, rows], 0), (&[table, rows], 1)]
    {
        let (_database, mut client) = FreshDatabase::connected().await;
        let error = Migrator::new(&set(files)).run(&mut client).await.expect_err("a failure");
        assert_eq!(error.report().map_or(0, |report| report.applied.len()), kept, "{error}");
        let left = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND oid >= 16384";
        let expected = if kept == 0 { "NULL" } else { "migration_ledger t" };
        assert_eq!(value(&client, left).await, expected, "{error}");
        Migrator::new(&set(&[table])).run(&mut client).await.expect("a run");
    }
}

#[tokio::test]
async fn database_of_others_is_not_fresh() {
    let three = tables(3);
    assert_eq!(after("", &three).await, "0001 0002 0003");
    for prepare in [
        "CREATE TABLE other (a int)",
        "CREATE MATERIALIZED VIEW other AS SELECT 1",
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
         CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
        "SET statement_timeout = '1h'",
        "SET transaction_timeout = '1h'",
    ] {
        if prepare.contains("transaction_timeout") && is_before_17().await {
            continue;
        }
        assert_eq!(after(prepare, &three).await, "0001 | 0002 | 0003", "{prepare}");
    }
    // Neither functions nor views of others can watch.
    let quiet =
        "CREATE VIEW other AS SELECT 1; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
    assert_eq!(after(quiet, &three).await, "0001 0002 0003");
}

async fn is_before_17() -> bool {
    let (_database, client) = FreshDatabase::connected().await;
    value(&client, "SELECT current_setting('server_version_num')::int < 170000").await == "t"
}

#[tokio::test]
async fn ledger_with_entries_is_not_fresh_whosever_they_are() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (first, more) = (
        set(&[("1_a.sql", "SELECT 1;")]),
        set(&[
            ("1_a.sql", "SELECT 1;"),
            ("2_b.sql", "CREATE VIEW b AS SELECT 1;"),
            ("3_c.sql", "CREATE VIEW c AS SELECT 1;"),
        ]),
    );
    let other = module(
        "other",
        &[("1_d.sql", "CREATE VIEW d AS SELECT 1;"), ("2_e.sql", "CREATE VIEW e AS SELECT 1;")],
    );
    for set in [&first, &more, &other] {
        Migrator::new(set).run(&mut client).await.expect("a run");
    }
    let transactions = "SELECT count(DISTINCT xmin::text) FROM migration_ledger";
    assert_eq!(value(&client, transactions).await, "5");
}

async fn nothing(_: RunClient<'_>) -> Result<(), BoxError> {
    Ok(())
}

#[tokio::test]
async fn code_of_the_service_and_a_deadline_keep_migrations_apart() {
    let three = tables(3);
    let hooked = Migrator::new(&three).hook(When::AfterEach, nothing);
    let limited = Migrator::new(&three).deadline(Duration::from_hours(1));
    for migrator in [hooked, limited] {
        let (_database, mut client) = FreshDatabase::connected().await;
        migrator.run(&mut client).await.expect("a run");
        assert_eq!(together(&client).await, "0001 | 0002 | 0003");
    }
}

/// An event trigger that a migration creates sees the transactions of the others.
#[tokio::test]
async fn nothing_is_shared_after_a_migration_that_can_watch() {
    let watch = "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
                 CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();";
    let set = set(&[
        ("1_a.sql", "CREATE TABLE a (a int);"),
        ("2_b.sql", "CREATE TABLE b (a int);"),
        ("3_watch.sql", watch),
        ("4_c.sql", "CREATE TABLE c (a int);"),
        ("5_d.sql", "CREATE TABLE d (a int);"),
    ]);
    for chunk in [usize::MAX, 1] {
        let (_database, mut client) = FreshDatabase::connected().await;
        Migrator::new(&set).chunk_bytes(chunk).run(&mut client).await.expect("a run");
        let expected = if chunk == 1 { "1 | 2 | 3 | 4 | 5" } else { "1 2 | 3 | 4 | 5" };
        assert_eq!(together(&client).await, expected);
    }
}

#[tokio::test]
async fn statements_of_a_transaction_leave_most_locks_of_the_server_to_others() {
    let mut cluster = Cluster::create();
    cluster.set("max_locks_per_transaction=10");
    cluster.set("max_connections=20");
    cluster.start();
    let mut client = connect(&cluster.config("postgres")).await;
    Migrator::new(&tables(14)).run(&mut client).await.expect("a run");
    let expected = "0001 0002 0003 0004 0005 0006 | 0007 0008 0009 0010 0011 0012 | 0013 0014";
    assert_eq!(together(&client).await, expected);
}

/// A person, or a signal to the command line, means the run and not only its transaction.
#[tokio::test]
async fn cancelled_run_is_not_sent_again() {
    let database = FreshDatabase::create().await;
    let (mut client, other) = (database.connect().await, database.connect().await);
    let set = set(&[
        ("1_a.sql", "CREATE TABLE a (a int);"),
        ("2_b.sql", "INSERT INTO a SELECT 1 FROM pg_sleep(100);"),
    ]);
    let migrator = Migrator::new(&set);
    let cancel = async {
        let sql = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event = 'PgSleep'";
        while value(&other, sql).await == "0" {
            tokio::task::yield_now().await;
        }
    };
    let (outcome, ()) = tokio::join!(migrator.run(&mut client), cancel);
    let error = outcome.expect_err("it was cancelled");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((failure.version.as_str(), failure.sqlstate.as_deref()), ("2", Some("57014")));
    assert_eq!(error.report().map(|report| report.applied.len()), Some(0));
    assert_eq!(value(&client, "SELECT count(*) FROM pg_class WHERE relname = 'a'").await, "0");
    assert_eq!(Migrator::new(&set).status(&client).await.expect("a status").pending(), 2);
}

/// Its error is known, and a second time it would draw other values of sequences.
#[tokio::test]
async fn failed_rows_are_not_inserted_again() {
    let set = set(&[
        ("1_a.sql", "CREATE TABLE a (a serial);"),
        ("2_rows.sql", "INSERT INTO a DEFAULT VALUES;"),
        ("3_v.sql", "CREATE VIEW v AS SELECT 1;"),
        ("4_rows.sql", "INSERT INTO a VALUES (DEFAULT), (DEFAULT); INSERT INTO a VALUES (1 / 0);"),
    ]);
    for setting in ["", "SET statement_timeout = '1h'"] {
        let (_database, mut client) = FreshDatabase::connected().await;
        client.batch_execute(setting).await.expect("a setting");
        let error = Migrator::new(&set).run(&mut client).await.expect_err("a failure");
        assert!(error.to_string().starts_with("migrations/4_rows.sql:1:"), "{error}");
        assert_eq!(error.report().map(|report| report.applied.len()), Some(3));
        assert_eq!(
            together(&client).await,
            if setting.is_empty() { "1 2 | 3" } else { "1 | 2 | 3" }
        );
        assert_eq!(value(&client, "SELECT last_value FROM a_a_seq").await, "3");
    }
}

/// A database after a cut: whole transactions, and what the run has reported.
#[tokio::test]
async fn run_that_is_cut_leaves_whole_transactions_and_the_next_completes_it() {
    let set = set(&[
        ("0_runs.sql", "CREATE TABLE runs (n int);"),
        ("1_i.sql", "CREATE INDEX ON runs (n);"),
        ("2_rows.sql", "INSERT INTO runs VALUES (2);"),
        ("3_column.sql", "ALTER TABLE runs ADD COLUMN m int;"),
        ("4_rows.sql", "INSERT INTO runs VALUES (4, 4);"),
        ("5_v.sql", "CREATE VIEW v AS SELECT * FROM runs;"),
        ("6_w.sql", "CREATE VIEW w AS SELECT * FROM v;"),
    ]);
    let whole = "0 1 2 | 3 4 | 5 6";
    let (_, left, traffic) = cut(&set, Fault::Nothing).await;
    assert_eq!(left, whole);
    for direction in Direction::BOTH {
        let bytes = traffic.bytes(direction);
        for part in 0..16 {
            let fault = Fault::Cut { direction, after: bytes * part / 16 };
            let (reported, left, _) = cut(&set, fault).await;
            assert!(["", "0 1 2", "0 1 2 | 3 4", whole].contains(&&*left), "{fault:?}: {left}");
            let versions = left.replace("| ", "");
            assert!(versions.starts_with(&reported), "{fault:?}: {left}, reported {reported}");
        }
    }
}

/// The versions that a run with this fault reports as applied, what is committed together when its session has ended,
/// and its traffic; the next run then completes it.
async fn cut(set: &Migrations, fault: Fault) -> (String, String, Traffic) {
    let (database, mut direct) = FreshDatabase::connected().await;
    let connected = fault::connect(&database.config(), fault).await;
    let (mut report, mut traffic) = (None, Traffic::default());
    if let Ok((mut client, counted)) = connected {
        report = match Migrator::new(set).run(&mut client).await {
            Ok(report) => Some(report),
            Err(error) => error.report().cloned(),
        };
        traffic = counted;
    }
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                  AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while value(&direct, others).await != "0" {
        tokio::task::yield_now().await;
    }
    let is_there = "SELECT to_regclass('migration_ledger') IS NOT NULL";
    let is_there = value(&direct, is_there).await == "t";
    let left = if is_there { together(&direct).await.replace("NULL", "") } else { String::new() };
    let next =
        Migrator::new(set).run(&mut direct).await.unwrap_or_else(|e| panic!("{fault:?}: {e}"));
    let reported: Vec<_> =
        report.iter().flat_map(|r| &r.applied).map(|one| &*one.version).collect();
    assert_eq!(next.applied.len() + left.split_whitespace().filter(|word| *word != "|").count(), 7);
    assert_eq!(
        value(&direct, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM w").await,
        "2 4",
        "{fault:?}"
    );
    (reported.join(" "), left, traffic)
}
