//! Scripts, migrations and the set of them. `migrate-source` checks and builds them; the macro
//! packs them, and [`crate::unpack`] restores them unchanged.

mod list;
mod origin;
mod script;

use std::borrow::Cow;

use crate::checksum::Checksum;
use crate::digest::Digest;
use crate::name::{Kind, Layout, shown};
use crate::release::Release;
use crate::squash::Replaced;
use crate::version::Version;
use list::List;
pub use origin::{Differences, Origin, digest_of};
pub use script::{Ends, Script, TransactionMode};

/// The module of a set that does not name one.
pub const DEFAULT_MODULE: &str = "default";

/// One versioned step: an up script and optionally a down script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    version: Version,
    name: Cow<'static, str>,
    kind: Kind,
    checksum: Checksum,
    up: Script,
    /// Boxed, because most migrations have none.
    down: Option<Box<Script>>,
    contract: Option<Release>,
    replaces: Vec<Replaced>,
}

impl Migration {
    /// A checked migration.
    #[doc(hidden)]
    pub fn new(
        version: Version,
        name: impl Into<Cow<'static, str>>,
        kind: Kind,
        checksum: Checksum,
        up: Script,
        down: Option<Script>,
    ) -> Self {
        let (name, down, contract, replaces) = (name.into(), down.map(Box::new), None, Vec::new());
        Migration { version, name, kind, checksum, up, down, contract, replaces }
    }

    /// The same migration, which removes what releases before `after` use.
    #[doc(hidden)]
    #[must_use]
    pub fn with_contract(mut self, after: Release) -> Self {
        self.contract = Some(after);
        self
    }

    /// The same migration as a squash file, which has the entries of `replaced` in the ledger. Its checksum becomes
    /// that of the last of these, whose version it has.
    #[doc(hidden)]
    #[must_use]
    pub fn with_replaced(mut self, replaced: Vec<Replaced>) -> Self {
        self.checksum = replaced.last().map_or(self.checksum, Replaced::checksum);
        self.replaces = replaced;
        self
    }

    /// Its ordering key; for a repeatable migration, its name.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The description in its file name, as written; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same to store; nothing is copied if the set is embedded in the binary.
    pub fn shared_name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// Whether it runs once or whenever it changes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// SHA-256 of the canonical text of its up script; for a squash file, of the last that it replaces.
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The script that applies it.
    pub fn up(&self) -> &Script {
        &self.up
    }

    /// The script that undoes it.
    pub fn down(&self) -> Option<&Script> {
        self.down.as_deref()
    }

    /// The first release that does not use what it removes (`-- migrate:phase contract after RELEASE`).
    pub fn contract(&self) -> Option<&Release> {
        self.contract.as_ref()
    }

    /// What a squash file replaces (`-- migrate:replaces`), in order; empty for any other migration.
    pub fn replaces(&self) -> &[Replaced] {
        &self.replaces
    }

    /// The same without the last, whose version it has: each has an entry besides its own.
    pub fn replaces_before(&self) -> &[Replaced] {
        self.replaces.split_last().map_or(&[], |(_, before)| before)
    }

    /// Path of the up script's file, relative to the migration folder.
    pub fn filename(&self) -> &str {
        self.up.filename()
    }
}

/// The set: all migrations that one macro call embedded, in the order in which they run.
///
/// Sets are equal if they contain the same migrations, wherever they were read from.
///
/// ```
/// # use migrate_set::set::Migrations;
/// /// The files of the migrations that cannot be undone.
/// fn without_down(set: &Migrations) -> Vec<&str> {
///     let lacking = set.iter().filter(|migration| migration.down().is_none());
///     lacking.map(|migration| migration.filename()).collect()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Migrations {
    module: Cow<'static, str>,
    folder: Cow<'static, str>,
    layout: Layout,
    origin: Option<Origin>,
    traits: Traits,
    list: List,
}

/// What is known about a set without reading its migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Whether names were added to equal versions to order them ([`Version::without_name`]).
    pub orders_by_name: bool,
    /// How many migrations it has.
    pub count: usize,
    /// The digest of a ledger that has exactly this set.
    pub digest: Digest,
    /// Whether a statement can have data with it (`COPY ... FROM stdin`).
    pub has_data: bool,
    /// Whether a script runs outside a transaction.
    pub runs_outside: bool,
}

impl Traits {
    /// The traits of these migrations.
    #[must_use]
    pub fn of(migrations: &[Migration]) -> Self {
        let scripts = || migrations.iter().flat_map(|one| [Some(one.up()), one.down()]).flatten();
        Traits {
            orders_by_name: migrations.iter().any(|one| one.version().without_name().is_some()),
            count: migrations.len(),
            digest: Digest::of_all(migrations),
            has_data: scripts().any(Script::may_have_data),
            runs_outside: scripts()
                .any(|script| script.transaction() == TransactionMode::NonTransactional),
        }
    }
}

impl Migrations {
    /// A checked set that a macro embedded, in order.
    #[doc(hidden)]
    pub const fn embedded(
        module: &'static str,
        folder: &'static str,
        layout: Layout,
        origin: Option<Origin>,
        traits: Traits,
        list: fn() -> &'static [Migration],
    ) -> Self {
        let (module, folder) = (Cow::Borrowed(module), Cow::Borrowed(folder));
        Migrations { module, folder, layout, origin, traits, list: List::Embedded(list) }
    }

    /// A checked set that was read at run time, in order.
    #[doc(hidden)]
    pub fn loaded(module: &str, folder: &str, layout: Layout, list: Vec<Migration>) -> Self {
        let (module, folder) = (Cow::Owned(module.to_owned()), Cow::Owned(folder.to_owned()));
        let traits = Traits::of(&list);
        Migrations { module, folder, layout, origin: None, traits, list: List::Loaded(list.into()) }
    }

    /// The name that distinguishes this set from others in the ledger.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The folder as passed to the macro; messages show the paths of files with it.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The folder it was embedded from; `None` in a release build and for a set loaded at start-up.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// How the files are named.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What is known about it without reading its migrations.
    #[inline]
    pub fn traits(&self) -> Traits {
        self.traits
    }

    /// The migrations: the versioned ones by version, then the repeatable ones by name.
    pub fn iter(&self) -> std::slice::Iter<'_, Migration> {
        self.as_slice().iter()
    }

    /// The migrations as a slice.
    pub fn as_slice(&self) -> &[Migration] {
        self.list.as_slice()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.traits.count
    }

    /// Whether there are none, which a checked set never allows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version of the migration that a caller names, by its version or by its file.
    pub fn meant(&self, named: &Version) -> Option<&Version> {
        let is_it = |one: &&Migration| named.means(one.version(), one.filename());
        self.iter().find(is_it).map(Migration::version)
    }

    /// The same; `version` itself if the set has no such migration.
    pub fn named<'v>(&'v self, version: &'v Version) -> &'v Version {
        self.meant(version).unwrap_or(version)
    }

    /// A file of the set as messages show it: the folder and the file's path in it.
    pub fn path_of(&self, filename: &str) -> String {
        shown(&self.folder, filename)
    }
}

impl PartialEq for Migrations {
    fn eq(&self, other: &Self) -> bool {
        (&self.module, &self.folder, self.layout, self.as_slice())
            == (&other.module, &other.folder, other.layout, other.as_slice())
    }
}

impl Eq for Migrations {}

impl<'a> IntoIterator for &'a Migrations {
    type Item = &'a Migration;
    type IntoIter = std::slice::Iter<'a, Migration>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
