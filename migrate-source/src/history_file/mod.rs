//! Compares a set with its history file, and makes the text of that file. A migration that is in it is
//! frozen: it can no longer be edited unnoticed.

mod problem;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;

use migrate_set::checksum::Checksum;
use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::sql::{lexer::lex, split::split};
use migrate_set::version::Version;

pub use problem::HistoryProblem;

/// The first line of every history file; the number is the version of the format.
const HEADER: &str = "# migrate lock 1: version, checksum and name of each migration, in order";

/// The text that freezes `set`: one line per versioned migration, with tabs between the columns. What a squash file
/// replaces keeps its lines, except the one of its own version.
///
/// Two branches that each add a migration change the same place in it, so that a merge conflicts.
pub fn freeze(set: &Migrations) -> String {
    let mut text = format!("{HEADER}\n");
    for Line { version, checksum, name, .. } in lines(set) {
        let _ = writeln!(text, "{version}\t{checksum}\t{name}");
    }
    text
}

/// A line that the file should have.
struct Line<'s> {
    version: &'s Version,
    checksum: Checksum,
    name: &'s str,
    filename: &'s str,
}

fn lines(set: &Migrations) -> impl Iterator<Item = Line<'_>> {
    let versioned = set.iter().filter(|migration| migration.kind() == Kind::Versioned);
    versioned.flat_map(|migration| {
        let filename = migration.filename();
        let replaced = migration.replaces_before().iter().map(move |one| Line {
            version: one.version(),
            checksum: one.checksum(),
            name: one.name(),
            filename,
        });
        replaced.chain([Line {
            version: migration.version(),
            checksum: text_checksum(migration),
            name: migration.name(),
            filename,
        }])
    })
}

/// That of its own text, also of a squash file.
fn text_checksum(migration: &Migration) -> Checksum {
    let text = migration.up().text();
    let own = || Some(Checksum::of(text, &split(text, &lex(text)).ok()?));
    let own = if migration.replaces().is_empty() { None } else { own() };
    own.unwrap_or(migration.checksum())
}

/// Whether a value of the environment variable `CI`, which services for continuous integration set,
/// means yes.
pub fn is_ci(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "false")
}

/// What an update of a history file may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Update {
    /// Adds new migrations, and replaces the line of the newest frozen one.
    Newest,
    /// Replaces any line.
    All,
}

/// The text of an updated history file, and what of it is new, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updated {
    /// The text.
    pub text: String,
    /// A sentence for each line that differs; empty if there was no file.
    pub changes: Vec<String>,
}

/// Updates the history file's `text` to `set`; `None` is a file that does not exist.
///
/// # Errors
/// The deviations that `update` may not resolve.
pub fn update(
    text: Option<&str>,
    set: &Migrations,
    update: Update,
) -> Result<Updated, Vec<HistoryProblem>> {
    let (resolved, others): (Vec<_>, Vec<_>) = compare(text, set)
        .into_iter()
        .partition(|problem| problem.update().is_some_and(|least| least <= update));
    if !others.is_empty() {
        return Err(others);
    }
    let changes = resolved.iter().filter(|_| text.is_some()).map(HistoryProblem::resolved);
    Ok(Updated { text: freeze(set), changes: changes.collect() })
}

/// Every deviation of `set` from the history file's `text`; `None` is a file that does not exist.
pub fn compare(text: Option<&str>, set: &Migrations) -> Vec<HistoryProblem> {
    if text.is_none() && lines(set).next().is_some() {
        return vec![HistoryProblem::Missing { near: None }];
    }
    let (mut frozen, mut problems) = entries(text);
    if !problems.is_empty() {
        return problems;
    }
    let newest = frozen.keys().next_back().cloned();
    let newest = newest.as_ref();
    for line in lines(set) {
        match frozen.remove(line.version) {
            Some((checksum, name)) => problems.extend(changed(&line, checksum, name, newest)),
            None => problems.push(added(&line, newest)),
        }
    }
    problems.extend(frozen.into_iter().map(|(version, (_, name))| HistoryProblem::Removed {
        version: version.to_string(),
        name: name.to_owned(),
        update: least(&version, newest),
    }));
    problems
}

/// The newest version in the history file's `text`, if it freezes anything, and why it cannot be read.
pub fn newest(text: &str) -> (Option<Version>, Vec<HistoryProblem>) {
    let (frozen, problems) = entries(Some(text));
    (frozen.into_keys().next_back(), problems)
}

/// Checksum and name of each version in a history file, and the lines that cannot be read.
fn entries(text: Option<&str>) -> (BTreeMap<Version, (&str, &str)>, Vec<HistoryProblem>) {
    let (mut entries, mut problems) = (BTreeMap::<Version, (&str, &str)>::new(), Vec::new());
    let Some(text) = text else { return (entries, problems) };
    let found = text.lines().next().unwrap_or_default();
    if found != HEADER {
        return (entries, vec![HistoryProblem::Header { found: found.to_owned() }]);
    }
    let conflicts = conflicts(text);
    if !conflicts.is_empty() {
        return (entries, conflicts);
    }
    let lines = text.lines().enumerate();
    for (index, text) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let line = index + 1;
        let Some((version, entry)) = entry(text) else {
            let text = text.to_owned();
            problems.push(HistoryProblem::Malformed { line, text });
            continue;
        };
        match entries.keys().next_back() {
            Some(last) if version <= *last => problems.push(HistoryProblem::Disordered {
                line,
                version: version.to_string(),
                last: last.to_string(),
            }),
            _ => _ = entries.insert(version, entry),
        }
    }
    (entries, problems)
}

/// The conflicts that a merge left.
fn conflicts(text: &str) -> Vec<HistoryProblem> {
    let lines = || text.lines().zip(1..);
    let begins = lines().filter(|(line, _)| line.starts_with("<<<<<<< "));
    let conflict = begins.map(|(_, first)| {
        let mut after = lines().skip(first);
        let end = after.find(|(line, _)| line.starts_with(">>>>>>> "));
        HistoryProblem::Conflict { first, last: end.map_or(text.lines().count(), |(_, last)| last) }
    });
    conflict.collect()
}

/// The version, checksum and name of a line.
fn entry(line: &str) -> Option<(Version, (&str, &str))> {
    let mut parts = line.split('\t');
    let (version, checksum, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_digest = checksum.len() == 64 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_digest && parts.next().is_none())
        .then(|| (Version::new(version.to_owned()), (checksum, name)))
}

/// The least update that changes the line of a version.
fn least(version: &Version, newest: Option<&Version>) -> Update {
    if Some(version) == newest { Update::Newest } else { Update::All }
}

fn changed(
    line: &Line<'_>,
    checksum: &str,
    name: &str,
    newest: Option<&Version>,
) -> Option<HistoryProblem> {
    let update = least(line.version, newest);
    let version = line.version.to_string();
    if line.checksum.to_string() != checksum {
        return Some(HistoryProblem::Edited {
            version,
            filename: line.filename.to_owned(),
            update,
        });
    }
    (line.name != name).then(|| HistoryProblem::Renamed {
        version,
        frozen: name.to_owned(),
        name: line.name.to_owned(),
        update,
    })
}

fn added(line: &Line<'_>, newest: Option<&Version>) -> HistoryProblem {
    let (version, filename) = (line.version.to_string(), line.filename.to_owned());
    match newest.filter(|newest| line.version < *newest) {
        Some(newest) => {
            HistoryProblem::OutOfOrder { version, filename, newest: newest.to_string() }
        }
        None => HistoryProblem::New { version, filename },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{SetOptions, check as checked};

    fn set(files: &[(&str, &str)]) -> Migrations {
        checked("m", &crate::tests::files(files), &SetOptions::default()).unwrap().set
    }

    /// Freezes the first set and compares the second with it.
    fn check(frozen: &[(&str, &str)], now: &[(&str, &str)], expected: &[&str]) {
        let problems = compare(Some(&freeze(&set(frozen))), &set(now));
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

    /// One that is missing is one deviation, unless it would have no lines.
    #[test]
    fn a_file_that_cannot_be_read_is_not_a_missing_one() {
        #[track_caller]
        fn check(text: &str, expected: &[&str]) {
            for how in [Update::Newest, Update::All] {
                let problems = update(Some(text), &set(&[A, B]), how).unwrap_err();
                let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
                assert_eq!(shown, expected, "{text:?}");
                assert_eq!(compare(Some(text), &set(&[A, B])), problems);
            }
        }
        assert_eq!(compare(None, &set(&[A, B])), [HistoryProblem::Missing { near: None }]);
        assert_eq!(compare(None, &set(&[("R__v.sql", "select 4")])), []);
        let text = freeze(&set(&[A, B]));
        let lines: Vec<&str> = text.lines().collect();
        let with = |lines: &[&str]| format!("{HEADER}\n{}\n", lines.join("\n"));
        check("", &["its first line is ``, not that of a history file of format 1"]);
        let later = text.replacen("lock 1", "lock 2", 1);
        let found = later.lines().next().unwrap();
        check(
            &later,
            &[&format!("its first line is `{found}`, not that of a history file of format 1")],
        );
        let bare = lines[1..].join("\n");
        assert!(matches!(compare(Some(&bare), &set(&[A]))[..], [HistoryProblem::Header { .. }]));
        let conflict = "<<<<<<< HEAD\n2\tx\ty\n=======\n3\tx\ty\n>>>>>>> branch\n";
        check(
            &format!("{text}{conflict}{conflict}<<<<<<< HEAD\nrest"),
            &[
                "lines 4 to 8 are a merge conflict",
                "lines 9 to 13 are a merge conflict",
                "lines 14 to 15 are a merge conflict",
            ],
        );
        let cut = &lines[2][..40];
        check(&with(&[lines[1], cut]), &[&format!("line 3 is not a valid entry: `{cut}`")]);
        check(
            &with(&[lines[2], lines[1]]),
            &["line 3 has version 1, which is not above version 2 of a line before it"],
        );
        check(
            &with(&[lines[1], lines[1], lines[2]]),
            &["line 3 has version 1, which is not above version 1 of a line before it"],
        );
        // As git may write it.
        assert_eq!(compare(Some(&text.replace('\n', "\r\n")), &set(&[A, B])), []);
    }

    #[test]
    fn an_update_changes_the_newest_line_or_any() {
        /// The changes of each kind of update, or the number of problems that it may not resolve.
        #[track_caller]
        fn check(now: &[(&str, &str)], expected: [Result<&[&str], usize>; 2]) {
            let frozen = freeze(&set(&[A, B]));
            for (how, expected) in [Update::Newest, Update::All].into_iter().zip(expected) {
                match update(Some(&frozen), &set(now), how) {
                    Ok(updated) => {
                        assert_eq!(updated.text, freeze(&set(now)));
                        let changes: Vec<&str> =
                            updated.changes.iter().map(String::as_str).collect();
                        assert_eq!(Ok(&changes[..]), expected, "{how:?}");
                    }
                    Err(problems) => assert_eq!(Err(problems.len()), expected, "{how:?}"),
                }
            }
        }
        let both = |changes: &'static [&str]| [Ok(changes), Ok(changes)];
        check(&[A, B], both(&[]));
        check(&[A, B, C], both(&["version 3: `3_c.sql` was added"]));
        check(&[A, ("2_b.sql", "select 9")], both(&["version 2: `2_b.sql` was edited"]));
        check(&[A, ("2_x.sql", B.1)], both(&["version 2: `b` was renamed to `x`"]));
        check(&[A], both(&["version 2: `b` was removed"]));
        let edited = ("1_a.sql", "select 9");
        check(
            &[edited, B, C],
            [Err(1), Ok(&["version 1: `1_a.sql` was edited", "version 3: `3_c.sql` was added"])],
        );
        check(&[B], [Err(1), Ok(&["version 1: `a` was removed"])]);
        check(&[("1_x.sql", A.1), B], [Err(1), Ok(&["version 1: `a` was renamed to `x`"])]);
        let before = ("1.5_d.sql", "select 5");
        check(&[A, before, B], [Err(1), Ok(&["version 1.5: `1.5_d.sql` was added"])]);
        let first = update(None, &set(&[A, B]), Update::Newest).unwrap();
        assert_eq!((first.text, first.changes), (freeze(&set(&[A, B])), Vec::new()));
    }

    #[test]
    fn squash_file_keeps_the_lines_of_what_it_replaces() {
        let squash = |sql: &str| {
            migrate_set::squash::lines(&migrate_set::squash::Replaced::of(&set(&[A, B]))) + sql
        };
        let text = squash("select 1; select 2;");
        let now = [("2_squash.sql", text.as_str()), C];
        let updated = update(Some(&freeze(&set(&[A, B]))), &set(&now), Update::Newest).unwrap();
        let changes = ["version 2: `2_squash.sql` was edited", "version 3: `3_c.sql` was added"];
        assert_eq!(updated.changes, changes);
        assert_eq!(updated.text.lines().count(), 4);
        assert_eq!(updated.text.lines().nth(1), freeze(&set(&[A])).lines().nth(1));
        let other = squash("select 9;");
        let edited = set(&[("2_squash.sql", &other), C]);
        let problems = compare(Some(&updated.text), &edited);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            problems[0].to_string(),
            "version 2: `2_squash.sql` was edited after it was frozen"
        );
    }
}
