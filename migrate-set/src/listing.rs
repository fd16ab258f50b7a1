//! Lists the names of the files in a migration folder; the only module of this crate that touches
//! the file system.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, FileType, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use crate::name::{may_matter, shown};
use crate::sort::sort_by;

/// Whether links in a folder can lead out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Links {
    /// No, that is a mistake: the set is what the folder contains.
    #[default]
    Inside,
    /// Yes, as with `links = follow`.
    Follow,
}

/// A folder or a file that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The path as messages show it.
    pub file: String,
    /// The error of the system, or what it is instead of a file; `None` for a link out of the folder.
    pub reason: Option<io::Error>,
}

impl Unreadable {
    /// `path` in the folder that messages show as `folder`; the folder itself if `path` is empty.
    pub fn new(folder: &str, path: &str, reason: Option<io::Error>) -> Self {
        Unreadable { file: shown(folder, path), reason }
    }
}

/// The sorted paths, relative and with `/`, of all files in `folder` for which [`may_matter`] is
/// true.
///
/// # Errors
/// The folder itself if it does not exist, and everything in it that cannot be read.
pub fn list(folder: &Path, shown: &str, links: Links) -> Result<Vec<String>, Vec<Unreadable>> {
    let mut walk = Walk { shown, links, above: Vec::new(), files: Vec::new(), errors: Vec::new() };
    walk.folder(fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()), "");
    sort_by(&mut walk.files, Ord::cmp);
    if walk.errors.is_empty() { Ok(walk.files) } else { Err(walk.errors) }
}

struct Walk<'s> {
    shown: &'s str,
    links: Links,
    /// The folders that the walk is in, with symbolic links resolved, to detect cycles.
    above: Vec<PathBuf>,
    files: Vec<String>,
    errors: Vec<Unreadable>,
}

impl Walk<'_> {
    fn folder(&mut self, real: PathBuf, below: &str) {
        let entries = fs::read_dir(&real);
        self.above.push(real);
        match entries {
            Ok(entries) => self.entries(entries, below),
            Err(error) => self.error(below, error),
        }
        self.above.pop();
    }

    fn entries(&mut self, entries: ReadDir, below: &str) {
        let mut found = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => found.push((entry.file_name(), entry)),
                Err(error) => self.error(below, error),
            }
        }
        // The file system chooses the order of entries; messages must be in a fixed order.
        sort_by(&mut found, |(one, _), (other, _)| one.cmp(other));
        for (name, entry) in found {
            self.entry(&name, &entry, below);
        }
    }

    fn entry(&mut self, name: &OsStr, entry: &DirEntry, below: &str) {
        let lossy = name.to_string_lossy();
        if lossy.starts_with('.') {
            return;
        }
        let relative = shown(below, &lossy);
        // The entry's own type is enough, except for links, which must be followed.
        let own = entry.file_type().ok().filter(|kind| !kind.is_symlink());
        let kind = own.or_else(|| Some(fs::metadata(entry.path()).ok()?.file_type()));
        let is_folder = kind.is_some_and(|kind| kind.is_dir());
        if !is_folder && !may_matter(&relative) {
            return;
        }
        let mut real = entry.path();
        if own.is_none() {
            // One that leads nowhere cannot be read anyway.
            real = fs::canonicalize(&real).unwrap_or(real);
            if self.leads_out(&real) {
                return self.errors.push(Unreadable::new(self.shown, &relative, None));
            }
            if self.above.contains(&real) {
                let cycle = "it is a symbolic link to a folder that contains it";
                return self.error(&relative, io::Error::other(cycle));
            }
        }
        if is_folder {
            return self.inner(real, &relative);
        }
        match (name.to_str(), kind.and_then(other_than_file)) {
            (None, _) => self.error(&relative, io::Error::other("its name is not UTF-8")),
            (_, Some(other)) => self.error(&relative, not_a_file(other)),
            (Some(_), None) => self.files.push(relative),
        }
    }

    /// A folder in the folder. One that is named like a script must have files, as diesel's may: an empty one is what a
    /// mount of a file that does not exist leaves, and its migration would be missing.
    fn inner(&mut self, real: PathBuf, relative: &str) {
        let found = |walk: &Self| walk.files.len() + walk.errors.len();
        let before = found(self);
        self.folder(real, relative);
        let ending = Path::new(relative).extension();
        let is_named_like_one = ending.is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
        if is_named_like_one && found(self) == before {
            self.error(relative, not_a_file("a folder"));
        }
    }

    /// Whether a link to `real` leads out of the folder, and is not allowed to.
    fn leads_out(&self, real: &Path) -> bool {
        let is_inside = self.above.first().is_some_and(|root| real.starts_with(root));
        self.links == Links::Inside && !is_inside
    }

    fn error(&mut self, path: &str, reason: io::Error) {
        self.errors.push(Unreadable::new(self.shown, path, Some(reason)));
    }
}

/// The error of reading something else than a file.
pub fn not_a_file(other: &str) -> io::Error {
    io::Error::other(format!("it is {other}, not a file"))
}

/// What it is if it is not a plain file: reading that may never end, or do something.
pub fn other_than_file(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        return Some("a folder");
    }
    (!kind.is_file()).then(|| special(kind))
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "a device"
}
