//! The options of a proof: how many rounds, from which seed, and the kind of lock.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::process;

use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Parser, ValueEnum};
use migrate_runtime::Lock;
use tokio::runtime::Runtime;

use super::dice::Dice;
use super::replica;
use crate::pooler::PoolMode;

/// The options of a proof.
#[derive(Parser, Debug, Clone, Copy)]
pub struct Options {
    /// How many rounds, one seed each: zero would hold every invariant and prove nothing
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: u64,
    /// The first round's seed [default: random]
    #[arg(long, default_value_t = seed(), hide_default_value = true)]
    pub seed: u64,
    /// The lock of the replicas
    #[arg(long, default_value = "detect", value_parser = lock())]
    pub lock: Lock,
    /// What the replicas connect to instead of the server
    #[arg(long)]
    pub pooler: Option<Between>,
}

/// What is between the replicas and the server.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// A PgBouncer, in transaction or session mode.
    Pgbouncer,
}

impl Options {
    /// How the pooler of a round shares its connections; `None` without a pooler.
    pub fn pool_mode(&self, dice: &mut Dice) -> Option<PoolMode> {
        self.pooler.map(
            |Between::Pgbouncer| {
                if dice.chance(50) { PoolMode::Transaction } else { PoolMode::Session }
            },
        )
    }
}

/// Runs `prove` with the options of the command line, and ends the process: with 1 if an invariant was broken.
///
/// # Panics
///
/// When there is no runtime.
pub fn main<O: Parser, F: Future<Output = u64>>(prove: impl FnOnce(O) -> F) -> ! {
    replica::run_if_asked();
    let options = O::parse();
    let runtime = Runtime::new().expect("a runtime");
    process::exit(i32::from(runtime.block_on(prove(options)) != 0))
}

/// A random seed.
pub fn seed() -> u64 {
    RandomState::new().hash_one(0) % 1_000_000
}

/// Parses the kind of a lock.
pub fn lock() -> ValueParser {
    let words = PossibleValuesParser::new(["detect", "row"]);
    words.map(|word| if word == "row" { Lock::Row } else { Lock::Detect }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_lock_and_pooler_are_checked() {
        let parse = |arguments: &str| {
            let options = Options::try_parse_from(format!("chaos {arguments}").split_whitespace());
            options.ok().map(|options| (options.rounds, options.lock, options.pooler))
        };
        let pgbouncer = Some(Between::Pgbouncer);
        assert_eq!(parse(""), Some((3, Lock::Detect, None)));
        assert_eq!(parse("--rounds 7 --seed 9 --lock row"), Some((7, Lock::Row, None)));
        assert_eq!(parse("--pooler pgbouncer"), Some((3, Lock::Detect, pgbouncer)));
        for wrong in ["--rounds", "--rounds many", "--rounds 0", "--lock maybe", "--pooler pgpool"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
