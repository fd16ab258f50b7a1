//! `completions`: prints a shell's completion script, for the program under the name that it was called
//! by.

use std::env;
use std::path::Path;

use clap::{Args, Command};
use clap_complete::{Shell, generate};
use migrate_runtime::Migrations;

use crate::folder::Folder;
use crate::output::Answer;
use crate::output::json::Body;

#[derive(Args, Debug, Clone)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// `A` is the whole command line.
    pub(super) fn run<A: Args>(&self, set: Option<&Migrations>) -> Answer {
        let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
        let mut words = words.take_while(|word| word != "completions");
        let program = words.next().unwrap_or_default();
        let program = Path::new(&program).file_stem().and_then(|stem| stem.to_str());
        let program = program.unwrap_or("migrate").to_owned();
        // The words before the verb are the service's: `myservice migrate completions bash`.
        let mut names: Vec<String> = vec![program.clone()];
        names.extend(words.filter(|word| !word.starts_with('-')));
        let command = A::augment_args(Command::new(names.pop().unwrap_or_default()));
        // Only the binary `migrate` has the folder's options before the verb.
        let command = if set.is_some() { command } else { Folder::augment_args(command) };
        let mut command = names
            .into_iter()
            .rev()
            .fold(command, |command, name| Command::new(name).subcommand(command));
        let mut script = Vec::new();
        generate(self.shell, &mut command, program, &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let body = Body::Script { shell: self.shell.to_string(), script: script.clone() };
        Answer::new(script, body)
    }
}
