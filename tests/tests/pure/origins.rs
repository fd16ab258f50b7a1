//! The macro, an `include_dir::Dir` and a folder on disk give the identical set.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use include_dir::{Dir, include_dir};
use migrate_runtime::set::{Layout, TransactionMode};
use migrate_runtime::source::{Links, SetOptions, from_folder, from_include_dir, from_texts};
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
    assert_eq!((embedded, embedded.traits()), (&folder, folder.traits()));
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
fn traits_name_what_few_sets_need() {
    let check = |text: &str, expected: (bool, bool)| {
        let texts = [("1_a.sql", "CREATE TABLE a (id int)"), ("2_b.sql", text)];
        let set = from_texts(texts, &SetOptions::default());
        let traits = set.unwrap_or_else(|errors| panic!("{errors}")).traits();
        assert_eq!((traits.has_data, traits.runs_outside), expected, "{text}");
    };
    check("ALTER TABLE a ADD b int", (false, false));
    check("COPY a FROM stdin;\n1\n\\.\n", (true, false));
    check("-- migrate:no-transaction\nVACUUM a", (false, true));
    let block = "-- migrate:no-transaction\nBEGIN; COPY a FROM stdin;\n1\n\\.\nCOMMIT;";
    check(block, (true, true));
    check("-- UP\nSELECT 1;\n-- DOWN\n-- migrate:no-transaction\nVACUUM a", (false, true));
    check("-- UP\nSELECT 1;\n-- DOWN\nCOPY a FROM stdin;\n1\n\\.\n", (true, false));
}

#[test]
fn folders_that_hold_no_set_are_refused() {
    let error = from_folder("sets", &SetOptions::default()).expect_err("folders of folders");
    assert!(!error.0.is_empty());
    let missing = from_folder("no/such/folder", &SetOptions::default()).expect_err("nothing");
    let text = missing.to_string();
    assert!(text.starts_with("no/such/folder: cannot be read: No such file"), "{text}");
}

/// The first line about each file of a folder with one migration and what `prepare` adds.
fn mistakes(links: Links, prepare: impl FnOnce(&Path)) -> Vec<String> {
    let above = tempfile::tempdir().expect("a folder");
    let folder = above.path().join("migrations");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("1_a.sql"), "select 1").expect("a file");
    prepare(&folder);
    let options = SetOptions { links, ..SetOptions::default() };
    let Err(errors) = from_folder(&folder, &options) else { return Vec::new() };
    let file = |error: &str| error.rsplit('/').next().unwrap_or_default().to_owned();
    errors.0.iter().map(|error| format!("{}: {}", file(error.file()), error.problem())).collect()
}

/// A pipe without a writer would keep the build waiting, and a device can be endless.
#[test]
fn only_plain_files_are_read() {
    let found = mistakes(Links::Inside, |folder| {
        let made = Command::new("mkfifo").arg(folder.join("2_pipe.sql")).status();
        assert!(made.expect("mkfifo").success());
        UnixListener::bind(folder.join("3_socket.sql")).expect("a socket");
        // No script, so it does not matter.
        assert!(
            Command::new("mkfifo").arg(folder.join("notes.md")).status().expect("mkfifo").success()
        );
    });
    let expected = [
        "2_pipe.sql: cannot be read: it is a named pipe, not a file",
        "3_socket.sql: cannot be read: it is a socket, not a file",
    ];
    assert_eq!(found, expected);
    let device = |folder: &Path| symlink("/dev/zero", folder.join("2_zero.sql")).expect("a link");
    let found = mistakes(Links::Follow, device);
    assert_eq!(found, ["2_zero.sql: cannot be read: it is a device, not a file"]);
}

/// Docker makes a folder of this name where it is asked to mount a file that does not exist.
#[test]
fn a_folder_in_place_of_a_file_is_reported() {
    let found = mistakes(Links::Inside, |folder| {
        fs::create_dir_all(folder.join("2_b.sql/.git")).expect("a folder");
        // Folders of other names belong to other tools.
        fs::create_dir(folder.join("3_c")).expect("a folder");
    });
    assert_eq!(found, ["2_b.sql: cannot be read: it is a folder, not a file"]);
}

#[test]
fn files_are_read_up_to_a_size() {
    let with_size = |size: u64| {
        move |folder: &Path| {
            let file = File::create(folder.join("2_large.sql")).expect("a file");
            file.set_len(size).expect("room for a file without blocks");
        }
    };
    let found = mistakes(Links::Inside, with_size((64 << 20) + 1));
    assert_eq!(found, ["2_large.sql: cannot be read: it is larger than 64 MiB"]);
    let found = mistakes(Links::Inside, with_size(64 << 20));
    assert_eq!(found, ["2_large.sql: contains a NUL byte"]);
}

#[test]
fn links_out_of_the_folder_are_followed_only_on_request() {
    let prepare = |folder: &Path| {
        let above = folder.parent().expect("a folder");
        fs::create_dir(above.join("shared")).expect("a folder");
        fs::write(above.join("2_b.sql"), "select 2").expect("a file");
        symlink("1_a.sql", folder.join("0_inside.sql")).expect("a link");
        symlink("../2_b.sql", folder.join("2_b.sql")).expect("a link");
        symlink("../shared", folder.join("shared")).expect("a link");
        // No script, so it does not matter.
        symlink("/etc/hosts", folder.join("hosts.txt")).expect("a link");
    };
    let expected = ["2_b.sql: is a link out of the folder", "shared: is a link out of the folder"];
    assert_eq!(mistakes(Links::Inside, prepare), expected);
    assert_eq!(mistakes(Links::Follow, prepare), [""; 0]);
    // A folder that is itself a link was named.
    let named = |folder: &Path| {
        symlink(folder, folder.with_file_name("named")).expect("a link");
        let set = from_folder(folder.with_file_name("named"), &SetOptions::default());
        assert_eq!(set.expect("a set").len(), 1);
    };
    assert_eq!(mistakes(Links::Inside, named), [""; 0]);
}
