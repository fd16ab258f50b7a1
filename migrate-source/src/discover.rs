//! Reads the files of a migration folder on disk, and those that a set is compared with.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

pub use migrate_set::name::may_matter;

use migrate_set::listing::{Links, Unreadable, list, not_a_file, other_than_file};
use migrate_set::set::Migrations;

use crate::check::{Problem, SourceError, SourceErrors, SourceFile};
use crate::directives::edit_distance;
use crate::history_file::{self, HistoryProblem};
use crate::threads;

/// How many files are worth a thread: reading them takes about half a millisecond.
const SHARE: usize = 128;

/// The size of the largest file that is read, in MiB. A migration with more data than this loads it
/// by `COPY` from a file of the server.
pub const LARGEST: u64 = 64;

/// All files in `folder` that are not unrelated, with their contents; messages show the folder as
/// `shown`.
///
/// # Errors
/// If the folder or a file in it cannot be read.
pub fn discover(folder: &Path, shown: &str, links: Links) -> Result<Vec<SourceFile>, SourceErrors> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    let error = |error| source_error(folder, shown, error);
    let listed = list(folder, shown, links);
    let paths = listed.map_err(|found| SourceErrors(found.into_iter().map(error).collect()))?;
    let read = threads::map(&paths, SHARE, |path| read(&folder.join(path)));
    for (path, read) in paths.into_iter().zip(read) {
        match read {
            Ok(bytes) => files.push(SourceFile { path, bytes }),
            Err(reason) => {
                errors.push(error(Unreadable::new(shown, &path, Some(reason))));
            }
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(SourceErrors(errors)) }
}

/// The contents of a plain file of up to [`LARGEST`] MiB, through links.
///
/// # Errors
/// If it is something else, such as a named pipe, which is not opened: that would wait for its
/// writer. If it is larger, or cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let plain = |found: Metadata| match other_than_file(found.file_type()) {
        Some(other) => Err(not_a_file(other)),
        None => Ok(found.len()),
    };
    plain(fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Again, because it may have been replaced in the meantime, and it can still grow.
    let length = plain(file.metadata()?)?;
    let mut bytes = Vec::new();
    if length <= LARGEST << 20 {
        // Without it, a reader with a limit begins with 32 bytes at a time.
        bytes.reserve(usize::try_from(length).unwrap_or_default() + 1);
        file.take((LARGEST << 20) + 1).read_to_end(&mut bytes)?;
    }
    if length.max(bytes.len() as u64) > LARGEST << 20 {
        return Err(io::Error::other(format!("it is larger than {LARGEST} MiB")));
    }
    Ok(bytes)
}

fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// The text of a file that a set is compared with, at `path`, which messages show as `shown`; `None` if there is none.
///
/// # Errors
/// If it cannot be read, if its folder is missing, or if it is a history file that is missing while one with the former
/// ending `.lock` exists: to ignore that one would unfreeze its migrations.
pub fn committed(path: &Path, shown: &str) -> Result<Option<String>, SourceErrors> {
    let problem = match read_text(path) {
        Ok(text) => return Ok(Some(text)),
        // A link that leads nowhere is not a missing file: it would unfreeze everything.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !exists(path) => {
            match why_missing(path, shown) {
                Some(problem) => problem,
                None => return Ok(None),
            }
        }
        Err(error) => unreadable(&error),
    };
    Err(SourceErrors(vec![SourceError::of_file(shown, problem)]))
}

/// Why a file that is missing is probably not one that is yet to be written.
fn why_missing(path: &Path, shown: &str) -> Option<Problem> {
    let folders = path.ancestors().zip(Path::new(shown).ancestors()).skip(1);
    let mut missing = folders.filter(|(at, shown)| !shown.as_os_str().is_empty() && !exists(at));
    if let Some((_, folder)) = missing.by_ref().last() {
        return Some(Problem::NoParent { folder: folder.to_string_lossy().into_owned() });
    }
    let is_history = path.extension().is_some_and(|ending| ending == "history");
    let old = Path::new(shown).with_extension("lock").to_string_lossy().into_owned();
    (is_history && exists(&path.with_extension("lock")))
        .then_some(Problem::History(HistoryProblem::OldName { old }))
}

/// Compares `set` with the `text` of its history file at `path`, which messages show as `shown`.
///
/// # Errors
/// Every deviation. If the file is missing, that names one beside it of nearly the same name.
pub fn compare_history(
    (path, shown): (&Path, &str),
    text: Option<&str>,
    set: &Migrations,
) -> Result<(), SourceErrors> {
    let mut problems = history_file::compare(text, set);
    if let [HistoryProblem::Missing { near }] = problems.as_mut_slice() {
        *near = nearly(path);
    }
    SourceErrors::of_history(shown, problems)
}

/// The history file beside `path` whose name is the most similar to its name, if that is at most two letters different.
fn nearly(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let names = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?.flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let others = names.filter(|other| other.ends_with(".history"));
    let near = others.map(|other| (edit_distance(name, &other), other));
    near.filter(|(edits, _)| *edits <= 2).min().map(|(_, other)| other)
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn source_error(
    folder: &Path,
    shown: &str,
    Unreadable { file, reason }: Unreadable,
) -> SourceError {
    let problem = match reason {
        None => Problem::LinkOut,
        Some(error) if file == shown && is_missing(folder) => {
            Problem::NoFolder { reason: error.to_string() }
        }
        Some(error) => unreadable(&error),
    };
    SourceError::of_file(file, problem)
}

fn unreadable(error: &io::Error) -> Problem {
    let reason = error.to_string();
    match error.kind() {
        io::ErrorKind::PermissionDenied => Problem::Denied { reason },
        _ => Problem::Unreadable { reason },
    }
}

/// Whether there is no such folder, rather than one that must not be read.
fn is_missing(folder: &Path) -> bool {
    match fs::metadata(folder) {
        Ok(found) => !found.is_dir(),
        Err(error) => error.kind() != io::ErrorKind::PermissionDenied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_must_not_be_read_is_not_missing() {
        let help = |folder: &Path, error: io::Error| {
            let error = Unreadable::new("m", "", Some(error));
            source_error(folder, "m", error).problem().help().to_string()
        };
        // The system allows root everything, so its error is given.
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let (there, allow) = (std::env::temp_dir(), "allow the user who runs this to read it");
        assert_eq!(help(&there, denied()), allow);
        assert!(help(Path::new("no/such/folder"), denied()).starts_with("name a folder"));
        // Windows has another text, and that of another error can have the word.
        let other = io::Error::other("the volume denied it");
        assert_eq!(help(&there, other), "fix it, or remove it");
    }
}
