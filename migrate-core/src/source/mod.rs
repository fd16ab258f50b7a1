//! Decides whether the files of a folder are a set that can be embedded, and which.
//! Paths and bytes go in, from wherever they were read; the checked [`Migrations`], or every
//! mistake at once, come out.
//! It reads no file on purpose: the macro, an `include_dir::Dir` and a folder on disk all end here,
//! so all three judge alike.

mod error;
mod script;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use error::{Problem, SourceError, SourceErrors};

use crate::checksum::Checksum;
use crate::name::{self, Direction, Kind, Name, NameOptions, Sidecar, TransactionMark};
use crate::set::{DEFAULT_MODULE, Migration, Migrations, Script};
use crate::sql::directive::TransactionMode;
use crate::version::Version;

/// One file, wherever it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the migration folder, with `/`.
    pub path: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// What the caller says of a set.
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
) -> Result<Migrations, SourceErrors> {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let classified = name::classify(&paths, &options.names);
    let mut set = Assembly::new(folder, files, options);
    set.errors.extend(
        classified
            .errors
            .into_iter()
            .map(|error| SourceError::of_file(shown(folder, error.file()), Problem::Name(error))),
    );
    let sidecars = set.sidecars(&classified.sidecars);
    for file in &classified.files {
        set.add(file.index, &file.name, &sidecars);
    }
    let migrations = set.finish()?;
    Ok(Migrations::new(
        Cow::Owned(options.module.clone()),
        Cow::Owned(folder.to_owned()),
        classified.layout.unwrap_or(name::Layout::Numeric),
        None,
        Cow::Owned(migrations),
    ))
}

fn shown(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// The scripts of one version, as far as its files were read.
struct Parts {
    version: Version,
    name: String,
    kind: Kind,
    up: Option<(Script, Checksum)>,
    down: Option<Script>,
    /// The file that claimed the version first, for messages.
    first: String,
    /// A mistake was reported; what is missing is no second one.
    broken: bool,
}

struct Assembly<'f> {
    folder: &'f str,
    files: &'f [SourceFile],
    options: &'f SetOptions,
    errors: Vec<SourceError>,
    versioned: BTreeMap<Version, Parts>,
    repeatable: BTreeMap<String, Parts>,
}

impl<'f> Assembly<'f> {
    fn new(folder: &'f str, files: &'f [SourceFile], options: &'f SetOptions) -> Self {
        let (versioned, repeatable) = (BTreeMap::new(), BTreeMap::new());
        Assembly { folder, files, options, errors: Vec::new(), versioned, repeatable }
    }

    /// The versions whose `metadata.toml` (diesel's) says `run_in_transaction = false`.
    fn sidecars(&self, sidecars: &[Sidecar]) -> Vec<Version> {
        let off = |sidecar: &&Sidecar| {
            let text = String::from_utf8_lossy(&self.files[sidecar.index].bytes);
            text.lines().any(|line| {
                let line = line.split('#').next().unwrap_or_default();
                let setting = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
                setting == Some(("run_in_transaction", "false"))
            })
        };
        sidecars.iter().filter(off).map(|sidecar| sidecar.version.clone()).collect()
    }

    fn add(&mut self, index: usize, name: &Name, sidecars: &[Version]) {
        let source = &self.files[index];
        let shown = shown(self.folder, &source.path);
        let outside = name.transaction == TransactionMark::Autocommit
            || name.version.as_ref().is_some_and(|version| sidecars.contains(version));
        let transaction = if outside {
            TransactionMode::NonTransactional
        } else {
            TransactionMode::Transactional
        };
        let file = script::File {
            shown: &shown,
            path: &source.path,
            direction: name.direction,
            transaction,
            options: self.options,
        };
        let scripts = script::scripts(&file, &source.bytes);
        let parts = match &name.version {
            Some(version) => self
                .versioned
                .entry(self.key(version, name))
                .or_insert_with(|| Parts::new(version.clone(), name, &source.path)),
            None => self
                .repeatable
                .entry(name.slug.clone())
                .or_insert_with(|| Parts::new(repeatable_version(name), name, &source.path)),
        };
        let result = match scripts {
            Ok(scripts) => {
                parts.take(scripts, name, &shown, &source.path).map_err(|error| vec![error])
            }
            Err(errors) => Err(errors),
        };
        if let Err(errors) = result {
            parts.broken = true;
            self.errors.extend(errors);
        }
    }

    /// What tells this migration apart from the others of the set.
    fn key(&self, version: &Version, name: &Name) -> Version {
        match self.options.duplicates {
            Duplicates::Refuse => version.clone(),
            Duplicates::ByName => named_version(version, &name.slug),
        }
    }

    fn finish(mut self) -> Result<Vec<Migration>, SourceErrors> {
        let mut all: Vec<Parts> = std::mem::take(&mut self.versioned).into_values().collect();
        name_equal_versions(&mut all);
        all.extend(std::mem::take(&mut self.repeatable).into_values());
        let mut migrations = Vec::with_capacity(all.len());
        for parts in all {
            self.judge_presence(&parts);
            if let Some((up, checksum)) = parts.up {
                let (version, name) = (parts.version, Cow::Owned(parts.name));
                migrations
                    .push(Migration::new(version, name, parts.kind, checksum, up, parts.down));
            }
        }
        if migrations.is_empty() && self.errors.is_empty() {
            self.errors.push(SourceError::of_file(self.folder, Problem::NoMigrations));
        }
        if self.errors.is_empty() { Ok(migrations) } else { Err(SourceErrors(self.errors)) }
    }

    /// Judges which of its two scripts a migration has; what is broken was reported already.
    fn judge_presence(&mut self, parts: &Parts) {
        let version = parts.version.to_string();
        let required = self.options.down == Down::Required && parts.kind == Kind::Versioned;
        let problem = match (&parts.up, &parts.down) {
            _ if parts.broken => return,
            (None, _) => Problem::DownWithoutUp { version },
            (Some(_), None) if required => Problem::NoDown { version },
            _ => return,
        };
        self.errors.push(SourceError::of_file(shown(self.folder, &parts.first), problem));
    }
}

/// Puts their names behind versions that are equal.
fn name_equal_versions(sorted: &mut [Parts]) {
    for group in sorted.chunk_by_mut(|a, b| a.version == b.version) {
        if let [_, _, ..] = group {
            for parts in group {
                parts.version = named_version(&parts.version, &parts.name);
            }
        }
    }
}

fn named_version(version: &Version, name: &str) -> Version {
    Version::new(format!("{version}_{name}"))
}

/// The ledger's key of a repeatable migration: it has no version, its name identifies it.
fn repeatable_version(name: &Name) -> Version {
    Version::new(format!("R__{}", name.slug))
}

impl Parts {
    fn new(version: Version, name: &Name, path: &str) -> Self {
        Parts {
            version,
            name: name.slug.clone(),
            kind: name.kind,
            up: None,
            down: None,
            first: path.to_owned(),
            broken: false,
        }
    }

    /// Adds what one more file of this version holds.
    fn take(
        &mut self,
        scripts: script::Scripts,
        name: &Name,
        shown: &str,
        path: &str,
    ) -> Result<(), SourceError> {
        if let Some(up) = scripts.up {
            if let Some((first, _)) = &self.up {
                let problem = Problem::Duplicate {
                    version: self.version.to_string(),
                    first: first.filename().to_owned(),
                    second: path.to_owned(),
                };
                return Err(SourceError::of_file(shown, problem));
            }
            // The up script's spelling of version and name is the one that counts.
            if let (Some(version), Direction::Up | Direction::Whole) =
                (&name.version, name.direction)
            {
                (self.version, self.name) = (version.clone(), name.slug.clone());
            }
            self.up = Some(up);
        }
        if let Some(down) = scripts.down {
            if let Some(first) = &self.down {
                let problem = Problem::DownTwice {
                    version: self.version.to_string(),
                    first: first.filename().to_owned(),
                };
                return Err(SourceError::of_file(shown, problem));
            }
            self.down = Some(down);
        }
        Ok(())
    }
}
