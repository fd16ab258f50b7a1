//! A migration set and what to do with it: what a set is, what it means for a ledger, and what has to
//! run.
//!
//! This crate is an internal part of `migrate-runtime`, which is what a service depends on. Everything
//! here is pure: no network, no clock, no environment, no async. Only `listing` reads a folder's
//! names. `migrate-source` makes the sets.
//!
//! Modules in reading order: what a set is made of (`version`, `name`, `sql`, `checksum`, `set`,
//! `unpack`), how it becomes a plan with a ledger (`ledger`, `drift`, `plan`, `settled`), and what to undo
//! (`rollback`).

pub mod location;
pub mod frame;
pub mod version;
pub mod name;
pub mod sql;
pub mod checksum;
pub mod set;
pub mod unpack;
pub mod listing;
pub mod ledger;
pub mod drift;
pub mod plan;
pub mod settled;
pub mod rollback;
