//! The pages `docs/from/*.md`: each ends in a command, and the command does what the page promises.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_tests::cargo::{as_from_a_shell, program};
use migrate_tests::database::server;
use migrate_tests::predecessors::{ALL, Predecessor};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn folder() -> PathBuf {
    workspace().join("docs/from")
}

/// The command in the last code block of a tool's page, which ends the page, on the tests' server. It is that of one
/// example, which is built with the tests.
pub(crate) fn command(of: &Predecessor) -> Command {
    let path = folder().join(format!("{}.md", of.name));
    let page =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (before, end) = page.rsplit_once("```").expect("the end of a block");
    assert_eq!(end.trim(), "", "{} continues after its last block", path.display());
    let (_, block) = before.rsplit_once("```sh\n").expect("a block for a shell");
    let name = of.name;
    assert_eq!(block, format!("cargo run -q -p migrate-tests --example from -- {name}\n"));
    let mut command = Command::new(program("examples/from"));
    as_from_a_shell(&mut command).current_dir(workspace()).env("DATABASE_URL", server().url());
    command.arg(name);
    command
}

#[test]
fn every_page_ends_in_a_command_that_runs() {
    let pages = fs::read_dir(folder()).expect("the pages").count();
    let with_page = ALL.iter().filter(|of| folder().join(format!("{}.md", of.name)).exists());
    let with_page: Vec<&Predecessor> = with_page.collect();
    assert_eq!(pages, with_page.len());
    for of in with_page {
        let output = command(of).output().expect("the example");
        let printed = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", of.name);
        let name = of.tool.name();
        assert!(printed.starts_with(&format!("{name} left ")), "{printed}");
        assert!(printed.contains(&format!("\n{} amended; ", of.applied)), "{printed}");
        assert!(printed.ends_with(&format!("0 pending of {}\n", of.set.len())), "{printed}");
    }
}
