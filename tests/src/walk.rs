//! The README's walk from `cargo new` to a migrated database: its commands and files, word for word, except for the
//! path of the repository and the address of the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::as_from_a_shell;

const README: &str = include_str!("../../README.md");

/// What the section of the README contains.
#[derive(Debug)]
pub struct Walk {
    /// The commands, in order; the last one migrates.
    pub commands: Vec<&'static str>,
    /// The files, by their paths, which are written before the last command.
    pub files: Vec<(&'static str, &'static str)>,
    /// What the last command prints.
    pub printed: &'static str,
}

/// One command as it went.
#[derive(Debug)]
pub struct Went {
    /// The command as the README has it, without its comment.
    pub command: &'static str,
    /// What it printed to stdout.
    pub printed: String,
    /// How long it took.
    pub took: Duration,
}

impl Walk {
    /// Reads the README.
    ///
    /// # Panics
    ///
    /// When its section is not of this form.
    pub fn of_readme() -> Walk {
        let (_, section) =
            README.split_once("### From nothing to a migrated database\n").expect("the heading");
        let section = section.split("\n## ").next().expect("a section");
        let mut walk = Walk { commands: Vec::new(), files: Vec::new(), printed: "" };
        let mut parts = section.split("```");
        while let (Some(above), Some(block)) = (parts.next(), parts.next()) {
            let (language, text) = block.split_once('\n').expect("a language");
            match language {
                "sh" => walk.commands.extend(text.lines()),
                "text" => walk.printed = text,
                _ => walk.files.push((above.split('`').nth(1).expect("a path"), text)),
            }
        }
        walk
    }

    /// The lines that a user writes, in all files.
    pub fn lines(&self) -> usize {
        self.files.iter().map(|(_, text)| text.lines().count()).sum()
    }

    /// Takes the walk in this folder.
    ///
    /// `prepare` gets the project before the last command and can add to it, such as a lock file.
    ///
    /// # Panics
    ///
    /// When a command fails, with its output.
    pub fn take(&self, shell: &Shell<'_>, prepare: impl FnOnce(&Path)) -> Vec<Went> {
        let (run, begin) = self.commands.split_last().expect("commands");
        let mut went = Vec::new();
        let mut folder = shell.folder.to_owned();
        for command in begin {
            went.push(shell.run(&folder, command));
            if let Some((_, below)) = command.split_once("&& cd ") {
                folder.push(below);
            }
        }
        for (path, text) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        prepare(&folder);
        went.push(shell.run(&folder, run));
        went.push(shell.run(&folder, run));
        went
    }
}

/// Where and with what the commands run.
#[derive(Debug)]
pub struct Shell<'a> {
    /// The folder to begin in.
    pub folder: &'a Path,
    /// The address of the database.
    pub url: &'a str,
    /// The folder that cargo builds into.
    pub target: PathBuf,
    /// Variables, besides.
    pub environment: &'a [(&'a str, &'a str)],
}

impl Shell<'_> {
    fn run(&self, folder: &Path, command: &'static str) -> Went {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let runtime = workspace.join("migrate-runtime");
        let line = command
            .replace("../migrate/migrate-runtime", &runtime.to_string_lossy())
            .replace("postgresql://me@localhost/shop", &format!("'{}'", self.url));
        let mut sh = Command::new("sh");
        sh.args(["-ec", &line]).current_dir(folder).env_remove("DATABASE_URL");
        sh.env("CARGO_TARGET_DIR", &self.target).envs(self.environment.iter().copied());
        let began = Instant::now();
        let output = as_from_a_shell(&mut sh).output().expect("a shell");
        let took = began.elapsed();
        let utf8 = |bytes| String::from_utf8(bytes).expect("UTF-8");
        assert!(output.status.success(), "{line}\n{}", utf8(output.stderr));
        let command = command.split("   #").next().unwrap_or_default();
        Went { command, printed: utf8(output.stdout), took }
    }
}
