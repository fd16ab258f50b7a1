//! A cargo project whose migration folder changes: the build compares it with the history file, and a debug
//! build detects added and removed files.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use migrate_runtime::__private::{Origin, Traits};
use migrate_runtime::set::Layout;
use migrate_runtime::{ErrorKind, Migrations, Migrator, check_embed};
use migrate_tests::database::FreshDatabase;

use crate::scratch::{Compiler, Outcome, Scratch};

fn program(arguments: &str) -> String {
    format!(
        "use migrate_runtime::{{Migrations, check_embed, embed_migrations}};\n\
         static MIGRATIONS: Migrations = embed_migrations!(\"migrations\"{arguments});\n\
         fn main() {{\n    match check_embed(&MIGRATIONS) {{\n        \
         Ok(()) => println!(\"{{}} embedded\", MIGRATIONS.len()),\n        \
         Err(error) => println!(\"{{error}}\"),\n    }}\n}}\n"
    )
}

fn project(name: &str, arguments: &str) -> Scratch {
    let project = Scratch::new(name, "2024", "migrate-runtime");
    project.write("src/main.rs", program(arguments));
    project.write("migrations/1_a.sql", "SELECT 1;\n");
    project.write("migrations/2_b.sql", "SELECT 2;\n");
    project
}

fn build(project: &Scratch) -> Outcome {
    project.build(Compiler::Rustc).into_values().next().expect("a binary")
}

/// What the built program prints.
fn run(project: &Scratch) -> String {
    let outcome = build(project);
    let executable = outcome.executable.unwrap_or_else(|| panic!("{:?}", outcome.diagnostics));
    let output = Command::new(executable).output().expect("the program");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The first line of each diagnostic of a build that fails.
fn refusals(project: &Scratch) -> Vec<String> {
    let outcome = build(project);
    assert!(outcome.executable.is_none(), "it was built");
    let first = |diagnostic: &String| diagnostic.lines().next().unwrap_or_default().to_owned();
    outcome.diagnostics.iter().map(first).collect()
}

fn remove(project: &Scratch, file: &str) {
    fs::remove_file(project.path(file)).expect("a file to remove");
}

#[test]
fn file_that_came_without_a_rebuild_is_named_by_a_debug_build() {
    let project = project("stale", "");
    assert_eq!(run(&project), "2 embedded\n");
    project.write("migrations/3_c.sql", "SELECT 3;\n");
    let folder = project.path("migrations");
    let expected = format!(
        "the set was embedded from `{}` before its files changed\nadded: 3_c.sql\n\
         help: rebuild the crate that embeds it, whose build.rs should print \
         `cargo::rerun-if-changed=migrations`\n",
        folder.display()
    );
    assert_eq!(run(&project), expected);
    remove(&project, "migrations/3_c.sql");
    project.write("migrations/README.md", "a bystander\n");
    assert_eq!(run(&project), "2 embedded\n");
    // An edit, a rename and a removal change a file that the compiler tracks.
    project.write("migrations/2_b.sql", "SELECT 22;\n");
    assert_eq!(run(&project), "2 embedded\n");
    remove(&project, "migrations/2_b.sql");
    project.write("migrations/3_b.sql", "SELECT 2;\n");
    assert_eq!(run(&project), "2 embedded\n");
    remove(&project, "migrations/3_b.sql");
    assert_eq!(run(&project), "1 embedded\n");
}

#[test]
fn with_one_line_in_its_build_script_every_change_is_a_rebuild() {
    let project = project("watched", "");
    let script = "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n}\n";
    project.write("build.rs", script);
    assert_eq!(run(&project), "2 embedded\n");
    project.write("migrations/3_c.sql", "SELECT 3;\n");
    assert_eq!(run(&project), "3 embedded\n");
    remove(&project, "migrations/3_c.sql");
    assert_eq!(run(&project), "2 embedded\n");
}

#[test]
fn history_is_written_on_request_and_checked() {
    let project = project("frozen", ", history = \"migrations.history\"");
    let new = [
        "error: migrations.history: version 1: `1_a.sql` is not frozen yet",
        "error: migrations.history: version 2: `2_b.sql` is not frozen yet",
    ];
    assert_eq!(refusals(&project), new);
    assert!(!project.path("migrations.history").exists());
    update(&project);
    assert_eq!(run(&project), "2 embedded\n");
    let history = fs::read_to_string(project.path("migrations.history")).expect("the history");
    assert_eq!(history.lines().count(), 3, "{history}");

    project.write("migrations/2_b.sql", "-- a remark\nSELECT   2;\n");
    assert_eq!(run(&project), "2 embedded\n");
    project.write("migrations/1_a.sql", "SELECT 11;\n");
    project.write("migrations/1.5_c.sql", "SELECT 3;\n");
    remove(&project, "migrations/2_b.sql");
    project.write("migrations/2_x.sql", "SELECT 2;\n");
    let refused = [
        "error: migrations.history: version 1: `1_a.sql` was edited after it was frozen",
        "error: migrations.history: version 1.5: `1.5_c.sql` is new and sorts before version 2, which is frozen",
        "error: migrations.history: version 2: `b` was renamed to `x` after it was frozen",
    ];
    assert_eq!(refusals(&project), refused);
    assert_eq!(
        fs::read_to_string(project.path("migrations.history")).expect("the history"),
        history
    );
    update(&project);
    assert_eq!(run(&project), "3 embedded\n");
    remove(&project, "migrations/1.5_c.sql");
    let refused =
        ["error: migrations.history: version 1.5: `c` is frozen but missing from the set"];
    assert_eq!(refusals(&project), refused);

    let (old, new) = ("migrations.lock", "migrations.history");
    fs::rename(project.path(new), project.path(old)).expect("the former name");
    let refused = ["error: migrations.history: does not exist, but `migrations.lock` does"];
    assert_eq!(refusals(&project), refused);
}

/// A history that CI writes would only be compared with itself.
#[test]
fn history_is_written_in_ci_only_by_a_word_of_its_own() {
    let project = project("ci", ", history = \"migrations.history\"");
    let build = |update: &str, ci: &str| {
        let variables = [("MIGRATE_UPDATE_HISTORY", update), ("CI", ci)];
        let outcomes = project.build_with(Compiler::Rustc, &variables);
        outcomes.into_values().next().expect("a binary").diagnostics
    };
    let refused = build("1", "true");
    let expected = "error: migrations.history: is not written in CI\n       help: commit the file that a \
                    build outside CI writes, or set `MIGRATE_UPDATE_HISTORY=in-ci`\n";
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with(expected), "{refused:?}");
    assert!(!project.path("migrations.history").exists());
    assert_eq!(build("in-ci", "true"), [""; 0]);
    assert!(project.path("migrations.history").exists());
    // Nothing to write: the history is up to date.
    assert_eq!(build("1", "true"), [""; 0]);
    project.write("migrations/3_c.sql", "SELECT 3;\n");
    assert_eq!(build("1", "false"), [""; 0]);
}

#[test]
fn history_that_is_a_link_is_not_written() {
    let project = project("linked", ", history = \"migrations.history\"");
    project.write("elsewhere", "");
    symlink("elsewhere", project.path("migrations.history")).expect("a link");
    let outcomes = project.build_with(Compiler::Rustc, &[("MIGRATE_UPDATE_HISTORY", "1")]);
    let refused = outcomes.into_values().next().expect("a binary").diagnostics;
    let expected = "error: migrations.history: cannot be written: it is a link, not a file\n";
    assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    assert_eq!(fs::read_to_string(project.path("elsewhere")).expect("the file"), "");
}

/// `MIGRATE_UPDATE_HISTORY=1 cargo build`
fn update(project: &Scratch) {
    let outcomes = project.build_with(Compiler::Rustc, &[("MIGRATE_UPDATE_HISTORY", "1")]);
    assert!(outcomes.into_values().all(|outcome| outcome.executable.is_some()));
}

#[tokio::test]
async fn stale_set_does_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("1_a.sql"), "SELECT 1;").expect("a file");
    fs::write(folder.path().join("2_b.sql"), "SELECT 2;").expect("a file");
    let path: &'static str = folder.path().display().to_string().leak();
    let origin = Origin { folder: path, files: concat!("0_x.sql", "\0", "1_a.sql") };
    let traits = Traits { orders_by_name: false, has_non_transactional: false };
    let layout = Layout::Numeric;
    let stale = Migrations::embedded("default", "migrations", layout, Some(origin), traits, || &[]);
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let error = Migrator::new(&stale).run(&mut client).await.expect_err("stale");
    assert!(matches!(error.kind(), ErrorKind::StaleEmbed(_)));
    let expected = format!(
        "the set was embedded from `{path}` before its files changed\nadded: 2_b.sql\n\
         removed: 0_x.sql\n\
         help: rebuild the crate that embeds it, whose build.rs should print \
         `cargo::rerun-if-changed=migrations`"
    );
    assert_eq!(error.to_string(), expected);
    // Without the folder on this machine, the check finds nothing.
    drop(folder);
    check_embed(&stale).expect("no folder");
}
