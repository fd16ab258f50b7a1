//! Tables: aligned columns below their headings, with widths in terminal columns.

use anstyle::Style;
use console::{Term, measure_text_width, truncate_str};

use super::style::{BOLD, shown, styled};

/// One cell of a [`table`].
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn plain(text: &str) -> Cell {
        Cell::new(text, Style::new())
    }

    pub(crate) fn new(text: &str, style: Style) -> Cell {
        Cell { text: shown(text).replace('\t', " "), style }
    }
}

/// How a column is aligned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
    /// To the left, and truncated if the terminal is too narrow.
    Cut,
}

/// The least width of a truncated column.
const KEPT: usize = 8;

const GAP: usize = 2;

/// The table, without empty columns, fitted to the terminal if stdout is one; empty without rows.
pub(crate) fn table(heads: &[(&str, Align)], rows: impl Iterator<Item = Vec<Cell>>) -> String {
    let term = Term::stdout();
    let width = if term.is_term() { term.size_checked() } else { None };
    within(width.map(|(_, columns)| usize::from(columns)), heads, rows)
}

fn within(
    width: Option<usize>,
    heads: &[(&str, Align)],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> String {
    let mut lines = vec![heads.iter().map(|(head, _)| Cell::new(head, BOLD)).collect()];
    lines.extend(rows);
    let columns = columns(width, heads, &lines);
    let mut text = String::new();
    for line in lines.iter().filter(|_| !columns.is_empty()) {
        let mut blanks = 0;
        for (column, align, width) in &columns {
            let cell = &line[*column];
            let cut = truncate_str(&cell.text, *width, "…");
            let rest = width.saturating_sub(measure_text_width(&cut));
            if *align == Align::Right {
                blanks += rest;
            }
            // Blanks are written only before a word, so that no line ends in them.
            if !cut.is_empty() {
                text.push_str(&" ".repeat(blanks));
                text.push_str(&styled(cell.style, &cut));
                blanks = 0;
            }
            blanks += GAP + if *align == Align::Right { 0 } else { rest };
        }
        text.push('\n');
    }
    text
}

/// The columns that are not empty below their heading, each with its width.
fn columns(
    width: Option<usize>,
    heads: &[(&str, Align)],
    lines: &[Vec<Cell>],
) -> Vec<(usize, Align, usize)> {
    let natural = |(column, (_, align)): (usize, &(&str, Align))| {
        let is_empty = lines.iter().skip(1).all(|line| line[column].text.is_empty());
        let width = lines.iter().map(|line| measure_text_width(&line[column].text)).max();
        (!is_empty).then_some((column, *align, width.unwrap_or(0)))
    };
    let mut columns: Vec<_> = heads.iter().enumerate().filter_map(natural).collect();
    let all = columns.iter().map(|(.., width)| width + GAP).sum::<usize>().saturating_sub(GAP);
    let mut over = width.map_or(0, |width| all.saturating_sub(width));
    for (_, _, width) in columns.iter_mut().filter(|(_, align, _)| *align == Align::Cut) {
        let less = over.min(width.saturating_sub(KEPT));
        *width -= less;
        over -= less;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], width: Option<usize>, expected: &[&str]) {
        let heads = [("version", Align::Left), ("name", Align::Cut), ("took", Align::Right)];
        let rows = names.iter().map(|name| ["1", name, "7 ms"].map(Cell::plain).into());
        let text = within(width, &heads, rows);
        let text = anstream::adapter::strip_str(&text).to_string();
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
    fn text_of_a_database_cannot_move_the_cursor() {
        let row = r"1        a\u{1b}[2Jb\u{d}\u{a}  7 ms";
        check(&["a\x1b[2Jb\r\n"], None, &["version  name                   took", row]);
    }

    #[test]
    fn empty_columns_are_left_out() {
        check(&["", ""], None, &["version  took", "1        7 ms", "1        7 ms"]);
        check(&[], None, &[]);
    }
}
