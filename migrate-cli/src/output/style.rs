//! The colours: of words, and of an error as rustc colours one.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use migrate_runtime::internal::text::escaped;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const ASIDE: Style = AnsiColor::Cyan.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(super) const DONE: Style = AnsiColor::Green.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const GUTTER: Style = AnsiColor::BrightBlue.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// `text` in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A text from a database, with its hidden characters, which could write anywhere on a terminal, as numbers.
pub(crate) fn shown(text: &str) -> String {
    escaped(text).into_owned()
}

/// The text of an error, coloured, with a title such as `error:` before it.
pub(crate) fn titled(title: &str, style: Style, text: &str) -> String {
    let mut painted = String::new();
    let mut is_first = true;
    for line in text.lines() {
        let line = &shown(line);
        if is_first && !line.is_empty() {
            let _ = writeln!(painted, "{style}{title}{style:#}{BOLD}: {line}{BOLD:#}");
        } else {
            painted += &line_of(line, style);
            painted.push('\n');
        }
        // The mistakes in a set are separated by empty lines.
        is_first = line.is_empty();
    }
    painted
}

/// Whether a line continues a text of a server, which the library indents deeper than its own lines.
fn is_quoted(line: &str) -> bool {
    line.starts_with("    ") && !line.trim_start().starts_with('|')
}

fn line_of(line: &str, style: Style) -> String {
    if is_quoted(line) {
        return line.to_owned();
    }
    let words =
        [("help:", HELP), ("note:", BOLD), ("hint:", HELP), ("detail:", BOLD), ("context:", BOLD)];
    let bare = line.trim_start();
    let indent = &line[..line.len() - bare.len()];
    for (word, of_word) in words {
        if let Some(rest) = bare.strip_prefix(word) {
            return format!("{indent}{of_word}{word}{of_word:#}{rest}");
        }
    }
    let Some((gutter, code)) = line.split_once('|') else { return line.to_owned() };
    if !gutter.trim().bytes().all(|byte| byte.is_ascii_digit()) || !gutter.ends_with(' ') {
        return line.to_owned();
    }
    let under = code.trim_start();
    if gutter.trim().is_empty() && under.starts_with('^') {
        let blanks = &code[..code.len() - under.len()];
        return format!("{GUTTER}{gutter}|{GUTTER:#}{blanks}{style}{under}{style:#}");
    }
    format!("{GUTTER}{gutter}|{GUTTER:#}{code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_are_added() {
        let text = "a.sql:1:1: no\n   |\n12 | x | y\n   | ^ here\ndetail: d\nhelp: h\n\nb.sql: no\nhelp: i";
        let painted = titled("error", BAD, text);
        let plain = anstream::adapter::strip_str(&painted).to_string();
        let expected =
            text.replacen("a.sql", "error: a.sql", 1).replacen("b.sql", "error: b.sql", 1);
        assert_eq!(plain.trim_end(), expected);
        assert!(painted.contains("\u{1b}[1m\u{1b}[31m^ here"), "{painted:?}");
        assert!(painted.contains("|\u{1b}[0m x | y"), "{painted:?}");
    }

    #[test]
    fn text_of_a_server_cannot_look_like_a_line_of_ours() {
        let text = "no\n    help: a\n    1 | x\ndetail: a\n    help: b";
        let painted = titled("error", BAD, text);
        let plain = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(plain, format!("error: {text}\n"));
        assert_eq!(painted.matches("\u{1b}[36m").count(), 0, "{painted:?}");
        assert!(painted.contains("\n    1 | x\n"), "{painted:?}");
    }

    #[test]
    fn text_of_a_server_cannot_move_the_cursor() {
        let painted =
            anstream::adapter::strip_str(&titled("error", BAD, "no\u{9b}2J\u{7}")).to_string();
        assert_eq!(painted, "error: no\\u{9b}2J\\u{7}\n");
    }
}
