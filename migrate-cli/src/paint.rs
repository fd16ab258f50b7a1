//! Colours an error as rustc does, and replaces the methods that its help names by the flags of the
//! command line. Only lines that begin with `help:` or a method are reworded: the others may quote a
//! server or a file.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::page::shown;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const BOLD: Style = Style::new().bold();
const GUTTER: Style = AnsiColor::BrightBlue.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();
const NOTE: Style = Style::new().bold();

/// What the library's help names, and its name on the command line.
const FLAGS: [(&str, &str); 20] = [
    ("`allow_edited`", "`--allow-edited`"),
    ("`allow_missing`", "`--allow-missing`"),
    ("`allow_out_of_order`", "`--allow-out-of-order`"),
    ("`.down_from_ledger()`", "`--down-from-ledger`"),
    ("`refuse_ahead`", "`--refuse-ahead`"),
    ("`deadline`", "`--deadline`"),
    ("`wait_timeout`", "`--wait-timeout`"),
    ("`.lock(Lock::Row)`", "`--lock-by row`"),
    ("`.lock(Lock::Advisory)`", "`--lock-by advisory`"),
    ("with `.table(..)` and `.schema(..)`", "with `--from-table` and `--from-schema`"),
    ("`.create_schema()`", "`--create-schema`"),
    (
        "name a folder; in `embed_migrations!` its path is relative to the crate's Cargo.toml",
        FOLDER,
    ),
    ("`.ledger_schema(..)`", "`--ledger-schema`"),
    ("`.table(..)`", "`--table`"),
    ("`.schema(..)`", "`--schema`"),
    ("`run` applies them", "`up` applies them"),
    ("`accept(Edited::All)`", "`repair accept --all`"),
    ("freeze it with `MIGRATE_UPDATE_HISTORY=1 cargo build`", "freeze it with `freeze`"),
    ("`MIGRATE_UPDATE_HISTORY=1 cargo build`", "`freeze --rewrite`"),
    ("run the migrations first", "run `up` first"),
];

const FOLDER: &str = "name a folder with `--dir`, or go to where `migrations` is";

/// The text of an error, coloured, with `error:` before it.
pub(super) fn painted(text: &str) -> String {
    titled("error", ERROR, text)
}

/// The same with `drift:`, for a deviation between ledger and set.
pub(super) fn drift(text: &str) -> String {
    titled("drift", ERROR, text)
}

/// The same with `warning:`.
pub(super) fn warning(text: &str) -> String {
    titled("warning", WARNING, text)
}

/// A line with `note:`.
pub(super) fn note(text: &str) -> String {
    format!("{NOTE}note:{NOTE:#} {text}\n")
}

/// The text with the names of the command line in its help lines.
pub(super) fn reworded(text: &str) -> String {
    let line = |line: &str| {
        // The error of an invalid name begins with the option that it was given to.
        let is_ours = line.trim_start().starts_with("help:") || line.starts_with("`.");
        if !is_ours {
            return line.to_owned();
        }
        FLAGS.iter().fold(line.to_owned(), |line, (method, flag)| line.replace(method, flag))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn titled(title: &str, style: Style, text: &str) -> String {
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

fn line_of(line: &str, style: Style) -> String {
    let words =
        [("help:", HELP), ("note:", NOTE), ("hint:", HELP), ("detail:", NOTE), ("context:", NOTE)];
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
        let painted = painted(text);
        let plain = anstream::adapter::strip_str(&painted).to_string();
        let expected =
            text.replacen("a.sql", "error: a.sql", 1).replacen("b.sql", "error: b.sql", 1);
        assert_eq!(plain.trim_end(), expected);
        assert!(painted.contains("\u{1b}[1m\u{1b}[31m^ here"), "{painted:?}");
        assert!(painted.contains("|\u{1b}[0m x | y"), "{painted:?}");
    }

    #[test]
    fn what_a_server_says_cannot_move_the_cursor() {
        let painted = anstream::adapter::strip_str(&painted("no\u{9b}2J\u{7}")).to_string();
        assert_eq!(painted, "error: no\u{fffd}2J\u{fffd}\n");
    }

    #[test]
    fn help_names_flags_and_nothing_else_changes() {
        let text = "the word `allow_edited`\n  help: restore it, or `allow_edited`";
        assert_eq!(
            reworded(text),
            "the word `allow_edited`\n  help: restore it, or `--allow-edited`"
        );
        assert_eq!(
            reworded("help: create the schema, or use `.create_schema()`"),
            "help: create the schema, or give `--create-schema`"
        );
    }
}
