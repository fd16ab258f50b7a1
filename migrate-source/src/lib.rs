//! Reads and checks a folder of SQL files, for the macro, the loaders and the command line.
//!
//! This crate is an internal part of `migrate-runtime`; services depend on that. Its feature
//! `source` exports what a service can use of this crate as `migrate_runtime::source`.
//!
//! Modules in reading order: list and read a folder (`discover`), interpret the file names
//! (`names`), read comments and statements (`directives`, `lint`, `syntax`), follow what statements make
//! (`catalog`), and build a set or report all mistakes (`check`). A set is compared with its history (`history_file`) and
//! with the file of its schema (`schema_file`), and packed into a program (`pack`); `create` writes the files of the next migration, and `convert` makes those of
//! another tool's folder.

mod threads;
#[cfg(feature = "syntax")]
mod stream;
pub mod discover;
pub mod names;
pub mod directives;
pub mod lint;
#[cfg(feature = "syntax")]
pub mod syntax;
pub mod objects;
pub mod schema;
#[cfg(feature = "syntax")]
mod catalog;
pub mod check;
pub mod history_file;
pub mod schema_file;
pub mod replace;
#[cfg(feature = "create")]
pub mod create;
#[cfg(feature = "command-line")]
pub mod convert;
pub mod pack;
#[cfg(test)]
mod tests;
