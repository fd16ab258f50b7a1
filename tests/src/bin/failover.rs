//! Proves that acknowledged migrations survive their primary: a replica migrates a primary with a
//! synchronous standby, the primary dies at a random moment, and the standby is promoted. Then what was
//! acknowledged has to exist, every other migration has to be complete or absent, and the next run has
//! to end with the schema of a run without faults. All commits of a run except its last are
//! asynchronous, which would show here. Exits with 1 if an invariant does not hold.
//!
//! With `--pooler pgbouncer` the replicas connect to a PgBouncer, behind which the standby takes the place of the
//! primary while the first run still goes on, in transaction or session mode as the seed decides.
//!
//! `cargo run --release -p migrate-tests --bin failover -- --rounds 10 --seed 1`

use std::fmt;
use std::time::{Duration, Instant};

use migrate_tests::cluster::{Cluster, Crash};
use migrate_tests::database::{connect, value};
use migrate_tests::pooler::PoolMode;
use migrate_tests::proof::checks::{self, Quiet};
use migrate_tests::proof::dice::Dice;
use migrate_tests::proof::entrance::{self, Entrance};
use migrate_tests::proof::options::{self, Options};
use migrate_tests::proof::replica::{End, Outcome};
use migrate_tests::proof::script::{DOOMED, Name};
use migrate_tests::proof::standing::Standing;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, SimpleQueryMessage};

const DATABASE: &str = "app";

/// Server connections of the pooler.
const POOL_SIZE: usize = 4;

/// The time limit for the standby to become synchronous, and for a run to reach its moment.
const LIMIT: Duration = Duration::from_mins(1);

/// How much later than its moment a crash can come.
const LATER: Duration = Duration::from_millis(15);

/// When the primary dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Shortly after this many migrations are visible on the primary.
    Applied(usize),
    /// As soon as the replica has printed its line.
    Reported,
}

/// The parameters of a round.
#[derive(Debug, Clone, Copy)]
struct Round {
    seed: u64,
    moment: Moment,
    later: Duration,
    crash: Crash,
    /// `replica`, or [`DOOMED`].
    session: &'static str,
    /// Whether the server delays writing asynchronous commits for as long as it can.
    lazy: bool,
    /// How the pooler shares its connections, if there is one.
    pool: Option<PoolMode>,
}

/// What a crash left.
struct Left {
    outcome: Outcome,
    /// Entries that were last seen on the primary.
    seen: usize,
    standing: Standing,
}

fn main() {
    options::main(prove)
}

/// Runs all rounds, and returns how many of them broke an invariant.
async fn prove(options: Options) -> u64 {
    let mut template = Cluster::create();
    template.start();
    let quiet = Quiet::run(&template, Name::Failover, options.lock).await;
    drop(template);
    println!("failover: seed {}, a quiet run takes {:.1?}", options.seed, quiet.took);
    let (mut failed, mut lost) = (0, 0);
    for number in 0..options.rounds {
        let seed = options.seed.wrapping_add(number);
        let round = Round::new(seed, quiet.script.versions.len(), options);
        let (broken, fewer) = play(round, &quiet).await;
        for sentence in &broken {
            println!("  broken: {sentence}");
        }
        failed += u64::from(!broken.is_empty());
        lost += fewer;
    }
    println!("failover: {lost} migrations were seen on a primary and did not reach its standby");
    if failed == 0 {
        println!("failover: {} rounds, all invariants held", options.rounds);
    } else {
        println!("failover: {} rounds, {failed} broke an invariant", options.rounds);
    }
    failed
}

impl Round {
    /// The parameters that the seed decides; half of the moments are around the last commit.
    fn new(seed: u64, migrations: usize, options: Options) -> Round {
        let mut dice = Dice::new(seed);
        let moment = match dice.below(100) {
            0..30 => Moment::Applied(dice.below(migrations)),
            30..80 => Moment::Applied(migrations - 1 - dice.below(3)),
            _ => Moment::Reported,
        };
        Round {
            seed,
            moment,
            later: dice.pause(LATER),
            crash: if dice.chance(50) { Crash::Kill } else { Crash::Immediate },
            session: if dice.chance(25) { DOOMED } else { "replica" },
            lazy: dice.chance(50),
            pool: options.pool_mode(&mut dice),
        }
    }
}

/// One round on its own pair of servers: the invariants that do not hold, and how many migrations were
/// seen on the primary and are not on the standby.
async fn play(round: Round, quiet: &Quiet) -> (Vec<String>, usize) {
    let started = Instant::now();
    let quiet = &quiet.with_lock(entrance::lock(round.pool, quiet.lock));
    let (mut primary, mut standby) = pair(round.lazy).await;
    let entrance = Entrance::open(&primary, DATABASE, round.pool, POOL_SIZE).await;
    let to_primary = entrance.address(&primary);
    let (line, seen) = crash(round, &mut primary, &to_primary, quiet).await;
    standby.promote().await;
    entrance.lead_to(&standby);
    let outcome = Outcome::read(&line.await.expect("the replica's line"));
    let client = connect(&standby.config(DATABASE)).await;
    let left = Left { outcome, seen, standing: Standing::read(&client).await };
    let mut broken = left.standing.broken(&quiet.script, &left.outcome);
    let is_doomed = round.session == DOOMED && left.outcome.text.contains(DOOMED);
    if left.outcome.end == End::Error && !is_doomed {
        broken.push(format!("an error that no crash explains: {}", left.outcome));
    }
    drop(client);
    let next = Outcome::of(&mut quiet.replica(&entrance.address(&standby), "replica"));
    // The connections of a pooler would be sessions that are left.
    drop(entrance);
    if next.end == End::Ok {
        broken.extend(quiet.broken(&standby, DATABASE).await);
    } else {
        broken.push(format!("the next run ended with: {next}"));
        broken.extend(quiet.stuck(&standby, DATABASE).await);
    }
    let verdict = if broken.is_empty() { "held" } else { "BROKEN" };
    println!("{round}: {left}, {:.1} s: {verdict}", started.elapsed().as_secs_f64());
    if !broken.is_empty() {
        primary.keep();
        standby.keep();
        println!("  logs: {} and {}", primary.log().display(), standby.log().display());
    }
    (broken, seen.saturating_sub(left.standing.entries.len()))
}

/// A primary whose synchronous commits wait for its standby, with an empty database.
async fn pair(lazy: bool) -> (Cluster, Cluster) {
    let mut primary = Cluster::create();
    let mut standby = primary.standby();
    if lazy {
        primary.set("wal_writer_delay=10s");
        primary.set("wal_writer_flush_after=1GB");
    }
    primary.start();
    standby.start();
    // Not at the start: without a standby the first commit would never return.
    let client = connect(&primary.config("postgres")).await;
    let names = "ALTER SYSTEM SET synchronous_standby_names = '*'";
    client.batch_execute(names).await.expect(names);
    client.batch_execute("SELECT pg_reload_conf()").await.expect("pg_reload_conf");
    let deadline = Instant::now() + LIMIT;
    while value(&client, "SELECT sync_state FROM pg_stat_replication").await != "sync" {
        assert!(Instant::now() < deadline, "no synchronous standby");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(checks::create(&primary, DATABASE).await);
    (primary, standby)
}

/// Runs the replica until the round's moment, and crashes the primary; returns what the replica will print,
/// and how many entries were visible just before.
async fn crash(
    round: Round,
    primary: &mut Cluster,
    address: &str,
    quiet: &Quiet,
) -> (JoinHandle<String>, usize) {
    let client = connect(&primary.config(DATABASE)).await;
    let mut command = tokio::process::Command::from(quiet.replica(address, round.session));
    let child = command.kill_on_drop(true).spawn().expect("our own executable");
    let line = tokio::spawn(line(child));
    let deadline = Instant::now() + LIMIT;
    let reached = |seen| matches!(round.moment, Moment::Applied(n) if seen >= n);
    while !reached(visible(&client).await) && !line.is_finished() {
        assert!(Instant::now() < deadline, "the run does not come to its moment");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if round.moment != Moment::Reported {
        tokio::time::sleep(round.later).await;
    }
    let seen = visible(&client).await;
    primary.crash(round.crash);
    (line, seen)
}

/// What a replica prints, once it has ended.
async fn line(mut child: Child) -> String {
    let mut line = String::new();
    let mut stdout = child.stdout.take().expect("the replica's output");
    stdout.read_to_string(&mut line).await.expect("the replica's line");
    child.wait().await.expect("the replica's end");
    line
}

/// The number of entries that are visible, flushed or not; 0 before the ledger exists.
async fn visible(client: &Client) -> usize {
    let messages =
        client.simple_query("SELECT count(*) FROM migration_ledger WHERE ended_position = 0").await;
    let count = messages.unwrap_or_default().into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    count.unwrap_or(0)
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {:?} ", self.seed, self.crash)?;
        match self.moment {
            Moment::Applied(n) => {
                write!(f, "{:.1} ms after entry {n}", self.later.as_secs_f64() * 1000.0)?;
            }
            Moment::Reported => f.write_str("after its report")?,
        }
        write!(f, " of a {}", if self.session == DOOMED { "failing run" } else { "run" })?;
        f.write_str(if self.lazy { ", late writes" } else { "" })?;
        self.pool.map_or(Ok(()), |mode| write!(f, ", {} pooling", mode.as_str()))
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { end, applied, .. } = self.outcome;
        let there = self.standing.entries.len();
        write!(
            f,
            "the replica printed {end:?} {applied}, {} were seen, {there} are there",
            self.seen
        )
    }
}
