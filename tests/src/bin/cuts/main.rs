//! Cuts the connection of a run at every byte, in either direction, and checks what is left. After each
//! cut the ledger has to be true, no lock and no session may be left, and the next run has to complete
//! what is missing; single bytes and delays must not change anything. Prints figures and what broke, and
//! fails if anything did.
//!
//! With `--lock row` a cut run leaves its lock, which is then expired.
//!
//! `cargo run -p migrate-tests --bin cuts [-- --step N] [--workers N] [--lock detect|row]`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a proof fails as tests do"
)]

mod setup;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use migrate_runtime::{Error, ErrorKind, Lock, Migrations, Migrator, Report};
use migrate_tests::database::FreshDatabase;
use migrate_tests::fault::{self, Direction, Fault, Traffic};
use migrate_tests::proof::options::lock;
use tokio::time::sleep;
use tokio_postgres::Client;

use setup::{COUNTERS, Found, RESET, SCHEMA, WHOLE, expire, look, sessions};
use tally::{Cut, Tally};

/// For a cut session to end, whose server may first finish what it has received.
const LIMIT: Duration = Duration::from_secs(30);

/// How a run ended that failed with an error of a kind that no broken connection has.
const ANOTHER: &str = "another error";

/// The options of the command line.
#[derive(Parser, Debug, Clone, Copy)]
struct Options {
    /// How many bytes are between two cuts
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    step: u64,
    /// How many runs are cut at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    workers: u64,
    /// The lock of the runs
    #[arg(long, default_value = "detect", value_parser = lock())]
    lock: Lock,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let started = Instant::now();
    let setup = Setup::create(options.lock).await;
    let mut tally = Tally::default();
    let traffic = setup.uncut(Fault::Nothing, &mut tally).await;
    setup.uncut(Fault::SingleBytes, &mut tally).await;
    setup.uncut(Fault::Delay(Duration::from_millis(5)), &mut tally).await;
    drop(setup);

    let cuts = Arc::new(cuts(&traffic, options.step));
    let next = Arc::new(AtomicUsize::new(0));
    let work = |_| tokio::spawn(worker(Arc::clone(&cuts), Arc::clone(&next), options.lock));
    let workers: Vec<_> = (0..options.workers).map(work).collect();
    for worker in workers {
        tally.add(worker.await.expect("a worker"));
    }
    println!("{tally}");
    println!("{} cuts in {:.1} s", cuts.len(), started.elapsed().as_secs_f64());
    if tally.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every byte boundary of a run's traffic, including its beginning and its end.
fn cuts(traffic: &Traffic, step: u64) -> Vec<Cut> {
    let of = |direction| {
        let bytes = traffic.bytes(direction);
        println!("a complete run: {bytes} bytes {}", direction.as_str());
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        (0..=bytes).step_by(step).map(move |after| Cut { direction, after })
    };
    Direction::BOTH.into_iter().flat_map(of).collect()
}

/// Runs one cut after the other, on its own database: an index that is built concurrently waits for every
/// transaction of its database.
async fn worker(cuts: Arc<Vec<Cut>>, next: Arc<AtomicUsize>, lock: Lock) -> Tally {
    let mut setup = Setup::create(lock).await;
    let mut tally = Tally::default();
    while let Some(cut) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
        setup.cut(*cut, &mut tally).await;
    }
    tally
}

/// A database, and a client that no fault touches.
struct Setup {
    direct: Client,
    set: Migrations,
    lock: Lock,
    database: FreshDatabase,
}

impl Setup {
    async fn create(lock: Lock) -> Setup {
        let (database, direct) = FreshDatabase::connected().await;
        direct.batch_execute(COUNTERS).await.expect(COUNTERS);
        Setup { direct, set: setup::migrations(), lock, database }
    }

    /// A run on an empty database through a connection with this fault.
    async fn run(&self, fault: Fault) -> (Option<Result<Report, Error>>, Traffic) {
        self.direct.batch_execute(RESET).await.expect(RESET);
        let Ok((mut client, traffic)) = fault::connect(&self.database.config(), fault).await else {
            return (None, Traffic::default());
        };
        (Some(migrator(&self.set, self.lock).run(&mut client).await), traffic)
    }

    /// A run that has to complete.
    async fn uncut(&self, fault: Fault, tally: &mut Tally) -> Traffic {
        let (result, traffic) = self.run(fault).await;
        let mut broken = match result {
            Some(Ok(_)) => Vec::new(),
            Some(Err(error)) => vec![format!("the run fails: {error}")],
            None => vec!["no connection".to_owned()],
        };
        let found = self.once_alone().await;
        broken.extend(found.broken_at_end().into_iter().map(str::to_owned));
        if found.lock_rows > 0 {
            broken.push("a complete run leaves its lock row".to_owned());
        }
        tally.whole(&format!("uncut, {fault:?}"), &broken);
        traffic
    }

    /// Cuts a run, checks what is left, and has the next run complete it.
    async fn cut(&mut self, cut: Cut, tally: &mut Tally) {
        let Cut { direction, after } = cut;
        let (result, traffic) = self.run(Fault::Cut { direction, after }).await;
        let found = self.once_alone().await;
        let name = cut.to_string();
        let bytes = traffic.bytes(direction);
        if bytes > after || matches!(result, Some(Err(_))) && bytes != after {
            tally.broke(&name, "the line was cut at another byte");
        }
        for rule in found.broken_by_cut(&claimed(result.as_ref()), self.lock) {
            tally.broke(&name, rule);
        }
        let outcome = outcome_of(result.as_ref());
        tally.outcome(direction, &format!("ledger {}; {outcome}", found.ledger()));
        if let (ANOTHER, Some(Err(error))) = (outcome, &result) {
            tally.broke(
                &name,
                &format!("an error that a cut does not explain: {}", first_line(error)),
            );
        }

        if found.lock_rows > 0 {
            tally.lock_row(direction);
            expire(&self.direct).await;
        }
        let migrator = migrator(&self.set, self.lock);
        if let Err(error) = migrator.run(&mut self.direct).await {
            tally.broke(&name, &format!("the next run fails: {}", first_line(&error)));
            return;
        }
        let end = look(&self.direct).await;
        for rule in end.broken_at_end() {
            tally.broke(&name, rule);
        }
        // If the cut run had reached its end, no other run needs the lock that it left.
        if end.lock_rows > 0 && found.ledger() != WHOLE {
            tally.broke(&name, "a lock row remains at the end");
        }
    }

    /// What the database contains once no other session is left, or after [`LIMIT`], which is then a broken
    /// rule.
    async fn once_alone(&self) -> Found {
        let deadline = Instant::now() + LIMIT;
        let mut pause = Duration::from_millis(1);
        while sessions(&self.direct).await > 0 && Instant::now() < deadline {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(16));
        }
        look(&self.direct).await
    }
}

fn migrator(set: &Migrations, lock: Lock) -> Migrator<'_> {
    Migrator::new(set).schema(SCHEMA).create_schema().lock(lock)
}

/// The versions that a run reports as applied, whether it failed or not.
fn claimed(result: Option<&Result<Report, Error>>) -> Vec<String> {
    let report = match result {
        None => None,
        Some(Ok(report)) => Some(report),
        Some(Err(error)) => error.report(),
    };
    let applied = report.into_iter().flat_map(|report| &report.applied);
    applied.map(|applied| applied.version.to_string()).collect()
}

fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// How a run ended, in one word.
fn outcome_of(result: Option<&Result<Report, Error>>) -> &'static str {
    match result.map(|result| result.as_ref().map_err(Error::kind)) {
        None => "no connection",
        Some(Ok(_)) => "run complete",
        Some(Err(ErrorKind::ConnectionLost { .. })) => "ConnectionLost",
        Some(Err(ErrorKind::Migration { .. })) => "Migration",
        Some(Err(ErrorKind::Database { .. })) => "Database",
        Some(Err(_)) => ANOTHER,
    }
}
