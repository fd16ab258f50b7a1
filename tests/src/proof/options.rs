//! The options of a proof: how many rounds, from which seed, and the kind of lock.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::process;

use migrate_runtime::Lock;

/// The options of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many rounds, one seed each: `seed`, `seed + 1` and so on.
    pub rounds: u64,
    /// The first round's seed.
    pub seed: u64,
    /// The lock of the replicas.
    pub lock: Lock,
}

impl Options {
    /// Parses the command line of `program`; the default seed is random.
    ///
    /// Ends the process with status 2 if an argument is not valid.
    pub fn from_arguments(program: &str, rounds: u64) -> Options {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        parse(&arguments, rounds).unwrap_or_else(|problem| {
            eprintln!("{problem}\nusage: {program} [--rounds N] [--seed S] [--lock detect|row]");
            process::exit(2)
        })
    }
}

fn parse(arguments: &[String], rounds: u64) -> Result<Options, String> {
    let seed = RandomState::new().hash_one(0) % 1_000_000;
    let mut options = Options { rounds, seed, lock: Lock::Detect };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(format!("`{}` needs a value", pair[0])) };
        let number = || value.parse().map_err(|_| format!("{name}: `{value}` is no number"));
        match name.as_str() {
            "--rounds" => options.rounds = number()?,
            "--seed" => options.seed = number()?,
            "--lock" if value == "detect" => options.lock = Lock::Detect,
            "--lock" if value == "row" => options.lock = Lock::Row,
            _ => return Err(format!("`{name} {value}` is no option")),
        }
    }
    // Zero rounds would hold every invariant and prove nothing.
    if options.rounds == 0 { Err("no rounds".to_owned()) } else { Ok(options) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_pairs_of_known_names() {
        #[track_caller]
        fn check(arguments: &str, expected: Result<(u64, Lock), &str>) {
            let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
            let options = parse(&arguments, 3).map(|options| (options.rounds, options.lock));
            assert_eq!(options, expected.map_err(str::to_owned));
        }
        check("", Ok((3, Lock::Detect)));
        check("--rounds 7 --seed 9 --lock row", Ok((7, Lock::Row)));
        check("--rounds", Err("`--rounds` needs a value"));
        check("--rounds many", Err("--rounds: `many` is no number"));
        check("--rounds 0", Err("no rounds"));
        check("--lock maybe", Err("`--lock maybe` is no option"));
    }
}
