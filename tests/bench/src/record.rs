//! The samples of each section's last run, so that the page can be written again: one file per section with
//! one JSON object per line, after a line with the circumstances.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::crates::target;

/// The keys of one sample, such as its set and its library, and its numbers.
#[derive(Debug, Clone, Default)]
pub struct Sample(Map<String, Value>);

impl Sample {
    /// Adds a word that distinguishes samples.
    #[must_use]
    pub fn key(mut self, key: &str, value: &(impl ToString + ?Sized)) -> Sample {
        self.0.insert(key.to_owned(), Value::from(value.to_string()));
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, name: &str, value: impl Into<f64>) -> Sample {
        self.0.insert(name.to_owned(), Value::from(value.into()));
        self
    }
}

/// The samples of a section under way.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    lines: Vec<String>,
}

fn path(section: &str) -> PathBuf {
    target().join("data").join(format!("{section}.jsonl"))
}

impl Recorder {
    /// Begins a section anew; `circumstances` is its first line.
    pub fn begin(section: &str, circumstances: &BTreeMap<String, String>) -> Recorder {
        let first = serde_json::to_string(circumstances).expect("words");
        Recorder { path: path(section), lines: vec![first] }
    }

    /// Takes one sample.
    pub fn push(&mut self, sample: Sample) {
        let line = Value::Object(sample.0).to_string();
        eprintln!("  {line}");
        self.lines.push(line);
    }

    /// Writes the file: only a section that came to its end replaces the one before.
    pub fn finish(self) {
        fs::create_dir_all(self.path.parent().expect("a folder")).expect("a folder to write to");
        fs::write(&self.path, self.lines.join("\n") + "\n").expect("a file to write");
    }
}

/// The last run of a section.
#[derive(Debug, Default)]
pub struct Record {
    /// When and how it was measured.
    pub circumstances: BTreeMap<String, String>,
    samples: Vec<Map<String, Value>>,
}

impl Record {
    /// Reads it; `None` where it has never come to its end.
    pub fn read(section: &str) -> Option<Record> {
        let text = fs::read_to_string(path(section)).ok()?;
        let mut lines = text.lines();
        let circumstances = serde_json::from_str(lines.next()?).ok()?;
        let samples = lines.map(|line| serde_json::from_str(line).expect("a sample")).collect();
        Some(Record { circumstances, samples })
    }

    /// The values of one key, each once, in the order of the samples.
    pub fn values(&self, key: &str) -> Vec<String> {
        let mut values = Vec::new();
        for value in self.samples.iter().filter_map(|sample| sample.get(key)?.as_str()) {
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values
    }

    /// A number of all samples that have these keys.
    pub fn numbers(&self, keys: &[(&str, &str)], name: &str) -> Vec<f64> {
        let has = |sample: &&Map<String, Value>| {
            keys.iter().all(|(key, value)| {
                sample.get(*key).and_then(Value::as_str).is_some_and(|found| found == *value)
            })
        };
        let found = self.samples.iter().filter(has);
        found.filter_map(|sample| sample.get(name)?.as_f64()).collect()
    }

    /// The median of that number.
    pub fn median(&self, keys: &[(&str, &str)], name: &str) -> Option<f64> {
        median(self.numbers(keys, name))
    }

    /// The greatest of that number.
    pub fn greatest(&self, keys: &[(&str, &str)], name: &str) -> Option<f64> {
        self.numbers(keys, name).into_iter().max_by(f64::total_cmp)
    }
}

/// The middle of the numbers, or the mean of the two in the middle.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = *numbers.get((numbers.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 10.0]), Some(3.0));
    }
}
