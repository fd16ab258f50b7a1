//! What a migration sets in its session stays in that migration.

use std::time::Duration;

use migrate_runtime::Migrator;
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::furnished::{Case, Furnished, Way, leftovers_of};
use migrate_tests::sets::set;
use tokio_postgres::{AsyncMessage, NoTls};

#[tokio::test]
async fn settings_reach_neither_the_ledger_nor_the_next_migration_nor_the_caller() {
    let (database, mut client) = FreshDatabase::connected().await;
    let role = format!("role_{}", database.name());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}; CREATE SCHEMA other; \
             SET work_mem = '7MB'; SET search_path = public, other"
        ))
        .await
        .expect("a role");
    let role_sql = format!("SET ROLE {role}; CREATE TABLE by_role (id int);");
    let authorization = format!("SET SESSION AUTHORIZATION {role}; CREATE TABLE by_user (id int);");
    let set = set(&[
        (
            "1_dump.sql",
            "SET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\nSET client_min_messages = warning;\nCREATE TABLE public.dumped (id int);",
        ),
        (
            "2_path.sql",
            "CREATE TABLE first_in_path (id int); SET search_path = other; CREATE TABLE in_other (id int);",
        ),
        ("3_role.sql", &role_sql),
        ("4_authorization.sql", &authorization),
        ("5_read_only.sql", "SET default_transaction_read_only = on; SET work_mem = '9MB';"),
        ("6_block.sql", "DO $$ BEGIN PERFORM set_config('search_path', 'other', false); END $$;"),
        ("7_local.sql", "SET LOCAL work_mem = '11MB'; CREATE TABLE last_in_path (id int);"),
        (
            "8_vacuum.sql",
            "-- migrate:no-transaction\nSET search_path = other;\nSET work_mem = '13MB';\nVACUUM in_other;",
        ),
        ("9_end.sql", "CREATE TABLE at_the_end (id int);"),
    ]);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 9);
    let places = "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename) FROM pg_tables \
                  WHERE schemaname IN ('public', 'other') AND tablename <> 'migration_ledger'";
    assert_eq!(
        value(&client, places).await,
        "public.at_the_end public.by_role public.by_user public.dumped public.first_in_path \
         other.in_other public.last_in_path"
    );
    let settings = "SELECT concat_ws('; ', current_setting('search_path'), current_setting('work_mem'), \
                    current_setting('default_transaction_read_only'), current_setting('client_min_messages'), \
                    current_user = session_user, current_setting('synchronous_commit'))";
    assert_eq!(value(&client, settings).await, "public, other; 7MB; off; notice; t; on");
}

#[tokio::test]
async fn callers_role_and_isolation_level_are_kept() {
    let (database, mut client) = FreshDatabase::connected().await;
    let role = format!("role_{}", database.name());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}; SET ROLE {role}; \
             SET default_transaction_isolation = 'serializable'"
        ))
        .await
        .expect("a role");
    let set = set(&[
        ("1_a.sql", "SET work_mem = '9MB'; CREATE TABLE a (id int);"),
        ("2_b.sql", "RESET ROLE; SET search_path = '';"),
    ]);
    Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let now = "SELECT current_user || ' ' || current_setting('default_transaction_isolation')";
    assert_eq!(value(&client, now).await, format!("{role} serializable"));
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'migration_ledger'";
    assert_eq!(value(&client, owner).await, role);
}

#[tokio::test]
async fn backslashes_are_read_as_the_build_read_them() {
    let files = [
        // If backslashes escape, the quote after one does not end the string.
        (
            "1_a.sql",
            "CREATE TABLE s (n serial, v text); INSERT INTO s (v) VALUES ('a\\'), ('b\\\\');",
        ),
        ("2_b.sql", "INSERT INTO s (v) VALUES ('c\\nd');"),
        ("3_c.sql", "-- migrate:no-transaction\nINSERT INTO s (v) VALUES ('e\\\\');\nVACUUM s;"),
    ];
    for upto in 1..=files.len() {
        let (_database, mut client) = FreshDatabase::connected().await;
        if upto > 1 {
            Migrator::new(&set(&files[..upto - 1])).run(&mut client).await.expect("a run");
        }
        client.batch_execute("SET standard_conforming_strings = off").await.expect("a setting");
        let set = set(&files);
        Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(value(&client, "SHOW standard_conforming_strings").await, "off");
        let read = "SELECT string_agg(v, ' ' ORDER BY n) FROM s";
        assert_eq!(value(&client, read).await, "a\\ b\\\\ c\\nd e\\\\");
    }
}

const OBJECTS: &[Case] = &[
    ("temporary table", "CREATE TEMP TABLE left_t (id serial PRIMARY KEY, b text);"),
    ("temporary view", "CREATE TEMPORARY VIEW left_v AS SELECT 1 AS a;"),
    (
        "temporary views on tables",
        "CREATE TEMP TABLE left_t (a int); CREATE VIEW left_v AS SELECT * FROM left_t;",
    ),
    ("temporary sequence", "CREATE TEMP SEQUENCE left_s;"),
    (
        "temporary table as",
        "CREATE TABLE pg_temp.left_t AS SELECT 1 AS a; CREATE INDEX left_i ON left_t (a);",
    ),
    ("select into", "SELECT 1 AS a INTO TEMP left_t;"),
    (
        "temporary partitions",
        "CREATE TEMP TABLE left_t (a int) PARTITION BY LIST (a); \
         CREATE TEMP TABLE left_p PARTITION OF left_t DEFAULT;",
    ),
    ("dropped with its transaction", "CREATE TEMP TABLE left_t (a int) ON COMMIT DROP;"),
    ("odd name", "CREATE TEMP TABLE \"Left; \"\"t\" (a int);"),
];

const CURSORS: &[Case] = &[("cursor", "DECLARE \"Left; \"\"c\" CURSOR WITH HOLD FOR SELECT 1;")];

const PREPARED: &[Case] = &[
    ("prepared statement", "PREPARE left_p AS SELECT 1;"),
    ("odd prepared statement", "PREPARE \"Left; \"\"p\" AS SELECT 1;"),
    ("prepared by execute", "DO $$ BEGIN EXECUTE 'PREPARE left_p AS SELECT 1'; END $$;"),
];

const CHANNELS: &[Case] = &[
    ("listen", "LISTEN left_l; LISTEN \"Left; \"\"l\";"),
    ("unlisten", "UNLISTEN mine;"),
    ("unlisten all", "UNLISTEN *; LISTEN left_l; NOTIFY left_l;"),
    ("listen in a block", "DO $$ BEGIN LISTEN left_l; EXECUTE 'UNLISTEN mine'; END $$;"),
];

const SETTINGS: &[Case] = &[
    ("role", "SET ROLE {role};"),
    ("local role", "SET LOCAL ROLE {role};"),
    ("authorization", "SET SESSION AUTHORIZATION {role};"),
    ("local authorization", "SET LOCAL SESSION AUTHORIZATION {role}; SET ROLE {role};"),
    ("reset all", "RESET ALL;"),
    ("reset", "RESET work_mem; SET search_path TO DEFAULT; SET TIME ZONE 'Asia/Tokyo';"),
    ("strings", "SET standard_conforming_strings = off; SET backslash_quote = on;"),
    ("lock timeout", "SET lock_timeout = '3s'; SET statement_timeout = '44s';"),
    ("local timeouts", "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = 0;"),
    ("asynchronous", "SET synchronous_commit = off;"),
    ("synchronous", "SET synchronous_commit = on;"),
    ("style", "SET datestyle = 'SQL, MDY'; SET intervalstyle = 'iso_8601';"),
    ("security", "SET row_security = off; SET session_replication_role = replica;"),
    ("empty path", "SELECT pg_catalog.set_config('search_path', '', false);"),
    ("block", "DO $$ BEGIN SET work_mem = '9MB'; CREATE TEMP TABLE left_t (a int); END $$;"),
    (
        "execute",
        "DO $$ BEGIN EXECUTE 'SET work_mem = ''9MB'''; EXECUTE 'SET LOCAL ROLE {role}'; END $$;",
    ),
    ("reset in a block", "DO $$ BEGIN RESET ALL; END $$;"),
];

/// Outside a transaction, where each statement is a message, they are refused: see `encodings`.
const ENCODINGS: &[Case] =
    &[("encoding", "SET client_encoding = 'SJIS';"), ("names", "SET NAMES 'SQL_ASCII';")];

const READ_ONLY: &[Case] = &[
    ("read only", "SET default_transaction_read_only = on;"),
    (
        "characteristics",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY;",
    ),
];

const ALL: &[&[Case]] = &[OBJECTS, CURSORS, PREPARED, CHANNELS, SETTINGS, ENCODINGS, READ_ONLY];
const OUTSIDE: &[&[Case]] = &[OBJECTS, CURSORS, PREPARED, SETTINGS];
const NONE: [&str; 0] = [];

#[tokio::test]
async fn nothing_is_left_to_the_next_migration_of_the_same_message() {
    assert_eq!(leftovers_of(ALL, Way::Together).await, NONE);
}

#[tokio::test]
async fn nothing_is_left_to_a_later_message() {
    assert_eq!(leftovers_of(ALL, Way::Apart).await, NONE);
}

#[tokio::test]
async fn nothing_is_left_by_what_runs_outside_a_transaction() {
    assert_eq!(leftovers_of(OUTSIDE, Way::Outside).await, NONE);
}

#[tokio::test]
async fn nothing_is_left_by_what_fails() {
    let undone = &[OBJECTS, CURSORS, CHANNELS, SETTINGS, ENCODINGS, READ_ONLY];
    assert_eq!(leftovers_of(undone, Way::Fails).await, NONE);
    assert_eq!(leftovers_of(OUTSIDE, Way::FailsOutside).await, NONE);
}

#[tokio::test]
async fn dropped_runs_leave_the_session_as_it_was() {
    let mut at = Furnished::create("").await;
    let inside = "SET work_mem = '9MB'; SET search_path = ''; LISTEN left_l; UNLISTEN mine; \
                  PREPARE left_p AS SELECT 1; CREATE TEMP TABLE left_t (a int);";
    let (found, points) = at.left_when_dropped(("inside", inside)).await;
    assert_eq!(found, NONE);
    assert!(points > 2, "{points}");
    let outside = "-- migrate:no-transaction\nSET work_mem = '9MB'; SET search_path = ''; \
                   PREPARE left_p AS SELECT 1; VACUUM public.seen; RESET ALL; \
                   CREATE TEMP TABLE left_t (a int);";
    let (found, points) = at.left_when_dropped(("outside", outside)).await;
    assert_eq!(found, NONE);
    assert!(points > 10, "{points}");
    at.is_usable().await;
}

#[tokio::test]
async fn notifications_arrive_during_a_run() {
    let database = FreshDatabase::create().await;
    let (mut client, mut connection) = database.config().connect(NoTls).await.expect("a client");
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(heard) = message {
                let _ = sender.send(format!("{} {}", heard.channel(), heard.payload()));
            }
        }
    });
    client.batch_execute("LISTEN mine").await.expect("a channel");
    let sql = "LISTEN other; UNLISTEN mine; UNLISTEN *; NOTIFY other; SELECT pg_sleep(0.005);";
    let names: Vec<String> = (1..=40).map(|n| format!("{n}_x.sql")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), sql)).collect();
    let set = set(&files);
    let other = database.connect().await;
    let run = async {
        let report = Migrator::new(&set).chunk_bytes(400).run(&mut client).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 40);
    };
    let notify = async {
        for number in 1..=100 {
            other.batch_execute(&format!("NOTIFY mine, '{number}'")).await.expect("a notification");
        }
    };
    tokio::join!(run, notify);
    client.batch_execute("NOTIFY other, 'unheard'; NOTIFY mine, 'end'").await.expect("the end");
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "mine end") {
        // If it never comes, the test must fail and not hang.
        let next = tokio::time::timeout(Duration::from_secs(30), receiver.recv()).await;
        heard
            .push(next.unwrap_or_else(|_| panic!("no more than {heard:?}")).expect("a connection"));
    }
    let expected = (1..=100).map(|number| format!("mine {number}"));
    assert_eq!(heard, expected.chain(["mine end".to_owned()]).collect::<Vec<_>>());
}

#[tokio::test]
async fn small_roles_that_reset_all() {
    // A setting that only a superuser can change, set for the role at login.
    let (database, admin) = FreshDatabase::connected().await;
    let role = format!("role_{}", database.name());
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'small' ; ALTER ROLE {role} SET session_replication_role = replica; \
         ALTER ROLE {role} SET log_min_messages = error; GRANT CREATE ON SCHEMA public TO {role}"
    );
    admin.batch_execute(&sql).await.expect("a role");
    let mut config = database.config();
    config.user(&role).password("small");
    let mut client = connect(&config).await;
    client.batch_execute("SET work_mem = '7MB'").await.expect("a setting");
    let set = set(&[("1_a.sql", "RESET ALL;"), ("2_b.sql", "SET work_mem = '9MB';")]);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 2);
    let settings = "SELECT concat_ws(' ', current_setting('work_mem'), \
                    current_setting('session_replication_role'), current_setting('log_min_messages'))";
    assert_eq!(value(&client, settings).await, "7MB replica error");
}
