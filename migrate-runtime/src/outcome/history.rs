//! What happened to a ledger.

use std::time::Duration;

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
