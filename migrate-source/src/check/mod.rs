//! Decides whether the files of a folder are a set that can be embedded, and which.
//! Paths and bytes go in, from wherever they were read; the checked [`Migrations`], or every
//! mistake at once, come out.
//! It reads no file on purpose: the macro, an `include_dir::Dir` and a folder on disk all end here,
//! so all three judge alike.

mod assembly;
mod script;
mod control;
mod grammar;
mod error;

pub use error::{Beside, Problem, SourceError, SourceErrors};

use migrate_set::name::Layout;
use migrate_set::set::{DEFAULT_MODULE, Migrations};

use crate::names::{NameError, NameOptions, classify};
use assembly::{Assembled, assemble};

/// One file, wherever it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the migration folder, with `/`.
    pub path: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// What the caller says of a set.
///
/// ```
/// # use migrate_source::check::{Down, Lints, SetOptions};
/// let options =
///     SetOptions { lints: Lints::Deny, down: Down::Required, ..SetOptions::default() };
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOptions {
    /// The set's module.
    pub module: String,
    /// How its files are named.
    pub names: NameOptions,
    /// What is asked of down scripts.
    pub down: Down,
    /// What several migrations of one version are.
    pub duplicates: Duplicates,
    /// What an up script without a statement is.
    pub empty: Empty,
    /// Whether statements are checked against PostgreSQL's grammar; only with the feature `syntax`.
    pub syntax: Syntax,
    /// What a finding of [`crate::lint`] is.
    pub lints: Lints,
}

/// Whether statements are checked against PostgreSQL's grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Syntax {
    /// A statement that the grammar does not take is a mistake, unless the file says why:
    /// `-- migrate:allow syntax because REASON`.
    #[default]
    Check,
    /// They are left to the server.
    Off,
}

/// What a finding of [`crate::lint`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lints {
    /// Nobody looks.
    #[default]
    Off,
    /// A warning.
    Warn,
    /// A mistake, unless the file says why: `-- migrate:allow LINT because REASON`.
    Deny,
}

/// A set that can be embedded, and what is to be said about it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The set.
    pub set: Migrations,
    /// What is worth a warning.
    pub warnings: Vec<SourceError>,
}

/// What is asked of down scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Down {
    /// A migration may have one; it is checked like an up script.
    #[default]
    Optional,
    /// Every versioned migration has one.
    Required,
    /// Nothing: a broken one is kept as it is, for grown histories.
    Unchecked,
}

/// What several migrations of one version are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// A mistake.
    #[default]
    Refuse,
    /// Migrations of their own, ordered by name, for grown histories: their names become part of
    /// their versions (`7_add_users`).
    ByName,
}

/// What an up script without a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Empty {
    /// A mistake, unless the file says why: `-- migrate:allow empty because REASON`.
    #[default]
    Refuse,
    /// A migration like any other, for grown histories.
    Allow,
}

impl Default for SetOptions {
    fn default() -> Self {
        SetOptions {
            module: DEFAULT_MODULE.to_owned(),
            names: NameOptions::default(),
            down: Down::default(),
            duplicates: Duplicates::default(),
            empty: Empty::default(),
            syntax: Syntax::default(),
            lints: Lints::default(),
        }
    }
}

/// The set that `files` make; `folder` is what messages call the folder they come from.
///
/// # Errors
/// Every mistake in every file, and `NoMigrations` where there is nothing to embed.
pub fn check(
    folder: &str,
    files: &[SourceFile],
    options: &SetOptions,
) -> Result<Checked, SourceErrors> {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let classified = classify(&paths, &options.names);
    let of_name = |error: &NameError| {
        SourceError::of_file(shown(folder, error.file()), Problem::Name(error.clone()))
    };
    let mut errors: Vec<SourceError> = classified.errors.iter().map(of_name).collect();
    if options.module.is_empty() {
        errors.push(SourceError::of_file(folder, Problem::NoModule));
    }
    let assembled = assemble(folder, files, &classified, options, &mut errors);
    let Assembled { migrations, allows, mut warnings } = assembled;
    if options.syntax == Syntax::Check {
        errors.extend(grammar::check(folder, &migrations, &allows, options));
    }
    if options.lints == Lints::Deny {
        errors.append(&mut warnings);
    }
    if migrations.is_empty() && errors.is_empty() {
        errors.push(SourceError::of_file(folder, Problem::NoMigrations));
    }
    if !errors.is_empty() {
        errors.sort_by(|a, b| (a.file(), a.position()).cmp(&(b.file(), b.position())));
        return Err(SourceErrors(errors));
    }
    let layout = classified.layout.unwrap_or(Layout::Numeric);
    let set = Migrations::loaded(&options.module, folder, layout, migrations);
    Ok(Checked { set, warnings })
}

fn shown(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}
