//! What the build takes: sets of every layout and dialect, and every way to use one.

mod sets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::case::{Case, case};
use crate::scratch::{Compiler, Outcome, Scratch};

/// The set that the programs in this folder use.
const MIGRATIONS: Case = case(
    "migrations",
    &[
        ("0001_users.sql", "CREATE TABLE users (id int);\n"),
        ("0002_quotes.sql", "INSERT INTO users VALUES (E'\\\"#', '\"##', 'é\u{202e}');\n"),
    ],
);

/// Runs these binaries, which were built without a word from the compiler.
fn check(outcomes: &BTreeMap<String, Outcome>, names: &[&str]) {
    for name in names {
        let outcome = outcomes.get(*name).unwrap_or_else(|| panic!("{name} was not built"));
        assert_eq!(outcome.diagnostics, Vec::<String>::new(), "{name}");
        run(outcome);
    }
}

/// Runs what was built; what it prints.
fn run(outcome: &Outcome) -> String {
    let output = Command::new(outcome.executable.as_ref().unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn a_set_is_a_constant_that_passes_every_lint() {
    let project = Scratch::new("accept", "2024", "migrate-runtime");
    MIGRATIONS.write(&project);
    project.write("src/bin/usages.rs", include_str!("usages.rs"));
    project.write("src/bin/hygiene.rs", include_str!("hygiene.rs"));
    check(&project.build(Compiler::Clippy), &["usages", "hygiene"]);
}

#[test]
fn a_renamed_dependency_of_an_older_edition_works() {
    let project = Scratch::new("accept-2021", "2021", "mig");
    MIGRATIONS.write(&project);
    project.write("src/bin/renamed.rs", include_str!("renamed.rs"));
    check(&project.build(Compiler::Clippy), &["renamed"]);
}

#[test]
fn every_layout_and_every_tool_s_files_are_understood() {
    let project = Scratch::new("accept-sets", "2024", "migrate-runtime");
    let mut program = String::from(include_str!("describe.rs"));
    let mut expected = String::new();
    program.push_str("\nfn main() {\n");
    for (case, shown) in sets::CASES {
        case.write(&project);
        let (name, call) = (case.name, case.call());
        let _ = writeln!(program, "    describe({name:?}, &migrate_runtime::{call});");
        let lines: Vec<&str> = shown.lines().map(str::trim).collect();
        let _ = writeln!(expected, "== {name}\n{}", lines.join("\n"));
    }
    program.push_str("}\n");
    project.write("src/bin/sets.rs", program);
    let outcomes = project.build(Compiler::Clippy);
    let outcome = &outcomes["sets"];
    assert_eq!(outcome.diagnostics, Vec::<String>::new());
    let said = run(outcome);
    assert!(said == expected, "-- expected\n{expected}-- said\n{said}");
}

#[test]
fn the_folder_may_be_named_by_an_absolute_path() {
    let project = Scratch::new("accept-absolute", "2024", "migrate-runtime");
    MIGRATIONS.write(&project);
    let folder = project.path("migrations");
    let program = format!(
        "fn main() {{ assert_eq!(migrate_runtime::embed_migrations!({folder:?}).len(), 2); }}\n"
    );
    project.write("src/bin/absolute.rs", program);
    check(&project.build(Compiler::Rustc), &["absolute"]);
    fs::remove_dir_all(folder).unwrap();
    let outcomes = project.build(Compiler::Rustc);
    assert!(outcomes["absolute"].executable.is_none(), "the folder is gone");
}
