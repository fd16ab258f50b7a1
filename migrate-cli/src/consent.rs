//! Asks before something is taken away.
//! What would be done goes in; consent, or why there is none, comes out.
//! Where nobody can be asked, it takes `--yes` and nothing else for an answer.

use std::io::{self, BufRead, IsTerminal, Write};

use super::args::Output;
use super::fault::Fault;
use super::page::shown;

/// Asks whether to go on with `what`, such as `undo version 7 of the database`.
pub(super) fn ask(output: &Output, what: &str) -> Result<(), Fault> {
    if output.yes {
        return Ok(());
    }
    let what = shown(what);
    if output.json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let what = format!("nobody can be asked whether to {what}");
        return Err(Fault::Usage { what, help: "give `--yes` to go on without asking" });
    }
    let mut stderr = io::stderr();
    let mut answer = String::new();
    // Who cannot be asked has not agreed.
    let heard = write!(stderr, "{}? [y/N] ", capital(&what))
        .and_then(|()| stderr.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut answer));
    let is_yes = heard.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES");
    if is_yes { Ok(()) } else { Err(Fault::Declined) }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
