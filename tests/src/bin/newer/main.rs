//! A service of one version, which embeds the migrations of `older` and three more:
//! `newer run|verify|rollback <address>`; see `migrate_tests::service`.

use std::process::ExitCode;

use migrate_runtime::{Migrations, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("src/bin/newer/migrations");

fn main() -> ExitCode {
    migrate_tests::service::main(&MIGRATIONS)
}
