//! The lock row through a PgBouncer in transaction mode, with migrations outside a transaction.

use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::hook::{When, closure};
use migrate_runtime::{ErrorKind, Event, Lock, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::pooler::{PoolMode, Pooler};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::set;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

const FIRST: (&str, &str) = ("1_t.sql", "CREATE TABLE t (a int);");
const INDEX: &str = "-- migrate:no-transaction\n\
                     INSERT INTO t VALUES (2);\nCREATE INDEX CONCURRENTLY t_a ON t (a);\n\
                     INSERT INTO t VALUES (22);";

const DEADLINE: Duration = Duration::from_secs(1);

/// Rows, entries, indexes and whether they are valid, lock rows.
const LEFT: &str = "SELECT concat_ws(' ', (SELECT count(*) FROM t), \
     (SELECT string_agg(version, ' ' ORDER BY \"position\") FROM migration_ledger \
     WHERE ended_position = 0 AND progress IS NULL), (SELECT string_agg(concat_ws(' ', indexrelid::regclass, \
     indisvalid), ' ') FROM pg_index WHERE indrelid = 't'::regclass), \
     (SELECT count(*) FROM migration_ledger WHERE module = ''))";

const BUILDING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
     AND state = 'active' AND wait_event_type = 'Lock' AND query LIKE '%CREATE INDEX CONCURRENTLY%'";

/// A database behind a pooler, and two sessions of the server itself.
struct Pooled {
    database: FreshDatabase,
    pooler: Pooler,
    direct: Client,
    other: Client,
}

impl Pooled {
    async fn start() -> Pooled {
        let database = FreshDatabase::create().await;
        let (direct, other) = (database.connect().await, database.connect().await);
        let pooler = Pooler::start(&database.config(), PoolMode::Transaction, 3).await;
        Pooled { database, pooler: pooler.expect("a pooler"), direct, other }
    }

    async fn client(&self) -> Client {
        self.pooler.connect(self.database.name()).await.expect("a client")
    }

    /// Waits until the server answers this.
    async fn wait_for(&self, sql: &str, expected: &str) {
        while value(&self.direct, sql).await != expected {
            tokio::task::yield_now().await;
        }
    }

    /// Applies [`FIRST`], and begins a transaction that is in the way of an index.
    async fn blocked(&self) {
        Migrator::new(&set(&[FIRST])).run(&mut self.client().await).await.expect("a table");
        self.other.batch_execute("BEGIN; INSERT INTO t VALUES (0)").await.expect("a transaction");
    }

    /// As if half a minute had passed since the lock was renewed.
    async fn expire(&self) {
        let sql = "UPDATE migration_ledger SET applied_at = applied_at - interval '1 h' WHERE module = ''";
        self.direct.batch_execute(sql).await.expect("an older lock");
    }
}

#[tokio::test]
async fn replicas_build_an_index_once() {
    let pooled = Pooled::start().await;
    let set = set(&[FIRST, ("2_i.sql", INDEX), ("3_b.sql", "INSERT INTO t VALUES (3);")]);
    let mut replicas = JoinSet::new();
    for _ in 0..8 {
        let (set, mut client) = (set.clone(), pooled.client().await);
        replicas.spawn(async move { Migrator::new(&set).lock(Lock::Row).run(&mut client).await });
    }
    let mut applied = 0;
    while let Some(replica) = replicas.join_next().await {
        applied += replica.expect("a replica").unwrap_or_else(|e| panic!("{e}")).applied.len();
    }
    assert_eq!(applied, 3);
    assert_eq!(value(&pooled.direct, LEFT).await, "3 1 2 3 t_a t 0");
    assert_eq!(value(&pooled.direct, ADVISORY_LOCKS).await, "0");
}

/// The server goes on with the statement of a client that is gone.
#[tokio::test]
async fn index_of_a_dead_replica_is_waited_for_and_kept() {
    let pooled = Pooled::start().await;
    let set = set(&[FIRST, ("2_i.sql", INDEX)]);
    pooled.blocked().await;
    let (mut dying, connection) =
        pooled.pooler.config(pooled.database.name()).connect(NoTls).await.expect("a client");
    let connection = tokio::spawn(connection);
    let its = set.clone();
    let run =
        tokio::spawn(async move { Migrator::new(&its).lock(Lock::Row).run(&mut dying).await });
    pooled.wait_for(BUILDING, "1").await;
    connection.abort();
    let error = run.await.expect("a task").expect_err("no connection");
    assert!(
        matches!(error.kind(), ErrorKind::Migration { .. } | ErrorKind::ConnectionLost { .. }),
        "{error}"
    );
    pooled.expire().await;
    let (mut next, migrator) = (pooled.client().await, Migrator::new(&set).lock(Lock::Row));
    let impatient = migrator.clone().wait_timeout(Duration::from_millis(300));
    let error = impatient.run(&mut next).await.expect_err("it is still built");
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    pooled.other.batch_execute("COMMIT").await.expect("a commit");
    pooled.wait_for(BUILDING, "0").await;
    let report = migrator.run(&mut next).await.unwrap_or_else(|error| panic!("{error}"));
    let [taken, kept] = report.notes.as_slice() else { panic!("{:?}", report.notes) };
    assert!(taken.starts_with("took over the lock of pid "), "{taken}");
    assert_eq!(kept, "index public.t_a was already built, and was not built again");
    assert_eq!(value(&pooled.direct, LEFT).await, "3 1 2 t_a t 0");
}

#[tokio::test]
async fn index_that_failed_is_removed_and_built_again() {
    let pooled = Pooled::start().await;
    let unique = "-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);";
    let first = ("1_t.sql", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);");
    let set = set(&[first, ("2_i.sql", unique)]);
    let (mut client, migrator) = (pooled.client().await, Migrator::new(&set).lock(Lock::Row));
    let error = migrator.run(&mut client).await.expect_err("duplicates");
    assert!(error.to_string().starts_with("migrations/2_i.sql:2:1: could not create"), "{error}");
    assert_eq!(value(&pooled.direct, LEFT).await, "2 1 t_a f 0");
    pooled.direct.batch_execute("DELETE FROM t").await.expect("no rows");
    let report = migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 1);
    assert_eq!(value(&pooled.direct, LEFT).await, "0 1 2 t_a t 0");
}

/// PgBouncer 1.18 mishandles the driver's request to cancel, so a run that has only a client sends none.
#[tokio::test]
async fn index_that_is_built_at_the_deadline_is_unknown_and_waited_for() {
    let pooled = Pooled::start().await;
    let set = set(&[FIRST, ("2_i.sql", INDEX)]);
    pooled.blocked().await;
    let migrator = Migrator::new(&set).lock(Lock::Row);
    let short = migrator.clone().deadline(DEADLINE);
    let error = short.run(&mut pooled.client().await).await.expect_err("the deadline");
    let ErrorKind::Deadline { unknown, at: None, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(unknown, &["2"], "{error}");
    assert_eq!(value(&pooled.direct, BUILDING).await, "1");
    pooled.expire().await;
    let mut next = pooled.client().await;
    let impatient = migrator.clone().wait_timeout(Duration::from_millis(300));
    let error = impatient.run(&mut next).await.expect_err("it is still built");
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    pooled.other.batch_execute("COMMIT").await.expect("a commit");
    let report = migrator.run(&mut next).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 1, "{report}");
    assert_eq!(value(&pooled.direct, LEFT).await, "3 1 2 t_a t 0");
}

#[tokio::test]
async fn index_that_is_built_at_the_deadline_is_cancelled_at_an_address() {
    let pooled = Pooled::start().await;
    let set = set(&[FIRST, ("2_i.sql", INDEX)]);
    pooled.blocked().await;
    let migrator = Migrator::new(&set).lock(Lock::Row);
    let url = format!("{}?sslmode=disable", pooled.pooler.url(pooled.database.name()));
    for _ in 0..4 {
        let error = migrator.clone().deadline(DEADLINE).run_url(&url).await;
        let error = error.expect_err("the deadline");
        let ErrorKind::Deadline { unknown, .. } = error.kind() else { panic!("{error}") };
        assert!(unknown.is_empty(), "{error}");
        assert_eq!(value(&pooled.direct, BUILDING).await, "0");
    }
    pooled.other.batch_execute("COMMIT").await.expect("a commit");
    let report = migrator.run_url(&url).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.notes.len(), 1, "{report}");
    assert_eq!(value(&pooled.direct, LEFT).await, "3 1 2 t_a t 0");
}

/// No limit can be set for a statement alone through a pooler.
#[tokio::test]
async fn index_that_a_limit_of_the_database_cuts_is_built_again() {
    let pooled = Pooled::start().await;
    let set = set(&[FIRST, ("2_i.sql", INDEX)]);
    let limit = format!("ALTER DATABASE \"{}\" SET lock_timeout = '50ms'", pooled.database.name());
    pooled.direct.batch_execute(&limit).await.expect("a limit");
    pooled.blocked().await;
    let (cut, mut was_cut) = tokio::sync::mpsc::unbounded_channel();
    let migrator = Migrator::new(&set).lock(Lock::Row).on(move |event| {
        if let Event::Retrying { .. } = event {
            cut.send(()).expect("a receiver");
        }
    });
    let free = async {
        was_cut.recv().await.expect("a second try");
        pooled.other.batch_execute("COMMIT").await.expect("a commit");
    };
    let mut client = pooled.client().await;
    let (report, ()) = tokio::join!(migrator.run(&mut client), free);
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((report.applied.len(), report.notes.len()), (1, 1), "{report}");
    assert_eq!(value(&pooled.direct, LEFT).await, "3 1 2 t_a t 0");
}

/// When the run reads the ledger, and when it takes the lock.
#[tokio::test]
async fn pool_without_a_free_connection_is_named() {
    let database = FreshDatabase::create().await;
    let pooler = Pooler::start(&database.config(), PoolMode::Transaction, 1).await;
    let pooler = pooler.expect("a pooler");
    let console = pooler.connect("pgbouncer").await.expect("its console");
    console.simple_query("SET query_wait_timeout = 1").await.expect("a limit");
    let set = set(&[FIRST]);
    for at_lock in [false, true] {
        let mut client = pooler.connect(database.name()).await.expect("a client");
        let other = Arc::new(pooler.connect(database.name()).await.expect("a client"));
        let holding = Arc::clone(&other);
        let hold = closure(move |_| {
            let holding = Arc::clone(&holding);
            Box::pin(async move { Ok(holding.batch_execute("BEGIN").await?) })
        });
        let mut migrator = Migrator::new(&set);
        if at_lock {
            migrator = migrator.hook(When::BeforeRun, hold);
        } else {
            other.batch_execute("BEGIN").await.expect("a transaction");
        }
        let error = migrator.run(&mut client).await.expect_err("no server connection");
        assert!(matches!(error.kind(), ErrorKind::Database { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("query_wait_timeout (SQLSTATE 08P01)\n"), "{text}");
        let help = "\nhelp: the pooler had no server connection free: end the transactions that hold them, or \
                    raise its `default_pool_size` or `query_wait_timeout`, and run again";
        assert!(text.ends_with(help), "{text}");
        other.batch_execute("ROLLBACK").await.expect("no transaction");
    }
}

/// After the first message of a run, and after the first statement of a migration outside a transaction, another client
/// gets the only connection.
#[tokio::test]
async fn pool_that_is_taken_in_the_middle_of_a_run_is_named() {
    let gate = "SELECT * FROM gate";
    let (alone, copy) = ("-- migrate:no-transaction\n", "COPY t FROM stdin;\n1\n\\.\n");
    let ledger = "locking the ledger `public.migration_ledger`: ";
    for (first, second, what) in [
        (gate, format!("{alone}SELECT 1;"), ledger),
        (
            "SELECT 1",
            format!("{alone}{gate};\nSELECT 1;"),
            "migrations/2_b.sql: recording version 2 in ",
        ),
        (gate, copy.to_owned(), "migrations/2_b.sql: query_wait_timeout "),
    ] {
        let (database, direct) = FreshDatabase::connected().await;
        direct.batch_execute("CREATE TABLE gate (); CREATE TABLE t (a int)").await.expect("tables");
        let closed = database.connect().await;
        closed.batch_execute("BEGIN; LOCK TABLE gate").await.expect("a lock");
        let pooler = Pooler::start(&database.config(), PoolMode::Transaction, 1).await;
        let pooler = pooler.expect("a pooler");
        let console = pooler.connect("pgbouncer").await.expect("its console");
        console.simple_query("SET query_wait_timeout = 1").await.expect("a limit");
        let (mut client, other) = (
            pooler.connect(database.name()).await.expect("a client"),
            pooler.connect(database.name()).await.expect("a client"),
        );
        let set = set(&[("1_a.sql", first), ("2_b.sql", &second)]);
        let take = async {
            let blocked =
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'gate'::regclass";
            while value(&direct, blocked).await != "1" {
                tokio::task::yield_now().await;
            }
            let open = async {
                while waiting(&console, database.name()).await != 1 {
                    tokio::task::yield_now().await;
                }
                closed.batch_execute("COMMIT").await.expect("no lock");
            };
            let (taken, ()) = tokio::join!(other.batch_execute("BEGIN"), open);
            taken.expect("the connection");
        };
        let migrator = Migrator::new(&set).lock(Lock::Row);
        let (result, ()) = tokio::join!(migrator.run(&mut client), take);
        let text = result.expect_err("no server connection").to_string();
        let help = "\nhelp: the pooler had no server connection free: end the transactions that hold them, or \
                    raise its `default_pool_size` or `query_wait_timeout`, and run again";
        assert!(text.contains(what) && text.ends_with(help), "{text}");
        assert!(text.contains("query_wait_timeout (SQLSTATE 08P01)\n"), "{text}");
        assert!(!text.contains("unknown"), "{text}");
    }
}

/// How many clients wait for a connection to a database.
async fn waiting(console: &Client, database: &str) -> usize {
    let pools = console.simple_query("SHOW POOLS").await.expect("its pools");
    let waiting = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) if row.get("database") == Some(database) => {
            row.get("cl_waiting")?.parse::<usize>().ok()
        }
        _ => None,
    };
    pools.into_iter().filter_map(waiting).sum()
}

/// Between two statements a replica has no session, and the first took longer than its lease.
#[tokio::test]
async fn pooler_in_statement_mode_has_the_next_action() {
    let database = FreshDatabase::create().await;
    let pooler = Pooler::start(&database.config(), PoolMode::Statement, 3).await.expect("a pooler");
    let mut client = pooler.connect(database.name()).await.expect("a client");
    let error = Migrator::new(&set(&[FIRST])).run(&mut client).await.expect_err("no transactions");
    let help = "help: the pooler is in statement mode: connect to the server directly, or set its `pool_mode` to \
                `transaction`";
    assert!(error.to_string().ends_with(help), "{error}");
}

#[tokio::test]
async fn lock_of_a_living_replica_is_not_taken_over_between_two_statements() {
    let pooled = Pooled::start().await;
    let set = set(&[FIRST, ("2_i.sql", INDEX)]);
    pooled.blocked().await;
    let config = pooled.pooler.config(pooled.database.name());
    let far = CountingProxy::with_delay(&config, Duration::from_millis(60)).await;
    let mut replicas = JoinSet::new();
    for number in 0..5 {
        let mut client = if number == 0 { far.connect().await } else { pooled.client().await };
        let set = set.clone();
        replicas.spawn(async move { Migrator::new(&set).lock(Lock::Row).run(&mut client).await });
        pooled.wait_for(BUILDING, "1").await;
    }
    pooled.expire().await;
    pooled.other.batch_execute("COMMIT").await.expect("a commit");
    let mut applied = 0;
    while let Some(replica) = replicas.join_next().await {
        let report = replica.expect("a replica").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.notes, [""; 0]);
        applied += report.applied.len();
    }
    assert_eq!(applied, 1);
    assert_eq!(value(&pooled.direct, LEFT).await, "3 1 2 t_a t 0");
}

#[tokio::test]
async fn settings_of_any_migration_outside_a_transaction_are_refused_before_anything_runs() {
    let pooled = Pooled::start().await;
    let set = set(&[
        FIRST,
        ("2_i.sql", INDEX),
        ("3_s.sql", "-- migrate:no-transaction\nSET work_mem = '9MB';\nVACUUM t;"),
    ]);
    let migrator = Migrator::new(&set).lock(Lock::Row);
    let error = migrator.run(&mut pooled.client().await).await.expect_err("a pooler");
    let ErrorKind::Pooled { file, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(file, "migrations/3_s.sql");
    assert_eq!(value(&pooled.direct, "SELECT to_regclass('t')").await, "NULL");
}
