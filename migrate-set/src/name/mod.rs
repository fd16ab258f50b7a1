//! Reads the name of one file: its layout, its direction, and whether it can be part of a set.
//! `migrate-source` combines the files of a folder.

#[doc(hidden)]
pub mod ending;
#[doc(hidden)]
pub mod flyway;
#[doc(hidden)]
pub mod look;
#[doc(hidden)]
pub mod split;

use std::fmt;

pub use look::may_matter;

/// How the files of a set are named. A set uses one layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layout {
    /// A number of any length and a description: `001_create_users.sql`, `0105-mod-file.sql`,
    /// `000001.sql`.
    Numeric,
    /// A date and a description: `20240126120000_x.sql`, `20250128_120000_x.sql`,
    /// `2023-08-02.0-x.sql`.
    Timestamp,
    /// Flyway: `V1.2__x.sql`, its undo `U1.2__x.sql`, and the repeatable `R__views.sql`.
    Flyway,
    /// Diesel: `2024-01-01-000000_x/up.sql` and `down.sql`, optionally with a `metadata.toml`.
    Folders,
    /// Prisma: `20240126184148_x/migration.sql`, optionally with a `down.sql`.
    Prisma,
    /// Any name; the whole stem is the version. Never inferred, because every mistake would fit.
    Any,
}

impl Layout {
    /// All layouts, in the order in which messages list them.
    pub const ALL: [Self; 6] =
        [Self::Numeric, Self::Timestamp, Self::Flyway, Self::Folders, Self::Prisma, Self::Any];

    /// Its name in the macro's arguments and in messages.
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

/// Whether a migration is applied or undone. A file whose name does not say which is up as a
/// whole, unless it has sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Its up script: `x.up.sql`, `0001.do.x.sql`, `x/up.sql`.
    Up,
    /// Its down script: `x.down.sql`, `0001.undo.x.sql`, `x/down.sql`, `U1__x.sql`.
    Down,
}

impl Direction {
    /// `an up` or `a down`, for a text.
    pub const fn with_article(self) -> &'static str {
        match self {
            Direction::Up => "an up",
            Direction::Down => "a down",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Up => "up",
            Direction::Down => "down",
        })
    }
}

/// When a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Once, in the order of versions.
    Versioned,
    /// Again whenever it changes, after the versioned ones: `R__views.sql`.
    Repeatable,
}

impl Kind {
    /// The word in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Versioned => "versioned",
            Kind::Repeatable => "repeatable",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A path in a folder as messages show it; either can be empty.
pub fn shown(folder: &str, path: &str) -> String {
    let joined = folder.is_empty() || folder.ends_with('/') || path.is_empty();
    let slash = if joined { "" } else { "/" };
    [folder, slash, path].concat()
}

/// Whether the name mentions the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionMark {
    /// It does not.
    Unmarked,
    /// Run without one: `1.postgres.autocommit.up.sql`, `V1__NONTRANSACTIONAL_x.sql`.
    Autocommit,
}
