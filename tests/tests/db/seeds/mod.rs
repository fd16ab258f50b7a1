//! What five tools' guides promise, shown by this library.
//! A module a guide: its features in the guide's own words, each with the test that shows it, and the
//! tests that nothing else in this package has. `pages` runs what the pages in `docs/from` end in.
//! Ledgers that the tools wrote are for the tests of `adopt`.

mod chronis;
mod data_bridge;
mod features;
mod pages;
mod pgdbm;
mod pgdbm_operations;
mod pycopg;
mod xyn;

use std::fs;
use std::path::Path;

use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{Applied, Migrations, Migrator, Report};
use migrate_source::check::{SourceFile, check};
use tempfile::TempDir;
use tokio_postgres::Client;

/// The tables of `public` but the ledger, in order.
const TABLES: &str = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables \
                      WHERE schemaname = 'public' AND tablename <> 'migration_ledger'";

/// The versions in the ledger, in the order in which they were applied.
const LEDGER: &str = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger \
                      WHERE kind = 'versioned' AND ended_position = 0";

/// Applies what is pending; a failure is this test's.
async fn run(set: &Migrations, client: &mut Client) -> Report {
    Migrator::new(set).run(client).await.unwrap_or_else(|error| panic!("{error}"))
}

fn versions(applied: &[Applied]) -> Vec<&str> {
    applied.iter().map(|one| &*one.version).collect()
}

/// What the build would say to these files.
fn refusal(files: &[(&str, &str)], options: &SetOptions) -> String {
    let file = |&(path, sql): &(&str, &str)| SourceFile::new(path, sql);
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    check("migrations", &files, options).expect_err("a mistake").to_string()
}

/// A copy of a folder of `tests/sets`, to add to.
fn copy_of(set: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sets").join(set);
    for entry in fs::read_dir(source).expect("a set") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("a copy");
    }
    folder
}

fn load(folder: &Path) -> Migrations {
    from_folder(folder, &SetOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}
