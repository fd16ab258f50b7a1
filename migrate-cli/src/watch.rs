//! Shows the progress of a run: a line with a spinner, the current migration and its time, and a line
//! for each migration that is done. If standard error is not a terminal it shows nothing, and the
//! answer lists them all at the end.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};
use migrate_runtime::set::Direction;
use migrate_runtime::{Event, Migrator};

use super::args::{Color, Output};
use super::page::{choice, shown};
use super::run::line_of;

/// The progress line, which is removed when this is dropped.
pub(super) struct Watch {
    bar: Option<ProgressBar>,
    colour: ColorChoice,
    /// The word for a migration whose up script ran.
    up: &'static str,
}

/// The progress of a run.
struct Course {
    up: &'static str,
    of: AtomicUsize,
    begun: AtomicUsize,
    is_down: AtomicBool,
}

impl Watch {
    /// Whether the progress is shown, so that the answer need not repeat it.
    pub(super) fn is_seen(output: &Output) -> bool {
        !output.json && io::stderr().is_terminal()
    }

    /// Begins a progress line, if it can be seen.
    pub(super) fn begin(output: &Output, what: &str, up: &'static str) -> Watch {
        let colour = choice(output);
        if !Watch::is_seen(output) {
            return Watch { bar: None, colour, up };
        }
        let spinner = if output.color == Color::Never { "{spinner}" } else { "{spinner:.green}" };
        let bar = ProgressBar::new_spinner().with_message(shown(what));
        let template = format!("{spinner} {{wide_msg}} {{elapsed}}");
        // The template is valid; without it the bar has its default style.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Watch { bar: Some(bar), colour, up }
    }

    /// The migrator, with its runs shown here.
    pub(super) fn over<'s>(&self, migrator: Migrator<'s>) -> Migrator<'s> {
        let Some(bar) = self.bar.clone() else { return migrator };
        let colour = self.colour;
        let course = Arc::new(Course {
            up: self.up,
            of: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            is_down: AtomicBool::new(false),
        });
        migrator.on(move |event| course.show(event, &bar, colour))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Course {
    fn show(&self, event: &Event<'_>, bar: &ProgressBar, colour: ColorChoice) {
        match event {
            Event::Planned { migrations } => {
                self.of.store(*migrations, Ordering::Relaxed);
                self.begun.store(0, Ordering::Relaxed);
            }
            Event::Started(subject) => {
                let begun = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
                let (of, word) = (self.of.load(Ordering::Relaxed), subject.direction);
                let is_down = word == Direction::Down;
                self.is_down.store(is_down, Ordering::Relaxed);
                let word = if is_down { "undoing" } else { "running" };
                bar.reset_elapsed();
                bar.set_message(shown(&format!("[{begun}/{of}] {word} {}", subject.filename)));
            }
            Event::Waiting { holder, .. } => {
                let who = holder.map_or_else(String::new, |holder| format!(", {holder}"));
                bar.set_message(shown(&format!("waiting for another run{who}")));
            }
            Event::Retrying { tries, error } => {
                bar.set_message(shown(&format!("retrying after attempt {tries}: {error}")));
            }
            Event::Finished(done) => bar.suspend(|| {
                let is_down = self.is_down.load(Ordering::Relaxed);
                let line = line_of(if is_down { "Undone" } else { self.up }, done);
                // A closed standard output is not an error of the run.
                let _ = AutoStream::new(io::stdout(), colour).write_all(line.as_bytes());
            }),
            _ => {}
        }
    }
}
