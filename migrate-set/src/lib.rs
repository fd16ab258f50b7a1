//! A migration set, how it compares with a ledger, and what to run or undo.
//!
//! This crate is an internal part of `migrate-runtime`; services depend on that. Everything here is
//! pure: no network, no clock, no environment, no async. Only `listing` touches the file system: it
//! reads the names in a folder. `migrate-source` builds the sets.
//!
//! Modules in reading order: sorting (`sort`), the parts of a set (`version`, `release`, `name`, `sql`, `checksum`, `set`,
//! `former`, `squash`, `unpack`), planning against a ledger (`ledger`, `resume`, `digest`, `drift`, `plan`, `settled`), and
//! rollback (`rollback`). Apart from these, the schema of a database as a text (`schema`).

pub mod sort;
pub mod location;
pub mod text;
pub mod frame;
pub mod version;
pub mod release;
pub mod name;
pub mod sql;
pub mod checksum;
pub mod set;
pub mod former;
pub mod squash;
pub mod unpack;
pub mod listing;
pub mod ledger;
pub mod resume;
pub mod digest;
pub mod remedy;
pub mod drift;
pub mod plan;
pub mod settled;
pub mod rollback;
pub mod schema;
