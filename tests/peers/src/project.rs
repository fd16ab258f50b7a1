//! A cargo project that embeds a folder by a tool's own macro, built offline by the cargo that built us.
//! It has this program's dependencies, lock file, profile and target folder, so only itself is compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::address::{Address, USER};
use crate::files::Script;
use crate::peer::{Peer, write};

const MANIFEST: &str = include_str!("../Cargo.toml");
const LOCK: &str = include_str!("../Cargo.lock");
const NAME: &str = "migrate-peers";

/// A project of one tool.
pub struct Project {
    peer: Peer,
    folder: PathBuf,
    binary: PathBuf,
}

impl Project {
    /// A project of this set, which has not been built.
    pub fn new(peer: Peer, set: &[Script]) -> Project {
        // Always the same folders, or the target folder would grow with every run.
        let folder = target().join("peers-case").join(peer.name());
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("a folder to empty");
        }
        // One name a tool: cargo takes packages of one name in one target folder for the same.
        let name = format!("peers-case-{}", peer.name());
        write(&folder.join("Cargo.toml"), &manifest(&name));
        write(&folder.join("Cargo.lock"), &LOCK.replace(NAME, &name));
        write(&folder.join("src/main.rs"), peer.program());
        let program = std::env::current_exe().expect("the path of this program");
        let project = Project { peer, folder, binary: program.with_file_name(name) };
        peer.write(&project.migrations(), set);
        project
    }

    /// The folder that it embeds.
    pub fn migrations(&self) -> PathBuf {
        self.folder.join("migrations")
    }

    /// Adds or rewrites a migration.
    pub fn add(&self, script: &Script) {
        self.peer.add(&self.migrations(), script);
    }

    /// Builds it.
    ///
    /// # Errors
    /// The first error of the build.
    pub fn build(&self) -> Result<(), String> {
        let output = self.cargo("build").output().expect("cargo");
        if output.status.success() { Ok(()) } else { Err(first_error(&output)) }
    }

    /// Builds it and lets it migrate a database; gives what it prints.
    pub fn run(&self, address: &Address) -> String {
        let mut command = self.cargo("run");
        command.arg("--").arg(address.key_values());
        command.env("PGHOST", &address.folder).env("PGPORT", address.port.to_string());
        command.env("PGUSER", USER).env("PGDATABASE", &address.database);
        let output = command.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.replace(&format!("{}/", self.folder.display()), "")
    }

    /// Whether this text is in the binary that was built last.
    pub fn holds(&self, text: &str) -> bool {
        let binary = fs::read(&self.binary).expect("the project's binary");
        binary.windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn cargo(&self, verb: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args([verb, "--quiet", "--offline", "--color", "never"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        command.arg("--target-dir").arg(target()).current_dir(&self.folder);
        command
    }
}

/// This program's dependencies and profile without its lints, and debug assertions for the project
/// itself in either profile: a service under development has them, and is not optimised.
fn manifest(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
    let (manifest, _) = MANIFEST.split_once("\n# Last, because").expect("the lints, last");
    let manifest = manifest.replace("../..", &root.display().to_string()).replace(NAME, name);
    let profile = "debug-assertions = true\nopt-level = 0\n";
    format!("{manifest}\n[profile.release.package.{name}]\n{profile}")
}

/// `TARGET/debug/migrate-peers` or `TARGET/release/migrate-peers` is this program.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    program.ancestors().nth(2).expect("cargo's target folder").to_owned()
}

fn first_error(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().find(|line| line.starts_with("error")).unwrap_or(&text).to_owned()
}
