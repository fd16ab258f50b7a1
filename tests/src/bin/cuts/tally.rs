//! Counts the outcomes of the cuts and the rules that broke. Each worker fills its own tally; their sum
//! is shown as a table, with the first places of each broken rule.

use std::collections::BTreeMap;
use std::fmt;

use migrate_tests::fault::Direction;

/// How many places of one broken rule are shown.
const SHOWN: usize = 4;

/// Where a run is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) direction: Direction,
    pub(crate) after: u64,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} byte {}", self.direction.as_str(), self.after)
    }
}

/// The outcomes of the cuts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    whole: Vec<String>,
    outcomes: BTreeMap<(Direction, String), usize>,
    lock_rows: BTreeMap<Direction, usize>,
    broken: BTreeMap<String, Vec<String>>,
}

impl Tally {
    /// Adds a run that was not cut, and what it broke.
    pub(crate) fn whole(&mut self, name: &str, broken: &[String]) {
        let how = if broken.is_empty() { "complete" } else { "BROKEN" };
        self.whole.push(format!("{name}: {how}"));
        for rule in broken {
            self.broke(name, rule);
        }
    }

    /// Adds one cut and its outcome.
    pub(crate) fn outcome(&mut self, direction: Direction, outcome: &str) {
        *self.outcomes.entry((direction, outcome.to_owned())).or_default() += 1;
    }

    /// Counts a cut run that left the lock that is a row of the ledger.
    pub(crate) fn lock_row(&mut self, direction: Direction) {
        *self.lock_rows.entry(direction).or_default() += 1;
    }

    /// Adds that `rule` did not hold at `place`.
    pub(crate) fn broke(&mut self, place: &str, rule: &str) {
        self.broken.entry(rule.to_owned()).or_default().push(place.to_owned());
    }

    /// Adds the counts of another tally.
    pub(crate) fn add(&mut self, other: Tally) {
        self.whole.extend(other.whole);
        for (key, count) in other.outcomes {
            *self.outcomes.entry(key).or_default() += count;
        }
        for (key, count) in other.lock_rows {
            *self.lock_rows.entry(key).or_default() += count;
        }
        for (rule, places) in other.broken {
            self.broken.entry(rule).or_default().extend(places);
        }
    }

    /// Whether something was cut and every rule held.
    pub(crate) fn is_sound(&self) -> bool {
        self.broken.is_empty() && !self.outcomes.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.whole {
            writeln!(f, "{name}")?;
        }
        for direction in Direction::BOTH {
            let of = |(key, count): (&(Direction, String), &usize)| {
                (key.0 == direction).then(|| (key.1.clone(), *count))
            };
            let outcomes: Vec<(String, usize)> = self.outcomes.iter().filter_map(of).collect();
            let cuts: usize = outcomes.iter().map(|(_, count)| count).sum();
            let left = self.lock_rows.get(&direction).copied().unwrap_or_default();
            writeln!(f, "\n{}: {cuts} cuts; a lock row was left by {left}", direction.as_str())?;
            for (outcome, count) in outcomes {
                writeln!(f, "  {count:>6}  {outcome}")?;
            }
        }
        writeln!(f)?;
        for (rule, places) in &self.broken {
            let first: Vec<&str> = places.iter().take(SHOWN).map(String::as_str).collect();
            writeln!(f, "BROKEN {} times: {rule}\n  at {}", places.len(), first.join(", "))?;
        }
        write!(f, "{}", if self.is_sound() { "every invariant holds" } else { "NOT sound" })
    }
}
