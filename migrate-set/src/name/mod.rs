//! What the name of one file says: how it is named, its direction, and whether it can be part of a set.
//! It reads one path at a time; `migrate-source` decides what the files of a folder are together.

#[doc(hidden)]
pub mod ending;
#[doc(hidden)]
pub mod flyway;
#[doc(hidden)]
pub mod look;
#[doc(hidden)]
pub mod split;

use std::fmt;
use std::str::FromStr;

pub use look::may_matter;

/// How the files of a set are named. One set uses one layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layout {
    /// A number of any length and a description: `001_create_users.sql`, `0105-mod-file.sql`,
    /// `000001.sql`.
    Numeric,
    /// A date and a description: `20240126120000_x.sql`, `20250128_120000_x.sql`,
    /// `2023-08-02.0-x.sql`.
    Timestamp,
    /// Flyway's: `V1.2__x.sql`, its undo `U1.2__x.sql`, and the repeatable `R__views.sql`.
    Flyway,
    /// Diesel's: `2024-01-01-000000_x/up.sql` beside `down.sql`, perhaps with a `metadata.toml`.
    Folders,
    /// Prisma's: `20240126184148_x/migration.sql`, perhaps with a `down.sql`.
    Prisma,
    /// Any name, the whole stem being the version. Never inferred, because every mistake would fit.
    Any,
}

impl Layout {
    /// All layouts, in the order messages list them.
    pub const ALL: [Self; 6] =
        [Self::Numeric, Self::Timestamp, Self::Flyway, Self::Folders, Self::Prisma, Self::Any];

    /// The word for it in the macro's arguments and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Timestamp => "timestamp",
            Self::Flyway => "flyway",
            Self::Folders => "folders",
            Self::Prisma => "prisma",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word is no layout; the text lists those that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown layout `{word}`; known are numeric, timestamp, flyway, folders, prisma and any")]
#[non_exhaustive]
pub struct UnknownLayout {
    /// The word as given.
    pub word: String,
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(word: &str) -> Result<Self, UnknownLayout> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.as_str() == word)
            .ok_or_else(|| UnknownLayout { word: word.to_owned() })
    }
}

/// Which script of its migration a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `x.up.sql`, `0001.do.x.sql`, `x/up.sql`.
    Up,
    /// `x.down.sql`, `0001.undo.x.sql`, `x/down.sql`, `U1__x.sql`.
    Down,
    /// The name does not say: the whole file is up, unless it holds sections.
    Whole,
}

/// When a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Once, in the order of versions.
    Versioned,
    /// Again whenever it changes, after the versioned ones: `R__views.sql`.
    Repeatable,
}

/// What the name says about the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionMark {
    /// Nothing.
    Unmarked,
    /// Run without one: `1.postgres.autocommit.up.sql`.
    Autocommit,
}
