//! Finds and reads the files of a migration folder on disk.

use std::fs;
use std::path::Path;

use migrate_set::listing::{Unreadable, list};

use crate::check::{Problem, SourceError, SourceErrors, SourceFile};
use crate::threads;

/// How many files are worth a thread: reading them takes about half a millisecond.
const SHARE: usize = 128;

/// All files in `folder` that are not unrelated, with their contents; messages show the folder as
/// `shown`.
///
/// # Errors
/// If the folder or a file in it cannot be read.
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
            Err(reason) => errors.push(error(Unreadable::new(shown, &path, &reason.to_string()))),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(SourceErrors(errors)) }
}

fn source_error(shown: &str, Unreadable { file, reason }: Unreadable) -> SourceError {
    let whole = file == shown;
    let problem = if whole { Problem::NoFolder { reason } } else { Problem::Unreadable { reason } };
    SourceError::of_file(file, problem)
}
