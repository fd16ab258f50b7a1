//! Determines from paths alone what each file of a migration folder is: its version, description,
//! direction and layout. [`crate::check`] detects equal versions and pairs up and down.

mod agree;
mod classify;
mod error;
mod help;
mod folders;
mod lookalike;
mod place;
#[cfg(test)]
mod tests;

use migrate_set::name::Layout;

pub use classify::{Classified, ClassifiedFile, Name, Sidecar, classify};
pub use error::{LayoutShare, NameError};

/// What to do with files written for one database, such as `x.sqlite.up.sql`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Dialects {
    /// A file for another database is an error.
    #[default]
    Refuse,
    /// Use `.postgres` files and ignore those for other databases. If `x.postgres.up.sql` and
    /// `x.up.sql` share a version and direction, only the former is used, as in Ory's tool, which
    /// introduced these names.
    PostgresOnly,
}

/// The caller's options for the names of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameOptions {
    /// The requested layout; `None` infers it. When requested, `numeric` and `timestamp` each
    /// accept both kinds of numbers, and every layout accepts all separators.
    pub layout: Option<Layout>,
    /// Files written for one database.
    pub dialects: Dialects,
}
