//! Boots replicas through PgBouncer, in transaction, session and statement mode, and through a Pgpool-II whose
//! reads are those of a lagging standby. A set has to be applied exactly once, whatever fails, is cut
//! or is dropped, or be refused before anything runs, and nothing may be left on the pooled connections.
//! Prints what happened, and fails if a rule is broken.
//!
//! `cargo run -p migrate-tests --bin pooler [-- --seed N]`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a proof fails as tests do"
)]

mod cuts;
mod dropped;
mod pgpool;
mod setup;
mod nontransactional;
mod rows;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use migrate_runtime::{ErrorKind, Lock, Migrator};
use migrate_tests::database::value;
use migrate_tests::pooler::PoolMode;
use migrate_tests::proof::options::seed;

use setup::{Outcome, Setup, counting, kinds, of};

const REPLICAS: usize = 32;
const MIGRATIONS: usize = 40;

/// The options of the command line.
#[derive(Parser, Debug, Clone, Copy)]
struct Options {
    /// The seed of the random points [default: random]
    #[arg(long, default_value_t = seed() | 1, hide_default_value = true)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let started = Instant::now();
    match proof(Options::parse()).await {
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
        Ok(broken) => {
            println!("{broken} rules broken, {:.1} s", started.elapsed().as_secs_f64());
            if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

/// Runs every check, one after the other, and returns how many rules were broken.
async fn proof(options: Options) -> Result<usize, String> {
    let mut setup = Setup::create(PoolMode::Transaction).await?;
    println!("transaction pooling");
    boots(&mut setup).await;
    failure_is_fixed(&mut setup).await;
    dropped::futures(&mut setup, options.seed).await;
    nontransactional::in_transaction_mode(&mut setup).await;
    rows::in_transaction_mode(&mut setup).await;
    cuts::all(&mut setup).await;
    let broken = setup.broken();
    drop(setup);

    let mut setup = Setup::create(PoolMode::Session).await?;
    println!("session pooling");
    boots(&mut setup).await;
    nontransactional::in_session_mode(&mut setup).await;
    let broken = broken + setup.broken();
    drop(setup);

    let mut setup = Setup::create(PoolMode::Statement).await?;
    println!("statement pooling");
    statements_only(&mut setup).await;
    let broken = broken + setup.broken();
    drop(setup);
    Ok(broken + pgpool::all().await?)
}

/// All replicas start, and each migration runs once; when booted again, each sends one message.
async fn boots(setup: &mut Setup) {
    let set = of(&counting(MIGRATIONS));
    let (database, direct) = setup.database().await;
    let started = Instant::now();
    let first = setup.replicas(REPLICAS, &database, &set).await;
    let wall = started.elapsed().as_millis();
    let again = setup.replicas(REPLICAS, &database, &set).await;

    let applied = |outcome: &Outcome| outcome.as_ref().map_or(0, |report| report.applied.len());
    let sum: usize = first.iter().map(applied).sum();
    println!("  {REPLICAS} replicas, {MIGRATIONS} migrations, {wall} ms: {:?}", kinds(&first));
    setup.check(first.iter().all(Result::is_ok), format!("not all started: {:?}", kinds(&first)));
    setup.equal(&sum.to_string(), &MIGRATIONS.to_string(), "migrations that reports name");
    let counted = "SELECT concat_ws(' ', count(*), count(DISTINCT n)) FROM runs";
    let once = format!("{MIGRATIONS} {MIGRATIONS}");
    setup.equal(&value(&direct, counted).await, &once, "migrations that ran, different ones");
    let entries = "SELECT count(*) FROM migration_ledger WHERE progress IS NULL";
    setup.equal(&value(&direct, entries).await, &MIGRATIONS.to_string(), "entries");

    let idle = |outcome: &Outcome| {
        outcome.as_ref().is_ok_and(|report| report.applied.is_empty() && report.messages == 1)
    };
    let count = again.iter().filter(|outcome| idle(outcome)).count();
    println!("  booted again: {count} with nothing pending and one message");
    setup.equal(&count.to_string(), &REPLICAS.to_string(), "up to date in one message");
    setup.check_quiet(&direct, "after the boots").await;
}

/// The pooler refuses the transaction that takes the lock, so nothing runs; what is applied is found.
async fn statements_only(setup: &mut Setup) {
    let set = of(&counting(1));
    let (database, mut direct) = setup.database().await;
    for lock in [Lock::Detect, Lock::Row] {
        let mut client = setup.client(&database).await;
        let refused = Migrator::new(&set).lock(lock).run(&mut client).await;
        let text = refused.map_or_else(|error| error.to_string(), |report| report.to_string());
        let says = "transaction blocks not allowed in statement pooling mode (SQLSTATE 08P01)";
        setup.check(text.contains(says), format!("statement mode, {lock:?}: {text}"));
        setup.check_quiet(&direct, "after a refused transaction").await;
        println!("  {lock:?}: {text}");
    }
    let left = value(&direct, "SELECT to_regclass('migration_ledger')").await;
    setup.equal(&left, "NULL", "a ledger of a refused run");
    let applied = Migrator::new(&set).run(&mut direct).await;
    setup.check(applied.is_ok(), format!("directly: {applied:?}"));
    let again = Migrator::new(&set).run(&mut setup.client(&database).await).await;
    setup.check(again.is_ok(), format!("nothing pending, statement mode: {again:?}"));
}

/// A failing migration stops every replica at the same place; once it is fixed, all start.
async fn failure_is_fixed(setup: &mut Setup) {
    const COUNT: usize = 8;
    let (database, direct) = setup.database().await;
    let mut files = counting(COUNT);
    files.push(("0009_broken.sql".to_owned(), "SELECT 1;\nSELECT 1 / 0;\n".to_owned()));
    files.push(("0010_later.sql".to_owned(), "CREATE TABLE later (id int);\n".to_owned()));
    let failed = setup.replicas(COUNT, &database, &of(&files)).await;
    println!("  a failing migration: {:?}", kinds(&failed));
    let at_place = |outcome: &Outcome| match outcome {
        Err(error) if matches!(error.kind(), ErrorKind::Migration { .. }) => {
            error.to_string().starts_with("migrations/0009_broken.sql:2:1: division by zero")
        }
        _ => false,
    };
    setup.check(failed.iter().all(at_place), "a failure that does not say where");
    setup.check_quiet(&direct, "after a failure").await;
    let there = "SELECT concat_ws(' ', count(*), to_regclass('later')) FROM migration_ledger";
    setup.equal(&value(&direct, there).await, &COUNT.to_string(), "entries after a failure");

    files[COUNT] = ("0009_broken.sql".to_owned(), "SELECT 1;\nSELECT 1 / 1;\n".to_owned());
    let fixed = of(&files);
    let outcomes = setup.replicas(COUNT, &database, &fixed).await;
    setup.check(outcomes.iter().all(Result::is_ok), format!("fixed: {:?}", kinds(&outcomes)));
    let mut client = setup.client(&database).await;
    let last = Migrator::new(&fixed).run(&mut client).await;
    let skipped = last.map_or(0, |report| report.skipped.len());
    setup.equal(&skipped.to_string(), "10", "migrations applied once fixed");
}
