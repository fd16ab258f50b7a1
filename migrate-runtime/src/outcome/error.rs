//! The error of a verb: an [`ErrorKind`], and the report of what the run did before it.

use std::error::Error as StdError;
use std::fmt;

use migrate_set::drift::DriftReport;
use migrate_set::remedy::Remedy;
use migrate_set::text::escaped_lines;

use super::failure::MigrationFailure;
use super::kind::ErrorKind;
use super::report::Report;
use super::text::{has_more, what_is_kept, whom_it_waited_for};
use crate::stale::StaleEmbed;

/// Why a verb of the [`Migrator`](crate::Migrator) failed.
///
/// Its first line is what happened and where; `help:` is the next action, which names options as code
/// does, or with `{:#}` as the command line does. `Debug` shows the same text as `{}`, because a `main` that
/// returns an error prints that.
///
/// ```
/// use migrate_runtime::{Error, ErrorKind};
///
/// /// Whether a later run can succeed without a change.
/// fn is_passing(error: &Error) -> bool {
///     match error.kind() {
///         ErrorKind::Busy { .. } | ErrorKind::ConnectionLost { .. } => true,
///         ErrorKind::Deadline { .. } => true,
///         // lock_not_available, deadlock_detected: other sessions held locks at every try
///         ErrorKind::Migration { failure, .. } => {
///             matches!(failure.sqlstate.as_deref(), Some("55P03" | "40P01"))
///         }
///         _ => false,
///     }
/// }
/// ```
pub struct Error(Box<dyn Content>);

/// What an error consists of, behind a pointer and a table of functions: an error passes through all parts of a run,
/// and each would have a copy of the code that drops it, which is 3 KiB.
trait Content: Send + Sync {
    fn whole(&self) -> &Whole;
    fn whole_mut(&mut self) -> &mut Whole;
    fn into_whole(self: Box<Self>) -> Whole;
}

struct Whole {
    kind: ErrorKind,
    report: Report,
}

impl Content for Whole {
    fn whole(&self) -> &Whole {
        self
    }

    fn whole_mut(&mut self) -> &mut Whole {
        self
    }

    fn into_whole(self: Box<Self>) -> Whole {
        *self
    }
}

impl Error {
    /// What the run did before it failed.
    pub(crate) fn report_mut(&mut self) -> &mut Report {
        &mut self.0.whole_mut().report
    }

    /// The same error, with the number of tries.
    pub(crate) fn tried(mut self, tries: u32) -> Self {
        if let Some(failure) = self.failure_mut() {
            failure.tries = tries;
        }
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.whole().kind
    }

    /// What went wrong, by value.
    pub fn into_kind(self) -> ErrorKind {
        self.0.into_whole().kind
    }

    /// How ledger and set disagree, if that is the error.
    pub(crate) fn drift(&self) -> Option<&DriftReport> {
        match self.kind() {
            ErrorKind::Drift { drift } => Some(drift),
            _ => None,
        }
    }

    /// The migration that failed, if that is the error.
    pub(crate) fn failure_mut(&mut self) -> Option<&mut MigrationFailure> {
        match &mut self.0.whole_mut().kind {
            ErrorKind::Migration { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// One word for what went wrong, which never changes: `drift`, `migration`, `busy`, `deadline` and
    /// so on. Several kinds can share one.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// The next action; `None` if the text has one for each of several reasons (`Drift`, `Rollback`), or if
    /// only the source knows.
    ///
    /// ```
    /// use migrate_runtime::{Error, ErrorKind};
    ///
    /// let error = Error::from(ErrorKind::Pending { versions: vec!["7".to_owned()] });
    /// let remedy = error.remedy().expect("a remedy");
    /// assert_eq!(remedy.to_string(), "`run` applies them");
    /// assert_eq!(format!("{remedy:#}"), "`up` applies them"); // on a command line
    /// ```
    pub fn remedy(&self) -> Option<Remedy> {
        self.kind().remedy()
    }

    /// What the run did before it failed; `None` for errors of verbs and phases that apply nothing.
    ///
    /// ```
    /// fn show(error: &migrate_runtime::Error) {
    ///     eprintln!("{error}");
    ///     if let Some(report) = error.report() {
    ///         eprintln!("{} were applied before it and are kept", report.applied.len());
    ///     }
    /// }
    /// ```
    pub fn report(&self) -> Option<&Report> {
        ends_a_run(self.kind()).then_some(&self.0.whole().report)
    }
}

/// Whether it can end a run that has already applied something.
fn ends_a_run(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Drift { .. }
            | ErrorKind::Rollback { .. }
            | ErrorKind::Migration { .. }
            | ErrorKind::Function { .. }
            | ErrorKind::Hook { .. }
            | ErrorKind::TransactionEnded { .. }
            | ErrorKind::ConnectionLost { .. }
            | ErrorKind::Busy { .. }
            | ErrorKind::ReadsElsewhere { .. }
            | ErrorKind::Deadline { .. }
            | ErrorKind::Interrupted { .. }
            | ErrorKind::Pooled { .. }
            | ErrorKind::NoAdvisoryLock { .. }
            | ErrorKind::LockLost { .. }
            | ErrorKind::Untrusted { .. }
            | ErrorKind::Encoding { .. }
            | ErrorKind::NotRecorded { .. }
            | ErrorKind::Database { .. }
    )
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error(Box::new(Whole { kind, report: Report::default() }))
    }
}

impl From<DriftReport> for Error {
    fn from(drift: DriftReport) -> Self {
        ErrorKind::from(drift).into()
    }
}

impl From<StaleEmbed> for Error {
    fn from(stale: StaleEmbed) -> Self {
        ErrorKind::StaleEmbed(stale).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if f.alternate() {
            format!("{:#}", Unescaped(self))
        } else {
            Unescaped(self).to_string()
        };
        f.write_str(&escaped_lines(&text))
    }
}

/// The text of an error, in which a name can contain what a terminal acts on.
struct Unescaped<'e>(&'e Error);

impl fmt::Display for Unescaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind().fmt(f)?;
        f.write_str(&self.0.report().map(what_is_kept).unwrap_or_default())?;
        if let ErrorKind::Deadline { .. } | ErrorKind::Interrupted { .. } = self.0.kind() {
            f.write_str(&self.0.report().map(whom_it_waited_for).unwrap_or_default())?;
        }
        let Some(remedy) = self.0.remedy() else { return Ok(()) };
        f.write_str("\nhelp: ")?;
        remedy.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not `#`, which `dbg!` sets.
        write!(f, "{self}")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.kind().source()?;
        // What prints a chain of errors would show what is hidden or masked.
        let hides = match self.kind() {
            ErrorKind::Migration { failure, .. } => failure.hides_source,
            ErrorKind::Function { detail, .. }
            | ErrorKind::Hook { detail, .. }
            | ErrorKind::Database { detail, .. } => has_more(source, detail.as_deref()),
            _ => false,
        };
        (!hides).then_some(source)
    }
}
