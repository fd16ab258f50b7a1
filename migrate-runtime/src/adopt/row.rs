//! One row of another tool's table.

use migrate_set::text::escaped;
use tokio_postgres::SimpleQueryRow;

use crate::sql::column;

/// One row of another tool's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The version, if the tool records it.
    pub(super) version: Option<String>,
    /// The file's name, with or without its ending, or a part of it, if the tool records that.
    pub(super) file: Option<String>,
    /// The name, which refinery's checksum needs.
    pub(super) name: Option<String>,
    /// The checksum of the migration before it, which graphile-migrate's needs.
    pub(super) previous: Option<String>,
    pub(super) checksum: Option<String>,
    /// RFC 3339, UTC.
    pub(super) applied_at: Option<String>,
    pub(super) applied_by: Option<String>,
    pub(super) execution_ms: Option<i64>,
    pub(super) state: State,
}

/// What a row means for its migration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    /// It ran.
    #[default]
    Applied,
    /// It was undone, or removed from the history.
    Undone,
    /// It failed, and was not fixed.
    Failed,
    /// It is the newest that ran, and all before it ran too.
    Current,
    /// All up to it count as applied, even if the set does not have it.
    Baseline,
}

impl Row {
    pub(super) fn read(row: &SimpleQueryRow) -> Row {
        let text = |name| column(row, name);
        let state = match text("state").as_deref() {
            Some("undone") => State::Undone,
            Some("failed") => State::Failed,
            Some("current") => State::Current,
            Some("baseline") => State::Baseline,
            _ => State::Applied,
        };
        Row {
            version: text("version"),
            file: text("file"),
            name: text("name"),
            previous: text("previous"),
            checksum: text("checksum"),
            applied_at: text("applied_at"),
            applied_by: text("applied_by"),
            execution_ms: text("execution_ms").and_then(|ms| ms.parse().ok()),
            state,
        }
    }

    /// Its version, or its file if it has none, or its checksum, for messages.
    pub(super) fn shown(&self) -> String {
        match (&self.version, &self.file, &self.checksum) {
            (Some(version), ..) => format!("version {}", escaped(version)),
            (None, Some(file), _) => format!("`{}`", escaped(file)),
            (None, None, Some(checksum)) => format!("a file with checksum {}", escaped(checksum)),
            (None, None, None) => "a row without a version".to_owned(),
        }
    }
}
