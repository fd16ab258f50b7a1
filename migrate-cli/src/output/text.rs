//! The lines of an answer in words, and the times and numbers in it.

use std::time::Duration;

use migrate_runtime::{Applied, Report};

use super::style::{BOLD, DONE, shown};

/// A line for something that was done, as cargo prints it: the word in a column of its own.
pub(crate) fn line(word: &str, rest: &str) -> String {
    format!("{DONE}{word:>12}{DONE:#} {}\n", shown(rest))
}

/// The line of one migration.
pub(crate) fn line_of(word: &str, one: &Applied) -> String {
    line(word, &format!("{} ({})", one.filename, took(one.duration)))
}

pub(crate) fn notes(notes: &[String]) -> String {
    let line = |note: &String| format!("{BOLD}note:{BOLD:#} {}\n", shown(note));
    notes.iter().map(line).collect()
}

/// The last line of a run.
pub(super) fn finished(report: &Report) -> String {
    let done = [
        (report.undone.len(), "undone"),
        (report.applied.len(), "applied"),
        (report.amended.len(), "recorded"),
    ];
    let others =
        [(report.skipped.len(), "applied before"), (report.ahead.len(), "newer than this set")];
    let counts = done.into_iter().chain(others).filter(|(n, _)| *n > 0);
    let counts: Vec<String> = counts.map(|(n, what)| format!("{n} {what}")).collect();
    let counts = counts.join(", ");
    if done.iter().any(|(n, _)| *n > 0) {
        line("Finished", &format!("{counts}, in {}", took(report.elapsed)))
    } else if counts.is_empty() {
        line("Unchanged", "nothing to do")
    } else {
        line("Up to date", &counts)
    }
}

/// A time of the ledger, to the second.
pub(crate) fn moment(at: &str) -> String {
    match at.split_once('T').and_then(|(day, time)| Some((day, time.split_once('.')?.0))) {
        Some((day, seconds)) => format!("{day} {seconds}"),
        None => at.to_owned(),
    }
}

/// How long something took, to about three digits.
pub(crate) fn took(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.as_millis());
    if seconds >= 60 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else if millis >= 1000 {
        format!("{}.{:02} s", seconds, duration.subsec_millis() / 10)
    } else {
        format!("{millis} ms")
    }
}

/// `1 migration` or `2 migrations`.
pub(crate) fn counted(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(took(Duration::from_millis(7)), "7 ms");
        assert_eq!(took(Duration::from_millis(1_239)), "1.23 s");
        assert_eq!(took(Duration::from_millis(123_456)), "2 min 03 s");
        assert_eq!(moment("2026-11-21T10:59:22.123456Z"), "2026-11-21 10:59:22");
        assert_eq!(moment("-infinity"), "-infinity");
    }
}
