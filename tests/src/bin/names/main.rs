//! Measures the check of names against a real server.
//!
//! With a folder of projects, one folder of migrations each: applies each set, checks it, and makes
//! mutants of it (a name misspelt, a statement deleted or doubled, two migrations swapped, one removed).
//! The server judges each; the check has to find what the server refuses, at its place, and nothing
//! else. The server's verdicts are kept in the file `verdicts` of the folder. The file `sets` can name
//! the folders to take, with their options, and `NAME.before.sql` is what a database has before the set.
//!
//! With `random`: random statements, of which the server keeps what it accepts. A set of these must
//! never be refused.
//!
//! `cargo run --release -p migrate-tests --bin names -- FOLDER [--mutants N] [--seed S] [--only TEXT]`
//! With `--down`, a folder's down scripts instead: what the check reports of each, and what the server does.
//!
//! `cargo run --release -p migrate-tests --bin names -- FOLDER --down [--only TEXT]`
//! `cargo run --release -p migrate-tests --bin names -- random [--sets N] [--seed S]`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a proof fails as tests do"
)]

mod corpus;
mod objects;
mod mutant;
mod verdict;
mod judge;
mod measure;
mod tally;
mod random;
mod down;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;

use corpus::Project;
use judge::Judge;
use tally::Tally;
use verdict::Verdicts;

/// Sets that are judged at the same time.
const WORKERS: usize = 3;

/// The options of the command line.
#[derive(Parser, Debug, Clone)]
struct Options {
    /// The folder of projects, or `random` for random sets
    folder: PathBuf,
    /// How many random sets
    #[arg(long, default_value_t = 10_000)]
    sets: usize,
    /// How many mutants of each project
    #[arg(long, default_value_t = 70)]
    mutants: usize,
    /// The seed of the mutants, or of the first random set
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the projects with this in their name
    #[arg(long, default_value = "")]
    only: String,
    /// What the lints report for the down scripts instead
    #[arg(long)]
    down: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let started = Instant::now();
    let folder = &options.folder;
    let is_met = if folder.as_os_str() == "random" {
        random::run(options.sets, options.seed).await
    } else if options.down {
        down::measure(folder, &options.only).await
    } else {
        of_projects(folder, &options).await
    };
    println!("{:.0} s", started.elapsed().as_secs_f64());
    if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures every project of the folder, and whether all targets are met.
async fn of_projects(folder: &Path, options: &Options) -> bool {
    let projects = corpus::read(folder, &options.only);
    let judge = Arc::new(Judge::new(Verdicts::open(&folder.join("verdicts"))));
    let queue = Arc::new(std::sync::Mutex::new(projects.into_iter()));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| tokio::spawn(worker(Arc::clone(&queue), Arc::clone(&judge), options.clone())))
        .collect();
    let mut tally = Tally::default();
    for worker in workers {
        tally.add(worker.await.expect("a worker"));
    }
    tally.write(folder);
    println!("{tally}");
    tally.meets_targets()
}

async fn worker(
    queue: Arc<std::sync::Mutex<std::vec::IntoIter<Project>>>,
    judge: Arc<Judge>,
    options: Options,
) -> Tally {
    let mut tally = Tally::default();
    loop {
        let next = queue.lock().expect("no panic").next();
        let Some(project) = next else { return tally };
        measure::measure(&project, &judge, options.mutants, options.seed, &mut tally).await;
    }
}
