//! What happened to a ledger, and how it compares with a set although they disagree.

use std::time::Duration;

use migrate_set::drift::DriftReport;

use super::status::Status;

/// One thing that happened, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryRow {
    /// Its place in the order of what happened; positions of other modules lie between.
    pub position: i64,
    /// What happened.
    pub act: Act,
    /// The migration's version as written.
    pub version: String,
    /// The description in its file name.
    pub name: String,
    /// Path of its file, relative to the migration folder.
    pub filename: String,
    /// The checksum of the text that it happened to; `None` where it is not known what ran.
    pub checksum: Option<String>,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// By which role.
    pub by: String,
    /// How long it took, in whole milliseconds.
    pub duration: Duration,
}

/// What happened to a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// It was applied, and is.
    Applied,
    /// It was begun, and is not finished.
    Unfinished,
    /// It was taken for applied, by a baseline or from another tool's table, and nothing ran that
    /// could have a checksum.
    Taken,
    /// It was undone. What applied it before has no row any more.
    Undone,
    /// Its edited text was taken for what ran; the row's checksum is what was recorded before.
    Accepted,
    /// That it was applied was forgotten.
    Forgotten,
}

impl Act {
    /// One word for it: `applied`, `unfinished`, `taken`, `undone`, `accepted` or `forgotten`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Act::Applied => "applied",
            Act::Unfinished => "unfinished",
            Act::Taken => "taken",
            Act::Undone => "undone",
            Act::Accepted => "accepted",
            Act::Forgotten => "forgotten",
        }
    }
}

/// Ledger and set side by side, and where they disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survey {
    /// Every migration, as it would be if no deviation were drift. Entries older than the set's
    /// newest migration that are missing from it are in `drift` only.
    pub status: Status,
    /// Every deviation that the options do not let pass; `None` where a run could begin.
    pub drift: Option<DriftReport>,
}
