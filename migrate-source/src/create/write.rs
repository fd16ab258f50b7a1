//! Writes the files of a new migration, which [`super::draft`] makes, and never overwrites a file.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use migrate_set::listing::Links;
use migrate_set::version::Version;
use thiserror::Error;

use super::{Draft, DraftError, Moment, Wish, draft};
use crate::check::{SourceErrors, SourceFile};
use crate::discover::{committed, discover};
use crate::history_file;
use crate::names::NameOptions;
use crate::replace;

/// Options for [`create`].
///
/// ```
/// use migrate_set::name::Layout;
/// use migrate_source::create::CreateOptions;
/// use migrate_source::names::NameOptions;
///
/// let names = NameOptions { layout: Some(Layout::Timestamp), ..NameOptions::default() };
/// let history = Some("migrations.history".into());
/// let options = CreateOptions { names, history, ..CreateOptions::default() };
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// How the set's files are named; the layout matters if the folder does not determine it.
    pub names: NameOptions,
    /// The set's history file. The new version is also above the newest one in it, so that a version
    /// is not reused if a file is missing from the folder. It is not updated, because the new
    /// migration is empty: freeze it after you have written it
    /// (`MIGRATE_UPDATE_HISTORY=1 cargo build`).
    pub history: Option<PathBuf>,
    /// Whether links in the folder can lead out of it.
    pub links: Links,
}

/// What [`create`] wrote; displayed as the files, one per line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// The version of the new migration.
    pub version: Version,
    /// Its files, the up script first.
    pub files: Vec<PathBuf>,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, file) in self.files.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}created {}", file.display())?;
        }
        Ok(())
    }
}

/// Why no migration was created; nothing was written.
///
/// ```
/// use migrate_source::create::{CreateError, CreateOptions, create};
///
/// let error = create("no/such/folder", "add users", &CreateOptions::default()).unwrap_err();
/// assert!(matches!(error, CreateError::Refused(_)));
/// assert!(error.to_string().starts_with("no/such/folder: cannot be read: "));
/// assert_eq!(format!("{error:?}"), error.to_string());
/// ```
#[derive(Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The folder, its history file or the description does not allow one.
    #[error(transparent)]
    Refused(#[from] DraftError),
    /// One of the files already exists: another process created it in the meantime.
    #[error("`{file}` already exists and is not overwritten\nhelp: create the migration again")]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A file cannot be written.
    #[error(
        "`{file}` cannot be written\n\
         help: check the permissions of its folder and the free disk space"
    )]
    File {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl fmt::Debug for CreateError {
    /// The same text as `Display`, because a `main` that returns it prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the next migration into `folder`: files with comments, for you to fill in.
///
/// They are named like the newest migration, and like it come in pairs, in a folder or with
/// sections; a folder without migrations gets `0001_add_users.sql`, or the first of the requested
/// layout. Until you fill it in, the build refuses the new migration, because it contains no
/// statements. On Unix, migrations that are created at the same time get different versions.
///
/// ```
/// use migrate_source::create::{CreateOptions, create};
/// # let folder = std::env::temp_dir().join(format!("migrate-create-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let created = create(&folder, "add users", &CreateOptions::default())?;
/// assert_eq!(created.files, [folder.join("0001_add_users.sql")]);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CreateError`]. If one file cannot be written, the others are removed again.
pub fn create(
    folder: impl AsRef<Path>,
    description: &str,
    options: &CreateOptions,
) -> Result<Created, CreateError> {
    let folder = folder.as_ref();
    let shown = folder.to_string_lossy();
    let _lock = lock(folder);
    let files = discover(folder, &shown, options.links).map_err(DraftError::Source)?;
    let frozen = options.history.as_deref().map(frozen).transpose();
    let frozen = frozen.map_err(DraftError::Source)?.flatten();
    let wish = Wish { description, names: options.names, frozen, now: now() };
    let Draft { version, files } = draft(&shown, &files, &wish)?;
    let files = write(folder, &files)?;
    Ok(Created { version, files })
}

/// Keeps other processes from choosing a version here until it is dropped; `None` where the system locks no folders.
#[expect(
    clippy::incompatible_msrv,
    reason = "only the command line creates, and needs a newer one"
)]
fn lock(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    folder.lock().ok().map(|()| folder)
}

/// The newest version of a history file; nothing is frozen in a missing one.
fn frozen(path: &Path) -> Result<Option<Version>, SourceErrors> {
    let shown = path.to_string_lossy();
    let Some(text) = committed(path, &shown)? else { return Ok(None) };
    let (newest, problems) = history_file::newest(&text);
    SourceErrors::of_history(&shown, problems)?;
    Ok(newest)
}

fn now() -> Moment {
    // With a clock before 1970, the newest version is incremented instead.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { seconds: now.as_secs(), nanos: now.subsec_nanos() }
}

/// Writes all files or none.
fn write(folder: &Path, files: &[SourceFile]) -> Result<Vec<PathBuf>, CreateError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    // A broken symbolic link also prevents the creation.
    if let Some(file) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(CreateError::Exists { file: file.clone() });
    }
    let mut undo = Undo { files: Vec::new(), folder: None };
    for (path, file) in paths.iter().zip(files) {
        if let Err(source) = undo.write(folder, path, &file.bytes) {
            undo.all();
            let file = path.clone();
            return Err(match source.kind() {
                io::ErrorKind::AlreadyExists => CreateError::Exists { file },
                _ => CreateError::File { file, source },
            });
        }
    }
    Ok(paths)
}

/// What was created so far, to remove it if the rest cannot be created.
struct Undo<'p> {
    files: Vec<&'p Path>,
    folder: Option<&'p Path>,
}

impl<'p> Undo<'p> {
    fn write(&mut self, root: &Path, path: &'p Path, bytes: &[u8]) -> io::Result<()> {
        // Its own folder is new, too: one that exists can be a link to somewhere else.
        let own = path.parent().filter(|parent| *parent != root && self.folder != Some(*parent));
        if let Some(parent) = own {
            fs::create_dir(parent)?;
            self.folder = Some(parent);
        }
        replace::create(path, bytes)?;
        self.files.push(path);
        Ok(())
    }

    /// What cannot be removed is left: the original error is the one to report.
    fn all(self) {
        for file in self.files {
            let _ = fs::remove_file(file);
        }
        if let Some(folder) = self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}
