//! Finds and checks the set that a macro call names.
//! The arguments go in; the set with the files it came from, or every mistake, come out.
//! The walk and the checks are `migrate-core`'s: here is only where the folder lies.

use std::path::PathBuf;

use migrate_core::discover::discover;
use migrate_core::set::Migrations;
use migrate_core::source::{SourceErrors, check};

use crate::input::Input;

/// A checked set and the files that it was read from.
pub(crate) struct Embedded {
    /// The set.
    pub(crate) set: Migrations,
    /// Absolute paths of all files whose edits must trigger a rebuild.
    pub(crate) files: Vec<String>,
}

/// Reads the folder below the `Cargo.toml` of the crate being compiled.
pub(crate) fn embed(input: &Input) -> Result<Embedded, SourceErrors> {
    let shown = input.folder.value();
    // Cargo sets it for every compilation; without it the working directory is the best guess.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    let folder = manifest.join(&shown);
    let sources = discover(&folder, &shown)?;
    let set = check(&shown, &sources, &input.options)?;
    let absolute = |path: &str| folder.join(path).to_string_lossy().into_owned();
    let files = sources.iter().map(|source| absolute(&source.path)).collect();
    Ok(Embedded { set, files })
}
