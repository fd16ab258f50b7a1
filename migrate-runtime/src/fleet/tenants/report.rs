//! What a run over many schemas is doing, and what it did: every schema's own report or error.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use migrate_set::text::escaped;

use crate::outcome::Error;
use crate::outcome::Report;

/// What was done to which schema.
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
    /// Where nothing was pending, in the order given.
    pub up_to_date: Vec<String>,
    /// What was migrated, in the order in which it ended.
    pub migrated: Vec<(String, Report)>,
    /// What could not be migrated, and why; each is as its own error says.
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
/// /// Whether the tenant's own history is at fault, and not the pool or the server.
/// fn is_drift<E>(failure: &Failure<E>) -> bool {
///     let Failure::Run(error) = failure else { return false };
///     matches!(error.kind(), ErrorKind::Drift { .. })
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure<E> {
    /// There was no client to be had.
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

impl<E> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Connect(_) => {
                write!(f, "no client to migrate with\nhelp: see what the pool says, and run again")
            }
            Failure::Run(error) => error.fmt(f),
        }
    }
}

impl<E: StdError + 'static> StdError for Failure<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Failure::Connect(error) => Some(error),
            Failure::Run(error) => error.source(),
        }
    }
}

/// How far a run over many schemas has come.
///
/// ```
/// use migrate_runtime::tenants::Progress;
///
/// /// How far a bar is, of how much.
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
        /// What was done to it.
        report: &'r Report,
        /// How many pending schemas are done with, this one and failures included.
        done: usize,
        /// How many have not begun.
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

impl<E> fmt::Display for Progress<'_, E> {
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

impl<E> fmt::Display for TenantsReport<E> {
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
