//! A table that no known tool wrote, described by its columns.

use migrate_set::sql::placeholder::quoted_identifier;

use super::Adoption;
use super::digest::{Algorithm, Digest};
use super::facts::{Facts, Key, NOTHING};

/// The table of any other tool, for [`Migrator::adopt`](crate::Migrator::adopt).
///
/// ```
/// use migrate_runtime::adopt::{Algorithm, AnyTable};
///
/// // A row for each migration, with the name of its file and the SHA-256 of its bytes.
/// let history = AnyTable::new("schema_history").key("script").checksum("sha", Algorithm::Sha256);
/// // Rows that do not count, the time when a migration ran, and another schema.
/// let history = history.only("state = 'done'").time("applied_at").schema("meta");
/// # let _ = history;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyTable {
    table: String,
    key: Option<String>,
    checksum: Option<(Algorithm, String)>,
    time: String,
    only: String,
}

impl AnyTable {
    /// The table of this name, with a row for each migration.
    pub fn new(table: impl Into<String>) -> Self {
        let (time, only) = (String::new(), String::new());
        AnyTable { table: table.into(), key: None, checksum: None, time, only }
    }

    /// Sets the column that leads to a migration: its version, its file with or without folder and ending, or the
    /// name that follows the version.
    ///
    /// Without a key, the checksum leads there.
    #[must_use]
    pub fn key(mut self, column: &str) -> Self {
        self.key = Some(column_of(column));
        self
    }

    /// Sets the column with the checksum of the file; a row without one is not verified.
    #[must_use]
    pub fn checksum(mut self, column: &str, algorithm: Algorithm) -> Self {
        self.checksum = Some((algorithm, column_of(column)));
        self
    }

    /// Sets the column with the time when a migration ran, which is also the order of the rows.
    #[must_use]
    pub fn time(mut self, column: &str) -> Self {
        self.time = column_of(column);
        self
    }

    /// Reads only the rows for which this SQL condition holds.
    #[must_use]
    pub fn only(mut self, condition: &str) -> Self {
        self.only = format!("({condition})");
        self
    }

    /// Sets the schema of the table.
    #[must_use]
    pub fn schema(self, schema: impl Into<String>) -> Adoption {
        Adoption::from(self).schema(schema)
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        let checksum = self.checksum.as_ref();
        Facts {
            table: &self.table,
            key: match &self.key {
                Some(key) => (Key::File, key),
                None => (Key::Checksum, "NULL"),
            },
            checksum: checksum
                .map(|(algorithm, column)| (Digest::Text(*algorithm), column.as_str())),
            time: &self.time,
            only: &self.only,
            order: &self.time,
            ..NOTHING
        }
    }
}

fn column_of(name: &str) -> String {
    format!("t.{}", quoted_identifier(name))
}
