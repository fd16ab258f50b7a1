//! Proves that replicas come up whatever happens to them: 32 real processes migrate one database while
//! replicas are killed, sessions terminated and the server restarted without a shutdown.
//! A seed decides the faults; a round ends when all replicas ended well, and then every invariant of
//! [`migrate_tests::proof::checks`] has to hold. Ends with status 1 when one does not.
//!
//! `cargo run --release -p migrate-tests --bin chaos -- --rounds 10 --seed 1`

use std::process;
use std::time::{Duration, Instant};

use migrate_tests::cluster::{Cluster, Crash};
use migrate_tests::database::connect;
use migrate_tests::proof::checks::{self, Quiet, column};
use migrate_tests::proof::dice::Dice;
use migrate_tests::proof::fleet::{Fleet, Tally};
use migrate_tests::proof::options::Options;
use migrate_tests::proof::replica;
use migrate_tests::proof::script::Name;

const REPLICAS: usize = 32;

/// How many faults strike in a round: so many at least, and up to so many more.
const FAULTS: (usize, usize) = (15, 45);

/// The longest time between two faults.
const BETWEEN: Duration = Duration::from_millis(500);

/// How long the replicas may take once the last fault has struck.
const SETTLE: Duration = Duration::from_mins(2);

/// More errors than these, with no fault to explain them, and the round will not end well.
const ERRORS: usize = 3 * REPLICAS;

/// The replica that works: all others wait for its lock.
const HOLDER: &str = "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
     WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()";

/// Faults that struck.
#[derive(Debug, Clone, Copy, Default)]
struct Struck {
    terminations: usize,
    restarts: usize,
}

fn main() {
    replica::run_if_asked();
    let options = Options::from_arguments("chaos", 3);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    process::exit(i32::from(runtime.block_on(prove(options)) != 0));
}

/// Runs all rounds; how many of them broke an invariant.
async fn prove(options: Options) -> u64 {
    let mut cluster = Cluster::create();
    cluster.start();
    let quiet = Quiet::run(&cluster, Name::Chaos, options.care).await;
    println!("chaos: seed {}, a quiet run takes {:.1?}", options.seed, quiet.took);
    let mut failed = 0;
    for round in 0..options.rounds {
        let broken = play(&mut cluster, &quiet, options.seed.wrapping_add(round)).await;
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

/// One round in a database of its own; the invariants that do not hold.
async fn play(cluster: &mut Cluster, quiet: &Quiet, seed: u64) -> Vec<String> {
    let database = format!("round_{seed}");
    drop(checks::create(cluster, &database).await);
    let started = Instant::now();
    let session = |index| format!("replica-{index}");
    let fleet = Fleet::start(REPLICAS, |index| quiet.replica(cluster, &database, &session(index)));
    let struck = strike(cluster, &fleet, &database, &mut Dice::new(seed)).await;
    let mut broken = settle(&fleet).await;
    let tally = fleet.tally();
    drop(fleet);
    let errors =
        tally.errors.iter().map(|(text, times)| format!("{times} runs ended with: {text}"));
    broken.extend(errors);
    if tally.finished == REPLICAS {
        broken.extend(quiet.broken(cluster, &database).await);
    } else {
        broken.extend(quiet.stuck(cluster, &database).await);
    }
    let repeats = quiet.repeats(cluster, &database).await;
    show(seed, &tally, struck, started.elapsed(), repeats, broken.is_empty());
    if broken.is_empty() {
        let client = connect(&cluster.config("postgres")).await;
        let sql = format!("DROP DATABASE {database} WITH (FORCE)");
        client.batch_execute(&sql).await.expect(&sql);
    }
    broken
}

/// Lets faults strike until there were enough of them, nobody is left to strike, or nobody comes on.
async fn strike(cluster: &mut Cluster, fleet: &Fleet, database: &str, dice: &mut Dice) -> Struck {
    let mut struck = Struck::default();
    for _ in 0..FAULTS.0 + dice.below(FAULTS.1) {
        tokio::time::sleep(dice.pause(BETWEEN)).await;
        let tally = fleet.tally();
        if tally.finished == REPLICAS || tally.unexplained() > ERRORS {
            break;
        }
        match dice.below(100) {
            0..45 => fleet.kill(victim(cluster, database, dice).await),
            45..85 => struck.terminations += terminate(cluster, database, dice).await,
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

/// Any replica, or the one that works.
async fn victim(cluster: &Cluster, database: &str, dice: &mut Dice) -> usize {
    let any = dice.below(REPLICAS);
    if dice.chance(50) {
        return any;
    }
    let client = connect(&cluster.config(database)).await;
    let holder = column(&client, HOLDER).await.pop();
    let index = holder.and_then(|name| name.strip_prefix("replica-")?.parse().ok());
    index.unwrap_or(any)
}

/// Terminates the session of any replica, or of the one that works; how many were.
async fn terminate(cluster: &Cluster, database: &str, dice: &mut Dice) -> usize {
    let client = connect(&cluster.config(database)).await;
    let working = if dice.chance(50) {
        "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"
    } else {
        ""
    };
    let sessions = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name LIKE 'replica-%' {working} ORDER BY pid"
    );
    let mut pids = column(&client, &sessions).await;
    if pids.is_empty() {
        return 0;
    }
    let pid = pids.swap_remove(dice.below(pids.len()));
    let terminated = column(&client, &format!("SELECT pg_terminate_backend({pid})")).await;
    usize::from(terminated == ["t"])
}

/// Waits until all replicas ended well; says why when they will not.
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
    seed: u64,
    tally: &Tally,
    struck: Struck,
    took: Duration,
    repeats: (usize, usize),
    held: bool,
) {
    println!(
        "seed {seed}: {} kills, {} terminations, {} restarts, {} starts, {} runs cut off, \
         plain statements ran {} to {} times, {:.1} s: {}",
        tally.kills,
        struck.terminations,
        struck.restarts,
        tally.starts,
        tally.faults,
        repeats.0,
        repeats.1,
        took.as_secs_f64(),
        if held { "held" } else { "BROKEN" }
    );
}
