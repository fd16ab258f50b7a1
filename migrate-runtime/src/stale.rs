//! Whether a set still has the files of its folder, by their names and contents: cargo compares only times,
//! and not those of added files. A release build does not record the folder.

mod place;

use std::collections::BTreeMap;
use std::{fmt, fs};

use migrate_set::listing::{Links, list};
use migrate_set::set::{Differences, Migrations, Origin};
use thiserror::Error;

/// A set that is not its folder.
#[derive(Clone, PartialEq, Eq, Error)]
#[error(
    "{}{}{}{}\nhelp: {}",
    self.what(),
    named("added", added),
    named("removed", removed),
    named("edited", edited),
    self.help()
)]
#[non_exhaustive]
pub struct StaleEmbed {
    /// The absolute path of the folder that the set was compared with.
    pub folder: String,
    /// Files on disk that are not in the set.
    pub added: Vec<String>,
    /// Files in the set that are not on disk.
    pub removed: Vec<String>,
    /// Files whose contents on disk are not those in the set.
    pub edited: Vec<String>,
    built: Box<Built>,
}

/// How the set was built.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Built {
    /// The folder that it was embedded from, if that is another.
    elsewhere: Option<String>,
    /// The crate that embeds it; `None` if that is not known.
    package: Option<String>,
    /// The folder as the argument of the macro.
    shown: String,
}

impl StaleEmbed {
    fn what(&self) -> String {
        let folder = &self.folder;
        match &*self.built {
            Built { elsewhere: Some(then), .. } => {
                format!("the set was embedded from `{then}`, and `{folder}` is not the same")
            }
            Built { package: Some(_), .. } => {
                format!("the set was embedded from `{folder}` before its files changed")
            }
            _ => format!("the embedded set is not that of `{folder}`"),
        }
    }

    fn help(&self) -> String {
        match &*self.built {
            Built { elsewhere: None, package: Some(_), shown } if self.edited.is_empty() => {
                format!(
                    "rebuild the crate that embeds it, whose build.rs should print \
                 `cargo::rerun-if-changed={shown}`"
                )
            }
            Built { package: Some(package), .. } => format!(
                "`cargo clean -p {package}`, and build again: cargo compares times, and a file that \
                 was restored or copied can be older than the build"
            ),
            _ => "build the service again from a clean checkout".to_owned(),
        }
    }
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

/// Whether the folder of `set` still has the same files, with the same contents.
///
/// The folder is the one of the running project, if it has the crate that embeds the set (a project can be
/// moved with its target folder, and two checkouts can share one), otherwise the one that the set was
/// embedded from. Without either, there is nothing to compare.
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
/// A release build records no folder, and this finds nothing. To be sure of one, build it from a clean
/// checkout, or compare it with a folder: `myservice migrate check --dir migrations`, with `migrate-cli`.
///
/// # Errors
/// [`StaleEmbed`] with the names of the files that were added, removed or edited.
pub fn check_embed(set: &Migrations) -> Result<(), StaleEmbed> {
    let Some(origin) = set.origin() else { return Ok(()) };
    let Some(found) = (origin.compare)(origin, set.folder()) else { return Ok(()) };
    let Differences { folder, added, removed, edited } = found;
    let elsewhere = (folder != origin.folder).then(|| origin.folder.to_owned());
    let (package, shown) = (Some(origin.package.to_owned()), set.folder().to_owned());
    let built = Box::new(Built { elsewhere, package, shown });
    fresh(StaleEmbed { folder, added, removed, edited, built })
}

/// How the folder of a set and the set differ; `None` if the folder cannot be read. `shown` is the argument
/// of the macro.
pub fn differences(origin: &Origin, shown: &str) -> Option<Differences> {
    let folder = place::folder(origin, shown);
    // The build has checked where links lead.
    let now = list(&folder, shown, Links::Follow).ok()?;
    let then: Vec<&str> = origin.files().collect();
    let came = |file: &&String| then.binary_search(&file.as_str()).is_err();
    let added: Vec<String> = now.iter().filter(came).cloned().collect();
    let (mut removed, mut edited) = (Vec::new(), Vec::new());
    for (index, file) in then.into_iter().enumerate() {
        if now.binary_search_by(|found| found.as_str().cmp(file)).is_err() {
            removed.push(file.to_owned());
        } else if fs::read(folder.join(file)).is_ok_and(|bytes| !origin.had(index, &bytes)) {
            edited.push(file.to_owned());
        }
    }
    let folder = folder.to_string_lossy().into_owned();
    Some(Differences { folder, added, removed, edited })
}

/// Whether `set` has the scripts of `now`, the set that was read from `folder`.
///
/// # Errors
/// [`StaleEmbed`] with the names of the files that differ.
pub fn compare(set: &Migrations, now: &Migrations, folder: String) -> Result<(), StaleEmbed> {
    let mut then = scripts(set);
    let (mut added, mut edited) = (Vec::new(), Vec::new());
    for (file, texts) in scripts(now) {
        match then.remove(file) {
            None => added.push(file.to_owned()),
            Some(known) if known != texts => edited.push(file.to_owned()),
            Some(_) => {}
        }
    }
    let removed = then.into_keys().map(str::to_owned).collect();
    let built = Built { elsewhere: None, package: None, shown: set.folder().to_owned() };
    fresh(StaleEmbed { folder, added, removed, edited, built: Box::new(built) })
}

/// The texts of each file.
fn scripts(set: &Migrations) -> BTreeMap<&str, Vec<&str>> {
    let mut scripts = BTreeMap::<&str, Vec<&str>>::new();
    for script in set.iter().flat_map(|one| std::iter::once(one.up()).chain(one.down())) {
        scripts.entry(script.filename()).or_default().push(script.text());
    }
    scripts
}

/// Nothing, if nothing differs.
fn fresh(found: StaleEmbed) -> Result<(), StaleEmbed> {
    let differs = [&found.added, &found.removed, &found.edited].iter().any(|all| !all.is_empty());
    if differs { Err(found) } else { Ok(()) }
}
