//! Replicas that boot at once, with each kind of lock; a run on a worker, with a worker that is down, and beside a
//! session of a worker that holds a lock.

use std::time::{Duration, Instant};

use migrate_runtime::{ErrorKind, Lock, Migrator};
use migrate_tests::cluster::Crash;
use migrate_tests::database::{ADVISORY_LOCKS, connect, value};
use migrate_tests::proof::first_line;
use migrate_tests::sets::set;
use tokio::task::JoinSet;

use super::Verdicts;
use super::setup::{Nodes, entries, how_it_ended, migrate, run};

const REPLICAS: usize = 12;

const FIRST: (&str, &str) = (
    "1_t.sql",
    "CREATE TABLE t (a int PRIMARY KEY, b int);\nSELECT create_distributed_table('t', 'a');",
);
const ROWS: (&str, &str) =
    ("2_rows.sql", "INSERT INTO t SELECT n, 0 FROM generate_series(1, 50) n;");
const DEFINED: (&str, &str) =
    ("3_c.sql", "ALTER TABLE t ADD COLUMN c int;\nALTER TABLE t ALTER COLUMN b SET NOT NULL;");
const COUNTED: (&str, &str) = ("4_count.sql", "UPDATE t SET b = b + 1;");
const INDEX: (&str, &str) =
    ("5_index.sql", "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY t_b ON t (b);");
const ALL: [(&str, &str); 5] = [FIRST, ROWS, DEFINED, COUNTED, INDEX];

pub async fn prove(nodes: &mut Nodes, verdicts: &mut Verdicts) {
    replicas(nodes, "advisory", "an advisory lock", Lock::Detect, verdicts).await;
    replicas(nodes, "row", "a lock row", Lock::Row, verdicts).await;
    replicas(nodes, "reference", "a lock row, the ledger a reference table", Lock::Row, verdicts)
        .await;
    on_a_worker(nodes, verdicts).await;
    locked_on_a_worker(nodes, verdicts).await;
    without_a_worker(nodes, verdicts).await;
}

async fn replicas(nodes: &Nodes, name: &str, case: &str, lock: Lock, verdicts: &mut Verdicts) {
    let mut client = nodes.spread(name).await;
    let mut before = 0;
    if name == "reference" {
        let first = migrate(&set(&[FIRST]), &mut client).await;
        before = first.expect("a table").applied.len();
        run(&client, "SELECT create_reference_table('migration_ledger')").await;
    }
    let set = set(&ALL);
    let mut booting = JoinSet::new();
    for _ in 0..REPLICAS {
        let (set, mut client) = (set.clone(), nodes.client(name).await);
        booting.spawn(async move { Migrator::new(&set).lock(lock).run(&mut client).await });
    }
    let (mut applied, mut errors) = (before, Vec::new());
    while let Some(booted) = booting.join_next().await {
        match booted.expect("a replica") {
            Ok(report) => applied += report.applied.len(),
            Err(error) => errors.push(error.to_string()),
        }
    }
    let counted = value(&client, "SELECT count(*) FROM t WHERE b = 1").await;
    let locks = value(&client, ADVISORY_LOCKS).await;
    let rows = value(&client, "SELECT count(*) FROM migration_ledger WHERE module = ''").await;
    let is_once = applied == ALL.len() && counted == "50" && locks == "0" && rows == "0";
    let seen = format!(
        "{applied} applied, {} failed{}",
        errors.len(),
        errors.first().map_or_else(String::new, |error| format!(": {error}"))
    );
    verdicts.add(&format!("{REPLICAS} replicas, {case}"), is_once && errors.is_empty(), seen);
}

async fn on_a_worker(nodes: &Nodes, verdicts: &mut Verdicts) {
    drop(nodes.spread("on_worker").await);
    let mut client = connect(&nodes.workers[0].config("on_worker")).await;
    let result = migrate(&set(&ALL), &mut client).await;
    let left = value(&client, "SELECT to_regclass('migration_ledger') IS NULL").await;
    let refused = matches!(
        result.as_ref().map_err(migrate_runtime::Error::kind),
        Err(ErrorKind::CitusWorker { coordinator: Some(_) })
    );
    let seen = match &result {
        Ok(_) => "ran".to_owned(),
        Err(error) => first_line(error),
    };
    verdicts.add("a run on a worker", refused && left == "t", seen);
}

/// A session of a worker holds a lock on a shard: the run gives up after its `lock_timeout`, not with the lock.
async fn locked_on_a_worker(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("locked").await;
    migrate(&set(&[FIRST]), &mut client).await.expect("a table");
    let worker = connect(&nodes.workers[0].config("locked")).await;
    run(
        &worker,
        "SET citus.enable_ddl_propagation = off; SET citus.enable_manual_changes_to_shards = on",
    )
    .await;
    run(&worker, "SET citus.override_table_visibility = off").await;
    let shard =
        value(&worker, "SELECT relname FROM pg_class WHERE relname ~ '^t_[0-9]+$' LIMIT 1").await;
    run(&worker, &format!("BEGIN; LOCK TABLE {shard}")).await;
    let set = set(&[FIRST, ("2_c.sql", "ALTER TABLE t ADD COLUMN c int;")]);
    let migrator = Migrator::new(&set).lock_timeout(Duration::from_secs(1)).retries(1);
    let began = Instant::now();
    let result = migrator.run(&mut client).await;
    let waited = began.elapsed();
    run(&worker, "ROLLBACK").await;
    let again = migrator.run(&mut client).await;
    let is_blocked = result.is_err() && waited < Duration::from_secs(8) && again.is_ok();
    let seen = format!("after {:.1} s: {}", waited.as_secs_f64(), how_it_ended(&result));
    verdicts.add("a shard locked on its worker", is_blocked, seen);
}

async fn without_a_worker(nodes: &mut Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("down").await;
    migrate(&set(&[FIRST, ROWS]), &mut client).await.expect("a table with rows");
    nodes.workers[1].crash(Crash::Kill);
    let set = set(&ALL);
    let mut client = nodes.client("down").await;
    let failed = migrate(&set, &mut client).await;
    let kept = entries(&client).await;
    nodes.workers[1].start();
    let again = migrate(&set, &mut client).await;
    let counted = value(&client, "SELECT count(*) FROM t WHERE b = 1").await;
    let holds = failed.is_err() && kept == 2 && again.is_ok() && counted == "50";
    let seen = format!("{}; then {}", how_it_ended(&failed), how_it_ended(&again));
    verdicts.add("a worker that is down", holds, seen);
}
