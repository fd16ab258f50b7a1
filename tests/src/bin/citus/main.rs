//! Migrates tables that Citus spreads over a coordinator and two workers: every kind of statement, replicas that boot
//! at once, indexes whose builder is killed, a worker that is down, a coordinator that crashes, and tenants with a
//! schema each. Prints a verdict for each case, and exits with 1 if one does not hold. It needs a server with Citus,
//! in `CITUS_BIN`; without one nothing is proved, and the exit code is 3.
//!
//! `CITUS_BIN=/path/to/bin cargo run -p migrate-tests --bin citus [-- --crashes N] [--only PART]`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a proof fails as tests do"
)]

mod setup;
mod statements;
mod boots;
mod leftovers;
mod crashes;
mod schemas;
mod clones;

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use migrate_tests::database::value;
use setup::Nodes;

/// The exit code on a machine where this cannot be proved.
const IMPOSSIBLE: u8 = 3;

/// How often the coordinator crashes in each case of that.
const CRASHES: u64 = 20;

/// The verdicts so far.
#[derive(Default)]
struct Verdicts {
    cases: usize,
    broken: usize,
}

impl Verdicts {
    /// Prints what was seen in a case, and whether that is what has to be.
    fn add(&mut self, case: &str, holds: bool, seen: impl Display) {
        self.cases += 1;
        self.broken += usize::from(!holds);
        println!("| {case} | {seen} | {} |", if holds { "held" } else { "BROKEN" });
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(clones::CHILD) {
        return clones::child().await;
    }
    let Some(bin) = setup::binaries() else {
        eprintln!(
            "there is no server with Citus, so nothing is proved\n\
             help: set CITUS_BIN to the folder with the programs of one"
        );
        return ExitCode::from(IMPOSSIBLE);
    };
    let options = match Options::from(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!(
                "{problem}\nhelp: `citus [--crashes N] [--only PART]`, where a part is one of: {}",
                PARTS.join(", ")
            );
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let verdicts = prove(&bin, &options).await;
    let Verdicts { cases, broken } = verdicts;
    println!("\n{cases} cases, {broken} broken, {:.0} s", started.elapsed().as_secs_f64());
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is proved, in this order.
const PARTS: [&str; 7] =
    ["statements", "boots", "leftovers", "schemas", "clones", "crashes", "shards"];

/// The options of the command line.
struct Options {
    crashes: u64,
    only: Option<String>,
}

impl Options {
    fn from(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options { crashes: CRASHES, only: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            match name.as_str() {
                "--crashes" => {
                    options.crashes = value.parse().map_err(|_| "`--crashes` needs a number")?;
                }
                "--only" if PARTS.contains(&value.as_str()) => options.only = Some(value),
                _ => return Err(format!("`{name} {value}` is not an option of this program")),
            }
        }
        Ok(options)
    }
}

async fn prove(bin: &Path, options: &Options) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut nodes = Nodes::start(bin);
    let client = nodes.alone("version").await;
    let (citus, server) = ("SELECT citus_version()", "SHOW server_version");
    println!("{}, {}\n", value(&client, citus).await, value(&client, server).await);
    println!("| case | seen | verdict |\n|---|---|---|");
    for part in PARTS {
        if options.only.as_deref().is_some_and(|only| only != part) {
            continue;
        }
        match part {
            "statements" => statements::prove(&nodes, &mut verdicts).await,
            "boots" => boots::prove(&mut nodes, &mut verdicts).await,
            "leftovers" => leftovers::prove(&nodes, &mut verdicts).await,
            "schemas" => schemas::prove(&nodes, &mut verdicts).await,
            "clones" => clones::prove(&nodes, &mut verdicts),
            "crashes" => crashes::commits(&mut nodes, options.crashes, &mut verdicts).await,
            _ => crashes::shards(&mut nodes, options.crashes, &mut verdicts).await,
        }
    }
    verdicts
}
