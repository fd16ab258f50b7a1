//! Classifies all files of a set. A file with a problem is left out of the later checks, so that
//! one mistake gives one error.

use std::collections::HashSet;

use migrate_set::name::flyway::Prefix;
use migrate_set::name::look::{Look, look};
use migrate_set::name::split::dotted_moment;
use migrate_set::name::{Direction, Kind, Layout, TransactionMark};
use migrate_set::sort::sort_by_key;
use migrate_set::text::escaped;
use migrate_set::version::Version;

use super::agree::{
    flyway_stem, layout, mixed_lengths, numbered_stem, separator, take_dialects, take_misfits,
    take_separators,
};
use super::folders::misplaced;
use super::lookalike::{take_copies, take_undotted};
use super::place::{Entry, Place, entry};
use super::{NameError, NameOptions};

/// What a file's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The ordering key; `None` for a repeatable.
    pub version: Option<Version>,
    /// The description as written: may be empty, may contain spaces.
    pub slug: String,
    /// Which script the file contains; `None` if the name does not say.
    pub direction: Option<Direction>,
    /// When it runs.
    pub kind: Kind,
    /// Whether the name asks to run without a transaction.
    pub transaction: TransactionMark,
}

/// A file that is a migration's script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifiedFile {
    /// The index of its path in the argument of [`classify`].
    pub index: usize,
    /// What its name says.
    pub name: Name,
}

/// A file that configures a migration: diesel's `metadata.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// The index of its path in the argument of [`classify`].
    pub index: usize,
    /// The folder it shares with its migration's scripts, as written.
    pub folder: String,
    /// The version of that folder.
    pub version: Version,
}

/// The result of [`classify`], in the order of the paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classified {
    /// The requested or inferred layout; `None` if no file determines it.
    pub layout: Option<Layout>,
    /// The scripts. Those with a problem are in `errors` instead.
    pub files: Vec<ClassifiedFile>,
    /// The files that belong to a script.
    pub sidecars: Vec<Sidecar>,
    /// All mistakes, one error each.
    pub errors: Vec<NameError>,
}

/// Classifies the files of a set by their paths, which are relative to the migration folder, with
/// `/` between folders.
///
/// Without paths, the result is empty and has no layout. Unrelated files are in none of the lists.
///
/// ```
/// # use migrate_set::name::Layout;
/// # use migrate_source::names::{NameOptions, classify};
/// let set = classify(&["001_users.sql", "002_posts.sql", "README.md"], &NameOptions::default());
/// assert_eq!(set.layout, Some(Layout::Numeric));
/// assert_eq!(set.files[1].name.slug, "posts");
/// assert!(set.errors.is_empty());
///
/// let set = classify(&["V1_users.sql"], &NameOptions::default());
/// assert_eq!(set.errors[0].help().to_string(), "rename it to `V1__users.sql`");
/// ```
pub fn classify(paths: &[impl AsRef<str>], options: &NameOptions) -> Classified {
    let mut set = Survey::default();
    for (index, path) in paths.iter().enumerate() {
        set.add(index, path.as_ref(), options.layout);
    }
    let Survey { mut entries, sidecars, mut errors } = set;
    errors.extend(take_dialects(&mut entries, options.dialects));
    errors.extend(take_copies(&mut entries));
    errors.extend(take_undotted(&mut entries));
    errors.extend(misplaced(&entries));

    let usual = separator(&entries);
    let layout = layout(&entries, options.layout);
    if let Some(layout) = layout {
        errors.extend(take_misfits(&mut entries, layout, options.layout.is_some(), usual));
        if options.layout.is_none() {
            errors.extend(take_separators(&mut entries, layout, usual));
            errors.extend(mixed_lengths(&entries));
        }
    }
    errors.extend(mistakes(&entries, layout, usual));
    sort_by_key(&mut errors, |(index, _)| *index);
    Classified {
        layout,
        files: entries.iter().filter_map(script).collect(),
        sidecars,
        errors: errors.into_iter().map(|(_, error)| error).collect(),
    }
}

/// The files one by one, before they are compared.
#[derive(Default)]
struct Survey<'a> {
    entries: Vec<Entry<'a>>,
    sidecars: Vec<Sidecar>,
    errors: Vec<(usize, NameError)>,
}

impl<'a> Survey<'a> {
    fn add(&mut self, index: usize, path: &'a str, asked: Option<Layout>) {
        let file = || path.to_owned();
        let error = match look(path) {
            Look::Bystander => return,
            _ if path.contains(char::is_control) => {
                NameError::Control { file: escaped(path).into_owned() }
            }
            Look::Script(name) => return self.entries.push(entry(index, path, name, asked)),
            Look::Sidecar { folder, version } => {
                let version = Version::new(version.to_owned());
                return self.sidecars.push(Sidecar { index, folder: folder.to_owned(), version });
            }
            Look::Ending { right } => NameError::Ending { file: file(), right },
            Look::Backup { original } => NameError::Backup { file: file(), original },
            Look::Template { right } => NameError::Template { file: file(), right },
            Look::ScriptConfig => NameError::ScriptConfig { file: file() },
            Look::Language { extension } => {
                NameError::Language { file: file(), extension: extension.to_owned() }
            }
        };
        self.errors.push((index, error));
    }
}

/// The errors of single files, each with the correct name in the set's layout.
fn mistakes(
    entries: &[Entry<'_>],
    layout: Option<Layout>,
    separator: char,
) -> Vec<(usize, NameError)> {
    let mut folders = HashSet::new();
    let mut errors = Vec::new();
    for entry in entries {
        let once = match entry.place {
            Place::FolderNoVersion { folder } | Place::FolderNoSeparator { folder, .. } => {
                folders.insert(folder)
            }
            _ => true,
        };
        if once && let Some(error) = mistake(entry, layout, separator) {
            errors.push((entry.index, error));
        }
    }
    errors
}

fn mistake(entry: &Entry<'_>, layout: Option<Layout>, separator: char) -> Option<NameError> {
    let file = entry.path.to_owned();
    Some(match entry.place {
        Place::NoVersion => {
            let right = name_without_version(entry, layout, separator);
            NameError::NoVersion { file, right, layout }
        }
        Place::NoSeparator { version, rest } => {
            let moment = dotted_moment(entry.ending.stem);
            let (version, rest) = match &moment {
                Some((version, slug)) => (version.as_str(), *slug),
                None => (version, without_t(version, rest)),
            };
            let right = right_name(entry, (Prefix::Versioned, version, rest), layout, separator);
            NameError::NoSeparator { file, right }
        }
        Place::NearlyFlyway { prefix, version, slug } => {
            let numbers = |l: &Layout| matches!(l, Layout::Numeric | Layout::Timestamp);
            let layout = layout.filter(numbers).or(Some(Layout::Flyway));
            let right = right_name(entry, (prefix, version, slug), layout, separator);
            NameError::NearlyFlyway { file, right }
        }
        Place::Baseline => NameError::Baseline { file },
        Place::Callback { when } => NameError::Callback { file, when },
        _ => return folder_mistake(entry, layout),
    })
}

fn folder_mistake(entry: &Entry<'_>, layout: Option<Layout>) -> Option<NameError> {
    let file = entry.path.to_owned();
    Some(match entry.place {
        Place::FolderNoVersion { .. } => {
            let (right, layout) = (format!("<version>_{file}"), layout.or(Some(Layout::Folders)));
            NameError::NoVersion { file, right, layout }
        }
        Place::FolderNoSeparator { folder, version, rest } => {
            let stem = numbered_stem(version, without_t(version, rest), '_');
            let right = format!("{stem}{}", &file[folder.len()..]);
            NameError::NoSeparator { file, right }
        }
        Place::FolderFile => NameError::FolderFile { file, right: entry.folder_script() },
        _ => return None,
    })
}

/// The correct name of a near miss in the set's layout.
fn right_name(
    entry: &Entry<'_>,
    (prefix, version, slug): (Prefix, &str, &str),
    layout: Option<Layout>,
    separator: char,
) -> String {
    let words = entry.words();
    match (prefix, layout) {
        (Prefix::Repeatable, _) | (_, Some(Layout::Flyway)) => {
            format!("{}{words}.sql", flyway_stem(prefix, version, slug))
        }
        (Prefix::Undo, _) => format!("{}.down.sql", numbered_stem(version, slug, separator)),
        (Prefix::Versioned, _) => {
            format!("{}{words}.sql", numbered_stem(version, slug, separator))
        }
    }
}

fn name_without_version(entry: &Entry<'_>, layout: Option<Layout>, separator: char) -> String {
    let (stem, words) = (entry.ending.stem.trim_start_matches(['_', '-', ' ']), entry.words());
    match layout {
        Some(Layout::Flyway) => format!("V<version>__{stem}{words}.sql"),
        Some(Layout::Folders) => format!("<version>_{stem}/up.sql"),
        Some(Layout::Prisma) => format!("<version>_{stem}/migration.sql"),
        _ => format!("<version>{separator}{stem}{words}.sql"),
    }
}

/// Strips the letter from `T120000_x` after a date, which is how ISO 8601 writes the time.
fn without_t<'a>(version: &str, rest: &'a str) -> &'a str {
    let time =
        rest.strip_prefix(['T', 't']).filter(|time| time.starts_with(|c: char| c.is_ascii_digit()));
    time.filter(|_| version.len() >= 8).unwrap_or(rest)
}

/// The name of a script; `None` for a mistake.
fn script(entry: &Entry<'_>) -> Option<ClassifiedFile> {
    let (version, slug) = match entry.place {
        Place::Repeatable { slug } => (None, slug),
        Place::Stem => (Some(entry.ending.stem), ""),
        place => place.parts().map(|(version, slug)| (Some(version), slug))?,
    };
    let name = Name {
        version: version.map(|text| Version::new(text.to_owned())),
        slug: slug.to_owned(),
        direction: entry.direction(),
        kind: if version.is_some() { Kind::Versioned } else { Kind::Repeatable },
        transaction: entry.ending.transaction,
    };
    Some(ClassifiedFile { index: entry.index, name })
}
