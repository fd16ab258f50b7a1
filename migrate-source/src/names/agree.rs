//! Determines the layout of a set, and whether its files agree on layout, database and separator.
//! Each disagreement is one error, however many files it affects.

use std::collections::HashSet;

use migrate_set::name::ending::Dialect;
use migrate_set::name::flyway::Prefix;
use migrate_set::name::split::{Fit, Split, numbered};
use migrate_set::name::{Direction, Layout};
use migrate_set::sort::sort_by_key;

use super::place::{Entry, Place};
use super::{Dialects, LayoutShare, NameError};

/// Removes the files for other databases, with an error unless the caller asked for that.
pub(super) fn take_dialects(
    entries: &mut Vec<Entry<'_>>,
    dialects: Dialects,
) -> Option<(usize, NameError)> {
    let other = |entry: &Entry<'_>| match entry.ending.dialect {
        Some(Dialect::Other(word)) => Some(word),
        _ => None,
    };
    let mut others = entries.iter().filter_map(|entry| Some((entry, other(entry)?)));
    let first = others.next().map(|(entry, word)| (entry.index, entry.path.to_owned(), word));
    let files = 1 + others.count();
    entries.retain(|entry| other(entry).is_none());
    if first.is_some() || dialects == Dialects::PostgresOnly {
        prefer_postgres(entries);
    }
    let (index, file, dialect) = first.filter(|_| dialects == Dialects::Refuse)?;
    Some((index, NameError::Dialect { file, dialect, files }))
}

/// If a version has a file for all databases and one for `postgres`, keeps only the latter.
fn prefer_postgres(entries: &mut Vec<Entry<'_>>) {
    fn key<'a>(entry: &Entry<'a>) -> Option<(&'a str, bool)> {
        Some((entry.place.parts()?.0, entry.direction() == Some(Direction::Down)))
    }
    let special = |entry: &Entry<'_>| entry.ending.dialect.is_some();
    let specials: HashSet<_> =
        entries.iter().filter(|entry| special(entry)).filter_map(key).collect();
    entries.retain(|entry| special(entry) || key(entry).is_none_or(|key| !specials.contains(&key)));
}

/// The layout of a set: the requested one, or that of most files.
pub(super) fn layout(entries: &[Entry<'_>], asked: Option<Layout>) -> Option<Layout> {
    if asked.is_some() {
        return asked;
    }
    let shares = shares(entries);
    if let Some(most) = shares.first() {
        return Some(most.layout);
    }
    entries.iter().find_map(|entry| match entry.place {
        Place::Repeatable { .. } => Some(Layout::Flyway),
        Place::Folder { .. } => Some(Layout::Folders),
        _ => None,
    })
}

/// How many files have each layout, the most frequent first. A number that fits both kinds counts
/// for the more frequent kind, and for `numeric` if there is no other.
fn shares(entries: &[Entry<'_>]) -> Vec<LayoutShare> {
    let mut shares: Vec<LayoutShare> = Vec::new();
    let mut both = entries.iter().filter(|entry| is_both(entry)).peekable();
    for entry in entries {
        if let Some(layout) = entry.place.speaks_for() {
            add(&mut shares, layout, entry);
        }
    }
    if both.peek().is_some() {
        let count = |layout| {
            shares.iter().find(|share| share.layout == layout).map_or(0, |share| share.files)
        };
        let timestamps = count(Layout::Timestamp) > count(Layout::Numeric);
        let layout = if timestamps { Layout::Timestamp } else { Layout::Numeric };
        both.for_each(|entry| add(&mut shares, layout, entry));
    }
    sort_by_key(&mut shares, |share| (std::cmp::Reverse(share.files), share.layout));
    shares
}

fn is_both(entry: &Entry<'_>) -> bool {
    matches!(entry.place, Place::Number { found, .. } if found.fit == Fit::Both)
}

fn add(shares: &mut Vec<LayoutShare>, layout: Layout, entry: &Entry<'_>) {
    match shares.iter_mut().find(|share| share.layout == layout) {
        Some(share) => share.files += 1,
        None => shares.push(LayoutShare { layout, files: 1, example: entry.path.to_owned() }),
    }
}

/// Removes the files that do not fit the layout, with one error if it was inferred, otherwise one
/// for each layout found.
pub(super) fn take_misfits(
    entries: &mut Vec<Entry<'_>>,
    layout: Layout,
    asked: bool,
    separator: char,
) -> Vec<(usize, NameError)> {
    let misfits: Vec<Entry<'_>> =
        entries.iter().filter(|entry| !entry.place.fits(layout, asked)).cloned().collect();
    let Some(first) = misfits.first() else {
        return Vec::new();
    };
    let errors = if asked {
        wrong_layouts(&misfits, layout, separator)
    } else {
        let right = renamed(first, layout, separator);
        let mut found = shares(entries);
        // a repeatable or a lone down does not determine a layout, but the error names one for it
        let fitting = entries.iter().find(|entry| entry.place.fits(layout, asked));
        for entry in fitting.into_iter().chain([first]) {
            let layout = home(entry);
            if found.len() < 2 && found.iter().all(|share| share.layout != layout) {
                add(&mut found, layout, entry);
            }
        }
        vec![(first.index, NameError::MixedLayouts { file: first.path.to_owned(), found, right })]
    };
    entries.retain(|entry| entry.place.fits(layout, asked));
    errors
}

fn wrong_layouts(misfits: &[Entry<'_>], asked: Layout, separator: char) -> Vec<(usize, NameError)> {
    let error = |(found, files, first): (Layout, usize, &Entry<'_>)| {
        let (file, right) = (first.path.to_owned(), renamed(first, asked, separator));
        (first.index, NameError::WrongLayout { file, asked, found, files, right })
    };
    grouped(misfits, |entry| Some(home(entry))).into_iter().map(error).collect()
}

/// The entries that have a `key`: each key, how many have it, and the first of them.
pub(super) fn grouped<'e, 'a, K: PartialEq>(
    entries: &'e [Entry<'a>],
    key: impl Fn(&Entry<'a>) -> Option<K>,
) -> Vec<(K, usize, &'e Entry<'a>)> {
    let mut groups: Vec<(K, usize, &Entry<'a>)> = Vec::new();
    for (key, entry) in entries.iter().filter_map(|entry| Some((key(entry)?, entry))) {
        match groups.iter_mut().find(|(known, ..)| *known == key) {
            Some((_, count, _)) => *count += 1,
            None => groups.push((key, 1, entry)),
        }
    }
    groups
}

/// The layout that a file comes from, even if it fits several.
fn home(entry: &Entry<'_>) -> Layout {
    entry.place.speaks_for().unwrap_or(match entry.place {
        Place::Number { .. } => Layout::Numeric,
        Place::Folder { .. } => Layout::Folders,
        _ => Layout::Flyway,
    })
}

/// A migration's name in another layout; `None` if that needs a version that cannot be derived.
fn renamed(entry: &Entry<'_>, layout: Layout, separator: char) -> Option<String> {
    let (version, slug) = entry.place.parts()?;
    let down = entry.direction() == Some(Direction::Down);
    let folder = if slug.is_empty() { version.to_owned() } else { format!("{version}_{slug}") };
    match layout {
        Layout::Numeric | Layout::Timestamp => {
            let words = match entry.ending.direction {
                None if down => ".down",
                _ => entry.words(),
            };
            let stem = numbered_stem(version, slug, separator);
            stays(&stem, version, layout).then(|| format!("{stem}{words}.sql"))
        }
        Layout::Flyway => {
            let prefix = if down { Prefix::Undo } else { Prefix::Versioned };
            Some(format!("{}.sql", flyway_stem(prefix, &version.replace('-', "."), slug)))
        }
        Layout::Folders => Some(format!("{folder}/{}.sql", if down { "down" } else { "up" })),
        Layout::Prisma => Some(format!("{folder}/{}.sql", if down { "down" } else { "migration" })),
        Layout::Any => None,
    }
}

/// Whether a stem is still read as this version in this layout.
fn stays(stem: &str, version: &str, layout: Layout) -> bool {
    match numbered(stem) {
        Split::Numbered(found) if found.version == version => match found.fit {
            Fit::Both => true,
            Fit::Timestamp => layout == Layout::Timestamp,
            Fit::Numeric => layout == Layout::Numeric,
        },
        _ => false,
    }
}

/// `001_x`, or `001` without a description.
pub(super) fn numbered_stem(version: &str, slug: &str, separator: char) -> String {
    if slug.is_empty() { version.to_owned() } else { format!("{version}{separator}{slug}") }
}

/// `V1__x`, or `V1` without a description.
pub(super) fn flyway_stem(prefix: Prefix, version: &str, slug: &str) -> String {
    let gap = if slug.is_empty() { "" } else { "__" };
    format!("{}{version}{gap}{slug}", prefix.letter())
}

/// The separator of most files; `_` if none has one.
pub(super) fn separator(entries: &[Entry<'_>]) -> char {
    let mut counts = [('_', 0_usize), ('-', 0), ('.', 0)];
    for separator in entries.iter().filter_map(separator_of) {
        counts.iter_mut().filter(|(mark, _)| *mark == separator).for_each(|(_, count)| *count += 1);
    }
    // `max_by_key` returns the last of equal elements, so the default must come last
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or('_', |(mark, _)| mark)
}

fn separator_of(entry: &Entry<'_>) -> Option<char> {
    match entry.place {
        Place::Number { found, .. } => found.separator,
        _ => None,
    }
}

/// Removes the files whose separator is not the usual one, with one error per separator.
pub(super) fn take_separators(
    entries: &mut Vec<Entry<'_>>,
    layout: Layout,
    usual: char,
) -> Vec<(usize, NameError)> {
    let odd = |entry: &Entry<'_>| separator_of(entry).filter(|&separator| separator != usual);
    let error = |(separator, files, first): (char, usize, &Entry<'_>)| {
        let version = first.place.parts().map_or("", |(version, _)| version);
        let rest = first.path.get(version.len() + 1..).unwrap_or_default();
        let right = format!("{version}{usual}{}", rest.trim_start_matches(separator));
        let file = first.path.to_owned();
        (first.index, NameError::MixedSeparators { file, separator, usual, files, layout, right })
    };
    let errors = grouped(entries, odd).into_iter().map(error).collect();
    entries.retain(|entry| odd(entry).is_none());
    errors
}

/// The first file whose number has more digits than another's with a later date: as numbers, as most tools
/// compare them, the two are in the other order.
pub(super) fn mixed_lengths(entries: &[Entry<'_>]) -> Option<(usize, NameError)> {
    let dated = || {
        entries.iter().filter_map(|entry| match entry.place {
            Place::Number { found, .. } if found.fit == Fit::Timestamp => {
                let digits = found.version.bytes().all(|b| b.is_ascii_digit());
                (digits && found.version.len() >= DATE_TIME).then_some((entry, found.version))
            }
            _ => None,
        })
    };
    let shortest = dated().map(|(_, version)| version.len()).min()?;
    let short = dated().filter(|(_, version)| version.len() == shortest);
    let (last, latest) = short.max_by_key(|(_, version)| *version)?;
    let (entry, version) =
        dated().find(|(_, version)| version.len() > shortest && version[..shortest] < *latest)?;
    let right = entry.path.replacen(version, &version[..shortest], 1);
    let (file, later) = (entry.path.to_owned(), last.path.to_owned());
    Some((entry.index, NameError::MixedLengths { file, later, right }))
}

/// The digits of a date with hour, minute and second.
const DATE_TIME: usize = 14;
