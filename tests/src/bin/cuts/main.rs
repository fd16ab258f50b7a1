//! Cuts the connection of a run on an empty database, and of the other verbs, at every byte, in either direction, and
//! checks what is left. After each cut the error has to be one of a broken connection, the ledger has to be true, no
//! lock and no session may be left, and the next call has to complete what is missing; single bytes and delays must
//! not change anything. Prints figures and what broke, and fails if anything did.
//!
//! With `--lock row` a cut call leaves its lock, which is then expired.
//!
//! `cargo run -p migrate-tests --bin cuts [-- --step N] [--only VERB] [--workers N] [--lock detect|row]`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a proof fails as tests do"
)]

mod setup;
mod verbs;
mod state;
mod called;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use migrate_runtime::{Error, ErrorKind, Lock, Migrations, Migrator, Report};
use migrate_tests::database::FreshDatabase;
use migrate_tests::fault::{self, Direction, Fault, Traffic};
use migrate_tests::proof::first_line;
use migrate_tests::proof::options::lock;
use migrate_tests::proof::replica::is_fault;
use tokio::time::sleep;
use tokio_postgres::Client;

use setup::{COUNTERS, Found, RESET, SCHEMA, WHOLE, look, sessions};
use state::{FUNCTION, expire};
use tally::{Cut, Tally};
use verbs::{VERBS, Verb};

/// For a cut session to end, whose server may first finish what it has received.
const LIMIT: Duration = Duration::from_secs(30);

/// The name of a run on an empty database.
const FRESH: &str = "fresh run";

/// How many times as many bytes are between two cuts of the other verbs, if not every byte is cut: together they send
/// 35 times as many, and a cut takes several times as long.
const FEWER: u64 = 1500;

/// The options of the command line.
#[derive(Parser, Debug, Clone)]
struct Options {
    /// How many bytes are between two cuts of a run on an empty database; between two of the others are 1500 times
    /// as many, or also one
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    step: u64,
    /// Cuts only the verbs with this text in their name
    #[arg(long, default_value = "")]
    only: String,
    /// How many runs are cut at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    workers: u64,
    /// The lock of the runs
    #[arg(long, default_value = "detect", value_parser = lock())]
    lock: Lock,
}

/// A call to cut.
struct Job {
    /// A verb, and what is there before and after a complete call; `None` for a run on an empty database.
    verb: Option<Arc<(&'static Verb, [String; 2])>>,
    cut: Cut,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let started = Instant::now();
    let mut setup = Setup::create(options.lock).await;
    let mut tally = Tally::default();
    let jobs = Arc::new(setup.jobs(&options, &mut tally).await);
    drop(setup);

    let next = Arc::new(AtomicUsize::new(0));
    let work = |_| tokio::spawn(worker(Arc::clone(&jobs), Arc::clone(&next), options.lock));
    let workers: Vec<_> = (0..options.workers).map(work).collect();
    for worker in workers {
        tally.add(worker.await.expect("a worker"));
    }
    println!("{tally}");
    println!("{} cuts in {:.1} s", jobs.len(), started.elapsed().as_secs_f64());
    if tally.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every byte boundary of a call's traffic, including its beginning and its end; with a `step` those in the middle of
/// each, at least one.
fn cuts(name: &str, traffic: &Traffic, step: u64) -> Vec<Cut> {
    let of = |direction| {
        let bytes = traffic.bytes(direction);
        println!("a complete {name}: {bytes} bytes {}", direction.as_str());
        let step = step.min(bytes.max(1));
        let each = usize::try_from(step).unwrap_or(usize::MAX);
        ((step - 1) / 2..=bytes).step_by(each).map(move |after| Cut { direction, after })
    };
    Direction::BOTH.into_iter().flat_map(of).collect()
}

/// Cuts one call after the other, on its own database: an index that is built concurrently waits for every
/// transaction of its database.
async fn worker(jobs: Arc<Vec<Job>>, next: Arc<AtomicUsize>, lock: Lock) -> Tally {
    let mut setup = Setup::create(lock).await;
    let mut tally = Tally::default();
    while let Some(Job { verb, cut }) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
        match verb.as_deref() {
            None => setup.cut(*cut, &mut tally).await,
            Some((verb, whole)) => setup.cut_verb(verb, whole, *cut, &mut tally).await,
        }
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
        for sql in [COUNTERS, FUNCTION] {
            direct.batch_execute(sql).await.expect(sql);
        }
        Setup { direct, set: setup::migrations(), lock, database }
    }

    /// What to cut, after a complete call of each verb.
    async fn jobs(&mut self, options: &Options, tally: &mut Tally) -> Vec<Job> {
        let mut jobs = Vec::new();
        if FRESH.contains(&options.only) {
            let traffic = self.uncut(Fault::Nothing, tally).await;
            self.uncut(Fault::SingleBytes, tally).await;
            self.uncut(Fault::Delay(Duration::from_millis(5)), tally).await;
            let cuts = cuts(FRESH, &traffic, options.step);
            jobs.extend(cuts.into_iter().map(|cut| Job { verb: None, cut }));
        }
        for verb in VERBS.iter().filter(|verb| verb.name.contains(&options.only)) {
            let (whole, traffic) = self.uncut_verb(verb, tally).await;
            let whole = Arc::new((verb, whole));
            let cuts = cuts(verb.name, &traffic, 1 + (options.step - 1) * FEWER);
            jobs.extend(cuts.into_iter().map(|cut| Job { verb: Some(Arc::clone(&whole)), cut }));
        }
        jobs
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
        let outcome = match &result {
            None => "no connection",
            Some(Ok(_)) => "run complete",
            Some(Err(error)) => code_of(error, &name, tally),
        };
        tally.outcome(direction, &format!("ledger {}; {outcome}", found.ledger()));

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

    /// What the database contains once no other session is left.
    async fn once_alone(&self) -> Found {
        self.until_alone().await;
        look(&self.direct).await
    }

    /// Waits until no other session is left, or for [`LIMIT`], which is then a broken rule.
    async fn until_alone(&self) {
        let deadline = Instant::now() + LIMIT;
        let mut pause = Duration::from_millis(1);
        while sessions(&self.direct).await > 0 && Instant::now() < deadline {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(16));
        }
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

/// The code of a cut call's error, which breaks a rule unless it is the error of a broken connection.
fn code_of(error: &Error, place: &str, tally: &mut Tally) -> &'static str {
    let of_a_cut = matches!(
        error.kind(),
        ErrorKind::ConnectionLost { .. }
            | ErrorKind::Migration { .. }
            | ErrorKind::Database { .. }
            | ErrorKind::Function { .. }
            | ErrorKind::Hook { .. }
    );
    let text = first_line(error);
    let says_so =
        text.contains("connection closed") || text.contains("communicating with the server");
    if !(of_a_cut && says_so && is_fault(error)) {
        tally.broke(place, &format!("an error that a cut does not explain: {text}"));
    }
    error.code()
}
