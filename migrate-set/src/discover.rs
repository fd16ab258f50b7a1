//! Finds the files of a migration folder on disk; the only place that reads files.
//! A folder goes in; the relative paths and the contents that may matter come out, sorted.
//! It judges neither names nor contents on purpose: `source` does, for every origin alike.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use crate::name::may_matter;
#[cfg(feature = "source")]
use crate::source::{Problem, SourceError, SourceErrors, SourceFile};
#[cfg(feature = "source")]
use crate::threads;

/// How many files are worth a thread that reads them: some half a millisecond.
#[cfg(feature = "source")]
const SHARE: usize = 128;

/// A folder or a file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// As messages call it.
    pub file: String,
    /// The system's own words.
    pub reason: String,
}

/// All files below `folder` that may matter, with their contents; `shown` is what messages call
/// the folder.
///
/// # Errors
/// A folder that does not exist or cannot be read, and every file in it that cannot be read.
#[cfg(feature = "source")]
pub fn discover(folder: &Path, shown: &str) -> Result<Vec<SourceFile>, SourceErrors> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    let error = |error| source_error(shown, error);
    let listed = list(folder, shown);
    let paths = listed.map_err(|found| SourceErrors(found.into_iter().map(error).collect()))?;
    let read = threads::map(&paths, SHARE, |path| fs::read(folder.join(path)));
    for (path, read) in paths.into_iter().zip(read) {
        match read {
            Ok(bytes) => files.push(SourceFile { path, bytes }),
            Err(reason) => errors.push(error(unreadable(shown, &path, &reason.to_string()))),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(SourceErrors(errors)) }
}

#[cfg(feature = "source")]
fn source_error(shown: &str, Unreadable { file, reason }: Unreadable) -> SourceError {
    let whole = file == shown;
    let problem = if whole { Problem::NoFolder { reason } } else { Problem::Unreadable { reason } };
    SourceError::of_file(file, problem)
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

fn unreadable(shown: &str, path: &str, reason: &str) -> Unreadable {
    let file = match path {
        "" => shown.to_owned(),
        path => format!("{shown}/{path}"),
    };
    Unreadable { file, reason: reason.to_owned() }
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
        self.errors.push(unreadable(self.shown, path, reason));
    }
}
