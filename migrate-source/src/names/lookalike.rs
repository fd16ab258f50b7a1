//! Finds scripts that are not what their names suggest: copies of others, and downs without the
//! dot. Each needs evidence (the original, the counterpart, the word), because a description can
//! contain anything.

use std::collections::{HashMap, HashSet};

use migrate_set::name::Direction;
use migrate_set::name::ending::is_down_word;
use migrate_set::name::flyway::Prefix;
use migrate_set::name::look::beside;

use super::NameError;
use super::agree::flyway_stem;
use super::place::{Entry, Place};

/// Removes copies (`x copy.sql`, `x (1).sql`, `x - Copy.sql`, and folders with such names) if `x`
/// exists too.
pub(super) fn take_copies<'a>(entries: &mut Vec<Entry<'a>>) -> Vec<(usize, NameError)> {
    let suspects: Vec<_> =
        entries.iter().filter_map(|entry| Some((entry.index, original(entry)?))).collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let paths: HashSet<&str> = entries.iter().map(|entry| entry.path).collect();
    let copies: HashMap<usize, String> =
        suspects.into_iter().filter(|(_, original)| paths.contains(original.as_str())).collect();
    let folder = |entry: &Entry<'a>| entry.path.split_once('/').map(|(folder, _)| folder);
    let mut seen = HashSet::new();
    let mut errors = Vec::new();
    for entry in entries.iter() {
        // one copied folder is one mistake
        if let Some(original) = copies.get(&entry.index)
            && folder(entry).is_none_or(|folder| seen.insert(folder))
        {
            let (file, original) = (entry.path.to_owned(), original.clone());
            errors.push((entry.index, NameError::Copy { file, original }));
        }
    }
    let in_copy = |entry: &Entry<'a>| folder(entry).is_some_and(|folder| seen.contains(folder));
    entries.retain(|entry| !copies.contains_key(&entry.index) && !in_copy(entry));
    errors
}

/// The path that this one would be a copy of.
fn original(entry: &Entry<'_>) -> Option<String> {
    if let Some((folder, file)) = entry.path.split_once('/') {
        return Some(format!("{}/{file}", uncopied(folder)?));
    }
    Some(format!("{}.sql", uncopied(entry.name)?))
}

/// A name without what file managers add to copies.
fn uncopied(name: &str) -> Option<&str> {
    if let Some(rest) = name.strip_prefix("Copy of ") {
        return Some(rest);
    }
    let unnumbered = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = (unnumbered.len() < name.len()).then(|| unnumbered.trim_end());
    let parenthesised = name
        .strip_suffix(')')
        .map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_digit()))
        .and_then(|rest| rest.strip_suffix(" ("));
    let marked = |text: &'_ str| -> Option<usize> {
        [" - Copy", " copy", " Copy"].iter().find_map(|mark| text.strip_suffix(mark)).map(str::len)
    };
    let len = marked(name)
        .or_else(|| numbered.and_then(marked))
        .or_else(|| parenthesised.map(|rest| marked(rest).unwrap_or(rest.len())))?;
    Some(&name[..len])
}

/// Removes `x_down.sql` (with its `x_up.sql`), `x_rollback.sql` next to `x.sql`, `x.DOWN.sql` and
/// the like.
pub(super) fn take_undotted(entries: &mut Vec<Entry<'_>>) -> Vec<(usize, NameError)> {
    let suspicious =
        |entry: &Entry<'_>| entry.ending.misspelt.is_some() || down_word(entry).is_some();
    if !entries.iter().any(suspicious) {
        return Vec::new();
    }
    let stems: HashMap<String, (usize, &str)> = entries
        .iter()
        .filter(|entry| is_plain(entry))
        .map(|entry| (entry.ending.stem.to_ascii_lowercase(), (entry.index, entry.path)))
        .collect();
    let mut taken = HashSet::new();
    let mut errors = Vec::new();
    for entry in entries.iter() {
        let Some((error, twin)) =
            misspelt(entry).map(|error| (error, None)).or_else(|| undotted(entry, &stems))
        else {
            continue;
        };
        taken.insert(entry.index);
        taken.extend(twin);
        errors.push((entry.index, error));
    }
    entries.retain(|entry| !taken.contains(&entry.index));
    errors
}

fn is_plain(entry: &Entry<'_>) -> bool {
    entry.direction().is_none() && !entry.path.contains('/')
}

/// The last word, if it means down, and the stem before it.
fn down_word<'a>(entry: &Entry<'a>) -> Option<(&'a str, &'a str)> {
    let stem = entry.ending.stem;
    let at = stem.rfind(['_', '-', ' ']).filter(|&at| at > 0)?;
    let word = &stem[at + 1..];
    let means_down =
        ["down", "undo"].iter().any(|down| word.eq_ignore_ascii_case(down)) || is_down_word(word);
    (is_plain(entry) && means_down).then(|| (&stem[..at], word))
}

/// The error of a misspelt direction.
fn misspelt(entry: &Entry<'_>) -> Option<NameError> {
    let word = entry.ending.misspelt?;
    let (before, after) = (&entry.name[..word.start], &entry.name[word.start + word.len..]);
    let name = format!("{}.sql", entry.name);
    let (file, direction) = (entry.path.to_owned(), word.meant);
    let right = beside(entry.path, &name, &format!("{before}{direction}{after}.sql"));
    Some(NameError::Direction { file, right, direction, up: None })
}

/// The error for a down without the dot, with the index of its up.
fn undotted(
    entry: &Entry<'_>,
    stems: &HashMap<String, (usize, &str)>,
) -> Option<(NameError, Option<usize>)> {
    let (base, word) = down_word(entry)?;
    let joint = &entry.ending.stem[base.len()..=base.len()];
    let twin = stems.get(&format!("{base}{joint}up").to_ascii_lowercase());
    let plain_twin = stems.contains_key(&base.to_ascii_lowercase());
    let alone = word.eq_ignore_ascii_case("down") && matches!(entry.place, Place::Number { .. });
    if twin.is_none() && !plain_twin && !alone {
        return None;
    }
    let (right, up_right) = dotted(entry, base);
    let up = twin.map(|(_, path)| ((*path).to_owned(), up_right));
    let (file, direction) = (entry.path.to_owned(), Direction::Down);
    let error = NameError::Direction { file, right, direction, up };
    Some((error, twin.map(|(index, _)| *index)))
}

/// The correct names of a down and its up, whose stem without the word is `base`.
fn dotted(entry: &Entry<'_>, base: &str) -> (String, String) {
    let words = entry.words();
    if let Place::Flyway { version, .. } = entry.place {
        let slug = base.get(1 + version.len() + 2..).unwrap_or_default();
        let name = |prefix| format!("{}{words}.sql", flyway_stem(prefix, version, slug));
        return (name(Prefix::Undo), name(Prefix::Versioned));
    }
    (format!("{base}{words}.down.sql"), format!("{base}{words}.up.sql"))
}
