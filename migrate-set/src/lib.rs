//! The pure part of the migrate crates: what a migration file is called, what it says, what it
//! means, and what has to run.
//!
//! The macro (`migrate-macros`) and the runtime (`migrate-runtime`) both stand on it, so that a
//! build and a start judge alike. It knows no network, no clock and no async; only the module
//! `discover` reads files.
//!
//! With the feature `source` (on by default) it makes and checks sets, as a build and the loaders of
//! the runtime do; without it there is what a run of an embedded set needs, which is what a service
//! compiles for itself. The feature `syntax` checks statements against PostgreSQL's grammar.
//!
//! Modules in reading order: a folder becomes a set (`version`, `name`, `sql`, `checksum`, `set`,
//! `source`), a set and a ledger become a plan (`ledger`, `drift`, `plan`), or what to undo (`rollback`).

#![cfg_attr(
    not(feature = "source"),
    allow(rustdoc::broken_intra_doc_links, reason = "some texts name what makes sets")
)]

pub mod location;
pub mod frame;
pub mod version;
pub mod name;
pub mod sql;
pub mod checksum;
#[cfg(feature = "source")]
mod threads;
#[cfg(feature = "source")]
pub mod lint;
#[cfg(feature = "syntax")]
pub mod syntax;
pub mod set;
pub mod packed;
#[cfg(feature = "source")]
pub mod source;
pub mod discover;
#[cfg(feature = "source")]
pub mod lock;
#[cfg(feature = "source")]
pub mod create;
pub mod ledger;
pub mod drift;
pub mod plan;
pub mod settled;
pub mod rollback;
