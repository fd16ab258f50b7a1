//! Shows that something goes on while it does: a line with a spinner and the time since.
//! What is being done goes in; the line is there until the value is dropped.
//! It writes to a terminal only, and to nothing that anybody keeps.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{Color, Output};

/// A line that moves; gone when this is dropped.
pub(super) struct Watch(Option<ProgressBar>);

impl Watch {
    /// Whether anybody would see one.
    pub(super) fn is_seen(output: &Output) -> bool {
        !output.json && io::stderr().is_terminal()
    }

    /// Begins one, where it is seen.
    pub(super) fn begin(output: &Output, what: String) -> Watch {
        if !Watch::is_seen(output) {
            return Watch(None);
        }
        let spinner = if output.color == Color::Never { "{spinner}" } else { "{spinner:.green}" };
        let bar = ProgressBar::new_spinner().with_message(what);
        // The template is a constant one; without it the bar looks as it does by itself.
        if let Ok(style) =
            ProgressStyle::with_template(&format!("{spinner} {{wide_msg}} {{elapsed}}"))
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Watch(Some(bar))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
