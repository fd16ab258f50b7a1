//! What the build accepts: sets of every layout and dialect, and every way to use one.

mod sets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::scratch::{Compiler, Outcome, Scratch};
use crate::ui::case::{Case, case};

/// The set that the programs in this folder use.
const MIGRATIONS: Case = case(
    "migrations",
    &[
        ("0001_users.sql", "CREATE TABLE users (id int);\n"),
        ("0002_quotes.sql", "INSERT INTO users VALUES (E'\\\"#', '\"##', 'é\u{202e}');\n"),
    ],
);

/// Runs these binaries, which were built without a diagnostic.
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
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
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
    let printed = run(outcome);
    assert!(printed == expected, "-- expected\n{expected}-- printed\n{printed}");
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

/// Builds one set, which is accepted, and returns the diagnostics.
fn warnings_of(case: &Case) -> Vec<String> {
    let project = Scratch::new(&format!("accept-{}", case.name), "2024", "migrate-runtime");
    case.write(&project);
    let call = case.call();
    let program = format!("fn main() {{ assert!(!migrate_runtime::{call}.is_empty()); }}\n");
    project.write(&format!("src/bin/{}.rs", case.name), program);
    let outcomes = project.build(Compiler::Rustc);
    let outcome = &outcomes[case.name];
    assert!(outcome.executable.is_some(), "{:?}", outcome.diagnostics);
    outcome.diagnostics.clone()
}

const LOCKS: &[(&str, &str)] = &[
    ("1_users.sql", "CREATE TABLE users (id int);\nCREATE INDEX ON users (id);\n"),
    ("2_index.sql", "CREATE INDEX users_id ON users (id);\n"),
];

#[test]
fn lints_can_warn_on_a_stable_compiler() {
    let warnings = warnings_of(&case("warned", LOCKS).arguments("\"warned\", lints = warn"));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let lines: Vec<&str> = warnings[0].lines().collect();
    assert!(lines[0].starts_with("warning: use of deprecated constant "), "{}", warnings[0]);
    let expected = "warned/2_index.sql:1:1: writes to the table are blocked while this index is built; \
                    it takes a SHARE lock";
    assert!(lines[0].ends_with(expected), "{}", warnings[0]);
    assert!(
        warnings[0].contains("-- migrate:allow index-not-concurrent because REASON"),
        "{}",
        warnings[0]
    );
}

#[test]
fn lints_are_off_until_asked_for_and_allowed_a_file() {
    assert_eq!(warnings_of(&case("unlinted", LOCKS)), Vec::<String>::new());
    let allowed = case(
        "allowed",
        &[(
            "1_index.sql",
            "-- migrate:allow index-not-concurrent because the table is small\n\
             CREATE INDEX users_id ON users (id);\n",
        )],
    );
    let warnings = warnings_of(&allowed.arguments("\"allowed\", lints = deny"));
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn syntax_that_is_not_known_has_a_way_out() {
    let files: &[(&str, &str)] = &[("1_new.sql", "CREATE NOVELTY x WITH (everything);\n")];
    let off = case("unchecked_syntax", files).arguments("\"unchecked_syntax\", syntax = off");
    assert_eq!(warnings_of(&off), Vec::<String>::new());
    let allowed = case(
        "allowed_syntax",
        &[(
            "1_new.sql",
            "-- migrate:allow syntax because it is of the next version\n\
             CREATE NOVELTY x WITH (everything);\n",
        )],
    );
    assert_eq!(warnings_of(&allowed), Vec::<String>::new());
}
