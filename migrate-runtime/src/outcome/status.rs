//! Each migration of the set and the ledger, and whether it ran.

use std::fmt;
use std::time::Duration;

use migrate_set::drift::DriftReport;

use super::text;

/// Each migration of the set and the ledger, and its state.
///
/// ```
/// use migrate_runtime::status::State;
/// use migrate_runtime::Status;
///
/// fn pending(status: &Status) -> Vec<&str> {
///     let rows = status.migrations.iter().filter(|row| matches!(row.state, State::Pending));
///     rows.map(|row| row.version.as_str()).collect()
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// One row per migration: those of the set in its order, with all deviations allowed, then entries
    /// that are newer than the set. Older entries that are missing from the set are only in `drift`.
    pub migrations: Vec<StatusRow>,
    /// Every deviation that the options do not allow; `None` if a run could begin.
    pub drift: Option<DriftReport>,
    /// The roles that may write the ledger, and so its down scripts, besides its owner, superusers and the
    /// current role; `PUBLIC` is every role.
    pub writers: Vec<String>,
    /// The modules of other sets in the same ledger.
    pub other_modules: Vec<String>,
}

/// One migration of a [`Status`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusRow {
    /// Its version as written.
    pub version: String,
    /// The description in its file name.
    pub name: String,
    /// Path of its file, relative to the migration folder.
    pub filename: String,
    /// Whether it ran.
    pub state: State,
}

/// Whether a migration ran.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It ran.
    Applied {
        /// When: RFC 3339, UTC.
        at: String,
        /// By which role.
        by: String,
        /// How long it ran, in whole milliseconds.
        duration: Duration,
    },
    /// It will run.
    Pending,
    /// It is non-transactional and was interrupted; the next run continues it.
    Unfinished {
        /// Statements that took effect.
        done: u32,
        /// Whether the next one may have taken effect too, because its connection broke.
        in_flight: bool,
    },
    /// It is only in the ledger, and newer than the set.
    Ahead {
        /// When it was applied: RFC 3339, UTC.
        at: String,
        /// By which role.
        by: String,
    },
}

impl State {
    /// One word for it: `applied`, `pending`, `unfinished` or `ahead`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            State::Applied { .. } => "applied",
            State::Pending => "pending",
            State::Unfinished { .. } => "unfinished",
            State::Ahead { .. } => "ahead",
        }
    }
}

impl Status {
    /// How many migrations will run: pending and unfinished ones.
    pub fn pending(&self) -> usize {
        let open =
            |row: &&StatusRow| matches!(row.state, State::Pending | State::Unfinished { .. });
        self.migrations.iter().filter(open).count()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |row: &StatusRow| {
            let state = match &row.state {
                State::Applied { at, .. } => format!("applied {at}"),
                other => other.as_str().to_owned(),
            };
            [row.version.clone(), row.name.clone(), state]
        };
        let rows = self.migrations.iter().map(row).collect::<Vec<_>>();
        text::table(f, ["version", "name", "state"], &rows)?;
        write!(f, "{} pending of {}", self.pending(), self.migrations.len())?;
        self.drift.as_ref().map_or(Ok(()), |drift| write!(f, "\n{drift}"))?;
        if !self.writers.is_empty() {
            write!(f, "\nnote: the ledger can also be written by {}", self.writers.join(", "))?;
        }
        match self.other_modules.as_slice() {
            [] => Ok(()),
            modules => write!(
                f,
                "\nnote: the ledger also has modules of other sets: {}",
                modules.join(", ")
            ),
        }
    }
}
