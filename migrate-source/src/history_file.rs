//! Compares a set with its history file, and makes the text of that file. A migration that is in it is
//! frozen: it can no longer be edited unnoticed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;

use migrate_set::name::Kind;
use migrate_set::remedy::{Remedy, Term};
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;
use thiserror::Error;

/// The first line of every history file; the number is the version of the format.
const HEADER: &str = "# migrate lock 1: version, checksum and name of each migration, in order";

/// The text that freezes `set`: one line per versioned migration, with tabs between the columns.
///
/// Two branches that each add a migration change the same place in it, so that a merge conflicts.
pub fn freeze(set: &Migrations) -> String {
    let mut text = format!("{HEADER}\n");
    for migration in versioned(set) {
        let (version, name) = (migration.version(), migration.name());
        let _ = writeln!(text, "{version}\t{}\t{name}", migration.checksum());
    }
    text
}

/// A deviation of a set from its history file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HistoryProblem {
    /// A line that is not valid in a history file, such as the mark of a merge conflict.
    #[error("line {line} is not a valid entry: `{text}`")]
    Malformed {
        /// From 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A frozen migration was edited and no longer means the same.
    #[error("version {version}: `{filename}` was edited after it was frozen")]
    Edited {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
    },
    /// A frozen migration was renamed.
    #[error("version {version}: `{frozen}` was renamed to `{name}` after it was frozen")]
    Renamed {
        /// The version as the set writes it.
        version: String,
        /// The name in the history file.
        frozen: String,
        /// The name in the set.
        name: String,
    },
    /// A frozen migration was removed.
    #[error("version {version}: `{name}` is frozen but missing from the set")]
    Removed {
        /// The version in the history file.
        version: String,
        /// The name in the history file.
        name: String,
    },
    /// A new migration sorts before a frozen one.
    #[error(
        "version {version}: `{filename}` is new and sorts before version {newest}, which is frozen"
    )]
    OutOfOrder {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
        /// The newest frozen version.
        newest: String,
    },
    /// A new migration is not frozen yet.
    #[error("version {version}: `{filename}` is not frozen yet")]
    New {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
    },
    /// The file has the name that history files had before.
    #[error("does not exist, but `{old}` does")]
    OldName {
        /// The name.
        old: String,
    },
    /// An update was requested in CI, where the file is not committed.
    #[error("is not written in CI")]
    InCi,
}

impl HistoryProblem {
    /// What to do about it.
    pub fn help(&self) -> Remedy {
        match self {
            HistoryProblem::Malformed { .. } => {
                "resolve the conflict by hand, or restore the file".into()
            }
            HistoryProblem::Edited { .. } => Remedy::new(
                "restore the file and put the change into a new migration; if it has not run \
                 anywhere yet, update the history with {}",
                &[Term::Refreeze],
            ),
            HistoryProblem::Renamed { .. } => {
                Remedy::new("restore the name, or update the history with {}", &[Term::Refreeze])
            }
            HistoryProblem::Removed { .. } => Remedy::new(
                "restore the file; if it has not run anywhere yet, update the history with {}",
                &[Term::Refreeze],
            ),
            HistoryProblem::OutOfOrder { .. } => {
                "give it a version above the newest frozen one".into()
            }
            HistoryProblem::OldName { .. } => {
                "rename it: a history file ends with `.history`, and its content is the same".into()
            }
            HistoryProblem::InCi => Remedy::new(
                "commit the file that a build outside CI writes, or set {}",
                &[Term::InCi],
            ),
            HistoryProblem::New { .. } => Remedy::new("freeze it with {}", &[Term::Freeze]),
        }
    }
}

/// Whether a value of the environment variable `CI`, which services for continuous integration set,
/// means yes.
pub fn is_ci(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "false")
}

/// Every deviation of `set` from the history file's `text`; an empty text freezes nothing.
pub fn compare(text: &str, set: &Migrations) -> Vec<HistoryProblem> {
    let (mut frozen, mut problems) = entries(text);
    if !problems.is_empty() {
        return problems;
    }
    let newest = frozen.keys().next_back().cloned();
    for migration in versioned(set) {
        match frozen.remove(migration.version()) {
            Some((checksum, name)) => problems.extend(changed(migration, checksum, name)),
            None => problems.push(added(migration, newest.as_ref())),
        }
    }
    problems.extend(frozen.into_iter().map(|(version, (_, name))| HistoryProblem::Removed {
        version: version.to_string(),
        name: name.to_owned(),
    }));
    problems
}

/// The newest version in the history file's `text`, if it freezes anything, and the lines that are not
/// valid entries.
pub fn newest(text: &str) -> (Option<Version>, Vec<HistoryProblem>) {
    let (frozen, problems) = entries(text);
    (frozen.into_keys().next_back(), problems)
}

/// Checksum and name of each version in a history file, and the lines that are not valid entries.
fn entries(text: &str) -> (BTreeMap<Version, (&str, &str)>, Vec<HistoryProblem>) {
    let (mut entries, mut problems) = (BTreeMap::new(), Vec::new());
    let lines = text.lines().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        match line.split('\t').collect::<Vec<_>>()[..] {
            [version, checksum, name] if checksum.len() == 64 => {
                entries.insert(Version::new(version.to_owned()), (checksum, name));
            }
            _ => {
                let text = line.to_owned();
                problems.push(HistoryProblem::Malformed { line: index + 1, text });
            }
        }
    }
    (entries, problems)
}

fn versioned(set: &Migrations) -> impl Iterator<Item = &Migration> {
    set.iter().filter(|migration| migration.kind() == Kind::Versioned)
}

fn changed(migration: &Migration, checksum: &str, name: &str) -> Option<HistoryProblem> {
    let version = migration.version().to_string();
    if migration.checksum().to_string() != checksum {
        let filename = migration.filename().to_owned();
        return Some(HistoryProblem::Edited { version, filename });
    }
    (migration.name() != name).then(|| HistoryProblem::Renamed {
        version,
        frozen: name.to_owned(),
        name: migration.name().to_owned(),
    })
}

fn added(migration: &Migration, newest: Option<&Version>) -> HistoryProblem {
    let version = migration.version().to_string();
    let filename = migration.filename().to_owned();
    match newest.filter(|newest| migration.version() < *newest) {
        Some(newest) => {
            HistoryProblem::OutOfOrder { version, filename, newest: newest.to_string() }
        }
        None => HistoryProblem::New { version, filename },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{SetOptions, SourceFile, check as checked};

    fn set(files: &[(&str, &str)]) -> Migrations {
        let file = |&(path, sql): &(&str, &str)| SourceFile {
            path: path.to_owned(),
            bytes: sql.as_bytes().to_vec(),
        };
        let files: Vec<SourceFile> = files.iter().map(file).collect();
        checked("m", &files, &SetOptions::default()).unwrap().set
    }

    /// Freezes the first set and compares the second with it.
    fn check(frozen: &[(&str, &str)], now: &[(&str, &str)], expected: &[&str]) {
        let problems = compare(&freeze(&set(frozen)), &set(now));
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    const A: (&str, &str) = ("1_a.sql", "select 1");
    const B: (&str, &str) = ("2_b.sql", "select 2");
    const C: (&str, &str) = ("3_c.sql", "select 3");

    #[test]
    fn frozen_history_has_a_line_per_versioned_migration() {
        let text = freeze(&set(&[A, B, ("R__v.sql", "select 4")]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], HEADER);
        assert!(lines[2].starts_with("2\t") && lines[2].ends_with("\tb"), "{text}");
    }

    #[test]
    fn ci_is_what_says_so() {
        let check = |value: &str| is_ci(Some(OsStr::new(value)));
        assert!(check("true") && check("1"));
        assert!(!check("") && !check("false") && !is_ci(None));
    }

    #[test]
    fn every_deviation_is_found() {
        check(&[A, B], &[A, B], &[]);
        check(&[A, B], &[("1_a.sql", "-- remark\nselect  1;"), ("002_b.sql", B.1)], &[]);
        check(&[A, C], &[A, C, ("R__v.sql", "select 4")], &[]);
        check(
            &[A, C],
            &[("1_a.sql", "select 9"), B, ("4_d.sql", "select 4")],
            &[
                "version 1: `1_a.sql` was edited after it was frozen",
                "version 2: `2_b.sql` is new and sorts before version 3, which is frozen",
                "version 4: `4_d.sql` is not frozen yet",
                "version 3: `c` is frozen but missing from the set",
            ],
        );
        check(
            &[A],
            &[("1_x.sql", A.1)],
            &["version 1: `a` was renamed to `x` after it was frozen"],
        );
    }

    #[test]
    fn conflict_is_reported_by_its_line() {
        let text = format!("{}<<<<<<< ours\n", freeze(&set(&[A])));
        let problems = compare(&text, &set(&[A]));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), "line 3 is not a valid entry: `<<<<<<< ours`");
    }
}
