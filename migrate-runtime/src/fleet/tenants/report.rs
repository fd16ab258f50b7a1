//! The progress and the report of a run over many schemas.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use migrate_set::text::escaped;

use crate::outcome::{Error, Report};

/// What a run did to each schema.
///
/// ```
/// use migrate_runtime::tenants::TenantsReport;
///
/// /// A tenant that failed is not served; the others are.
/// fn serves<E>(report: &TenantsReport<E>, schema: &str) -> bool {
///     report.failed.iter().all(|(failed, _)| failed != schema)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct TenantsReport<E> {
    /// Schemas without pending migrations, in the given order.
    pub up_to_date: Vec<String>,
    /// Schemas that were migrated, in the order in which they finished.
    pub migrated: Vec<(String, Report)>,
    /// Schemas that could not be migrated, and why.
    pub failed: Vec<(String, Failure<E>)>,
    /// Messages sent to the server, over all clients together.
    pub messages: u32,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a schema was not migrated; `E` is the pool's error.
///
/// ```
/// use migrate_runtime::ErrorKind;
/// use migrate_runtime::tenants::Failure;
///
/// /// Whether the cause is the tenant's history, and not the pool or the server.
/// fn is_drift<E>(failure: &Failure<E>) -> bool {
///     let Failure::Run(error) = failure else { return false };
///     matches!(error.kind(), ErrorKind::Drift { .. })
/// }
/// ```
#[non_exhaustive]
pub enum Failure<E> {
    /// The pool returned no client.
    Connect(E),
    /// The run's own error.
    Run(Error),
}

impl<E> Failure<E> {
    pub(super) fn messages(&self) -> u32 {
        match self {
            Failure::Connect(_) => 0,
            Failure::Run(error) => error.report().map_or(0, |report| report.messages),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Connect(error) => no_client(f, format_args!("{error}")),
            Failure::Run(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Failure<E> {
    /// The same text as `Display`, but for the pool's error, because a `main` that returns it prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Connect(error) => no_client(f, format_args!("{error:?}")),
            Failure::Run(error) => fmt::Debug::fmt(error, f),
        }
    }
}

fn no_client(f: &mut fmt::Formatter<'_>, error: fmt::Arguments<'_>) -> fmt::Result {
    write!(
        f,
        "the pool returned no client: {error}\nhelp: check the pool's size and address, and run again"
    )
}

impl<E: StdError + 'static> StdError for Failure<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Failure::Connect(error) => error.source(),
            Failure::Run(error) => error.source(),
        }
    }
}

/// The progress of a run over many schemas.
///
/// ```
/// use migrate_runtime::tenants::Progress;
///
/// /// The position of a progress bar, and its length.
/// fn advance<E>(bar: &mut (usize, usize), progress: &Progress<'_, E>) {
///     match progress {
///         Progress::Compared { pending, .. } => *bar = (0, *pending),
///         Progress::Migrated { done, .. } => bar.0 = *done,
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'r, E> {
    /// The ledgers were read.
    Compared {
        /// How many schemas are up to date.
        up_to_date: usize,
        /// How many will be migrated.
        pending: usize,
    },
    /// A schema was migrated.
    Migrated {
        /// Which one.
        schema: &'r str,
        /// What the run did.
        report: &'r Report,
        /// How many pending schemas are finished, including this one and failures.
        done: usize,
        /// How many have not started.
        left: usize,
    },
    /// A schema could not be migrated.
    Failed {
        /// Which one.
        schema: &'r str,
        /// Why.
        failure: &'r Failure<E>,
    },
}

impl<E: fmt::Display> fmt::Display for Progress<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Compared { up_to_date, pending } => {
                write!(f, "{up_to_date} up to date, {pending} to migrate")
            }
            Progress::Migrated { schema, report, done, left } => {
                let applied = report.applied.len();
                let schema = escaped(schema);
                write!(f, "schema {schema}: {applied} applied; {done} done, {left} left")
            }
            Progress::Failed { schema, failure } => {
                write!(f, "schema {}: {failure}", escaped(schema))
            }
        }
    }
}

impl<E: fmt::Display> fmt::Display for TenantsReport<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (schema, failure) in &self.failed {
            writeln!(f, "schema {}: {failure}", escaped(schema))?;
        }
        write!(
            f,
            "{} up to date, {} migrated, {} failed; {} messages, {:.1} s",
            self.up_to_date.len(),
            self.migrated.len(),
            self.failed.len(),
            self.messages,
            self.elapsed.as_secs_f64()
        )
    }
}
