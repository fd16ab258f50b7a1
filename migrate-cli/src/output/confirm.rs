//! Asks for confirmation before something is removed. Without a terminal, only `--yes` confirms.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Output;
use super::style::shown;
use crate::error::VerbError;

/// Asks whether to do `what`, such as `undo version 7 in the database`.
pub(crate) fn confirm(output: &Output, what: &str) -> Result<(), VerbError> {
    if output.yes {
        return Ok(());
    }
    let what = shown(what);
    if output.json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let what = format!("cannot ask whether to {what}");
        return Err(VerbError::Usage { what, help: "pass `--yes` to confirm" });
    }
    let mut stderr = io::stderr();
    let mut answer = String::new();
    // A question that could not be asked is not confirmed.
    let heard = write!(stderr, "{}? [y/N] ", capital(&what))
        .and_then(|()| stderr.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut answer));
    let is_yes = heard.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES");
    if is_yes { Ok(()) } else { Err(VerbError::Declined) }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
