//! A service of one version, which embeds two migrations:
//! `older run|verify|rollback <address>`; see `migrate_tests::service`.

use std::process::ExitCode;

use migrate_runtime::{Migrations, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("src/bin/older/migrations");

fn main() -> ExitCode {
    migrate_tests::service::main(&MIGRATIONS)
}
