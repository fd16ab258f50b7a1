//! Whether a set still has the files of the folder that it was embedded from: only names are compared,
//! because an edited file triggers a rebuild. A release build does not record the folder.

use std::fmt;
use std::path::Path;

use migrate_set::listing::{Links, list};
use migrate_set::set::Migrations;
use thiserror::Error;

/// Files that were added to or removed from the folder after the set was embedded.
#[derive(Clone, PartialEq, Eq, Error)]
#[error(
    "the set was embedded from `{folder}` before its files changed{}{}\n\
     help: rebuild the crate that embeds it, whose build.rs should print \
     `cargo::rerun-if-changed={shown}`",
    named("added", added),
    named("removed", removed)
)]
#[non_exhaustive]
pub struct StaleEmbed {
    /// The folder's absolute path.
    pub folder: String,
    /// The folder as the argument of the macro.
    pub shown: String,
    /// Files on disk that are not in the set.
    pub added: Vec<String>,
    /// Files in the set that are not on disk.
    pub removed: Vec<String>,
}

impl fmt::Debug for StaleEmbed {
    /// The text for people, because a test that unwraps prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn named(what: &str, files: &[String]) -> String {
    if files.is_empty() { String::new() } else { format!("\n{what}: {}", files.join(", ")) }
}

/// Whether the folder that `set` was embedded from still has the same files.
///
/// The [`run`](crate::Migrator::run) of a debug build checks this. A test finds a missing `build.rs`
/// with it:
///
/// ```
/// use migrate_runtime::{Migrations, check_embed, embed_migrations};
///
/// static MIGRATIONS: Migrations = embed_migrations!("migrations");
///
/// check_embed(&MIGRATIONS).unwrap();
/// ```
///
/// # Errors
/// [`StaleEmbed`] with the names of the files that were added or removed.
pub fn check_embed(set: &Migrations) -> Result<(), StaleEmbed> {
    let Some(origin) = set.origin() else { return Ok(()) };
    // Only names matter here: the build has checked where links lead.
    let listed = list(Path::new(origin.folder), set.folder(), Links::Follow);
    let Ok(now) = listed else { return Ok(()) };
    let then: Vec<&str> = origin.files().collect();
    let came = |file: &&String| then.binary_search(&file.as_str()).is_err();
    let added: Vec<String> = now.iter().filter(came).cloned().collect();
    let went = |file: &&str| now.binary_search_by(|found| found.as_str().cmp(file)).is_err();
    let removed: Vec<String> = then.iter().copied().filter(went).map(str::to_owned).collect();
    if added.is_empty() && removed.is_empty() {
        return Ok(());
    }
    let (folder, shown) = (origin.folder.to_owned(), set.folder().to_owned());
    Err(StaleEmbed { folder, shown, added, removed })
}
