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
    project.only_binary("src/bin/reject.rs");
    let mut program = String::new();
    for case in &cases {
        case.write(&project);
        project.write(&format!("src/bin/{}.rs", case.name), module(case));
        let _ = writeln!(program, "mod {};", case.name);
    }
    project.write("src/bin/reject.rs", program + "\nfn main() {}\n");
    let outcome = project.build(Compiler::Rustc).remove("reject").expect("one binary");
    assert_eq!(outcome.executable, None, "it was built");
    let mut failures = String::new();
    for case in &cases {
        if let Err(failure) = judge(case, &outcome) {
            let _ = writeln!(failures, "\n== {}\n{failure}", case.name);
        }
    }
    let all: usize = cases.iter().map(|case| case.mistakes).sum();
    let said =
        outcome.diagnostics.iter().filter(|text| !text.starts_with("error: aborting due to"));
    assert_eq!(said.count(), all, "{failures}{:#?}", outcome.diagnostics);
    assert!(failures.is_empty(), "{failures}\n`UPDATE=1` takes what the build says now");
    let files = fs::read_dir(stderr_folder()).unwrap().map(|entry| entry.unwrap().path());
    let stems: BTreeSet<String> =
        files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(stems, names, "a message without its case");
    println!("{} rejected inputs", cases.len());
}

/// A module: one binary with all of them is compiled in less time than one each.
fn module(case: &Case) -> String {
    let call = case.call();
    format!(
        "use migrate_runtime::{{Migrations, embed_migrations}};\n\n\
         static MIGRATIONS: Migrations = {call};\n"
    )
}

fn stderr_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/build/ui/stderr")
}

/// Compares the output of the compiler for the case's file with the expected one.
fn judge(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let place = format!(" --> src/bin/{}.rs:", case.name);
    let mistakes: Vec<&String> =
        outcome.diagnostics.iter().filter(|text| text.contains(&place)).collect();
    let printed: String = mistakes.iter().map(|text| without_origin(text)).collect();
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
