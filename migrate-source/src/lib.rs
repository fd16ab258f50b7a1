//! From a folder of SQL files to a checked set: what a build, the loaders and the command line share.
//!
//! This crate is an internal part of `migrate-runtime`, which is what a service depends on; with its
//! feature `source` it exports what a service can use of this as `migrate_runtime::source`.
//!
//! Modules in reading order: a folder is listed and read (`discover`), its names are understood
//! (`names`), its comments and statements are read (`directives`, `lint`, `syntax`), and it becomes a
//! set, or every mistake at once (`check`). The set is compared with its history (`history_file`) or
//! packed into a program (`pack`); `create` makes the files of the next migration.

mod threads;
pub mod discover;
pub mod names;
pub mod directives;
pub mod lint;
#[cfg(feature = "syntax")]
pub mod syntax;
pub mod check;
pub mod history_file;
pub mod create;
pub mod pack;
