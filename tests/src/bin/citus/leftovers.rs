//! Indexes whose builder was killed, on the coordinator and on shards.

use std::collections::BTreeSet;
use std::time::Duration;

use migrate_tests::database::{connect, value};
use migrate_tests::sets::set;

use super::Verdicts;
use super::setup::{Nodes, how_it_ended, migrate, run};

/// How often the session that builds an index is killed.
const KILLS: u64 = 5;

const TABLE: (&str, &str) = (
    "1_t.sql",
    "CREATE TABLE t (a int PRIMARY KEY, b int);\nSELECT create_distributed_table('t', 'a');\n\
     INSERT INTO t SELECT n, n FROM generate_series(1, 20000) n;",
);
const INDEX: (&str, &str) =
    ("2_i.sql", "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY t_b ON t (b);");

const BUILDING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
     AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%CONCURRENTLY t_b%'";

const KILLING: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = \
     current_database() AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%CONCURRENTLY t_b%'";

const INVALID: &str = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";

pub async fn prove(nodes: &Nodes, verdicts: &mut Verdicts) {
    killed(nodes, verdicts).await;
    failed_on_shards(nodes, verdicts).await;
}

async fn killed(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("killed").await;
    let set = set(&[TABLE, INDEX]);
    migrate(&migrate_tests::sets::set(&[TABLE]), &mut client).await.expect("a table");
    let (mut kills, mut ends) = (0, BTreeSet::new());
    for kill in 0..KILLS {
        let (set, mut builder) = (set.clone(), nodes.client("killed").await);
        let running = tokio::spawn(async move { migrate(&set, &mut builder).await });
        while !running.is_finished() && value(&client, BUILDING).await == "0" {}
        tokio::time::sleep(Duration::from_millis(30 * kill)).await;
        kills += usize::from(value(&client, KILLING).await != "0");
        ends.insert(how_it_ended(&running.await.expect("a builder")));
    }
    let result = migrate(&set, &mut client).await;
    let invalid = invalid(nodes, "killed").await;
    let valid =
        value(&client, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass").await;
    let ends = ends.into_iter().collect::<Vec<_>>().join(", ");
    let seen = format!("{kills} killed ({ends}), {invalid} INVALID; {}", how_it_ended(&result));
    verdicts.add(
        "CREATE INDEX CONCURRENTLY with kills",
        result.is_ok() && invalid == 0 && valid == "t",
        seen,
    );
}

/// A statement that failed on some shards leaves an INVALID index, which other shards do not have.
async fn failed_on_shards(nodes: &Nodes, verdicts: &mut Verdicts) {
    let mut client = nodes.spread("shards").await;
    let unique =
        ("2_u.sql", "-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t_u ON t (a, b);");
    let twice = "CREATE TABLE t (a int, b int);\nSELECT create_distributed_table('t', 'a');\n\
                 INSERT INTO t SELECT n, n FROM generate_series(1, 500) n;\nINSERT INTO t VALUES (7, 7);";
    let set = set(&[("1_t.sql", twice), unique]);
    let failed = migrate(&set, &mut client).await;
    let left = value(&client, INVALID).await;
    run(&client, "DELETE FROM t WHERE a = 7").await;
    let again = migrate(&set, &mut client).await;
    let invalid = invalid(nodes, "shards").await;
    let holds = failed.is_err() && again.is_ok() && invalid == 0;
    let seen = format!(
        "{left} INVALID after {}; then {}, {invalid} INVALID",
        how_it_ended(&failed),
        how_it_ended(&again)
    );
    verdicts.add("an INVALID index on some shards", holds, seen);
}

/// How many INVALID indexes all nodes have.
async fn invalid(nodes: &Nodes, database: &str) -> usize {
    let mut count = 0;
    for node in nodes.workers.iter().chain([&nodes.coordinator]) {
        let client = connect(&node.config(database)).await;
        count += value(&client, INVALID).await.parse::<usize>().expect("a count");
    }
    count
}
