//! A service of one version: it embeds those of `older` and three more, and migrates as it is told.
//! `newer run|verify|rollback <address>`; see `migrate_tests::service`.

use std::process::ExitCode;

use migrate_runtime::{Migrations, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("src/bin/newer/migrations");

fn main() -> ExitCode {
    migrate_tests::service::main(&MIGRATIONS)
}
