//! Which migrations of two branches cannot live together: by their versions here, and by the objects that they
//! make in `objects`.

#[cfg(feature = "syntax")]
mod objects;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;

use super::branch::BranchProblem;
use super::error::SourceError;
use super::mistakes::limited;
use super::problem::Problem;
use super::{SetOptions, SourceErrors};

/// The other branch.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'s> {
    /// Its name in messages.
    pub name: &'s str,
    /// What precedes the name of one of its files in messages, such as `main:`.
    pub prefix: &'s str,
    /// Its migrations.
    pub migrations: &'s [Migration],
    /// The migrations that both branches began with; `None` if that is not known: those that are alike are.
    pub base: Option<&'s [Migration]>,
}

impl Branch<'_> {
    fn path(&self, migration: &Migration) -> String {
        format!("{}{}", self.prefix, migration.filename())
    }
}

/// What identifies a migration of a set: versioned ones come first.
type Key<'m> = (bool, &'m Version);

fn key(migration: &Migration) -> Key<'_> {
    (migration.kind() == Kind::Repeatable, migration.version())
}

fn by_key(migrations: &[Migration]) -> BTreeMap<Key<'_>, &Migration> {
    migrations.iter().map(|migration| (key(migration), migration)).collect()
}

/// The migrations of both branches.
struct Merge<'m> {
    /// Those that both have, as this branch has them.
    both: Vec<&'m Migration>,
    /// Those that only this branch has.
    ours: Vec<&'m Migration>,
    /// Those that only the other branch has.
    theirs: Vec<&'m Migration>,
}

/// Checks that the migrations of `set` can live together with those of another branch.
///
/// # Errors
/// Each that cannot, in the file where it can be fixed.
pub fn check_branches(
    set: &Migrations,
    other: Branch<'_>,
    options: &SetOptions,
) -> Result<(), SourceErrors> {
    let (ours, theirs) = (by_key(set.as_slice()), by_key(other.migrations));
    let base = match other.base {
        Some(base) => by_key(base),
        None => alike(&ours, &theirs),
    };
    let mut errors = edits(set, &other, &base, (&ours, &theirs));
    let is_new = |one: &Migration| !base.contains_key(&key(one)) && !is_same(&ours, &theirs, one);
    let merge = Merge {
        both: ours.values().filter(|one| !is_new(one)).copied().collect(),
        ours: ours.values().filter(|one| is_new(one)).copied().collect(),
        theirs: theirs.values().filter(|one| is_new(one)).copied().collect(),
    };
    errors.extend(versions(set, &other, &merge));
    #[cfg(feature = "syntax")]
    errors.extend(objects::conflicts(set, &other, &merge, options));
    #[cfg(not(feature = "syntax"))]
    let _ = options;
    if errors.is_empty() {
        return Ok(());
    }
    errors.sort_by(|a, b| (a.file(), a.position()).cmp(&(b.file(), b.position())));
    Err(limited(&errors))
}

type ByKey<'m> = BTreeMap<Key<'m>, &'m Migration>;

/// Whether both branches have a migration, and alike.
fn is_same(ours: &ByKey<'_>, theirs: &ByKey<'_>, one: &Migration) -> bool {
    let pair = ours.get(&key(one)).zip(theirs.get(&key(one)));
    pair.is_some_and(|(one, other)| {
        (one.checksum(), one.name()) == (other.checksum(), other.name())
    })
}

/// What two folders have in common: a migration of one version and one file is one that was edited.
fn alike<'m>(ours: &ByKey<'m>, theirs: &ByKey<'m>) -> ByKey<'m> {
    let is_common = |(key, one): &(&Key<'m>, &&'m Migration)| {
        theirs
            .get(*key)
            .is_some_and(|other| one.filename() == other.filename() || is_same(ours, theirs, one))
    };
    ours.iter().filter(is_common).map(|(key, one)| (*key, *one)).collect()
}

/// Migrations that one branch has and the other edited or removed.
fn edits(
    set: &Migrations,
    other: &Branch<'_>,
    base: &ByKey<'_>,
    (ours, theirs): (&ByKey<'_>, &ByKey<'_>),
) -> Vec<SourceError> {
    let mut errors = Vec::new();
    let lists = |one: &&Migration, there: &Migration| {
        one.replaces().iter().any(|replaced| replaced.version() == there.version())
    };
    let is_replaced = |there: &Migration| ours.values().any(|one| lists(one, there));
    let mut error = |file: String, problem| {
        errors.push(SourceError::of_file(file, Problem::Branch(problem)));
    };
    for (key, before) in base.iter().filter(|((is_repeatable, _), _)| !is_repeatable) {
        match (ours.get(key), theirs.get(key)) {
            (Some(here), Some(there)) if here.checksum() != there.checksum() => {
                if other.base.is_none() || here.checksum() != before.checksum() {
                    let branch = other.name.to_owned();
                    error(set.path_of(here.filename()), BranchProblem::Edited { branch });
                } else {
                    let branch = set.folder().to_owned();
                    error(other.path(there), BranchProblem::Edited { branch });
                }
            }
            // What a squash file replaces is not lost.
            (None, Some(there)) if !is_replaced(there) => {
                let folder = set.folder().to_owned();
                error(other.path(there), BranchProblem::Removed { folder });
            }
            _ => {}
        }
    }
    errors
}

/// New migrations whose versions do not follow those of the other branch.
fn versions(set: &Migrations, other: &Branch<'_>, merge: &Merge<'_>) -> Vec<SourceError> {
    let versioned = |one: &&Migration| one.kind() != Kind::Repeatable;
    let all = merge.both.iter().chain(&merge.theirs).copied().filter(versioned);
    let there = all.filter(|one| other.migrations.iter().any(|there| key(there) == key(one)));
    let Some(newest) = there.map(Migration::version).max() else { return Vec::new() };
    let problem = |one: &&Migration| {
        let (version, newest_version) = (one.version().to_string(), newest.to_string());
        let same = merge.theirs.iter().find(|theirs| key(theirs) == key(one));
        let problem = match same {
            Some(same) => BranchProblem::SameVersion {
                version,
                other: other.path(same),
                newest: newest_version,
            },
            None if one.version() < newest => BranchProblem::Before {
                version,
                newest: newest_version,
                branch: other.name.to_owned(),
            },
            None => return None,
        };
        Some(SourceError::of_file(set.path_of(one.filename()), Problem::Branch(problem)))
    };
    merge.ours.iter().copied().filter(versioned).filter_map(|one| problem(&one)).collect()
}
