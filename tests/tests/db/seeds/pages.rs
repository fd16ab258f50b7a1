//! The pages `docs/from/*.md`: each ends in a command, and the command does what the page says.
//! A shell runs the last code block of each page.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use migrate_tests::cargo::as_from_a_shell;
use migrate_tests::database::server;
use migrate_tests::predecessors::{ALL, Predecessor};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn folder() -> PathBuf {
    workspace().join("docs/from")
}

/// The last code block of a tool's page, which ends the page.
pub(crate) fn command(of: &Predecessor) -> String {
    let path = folder().join(format!("{}.md", of.name));
    let page =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (before, end) = page.rsplit_once("```").expect("the end of a block");
    assert_eq!(end.trim(), "", "{} continues after its last block", path.display());
    let (_, block) = before.rsplit_once("```sh\n").expect("a block for a shell");
    block.to_owned()
}

/// Runs a command in the workspace, on this server, with the cargo folder of this test.
pub(crate) fn run(command: &mut Command, url: &str) -> Output {
    let test = env::current_exe().expect("this test");
    // <target>/<profile>/deps/<test>
    let target = test.ancestors().nth(3).expect("the target folder");
    let command = command.current_dir(workspace()).env("CARGO_TARGET_DIR", target);
    as_from_a_shell(command).env("DATABASE_URL", url).output().expect("a shell")
}

#[test]
fn every_page_ends_in_a_command_that_runs() {
    let pages = fs::read_dir(folder()).expect("the pages").count();
    let with_page = ALL.iter().filter(|of| folder().join(format!("{}.md", of.name)).exists());
    let with_page: Vec<&Predecessor> = with_page.collect();
    assert_eq!(pages, with_page.len());
    for of in with_page {
        let block = command(of);
        assert_eq!(block.lines().count(), 1, "{block}");
        let output = run(Command::new("sh").args(["-c", &block]), server().url());
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
        let name = of.tool.name();
        assert!(printed.starts_with(&format!("{name} left ")), "{printed}");
        assert!(printed.contains(&format!("\n{} amended; ", of.applied)), "{printed}");
        assert!(printed.ends_with(&format!("0 pending of {}\n", of.set.len())), "{printed}");
    }
}
