//! The service's own code in a run: functions of migrations, and hooks around them.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use migrate_set::name::Direction;
use migrate_set::version::Version;
use tokio_postgres::Client;

use super::report::Report;
use crate::boxed::boxed;

/// Any error of the service's own code.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// When a hook is called ([`Migrator::hook`](crate::Migrator::hook)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum When {
    /// Once, when something is pending, before any of it runs.
    BeforeRun,
    /// Before each migration: inside its transaction, before its first statement.
    BeforeEach,
    /// After each migration: inside its transaction, before it commits.
    AfterEach,
    /// Once, if `BeforeRun` was called, also after a failure; for at most five seconds after a deadline or an interrupt.
    AfterRun,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            When::BeforeRun => "before the run",
            When::BeforeEach => "before each migration",
            When::AfterEach => "after each migration",
            When::AfterRun => "after the run",
        })
    }
}

/// The argument of a function or a hook: the run's client and the current migration.
///
/// It dereferences to the [`Client`]. In a function, and in a hook around a transactional migration,
/// all statements are part of the migration's transaction, which the run commits. If your code
/// commits it, the run fails; if your code fails, the transaction is rolled back.
///
/// ```
/// use migrate_runtime::hook::{BoxError, RunClient};
///
/// async fn audit(client: RunClient<'_>) -> Result<(), BoxError> {
///     let Some(migration) = client.migration() else { return Ok(()) };
///     let row = "INSERT INTO audit (version, what) VALUES ($1, $2)";
///     client.execute(row, &[&migration.version, &migration.direction.to_string()]).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy)]
pub struct RunClient<'c> {
    pub(crate) client: &'c Client,
    pub(crate) migration: Option<Subject<'c>>,
    pub(crate) report: &'c Report,
}

impl<'c> RunClient<'c> {
    /// The run's client, for functions that need a `&Client` or a `&impl GenericClient`.
    pub fn client(&self) -> &'c Client {
        self.client
    }

    /// The current migration; `None` before and after the run.
    pub fn migration(&self) -> Option<Subject<'c>> {
        self.migration
    }

    /// What the run has done so far.
    pub fn report(&self) -> &'c Report {
        self.report
    }
}

impl Deref for RunClient<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client
    }
}

impl fmt::Debug for RunClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunClient").field("migration", &self.migration()).finish_non_exhaustive()
    }
}

/// One migration, and whether it is applied or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject<'c> {
    /// Its version as written.
    pub version: &'c str,
    /// The description in its file name.
    pub name: &'c str,
    /// Path of its file, relative to the migration folder.
    pub filename: &'c str,
    /// Up if it is applied, down if it is undone.
    pub direction: Direction,
}

/// The future of a function or a hook.
pub type Called<'c> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'c>>;

/// An async function of the service: `async fn(RunClient<'_>) -> Result<(), E>`, where `E` is any
/// error.
///
/// Every such function implements it. If yours needs more than the argument, use a [`closure`], or
/// implement the trait for a type of your own.
///
/// ```
/// use migrate_runtime::hook::{Called, RunClient, Function};
/// use migrate_runtime::{Migrations, Migrator};
///
/// struct SetRole(String);
///
/// impl<'c> Function<'c> for SetRole {
///     fn call(&self, client: RunClient<'c>) -> Called<'c> {
///         let sql = format!("SET ROLE {}", self.0);
///         Box::pin(async move { Ok(client.batch_execute(&sql).await?) })
///     }
/// }
///
/// # fn of(set: &Migrations) -> Migrator<'_> {
/// Migrator::new(set).hook(migrate_runtime::hook::When::BeforeEach, SetRole("app_owner".to_owned()))
/// # }
/// ```
pub trait Function<'c>: Send + Sync {
    /// Calls it.
    fn call(&self, client: RunClient<'c>) -> Called<'c>;
}

impl<'c, F, R, E> Function<'c> for F
where
    F: Fn(RunClient<'c>) -> R + Send + Sync,
    R: Future<Output = Result<(), E>> + Send + 'c,
    E: Into<BoxError>,
{
    fn call(&self, client: RunClient<'c>) -> Called<'c> {
        let future = self(client);
        boxed(async move { future.await.map_err(Into::into) })
    }
}

/// A closure as a [`Function`].
#[derive(Clone, Copy)]
pub struct Closure<F>(F);

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure(..)")
    }
}

/// A closure as a function, for code that needs more than the argument.
///
/// ```no_run
/// use migrate_runtime::hook::closure;
/// use migrate_runtime::{Migrations, Migrator};
///
/// # fn of(set: &Migrations, key: std::sync::Arc<str>) -> Migrator<'_> {
/// Migrator::new(set).function(8, closure(move |transaction| {
///     let key = key.clone();
///     Box::pin(async move {
///         transaction.execute("UPDATE users SET tag = md5($1 || id)", &[&&*key]).await?;
///         Ok(())
///     })
/// }))
/// # }
/// ```
pub fn closure<F>(function: F) -> Closure<F>
where
    F: for<'c> Fn(RunClient<'c>) -> Called<'c> + Send + Sync,
{
    Closure(function)
}

impl<'c, F> Function<'c> for Closure<F>
where
    F: for<'a> Fn(RunClient<'a>) -> Called<'a> + Send + Sync,
{
    fn call(&self, client: RunClient<'c>) -> Called<'c> {
        (self.0)(client)
    }
}

type Stored = Arc<dyn for<'c> Function<'c>>;

/// The functions and hooks of a migrator.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    functions: Vec<(Version, Stored)>,
    hooks: Vec<(When, Stored)>,
}

impl Calls {
    pub(crate) fn add_function(
        &mut self,
        version: Version,
        function: impl for<'c> Function<'c> + 'static,
    ) {
        self.functions.retain(|(known, _)| *known != version);
        self.functions.push((version, Arc::new(function)));
    }

    pub(crate) fn add_hook(&mut self, when: When, hook: impl for<'c> Function<'c> + 'static) {
        self.hooks.push((when, Arc::new(hook)));
    }

    /// The versions that have a function.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.functions.iter().map(|(version, _)| version)
    }

    pub(crate) fn has_hooks(&self, when: When) -> bool {
        self.hooks.iter().any(|(wanted, _)| *wanted == when)
    }

    /// Calls the function of `version`.
    pub(crate) async fn function(
        &self,
        version: &Version,
        client: RunClient<'_>,
    ) -> Result<(), BoxError> {
        match self.functions.iter().find(|(known, _)| known == version) {
            Some((_, function)) => function.call(client).await,
            None => Ok(()),
        }
    }

    /// Calls all hooks of one kind, in the order in which they were added, up to the first error.
    pub(crate) async fn hooks(&self, when: When, client: RunClient<'_>) -> Result<(), BoxError> {
        for (_, hook) in self.hooks.iter().filter(|(wanted, _)| *wanted == when) {
            hook.call(client).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<_> = self.versions().map(Version::as_str).collect();
        let hooks: Vec<_> = self.hooks.iter().map(|(when, _)| when).collect();
        f.debug_struct("Calls").field("functions", &functions).field("hooks", &hooks).finish()
    }
}
