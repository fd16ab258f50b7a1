//! `COPY ... FROM stdin` with its data in the file, as `pg_dump` writes it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::time::Duration;

use migrate_runtime::error::Kept;
use migrate_runtime::hook::{RunClient, When};
use migrate_runtime::{ErrorKind, Lock, Migrator, Rollback};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::sets::set;

const TABLE: (&str, &str) = ("1_t.sql", "CREATE TABLE t (id int PRIMARY KEY, v text);");
const ROWS: &str = "SELECT string_agg(id || '=' || coalesce(v, '-'), ' ' ORDER BY id) FROM t";

async fn ledger(client: &tokio_postgres::Client) -> String {
    let sql = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger \
               WHERE ended_position = 0 AND progress IS NULL";
    value(client, sql).await
}

#[tokio::test]
async fn data_arrives_as_it_is_and_only_once() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let files = [
        TABLE,
        (
            "2_rows.sql",
            "\\restrict x;\nINSERT INTO t VALUES (0);\nCOPY t (id, v) FROM stdin; -- rows\n\
             1\ta;b\n2\t\\N\n3\tit's {{schema}} $1 :x\n4\t-- DOWN\n\\.\n\
             INSERT INTO t VALUES (5);\nCOPY t FROM STDIN WITH (FORMAT csv, HEADER);\n\
             id,v\n6,\"a\nb\"\n\\.\n\\unrestrict x;\n",
        ),
        ("3_none.sql", "COPY t FROM stdin;\n\\.\n"),
        ("4_c.sql", "ALTER TABLE t ADD c int;"),
    ];
    let set = set(&files);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 4);
    let expected = "0=- 1=a;b 2=- 3=it's {{schema}} $1 :x 4=-- DOWN 5=- 6=a\nb";
    assert_eq!(value(&client, ROWS).await, expected);
    assert_eq!(Migrator::new(&set).run(&mut client).await.expect("again").messages, 1);
    let edited = files.map(|(name, sql)| (name, sql.replace("a;b", "a;c")));
    let edited: Vec<_> = edited.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
    let error = Migrator::new(&migrate_tests::sets::set(&edited)).run(&mut client).await;
    assert!(error.expect_err("the data is a part of the checksum").to_string().contains("2_rows"));
}

#[tokio::test]
async fn many_rows_arrive() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let rows: Vec<String> = (0..40_000).map(|id| format!("{id}\tsome text of a row\n")).collect();
    let rows = rows.concat();
    let set = set(&[TABLE, ("2_rows.sql", &format!("COPY t FROM stdin;\n{rows}\\.\n"))]);
    Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "40000");
}

#[tokio::test]
async fn bad_row_is_shown_with_its_place_and_nothing_is_kept() {
    let (_database, mut client) = FreshDatabase::connected().await;
    for (head, rows, place) in [
        ("", "1\ta\nx\tb\n2\tc\n", "migrations/2_rows.sql:4:1"),
        ("", "1\ta\n3\tb\n1\tc\n", "migrations/2_rows.sql:5:1"),
        ("", "1\n", "migrations/2_rows.sql:3:1"),
        ("-- migrate:no-transaction\n", "1\ta\nx\tb\n", "migrations/2_rows.sql:5:1"),
        ("-- migrate:no-transaction\nBEGIN;", "1\ta\nx\tb\n", "migrations/2_rows.sql:5:1"),
    ] {
        let end = if head.contains("BEGIN") { "COMMIT;" } else { "" };
        let sql = format!(
            "{head}INSERT INTO t VALUES (0) ON CONFLICT DO NOTHING;\n\
             COPY t (id, v) FROM stdin;\n{rows}\\.\n{end}"
        );
        let set = set(&[TABLE, ("2_rows.sql", &sql)]);
        let error = Migrator::new(&set).run(&mut client).await.expect_err("a bad row");
        let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
        let text = error.to_string();
        assert!(text.contains(&format!("{place}: ")), "{text}");
        assert_eq!(failure.statement.as_deref(), Some("COPY t (id, v) FROM stdin"));
        let first_stays = head.ends_with("transaction\n");
        let kept =
            Kept::Statements { done: usize::from(first_stays), of: 1 + usize::from(first_stays) };
        assert_eq!(failure.kept, if head.is_empty() { Kept::Nothing } else { kept });
        let rows = if first_stays { "0=-" } else { "NULL" };
        assert_eq!(value(&client, ROWS).await, rows);
        assert_eq!(ledger(&client).await, "1");
        client
            .batch_execute("TRUNCATE t; DELETE FROM migration_ledger WHERE version = '2'")
            .await
            .unwrap();
    }
}

/// A `COPY` that the server refuses at once would cost the connection.
#[tokio::test]
async fn copy_that_cannot_begin_is_shown_and_keeps_the_connection() {
    let database = FreshDatabase::create().await;
    let (mut client, other) = (database.connect().await, database.connect().await);
    for head in ["", "-- migrate:no-transaction\n"] {
        let sql = format!("{head}COPY t (id, w) FROM stdin;\n1\ta\n\\.\n");
        let set = set(&[TABLE, ("2_rows.sql", &sql)]);
        let error = Migrator::new(&set).run(&mut client).await.expect_err("no column");
        let place = format!("migrations/2_rows.sql:{}:1: ", 1 + head.lines().count());
        assert!(error.to_string().contains(&place), "{error}");
        assert_eq!(value(&client, "SELECT 1").await, "1");
        client.batch_execute("DELETE FROM migration_ledger WHERE version = '2'").await.unwrap();
    }
    let set = set(&[TABLE, ("2_rows.sql", "COPY t FROM stdin;\n1\ta\n\\.\n")]);
    other.batch_execute("BEGIN; LOCK TABLE t").await.expect("a lock");
    let short = Migrator::new(&set).lock_timeout(Duration::from_millis(20)).retries(1);
    let error = short.run(&mut client).await.expect_err("the table is locked");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((failure.sqlstate.as_deref(), failure.tries), (Some("55P03"), 2));
    other.batch_execute("ROLLBACK").await.expect("the lock is released");
    Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, ROWS).await, "1=a");
}

#[tokio::test]
async fn outside_a_transaction_data_is_resumed_after_what_took_effect() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let files = |last: &str| {
        let sql = format!(
            "-- migrate:no-transaction\nCOPY t FROM stdin;\n1\ta\n\\.\n\
             BEGIN;\nCOPY t FROM stdin;\n2\tb\n\\.\nCOMMIT;\nVACUUM t;\n{last};\n"
        );
        set(&[TABLE, ("2_rows.sql", &sql)])
    };
    let error = Migrator::new(&files("VACUUM missing")).run(&mut client).await;
    error.expect_err("a missing table");
    assert_eq!(value(&client, ROWS).await, "1=a 2=b");
    let fixed = files("VACUUM");
    Migrator::new(&fixed).allow_edited().run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, ROWS).await, "1=a 2=b");
    assert_eq!(ledger(&client).await, "1 2");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn data_is_tried_out_and_undone() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let files = [
        TABLE,
        (
            "2_rows.sql",
            "-- UP\nCOPY t FROM stdin;\n1\ta\n\\.\n\
             -- DOWN\nTRUNCATE t;\nCOPY t FROM stdin;\n7\tundone\n\\.\n",
        ),
    ];
    let both = set(&files);
    let trial = Migrator::new(&both).trial(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(trial.ran.len(), 2);
    assert_eq!(value(&client, "SELECT to_regclass('t') IS NULL").await, "t");
    for older in [&both, &set(&files[..1])] {
        Migrator::new(&both).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(value(&client, ROWS).await, "1=a");
        let migrator = Migrator::new(older);
        let undone = migrator.rollback(&mut client, Rollback::Steps(1)).await;
        assert_eq!(undone.unwrap_or_else(|e| panic!("{e}")).undone.len(), 1);
        assert_eq!(value(&client, ROWS).await, "7=undone");
        client.batch_execute("TRUNCATE t").await.expect("an empty table");
    }
}

async fn nothing(_: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    Ok(())
}

#[tokio::test]
async fn schemas_hooks_and_row_locks_go_with_data() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[
        ("1_t.sql", "CREATE TABLE {{tables.t}} (id int);"),
        (
            "2_rows.sql",
            "COPY {{tables.t}} FROM stdin;\n1\n\\.\nCOPY {{tables.t}} FROM stdin;\nx\n\\.\n",
        ),
    ]);
    let migrator = Migrator::new(&set)
        .schema("s")
        .create_schema()
        .lock(Lock::Row)
        .hook(When::BeforeEach, nothing);
    let error = migrator.run(&mut client).await.expect_err("a bad row");
    assert!(error.to_string().contains("migrations/2_rows.sql:5:1: "), "{error}");
    assert_eq!(value(&client, "SELECT count(*) FROM s.t").await, "0");
}

#[tokio::test]
async fn dropped_run_leaves_no_transaction_and_no_rows() {
    let database = FreshDatabase::create().await;
    let (mut client, other) = (database.connect().await, database.connect().await);
    Migrator::new(&set(&[TABLE])).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let both = set(&[TABLE, ("2_rows.sql", "COPY t FROM stdin;\n1\ta\n\\.\n")]);
    other.batch_execute("BEGIN; LOCK TABLE t").await.expect("a lock");
    {
        let migrator = Migrator::new(&both);
        let mut run = pin!(migrator.run(&mut client));
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        loop {
            let waiting = value(&other, waits);
            let mut waiting = pin!(waiting);
            let found = poll_fn(|context| {
                assert!(run.as_mut().poll(context).is_pending(), "the table is locked");
                waiting.as_mut().poll(context)
            });
            if found.await == "1" {
                break;
            }
        }
    }
    other.batch_execute("ROLLBACK").await.expect("the lock is released");
    assert_eq!(value(&client, ROWS).await, "NULL");
    Migrator::new(&both).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, ROWS).await, "1=a");
}
