//! Fleets that boot a set of [`files::small`], several rounds of it: how many came up, and what ran.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::cell::first_line;
use crate::files;
use crate::fleet::Fleet;
use crate::lab::Database;

/// How many kinds of errors are shown below the table.
const KINDS: usize = 3;

/// What became of the replicas of one fleet.
#[derive(Debug, Clone)]
pub struct Boots {
    of: usize,
    up: usize,
    hung: usize,
    ended: usize,
    last_up: Option<Duration>,
    errors: Vec<String>,
}

impl Boots {
    /// Counts a fleet.
    pub fn of(fleet: &Fleet) -> Boots {
        Boots {
            of: fleet.len(),
            up: fleet.up(),
            hung: fleet.hung(),
            ended: fleet.ended(),
            last_up: fleet.last_up(),
            errors: fleet.errors().map(str::to_owned).collect(),
        }
    }

    /// How many errors are a deadlock that the server ended.
    fn deadlocks(&self) -> usize {
        self.errors.iter().filter(|text| text.contains("deadlock detected")).count()
    }
}

/// The fleets of all rounds.
#[derive(Debug, Clone)]
pub struct AllBoots(pub Vec<Boots>);

impl AllBoots {
    /// Whether every replica of every round came up.
    pub fn all_up(&self) -> bool {
        self.0.iter().all(|boots| boots.up == boots.of)
    }

    /// That they did not.
    pub fn shortfall(&self) -> Option<String> {
        (!self.all_up()).then(|| format!("not every replica came up: {self}"))
    }

    /// When the last replica of a round was up, in each; nothing where none ever was.
    pub fn last_up(&self) -> Option<String> {
        let mut seconds: Vec<f64> = self
            .0
            .iter()
            .filter_map(|boots| boots.last_up)
            .map(|took| took.as_secs_f64())
            .collect();
        seconds.sort_by(f64::total_cmp);
        let (first, last) = (seconds.first()?, seconds.last()?);
        Some(match seconds.len() {
            1 => format!("{last:.2} s"),
            _ => format!("{first:.2} to {last:.2} s"),
        })
    }

    /// Each kind of error with its number, the most frequent ones.
    pub fn remarks(&self) -> Vec<String> {
        let mut kinds = BTreeMap::<String, usize>::new();
        for text in self.0.iter().flat_map(|boots| &boots.errors) {
            *kinds.entry(kind(text)).or_default() += 1;
        }
        let mut kinds: Vec<(String, usize)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        kinds
            .into_iter()
            .take(KINDS)
            .map(|(text, count)| format!("{count} times: {text}"))
            .collect()
    }
}

/// What errors of one kind have in common: the numbers in them differ by process and round.
fn kind(text: &str) -> String {
    let line = first_line(text);
    let mut kind = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' if kind.ends_with('N') => {}
            '0'..='9' => kind.push('N'),
            c => kind.push(c),
        }
    }
    kind
}

impl fmt::Display for AllBoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.0.first().map_or(0, |boots| boots.of);
        write!(f, "{} of {of} up", each(self.0.iter().map(|boots| boots.up)))?;
        let mut part = |word: &str, count: fn(&Boots) -> usize| {
            if self.0.iter().all(|boots| count(boots) == 0) {
                return Ok(());
            }
            write!(f, ", {} {word}", each(self.0.iter().map(count)))
        };
        part("fail", |boots| boots.errors.len())?;
        part("of them by a deadlock", Boots::deadlocks)?;
        part("panic", |boots| boots.ended)?;
        part("hang", |boots| boots.hung)
    }
}

/// One value where all rounds gave it, else the value of each round.
pub fn each<T: fmt::Display + PartialEq>(values: impl Iterator<Item = T>) -> String {
    let values: Vec<T> = values.collect();
    match values.split_first() {
        Some((first, rest)) if rest.iter().all(|value| value == first) => first.to_string(),
        _ => values.iter().map(T::to_string).collect::<Vec<_>>().join("/"),
    }
}

/// What of [`files::small`] ran, by what the migrations themselves wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    rows: u32,
    versions: u32,
}

impl Ran {
    /// Reads it.
    pub async fn read(database: &Database<'_>) -> Ran {
        if database.value("SELECT to_regclass('public.runs') IS NULL").await == "t" {
            return Ran { rows: 0, versions: 0 };
        }
        let rows = database.count("SELECT count(*) FROM runs").await;
        Ran { rows, versions: database.count("SELECT count(DISTINCT n) FROM runs").await }
    }

    /// Whether each ran, and none twice.
    pub fn each_once(self) -> bool {
        self.rows == self.versions && self.versions as usize == files::SMALL
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.each_once() {
            return f.write_str("each migration once");
        }
        write!(f, "{} of {} migrations ran", self.versions, files::SMALL)?;
        match self.rows - self.versions {
            0 => Ok(()),
            twice => write!(f, ", {twice} more than once"),
        }
    }
}
