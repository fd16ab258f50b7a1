//! What happened to the migrations of a ledger.

use std::time::Duration;

/// One event that the ledger recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryRow {
    /// Its position in the order of events; other modules use the positions in between.
    pub position: i64,
    /// What happened.
    pub act: Act,
    /// The migration's version as written.
    pub version: String,
    /// The description in its file name.
    pub name: String,
    /// Path of its file, relative to the migration folder.
    pub filename: String,
    /// The checksum of the text that ran; `None` if that is not known.
    pub checksum: Option<String>,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// By which role.
    pub by: String,
    /// The `application_name` of its session; empty if that had none.
    pub application: String,
    /// How long it took, in whole milliseconds.
    pub duration: Duration,
    /// The position of the row that ended this entry: that of its undoing, of its forgetting, or of the
    /// next text of a repeatable migration. `None` while it is present, and for what is not an entry.
    pub ended: Option<i64>,
}

/// What happened to a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// It was applied; [`HistoryRow::ended`] shows whether it still is.
    Applied,
    /// It was started and was not finished.
    Unfinished,
    /// It was recorded as applied without a checksum, by a baseline or from another tool's table.
    Taken,
    /// It was undone.
    Undone,
    /// Its edited text was accepted; the row's checksum is the one recorded before.
    Accepted,
    /// Its entry ended without its undoing, so that the next run applies it again.
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
