//! Checks a set: that it can be undone, that a second run does nothing, and that it still matches its
//! folder. A failure is a [`CheckError`] that names the migration and each object, as a value
//! (`check_*`) or as a panic (`assert_*`). Rows of tables are not compared.

use std::fmt;

use migrate_runtime::Rollback;
use migrate_runtime::error::StaleEmbed;
use migrate_runtime::{Error, Migrator, check_embed, internal};
use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::catalog::{Catalog, Difference, listed};
use crate::database::TestDatabase;
use crate::database::session::{Session, config, connect, values};
use crate::error::TestError;

/// Why a check of a set failed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no database, or the set cannot be applied to an empty one.
    #[error(transparent)]
    Test(#[from] TestError),
    /// Migrations have no down script.
    #[error(
        "not reversible without a down script: {}\n\
         help: write one, or check from a later version with `check_reversible_from`",
        files.join(", ")
    )]
    NoDown {
        /// Their files, as the set names them.
        files: Vec<String>,
    },
    /// No migration was applied to the empty database.
    #[error(
        "nothing was applied to the empty database, so nothing was checked\n\
         help: check that the set has migrations, and that template0 has not been migrated"
    )]
    NothingApplied,
    /// The set has no migration of this version.
    #[error("version {version} is not in the set\nhelp: name the first version to check")]
    UnknownVersion {
        /// The version, as the caller wrote it.
        version: String,
    },
    /// A down script fails after its up script, or the up script fails after the down script.
    #[error("{file}: its {script} fails when up, down and up again run\n{source}")]
    Fails {
        /// The migration's file, as the set names it.
        file: String,
        /// Which of the scripts.
        script: &'static str,
        /// The run's error.
        source: Box<Error>,
    },
    /// A down script does not undo all that its up script did, or undoes more.
    #[error(
        "{file}: its down script does not leave the catalogs as they were before it was applied{}\n\
         help: change the down script so that it undoes exactly what the up script did",
        listed(differences)
    )]
    Down {
        /// The migration's file, as the set names it.
        file: String,
        /// What differs from before.
        differences: Vec<Difference>,
    },
    /// Applied again after its down script, a migration does something else.
    #[error(
        "{file}: applied again after its down script, it does not leave the catalogs as the first time{}\n\
         help: look in the up script for statements that depend on what exists (IF NOT EXISTS)",
        listed(differences)
    )]
    Again {
        /// The migration's file, as the set names it.
        file: String,
        /// What differs from the first time.
        differences: Vec<Difference>,
    },
    /// A second run applied something, or changed something.
    #[error(
        "a second run {}{}\nhelp: look for a migration that touches the ledger",
        if versions.is_empty() { "changes the catalogs".to_owned() } else { format!("applies again: {}", versions.join(", ")) },
        listed(differences)
    )]
    NotIdempotent {
        /// What the second run applied.
        versions: Vec<String>,
        /// What differs from the state after the first run.
        differences: Vec<Difference>,
    },
    /// The second run failed.
    #[error("a second run fails after one that succeeded\n{source}")]
    SecondRun {
        /// The run's error.
        source: Box<Error>,
    },
}

impl fmt::Debug for CheckError {
    /// The same text as `Display`, because a test that unwraps prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Checks that each migration can be undone: up, down and up again leave the catalogs as up alone
/// does, and down leaves them as they were before. It runs migration by migration in an empty database.
///
/// It compares schemas, tables, columns, defaults, constraints, indexes, sequences, views, rules,
/// triggers, policies, functions, types, extensions, comments, owners, grants and everything else in
/// the database's catalogs; not rows, not roles, tablespaces and other things that all databases share,
/// and not the order of columns, which a down script cannot restore.
/// Repeatable migrations have no down script and are not checked.
///
/// ```no_run
/// # use migrate_testing::{CheckError, check_reversible};
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// match check_reversible(&MIGRATIONS) {
///     Err(CheckError::NoDown { files }) => println!("cannot be undone: {}", files.join(", ")),
///     other => other?,
/// }
/// # Ok::<(), CheckError>(())
/// ```
///
/// # Errors
/// [`CheckError::NoDown`] with every file, [`CheckError::Down`], [`CheckError::Again`] or
/// [`CheckError::Fails`] with the first migration that fails the check, [`CheckError::NothingApplied`] and
/// [`CheckError::Test`].
pub fn check_reversible<'s>(migrator: impl Into<Migrator<'s>>) -> Result<(), CheckError> {
    reversible(&migrator.into(), None)
}

/// As [`check_reversible`], from this version on: older migrations are applied and not undone.
///
/// # Errors
/// As [`check_reversible`], and [`CheckError::UnknownVersion`].
pub fn check_reversible_from<'s>(
    migrator: impl Into<Migrator<'s>>,
    version: impl Into<Version>,
) -> Result<(), CheckError> {
    reversible(&migrator.into(), Some(&version.into()))
}

/// Checks that a second run applies nothing and changes nothing.
///
/// # Errors
/// [`CheckError::NotIdempotent`], [`CheckError::SecondRun`], [`CheckError::NothingApplied`] and
/// [`CheckError::Test`].
pub fn check_idempotent<'s>(migrator: impl Into<Migrator<'s>>) -> Result<(), CheckError> {
    let migrator = migrator.into();
    with_empty(async |bench| {
        if bench.run(&migrator).await? == 0 {
            return Err(CheckError::NothingApplied);
        }
        let before = bench.catalog(&migrator).await?;
        let second = migrator.run(&mut bench.client).await;
        let report = second.map_err(|error| CheckError::SecondRun { source: Box::new(error) })?;
        let differences = before.differences(&bench.catalog(&migrator).await?);
        let versions = report.applied.into_iter().map(|one| one.version.into_owned());
        let versions: Vec<String> = versions.collect();
        if versions.is_empty() && differences.is_empty() {
            return Ok(());
        }
        Err(CheckError::NotIdempotent { versions, differences })
    })
}

/// As [`check_reversible`], as one line in a test.
///
/// ```no_run
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// #[test]
/// fn migrations_can_be_undone() {
///     migrate_testing::assert_reversible(&MIGRATIONS);
/// }
/// # fn main() {}
/// ```
///
/// # Panics
/// With the text of [`CheckError`], if [`check_reversible`] fails.
#[track_caller]
pub fn assert_reversible<'s>(migrator: impl Into<Migrator<'s>>) {
    assert_ok(&check_reversible(migrator));
}

/// As [`check_reversible_from`], for a test.
///
/// ```no_run
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// #[test]
/// fn what_is_new_can_be_undone() {
///     migrate_testing::assert_reversible_from(&MIGRATIONS, 40); // 1 to 39 have no down scripts
/// }
/// # fn main() {}
/// ```
///
/// # Panics
/// With the text of [`CheckError`], if [`check_reversible_from`] fails.
#[track_caller]
pub fn assert_reversible_from<'s>(migrator: impl Into<Migrator<'s>>, version: impl Into<Version>) {
    assert_ok(&check_reversible_from(migrator, version));
}

/// As [`check_idempotent`], for a test.
///
/// ```no_run
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// #[test]
/// fn a_second_run_does_nothing() {
///     migrate_testing::assert_idempotent(&MIGRATIONS);
/// }
/// # fn main() {}
/// ```
///
/// # Panics
/// With the text of [`CheckError`], if [`check_idempotent`] fails.
#[track_caller]
pub fn assert_idempotent<'s>(migrator: impl Into<Migrator<'s>>) {
    assert_ok(&check_idempotent(migrator));
}

/// As [`check_embed`], for a test.
///
/// ```no_run
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// #[test]
/// fn the_set_is_the_folder() {
///     migrate_testing::assert_no_stale_embed(&MIGRATIONS);
/// }
/// # fn main() {}
/// ```
///
/// # Panics
/// With the text of [`StaleEmbed`], if the set no longer matches its folder.
#[track_caller]
pub fn assert_no_stale_embed(set: &Migrations) {
    let checked: Result<(), StaleEmbed> = check_embed(set);
    assert_ok(&checked);
}

#[track_caller]
fn assert_ok<E: fmt::Display>(checked: &Result<(), E>) {
    let text = checked.as_ref().err().map(ToString::to_string);
    assert!(text.is_none(), "{}", text.unwrap_or_default());
}

/// An empty database, with one session for the migrations and another for the catalogs.
struct Bench {
    client: Client,
    looking: Client,
}

/// Runs a check in its own database.
fn with_empty(
    check: impl AsyncFnOnce(&mut Bench) -> Result<(), CheckError> + Send,
) -> Result<(), CheckError> {
    let database = TestDatabase::empty()?;
    let session = Session::open(database.url())?;
    let url = database.url();
    let checked = session.run(async |_| {
        let config = config(url)?;
        let (client, looking) = (connect(&config).await?.0, connect(&config).await?.0);
        Ok(check(&mut Bench { client, looking }).await)
    });
    session.close();
    checked?
}

impl Bench {
    /// Runs the migrator, and returns how many migrations it applied.
    async fn run(&mut self, migrator: &Migrator<'_>) -> Result<usize, TestError> {
        Ok(migrator.run(&mut self.client).await?.applied.len())
    }

    async fn catalog(&self, migrator: &Migrator<'_>) -> Result<Catalog, TestError> {
        Catalog::read(&self.looking, &internal::ledger_table(migrator)).await
    }

    /// Runs up, down and up again, and compares the catalogs in between.
    async fn up_down_up(
        &mut self,
        migrator: &Migrator<'_>,
        migration: &Migration,
        before: &Catalog,
    ) -> Result<Catalog, CheckError> {
        let file = || internal::set(migrator).path_of(migration.filename());
        let up = migrator.clone().only(migration.version());
        let failed = |script| {
            move |error| CheckError::Fails { file: file(), script, source: Box::new(error) }
        };
        let steps = self.run(&up).await?;
        if steps == 0 {
            return Err(CheckError::NothingApplied);
        }
        let applied = self.catalog(migrator).await?;
        let down = migrator.rollback(&mut self.client, Rollback::Steps(steps)).await;
        down.map_err(failed("down script"))?;
        let differences = before.differences(&self.catalog(migrator).await?);
        if !differences.is_empty() {
            return Err(CheckError::Down { file: file(), differences });
        }
        let again = up.run(&mut self.client).await;
        again.map_err(failed("up script, run again,"))?;
        let differences = applied.differences(&self.catalog(migrator).await?);
        if !differences.is_empty() {
            return Err(CheckError::Again { file: file(), differences });
        }
        Ok(applied)
    }
}

fn reversible(migrator: &Migrator<'_>, from: Option<&Version>) -> Result<(), CheckError> {
    let set = internal::set(migrator);
    let versioned = || set.iter().filter(|migration| migration.kind() == Kind::Versioned);
    let is_checked = |migration: &&Migration| from.is_none_or(|from| migration.version() >= from);
    if let Some(from) = from.filter(|from| !versioned().any(|one| one.version() == *from)) {
        return Err(CheckError::UnknownVersion { version: from.to_string() });
    }
    let lacking = versioned().filter(is_checked).filter(|migration| migration.down().is_none());
    let files: Vec<String> = lacking.map(|one| set.path_of(one.filename())).collect();
    if !files.is_empty() {
        return Err(CheckError::NoDown { files });
    }
    with_empty(async |bench| {
        // Created first, because the ledger's schemas remain when everything is undone.
        for sql in internal::schemas_to_create(migrator) {
            values(&bench.client, "create the schema", &sql).await?;
        }
        let last_before = versioned().rfind(|migration| !is_checked(migration));
        if let Some(last) = last_before {
            bench.run(&migrator.clone().to(last.version())).await?;
        }
        let mut before = bench.catalog(migrator).await?;
        // Migrations of equal versions are applied together with the first of them.
        let mut checked: Option<&Version> = None;
        for migration in versioned().filter(is_checked) {
            if checked != Some(migration.version()) {
                before = bench.up_down_up(migrator, migration, &before).await?;
                checked = Some(migration.version());
            }
        }
        checked.map(drop).ok_or(CheckError::NothingApplied)
    })
}
