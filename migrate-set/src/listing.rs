//! Lists the files of a migration folder on disk; the only module of this crate that touches files.
//! It reads names and no contents, and does not judge the names.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use crate::name::may_matter;

/// A folder or a file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// As messages call it.
    pub file: String,
    /// The system's own words.
    pub reason: String,
}

impl Unreadable {
    /// `path` below the folder that messages call `shown`; the folder itself where it is empty.
    pub fn new(shown: &str, path: &str, reason: &str) -> Self {
        let file = match path {
            "" => shown.to_owned(),
            path => format!("{shown}/{path}"),
        };
        Unreadable { file, reason: reason.to_owned() }
    }
}

/// The paths of all files below `folder` that may matter, relative to it, with `/`, sorted.
///
/// # Errors
/// The folder itself where it does not exist, and whatever else in it cannot be read.
pub fn list(folder: &Path, shown: &str) -> Result<Vec<String>, Vec<Unreadable>> {
    let mut walk = Walk { shown, above: Vec::new(), files: Vec::new(), errors: Vec::new() };
    walk.folder(folder, "");
    walk.files.sort();
    if walk.errors.is_empty() { Ok(walk.files) } else { Err(walk.errors) }
}

struct Walk<'s> {
    shown: &'s str,
    /// The folders that the walk is in, without symbolic links, which can lead in a circle.
    above: Vec<PathBuf>,
    files: Vec<String>,
    errors: Vec<Unreadable>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, below: &str) {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if self.above.contains(&real) {
            return self.error(below, "it is a symbolic link to a folder that it lies in");
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
        // The order of a folder is the file system's; that of messages is not.
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, entry) in found {
            self.entry(&name, &entry, below);
        }
    }

    fn entry(&mut self, name: &OsStr, entry: &DirEntry, below: &str) {
        let shown = name.to_string_lossy();
        if shown.starts_with('.') {
            return;
        }
        let relative = match below {
            "" => shown.to_string(),
            below => [below, "/", &shown].concat(),
        };
        // A folder tells what most of its entries are; only links have to be followed.
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
