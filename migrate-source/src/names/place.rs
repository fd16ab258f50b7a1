//! Determines which layout a single script belongs to, or which mistake it is.

use migrate_set::name::ending::{Ending, ending, nearly_verb, verb};
use migrate_set::name::flyway::{Flyway, Prefix, flyway};
use migrate_set::name::look::beside;
use migrate_set::name::split::{Fit, Numbered, Split, numbered};
use migrate_set::name::{Direction, Layout};

/// A script that is being classified.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) index: usize,
    pub(super) path: &'a str,
    /// The file's name without `.sql`.
    pub(super) name: &'a str,
    pub(super) ending: Ending<'a>,
    pub(super) place: Place<'a>,
}

/// What a script is. The variants after `Stem` are mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Number {
        found: Numbered<'a>,
        direction: Option<Direction>,
    },
    Flyway {
        prefix: Prefix,
        version: &'a str,
        slug: &'a str,
    },
    Repeatable {
        slug: &'a str,
    },
    Folder {
        found: Numbered<'a>,
        direction: Direction,
    },
    Prisma {
        found: Numbered<'a>,
    },
    /// Any name, because `layout = any` was requested.
    Stem,
    NoVersion,
    NoSeparator {
        version: &'a str,
        rest: &'a str,
    },
    NearlyFlyway {
        prefix: Prefix,
        version: &'a str,
        slug: &'a str,
    },
    Baseline,
    Callback {
        when: &'static str,
    },
    /// `create_users/up.sql`.
    FolderNoVersion {
        folder: &'a str,
    },
    /// `001 x/up.sql`.
    FolderNoSeparator {
        folder: &'a str,
        version: &'a str,
        rest: &'a str,
    },
    FolderFile,
    Release {
        folder: &'a str,
    },
    Nested {
        top: &'a str,
    },
}

/// Reads one script's path; `name` is its last part without `.sql`.
pub(super) fn entry<'a>(
    index: usize,
    path: &'a str,
    name: &'a str,
    asked: Option<Layout>,
) -> Entry<'a> {
    let ending = ending(name);
    let place = match path.split_once('/') {
        None => flat(&ending, asked),
        Some((top, _)) if asked == Some(Layout::Any) => Place::Nested { top },
        Some((folder, file)) if !file.contains('/') => foldered(folder, &ending),
        Some((top, _)) => Place::Nested { top },
    };
    Entry { index, path, name, ending, place }
}

fn flat<'a>(ending: &Ending<'a>, asked: Option<Layout>) -> Place<'a> {
    let stem = ending.stem;
    if let Some(when) = callback(stem) {
        return Place::Callback { when };
    }
    match (asked, flyway(stem)) {
        (_, Some(Flyway::Repeatable { slug })) => return Place::Repeatable { slug },
        (Some(Layout::Any), _) => return Place::Stem,
        (_, Some(Flyway::Versioned { prefix, version, slug })) => {
            return Place::Flyway { prefix, version, slug };
        }
        (_, Some(Flyway::Almost { prefix, version, slug })) => {
            return Place::NearlyFlyway { prefix, version, slug };
        }
        (_, Some(Flyway::Baseline)) => return Place::Baseline,
        (_, None) => {}
    }
    match numbered(stem) {
        Split::Numbered(found) => directed(found, ending.direction),
        Split::NoSeparator { version, rest, .. } => Place::NoSeparator { version, rest },
        Split::NoVersion => Place::NoVersion,
    }
}

/// Removes the verb of `0001.do.x` from the description.
fn directed(mut found: Numbered<'_>, direction: Option<Direction>) -> Place<'_> {
    if direction.is_none()
        && found.separator == Some('.')
        && let Some((word, slug)) = found.slug.split_once('.')
        && let direction @ Some(_) = verb(word)
    {
        found.slug = slug;
        return Place::Number { found, direction };
    }
    Place::Number { found, direction }
}

fn foldered<'a>(folder: &'a str, ending: &Ending<'a>) -> Place<'a> {
    let stem = ending.stem;
    let script = match stem {
        "up" => Some(Some(Direction::Up)),
        "down" => Some(Some(Direction::Down)),
        "migration" => Some(None),
        _ => None,
    };
    let numbers_itself = matches!(numbered(stem), Split::Numbered(_)) || flyway(stem).is_some();
    match (numbered(folder), script) {
        (Split::Numbered(found), Some(None)) => Place::Prisma { found },
        (Split::Numbered(found), Some(Some(direction))) => Place::Folder { found, direction },
        (Split::NoSeparator { version, rest, .. }, Some(_)) => {
            Place::FolderNoSeparator { folder, version, rest }
        }
        (Split::NoVersion, Some(_)) => Place::FolderNoVersion { folder },
        (Split::Numbered(_), None) if numbers_itself => Place::Release { folder },
        (Split::Numbered(found), None) if found.slug.is_empty() && folder.contains('.') => {
            Place::Release { folder }
        }
        (Split::Numbered(_), None) => Place::FolderFile,
        (_, None) if is_release(folder) => Place::Release { folder },
        (_, None) => Place::Nested { top: folder },
    }
}

/// `v0.21`, `1.4.x`, `release-3`.
fn is_release(folder: &str) -> bool {
    let number = ["release", "version", "ver", "v"]
        .into_iter()
        .find_map(|word| {
            folder.to_ascii_lowercase().strip_prefix(word).map(|_| &folder[word.len()..])
        })
        .unwrap_or(folder)
        .trim_start_matches(['-', '_', '.', ' ']);
    number.starts_with(|c: char| c.is_ascii_digit())
}

/// When the Flyway callback of this stem would run, relative to a run; `None` for other stems.
fn callback(stem: &str) -> Option<&'static str> {
    let event = stem.split_once("__").map_or(stem, |(event, _)| event);
    let known = |rest: &str| {
        [
            "Migrate", "Each", "Versioned", "Repeatables", "Clean", "Info", "Validate", "Baseline",
            "Repair", "Undo",
        ]
        .iter()
        .any(|word| rest.starts_with(word))
            || ["Connect", "CreateSchema", "Deploy"].contains(&rest)
    };
    if event == "createSchema" {
        return Some("before");
    }
    if event.strip_prefix("before").is_some_and(known) {
        return Some("before");
    }
    event.strip_prefix("after").is_some_and(known).then_some("after")
}

impl<'a> Place<'a> {
    /// The layout that this place determines; `None` if it fits several or is a mistake.
    pub(super) fn speaks_for(&self) -> Option<Layout> {
        match self {
            Self::Number { found, .. } => match found.fit {
                Fit::Numeric => Some(Layout::Numeric),
                Fit::Timestamp => Some(Layout::Timestamp),
                Fit::Both => None,
            },
            Self::Flyway { .. } => Some(Layout::Flyway),
            Self::Folder { direction: Direction::Up, .. } => Some(Layout::Folders),
            Self::Prisma { .. } => Some(Layout::Prisma),
            Self::Stem => Some(Layout::Any),
            _ => None,
        }
    }

    /// Whether it can be in a set of this layout. A repeatable has no version, so it fits every
    /// layout without folders; a mistake fits, because it has its own error.
    pub(super) fn fits(&self, layout: Layout, asked: bool) -> bool {
        let numbers = matches!(layout, Layout::Numeric | Layout::Timestamp);
        match self {
            Self::Number { found, .. } => {
                numbers && (asked || found.fit == Fit::Both || self.speaks_for() == Some(layout))
            }
            Self::Repeatable { .. } => numbers || matches!(layout, Layout::Flyway | Layout::Any),
            Self::Folder { direction: Direction::Down, .. } => {
                matches!(layout, Layout::Folders | Layout::Prisma)
            }
            Self::Folder { .. } | Self::Flyway { .. } | Self::Prisma { .. } | Self::Stem => {
                self.speaks_for() == Some(layout)
            }
            _ => true,
        }
    }

    /// Version and description, if it has both.
    pub(super) fn parts(&self) -> Option<(&'a str, &'a str)> {
        match *self {
            Self::Number { found, .. } | Self::Folder { found, .. } | Self::Prisma { found } => {
                Some((found.version, found.slug))
            }
            Self::Flyway { version, slug, .. } => Some((version, slug)),
            _ => None,
        }
    }
}

impl Entry<'_> {
    /// The direction by ending, verb, prefix or folder.
    pub(super) fn direction(&self) -> Option<Direction> {
        match self.place {
            Place::Number { direction, .. } => direction,
            Place::Folder { direction, .. } => Some(direction),
            Place::Flyway { prefix: Prefix::Undo, .. } => Some(Direction::Down),
            _ => self.ending.direction,
        }
    }

    /// The words between the stem and `.sql`, with their dots.
    pub(super) fn words(&self) -> &str {
        &self.name[self.ending.stem.len()..]
    }

    /// The correct path of a file in a migration's folder that is named `Up.sql`, `undo.sql` or
    /// `migrate.sql`.
    pub(super) fn folder_script(&self) -> Option<String> {
        let stem = self.ending.stem;
        let is = |word: &&str| stem.eq_ignore_ascii_case(word);
        let prisma = || ["migration", "migrate"].iter().any(is).then(|| "migration".to_owned());
        let right = nearly_verb(stem).map(|verb| verb.to_string()).or_else(prisma)?;
        let (name, right) = (format!("{}.sql", self.name), format!("{right}{}.sql", self.words()));
        Some(beside(self.path, &name, &right))
    }
}
