//! Reports scripts in folders that are not migrations: one error for all release folders, and one for each
//! other folder, or for all of them if the set has nothing else.

use std::collections::HashSet;

use migrate_set::name::split::{Fit, Numbered, Split, numbered};

use super::NameError;
use super::agree::grouped;
use super::place::{Entry, Place};

/// The errors, each with the index of its first file.
pub(super) fn misplaced(entries: &[Entry<'_>]) -> Vec<(usize, NameError)> {
    nested(entries).into_iter().chain(releases(entries)).collect()
}

fn nested(entries: &[Entry<'_>]) -> Vec<(usize, NameError)> {
    let top = |entry: &Entry<'_>| match entry.place {
        Place::Nested { top } => Some(top.to_owned()),
        _ => None,
    };
    let groups = grouped(entries, top);
    let (downs, others): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(folder, ..)| holds_downs(folder));
    // Without files next to them, the folders have the whole set, and it is one question where they belong.
    let as_one = entries.iter().all(|entry| entry.path.contains('/'));
    let (shown, folders) = if as_one { (1, others.len()) } else { (others.len(), 1) };
    let error = |(folder, files, first): (String, usize, &Entry<'_>), folders| {
        (first.index, NameError::Nested { file: first.path.to_owned(), folder, files, folders })
    };
    let others = others.into_iter().map(|group| error(group, folders)).take(shown);
    downs.into_iter().map(|group| error(group, 1)).chain(others).collect()
}

fn releases(entries: &[Entry<'_>]) -> Option<(usize, NameError)> {
    let released = entries.iter().filter_map(|entry| match entry.place {
        Place::Release { folder } => Some((entry, folder)),
        _ => None,
    });
    let (first, folder) = released.clone().next()?;
    let folders = released.map(|(_, folder)| folder).collect::<HashSet<_>>().len();
    let right = numbered_through(folder, first);
    Some((first.index, NameError::ReleaseFolders { file: first.path.to_owned(), folders, right }))
}

/// Whether the folder is one in which tools such as umzug and sqitch keep down scripts.
pub(super) fn holds_downs(folder: &str) -> bool {
    ["down", "downs", "revert", "rollback", "undo"]
        .iter()
        .any(|down| folder.eq_ignore_ascii_case(down))
}

/// `v0.21/01-create.sql` as `0.21.01-create.sql`, which sorts like the folders; a name with a date as it is.
fn numbered_through(folder: &str, entry: &Entry<'_>) -> Option<String> {
    if let Split::Numbered(Numbered { fit: Fit::Timestamp, .. }) = numbered(entry.ending.stem) {
        return Some(format!("{}.sql", entry.name));
    }
    let release = folder.trim_start_matches(['v', 'V']);
    let plain = release.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !release.is_empty();
    let numbers_itself = matches!(numbered(entry.ending.stem), Split::Numbered(_));
    (plain && numbers_itself).then(|| format!("{release}.{}.sql", entry.name))
}
