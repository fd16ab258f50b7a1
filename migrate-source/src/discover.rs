//! Reads the files of a migration folder on disk, and its history file.

use std::path::Path;
use std::{fs, io};

use migrate_set::listing::{Unreadable, list};

use crate::check::{Problem, SourceError, SourceErrors, SourceFile};
use crate::history_file::HistoryProblem;
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

/// The text of the history file `path`, which messages show as `shown`; `None` if there is none.
///
/// # Errors
/// If it cannot be read, or if it is missing and a file with its former ending `.lock` exists: to
/// ignore that one would unfreeze its migrations.
pub fn history(path: &Path, shown: &str) -> Result<Option<String>, SourceErrors> {
    let problem = match fs::read_to_string(path) {
        Ok(text) => return Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let old = path.with_extension("lock");
            if path.extension().is_none_or(|ending| ending != "history") || !old.exists() {
                return Ok(None);
            }
            let old = Path::new(shown).with_extension("lock").to_string_lossy().into_owned();
            Problem::History(HistoryProblem::OldName { old })
        }
        Err(error) => Problem::Unreadable { reason: error.to_string() },
    };
    Err(SourceErrors(vec![SourceError::of_file(shown, problem)]))
}

fn source_error(shown: &str, Unreadable { file, reason }: Unreadable) -> SourceError {
    let whole = file == shown;
    let problem = if whole { Problem::NoFolder { reason } } else { Problem::Unreadable { reason } };
    SourceError::of_file(file, problem)
}
