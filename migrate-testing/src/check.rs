//! Checks a set: that it can be undone, that a second run does nothing, and that it still matches its
//! folder. A failure is a [`CheckError`] that names the migration and each object, as a value
//! (`check_*`) or as a panic (`assert_*`). Rows of tables are not compared.

use std::fmt;

use migrate_runtime::Rollback;
use migrate_runtime::error::StaleEmbed;
use migrate_runtime::schema::SchemaDifference;
use migrate_runtime::set::Sets;
use migrate_runtime::{Error, Migrator, check_embed, internal, run_in_order};
use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;
use tokio_postgres::Client;

use crate::catalog::{Catalog, listed};
use crate::database;
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
         help: write one, or check from a later version with `assert_reversible_from`",
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
        /// What differs from before, which is expected.
        differences: Vec<SchemaDifference>,
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
        /// What differs from the first time, which is expected.
        differences: Vec<SchemaDifference>,
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
        differences: Vec<SchemaDifference>,
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
pub fn check_reversible<'s>(sets: impl Into<Sets<'s>>) -> Result<(), CheckError> {
    reversible(&sets.into(), None)
}

/// As [`check_reversible`], from this version on: older migrations are applied and not undone. Of several
/// sets, it is a version of the last, and the others are applied.
///
/// # Errors
/// As [`check_reversible`], and [`CheckError::UnknownVersion`].
pub fn check_reversible_from<'s>(
    sets: impl Into<Sets<'s>>,
    version: impl Into<Version>,
) -> Result<(), CheckError> {
    reversible(&sets.into(), Some(&version.into()))
}

/// Checks that a second run applies nothing and changes nothing.
///
/// # Errors
/// [`CheckError::NotIdempotent`], [`CheckError::SecondRun`], [`CheckError::NothingApplied`] and
/// [`CheckError::Test`].
pub fn check_idempotent<'s>(sets: impl Into<Sets<'s>>) -> Result<(), CheckError> {
    let sets = sets.into();
    with_empty(&sets, async |bench| {
        if bench.run(&sets).await? == 0 {
            return Err(CheckError::NothingApplied);
        }
        let before = bench.catalog().await?;
        // A migration can have changed the ledger where a run does not look.
        let mut versions = Vec::new();
        for migrator in &sets {
            let plan = migrator.plan(&bench.client).await;
            let plan = plan.map_err(|source| CheckError::SecondRun { source: source.into() })?;
            versions.extend(plan.steps.iter().map(|step| step.migration.version().to_string()));
        }
        let second = run_in_order(&sets, &mut bench.client).await;
        second.map_err(|failed| CheckError::SecondRun { source: failed.error })?;
        let differences = before.differences(&bench.catalog().await?);
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
pub fn assert_reversible<'s>(sets: impl Into<Sets<'s>>) {
    assert_ok(&check_reversible(sets));
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
pub fn assert_reversible_from<'s>(sets: impl Into<Sets<'s>>, version: impl Into<Version>) {
    assert_ok(&check_reversible_from(sets, version));
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
pub fn assert_idempotent<'s>(sets: impl Into<Sets<'s>>) {
    assert_ok(&check_idempotent(sets));
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
pub(super) fn assert_ok<E: fmt::Display>(checked: &Result<(), E>) {
    let text = checked.as_ref().err().map(ToString::to_string);
    assert!(text.is_none(), "{}", text.unwrap_or_default());
}

/// An empty database, with one session for the migrations and another that is prepared to read the catalogs.
struct Bench {
    client: Client,
    looking: Client,
}

/// Runs a check in its own database.
fn with_empty(
    sets: &Sets<'_>,
    check: impl AsyncFn(&mut Bench) -> Result<(), CheckError> + Sync,
) -> Result<(), CheckError> {
    let is_taken =
        |error: &CheckError| matches!(error, CheckError::Test(error) if error.exists_on_server());
    database::with_empty(is_taken, |database| {
        let session = Session::open(database.url())?;
        let url = database.url();
        let checked = session.run(async |_| {
            let config = config(url)?;
            let (client, looking) = (connect(&config).await?.0, connect(&config).await?.0);
            let ledgers: Vec<String> = sets.iter().map(internal::ledger_table).collect();
            Catalog::prepare(&looking, &ledgers).await?;
            Ok(check(&mut Bench { client, looking }).await)
        });
        session.close();
        checked?
    })
}

impl Bench {
    /// Runs the sets, and returns how many migrations they applied.
    async fn run(&mut self, sets: &Sets<'_>) -> Result<usize, TestError> {
        let reports = run_in_order(sets, &mut self.client).await.map_err(|failed| *failed.error)?;
        Ok(reports.iter().map(|report| report.applied.len()).sum())
    }

    async fn catalog(&self) -> Result<Catalog, TestError> {
        Catalog::read(&self.looking).await
    }

    /// Checks the migrations of a set from this version on, and returns how many versions it checked.
    async fn check_set(
        &mut self,
        migrator: &Migrator<'_>,
        from: Option<&Version>,
    ) -> Result<usize, CheckError> {
        let set = internal::set(migrator);
        if let Some(last) = versioned(set).rfind(|migration| !is_from(migration, from)) {
            self.run(&migrator.clone().to(last.version()).into()).await?;
        }
        let mut before = self.catalog().await?;
        // Migrations of equal versions are applied together with the first of them.
        let mut versions: Vec<&Version> = Vec::new();
        for migration in versioned(set).filter(|migration| is_from(migration, from)) {
            if versions.last() != Some(&migration.version()) {
                before = self.up_down_up(migrator, migration, &before).await?;
                versions.push(migration.version());
            }
        }
        Ok(versions.len())
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
        let steps = self.run(&Sets::from(&up)).await?;
        if steps == 0 {
            return Err(CheckError::NothingApplied);
        }
        let applied = self.catalog().await?;
        let down = migrator.rollback(&mut self.client, Rollback::Steps(steps)).await;
        down.map_err(failed("down script"))?;
        let differences = before.differences(&self.catalog().await?);
        if !differences.is_empty() {
            return Err(CheckError::Down { file: file(), differences });
        }
        let again = up.run(&mut self.client).await;
        again.map_err(failed("up script, run again,"))?;
        let differences = applied.differences(&self.catalog().await?);
        if !differences.is_empty() {
            return Err(CheckError::Again { file: file(), differences });
        }
        Ok(applied)
    }
}

fn reversible(sets: &Sets<'_>, from: Option<&Version>) -> Result<(), CheckError> {
    // With a version, only the last set is checked.
    let applied = if from.is_some() { sets.iter().len().saturating_sub(1) } else { 0 };
    let last = sets.iter().last().map(internal::set);
    let from = from.map(|from| last.map_or(from, |set| set.named(from)));
    let checked = || sets.iter().skip(applied);
    let mut files = Vec::new();
    for migrator in checked() {
        let set = internal::set(migrator);
        if let Some(from) = from.filter(|from| !versioned(set).any(|one| one.version() == *from)) {
            return Err(CheckError::UnknownVersion { version: from.to_string() });
        }
        let lacking = versioned(set).filter(|one| is_from(one, from) && one.down().is_none());
        files.extend(lacking.map(|one| set.path_of(one.filename())));
    }
    if !files.is_empty() {
        return Err(CheckError::NoDown { files });
    }
    with_empty(sets, async |bench| {
        // Created first, because the ledgers' schemas remain when everything is undone.
        for sql in sets.iter().flat_map(internal::schemas_to_create) {
            values(&bench.client, "create the schema", &sql).await?;
        }
        bench.run(&sets.iter().take(applied).collect()).await?;
        let mut steps = 0;
        for migrator in checked() {
            steps += bench.check_set(migrator, from).await?;
        }
        if steps == 0 { Err(CheckError::NothingApplied) } else { Ok(()) }
    })
}

fn versioned(set: &Migrations) -> impl DoubleEndedIterator<Item = &Migration> {
    set.iter().filter(|migration| migration.kind() == Kind::Versioned)
}

fn is_from(migration: &Migration, from: Option<&Version>) -> bool {
    from.is_none_or(|from| migration.version() >= from)
}
