//! Citus without Citus: its own tables, as a read looks for them, and an event trigger that refuses a definition
//! whose message has another statement, as Citus does. The proof `citus` runs on real nodes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::hook::{RunClient, When};
use migrate_runtime::{Event, Lock, Migrations, Migrator, Rollback};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::set;
use tokio_postgres::Client;

/// What a node knows of the nodes.
const NODES: &str = "SET allow_system_table_mods = on; \
     CREATE TABLE pg_catalog.pg_dist_local_group (groupid int); \
     CREATE TABLE pg_catalog.pg_dist_node (nodeid int, groupid int, nodename text, nodeport int); \
     INSERT INTO pg_catalog.pg_dist_node VALUES (1, 0, 'first.example', 5432), (2, 1, 'second.example', 5432); \
     RESET allow_system_table_mods;";

/// Refuses a definition that is not alone in its message.
const ALONE: &str = "CREATE FUNCTION alone() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN \
     IF current_query() ~ ';.*\\w' AND tg_tag <> 'DROP TABLE' THEN \
     RAISE 'cannot insert multiple commands into a prepared statement'; END IF; END$$; \
     CREATE EVENT TRIGGER alone ON ddl_command_start EXECUTE FUNCTION alone();";

const T: (&str, &str) =
    ("1_t.sql", "CREATE TABLE t (a int, waits text);\nCREATE INDEX t_a ON t (a);");
const SETTING: (&str, &str) = (
    "2_s.sql",
    "INSERT INTO t VALUES (1, current_setting('synchronous_commit') || current_setting('lock_timeout'));\n\
     ALTER TABLE t ADD COLUMN b int;",
);
const INDEX: (&str, &str) = (
    "3_i.sql",
    "-- migrate:no-transaction\nALTER TABLE t ALTER COLUMN b SET DEFAULT 1;\n\
     CREATE INDEX CONCURRENTLY t_b ON t (b);\nINSERT INTO t VALUES (3);",
);
const LAST: [(&str, &str); 2] = [
    ("4_l.up.sql", "ALTER TABLE t ADD COLUMN c int;\nALTER TABLE t RENAME COLUMN c TO d;"),
    ("4_l.down.sql", "ALTER TABLE t RENAME COLUMN d TO c;\nALTER TABLE t DROP COLUMN c;"),
];

fn all() -> Migrations {
    set(&[[T, SETTING, INDEX].as_slice(), &LAST].concat())
}

/// A database of a node in this group.
async fn node(group: i32) -> (FreshDatabase, Client) {
    let (database, client) = FreshDatabase::connected().await;
    let group = format!("INSERT INTO pg_catalog.pg_dist_local_group VALUES ({group})");
    let name = database.name();
    let lazy = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    for sql in [NODES, &group, ALONE, &lazy] {
        client.batch_execute(sql).await.expect(sql);
    }
    let client = database.connect().await;
    (database, client)
}

/// How many columns the table has, how many entries and locks there are.
async fn left(client: &Client) -> String {
    let entries =
        "SELECT count(*) FROM migration_ledger WHERE ended_position = 0 AND progress IS NULL";
    let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('t') AND attnum > 0 AND NOT attisdropped";
    let [columns, entries] = [value(client, columns).await, value(client, entries).await];
    format!("{columns} columns, {entries} entries, {} locks", value(client, ADVISORY_LOCKS).await)
}

#[tokio::test]
async fn definitions_are_alone_in_their_message_on_a_coordinator() {
    for lock in [Lock::Detect, Lock::Row] {
        let (database, mut client) = node(0).await;
        let set = all();
        let migrator = Migrator::new(&set).lock(lock);
        let report = migrator.run(&mut client).await.expect("a run");
        assert_eq!(report.applied.len(), 4, "{report}");
        assert_eq!(
            report.notes.iter().filter(|note| note.starts_with("Citus: ")).count(),
            1,
            "{report}"
        );
        assert_eq!(left(&client).await, "4 columns, 4 entries, 0 locks");
        // The role's own setting is not used, and the limit is that of every run.
        assert_eq!(value(&client, "SELECT waits FROM t WHERE a = 1").await, "on5s");
        assert_eq!(value(&client, "SHOW synchronous_commit").await, "off");
        let again = migrator.run(&mut client).await.expect("nothing pending");
        assert_eq!((again.messages, again.notes.len()), (1, 0), "{again}");
        migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("a rollback");
        assert_eq!(left(&client).await, "3 columns, 3 entries, 0 locks");
        migrator.trial(&mut database.connect().await).await.expect("a trial");
        assert_eq!(left(&client).await, "3 columns, 3 entries, 0 locks");
    }
}

#[tokio::test]
async fn same_set_fails_where_the_nodes_are_not_known() {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(ALONE).await.expect("an event trigger");
    let error = Migrator::new(&all()).run(&mut client).await.expect_err("several in a message");
    assert!(error.to_string().contains("cannot insert multiple commands"), "{error}");
}

#[tokio::test]
async fn each_statement_is_a_message_and_each_transaction_one() {
    let (database, _) = node(0).await;
    let proxy = CountingProxy::start(&database.config()).await;
    let mut client = proxy.connect().await;
    let set = set(&[T, SETTING]);
    let report = Migrator::new(&set).run(&mut client).await.expect("a run");
    let messages: Vec<String> = proxy.messages().into_iter().map(|message| message.sql).collect();
    assert_eq!(report.messages as usize, messages.len());
    let first_words: Vec<String> = messages
        .iter()
        .map(|sql| sql.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "SELECT WHERE", // the read
        "SELECT g.groupid", "BEGIN ISOLATION", // the lock
        "DO 'BEGIN", "CREATE TABLE", // the ledger
        "DO 'BEGIN", "COMMIT ;", // and the guard of the first migration
        "CREATE TABLE", "CREATE INDEX", "WITH w", // its entry, and the commit
        "BEGIN ISOLATION", "DO 'BEGIN", "INSERT INTO", "ALTER TABLE", "WITH w",
        "SET LOCAL", // because the migration names the setting
        "COMMIT",
    ];
    assert_eq!(first_words, expected);
}

#[tokio::test]
async fn place_of_a_failure_is_that_of_its_statement() {
    let (_database, mut client) = node(0).await;
    let broken = (
        "2_é.sql",
        "ALTER TABLE t ADD COLUMN é int;\n  ALTER TABLE t\n  DROP COLUMN é, DROP COLUMN g;",
    );
    let error = Migrator::new(&set(&[T, broken])).run(&mut client).await.expect_err("no column");
    assert!(error.to_string().starts_with("migrations/2_é.sql:2:3: "), "{error}");
    assert_eq!(left(&client).await, "2 columns, 1 entries, 0 locks");
    let misspelt = ("2_m.sql", "SELECT 'é';\nALTER TABLE t RENAME COLUMN 'a' TO b;");
    let unparsed = migrate_tests::sets::unparsed(&[T, misspelt]);
    let error = Migrator::new(&unparsed).run(&mut client).await.expect_err("a syntax error");
    assert!(error.to_string().starts_with("migrations/2_m.sql:2:29: "), "{error}");
}

#[tokio::test]
async fn nothing_runs_on_a_worker() {
    let (_database, mut client) = node(1).await;
    let set = all();
    for lock in [Lock::Detect, Lock::Row] {
        let migrator = Migrator::new(&set).lock(lock);
        let expected = "this server is a worker of Citus, and migrations run on its coordinator\n\
                        help: connect to the coordinator, first.example:5432";
        let error = migrator.run(&mut client).await.expect_err("a worker");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.code(), "citus_worker");
        let error = migrator.baseline(&mut client, "2").await.expect_err("a worker");
        assert_eq!(error.to_string(), expected);
        let error = migrator.trial(&mut client).await.expect_err("a worker");
        assert_eq!(error.to_string(), expected);
    }
    client
        .batch_execute("DELETE FROM pg_catalog.pg_dist_node")
        .await
        .expect("a worker without metadata");
    let error = Migrator::new(&set).run(&mut client).await.expect_err("a worker");
    assert!(error.to_string().ends_with("\nhelp: connect to the coordinator"), "{error}");
    assert_eq!(value(&client, "SELECT to_regclass('migration_ledger') IS NULL").await, "t");
}

#[tokio::test]
async fn hooks_and_listeners_see_each_migration_once() {
    async fn noted(context: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
        let version = context.migration().map_or("", |migration| migration.version);
        context.execute("INSERT INTO seen VALUES ($1)", &[&version]).await.map(drop)
    }
    let (_database, mut client) = node(0).await;
    client.batch_execute("CREATE TABLE seen (version text)").await.expect("a table");
    let (set, finished) = (all(), Arc::new(Mutex::new(String::new())));
    let heard = Arc::clone(&finished);
    let listener = move |event: &Event<'_>| {
        if let Event::Finished(applied) = event {
            heard.lock().expect("no panic").push_str(&applied.version);
        }
    };
    let migrator = Migrator::new(&set).hook(When::AfterEach, noted).on(listener);
    let migrator = migrator.deadline(Duration::from_mins(5));
    migrator.run(&mut client).await.expect("a run");
    assert_eq!(
        value(&client, "SELECT string_agg(version, ' ' ORDER BY version) FROM seen").await,
        "1 2 3 4"
    );
    assert_eq!(*finished.lock().expect("no panic"), "1234");
}

#[tokio::test]
async fn run_that_creates_the_extension_is_sent_alone_from_there_on() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let extension = format!("-- CREATE EXTENSION Citus\nSELECT 1;\n{ALONE}\nSELECT 2;");
    let set = set(&[
        ("0_before.sql", "SELECT 0;"),
        ("1_citus.sql", &extension),
        ("2_t.sql", T.1),
        ("3_s.sql", SETTING.1),
    ]);
    let report = Migrator::new(&set).run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 4);
}

#[tokio::test]
async fn adoption_writes_a_ledger_there() {
    let (_database, mut client) = node(0).await;
    let table =
        "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('1')";
    for sql in table.split("; ") {
        client.batch_execute(sql).await.expect("another tool's table");
    }
    let set = all();
    let adopted = Migrator::new(&set).adopt(&mut client, Adopt::Dbmate).await.expect("an adoption");
    assert_eq!(adopted.amended.len(), 1);
}
