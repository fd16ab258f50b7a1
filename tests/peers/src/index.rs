//! Whether an index that was built concurrently can be used. A build that fails leaves it INVALID: it
//! costs every write, serves no query, and has the name that the next attempt needs.

use std::fmt;

use crate::lab::Database;

/// What became of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// It can be used.
    Valid,
    /// It is there and cannot.
    Invalid,
    /// It is not there.
    Missing,
}

impl Index {
    /// Reads it, in the schema `public`.
    pub async fn read(database: &Database<'_>, name: &str) -> Index {
        let sql = format!(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.{name}')"
        );
        match database.value(&sql).await.as_str() {
            "t" => Index::Valid,
            "f" => Index::Invalid,
            _ => Index::Missing,
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Index::Valid => "valid",
            Index::Invalid => "INVALID",
            Index::Missing => "missing",
        })
    }
}
