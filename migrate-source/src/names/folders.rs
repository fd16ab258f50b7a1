//! Reports scripts in folders that are not migrations: one error for all release folders, and one
//! for each other folder.

use std::collections::HashSet;

use migrate_set::name::split::{Split, numbered};

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
    let error = |(folder, files, first): (String, usize, &Entry<'_>)| {
        (first.index, NameError::Nested { file: first.path.to_owned(), folder, files })
    };
    grouped(entries, top).into_iter().map(error).collect()
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

/// `v0.21/01-create.sql` as `0.21.01-create.sql`, which sorts like the folders.
fn numbered_through(folder: &str, entry: &Entry<'_>) -> Option<String> {
    let release = folder.trim_start_matches(['v', 'V']);
    let plain = release.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !release.is_empty();
    let numbers_itself = matches!(numbered(entry.ending.stem), Split::Numbered(_));
    (plain && numbers_itself).then(|| format!("{release}.{}.sql", entry.name))
}
