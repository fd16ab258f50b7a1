//! An answer or an error, as text or as one JSON object.

mod folder;
mod failure;
pub(crate) mod json;
pub(crate) mod html;
pub(crate) mod table;
pub(crate) mod progress;
pub(crate) mod confirm;
pub(crate) mod text;
pub(crate) mod difference;
pub(crate) mod style;

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, ColorChoice};
use clap::Args;
use migrate_runtime::Report;
use migrate_runtime::internal::DatabasePlace;
use migrate_runtime::internal::text::is_hidden;

use crate::error::VerbError;
use crate::exit::Exit;
use json::{Body, Document, RunBody};
use style::{BAD, FAINT, WARNING, shown, styled, titled};
use text::{finished, notes};

/// How an answer is printed.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    /// Whether to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,
    /// Do not ask for confirmation
    #[arg(long, short, global = true)]
    yes: bool,
}

/// The result of a verb.
pub(crate) struct Answer {
    pub(crate) exit: Exit,
    pub(crate) text: String,
    pub(crate) body: Body,
}

impl Answer {
    pub(crate) fn new(text: String, body: Body) -> Self {
        Answer { exit: Exit::Fine, text, body }
    }

    /// What a run did.
    pub(crate) fn of_run(output: &Output, report: &Report) -> Self {
        let text = output.actions(report) + &finished(report) + &notes(&report.notes);
        Answer::new(text, Body::Run(RunBody::new(report)))
    }
}

impl Output {
    /// Prints the result of a verb, and returns its exit code.
    pub(crate) fn print(
        &self,
        verb: &'static str,
        set: Option<&str>,
        place: Option<&DatabasePlace>,
        result: &Result<Answer, VerbError>,
    ) -> Exit {
        let exit = match result {
            Ok(answer) => answer.exit,
            Err(error) => error.exit(),
        };
        let written = match result {
            _ if self.json => print_json(&Document::new(verb, exit, set, place, result)),
            Ok(answer) => self.write(io::stdout(), &answer.text),
            Err(error) => {
                let done = error.report().map(|report| self.actions(report));
                let _ = self.write(io::stdout(), &done.unwrap_or_default());
                self.write(io::stderr(), &titled("error", BAD, &format!("{error:#}")))
            }
        };
        match written {
            // A closed output, such as a pipe to `head`, is not an error of the verb.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let text = format!(
                    "the output cannot be written: {error}\n\
                     help: write it elsewhere; the verb itself ended with exit code {}",
                    exit.code()
                );
                let _ = self.write(io::stderr(), &titled("error", BAD, &text));
                exit.worse(Exit::Failed)
            }
            _ => exit,
        }
    }

    /// Prints the first line of an answer, before its verb runs, but not with JSON.
    pub(crate) fn begin(&self, head: &str) {
        if !self.json {
            let _ = self.write(io::stdout(), head);
        }
    }

    /// Prints which of several sets is next, as a comment for `plan --sql`, but not with JSON.
    pub(crate) fn begin_set(&self, module: Option<&str>) {
        if let (Some(module), false) = (module, self.json) {
            let line = styled(FAINT, &shown(&format!("-- set {module}"))) + "\n";
            let _ = self.write(io::stdout(), &line);
        }
    }

    /// Prints a warning, but not with JSON.
    pub(crate) fn warn(&self, text: &str) {
        if !self.json {
            let _ = self.write(io::stderr(), &titled("warning", WARNING, text));
        }
    }

    /// Prints what the verb waits for, but not with JSON.
    pub(crate) fn aside(&self, text: &str) {
        if !self.json {
            let _ = self.write(io::stderr(), &format!("{}\n", shown(text)));
        }
    }

    /// Prints what is to be read before a question, but not with JSON.
    pub(crate) fn preface(&self, text: &str) {
        if !self.json {
            let _ = self.write(io::stderr(), text);
        }
    }

    fn write(&self, stream: impl RawStream + AsLockedWrite, text: &str) -> io::Result<()> {
        let choice = match self.color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        let mut stream = AutoStream::new(stream, choice);
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// A line for each migration that a run changed, whether it succeeded or not; without those that
    /// were already shown while it ran.
    fn actions(&self, report: &Report) -> String {
        let mut text = String::new();
        if !self.shows_progress() {
            text.extend(report.undone.iter().map(|one| text::line_of("Undone", one)));
            text.extend(report.applied.iter().map(|one| text::line_of("Applied", one)));
        }
        text.extend(report.amended.iter().map(|one| text::line("Recorded", &one.filename)));
        text
    }
}

fn print_json(document: &Document<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{}", visible(&serde_json::to_string_pretty(document)?))?;
    io::stdout().flush()
}

/// The same JSON without hidden characters: the writer escapes only those of ASCII.
fn visible(json: &str) -> String {
    let mut shown = String::new();
    for c in json.chars() {
        if is_hidden(c) {
            // Each is of the basic plane.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_shows_hidden_characters_as_numbers() {
        let json = visible(&serde_json::json!("a\x1b\u{9b}\u{202e}b").to_string());
        assert_eq!(json, r#""a\u001b\u009b\u202eb""#);
    }
}
