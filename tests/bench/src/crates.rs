//! Generates and builds one crate for each library and set. They are in a cache below the target folder,
//! have this workspace's lock file, and share one target folder, so that dependencies are compiled once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::peer::Peer;
use crate::set::Set;

const LOCK: &str = include_str!("../Cargo.lock");

/// What a user's release build would have, and debug builds of the size that this repository's have.
const PROFILES: &str =
    "\n[profile.release]\nstrip = true\n\n[profile.dev]\ndebug = \"line-tables-only\"\n";

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository")
}

/// `TARGET/release/migrate-bench` is this program, `TARGET/bench` is what it writes to.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    program.ancestors().nth(2).expect("cargo's target folder").join("bench")
}

/// A generated crate.
#[derive(Debug, Clone)]
pub struct Crate {
    /// Its folder.
    pub folder: PathBuf,
    /// Its package's name, which its program has too.
    pub name: String,
}

impl Crate {
    /// The crate of a library with a set, in the cache's folder of this kind.
    pub fn of(kind: &str, peer: Peer, set: &Set) -> Crate {
        let made = Crate::write(kind, peer.program(), &set.name);
        set.write(peer, &made.migrations());
        made
    }

    /// The crate of this library with a set, without the check of the grammar.
    pub fn without_grammar(set: &Set) -> Crate {
        let made = Crate::of("plain", Peer::Ours, set);
        let manifest = fs::read_to_string(made.folder.join("Cargo.toml")).expect("its manifest");
        let (with, without) =
            ("/migrate-runtime\" }", "/migrate-runtime\", default-features = false }");
        assert!(manifest.contains(with), "the dependency is written in another way");
        made.put("Cargo.toml", &manifest.replace(with, without));
        made
    }

    /// The crate without any library.
    pub fn bare() -> Crate {
        Crate::write("program", "bare", "none")
    }

    fn write(kind: &str, program: &str, set: &str) -> Crate {
        let template = repository().join("tests/bench/programs").join(program);
        let name = format!("{kind}-{program}-{set}");
        let folder = target().join("crates").join(&name);
        let made = Crate { folder, name };
        fs::create_dir_all(made.folder.join("src")).expect("a folder to write to");
        for file in ["src/main.rs", "build.rs"] {
            if let Ok(text) = fs::read_to_string(template.join(file)) {
                made.put(file, &text);
            }
        }
        let manifest =
            fs::read_to_string(template.join("Cargo.toml")).expect("a program's manifest");
        made.put("Cargo.toml", &made.manifest(program, &manifest));
        if !made.folder.join("Cargo.lock").exists() {
            made.put("Cargo.lock", LOCK);
        }
        made
    }

    /// The program's manifest as that of a workspace of its own, without lints.
    fn manifest(&self, program: &str, template: &str) -> String {
        let (manifest, _) =
            template.split_once("\n[lints]").expect("a manifest that ends with lints");
        let repository = repository().display();
        let manifest = manifest
            .replace(&format!("{program}-program"), &self.name)
            .replace("../../../..", &repository.to_string())
            .replace("\"../", &format!("\"{repository}/tests/bench/programs/"));
        format!("{manifest}\n[workspace]\n{PROFILES}")
    }

    /// Writes a file that is not there yet as it should be.
    fn put(&self, file: &str, text: &str) {
        let path = self.folder.join(file);
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(path, text).expect("a file to write");
        }
    }

    /// Where its migrations lie.
    pub fn migrations(&self) -> PathBuf {
        self.folder.join("migrations")
    }

    /// Builds it with optimisation, and gives its program.
    pub fn program(&self) -> PathBuf {
        succeed(&self.cargo(&["build", "--release"], &shared()), &self.name);
        shared().join("release").join(&self.name)
    }

    /// Runs cargo in it, with this target folder.
    pub fn cargo(&self, arguments: &[&str], target: &Path) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).args(["--quiet", "--color", "never"]);
        command.env("CARGO_TARGET_DIR", target).current_dir(&self.folder);
        command.output().expect("cargo")
    }
}

/// The target folder of all generated crates.
pub fn shared() -> PathBuf {
    target().join("build")
}

/// Ends the program where cargo failed.
pub fn succeed(output: &Output, name: &str) {
    assert!(output.status.success(), "{name}:\n{}", String::from_utf8_lossy(&output.stderr));
}
