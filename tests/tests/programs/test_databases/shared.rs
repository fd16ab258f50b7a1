//! The throwaway server that the processes of a user share: one for all, as long as any of them lives.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use migrate_testing::Server;

use super::part::{LIMIT, Part, folder, is_alive, temporary_folder, wait_until_gone};

#[test]
fn processes_share_a_server_until_the_last_is_gone() {
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let parts: Vec<Part> = (0..4).map(|_| Part::begin("server", "", &env)).collect();
    let mut parts: Vec<Part> = parts.into_iter().map(Part::ready).collect();
    let printed = parts[0].printed.clone();
    assert!(printed[0].starts_with(base.path().to_str().unwrap()), "{printed:?}");
    assert!(parts.iter().all(|part| part.printed == printed), "all of one server");
    for mut part in parts.drain(1..) {
        part.child.kill().unwrap();
        part.child.wait().unwrap();
    }
    // A process that starts while one is there gets the same, also long after the lingering time.
    thread::sleep(Duration::from_millis(700));
    let late = Part::begin("server", "", &env).ready();
    assert_eq!(late.printed, printed);
    late.end();
    assert!(is_alive(&printed[1]));
    parts.pop().unwrap().end();
    wait_until_gone(&printed);
    let left: Vec<_> = fs::read_dir(base.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "the folder of the registers: {left:?}");
    assert_eq!(fs::read_dir(left[0].path()).unwrap().count(), 0, "the server removes its register");
}

/// An account that has the name of the folder of the registers could name a server of its own.
#[test]
fn a_name_that_something_else_has_is_an_error() {
    let account = fs::metadata(folder(&Server::start().unwrap())).unwrap().uid();
    let check = |squat: fn(&Path), expected: &str| {
        let base = temporary_folder();
        let path = base.path().join(format!("migrate-pg-{account}"));
        squat(&path);
        let env = [("TMPDIR", base.path().to_str().unwrap())];
        let part = Part::begin("error", "", &env).ready();
        let help =
            "help: remove it if it is yours, or set TMPDIR to a folder that only you can write to";
        assert_eq!(part.printed, [format!("`{}` {expected}", path.display()), help.to_owned()]);
        part.end();
    };
    check(|path| symlink("/tmp", path).unwrap(), "is a link");
    check(|path| symlink("/nowhere", path).unwrap(), "is a link");
    check(|path| fs::write(path, "").unwrap(), "is not a folder");
    check(
        |path| {
            fs::create_dir(path).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
            chown(path, account_of(path), None).unwrap();
        },
        "is open to others",
    );
}

/// The account in the name of its folder.
fn account_of(path: &Path) -> Option<u32> {
    path.to_str()?.rsplit('-').next()?.parse().ok()
}

#[test]
fn shared_server_that_died_is_replaced() {
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let one = Part::begin("server", "", &env).ready();
    assert!(Command::new("kill").args(["-9", &one.printed[1]]).status().unwrap().success());
    // At once, so that this one starts while the system still ends the server.
    let other = Part::begin("server", "", &env).ready();
    assert_ne!(other.printed, one.printed);
    end_both(one, other);
}

/// The watchdog decides to end just when a process has opened its pipe: a process without an answer gets
/// another server.
#[test]
fn process_without_an_answer_uses_another_server() {
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let one = Part::begin("server", "", &env).ready();
    let (folder, postmaster) = (PathBuf::from(&one.printed[0]), one.printed[1].clone());
    let watchdog = parent_of(&postmaster);
    let listening: Vec<String> =
        children_of(&watchdog).into_iter().filter(|child| *child != postmaster).collect();
    signal("STOP", &listening);
    let other = Part::begin("server", "", &env);
    let deadline = Instant::now() + LIMIT;
    while !has_open(other.child.id(), &folder.join("users")) {
        assert!(Instant::now() < deadline, "no process joins");
    }
    fs::remove_file(folder.join("users")).unwrap();
    let other = other.ready();
    signal("CONT", &listening);
    assert_ne!(other.printed, one.printed);
    end_both(one, other);
}

/// Ends two processes, and waits until their servers are gone.
fn end_both(one: Part, other: Part) {
    let printed = [one.printed.clone(), other.printed.clone()];
    one.end();
    other.end();
    for printed in &printed {
        wait_until_gone(printed);
    }
}

fn signal(name: &str, ids: &[String]) {
    assert_eq!(ids.len(), 1, "one process listens");
    assert!(Command::new("kill").args(["-s", name]).args(ids).status().unwrap().success());
}

/// Each process with its parent.
fn processes() -> Vec<[String; 2]> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| {
        let (child, parent) = line.trim().split_once(char::is_whitespace)?;
        Some([child.to_owned(), parent.trim().to_owned()])
    };
    text.lines().filter_map(pair).collect()
}

fn parent_of(id: &str) -> String {
    processes().into_iter().find(|[child, _]| child == id).unwrap()[1].clone()
}

fn children_of(id: &str) -> Vec<String> {
    processes().into_iter().filter(|[_, parent]| parent == id).map(|[child, _]| child).collect()
}

/// Whether a process has a file open, according to Linux.
fn has_open(id: u32, path: &Path) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{id}/fd")) else { return false };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|found| found == path))
}

/// Each round starts while the server of the round before is about to end.
#[test]
fn process_that_starts_while_the_server_ends_gets_another() {
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let mut seen = HashSet::new();
    for round in 0..6 {
        let part = Part::begin("server", "", &env).ready();
        thread::sleep(Duration::from_millis(50));
        assert!(is_alive(&part.printed[1]), "the server went under its user");
        assert!(Path::new(&part.printed[0]).join("users").exists(), "it is about to go");
        seen.insert(part.printed.clone());
        part.end();
        thread::sleep(Duration::from_millis(60 * round));
    }
    for printed in &seen {
        wait_until_gone(printed);
    }
}
