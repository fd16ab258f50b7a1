//! The pure part of the migrate crates: what a migration file is called, what it says, what it
//! means, and what has to run.
//!
//! The macro (`migrate-macros`) and the runtime (`migrate-runtime`) both stand on it, so that a
//! build and a start judge alike. It knows no network, no clock and no async; only the module
//! `discover` reads files.
//!
//! Modules in reading order: a folder becomes a set (`version`, `name`, `sql`, `checksum`, `set`,
//! `source`), a set and a ledger become a plan (`ledger`, `drift`, `plan`).

pub mod location;
pub mod frame;
pub mod version;
pub mod name;
pub mod sql;
pub mod checksum;
pub mod lint;
#[cfg(feature = "syntax")]
pub mod syntax;
pub mod set;
pub mod source;
pub mod discover;
pub mod lock;
pub mod ledger;
pub mod drift;
pub mod plan;
