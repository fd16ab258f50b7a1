//! Sets made at start-up, from a folder on disk, from texts in the code, or from an
//! `include_dir::Dir` in the binary; and the files of the next migration ([`create`]).
//!
//! These sets are checked like those of the macro.

use std::path::Path;

#[cfg(feature = "include_dir")]
use include_dir::Dir;
use migrate_set::set::Migrations;
use migrate_source::check::{Checked, SourceFile, check};
use migrate_source::discover::discover;
use tracing::warn;

pub use migrate_source::check::{
    Begins, Down, Duplicates, Empty, Links, Lints, Objects, Problem, SetOptions, SourceError,
    SourceErrors, Syntax,
};
pub use migrate_source::create::{CreateError, CreateOptions, Created, DraftError, create};
pub use migrate_source::names::{Dialects, NameOptions};

/// The set in the folder `path` on disk; messages call the folder `path` too.
///
/// It reads plain files of up to 64 MiB each, in the folder itself unless [`SetOptions::links`]
/// allows links out of it.
///
/// ```
/// use migrate_runtime::source::{SetOptions, from_folder};
/// let error = from_folder("no/such/folder", &SetOptions::default()).unwrap_err();
/// assert!(error.to_string().starts_with("no/such/folder: cannot be read: "));
/// ```
///
/// # Errors
/// Every mistake in the folder, as the macro would report it.
pub fn from_folder(
    path: impl AsRef<Path>,
    options: &SetOptions,
) -> Result<Migrations, SourceErrors> {
    let shown = path.as_ref().to_string_lossy();
    let files = discover(path.as_ref(), &shown, options.links)?;
    check(&shown, &files, options).map(warned)
}

/// The set in `dir`, a folder that `include_dir!` put into the binary; `folder` is what messages
/// call it.
///
/// ```
/// use include_dir::{Dir, include_dir};
/// use migrate_runtime::source::{SetOptions, from_include_dir};
///
/// static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");
///
/// let set = from_include_dir(&FOLDER, "migrations", &SetOptions::default())?;
/// assert_eq!(set.len(), 2);
/// # Ok::<(), migrate_runtime::source::SourceErrors>(())
/// ```
///
/// # Errors
/// Every mistake in the folder, as the macro would report it.
#[cfg(feature = "include_dir")]
pub fn from_include_dir(
    dir: &Dir<'_>,
    folder: &str,
    options: &SetOptions,
) -> Result<Migrations, SourceErrors> {
    let mut files = Vec::new();
    collect(dir, dir.path(), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    check(folder, &files, options).map(warned)
}

/// The set of migrations in the code: each is a file name, as in a folder, and its text. Messages use
/// these names.
///
/// ```
/// use migrate_runtime::source::{SetOptions, from_texts};
///
/// let texts = [
///     ("1_create_users.up.sql", "CREATE TABLE users (id bigint)"),
///     ("1_create_users.down.sql", "DROP TABLE users"),
///     ("2_add_age.up.sql", "ALTER TABLE users ADD age int"),
/// ];
/// let set = from_texts(texts, &SetOptions::default())?;
/// assert_eq!(set.len(), 2);
/// # Ok::<(), migrate_runtime::source::SourceErrors>(())
/// ```
///
/// # Errors
/// Every mistake in the names and texts, as the macro would report it.
pub fn from_texts<N, T>(
    texts: impl IntoIterator<Item = (N, T)>,
    options: &SetOptions,
) -> Result<Migrations, SourceErrors>
where
    N: Into<String>,
    T: Into<String>,
{
    let file = |(name, text): (N, T)| SourceFile::new(name, text.into());
    let mut files: Vec<SourceFile> = texts.into_iter().map(file).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    check("", &files, options).map(warned)
}

/// The set, after its warnings are logged.
fn warned(checked: Checked) -> Migrations {
    for warning in checked.warnings {
        warn!("{warning}");
    }
    checked.set
}

#[cfg(feature = "include_dir")]
fn collect(dir: &Dir<'_>, root: &Path, files: &mut Vec<SourceFile>) {
    for file in dir.files() {
        let path = file.path().strip_prefix(root).unwrap_or(file.path());
        let path = path.to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path, bytes: file.contents().to_vec() });
    }
    for inner in dir.dirs() {
        collect(inner, root, files);
    }
}
