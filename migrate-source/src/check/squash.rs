//! Checks a squash file and the files beside it: what it replaces must be gone, or be what it lists.

use std::ops::Range;

use migrate_set::name::{Direction, shown};
use migrate_set::resume::manner_of;
use migrate_set::set::TransactionMode;
use migrate_set::squash::{Replaced, digest, listed};
use migrate_set::version::Version;
use thiserror::Error;

use super::assembly::Claim;
use super::{Problem, SourceError};
use crate::directives::section::Sections;

/// What is wrong with a squash file, or with a file beside it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SquashProblem {
    /// The list is not that of the directive.
    #[error("this digest is not that of the list below it")]
    List,
    /// It has a down script.
    #[error("a squash file with a down script")]
    Down,
    /// It runs in another way than in one transaction.
    #[error("a squash file runs in one transaction, without a function")]
    Runs,
    /// Its version is not that of the last migration that it replaces.
    #[error("replaces migrations up to version {last}, but has another version")]
    Version {
        /// The last version that it replaces.
        last: String,
    },
    /// A file that it replaces has another text.
    #[error("version {version} is replaced by `{squash}`, which lists another text")]
    Other {
        /// The version as the squash file lists it.
        version: String,
        /// The squash file.
        squash: String,
    },
    /// A file that sorts before its version, and that it does not list.
    #[error(
        "sorts before version {last}, up to which `{squash}` replaces all, and is not in its list"
    )]
    Older {
        /// The last version that is replaced.
        last: String,
        /// The squash file.
        squash: String,
    },
    /// Another squash file, which it does not replace.
    #[error("is a second squash file, besides `{squash}`")]
    Second {
        /// The one that replaces more.
        squash: String,
    },
}

impl SquashProblem {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::List => "restore the file, or write it again with `migrate squash`".to_owned(),
            Self::Down => {
                "remove the down script; a release that still has the replaced files can undo them"
                    .to_owned()
            }
            Self::Runs => "remove the directive: what it lists keeps its own".to_owned(),
            Self::Version { last } => {
                format!("give it version {last}, because the ledger has its entry under that")
            }
            Self::Other { .. } => {
                "restore the text that was squashed and put the change into a new migration, or remove the file"
                    .to_owned()
            }
            Self::Older { last, .. } => {
                format!("give it a version above {last}; a database can have all of the list, and not this file")
            }
            Self::Second { .. } => "remove it, or squash again, which replaces both".to_owned(),
        }
    }
}

/// What a file replaces; nothing if it is no squash file.
pub(super) fn listed_in(
    text: &str,
    found: &Sections<'_>,
    has_down: bool,
) -> Result<Vec<Replaced>, (Range<usize>, SquashProblem)> {
    let Some(directive) = &found.replaces else { return Ok(Vec::new()) };
    let (replaced, [first, last, sum]) = (listed(text), &directive.range);
    let is_end = |one: Option<&Replaced>, version: &str| {
        one.is_some_and(|one| one.version().as_str() == version)
    };
    let is_sorted = replaced.is_sorted_by(|one, next| one.version() < next.version());
    let is_listed = digest(&replaced) == *sum && is_sorted;
    let runs_apart = [found.whole, found.up].into_iter().flatten().any(|block| {
        block.transaction == TransactionMode::NonTransactional || block.function.is_some()
    });
    let problem =
        if !(is_listed && is_end(replaced.first(), first) && is_end(replaced.last(), last)) {
            SquashProblem::List
        } else if has_down {
            SquashProblem::Down
        } else if runs_apart {
            SquashProblem::Runs
        } else {
            return Ok(replaced);
        };
    Err((directive.span.0..directive.span.1, problem))
}

/// The files of a folder without those that its squash file replaces; mistakes go to `errors`.
pub(super) fn without_replaced<'f>(
    folder: &str,
    mut claims: Vec<Claim<'f>>,
    errors: &mut Vec<SourceError>,
) -> Vec<Claim<'f>> {
    let length = |claim: &Claim<'_>| claim.replaces().len();
    let Some(at) = (0..claims.len()).max_by_key(|at| length(&claims[*at])) else { return claims };
    let (replaced, squash) = (claims[at].replaces().to_vec(), claims[at].path);
    let Some(last) = replaced.last().map(|last| last.version().clone()) else { return claims };
    let plain = last.without_name();
    let beside = Beside { list: &replaced, last: &last, squash };
    let mut error = |path: &str, problem| {
        errors.push(SourceError::of_file(shown(folder, path), Problem::Squash(problem)));
    };
    let own = claims[at].name.version.as_ref();
    if own.is_none_or(|own| *own != last && plain.as_ref() != Some(own)) {
        error(squash, SquashProblem::Version { last: last.to_string() });
    }
    claims.retain(|claim| {
        if claim.path == squash {
            return true;
        }
        let judged = beside.judge(claim);
        judged.map_err(|problem| error(claim.path, problem)).unwrap_or_default()
    });
    claims
}

/// A squash file, for those beside it.
struct Beside<'s> {
    list: &'s [Replaced],
    last: &'s Version,
    squash: &'s str,
}

impl Beside<'_> {
    /// Whether the file is part of the set.
    fn judge(&self, claim: &Claim<'_>) -> Result<bool, SquashProblem> {
        let squash = self.squash.to_owned();
        let Some(version) = &claim.name.version else { return Ok(true) };
        let named = Version::new(format!("{version}_{}", claim.name.slug));
        let is_it = |one: &&Replaced| [version, &named].contains(&one.version());
        if !claim.replaces().is_empty() {
            let is_inside = claim.replaces().iter().all(|one| self.list.contains(one));
            return if is_inside { Ok(false) } else { Err(SquashProblem::Second { squash }) };
        }
        match self.list.iter().find(is_it) {
            Some(one) if claim.is_another(one) => {
                Err(SquashProblem::Other { version: one.version().to_string(), squash })
            }
            Some(_) => Ok(false),
            None if version <= self.last => {
                Err(SquashProblem::Older { last: self.last.to_string(), squash })
            }
            None => Ok(true),
        }
    }
}

impl Claim<'_> {
    fn replaces(&self) -> &[Replaced] {
        self.scripts.as_ref().map_or(&[], |scripts| &scripts.replaces)
    }

    /// Whether its up script is not the one that is replaced. What is invalid was reported.
    fn is_another(&self, one: &Replaced) -> bool {
        let up = self.scripts.as_ref().and_then(|scripts| scripts.up.as_ref());
        self.name.direction != Some(Direction::Down)
            && up.is_some_and(|(script, checksum)| {
                *checksum != one.checksum() || manner_of(script) != one.manner()
            })
    }
}

#[cfg(test)]
mod tests {
    use migrate_set::squash::lines;

    use super::*;
    use crate::check::{
        Checked, Down, Duplicates, Lints, Objects, SetOptions, SourceErrors, check,
    };

    const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a ();");
    const B: (&str, &str) =
        ("2_b.sql", "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY b ON a ((1));");
    const C: (&str, &str) = ("03_c.sql", "CREATE TABLE c ();");
    const SQL: &str = "CREATE TABLE a (); CREATE TABLE c ();";

    fn checked(files: &[(&str, &str)], options: &SetOptions) -> Result<Checked, SourceErrors> {
        check("m", &crate::tests::files(files), options)
    }

    fn squash_of(files: &[(&str, &str)]) -> String {
        let set = checked(files, &SetOptions::default()).unwrap().set;
        lines(&Replaced::of(&set)) + SQL
    }

    #[test]
    fn what_is_replaced_is_gone_or_the_same() {
        let squash = squash_of(&[A, B, C]);
        let whole = ("3_squash.sql", squash.as_str());
        let check = |beside: &[(&str, &str)], expected: &[&str]| {
            let files: Vec<_> = beside.iter().copied().chain([whole]).collect();
            // Lints and required down scripts do not concern it.
            let options = SetOptions { lints: Lints::Deny, ..SetOptions::default() };
            match checked(&files, &options) {
                Ok(Checked { set, .. }) => {
                    let found: Vec<&str> =
                        set.iter().map(migrate_set::set::Migration::filename).collect();
                    assert_eq!(found, expected);
                    assert_eq!(
                        (set.as_slice()[0].version().as_str(), set.as_slice()[0].replaces().len()),
                        ("03", 3)
                    );
                }
                Err(errors) => {
                    let shown: Vec<String> = errors
                        .0
                        .iter()
                        .map(|error| format!("{}: {}", error.file(), error.problem()))
                        .collect();
                    assert_eq!(shown, expected);
                }
            }
        };
        check(&[], &["3_squash.sql"]);
        check(&[A, B, C], &["3_squash.sql"]);
        check(&[B], &["3_squash.sql"]);
        check(&[("2_b.down.sql", "DROP INDEX b;")], &["3_squash.sql"]);
        check(&[("4_d.sql", "CREATE TABLE d ();"), C], &["3_squash.sql", "4_d.sql"]);
        check(
            &[(A.0, "CREATE TABLE a (id int);")],
            &["m/1_a.sql: version 1 is replaced by `3_squash.sql`, which lists another text"],
        );
        check(
            &[(B.0, "CREATE INDEX b ON a ((1));")],
            &["m/2_b.sql: version 2 is replaced by `3_squash.sql`, which lists another text"],
        );
        check(
            &[("2.5_x.sql", "CREATE TABLE x ();")],
            &[
                "m/2.5_x.sql: sorts before version 03, up to which `3_squash.sql` replaces all, and is not in its list",
            ],
        );
        let earlier = squash_of(&[A, B]);
        check(&[("2_squash.sql", &earlier)], &["3_squash.sql"]);
        let other = squash_of(&[("1_other.sql", "CREATE TABLE other ();")]);
        check(
            &[("1_squash.sql", &other)],
            &["m/1_squash.sql: is a second squash file, besides `3_squash.sql`"],
        );
    }

    #[test]
    fn squash_file_is_as_it_was_written() {
        let text = squash_of(&[A, B, C]);
        let check = |path: &str, text: &str, expected: &str| {
            let found = match checked(&[(path, text)], &SetOptions::default()) {
                Ok(_) => String::new(),
                Err(errors) => errors.0.iter().map(|error| error.problem().to_string()).collect(),
            };
            assert_eq!(found, expected, "{text}");
        };
        let list = "this digest is not that of the list below it";
        check("03_squash.sql", &text, "");
        check("03_squash.sql", &text.replace("2\tno-transaction", "2\ttransaction"), list);
        check("03_squash.sql", &text.replace("to 03", "to 3"), list);
        check("03_squash.sql", &text.replace("\ta\t", "\tb\t"), list);
        check("03_squash.sql", text.lines().next().unwrap(), list);
        check(
            "4_squash.sql",
            &text,
            "replaces migrations up to version 03, but has another version",
        );
        let with = |line: &str| {
            text.replacen("-- migrate:replaces", &format!("{line}\n-- migrate:replaces"), 1)
        };
        let runs = "a squash file runs in one transaction, without a function";
        check("03_squash.sql", &with("-- migrate:no-transaction"), runs);
        check("03_squash.sql", &with("-- migrate:function"), runs);
        check(
            "03_squash.sql",
            &format!("-- UP\n{text}\n-- DOWN\nDROP TABLE a;"),
            "a squash file with a down script",
        );
        check(
            "03_squash.sql",
            &format!("SELECT 1;\n{text}"),
            "this directive comes after a statement, where it has no effect",
        );
    }

    #[test]
    fn squash_of_a_squash_lists_all_again() {
        let options = SetOptions { down: Down::Required, ..SetOptions::default() };
        let first = squash_of(&[A, B]);
        let set = checked(&[("2_squash.sql", &first)], &options).unwrap().set;
        let options = SetOptions { objects: Objects::Off, ..SetOptions::default() };
        let again = checked(&[("2_squash.sql", &first), C], &options).unwrap().set;
        assert_eq!(Replaced::of(&set).len(), 2);
        assert_eq!(lines(&Replaced::of(&again)) + SQL, squash_of(&[A, B, C]));
        assert_eq!(
            again.traits().digest,
            checked(&[A, B, C], &SetOptions::default()).unwrap().set.traits().digest
        );
    }

    #[test]
    fn equal_versions_that_were_ordered_by_name_are_replaced() {
        let options = SetOptions { duplicates: Duplicates::ByName, ..SetOptions::default() };
        let (one, other) = (("7_a.sql", "CREATE TABLE a ();"), ("7_c.sql", "CREATE TABLE c ();"));
        let set = checked(&[one, other], &options).unwrap().set;
        let text = lines(&Replaced::of(&set)) + SQL;
        let squashed = checked(&[("7_squash.sql", &text), one, other], &options).unwrap().set;
        assert_eq!((squashed.len(), squashed.as_slice()[0].version().as_str()), (1, "7_c"));
        assert_eq!(squashed.traits().digest, set.traits().digest);
    }
}
