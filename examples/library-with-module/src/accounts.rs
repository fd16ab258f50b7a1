//! An example of a library with its own migrations, under its own module.

use migrate_runtime::{Migrations, embed_migrations};

/// The library's set. The module distinguishes its `001` from that of other sets.
pub(crate) static MIGRATIONS: Migrations = embed_migrations!("accounts", module = "accounts");
