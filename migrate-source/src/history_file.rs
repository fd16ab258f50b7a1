//! Compares a set with the history in its lock file, and makes the text of that file. The macro and
//! the command line read and write it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;
use thiserror::Error;

use crate::check::{Problem, SourceError, SourceErrors};

/// The first line of every lock file; the number is the version of the format.
const HEADER: &str = "# migrate lock 1: version, checksum and name of each migration, in order";

/// The text that locks `set`: one line per versioned migration, with tabs between the columns.
///
/// Two branches that each add a migration change the same place in it, so that a merge conflicts.
pub fn lock(set: &Migrations) -> String {
    let mut text = format!("{HEADER}\n");
    for migration in versioned(set) {
        let (version, name) = (migration.version(), migration.name());
        let _ = writeln!(text, "{version}\t{}\t{name}", migration.checksum());
    }
    text
}

/// A deviation of a set from its lock.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LockProblem {
    /// A line that is not valid in a lock file, such as the mark of a merge conflict.
    #[error("line {line} is not a valid entry: `{text}`")]
    Malformed {
        /// From 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A locked migration was edited and no longer means the same.
    #[error("version {version}: `{filename}` was edited after it was locked")]
    Edited {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
    },
    /// A locked migration was renamed.
    #[error("version {version}: `{locked}` was renamed to `{name}` after it was locked")]
    Renamed {
        /// The version as the set writes it.
        version: String,
        /// The name in the lock.
        locked: String,
        /// The name in the set.
        name: String,
    },
    /// A locked migration was removed.
    #[error("version {version}: `{name}` is locked but missing from the set")]
    Removed {
        /// The version in the lock.
        version: String,
        /// The name in the lock.
        name: String,
    },
    /// A new migration sorts before a locked one.
    #[error(
        "version {version}: `{filename}` is new and sorts before version {newest}, which is locked"
    )]
    OutOfOrder {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
        /// The newest locked version.
        newest: String,
    },
    /// A new migration is not locked yet.
    #[error("version {version}: `{filename}` is not locked yet")]
    New {
        /// The version as the set writes it.
        version: String,
        /// The file.
        filename: String,
    },
}

impl LockProblem {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            LockProblem::Malformed { .. } => "resolve the conflict by hand, or restore the file",
            LockProblem::Edited { .. } => {
                "restore the file and put the change into a new migration; if it has not run \
                 anywhere yet, update the lock with `MIGRATE_UPDATE_LOCK=1 cargo build`"
            }
            LockProblem::Renamed { .. } => {
                "restore the name, or update the lock with `MIGRATE_UPDATE_LOCK=1 cargo build`"
            }
            LockProblem::Removed { .. } => {
                "restore the file; if it has not run anywhere yet, update the lock with \
                 `MIGRATE_UPDATE_LOCK=1 cargo build`"
            }
            LockProblem::OutOfOrder { .. } => "give it a version above the newest locked one",
            LockProblem::New { .. } => "lock it with `MIGRATE_UPDATE_LOCK=1 cargo build`",
        }
    }
}

/// Checks `set` against the lock file `shown` with this `text`; `None` is a missing file, which
/// locks nothing.
///
/// # Errors
/// Every deviation, as a mistake in the lock file.
pub fn check(shown: &str, text: Option<&str>, set: &Migrations) -> Result<(), SourceErrors> {
    let problems = compare(text.unwrap_or_default(), set);
    let error = |problem| SourceError::of_file(shown, Problem::Lock(problem));
    let errors: Vec<SourceError> = problems.into_iter().map(error).collect();
    if errors.is_empty() { Ok(()) } else { Err(SourceErrors(errors)) }
}

/// Every deviation of `set` from the lock file's `text`; an empty text locks nothing.
pub fn compare(text: &str, set: &Migrations) -> Vec<LockProblem> {
    let mut problems = Vec::new();
    let mut locked = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        match entry(line) {
            Ok(Some((version, checksum, name))) => {
                locked.insert(version, (checksum, name));
            }
            Ok(None) => {}
            Err(()) => {
                let text = line.to_owned();
                problems.push(LockProblem::Malformed { line: index + 1, text });
            }
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    let newest = locked.keys().next_back().cloned();
    for migration in versioned(set) {
        match locked.remove(migration.version()) {
            Some((checksum, name)) => problems.extend(changed(migration, checksum, name)),
            None => problems.push(added(migration, newest.as_ref())),
        }
    }
    problems.extend(locked.into_iter().map(|(version, (_, name))| LockProblem::Removed {
        version: version.to_string(),
        name: name.to_owned(),
    }));
    problems
}

/// The newest version in the lock file's `text`; `None` if it locks nothing.
///
/// # Errors
/// The first line that is not a valid entry.
pub fn newest(text: &str) -> Result<Option<Version>, LockProblem> {
    let mut newest = None;
    for (index, line) in text.lines().enumerate() {
        let malformed = |()| LockProblem::Malformed { line: index + 1, text: line.to_owned() };
        let version = entry(line).map_err(malformed)?.map(|(version, ..)| version);
        newest = newest.max(version);
    }
    Ok(newest)
}

fn versioned(set: &Migrations) -> impl Iterator<Item = &Migration> {
    set.iter().filter(|migration| migration.kind() == Kind::Versioned)
}

/// Version, checksum and name of one line; `None` for a comment or an empty line.
#[allow(clippy::type_complexity, reason = "three columns are three columns")]
fn entry(line: &str) -> Result<Option<(Version, &str, &str)>, ()> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut columns = line.split('\t');
    match (columns.next(), columns.next(), columns.next(), columns.next()) {
        (Some(version), Some(checksum), Some(name), None) if checksum.len() == 64 => {
            Ok(Some((Version::new(version.to_owned()), checksum, name)))
        }
        _ => Err(()),
    }
}

fn changed(migration: &Migration, checksum: &str, name: &str) -> Option<LockProblem> {
    let version = migration.version().to_string();
    if migration.checksum().to_string() != checksum {
        let filename = migration.filename().to_owned();
        return Some(LockProblem::Edited { version, filename });
    }
    (migration.name() != name).then(|| LockProblem::Renamed {
        version,
        locked: name.to_owned(),
        name: migration.name().to_owned(),
    })
}

fn added(migration: &Migration, newest: Option<&Version>) -> LockProblem {
    let version = migration.version().to_string();
    let filename = migration.filename().to_owned();
    match newest.filter(|newest| migration.version() < *newest) {
        Some(newest) => LockProblem::OutOfOrder { version, filename, newest: newest.to_string() },
        None => LockProblem::New { version, filename },
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

    /// Locks the first set and compares the second with it.
    fn check(locked: &[(&str, &str)], now: &[(&str, &str)], expected: &[&str]) {
        let problems = compare(&lock(&set(locked)), &set(now));
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    const A: (&str, &str) = ("1_a.sql", "select 1");
    const B: (&str, &str) = ("2_b.sql", "select 2");
    const C: (&str, &str) = ("3_c.sql", "select 3");

    #[test]
    fn locks_hold_a_line_a_versioned_migration() {
        let text = lock(&set(&[A, B, ("R__v.sql", "select 4")]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], HEADER);
        assert!(lines[2].starts_with("2\t") && lines[2].ends_with("\tb"), "{text}");
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
                "version 1: `1_a.sql` was edited after it was locked",
                "version 2: `2_b.sql` is new and sorts before version 3, which is locked",
                "version 4: `4_d.sql` is not locked yet",
                "version 3: `c` is locked but missing from the set",
            ],
        );
        check(
            &[A],
            &[("1_x.sql", A.1)],
            &["version 1: `a` was renamed to `x` after it was locked"],
        );
    }

    #[test]
    fn conflicts_are_reported_with_their_line() {
        let text = format!("{}<<<<<<< ours\n", lock(&set(&[A])));
        let problems = compare(&text, &set(&[A]));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), "line 3 is not a valid entry: `<<<<<<< ours`");
    }
}
