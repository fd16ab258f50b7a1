//! Finds the files of a migration folder on disk; the only place that reads files.
//! A folder goes in; the relative paths and the contents that may matter come out, sorted.
//! It judges neither names nor contents on purpose: [`crate::source`] does, for every origin alike.

use std::fs;
use std::path::{Path, PathBuf};

use crate::name::may_matter;
use crate::source::{Problem, SourceError, SourceErrors, SourceFile};

/// All files below `folder` that may matter, with their contents; `shown` is what messages call
/// the folder.
///
/// # Errors
/// A folder that does not exist or cannot be read, and every file in it that cannot be read.
pub fn discover(folder: &Path, shown: &str) -> Result<Vec<SourceFile>, SourceErrors> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for path in list(folder, shown)? {
        match fs::read(folder.join(&path)) {
            Ok(bytes) => files.push(SourceFile { path, bytes }),
            Err(error) => errors.push(unreadable(shown, &path, &error.to_string())),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(SourceErrors(errors)) }
}

/// The paths of all files below `folder` that may matter, relative to it, with `/`, sorted.
///
/// # Errors
/// A folder that does not exist or cannot be read.
pub fn list(folder: &Path, shown: &str) -> Result<Vec<String>, SourceErrors> {
    let mut walk = Walk { shown, above: Vec::new(), files: Vec::new(), errors: Vec::new() };
    walk.folder(folder, "");
    walk.files.sort();
    if walk.errors.is_empty() { Ok(walk.files) } else { Err(SourceErrors(walk.errors)) }
}

fn unreadable(shown: &str, path: &str, reason: &str) -> SourceError {
    let file = match path {
        "" => shown.to_owned(),
        path => format!("{shown}/{path}"),
    };
    let reason = reason.to_owned();
    let problem = match path {
        "" => Problem::NoFolder { reason },
        _ => Problem::Unreadable { reason },
    };
    SourceError::of_file(file, problem)
}

struct Walk<'s> {
    shown: &'s str,
    /// The folders that the walk is in, without symbolic links, which can lead in a circle.
    above: Vec<PathBuf>,
    files: Vec<String>,
    errors: Vec<SourceError>,
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
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.error(below, &error.to_string()),
            }
        }
        // The order of a folder is the file system's; that of messages is not.
        paths.sort();
        for path in paths {
            self.entry(&path, below);
        }
    }

    fn entry(&mut self, path: &Path, below: &str) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let relative = if below.is_empty() { name.to_string() } else { format!("{below}/{name}") };
        if name.starts_with('.') {
            return;
        }
        if path.is_dir() {
            return self.folder(path, &relative);
        }
        if !may_matter(&relative) {
            return;
        }
        match path.file_name().and_then(|name| name.to_str()) {
            Some(_) => self.files.push(relative),
            None => self.error(&relative, "its name is not UTF-8"),
        }
    }

    fn error(&mut self, path: &str, reason: &str) {
        self.errors.push(unreadable(self.shown, path, reason));
    }
}
