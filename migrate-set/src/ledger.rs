//! One row of the ledger as plain data.

use std::borrow::Cow;

use crate::checksum::ALGORITHM;
use crate::name::Kind;
use crate::version::Version;

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version as written when the migration ran.
    pub version: Version,
    /// Whether it runs once or whenever it changes.
    pub kind: Kind,
    /// The description of the migration.
    pub name: String,
    /// Path of its file, relative to its migration folder.
    pub filename: String,
    /// The checksum of what ran; `None` if nothing ran, as for a baseline.
    pub checksum: Option<String>,
    /// The algorithm of the checksum.
    pub checksum_algorithm: Cow<'static, str>,
    /// Its place in the order of application, from 1, across all modules of the ledger.
    pub position: i64,
    /// When it was applied: RFC 3339, UTC, by the server's clock.
    pub applied_at: String,
    /// How long it ran, in milliseconds.
    pub execution_ms: i64,
    /// The role that applied it.
    pub applied_by: String,
    /// How many statements of an unfinished non-transactional migration took effect; `None` once
    /// it has finished.
    pub progress: Option<u32>,
    /// Whether the statement after those was sent without its outcome being recorded, because the
    /// session that ran it broke.
    pub in_flight: bool,
    /// The checksums of earlier texts of a repeatable migration that a newer one replaced.
    pub superseded: Vec<String>,
}

impl Entry {
    /// A finished entry with only what a plan compares.
    pub fn brief(version: Version, kind: Kind, checksum: Option<String>) -> Entry {
        Entry {
            version,
            kind,
            name: String::new(),
            filename: String::new(),
            checksum,
            checksum_algorithm: Cow::Borrowed(ALGORITHM),
            position: 0,
            applied_at: String::new(),
            execution_ms: 0,
            applied_by: String::new(),
            progress: None,
            in_flight: false,
            superseded: Vec::new(),
        }
    }

    /// Whether the migration ran to completion.
    pub fn is_finished(&self) -> bool {
        self.progress.is_none()
    }
}
