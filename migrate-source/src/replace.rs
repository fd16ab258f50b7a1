//! Writes a file as a whole: its readers see the old contents or the new ones, also after a crash.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use migrate_set::listing::other_than_file;

/// Puts a file with these bytes in the place of `path`, with the permissions of the file that was
/// there.
///
/// # Errors
/// If `path` is a link or something else than a file, which may be another's: it is left as it is.
/// If the system refuses it.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            return Err(io::Error::other("it is a link, not a file"));
        }
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(other) = old.as_ref().and_then(|old| other_than_file(old.file_type())) {
        return Err(io::Error::other(format!("it is {other}, not a file")));
    }
    let (temporary, file) = beside(path)?;
    let written = fill(file, bytes, old.as_ref()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // Without this, a power failure can bring the old file back, and that is not an error.
    if let Ok(folder) = File::open(parent(path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A new file in the same folder, because only there a rename replaces the file at once. Its name
/// begins with a dot, so that no listing of migrations contains it.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 0_u32;
    loop {
        let temporary = parent(path).join(format!(".{name}.{}-{number}", process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            opened => return opened.map(|file| (temporary, file)),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn fill(mut file: File, bytes: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}
