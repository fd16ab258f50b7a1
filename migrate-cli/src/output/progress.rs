//! Shows the progress of a run: a line with a spinner, the current migration and its time, and a line
//! for each migration that is done. If standard error is not a terminal it shows nothing, and the
//! answer lists them all at the end.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::ColorChoice;
use indicatif::{ProgressBar, ProgressStyle};
use migrate_runtime::set::Direction;
use migrate_runtime::{Event, Migrator};

use super::Output;
use super::style::shown;
use super::text::line_of;

/// The progress line, which is removed when this is dropped.
pub(crate) struct Progress<'o> {
    /// `None` if it cannot be seen.
    bar: Option<ProgressBar>,
    output: &'o Output,
    /// The word for a migration whose up script ran.
    up: &'static str,
}

impl Output {
    /// Whether the progress is shown, so that the answer need not repeat it.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.json && io::stderr().is_terminal()
    }
}

impl<'o> Progress<'o> {
    /// Begins a progress line, if it can be seen.
    pub(crate) fn begin(output: &'o Output, what: &str, up: &'static str) -> Self {
        let bar = output.shows_progress().then(|| {
            let bar = ProgressBar::new_spinner().with_message(shown(what));
            let spinner =
                if output.color == ColorChoice::Never { "{spinner}" } else { "{spinner:.green}" };
            let template = format!("{spinner} {{wide_msg}} {{elapsed}}");
            // The template is valid; without it the bar has its default style.
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Progress { bar, output, up }
    }

    /// The migrator, with its runs shown here.
    pub(crate) fn of<'s>(&self, migrator: Migrator<'s>) -> Migrator<'s> {
        let Some(bar) = self.bar.clone() else { return migrator };
        let (output, up) = (self.output.clone(), self.up);
        let course = Mutex::new(Course { of: 0, begun: 0, is_down: false });
        migrator.on(move |event| {
            let mut course = course.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Finished(done) => bar.suspend(|| {
                    let word = if course.is_down { "Undone" } else { up };
                    // A closed standard output is not an error of the run.
                    let _ = output.write(io::stdout(), &line_of(word, done));
                }),
                event => course.show(event, &bar),
            }
        })
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How far a run is.
struct Course {
    of: usize,
    begun: usize,
    is_down: bool,
}

impl Course {
    fn show(&mut self, event: &Event<'_>, bar: &ProgressBar) {
        let message = match event {
            Event::Planned { migrations } => {
                (self.of, self.begun) = (*migrations, 0);
                return;
            }
            Event::Started(subject) => {
                self.begun += 1;
                self.is_down = subject.direction == Direction::Down;
                bar.reset_elapsed();
                let word = if self.is_down { "undoing" } else { "running" };
                format!("[{}/{}] {word} {}", self.begun, self.of, subject.filename)
            }
            Event::Waiting { holder, .. } => {
                let who = holder.map_or_else(String::new, |holder| format!(", {holder}"));
                format!("waiting for another run{who}")
            }
            Event::Retrying { tries, error } => {
                format!("retrying after attempt {tries}: {error}")
            }
            _ => return,
        };
        bar.set_message(shown(&message));
    }
}
