//! Proves that replicas start in spite of faults: 32 processes migrate one database while replicas are
//! killed, sessions terminated and the server restarted without a shutdown. A seed decides the faults; a
//! round ends when all replicas ended well, and then every invariant of [`migrate_tests::proof::checks`]
//! has to hold. Exits with 1 if one does not.
//!
//! With `--lock row` there are fewer faults, because after each that hits the holder the others wait for
//! its lease to expire.
//!
//! With `--pooler pgbouncer` the replicas connect to a PgBouncer with fewer connections than there are replicas, in
//! transaction or session mode as the seed decides. The lock is a row in transaction mode.
//!
//! `cargo run --release -p migrate-tests --bin chaos -- --rounds 10 --seed 1`

use std::time::{Duration, Instant};

use migrate_runtime::Lock;
use migrate_tests::cluster::{Cluster, Crash};
use migrate_tests::database::{connect, value};
use migrate_tests::pooler::PoolMode;
use migrate_tests::proof::checks::{self, Quiet, column};
use migrate_tests::proof::dice::Dice;
use migrate_tests::proof::entrance::{self, Entrance};
use migrate_tests::proof::fleet::{Fleet, Tally};
use migrate_tests::proof::options::{self, Options};
use migrate_tests::proof::script::Name;
use tokio_postgres::Client;

const REPLICAS: usize = 32;

/// Server connections of the pooler.
const POOL_SIZE: usize = 8;

/// How many faults strike in a round: at least the first number, and up to the second more.
const FAULTS: (usize, usize) = (15, 45);

/// The same if the lock is a row, whose lease others wait for if its holder is gone.
const FAULTS_OF_A_ROW: (usize, usize) = (3, 4);

/// How long a fault waits for a replica that works, if the lock is a row.
const HOLDER_LIMIT: Duration = Duration::from_mins(1);

/// The longest time between two faults.
const BETWEEN: Duration = Duration::from_millis(500);

/// The time limit of the replicas after the last fault.
const SETTLE: Duration = Duration::from_mins(2);

/// With more errors than these that no fault explains, the round has failed.
const ERRORS: usize = 3 * REPLICAS;

/// The process that serves the replica that works: all others wait for its lock.
const HOLDER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = \
     (SELECT oid FROM pg_database WHERE datname = current_database())";

/// The same if the lock is a row, which outlives its holder. Through a pooler in transaction mode the holder has no
/// process of its own, but its token is in all its statements; the others only look at it.
const HOLDER_OF_A_ROW: &str = "SELECT pid FROM migration_ledger l JOIN pg_stat_activity a \
     ON CASE l.kind WHEN 'lock' THEN a.pid = l.progress \
     ELSE a.pid <> pg_backend_pid() AND a.state <> 'idle' AND strpos(a.query, l.filename) > 0 END \
     WHERE l.module = '' ORDER BY a.query_start LIMIT 1";

/// The processes that serve replicas.
const REPLICA_SESSIONS: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
     AND application_name LIKE 'replica-%' ORDER BY pid";

/// Faults that struck.
#[derive(Debug, Clone, Copy, Default)]
struct Struck {
    terminations: usize,
    restarts: usize,
}

fn main() {
    options::main(prove)
}

/// Runs all rounds, and returns how many of them broke an invariant.
async fn prove(options: Options) -> u64 {
    let mut cluster = Cluster::create();
    cluster.start();
    let quiet = Quiet::run(&cluster, Name::Chaos, options.lock).await;
    println!("chaos: seed {}, a quiet run takes {:.1?}", options.seed, quiet.took);
    let mut failed = 0;
    for round in 0..options.rounds {
        let broken = play(&mut cluster, &quiet, options, round).await;
        for sentence in &broken {
            println!("  broken: {sentence}");
        }
        failed += u64::from(!broken.is_empty());
    }
    if failed == 0 {
        println!("chaos: {} rounds, all invariants held", options.rounds);
    } else {
        cluster.keep();
        println!("chaos: {} rounds, {failed} broke an invariant", options.rounds);
        println!("the server's log, beside its data: {}", cluster.log().display());
    }
    failed
}

/// One round in its own database; returns the invariants that do not hold.
async fn play(cluster: &mut Cluster, quiet: &Quiet, options: Options, round: u64) -> Vec<String> {
    let seed = options.seed.wrapping_add(round);
    let database = format!("round_{seed}");
    drop(checks::create(cluster, &database).await);
    let started = Instant::now();
    let mut dice = Dice::new(seed);
    let pool = options.pool_mode(&mut dice);
    let quiet = &quiet.with_lock(entrance::lock(pool, quiet.lock));
    let entrance = Entrance::open(cluster, &database, pool, POOL_SIZE).await;
    let address = entrance.address(cluster);
    let session = |index| format!("replica-{index}");
    let fleet = Fleet::start(REPLICAS, |index| quiet.replica(&address, &session(index)));
    let struck = strike(cluster, &fleet, (&database, quiet.lock), &mut dice).await;
    let mut broken = settle(&fleet).await;
    let tally = fleet.tally();
    drop(fleet);
    // The connections of a pooler would be sessions that are left.
    drop(entrance);
    let errors =
        tally.errors.iter().map(|(text, times)| format!("{times} runs ended with: {text}"));
    broken.extend(errors);
    if tally.finished == REPLICAS {
        broken.extend(quiet.broken(cluster, &database).await);
    } else {
        broken.extend(quiet.stuck(cluster, &database).await);
    }
    show((seed, pool), &tally, struck, started.elapsed(), broken.is_empty());
    if broken.is_empty() {
        let client = connect(&cluster.config("postgres")).await;
        let sql = format!("DROP DATABASE {database} WITH (FORCE)");
        client.batch_execute(&sql).await.expect(&sql);
    }
    broken
}

/// Injects faults until there were enough, until no replica is left, or until none makes progress.
async fn strike(
    cluster: &mut Cluster,
    fleet: &Fleet,
    (database, lock): (&str, Lock),
    dice: &mut Dice,
) -> Struck {
    let mut struck = Struck::default();
    let (least, more) = if lock == Lock::Row { FAULTS_OF_A_ROW } else { FAULTS };
    for _ in 0..least + dice.below(more) {
        if lock == Lock::Row {
            wait_for_holder(cluster, fleet, database).await;
        }
        tokio::time::sleep(dice.pause(BETWEEN)).await;
        let tally = fleet.tally();
        if tally.finished == REPLICAS || tally.unexplained() > ERRORS {
            break;
        }
        match dice.below(100) {
            0..45 => fleet.kill(victim(cluster, (database, lock), dice).await),
            45..85 => struck.terminations += terminate(cluster, (database, lock), dice).await,
            _ => {
                cluster.crash(Crash::Immediate);
                tokio::time::sleep(dice.pause(BETWEEN)).await;
                cluster.start();
                struck.restarts += 1;
            }
        }
    }
    struck
}

/// Waits until a replica works, or all have ended: a fault that only delays the next one proves little.
async fn wait_for_holder(cluster: &Cluster, fleet: &Fleet, database: &str) {
    let client = connect(&cluster.config(database)).await;
    let deadline = Instant::now() + HOLDER_LIMIT;
    while holder(&client, Lock::Row).await.is_none()
        && fleet.tally().finished < REPLICAS
        && Instant::now() < deadline
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The process that serves the replica that works.
async fn holder(client: &Client, lock: Lock) -> Option<String> {
    if lock != Lock::Row {
        return column(client, HOLDER).await.pop();
    }
    match value(client, "SELECT to_regclass('migration_ledger')").await.as_str() {
        "NULL" => None,
        _ => column(client, HOLDER_OF_A_ROW).await.pop(),
    }
}

/// Any replica, or the one that works.
async fn victim(cluster: &Cluster, (database, lock): (&str, Lock), dice: &mut Dice) -> usize {
    let any = dice.below(REPLICAS);
    if dice.chance(50) {
        return any;
    }
    let client = connect(&cluster.config(database)).await;
    let Some(pid) = holder(&client, lock).await else { return any };
    let sql = format!("SELECT application_name FROM pg_stat_activity WHERE pid = {pid}");
    let name = column(&client, &sql).await.pop();
    name.and_then(|name| name.strip_prefix("replica-")?.parse().ok()).unwrap_or(any)
}

/// Terminates the session of any replica, or of the one that works, and returns how many.
async fn terminate(cluster: &Cluster, (database, lock): (&str, Lock), dice: &mut Dice) -> usize {
    let client = connect(&cluster.config(database)).await;
    let mut pids = if dice.chance(50) {
        holder(&client, lock).await.into_iter().collect()
    } else {
        column(&client, REPLICA_SESSIONS).await
    };
    if pids.is_empty() {
        return 0;
    }
    let pid = pids.swap_remove(dice.below(pids.len()));
    let terminated = column(&client, &format!("SELECT pg_terminate_backend({pid})")).await;
    usize::from(terminated == ["t"])
}

/// Waits until all replicas ended well, or returns why they did not.
async fn settle(fleet: &Fleet) -> Vec<String> {
    let (deadline, before) = (Instant::now() + SETTLE, fleet.tally().unexplained());
    loop {
        let tally = fleet.tally();
        if tally.finished == REPLICAS {
            return Vec::new();
        }
        let errors = tally.unexplained() - before;
        if errors > ERRORS || Instant::now() > deadline {
            let finished = tally.finished;
            return vec![format!(
                "{finished} of {REPLICAS} replicas came up, {errors} errors later"
            )];
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn show(
    (seed, pool): (u64, Option<PoolMode>),
    tally: &Tally,
    struck: Struck,
    took: Duration,
    held: bool,
) {
    let pooling = pool.map_or(String::new(), |mode| format!("{} pooling, ", mode.as_str()));
    println!(
        "seed {seed}: {pooling}{} kills, {} terminations, {} restarts, {} starts, {} runs cut off, {:.1} s: {}",
        tally.kills,
        struck.terminations,
        struck.restarts,
        tally.starts,
        tally.faults,
        took.as_secs_f64(),
        if held { "held" } else { "BROKEN" }
    );
}
