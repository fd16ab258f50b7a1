//! What the build refuses, one mistake per case.

mod arguments;
mod folder;
mod grammar;
mod lints;
mod names;
mod objects;
mod placeholders;
mod sections;
mod sets;
mod statements;
mod text;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch::{Compiler, Outcome, Scratch};
use crate::ui::case::Case;

/// Every case, in the order in which a folder becomes a set.
fn cases() -> Vec<Case> {
    [
        arguments::CASES,
        folder::CASES,
        names::CASES,
        sets::CASES,
        text::CASES,
        sections::CASES,
        statements::CASES,
        placeholders::CASES,
        grammar::CASES,
        objects::CASES,
        lints::CASES,
    ]
    .concat()
}

#[test]
fn every_mistake_is_refused_in_its_exact_words() {
    let cases = cases();
    let names: BTreeSet<String> = cases.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let project = Scratch::new("reject", "2024", "migrate-runtime");
    for case in &cases {
        case.write(&project);
        project.write(&format!("src/bin/{}.rs", case.name), program(case));
    }
    let outcomes = project.build(Compiler::Rustc);
    let mut failures = String::new();
    for case in &cases {
        let failure = match outcomes.get(case.name) {
            Some(outcome) => judge(case, outcome),
            None => Err("it was not built".to_owned()),
        };
        if let Err(failure) = failure {
            let _ = writeln!(failures, "\n== {}\n{failure}", case.name);
        }
    }
    assert!(failures.is_empty(), "{failures}\n`UPDATE=1` takes what the build says now");
    let files = fs::read_dir(stderr_folder()).unwrap().map(|entry| entry.unwrap().path());
    let stems: BTreeSet<String> =
        files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(stems, names, "a message without its case");
    println!("{} rejected inputs", cases.len());
}

fn program(case: &Case) -> String {
    let call = case.call();
    format!(
        "use migrate_runtime::{{Migrations, embed_migrations}};\n\n\
         static MIGRATIONS: Migrations = {call};\n\n\
         fn main() {{\n    println!(\"{{}}\", MIGRATIONS.len());\n}}\n"
    )
}

fn stderr_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/build/ui/stderr")
}

/// Compares the output of the compiler with the expected one.
fn judge(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let diagnostics = &outcome.diagnostics;
    let (summary, mistakes): (Vec<&String>, Vec<&String>) =
        diagnostics.iter().partition(|text| text.starts_with("error: aborting due to"));
    let printed: String = mistakes.iter().map(|text| without_origin(text)).collect();
    if summary.len() > 1 || outcome.executable.is_some() {
        return Err(format!("it was built\n{printed}"));
    }
    if mistakes.len() != case.mistakes {
        return Err(format!("{} mistakes gave {}:\n{printed}", case.mistakes, mistakes.len()));
    }
    let file = stderr_folder().join(format!("{}.stderr", case.name));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, printed).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if printed == expected {
        return Ok(());
    }
    Err(format!("-- expected\n{expected}-- printed\n{printed}"))
}

/// A diagnostic without the compiler's own note on where macros come from, which differs between
/// stable and nightly.
fn without_origin(diagnostic: &str) -> String {
    let note = |line: &&str| line.trim_start().starts_with("= note: this error originates in");
    diagnostic.split_inclusive('\n').filter(|line| !note(line)).collect()
}
