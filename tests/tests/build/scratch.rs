//! A cargo project for a test, below the target folder, like a user's crate. It uses the workspace's lock file,
//! so it needs no network. All projects share the workspace's target folder, so a dependency is built once, or not at
//! all if `cargo test` has built it with the same features, and the names of binaries must be unique.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use migrate_tests::cargo::as_from_a_shell;
use serde_json::Value;

/// The command for the project itself; its dependencies are always built by `cargo build`.
#[derive(Debug, Clone, Copy)]
pub enum Compiler {
    /// As `cargo build`.
    Rustc,
    /// As `cargo clippy`, and what it accepts is built as well.
    Clippy,
}

/// The result of the build of one binary.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every diagnostic, as the user sees it.
    pub diagnostics: Vec<String>,
    /// The executable, if it was built.
    pub executable: Option<PathBuf>,
    /// Whether there was nothing to do.
    pub fresh: bool,
    /// What else the build printed.
    pub stderr: String,
}

/// A project.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
}

impl Scratch {
    /// An empty project that depends on `migrate-runtime` under the name `runtime`, with the features of the README's
    /// walk, so that both share what they build.
    pub fn new(name: &str, edition: &str, runtime: &str) -> Self {
        let root = below_target(name);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let path = workspace.join("migrate-runtime").to_str().unwrap().to_owned();
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = {edition:?}\n\n\
             [dependencies]\n\
             {runtime} = {{ package = \"migrate-runtime\", path = {path:?}, features = [\"connect\"] }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n\n\
             [workspace]\n\n[profile.dev]\ndebug = false\nincremental = false\n",
        );
        let project = Scratch { root };
        project.write("Cargo.toml", &manifest);
        fs::copy(workspace.join("Cargo.lock"), project.path("Cargo.lock")).unwrap();
        project
    }

    /// Makes this the source of its only binary, which has the project's name.
    pub fn only_binary(&self, path: &str) {
        let manifest = fs::read_to_string(self.path("Cargo.toml")).unwrap();
        let name = self.root.file_name().unwrap().to_str().unwrap();
        let binary = format!("autobins = false\n\n[[bin]]\nname = {name:?}\npath = {path:?}\n");
        self.write("Cargo.toml", manifest.replacen("\n\n", &format!("\n{binary}\n"), 1));
    }

    /// Where `relative` lies.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a file and the folders that it needs.
    pub fn write(&self, relative: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// Builds all binaries, even if some fail, and returns the result of each.
    ///
    /// # Panics
    /// When no binary was reached, because a dependency does not build.
    pub fn build(&self, compiler: Compiler) -> BTreeMap<String, Outcome> {
        self.build_with(compiler, &[])
    }

    /// As [`Scratch::build`], with environment variables of its own.
    ///
    /// # Panics
    /// As [`Scratch::build`].
    pub fn build_with(
        &self,
        compiler: Compiler,
        environment: &[(&str, &str)],
    ) -> BTreeMap<String, Outcome> {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["build", "--offline", "--keep-going", "--color=never"])
            .args(["--message-format=json", "--manifest-path"])
            .arg(self.path("Cargo.toml"))
            .env("CARGO_TARGET_DIR", target())
            .current_dir(&self.root)
            .stdin(Stdio::null());
        as_from_a_shell(&mut command).envs(environment.iter().copied());
        if let Compiler::Clippy = compiler {
            command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
        }
        let output = command.output().unwrap();
        let mut outcomes = outcomes(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        for outcome in outcomes.values_mut() {
            stderr.as_ref().clone_into(&mut outcome.stderr);
        }
        assert!(
            !outcomes.is_empty(),
            "no binary was reached:\n{}{}",
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout),
        );
        outcomes
    }
}

/// The folder of a project.
fn below_target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("scratch").join(name)
}

/// The workspace's target folder.
pub fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Reads cargo's messages (the Cargo Book, "External tools").
fn outcomes(messages: &[u8]) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::<String, Outcome>::new();
    for line in String::from_utf8_lossy(messages).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        if message["target"]["kind"][0] != "bin" {
            continue;
        }
        let Some(name) = message["target"]["name"].as_str() else { continue };
        let outcome = outcomes.entry(name.to_owned()).or_default();
        match message["reason"].as_str() {
            Some("compiler-message") => {
                let rendered = message["message"]["rendered"].as_str().unwrap_or_default();
                outcome.diagnostics.push(rendered.to_owned());
            }
            Some("compiler-artifact") => {
                outcome.executable = message["executable"].as_str().map(PathBuf::from);
                outcome.fresh = message["fresh"] == true;
            }
            _ => {}
        }
    }
    outcomes
}
