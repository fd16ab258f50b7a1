//! Why a verb failed: what went wrong, and what the run applied before.
//! The phases make an [`ErrorKind`]; the caller that owns the [`Report`] adds it.

use std::error::Error as StdError;
use std::fmt;

use migrate_set::text::escaped_lines;

use super::kind::ErrorKind;
use super::report::Report;
use super::text::stays_applied;
use crate::stale::StaleEmbed;

/// Why a verb of the [`Migrator`](crate::Migrator) failed.
///
/// Its text begins with what happened and where; `help:` names the next action. `Debug` shows the
/// same text, because that is what a `main` that returns an error prints.
///
/// ```
/// use migrate_runtime::{Error, ErrorKind};
///
/// /// Whether to try again later, as it is.
/// fn is_passing(error: &Error) -> bool {
///     match error.kind() {
///         ErrorKind::Busy { .. } | ErrorKind::ConnectionLost { .. } => true,
///         ErrorKind::Deadline { .. } => true,
///         // lock_not_available, deadlock_detected: others held locks at every try
///         ErrorKind::Migration { failure, .. } => {
///             matches!(failure.sqlstate.as_deref(), Some("55P03" | "40P01"))
///         }
///         _ => false,
///     }
/// }
/// ```
pub struct Error {
    kind: ErrorKind,
    report: Box<Report>,
}

impl Error {
    /// The error of a run that did so much before.
    pub(crate) fn of_run(kind: ErrorKind, report: Report) -> Self {
        Error { kind, report: Box::new(report) }
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What went wrong, to keep.
    pub fn into_kind(self) -> ErrorKind {
        self.kind
    }

    /// One word for what went wrong, which never changes: `drift`, `migration`, `busy`, `deadline` and
    /// so on. Several kinds can share one.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What the run applied before it failed; `None` for verbs and phases that apply nothing.
    ///
    /// ```
    /// fn show(error: &migrate_runtime::Error) {
    ///     eprintln!("{error}");
    ///     if let Some(report) = error.report() {
    ///         eprintln!("{} were applied before and stay", report.applied.len());
    ///     }
    /// }
    /// ```
    pub fn report(&self) -> Option<&Report> {
        self.kind.ends_a_run().then_some(&self.report)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error::of_run(kind, Report::default())
    }
}

impl From<StaleEmbed> for Error {
    fn from(stale: StaleEmbed) -> Self {
        ErrorKind::StaleEmbed(stale).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stays = self.report().map(stays_applied).unwrap_or_default();
        let advice = self.kind.advice().map_or_else(String::new, |advice| format!("\n{advice}"));
        f.write_str(&escaped_lines(&format!("{}{stays}{advice}", self.kind)))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}
