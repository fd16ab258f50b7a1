//! Runs a built program for one boot, in a process of its own as a service has it.
//! It gets a line and a database, and prints numbers.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::setup::Line;

/// What one boot took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Microseconds until it was connected.
    pub connecting: u64,
    /// Microseconds of migrating.
    pub migrating: u64,
    /// By how many KiB the peak of its memory grew meanwhile.
    pub memory: u64,
}

impl Took {
    fn parse(line: &str) -> Option<Took> {
        let numbers: Vec<u64> = line.split_whitespace().flat_map(str::parse).collect();
        let [connecting, migrating, memory] = numbers[..] else { return None };
        Some(Took { connecting, migrating, memory })
    }
}

fn command(program: &Path, line: &Line, database: &str) -> Command {
    let mut command = Command::new(program);
    command.args([&line.host, &line.port.to_string(), database]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Boots once.
///
/// # Errors
/// What the program printed instead.
pub fn boot(program: &Path, line: &Line, database: &str) -> Result<Took, String> {
    boot_with(program, line, database, "")
}

/// Boots once, with this text as the standard input.
///
/// # Errors
/// What the program printed instead.
pub fn boot_with(program: &Path, line: &Line, database: &str, input: &str) -> Result<Took, String> {
    let mut child = command(program, line, database).spawn().expect("a program");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("its input takes what it is to read");
    drop(stdin);
    finish(child)
}

fn finish(child: Child) -> Result<Took, String> {
    let output = child.wait_with_output().expect("its output");
    let printed = String::from_utf8_lossy(&output.stdout);
    let took = printed.lines().last().and_then(Took::parse).filter(|_| output.status.success());
    took.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A program that waits for the word to connect.
pub struct Waiting(Child);

impl Waiting {
    /// Starts it.
    pub fn start(program: &Path, line: &Line, database: &str) -> Waiting {
        let mut child = command(program, line, database).arg("wait").spawn().expect("a program");
        let mut first = String::new();
        let output = child.stdout.as_mut().expect("its output");
        // It prints one line and then waits, so the reader keeps nothing that is read later.
        BufReader::new(output).read_line(&mut first).expect("its first line");
        assert_eq!(first, "ready\n");
        Waiting(child)
    }

    /// Says the word, and waits for its end.
    ///
    /// # Errors
    /// What the program printed instead of numbers.
    pub fn go(mut self) -> Result<Took, String> {
        // Closing says it as well.
        drop(self.0.stdin.take());
        finish(self.0)
    }
}
