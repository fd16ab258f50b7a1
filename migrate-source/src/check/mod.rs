//! Checks files and builds the set that they make, or reports all mistakes.
//! It reads no files, so that the macro, an `include_dir::Dir` and a folder on disk share it.

mod assembly;
mod script;
mod decode;
mod control;
mod psql;
mod characters;
mod later;
mod squash;
mod depends;
mod grammar;
mod statements;
mod mistakes;
mod branch;
#[cfg(feature = "command-line")]
pub mod branches;
mod error;
mod problem;
mod remedy;

pub use migrate_set::listing::Links;

pub use crate::objects::{Begins, Undoing};

pub use branch::BranchProblem;
pub use characters::LooksLike;
pub use error::{SourceError, SourceErrors};
use mistakes::limited;
pub use problem::{Beside, Problem};
pub use squash::SquashProblem;

use migrate_set::name::{Layout, shown};
use migrate_set::set::{DEFAULT_MODULE, Migrations};
use migrate_set::sort::sort_by;

use crate::names::{Classified, Dialects, NameError, NameOptions, classify};
use crate::schema::SetSchema;
use assembly::{Assembled, assemble};
use statements::Read;
#[cfg(feature = "command-line")]
pub(crate) use {assembly::runs_outside, decode::decode};

/// One file, wherever it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the migration folder, with `/`.
    pub path: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl SourceFile {
    /// The file with this path and these contents.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        SourceFile { path: path.into(), bytes: bytes.into() }
    }
}

/// The caller's options for a set.
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
    /// Whether down scripts are required and checked.
    pub down: Down,
    /// Whether several migrations can have the same version.
    pub duplicates: Duplicates,
    /// Whether an up script can be empty.
    pub empty: Empty,
    /// Whether statements are checked against PostgreSQL's grammar; only with the feature `syntax`.
    pub syntax: Syntax,
    /// What to do with names of tables, columns and the like that nothing in the set made; only with the
    /// feature `syntax`.
    pub objects: Objects,
    /// What is in the database before the first migration.
    pub begins: Begins,
    /// What to do with findings of [`crate::lint`].
    pub lints: Lints,
    /// Whether links in the folder can lead out of it.
    pub links: Links,
}

/// Whether statements are checked against PostgreSQL's grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Syntax {
    /// A statement that the grammar does not accept is a mistake, unless the file gives a reason:
    /// `-- migrate:allow syntax because REASON`.
    #[default]
    Check,
    /// No; they are left to the server.
    Off,
}

/// What to do with names of objects that nothing in the set made, or that it makes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Objects {
    /// Each is a mistake, unless the file gives a reason: `-- migrate:allow names because REASON`.
    #[default]
    Deny,
    /// Each is a warning.
    Warn,
    /// They are left to the server.
    Off,
}

/// What to do with findings of [`crate::lint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lints {
    /// The lints do not run.
    #[default]
    Off,
    /// A finding is a warning.
    Warn,
    /// A finding is a mistake, unless the file gives a reason:
    /// `-- migrate:allow LINT because REASON`.
    Deny,
}

/// A set that can be embedded, and warnings about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The set.
    pub set: Migrations,
    /// The warnings.
    pub warnings: Vec<SourceError>,
    /// What is known of each down script, by its file; empty if neither the lints nor [`Down::Complete`] ask
    /// for it.
    pub downs: Vec<(String, Undoing)>,
}

/// Whether down scripts are required and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Down {
    /// A migration can have one; it is checked like an up script.
    #[default]
    Optional,
    /// Every versioned migration must have one.
    Required,
    /// Every versioned migration must have one that undoes all of it: the lints of down scripts are
    /// mistakes, whatever the others are.
    Complete,
    /// They are not checked: an invalid one is kept as it is, for existing histories.
    Unchecked,
}

/// Whether several migrations can have the same version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// No, that is a mistake.
    #[default]
    Refuse,
    /// Yes, they are separate migrations ordered by name, for existing histories: their names
    /// become part of their versions (`7_add_users`).
    ByName,
}

/// Whether an up script can be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Empty {
    /// No, unless the file gives a reason: `-- migrate:allow empty because REASON`.
    #[default]
    Refuse,
    /// Yes, for existing histories.
    Allow,
}

/// An option whose values are words, in the macro's arguments and on the command line.
pub trait Choice: Copy + Send + Sync + 'static {
    /// Each word and its value, as messages list them.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word; `None` if it has none.
    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

impl Choice for Layout {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("numeric", Layout::Numeric),
        ("timestamp", Layout::Timestamp),
        ("flyway", Layout::Flyway),
        ("folders", Layout::Folders),
        ("prisma", Layout::Prisma),
        ("any", Layout::Any),
    ];
}

impl Choice for Dialects {
    const WORDS: &'static [(&'static str, Self)] = &[("postgres", Dialects::PostgresOnly)];
}

impl Choice for Down {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("optional", Down::Optional),
        ("required", Down::Required),
        ("complete", Down::Complete),
        ("unchecked", Down::Unchecked),
    ];
}

impl Choice for Duplicates {
    const WORDS: &'static [(&'static str, Self)] =
        &[("refuse", Duplicates::Refuse), ("by_name", Duplicates::ByName)];
}

impl Choice for Empty {
    const WORDS: &'static [(&'static str, Self)] =
        &[("refuse", Empty::Refuse), ("allow", Empty::Allow)];
}

impl Choice for Syntax {
    const WORDS: &'static [(&'static str, Self)] =
        &[("check", Syntax::Check), ("off", Syntax::Off)];
}

impl Choice for Objects {
    const WORDS: &'static [(&'static str, Self)] =
        &[("deny", Objects::Deny), ("warn", Objects::Warn), ("off", Objects::Off)];
}

impl Choice for Begins {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("inferred", Begins::Inferred),
        ("nothing", Begins::Nothing),
        ("existing", Begins::Existing),
    ];
}

impl Choice for Lints {
    const WORDS: &'static [(&'static str, Self)] =
        &[("deny", Lints::Deny), ("warn", Lints::Warn), ("off", Lints::Off)];
}

impl Choice for Links {
    const WORDS: &'static [(&'static str, Self)] =
        &[("inside", Links::Inside), ("follow", Links::Follow)];
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
            objects: Objects::default(),
            begins: Begins::default(),
            lints: Lints::default(),
            links: Links::default(),
        }
    }
}

/// The mistakes in the names of `classified` files, in a folder that messages show as `folder`.
pub(crate) fn misnamed(folder: &str, classified: &Classified) -> Vec<SourceError> {
    let error = |error: &NameError| {
        let path = shown(folder, error.file());
        SourceError::of_file(path, Problem::Name(error.clone().within(folder)))
    };
    classified.errors.iter().map(error).collect()
}

/// The set that `files` make; messages show their folder as `folder`.
///
/// # Errors
/// Every mistake in every file, and `NoMigrations` if there is nothing to embed.
pub fn check(
    folder: &str,
    files: &[SourceFile],
    options: &SetOptions,
) -> Result<Checked, SourceErrors> {
    checked(folder, files, options, Schema::LeftOut).map(|(checked, _)| checked)
}

/// The same, and the schema that the set makes, which is not known without the feature `syntax`.
///
/// # Errors
/// As [`check`].
pub fn check_and_describe(
    folder: &str,
    files: &[SourceFile],
    options: &SetOptions,
) -> Result<(Checked, SetSchema), SourceErrors> {
    checked(folder, files, options, Schema::Described)
}

/// Whether the schema that a set makes is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schema {
    Described,
    LeftOut,
}

fn checked(
    folder: &str,
    files: &[SourceFile],
    options: &SetOptions,
    schema: Schema,
) -> Result<(Checked, SetSchema), SourceErrors> {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let classified = classify(&paths, &options.names);
    let mut errors = misnamed(folder, &classified);
    depends::misnamed(folder, files, &classified.errors, &mut errors);
    if options.module.is_empty() {
        errors.push(SourceError::of_file(folder, Problem::NoModule));
    }
    let assembled = assemble(folder, files, &classified, options, &mut errors);
    let Assembled { migrations, allows, mut warnings } = assembled;
    errors.extend(later::committing_calls(folder, &migrations, options.down));
    if options.lints == Lints::Deny {
        errors.append(&mut warnings);
    }
    let read = statements::check(folder, &migrations, &allows, options, schema);
    let Read { invalid, unknown, late, denied, warned, downs, schema } = read;
    errors.extend(invalid.into_iter().chain(denied));
    warnings.extend(late.into_iter().chain(warned));
    match options.objects {
        // A file that is not part of the set yet can have made what is missing.
        Objects::Deny if errors.is_empty() => errors.extend(unknown),
        Objects::Warn => warnings.extend(unknown),
        Objects::Deny | Objects::Off => {}
    }
    if migrations.is_empty() && errors.is_empty() {
        errors.push(SourceError::of_file(folder, Problem::NoMigrations));
    }
    if !errors.is_empty() {
        sort_by(&mut errors, |a, b| (a.file(), a.position()).cmp(&(b.file(), b.position())));
        return Err(limited(&errors));
    }
    let layout = classified.layout.unwrap_or(Layout::Numeric);
    let set = Migrations::loaded(&options.module, folder, layout, migrations);
    Ok((Checked { set, warnings, downs }, schema))
}
