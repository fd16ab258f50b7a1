//! A file is replaced as a whole, and nothing but a file.

use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use migrate_source::replace::replace;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_file_is_replaced_as_a_whole_and_keeps_its_permissions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.history");
    replace(&path, b"old").expect("a new file");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("permissions");
    let mut reader = File::open(&path).expect("the file");
    replace(&path, b"new").expect("a file");
    let mut seen = String::new();
    reader.read_to_string(&mut seen).expect("UTF-8");
    assert_eq!(seen, "old", "a reader that has it open reads the old file to its end");
    assert_eq!(fs::read_to_string(&path).expect("the file"), "new");
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o640);
    assert_eq!(names(folder.path()), ["a.history"]);
}

#[test]
fn nothing_but_a_file_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("target"), "kept").expect("a file");
    symlink("target", path("link")).expect("a link");
    symlink("nowhere", path("dangling")).expect("a link");
    fs::create_dir(path("folder")).expect("a folder");
    assert!(Command::new("mkfifo").arg(path("pipe")).status().expect("mkfifo").success());
    let check = |name: &str, expected: &str| {
        let error = replace(&path(name), b"new").expect_err("it is not a file");
        assert_eq!(error.to_string(), expected, "{name}");
    };
    check("link", "it is a link, not a file");
    check("dangling", "it is a link, not a file");
    check("folder", "it is a folder, not a file");
    check("pipe", "it is a named pipe, not a file");
    replace(&path("none/file"), b"new").expect_err("there is no folder");
    assert_eq!(fs::read_to_string(path("target")).expect("a file"), "kept");
    assert_eq!(names(folder.path()), ["dangling", "folder", "link", "pipe", "target"]);
}
