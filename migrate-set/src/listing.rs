//! Lists the names of the files in a migration folder; the only module of this crate that touches
//! the file system.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use crate::name::{may_matter, shown};

/// A folder or a file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The path as messages show it.
    pub file: String,
    /// The error message of the system.
    pub reason: String,
}

impl Unreadable {
    /// `path` in the folder that messages show as `folder`; the folder itself if `path` is empty.
    pub fn new(folder: &str, path: &str, reason: &str) -> Self {
        Unreadable { file: shown(folder, path), reason: reason.to_owned() }
    }
}

/// The sorted paths, relative and with `/`, of all files in `folder` for which [`may_matter`] is
/// true.
///
/// # Errors
/// The folder itself if it does not exist, and everything in it that cannot be read.
pub fn list(folder: &Path, shown: &str) -> Result<Vec<String>, Vec<Unreadable>> {
    let mut walk = Walk { shown, above: Vec::new(), files: Vec::new(), errors: Vec::new() };
    walk.folder(folder, "");
    walk.files.sort();
    if walk.errors.is_empty() { Ok(walk.files) } else { Err(walk.errors) }
}

struct Walk<'s> {
    shown: &'s str,
    /// The folders that the walk is in, with symbolic links resolved, to detect cycles.
    above: Vec<PathBuf>,
    files: Vec<String>,
    errors: Vec<Unreadable>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, below: &str) {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if self.above.contains(&real) {
            return self.error(below, "it is a symbolic link to a folder that contains it");
        }
        self.above.push(real);
        self.entries(folder, below);
        self.above.pop();
    }

    fn entries(&mut self, folder: &Path, below: &str) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.error(below, &error.to_string()),
        };
        let mut found = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => found.push((entry.file_name(), entry)),
                Err(error) => self.error(below, &error.to_string()),
            }
        }
        // The file system chooses the order of entries; messages must be in a fixed order.
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
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
        let is_folder = match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => entry.path().is_dir(),
        };
        if is_folder {
            return self.folder(&entry.path(), &relative);
        }
        if !may_matter(&relative) {
            return;
        }
        match name.to_str() {
            Some(_) => self.files.push(relative),
            None => self.error(&relative, "its name is not UTF-8"),
        }
    }

    fn error(&mut self, path: &str, reason: &str) {
        self.errors.push(Unreadable::new(self.shown, path, reason));
    }
}
