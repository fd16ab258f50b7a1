//! The README's walk from `cargo new` to a migrated database, in a folder outside the workspace.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;

use migrate_tests::database::FreshDatabase;
use migrate_tests::walk::{Shell, Walk};

use crate::scratch::target;

/// The words of a report, each time in milliseconds as `_`.
fn words(report: &str) -> Vec<&str> {
    let words: Vec<&str> = report.split_whitespace().collect();
    let is_time = |at: usize| words.get(at + 1).is_some_and(|unit| unit.starts_with("ms"));
    (0..words.len()).map(|at| if is_time(at) { "_" } else { words[at] }).collect()
}

#[tokio::test]
async fn four_commands_and_twelve_lines_lead_from_cargo_new_to_a_migrated_database() {
    let walk = Walk::of_readme();
    assert_eq!((walk.commands.len(), walk.files.len(), walk.lines()), (4, 3, 12));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let scratch = tempfile::tempdir().expect("a folder");
    let database = FreshDatabase::create().await;

    let shell = Shell {
        folder: scratch.path(),
        url: database.url(),
        target: target().to_owned(),
        environment: &[("CARGO_NET_OFFLINE", "true")],
    };
    // The lock file is the workspace's, whose packages are fetched already.
    let went = walk.take(&shell, |project| {
        fs::copy(workspace.join("Cargo.lock"), project.join("Cargo.lock")).expect("a lock file");
    });
    let [.., first, second] = &went[..] else { panic!("{went:?}") };
    assert_eq!(words(&first.printed), words(walk.printed));
    assert!(second.printed.starts_with("nothing pending: 1 applied before; "), "{second:?}");
}
