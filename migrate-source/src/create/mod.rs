//! Names the files of a new migration and makes their texts, following the newest migration of the
//! folder. The new names are read back like in a build, so that the rules of layouts exist once.

mod error;
mod next;
mod text;
mod write;

pub use error::DraftError;
pub use next::Moment;
pub use write::{CreateError, CreateOptions, Created, create};

use migrate_set::name::{Direction, Kind, Layout};
use migrate_set::version::Version;

use crate::check::{SourceErrors, SourceFile, misnamed};
use crate::names::{Classified, Name, NameOptions, classify};
use next::next;
use text::Markers;

/// The caller's request for a new migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish<'w> {
    /// What it does, in a few words: `add users`.
    pub description: &'w str,
    /// How the set's files are named.
    pub names: NameOptions,
    /// The newest version in the set's history file; the new version is above it too.
    pub frozen: Option<Version>,
    /// The current time.
    pub now: Moment,
}

/// A new migration: its version and its files, which are not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The version, above all others of the folder.
    pub version: Version,
    /// The files, the up script first.
    pub files: Vec<SourceFile>,
}

/// The next migration of a folder that contains `files`; messages show it as `folder`.
///
/// It is named like the newest one: layout, width, separators, and whether a separate file undoes
/// it. A folder without migrations gets `0001_add_users.sql`, or the first of the requested layout.
///
/// # Errors
/// [`DraftError`]: a description without words, misnamed files in the folder, a layout without a
/// next version, or a name that would be misread.
pub fn draft(folder: &str, files: &[SourceFile], wish: &Wish<'_>) -> Result<Draft, DraftError> {
    let words = words(wish.description);
    if words.is_empty() {
        return Err(DraftError::NoWord { description: wish.description.to_owned() });
    }
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let known = classify(&paths, &wish.names);
    if !known.errors.is_empty() {
        return Err(DraftError::Source(SourceErrors(misnamed(folder, &known))));
    }
    let layout = known.layout.or(wish.names.layout).unwrap_or(Layout::Numeric);
    let newest = newest(&known, &paths);
    let base = newest.as_ref().and_then(|newest| newest.name.version.as_ref());
    let base = base.into_iter().chain(&wish.frozen).max();
    let version = match base {
        _ if layout == Layout::Any => return Err(DraftError::NoNextVersion { layout }),
        None => next::first(layout, wish.now),
        Some(base) => next(base, layout, wish.now),
    };
    let version = version.ok_or(DraftError::NoNextVersion { layout })?;
    let shape = newest.as_ref().and_then(Shape::of).unwrap_or_else(|| Shape::first(layout));
    let slug = words.join(shape.joint());
    let named = shape.paths(&version, &slug);
    read_back(&paths, &named, (&version, &slug), wish)?;
    let markers = match &newest {
        Some(newest) => Markers::of(&files[newest.index].bytes),
        // prisma runs the whole file, whatever its comments
        None if layout == Layout::Prisma => Markers::default(),
        None => Markers::usual(),
    };
    Ok(Draft { version, files: text::files(named, &markers) })
}

/// The words of a description, in lower case: letters and digits of any script.
fn words(description: &str) -> Vec<String> {
    // A combining accent belongs to the letter before it, but is not a letter to Unicode.
    let parts = |c: char| !c.is_alphanumeric() && !('\u{300}'..='\u{36f}').contains(&c);
    let described = description.strip_suffix(".sql").unwrap_or(description);
    let words = described.split(parts).filter(|word| word.contains(char::is_alphanumeric));
    words.map(str::to_lowercase).collect()
}

/// The newest migration of a folder: its up script, and the path of the file that undoes it.
struct Newest<'f> {
    index: usize,
    path: &'f str,
    name: &'f Name,
    down: Option<&'f str>,
}

fn newest<'f>(known: &'f Classified, paths: &[&'f str]) -> Option<Newest<'f>> {
    let versioned = || known.files.iter().filter(|file| file.name.kind == Kind::Versioned);
    let is_down = |name: &Name| name.direction == Some(Direction::Down);
    let up = versioned().filter(|file| !is_down(&file.name));
    let up = up.max_by(|a, b| a.name.version.cmp(&b.name.version))?;
    let mut downs = versioned().filter(|file| is_down(&file.name));
    let down = downs.find(|file| file.name.version == up.name.version);
    Some(Newest {
        index: up.index,
        path: paths[up.index],
        name: &up.name,
        down: down.map(|file| paths[file.index]),
    })
}

/// A new file: which script it contains, unless both, and its path.
type Named = (Option<Direction>, String);

/// What surrounds version and description in the paths of a migration.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    up: Around,
    down: Option<Around>,
}

#[derive(Debug, PartialEq, Eq)]
struct Around {
    /// `V` or `U` for Flyway; otherwise empty.
    before: String,
    between: String,
    after: String,
}

impl Shape {
    fn of(newest: &Newest<'_>) -> Option<Shape> {
        let version = newest.name.version.as_ref()?.as_str();
        let up = Around::of(newest.path, version, &newest.name.slug)?;
        let beside = newest.down.and_then(|path| Around::of(path, version, &newest.name.slug));
        let announced = newest.name.direction == Some(Direction::Up);
        let down = beside.or_else(|| if announced { up.undo() } else { None });
        Some(Shape { up, down })
    }

    /// The shape of the first migration of a folder.
    fn first(layout: Layout) -> Shape {
        let around = |before: &str, between: &str, after: &str| Around {
            before: before.to_owned(),
            between: between.to_owned(),
            after: after.to_owned(),
        };
        match layout {
            Layout::Flyway => Shape { up: around("V", "__", ".sql"), down: None },
            Layout::Folders => {
                Shape { up: around("", "_", "/up.sql"), down: Some(around("", "_", "/down.sql")) }
            }
            Layout::Prisma => Shape { up: around("", "_", "/migration.sql"), down: None },
            _ => Shape { up: around("", "_", ".sql"), down: None },
        }
    }

    /// What joins the words of a description: a dash if one separates it from the version.
    fn joint(&self) -> &'static str {
        if self.up.between.ends_with('-') { "-" } else { "_" }
    }

    fn paths(&self, version: &Version, slug: &str) -> Vec<Named> {
        let up = self.down.as_ref().map(|_| Direction::Up);
        let downs = self.down.iter().map(|around| (Some(Direction::Down), around));
        let all = std::iter::once((up, &self.up)).chain(downs);
        all.map(|(direction, Around { before, between, after })| {
            (direction, format!("{before}{version}{between}{slug}{after}"))
        })
        .collect()
    }
}

impl Around {
    /// Splits a path at its version and its description.
    fn of(path: &str, version: &str, slug: &str) -> Option<Around> {
        let (before, rest) = path.split_once(version)?;
        let (between, after) = if slug.is_empty() {
            (if before.is_empty() { "_" } else { "__" }, rest)
        } else {
            let at = rest.char_indices().map(|(at, _)| at).find(|&at| {
                let marks = rest[..at].trim_matches(['_', '-', '.']);
                rest[at..].starts_with(slug) && matches!(marks, "" | "do" | "undo" | "up" | "down")
            })?;
            (&rest[..at], &rest[at + slug.len()..])
        };
        Some(Around {
            before: before.to_owned(),
            between: between.to_owned(),
            // Each migration must request on its own to run without a transaction.
            after: after.replace(".autocommit", ""),
        })
    }

    /// The same for the script that undoes it, for a name that says up.
    fn undo(&self) -> Option<Around> {
        let Around { before, between, after } = self;
        let (between, after) = if between.contains(".do.") || between.contains(".up.") {
            (between.replace(".do.", ".undo.").replace(".up.", ".down."), after.clone())
        } else {
            let words = [(".up", ".down"), (".do", ".undo"), ("/up", "/down")];
            let (up, down) = words.into_iter().find(|(up, _)| after.contains(up))?;
            (between.clone(), after.replacen(up, down, 1))
        };
        Some(Around { before: before.clone(), between, after })
    }
}

/// Checks that the build would read the new names as intended.
fn read_back(
    paths: &[&str],
    named: &[Named],
    (version, slug): (&Version, &str),
    wish: &Wish<'_>,
) -> Result<(), DraftError> {
    let all: Vec<&str> =
        paths.iter().copied().chain(named.iter().map(|(_, path)| path.as_str())).collect();
    let read = classify(&all, &wish.names);
    for (at, (direction, path)) in named.iter().enumerate() {
        let as_meant = read.files.iter().any(|file| {
            let Name { version: found, slug: name, direction: way, .. } = &file.name;
            file.index == paths.len() + at
                && found.as_ref().is_some_and(|found| found.as_str() == version.as_str())
                && name == slug
                && (*way == Some(Direction::Down)) == (*direction == Some(Direction::Down))
        });
        if !as_meant || !read.errors.is_empty() {
            let reason = read.errors.first().map(ToString::to_string);
            return Err(DraftError::Misread { path: path.clone(), reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
