//! A cargo project whose migration folder changes: the build compares it with the history file and the schema
//! file, and a debug build detects added and removed files.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, SystemTime};

use migrate_runtime::__private::{Digest, Origin, Traits};
use migrate_runtime::internal::SchemaForm;
use migrate_runtime::set::Layout;
use migrate_runtime::{ErrorKind, Migrations, Migrator, check_embed};
use migrate_testing::TestDatabase;
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

/// Cargo compares times, so it does not build again.
#[test]
fn file_that_was_restored_with_an_old_time_is_named_by_a_debug_build() {
    let project = project("restored", "");
    assert_eq!(run(&project), "2 embedded\n");
    project.write("migrations/2_b.sql", "SELECT 22;\n");
    let file = fs::File::options().append(true).open(project.path("migrations/2_b.sql"));
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    file.expect("a file").set_modified(old).expect("an old time");
    let name = project.path("").file_name().expect("a name").to_string_lossy().into_owned();
    let expected = |head: String| {
        format!(
            "{head}\nedited: 2_b.sql\nhelp: `cargo clean -p {name}`, and build again: cargo compares \
             times, and a file that was restored or copied can be older than the build\n"
        )
    };
    let folder = project.path("migrations").display().to_string();
    let head = format!("the set was embedded from `{folder}` before its files changed");
    assert_eq!(run(&project), expected(head));
    // Another line ending is not another text.
    project.write("migrations/2_b.sql", "SELECT 2;\r\n");
    let file = fs::File::options().append(true).open(project.path("migrations/2_b.sql"));
    file.expect("a file").set_modified(old).expect("an old time");
    assert_eq!(run(&project), "2 embedded\n");

    // A second checkout runs what the first one built.
    let second = Scratch::new("restored-second", "2024", "migrate-runtime");
    for file in ["Cargo.toml", "migrations/1_a.sql", "migrations/2_b.sql"] {
        second.write(file, fs::read(project.path(file)).expect("a file"));
    }
    let program = build(&project).executable.expect("a program");
    let run = || {
        let mut program = Command::new(&program);
        program.env("CARGO_MANIFEST_DIR", second.path("")).current_dir(second.path(""));
        String::from_utf8(program.output().expect("the program").stdout).expect("UTF-8")
    };
    assert_eq!(run(), "2 embedded\n");
    second.write("migrations/2_b.sql", "SELECT 22;\n");
    let now = second.path("migrations").display().to_string();
    let head = format!("the set was embedded from `{folder}`, and `{now}` is not the same");
    assert_eq!(run(), expected(head));
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
    assert_eq!(refusals(&project), ["error: migrations.history: does not exist"]);
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
    // `1` adds, and replaces the newest line only.
    let outcome = build_with(&project, "1");
    assert!(outcome.executable.is_none(), "it was built");
    assert_eq!(outcome.diagnostics.len(), 2, "{:?}", outcome.diagnostics);
    for ((said, refused), word) in outcome.diagnostics.iter().zip(refused).zip(["=rewrite", ""]) {
        assert!(said.starts_with(refused) && said.contains(word), "{said}");
    }
    let now = || fs::read_to_string(project.path("migrations.history")).expect("the history");
    assert_eq!(now(), history);
    let outcome = build_with(&project, "rewrite");
    assert_eq!(outcome.diagnostics, [""; 0]);
    let note = "note: `migrations.history`: ";
    let notes: Vec<&str> =
        outcome.stderr.lines().filter_map(|line| line.strip_prefix(note)).collect();
    let changes = [
        "version 1: `1_a.sql` was edited",
        "version 1.5: `1.5_c.sql` was added",
        "version 2: `b` was renamed to `x`",
    ];
    assert_eq!(notes, changes);
    assert_eq!(run(&project), "3 embedded\n");
    project.write("migrations/2_x.sql", "SELECT 22;\n");
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
    project.write("elsewhere", HEADER);
    symlink("elsewhere", project.path("migrations.history")).expect("a link");
    let refused = build_with(&project, "1").diagnostics;
    let expected = "error: migrations.history: cannot be written: it is a link, not a file\n";
    assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    assert_eq!(fs::read_to_string(project.path("elsewhere")).expect("the file"), HEADER);
}

const HEADER: &str = "# migrate lock 1: version, checksum and name of each migration, in order\n";

#[test]
fn history_that_cannot_be_read_is_never_written() {
    let project = project("unreadable", ", history = \"migrations.history\"");
    let file = project.path("migrations.history");
    let utf16: Vec<u8> =
        format!("\u{feff}{HEADER}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let rows = [
        (&b""[..], "1", "its first line is ``, not that of a history file of format 1"),
        (&utf16, "rewrite", "cannot be read: it is not UTF-8"),
    ];
    for (bytes, word, reason) in rows {
        fs::write(&file, bytes).expect("a file");
        let refused = build_with(&project, word).diagnostics;
        let expected = format!("error: migrations.history: {reason}\n");
        assert!(refused.len() == 1 && refused[0].starts_with(&expected), "{word}: {refused:?}");
        assert_eq!(fs::read(&file).expect("the file"), bytes);
    }
    fs::remove_file(&file).expect("the file");
    fs::create_dir(&file).expect("a folder");
    let refused = build_with(&project, "rewrite").diagnostics;
    let expected = "error: migrations.history: cannot be read: ";
    assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    fs::remove_dir(&file).expect("the folder");
    let refused = build_with(&project, "yes").diagnostics;
    let expected = "error: migrations.history: is not written: `yes` is not a word of \
                    `MIGRATE_UPDATE_HISTORY`\n";
    assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    assert!(!file.exists());
}

#[test]
fn schema_file_is_written_on_request_and_checked() {
    let project = project("described", ", schema = \"schema.sql\", history = \"set.history\"");
    project.write("migrations/2_b.sql", "CREATE TABLE users (id bigint PRIMARY KEY, nick text);\n");
    assert_eq!(refusals(&project).pop().as_deref(), Some("error: schema.sql: does not exist"));
    // One request for both files.
    update(&project);
    assert_eq!(run(&project), "2 embedded\n");
    assert!(project.path("set.history").exists());
    let now = || fs::read_to_string(project.path("schema.sql")).expect("the schema");
    let first = now();
    assert!(
        first.starts_with(SchemaForm::Static.head()) && first.contains("    nick text,\n"),
        "{first}"
    );
    assert!(build(&project).fresh);

    // The build compares again if only the file changes.
    project.write("schema.sql", first.replace("nick text", "nick varchar"));
    let expected = "error: schema.sql: is not the schema that the set makes\n       \
                    column public.users.nick: expected text, found varchar\n       \
                    help: review what differs, then write the file with `MIGRATE_UPDATE_HISTORY=1 cargo build`\n";
    let refused = build(&project).diagnostics;
    assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    project.write("schema.sql", first.replace('\n', "\r\n"));
    assert_eq!(run(&project), "2 embedded\n");

    project.write("migrations/3_c.sql", "ALTER TABLE users DROP nick;\n");
    project.write("src/main.rs", program(", schema = \"schema.sql\", history = \"set.history\" "));
    assert_eq!(
        refusals(&project),
        [
            "error: set.history: version 3: `3_c.sql` is not frozen yet",
            "error: schema.sql: is not the schema that the set makes",
        ]
    );
    let outcome = build_with(&project, "1");
    assert_eq!(outcome.diagnostics, [""; 0]);
    assert!(outcome.stderr.contains("note: `schema.sql` was written"), "{}", outcome.stderr);
    assert!(!now().contains("nick"));
}

#[test]
fn schema_file_of_another_form_is_never_written() {
    let project = project("misdescribed", ", schema = \"schema.sql\"");
    let of_a_database = format!("{}\n", SchemaForm::Database.head());
    project.write("schema.sql", &of_a_database);
    let expected = format!(
        "error: schema.sql: its first line is `{}`, not that of `migrate schema --static`\n",
        of_a_database.trim_end()
    );
    for word in ["0", "1", "rewrite,in-ci"] {
        let refused = build_with(&project, word).diagnostics;
        assert!(refused.len() == 1 && refused[0].starts_with(&expected), "{refused:?}");
    }
    let now = fs::read_to_string(project.path("schema.sql")).expect("the file");
    assert_eq!(now, of_a_database);
    remove(&project, "schema.sql");
    let ci = [("MIGRATE_UPDATE_HISTORY", "1"), ("CI", "true")];
    let refused = project.build_with(Compiler::Rustc, &ci).into_values().next().expect("a binary");
    let expected = "error: schema.sql: is not written in CI\n";
    assert!(
        refused.diagnostics.len() == 1 && refused.diagnostics[0].starts_with(expected),
        "{refused:?}"
    );
}

#[test]
fn schema_file_that_would_be_a_migration_is_not_written() {
    let project = project("amongst", ", schema = \"./migrations/schema.sql\"");
    let refused = build_with(&project, "1").diagnostics;
    let expected = "error: ./migrations/schema.sql: is in the folder of the migrations, where each SQL file is one\n       \
                    help: name a file beside the folder\n";
    assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
    assert!(!project.path("migrations/schema.sql").exists());
}

/// `MIGRATE_UPDATE_HISTORY=word cargo build`
fn build_with(project: &Scratch, word: &str) -> Outcome {
    let outcomes = project.build_with(Compiler::Rustc, &[("MIGRATE_UPDATE_HISTORY", word)]);
    outcomes.into_values().next().expect("a binary")
}

fn update(project: &Scratch) {
    assert!(build_with(project, "1").executable.is_some());
}

#[tokio::test]
async fn stale_set_does_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("1_a.sql"), "SELECT 1;").expect("a file");
    fs::write(folder.path().join("2_b.sql"), "SELECT 2;").expect("a file");
    let path: &'static str = folder.path().display().to_string().leak();
    let files = concat!("0_x.sql", "\0", "1_a.sql");
    let compare = migrate_runtime::__private::differences;
    let origin = Origin { folder: path, files, digests: "", package: "service", compare };
    let digest = Digest::new(0);
    let traits = Traits { digest, ..Traits::of(&[]) };
    let layout = Layout::Numeric;
    let stale = Migrations::embedded("default", "migrations", layout, Some(origin), traits, || &[]);
    let (_database, mut client) = FreshDatabase::connected().await;
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
    // A template that is there already does not hide it.
    drop(TestDatabase::new(&stale).expect("a template"));
    fs::create_dir(path).expect("the folder");
    fs::write(format!("{path}/2_b.sql"), "SELECT 2;").expect("a file");
    let error = TestDatabase::new(&stale).expect_err("stale");
    fs::remove_dir_all(path).expect("the folder is removed");
    assert!(error.to_string().contains("before its files changed\nadded: 2_b.sql\n"), "{error}");
}
