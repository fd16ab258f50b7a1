//! The coordinator dies in the middle of a run, is started again, and the run is repeated: everything has to be there
//! exactly once. Rows of a single shard can be there twice, unless its migration also
//! changes a definition, which Citus commits in two phases.

use std::time::{Duration, Instant};

use migrate_runtime::Migrations;
use migrate_tests::cluster::Crash;
use migrate_tests::database::value;
use migrate_tests::proof::dice::Dice;
use migrate_tests::proof::replica::is_fault;
use migrate_tests::sets::set;
use tokio_postgres::Client;

use super::Verdicts;
use super::setup::{Nodes, how_it_ended, migrate, run};

/// The migrations that count, of each kind.
const STEPS: usize = 8;

const TABLE: (&str, &str) = (
    "001_t.sql",
    "CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL);\nSELECT create_distributed_table('t', 'a');\n\
     INSERT INTO t SELECT a, 0 FROM generate_series(1, 40) a;",
);

const ONE_ROW: &str = "UPDATE t SET n = n + 1 WHERE a = 7;";

/// How long a run that was interrupted can be repeated: the workers keep what was prepared until Citus has recovered it.
const LIMIT: Duration = Duration::from_mins(2);

/// What each of the migrations does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// All shards, and definitions.
    All,
    /// One row.
    One,
    /// One row, and a definition of the table.
    OneDefined,
}

/// What is tried: its name, and what the database has.
type Case = (&'static str, Change, &'static str);

/// Migrations of all shards.
pub async fn commits(nodes: &mut Nodes, crashes: u64, verdicts: &mut Verdicts) {
    let cases = [
        ("synchronous commits", Change::All, "on"),
        ("asynchronous commits of the role", Change::All, "off"),
    ];
    prove(nodes, crashes, &cases, verdicts).await;
}

/// Migrations of rows of one shard.
pub async fn shards(nodes: &mut Nodes, crashes: u64, verdicts: &mut Verdicts) {
    let cases = [
        ("rows of one shard, and a definition", Change::OneDefined, "on"),
        ("rows of one shard", Change::One, "on"),
    ];
    prove(nodes, crashes, &cases, verdicts).await;
}

async fn prove(nodes: &mut Nodes, crashes: u64, cases: &[Case], verdicts: &mut Verdicts) {
    for &(name, change, commit) in cases {
        let number = change as usize * 2 + usize::from(commit == "on");
        let mut dice = Dice::new(number as u64 + 1);
        let (mut diverged, mut again, mut late) = (0, 0, 0);
        let mut first = String::new();
        let quiet = quiet(nodes, &format!("quiet_{number}"), (change, commit)).await;
        for crash in 0..crashes {
            let database = format!("crash_{number}_{crash}");
            let end = crashed(nodes, &database, (change, commit), dice.pause(quiet)).await;
            match end {
                End::Exact => {}
                End::Late => late += 1,
                End::Again(rows) => again += rows,
                End::Diverged(why) => {
                    diverged += 1;
                    first = format!(": {why}");
                }
            }
        }
        let holds = diverged == 0 && (again == 0 || change == Change::One);
        let seen = format!(
            "{diverged} diverged{first}, {again} migrations ran twice, {late} after the run"
        );
        verdicts.add(&format!("{crashes} crashes of the coordinator, {name}"), holds, seen);
    }
}

/// How a crash ended.
enum End {
    /// Everything is there once.
    Exact,
    /// The same, and the run had ended before.
    Late,
    /// So many migrations are there twice.
    Again(usize),
    /// The next run cannot continue.
    Diverged(String),
}

fn migrations(change: Change) -> Migrations {
    let step = |n: usize| {
        let sql = match change {
            Change::All if n.is_multiple_of(2) => {
                format!("ALTER TABLE t ADD COLUMN c{n} int;\nCREATE INDEX t_c{n} ON t (c{n});")
            }
            Change::All => "UPDATE t SET n = n + 1;".to_owned(),
            Change::One => ONE_ROW.to_owned(),
            Change::OneDefined => format!("{ONE_ROW}\nGRANT SELECT ON t TO CURRENT_USER;"),
        };
        (format!("{:03}_s.sql", n + 2), sql)
    };
    let steps: Vec<(String, String)> = (0..2 * STEPS).map(step).collect();
    let steps = steps.iter().map(|(name, sql)| (name.as_str(), sql.as_str()));
    let files: Vec<(&str, &str)> = [TABLE].into_iter().chain(steps).collect();
    set(&files)
}

async fn prepare(nodes: &Nodes, database: &str, commit: &str) -> Client {
    let mut client = nodes.spread(database).await;
    run(&client, &format!("ALTER DATABASE {database} SET synchronous_commit = {commit}")).await;
    migrate(&set(&[TABLE]), &mut client).await.expect("a table");
    nodes.client(database).await
}

/// How long a run takes without a crash.
async fn quiet(nodes: &Nodes, database: &str, case: (Change, &str)) -> Duration {
    let mut client = prepare(nodes, database, case.1).await;
    let began = Instant::now();
    migrate(&migrations(case.0), &mut client).await.expect("a run without a crash");
    began.elapsed()
}

async fn crashed(nodes: &mut Nodes, database: &str, case: (Change, &str), after: Duration) -> End {
    let mut client = prepare(nodes, database, case.1).await;
    let set = migrations(case.0);
    let running = tokio::spawn({
        let set = set.clone();
        async move { migrate(&set, &mut client).await }
    });
    tokio::time::sleep(after).await;
    nodes.coordinator.crash(Crash::Kill);
    let ended = running.await.expect("a run");
    nodes.coordinator.start();
    if ended.as_ref().is_err_and(|error| !is_fault(error)) {
        return End::Diverged(format!("no crash explains {}", how_it_ended(&ended)));
    }
    let began = Instant::now();
    let mut client = nodes.client(database).await;
    while let Err(error) = migrate(&set, &mut client).await {
        if began.elapsed() > LIMIT {
            return End::Diverged(
                error.to_string().lines().take(3).collect::<Vec<_>>().join(" / "),
            );
        }
        client = nodes.client(database).await;
    }
    judge(&client, case.0, ended.is_ok()).await
}

async fn judge(client: &Client, change: Change, had_ended: bool) -> End {
    let expected = if change == Change::All { STEPS } else { 2 * STEPS };
    let most: usize = value(client, "SELECT max(n) FROM t").await.parse().expect("a number");
    let least = value(client, "SELECT min(n) FROM t").await;
    let is_level = change != Change::All || least == most.to_string();
    match most.checked_sub(expected) {
        Some(0) if is_level && had_ended => End::Late,
        Some(0) if is_level => End::Exact,
        Some(more) if more > 0 => End::Again(more),
        _ => End::Diverged(format!("n is {least} to {most} instead of {expected}")),
    }
}
