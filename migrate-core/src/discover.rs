//! Finds the files of a migration folder on disk; the only place that reads files.
//! A folder goes in; the relative paths and the contents that may matter come out, sorted.
//! It judges neither names nor contents on purpose: [`crate::source`] does, for every origin alike.

use std::fs;
use std::path::Path;

use crate::name::may_matter;
use crate::source::{Problem, SourceError, SourceErrors, SourceFile};

/// How deep folders are followed: past it a symbolic link leads in a circle.
const MAX_DEPTH: usize = 8;

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
    let mut walk = Walk { shown, files: Vec::new(), errors: Vec::new() };
    walk.folder(folder, "", 0);
    walk.files.sort();
    if walk.errors.is_empty() { Ok(walk.files) } else { Err(SourceErrors(walk.errors)) }
}

fn unreadable(shown: &str, path: &str, reason: &str) -> SourceError {
    let file = match path {
        "" => shown.to_owned(),
        path => format!("{shown}/{path}"),
    };
    SourceError::of_file(file, Problem::Unreadable { reason: reason.to_owned() })
}

struct Walk<'s> {
    shown: &'s str,
    files: Vec<String>,
    errors: Vec<SourceError>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, below: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return self.error(below, "it lies too deep; does a symbolic link lead in a circle?");
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.error(below, &error.to_string()),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.entry(&entry.path(), below, depth),
                Err(error) => self.error(below, &error.to_string()),
            }
        }
    }

    fn entry(&mut self, path: &Path, below: &str, depth: usize) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return self.error(&path.to_string_lossy(), "its name is not UTF-8");
        };
        let relative = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if name.starts_with('.') {
            return;
        }
        if path.is_dir() {
            return self.folder(path, &relative, depth + 1);
        }
        if may_matter(&relative) {
            self.files.push(relative);
        }
    }

    fn error(&mut self, path: &str, reason: &str) {
        self.errors.push(unreadable(self.shown, path, reason));
    }
}
