//! The README's commands from `cargo new` to a migrated database, unchanged except for the path of the
//! repository and the address of the database, in a folder outside the workspace.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;
use std::process::Command;

use migrate_tests::cargo::as_from_a_shell;
use migrate_tests::database::FreshDatabase;

use crate::scratch::target;

const README: &str = include_str!("../../../README.md");

/// The blocks of this language below a heading, in order.
fn blocks(heading: &str, language: &str) -> Vec<&'static str> {
    let (_, section) = README.split_once(heading).expect("the heading");
    let section = section.split("\n## ").next().expect("a section");
    let fence = format!("\n```{language}\n");
    let block = |rest: &'static str| rest.split("```").next().expect("a block");
    section.split(&fence).skip(1).map(block).collect()
}

/// The output of the commands, run as by a user's shell.
fn shell(folder: &Path, commands: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-ec", commands]).current_dir(folder).env_remove("DATABASE_URL");
    // The lock file is the workspace's, whose packages are fetched already.
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
    let output = as_from_a_shell(&mut command).output().expect("a shell");
    let utf8 = |bytes| String::from_utf8(bytes).expect("UTF-8");
    assert!(output.status.success(), "{commands}\n{}", utf8(output.stderr));
    utf8(output.stdout)
}

/// The words of a report, each time in milliseconds as `_`.
fn words(report: &str) -> Vec<&str> {
    let words: Vec<&str> = report.split_whitespace().collect();
    let is_time = |at: usize| words.get(at + 1).is_some_and(|unit| unit.starts_with("ms"));
    (0..words.len()).map(|at| if is_time(at) { "_" } else { words[at] }).collect()
}

#[tokio::test]
async fn one_call_leads_from_cargo_new_to_a_migrated_database() {
    let heading = "### From nothing to a migrated database\n";
    let ([begin, run], [program], [printed]) = (
        blocks(heading, "sh").try_into().expect("two blocks of commands"),
        blocks(heading, "rust").try_into().expect("one program"),
        blocks(heading, "text").try_into().expect("one output"),
    );
    let (begin, run): (&str, &str) = (begin, run);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let scratch = tempfile::tempdir().expect("a folder");
    let database = FreshDatabase::create().await;

    let runtime = workspace.join("migrate-runtime");
    shell(scratch.path(), &begin.replace("../migrate/migrate-runtime", &runtime.to_string_lossy()));
    let project = scratch.path().join("shop");
    fs::copy(workspace.join("Cargo.lock"), project.join("Cargo.lock")).expect("a lock file");
    fs::write(project.join("src/main.rs"), program).expect("a program");
    let address = "postgresql://me@localhost/shop";
    let run = run.replace(address, &format!("'{}'", database.url()));
    assert_eq!(words(&shell(&project, &run)), words(printed));
    assert!(shell(&project, &run).starts_with("nothing pending: 1 applied before; "));
}
