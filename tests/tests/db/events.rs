//! The events for `tracing`, in a process of their own: a thread of another test without a listener could
//! turn the events off before this one listens.

use std::env;
use std::future::poll_fn;
use std::process::Command;
use std::time::Duration;

use migrate_runtime::{Lock, Migrator, Rollback};
use migrate_tests::database::{FreshDatabase, connect};
use migrate_tests::sets::set;
use tokio_postgres::{AsyncMessage, NoTls};
use tracing::Level;
use tracing_subscriber::fmt::format::FmtSpan;

/// Keeps what is logged while it listens.
#[derive(Clone, Default)]
struct Listener(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the listener").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The events of `run`, one per line.
async fn logged(run: impl Future<Output = ()>) -> Vec<String> {
    heard(run, FmtSpan::NONE, Level::INFO).await
}

/// The same with the spans, when they end.
async fn heard(run: impl Future<Output = ()>, spans: FmtSpan, level: Level) -> Vec<String> {
    let listener = Listener::default();
    let writer = listener.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_span_events(spans)
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    run.await;
    drop(guard);
    let logged =
        String::from_utf8(listener.0.lock().expect("the listener").clone()).expect("UTF-8");
    logged.lines().filter(|line| line.contains("migrate_runtime")).map(str::to_owned).collect()
}

/// Set for the process that listens.
const ALONE: &str = "MIGRATE_TESTS_ALONE";

#[test]
fn runs_and_waits_are_reported_to_tracing() {
    if env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return runtime.expect("a runtime").block_on(runs_and_waits());
    }
    let mut alone = Command::new(env::current_exe().expect("this test"));
    alone.args(["--exact", "events::runs_and_waits_are_reported_to_tracing", "--nocapture"]);
    let output = alone.env(ALONE, "1").output().expect("a process of its own");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

async fn runs_and_waits() {
    let (database, mut client) = FreshDatabase::connected().await;
    let one = set(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let lines = logged(async {
        Migrator::new(&one).run(&mut client).await.expect("a run");
    })
    .await;
    assert!(lines[0].contains("migration applied version=\"1\" name=\"a\" ms="), "{lines:?}");
    let end = "migrations are up to date applied=1 skipped=0 messages=3";
    assert!(lines[1].ends_with(end), "{lines:?}");

    // A boot with nothing to do is quiet.
    let lines = logged(async {
        Migrator::new(&one).run(&mut client).await.expect("a run");
    })
    .await;
    assert_eq!(lines, [""; 0]);
    let two = set(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", "SELECT pg_sleep(4);")]);
    let mut other = connect(database.config().application_name("other")).await;
    let lines = logged(async {
        let first = Migrator::new(&two);
        let second = Migrator::new(&two);
        let (a, b) = tokio::join!(first.run(&mut other), second.run(&mut client));
        let (a, b) = (a.expect("a run"), b.expect("a run"));
        assert_eq!(a.applied.len() + b.applied.len(), 1);
        assert!(a.waited.max(b.waited) > Duration::from_secs(2), "{a:?} {b:?}");
    })
    .await;
    let waits: Vec<_> = lines.iter().filter(|line| line.contains("waiting for another")).collect();
    assert_eq!(waits.len(), 1, "{lines:?}");
    for part in ["holder.pid=", "holder.application_name=", "holder.since=\"20"] {
        assert!(waits[0].contains(part), "{waits:?}");
    }

    spans_carry_the_names_of_opentelemetry().await;
}

/// The driver logs each notice at `info`.
#[tokio::test]
async fn the_library_causes_no_notices() {
    let database = FreshDatabase::create().await;
    let (mut client, mut connection) = database.config().connect(NoTls).await.expect("a client");
    let notices = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = notices.clone();
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let Ok(AsyncMessage::Notice(notice)) = message {
                seen.lock().expect("the notices").push(notice.message().to_owned());
            }
        }
    });
    let index = "-- migrate:no-transaction\n-- migrate:up\nCREATE INDEX CONCURRENTLY i ON a (id);\n\
                 -- migrate:down\nDROP INDEX CONCURRENTLY i;";
    let all = [
        ("1_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;"),
        ("2_i.sql", index),
        ("3_b.sql", "SELECT 1/0;"),
    ];
    let (set, broken) = (set(&all[..2]), set(&all));
    for lock in [Lock::Detect, Lock::Row] {
        let new = |set| Migrator::new(set).schema("own").create_schema().lock(lock);
        new(&set).trial(&mut client).await.expect("a trial");
        new(&set).run(&mut client).await.expect("a run");
        new(&broken).run(&mut client).await.expect_err("a division by zero");
        new(&set).run(&mut client).await.expect("a run");
        new(&set).verify(&client).await.expect("up to date");
        new(&set).rollback(&mut client, Rollback::All).await.expect("a rollback");
        new(&set).status(&client).await.expect("a status");
    }
    // The message itself shows that notices are seen.
    client.batch_execute("DO $$ BEGIN RAISE NOTICE 'last'; END $$").await.expect("a notice");
    assert_eq!(*notices.lock().expect("the notices"), ["last"]);
}

async fn spans_carry_the_names_of_opentelemetry() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let index = "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\n\
                 COMMENT ON TABLE a IS 'postgres://me:pw@h/d';";
    let broken = set(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_i.sql", index),
        ("3_b.sql", "SELECT 1/0;"),
    ]);
    let lines = heard(
        async {
            Migrator::new(&broken).run(&mut client).await.expect_err("a division by zero");
        },
        FmtSpan::CLOSE,
        Level::DEBUG,
    )
    .await;
    let closed = |name: &str| -> Vec<&String> {
        let is =
            |line: &&String| line.ends_with("spans: close") && last_span(line).starts_with(name);
        lines.iter().filter(is).collect()
    };
    let migrations = closed("migrate.migration{");
    assert_eq!(migrations.len(), 3, "{lines:#?}");
    for part in ["db.system.name=\"postgresql\"", "db.operation.name=up", "migrate.version=\"1\""] {
        assert!(migrations[0].contains(part), "{part}: {migrations:#?}");
    }
    let failed = ["otel.status_code=\"ERROR\"", "db.response.status_code=\"22012\""];
    assert!(failed.iter().all(|part| migrations[2].contains(part)), "{migrations:#?}");
    assert!(!migrations[1].contains("ERROR"), "{migrations:#?}");
    let statements = closed("migrate.statement{");
    assert_eq!(statements.len(), 2, "{lines:#?}");
    assert!(statements[0].contains("db.query.text=\"CREATE INDEX CONCURRENTLY i ON a (id)\""));
    assert!(statements[1].contains("postgres://me:***@h/d"), "{statements:#?}");
    assert!(statements[0].contains("migrate.run{"), "{statements:#?}");
    let runs = closed("migrate.run{");
    assert_eq!(runs.len(), 1, "{lines:#?}");
    for part in ["db.collection.name=\"public.migration_ledger\"", "migrate.applied=2", "22012"] {
        assert!(runs[0].contains(part), "{part}: {runs:#?}");
    }
    // Also where nothing was sent, and no server gave a code.
    let lines = heard(
        async {
            Migrator::new(&broken).schema("").run(&mut client).await.expect_err("an empty name");
        },
        FmtSpan::CLOSE,
        Level::INFO,
    )
    .await;
    let failed = ["otel.status_code=\"ERROR\"", "error.type=\"usage\""];
    assert!(failed.iter().all(|part| lines[0].contains(part)), "{lines:#?}");
}

/// The innermost span of a line.
fn last_span(line: &str) -> &str {
    let spans = line.split(": migrate_runtime::").next().unwrap_or_default();
    spans.rfind("migrate.").map_or("", |_| {
        let names = ["migrate.run{", "migrate.wait", "migrate.migration{", "migrate.statement{"];
        let last = names.iter().filter_map(|name| spans.rfind(name)).max();
        last.map_or("", |at| &spans[at..])
    })
}
