//! Stands for a library that keeps accounts: it brings its own migrations, under its own module.

use migrate_runtime::{Migrations, embed_migrations};

/// The library's set. The module keeps its `001` apart from everybody else's.
pub(crate) static MIGRATIONS: Migrations = embed_migrations!("accounts", module = "accounts");
