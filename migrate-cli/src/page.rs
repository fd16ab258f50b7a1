//! Prints an answer: tables, lines and colours, or one JSON object. Widths are in terminal columns.
//! Text from a database is shown without control characters, which could write anywhere on a terminal.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use console::{Term, measure_text_width, truncate_str};
use migrate_set::text::{escaped, is_hidden};

use super::args::{Color, Output};
use super::exit::Exit;
use super::fault::Fault;
use super::json::{Body, Document};
use super::paint::{painted, reworded, warning};
use super::run::deeds;

/// The result of a verb.
pub(super) struct Answer {
    pub(super) exit: Exit,
    pub(super) text: String,
    pub(super) body: Body,
}

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const OPEN: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const ASIDE: Style = AnsiColor::Cyan.on_default();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const HEAD: Style = Style::new().bold();
const DEED: Style = AnsiColor::Green.on_default().bold();

/// Prints the result of a verb, and returns its exit code.
pub(super) fn print(verb: &'static str, output: &Output, result: Result<Answer, Fault>) -> Exit {
    let exit = match &result {
        Ok(answer) => answer.exit,
        Err(fault) => fault.exit(),
    };
    let choice = choice(output);
    // A closed output, such as a pipe to `head`, is not an error of the verb.
    let _ = match result {
        _ if output.json => print_json(&Document::new(verb, exit, result.as_ref())),
        Ok(answer) => AutoStream::new(io::stdout(), choice).write_all(answer.text.as_bytes()),
        Err(fault) => {
            let did = fault.report().map(|report| deeds(output, report)).unwrap_or_default();
            let _ = AutoStream::new(io::stdout(), choice).write_all(did.as_bytes());
            let text = painted(&reworded(&fault.to_string()));
            AutoStream::new(io::stderr(), choice).write_all(text.as_bytes())
        }
    };
    exit
}

/// Prints a warning, but not with JSON.
pub(super) fn warn(output: &Output, text: &str) {
    if !output.json {
        let text = warning(text);
        let _ = AutoStream::new(io::stderr(), choice(output)).write_all(text.as_bytes());
    }
}

pub(super) fn choice(output: &Output) -> ColorChoice {
    match output.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

fn print_json(document: &Document<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{}", visible(&serde_json::to_string_pretty(document)?))
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

/// `text` in a style.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A line for something that was done, as cargo prints it: the word in a column of its own.
pub(super) fn deed(word: &str, rest: &str) -> String {
    format!("{DEED}{word:>12}{DEED:#} {}\n", shown(rest))
}

/// A text from a database, with its hidden characters as numbers.
pub(super) fn shown(text: &str) -> String {
    escaped(text).into_owned()
}

/// A time of the ledger, to the second.
pub(super) fn moment(at: &str) -> String {
    match (at.split_once('T'), at.find('.')) {
        (Some((day, time)), Some(_)) => {
            format!("{day} {}", time.split_once('.').map_or(time, |(seconds, _)| seconds))
        }
        _ => at.to_owned(),
    }
}

/// How long something took, to about three digits.
pub(super) fn took(duration: Duration) -> String {
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
pub(super) fn counted(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// One cell of a [`Table`].
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(super) fn plain(text: &str) -> Cell {
        Cell::new(text, Style::new())
    }

    pub(super) fn new(text: &str, style: Style) -> Cell {
        Cell { text: shown(text).replace('\t', " "), style }
    }
}

/// How a column is aligned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    /// To the left, and truncated if the terminal is too narrow.
    Cut,
}

/// Aligned columns below their headings.
pub(super) struct Table {
    heads: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

/// The least width of a truncated column.
const KEPT: usize = 8;

const GAP: usize = 2;

impl Table {
    pub(super) fn new(heads: &[(&'static str, Align)]) -> Table {
        Table { heads: heads.to_vec(), rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table, fitted to the terminal if stdout is one.
    pub(super) fn show(self) -> String {
        let term = Term::stdout();
        let width = if term.is_term() { term.size_checked() } else { None };
        self.within(width.map(|(_, columns)| usize::from(columns)))
    }

    fn within(mut self, width: Option<usize>) -> String {
        // Empty columns are left out.
        let said = |column: usize| self.rows.iter().any(|row| !row[column].text.is_empty());
        let kept: Vec<bool> = (0..self.heads.len()).map(said).collect();
        let mut keep = kept.iter();
        self.heads.retain(|_| *keep.next().unwrap_or(&true));
        for row in &mut self.rows {
            let mut keep = kept.iter();
            row.retain(|_| *keep.next().unwrap_or(&true));
        }
        let widths = self.widths(width);
        let mut text = String::new();
        let heads: Vec<Cell> = self.heads.iter().map(|(head, _)| Cell::new(head, HEAD)).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            self.push_row(&mut text, row, &widths);
        }
        text
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let natural = |(column, (head, _)): (usize, &(&str, Align))| {
            let cells = self.rows.iter().map(|row| measure_text_width(&row[column].text));
            cells.chain([measure_text_width(head)]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = self.heads.iter().enumerate().map(natural).collect();
        let all = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut over = width.map_or(0, |width| all.saturating_sub(width));
        for (column, (_, align)) in self.heads.iter().enumerate() {
            if *align == Align::Cut {
                let less = over.min(widths[column].saturating_sub(KEPT));
                widths[column] -= less;
                over -= less;
            }
        }
        widths
    }

    fn push_row(&self, text: &mut String, row: &[Cell], widths: &[usize]) {
        let mut blanks = 0;
        for (column, cell) in row.iter().enumerate() {
            let (width, align) = (widths[column], self.heads[column].1);
            let cut = truncate_str(&cell.text, width, "…");
            let rest = width.saturating_sub(measure_text_width(&cut));
            if align == Align::Right {
                blanks += rest;
            }
            // Blanks are written only before a word, so that no line ends in them.
            if !cut.is_empty() {
                text.push_str(&" ".repeat(blanks));
                text.push_str(&styled(cell.style, &cut));
                blanks = 0;
            }
            blanks += GAP + if align == Align::Right { 0 } else { rest };
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str]) -> Table {
        let mut table =
            Table::new(&[("version", Align::Left), ("name", Align::Cut), ("took", Align::Right)]);
        for name in names {
            table.row(vec![Cell::plain("1"), Cell::plain(name), Cell::plain("7 ms")]);
        }
        table
    }

    #[track_caller]
    fn check(names: &[&str], width: Option<usize>, expected: &[&str]) {
        let text = anstream::adapter::strip_str(&table(names).within(width)).to_string();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        check(
            &["a", "日本"],
            None,
            &["version  name  took", "1        a     7 ms", "1        日本  7 ms"],
        );
        check(&["e\u{301}é"], None, &["version  name  took", "1        e\u{301}é    7 ms"]);
    }

    #[test]
    fn a_name_is_cut_where_the_terminal_is_narrow() {
        let cut = ["version  name      took", "1        create_…  7 ms"];
        check(&["create_all_the_tables"], Some(23), &cut);
        check(&["create_all"], Some(1), &cut);
        let wide = ["version  name       took", "1        日本語日…  7 ms"];
        check(&["日本語日本語"], Some(24), &wide);
        // Half of a wide character is not shown.
        let half = ["version  name      took", "1        日本語…   7 ms"];
        check(&["日本語日本語"], Some(23), &half);
    }

    #[test]
    fn what_a_database_says_cannot_move_the_cursor() {
        let row = r"1        a\u{1b}[2Jb\u{d}\u{a}  7 ms";
        check(&["a\x1b[2Jb\r\n"], None, &["version  name                   took", row]);
        let json = visible(&serde_json::json!("a\x1b\u{9b}\u{202e}b").to_string());
        assert_eq!(json, r#""a\u001b\u009b\u202eb""#);
    }

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        check(&["", ""], None, &["version  took", "1        7 ms", "1        7 ms"]);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(took(Duration::from_millis(7)), "7 ms");
        assert_eq!(took(Duration::from_millis(1_239)), "1.23 s");
        assert_eq!(took(Duration::from_millis(123_456)), "2 min 03 s");
        assert_eq!(moment("2026-11-21T10:59:22.123456Z"), "2026-11-21 10:59:22");
        assert_eq!(moment("-infinity"), "-infinity");
    }
}
