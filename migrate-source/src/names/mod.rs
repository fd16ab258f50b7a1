//! Decides, from relative paths alone, what each file of a migration folder is: its version,
//! description, direction and layout.
//! Paths have `/` between folders, are relative to the folder and UTF-8; every problem is reported at once.
//! It reads no contents, and judges neither equal versions nor the pairing of up and down, which
//! [`crate::check`] does.

mod agree;
mod classify;
mod error;
mod folders;
mod lookalike;
mod place;
#[cfg(test)]
mod tests;

use migrate_set::name::Layout;

pub use classify::{Classified, ClassifiedFile, Name, Sidecar, classify};
pub use error::{LayoutShare, NameError};

/// What to do with files that are written for one database, such as `x.sqlite.up.sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialects {
    /// A file for another database is an error.
    #[default]
    Refuse,
    /// Take `.postgres`, leave the other databases' files, and where `x.postgres.up.sql` and
    /// `x.up.sql` share a version and direction, take the former alone (as Ory's tool, where such
    /// names come from, does).
    PostgresOnly,
}

/// What the caller said about the names of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameOptions {
    /// The layout asked for; `None` infers it. `numeric` and `timestamp` each take numbers of both
    /// kinds, and every layout that is asked for takes all separators.
    pub layout: Option<Layout>,
    /// Files written for one database.
    pub dialects: Dialects,
}
