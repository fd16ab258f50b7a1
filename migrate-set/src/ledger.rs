//! Holds what the ledger says of one migration, as plain data.
//! Rows go in as the runtime read them; [`crate::plan`] and [`crate::drift`] look at them.
//! It knows no SQL and no connection on purpose.

use std::borrow::Cow;

use crate::name::Kind;
use crate::version::Version;

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version as it was written when it ran.
    pub version: Version,
    /// Whether it runs once or whenever it changes.
    pub kind: Kind,
    /// The description of the migration.
    pub name: String,
    /// Path of its file, relative to its migration folder.
    pub filename: String,
    /// The checksum of what ran; `None` where nothing ran that could have had one.
    pub checksum: Option<String>,
    /// The algorithm of the checksum.
    pub checksum_algorithm: Cow<'static, str>,
    /// Its place in the order of application, from 1, over all modules of the ledger.
    pub position: i64,
    /// When it was applied: RFC 3339, UTC, by the server's clock.
    pub applied_at: String,
    /// How long it ran, in milliseconds.
    pub execution_ms: i64,
    /// The role that applied it.
    pub applied_by: String,
    /// Statements of an unfinished non-transactional migration that took effect; `None` once it
    /// is finished.
    pub progress: Option<u32>,
    /// Whether the statement behind those was sent, and how it ended was never noted: the session
    /// that ran it broke.
    pub in_flight: bool,
}

impl Entry {
    /// Whether the migration ran to its end.
    pub fn is_finished(&self) -> bool {
        self.progress.is_none()
    }
}
