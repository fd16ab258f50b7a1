//! The macro, an `include_dir::Dir` and a folder on disk give the identical set.

use include_dir::{Dir, include_dir};
use migrate_runtime::set::{Layout, TransactionMode};
use migrate_runtime::source::{SetOptions, from_folder, from_include_dir};
use migrate_runtime::{Migrations, embed_migrations};

static SETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sets");

static CHRONIS: Migrations = embed_migrations!("sets/chronis");
static PGDBM_NUMERIC: Migrations = embed_migrations!("sets/pgdbm_numeric");
static PGDBM_TIMESTAMP: Migrations = embed_migrations!("sets/pgdbm_timestamp");
static PYCOPG: Migrations = embed_migrations!("sets/pycopg");
static DATA_BRIDGE: Migrations = embed_migrations!("sets/data_bridge");
static XYN: Migrations = embed_migrations!("sets/xyn");

fn check(embedded: &Migrations, layout: Layout, count: usize) {
    assert_eq!((embedded.len(), embedded.layout()), (count, layout));
    let options = SetOptions::default();
    // Tests run in their package's folder, so this path is the one the macro was given.
    let path = embedded.folder();
    let folder = from_folder(path, &options).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(embedded, &folder);
    let dir = SETS.get_dir(path.trim_start_matches("sets/")).expect("the folder");
    let dir = from_include_dir(dir, path, &options).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(embedded, &dir);
}

#[test]
fn all_origins_give_the_same_set() {
    check(&CHRONIS, Layout::Flyway, 5);
    check(&PGDBM_NUMERIC, Layout::Numeric, 11);
    check(&PGDBM_TIMESTAMP, Layout::Timestamp, 6);
    check(&PYCOPG, Layout::Numeric, 5);
    check(&DATA_BRIDGE, Layout::Timestamp, 12);
    check(&XYN, Layout::Numeric, 7);
}

#[test]
fn a_set_knows_what_its_files_say() {
    assert!(PYCOPG.iter().all(|migration| migration.down().is_some()));
    let first = PYCOPG.iter().next().expect("a migration");
    assert_eq!((first.version().as_str(), first.name()), ("001", "create_users"));
    assert_eq!((first.filename(), first.up().statements().len()), ("001_create_users.sql", 3));
    assert_eq!(PYCOPG.path_of(first.filename()), "sets/pycopg/001_create_users.sql");
    let mode = TransactionMode::NonTransactional;
    let outside = DATA_BRIDGE.iter().filter(|migration| migration.up().transaction() == mode);
    assert_eq!(outside.count(), 1);
}

#[test]
fn folders_that_hold_no_set_are_refused() {
    let error = from_folder("sets", &SetOptions::default()).expect_err("folders of folders");
    assert!(!error.0.is_empty());
    let missing = from_folder("no/such/folder", &SetOptions::default()).expect_err("nothing");
    let text = missing.to_string();
    assert!(text.starts_with("no/such/folder: cannot be read: No such file"), "{text}");
}
