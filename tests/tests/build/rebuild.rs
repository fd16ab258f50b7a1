//! Cargo builds a crate with a set again after an edit of an embedded file, and only then: a macro on stable
//! Rust cannot watch a folder for new files.

use std::fs;
use std::process::Command;

use crate::scratch::{Compiler, Outcome, Scratch};

const PROGRAM: &str = r#"
use migrate_runtime::{Migrations, embed_migrations};

static MIGRATIONS: Migrations = embed_migrations!("migrations");

fn main() {
    for migration in &MIGRATIONS {
        println!("{} {}", migration.version(), migration.checksum());
    }
}
"#;

/// A project of this one program, which has the project's name.
fn project(name: &str) -> Scratch {
    let project = Scratch::new(name, "2024", "migrate-runtime");
    project.write("src/main.rs", PROGRAM);
    project
}

/// Builds it, and returns the diagnostics of its program.
fn build(project: &Scratch) -> Outcome {
    project.build(Compiler::Rustc).into_values().next().unwrap()
}

/// Builds and runs it: whether there was anything to build, and what it prints.
fn build_and_run(project: &Scratch) -> (Built, String) {
    let outcome = build(project);
    assert_eq!(outcome.diagnostics, Vec::<String>::new());
    let output = Command::new(outcome.executable.unwrap()).output().unwrap();
    let built = if outcome.fresh { Built::Nothing } else { Built::Again };
    (built, String::from_utf8(output.stdout).unwrap())
}

#[derive(Debug, PartialEq)]
enum Built {
    Again,
    Nothing,
}

#[test]
fn an_edited_migration_is_embedded_anew() {
    let project = project("rebuild");
    project.write("migrations/1_users.sql", "CREATE TABLE users (id int);\n");
    project.write("migrations/2_posts.sql", "CREATE TABLE posts (id int);\n");
    project.write("migrations/README.md", "# Migrations\n");

    let (built, first) = build_and_run(&project);
    assert_eq!((built, first.lines().count()), (Built::Again, 2));
    assert_eq!(build_and_run(&project), (Built::Nothing, first.clone()));

    project.write("migrations/README.md", "# How to write migrations\n");
    project.write("migrations/.gitkeep", "");
    assert_eq!(build_and_run(&project), (Built::Nothing, first.clone()), "a bystander was edited");

    project.write("migrations/2_posts.sql", "CREATE TABLE posts (id bigint);\n");
    let (built, second) = build_and_run(&project);
    assert_eq!(built, Built::Again);
    assert_ne!(second, first);
    assert_eq!(second.lines().next(), first.lines().next(), "only the second one was edited");

    project.write("migrations/1_users.sql", "-- A licence.\nCREATE TABLE users (id int);\n");
    assert_eq!(build_and_run(&project), (Built::Again, second.clone()), "its text is in the set");

    fs::remove_file(project.path("migrations/1_users.sql")).unwrap();
    let (built, third) = build_and_run(&project);
    assert_eq!((built, third.lines().count()), (Built::Again, 1), "a file was removed");
}

#[test]
fn a_mistake_that_is_fixed_is_noticed() {
    let project = project("rebuild-fixed");
    project.write("migrations/1_users.sql", "VACUUM;\n");
    let outcome = build(&project);
    assert!(outcome.executable.is_none() && outcome.diagnostics[0].contains("VACUUM"));

    project.write("migrations/1_users.sql", "SELECT 1;\n");
    let (built, printed) = build_and_run(&project);
    assert_eq!((built, printed.lines().count()), (Built::Again, 1));
}
