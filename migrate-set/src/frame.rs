//! Shows a place in a file: its line, with the place underlined.
//! Without colours, because the text is shown in compiler messages, logs and terminals.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::location::{floor_boundary, line_at, line_start, position};
use crate::text::{is_hidden, masked_with};

/// The width of a frame, unless place and label are wider; a longer line is cut around the place.
const WIDTH: usize = 100;

/// Replaces what was cut.
const ELLIPSIS: &str = "...";

/// Columns shown on each side of the place if there is room: an ellipsis and some text.
const PADDING: usize = 6;

/// The bytes kept on each side of an end of the place: more than two frames, even of characters that
/// take four bytes.
const NEAR: usize = 8 * WIDTH;

/// A deeper indentation is shortened.
const INDENT: usize = 20;

/// The part of a text around a place in which a secret is looked for, so that a frame of a long text
/// costs no more than one of a short one.
const AROUND: usize = 1024;

/// The numbered line of `text` that contains `span`, with `span` underlined and labelled `label`, and
/// with secrets masked.
///
/// Of a span over several lines, the first is shown. An empty span is shown as one character.
///
/// ```
/// use migrate_set::frame::frame;
/// assert_eq!(
///     frame("a;\nselect 'x;\n", 10..13, "opened here"),
///     "  |\n2 | select 'x;\n  |        ^^^ opened here",
/// );
/// ```
pub fn frame(text: &str, span: Range<usize>, label: &str) -> String {
    let number = position(text, floor_boundary(text, span.start)).line.to_string();
    let (text, span) = around(text, span);
    let (text, span) = masked_with(text, span);
    let text = &*text;
    let at = floor_boundary(text, span.start);
    let whole = line_at(text, at);
    let before = line_start(text, at);
    let within = |byte: usize| floor_boundary(whole, byte.saturating_sub(before));
    let (line, span) = near(whole, within(at)..within(span.end).max(within(at)));
    let line = &*line;
    let column = |byte: usize| visible(&line[..byte]).map(width).sum::<usize>();
    let start = column(span.start);
    let end = column(span.end).max(start + 1);
    let gutter = " ".repeat(number.len());
    let room = WIDTH.saturating_sub(number.len() + " | ".len());
    let mut shown = shown(line, window(line, &(start..end), label, room));
    let indent = " ".repeat(start.saturating_sub(shown.left));
    let underline = if end - start > 2 * room {
        shown.cut(start + room / 3..end - room / 3);
        let end = "^".repeat(room / 3);
        [&end, ELLIPSIS, &end].concat()
    } else {
        "^".repeat(end - start)
    };
    let code: String = shown.cells.iter().map(|&(_, c)| c).collect();
    let lines = [
        format!("{gutter} |"),
        format!("{number} | {code}"),
        format!("{gutter} | {indent}{underline} {label}"),
    ];
    lines.each_ref().map(|line| line.trim_end()).join("\n")
}

/// `line` and the place `span` in it without the bytes that no frame shows, because they are far from
/// both ends of the place: a line can be a whole file.
fn near(line: &str, span: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    if line.len() <= 4 * NEAR {
        return (Cow::Borrowed(line), span);
    }
    let from = floor_boundary(line, span.start.saturating_sub(NEAR));
    let to = floor_boundary(line, span.end + NEAR);
    if span.len() <= 2 * NEAR {
        return (Cow::Borrowed(&line[from..to]), span.start - from..span.end - from);
    }
    let head = &line[from..floor_boundary(line, span.start + NEAR)];
    let tail = floor_boundary(line, span.end - NEAR);
    let end = head.len() + span.end - tail;
    (Cow::Owned([head, &line[tail..to]].concat()), span.start - from..end)
}

/// The lines of `text` near `span`, and where `span` is in them.
fn around(text: &str, span: Range<usize>) -> (&str, Range<usize>) {
    let at = floor_boundary(text, span.start);
    let from = floor_boundary(text, at.saturating_sub(AROUND));
    let line = line_start(text, at);
    let from = if from == 0 {
        0
    } else {
        text[from..line.max(from)].find('\n').map_or(line, |feed| from + feed + 1)
    };
    let to = floor_boundary(text, span.end.max(at).saturating_add(AROUND));
    let to = text[to..].find('\n').map_or(text.len(), |feed| to + feed);
    (&text[from..to], span.start.saturating_sub(from)..span.end.saturating_sub(from))
}

/// The characters shown for `text`, each of which can be underlined: four blanks for a tab, the number of
/// a hidden character, and nothing for a joiner.
fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|c| {
        let number = is_hidden(c).then(|| c.escape_unicode());
        let (shown, times) = match c {
            _ if number.is_some() => (c, 0),
            '\t' => (' ', 4),
            '\u{200d}' => (c, 0),
            _ => (c, 1),
        };
        number.into_iter().flatten().chain(std::iter::repeat_n(shown, times))
    })
}

/// How many columns `c` takes in a terminal.
fn width(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// The columns of `line` that are shown in `room` columns: all, or those around `place`.
fn window(line: &str, place: &Range<usize>, label: &str, room: usize) -> Range<usize> {
    let columns = |text: &str| visible(text).map(width).sum::<usize>();
    let total = columns(line);
    let code = line.trim_start();
    let indent = if code.is_empty() { 0 } else { columns(&line[..line.len() - code.len()]) };
    let indent = indent.min(place.start).saturating_sub(PADDING);
    let left = if indent > INDENT { indent - INDENT + PADDING - 2 } else { 0 };
    if total.saturating_sub(left) <= room {
        return left..total;
    }
    let before = place.start.saturating_sub(PADDING);
    let after = place.end + PADDING;
    let labelled = after + 1 + columns(label);
    let left = if labelled - indent <= room {
        indent
    } else if labelled - before <= room {
        before.saturating_sub((room - (labelled - before)) / 2)
    } else if after - before <= room {
        before.saturating_sub((room - (after - before)) / 5 * 2)
    } else {
        before
    };
    if total - left <= room { left..total } else { left..total.min(after.max(left + room)) }
}

/// The characters of a line that are shown.
struct Shown {
    /// Each with its column in the whole line.
    cells: Vec<(usize, char)>,
    /// The column of the first.
    left: usize,
}

/// The characters of `line` in the columns of `window`, with an ellipsis where some are left out.
fn shown(line: &str, window: Range<usize>) -> Shown {
    let mut total = 0;
    let mut cells = Vec::new();
    for c in visible(line) {
        cells.push((total, c));
        total += width(c);
    }
    cells.retain(|&(column, _)| column >= window.start);
    // A wide character is never cut in two.
    let left = cells.first().map_or(window.start, |&(column, _)| column);
    let right = window.end + left - window.start;
    cells.retain(|&(column, c)| column + width(c) <= right);
    let right = cells.last().map_or(left, |&(column, c)| column + width(c));
    let mut shown = Shown { cells, left };
    if window.start > 0 {
        shown.cut(0..left + ELLIPSIS.len());
    }
    if total > window.end {
        shown.cut(right.saturating_sub(ELLIPSIS.len())..usize::MAX);
    }
    shown
}

impl Shown {
    /// Replaces everything in `columns` with an ellipsis, and halves of wide characters with
    /// blanks, so that what follows keeps its column.
    fn cut(&mut self, columns: Range<usize>) {
        let from = self.cells.partition_point(|&(column, c)| column + width(c) <= columns.start);
        let to = self.cells.partition_point(|&(column, _)| column < columns.end);
        let before = self.cells.get(from).map_or(columns.start, |&(column, _)| column);
        let after = self.cells.get(to).map_or(columns.end, |&(column, _)| column);
        let aligned = if to < self.cells.len() { columns.start } else { before };
        let half = (before..aligned).map(|column| (column, ' '));
        let other_half = (columns.end..after).map(|column| (column, ' '));
        let ellipsis = ELLIPSIS.chars().map(|c| (columns.start, c));
        self.cells.splice(from..to.max(from), half.chain(ellipsis).chain(other_half));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, span: Range<usize>, expected: &[&str]) {
        assert_eq!(frame(text, span, "here").lines().collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn places_are_underlined() {
        check("ab cd", 3..5, &["  |", "1 | ab cd", "  |    ^^ here"]);
        check("a\nb\nc d", 6..7, &["  |", "3 | c d", "  |   ^ here"]);
        check("日本 x", 7..8, &["  |", "1 | 日本 x", "  |      ^ here"]);
        check("(a\nb", 0..4, &["  |", "1 | (a", "  | ^^ here"]);
        check("ab", 2..2, &["  |", "1 | ab", "  |   ^ here"]);
        check("", 0..0, &["  |", "1 |", "  | ^ here"]);
    }

    #[test]
    fn what_has_no_column_of_its_own_keeps_the_underline_in_place() {
        check("\ta\tb", 1..4, &["  |", "1 |     a    b", "  |     ^^^^^^ here"]);
        check("'🎉' 日本語", 7..13, &["  |", "1 | '🎉' 日本語", "  |      ^^^^ here"]);
        check("e\u{301} x", 4..5, &["  |", "1 | e\u{301} x", "  |   ^ here"]);
        check("e\u{301} x", 1..3, &["  |", "1 | e\u{301} x", "  |  ^ here"]);
        check(
            "a\x1b\u{202e}b",
            5..6,
            &["  |", r"1 | a\u{1b}\u{202e}b", "  |                ^ here"],
        );
        check("\u{202e}b", 0..3, &["  |", r"1 | \u{202e}b", "  | ^^^^^^^^ here"]);
        check("👩\u{200d}🔧 x", 12..13, &["  |", "1 | 👩🔧 x", "  |      ^ here"]);
        check("a\rb", 2..3, &["  |", r"1 | a\u{d}b", "  |       ^ here"]);
    }

    #[test]
    fn secrets_are_masked_and_keep_the_underline_in_place() {
        check(
            "PASSWORD 'secret' x",
            18..19,
            &["  |", "1 | PASSWORD '***' x", "  |                ^ here"],
        );
        check(
            "PASSWORD 'secret'",
            9..17,
            &["  |", "1 | PASSWORD '***'", "  |          ^^^^^ here"],
        );
        check("PASSWORD $$a\nb$$\nx", 17..18, &["  |", "3 | x", "  | ^ here"]);
        let long = format!("{}PASSWORD 'secret' x\n{0}", "select 1;\n".repeat(2000));
        check(
            &long,
            20_018..20_019,
            &["     |", "2001 | PASSWORD '***' x", "     |                ^ here"],
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_frame(
            text in r#"([a-z$'"@:/= \\éλ\n\x1b]|password |://|\$t\$|''){0,30}"#,
            from in 0_usize..60,
            length in 0_usize..60,
        ) {
            let lines = frame(&text, from..from + length, "here");
            proptest::prop_assert_eq!(lines.lines().count(), 3);
            proptest::prop_assert!(lines.ends_with("^ here"));
        }
    }

    #[test]
    fn spans_that_fit_no_line_are_shown_all_the_same() {
        check("a\nbc", 99..99, &["  |", "2 | bc", "  |   ^ here"]);
        check("a\nbc\n", 5..5, &["  |", "3 |", "  | ^ here"]);
        check("日本", 1..4, &["  |", "1 | 日本", "  | ^^ here"]);
        let ninth = format!("{}x\ny", "\n".repeat(8));
        check(&ninth, 8..11, &["  |", "9 | x", "  | ^ here"]);
        check(&ninth, 10..11, &["   |", "10 | y", "   | ^ here"]);
    }

    #[test]
    fn a_deep_indentation_is_cut() {
        let text = |blanks: usize| format!("{}select", " ".repeat(blanks));
        let blanks = " ".repeat(26);
        let whole = [format!("1 | {blanks}select"), format!("  | {blanks}^^^^^^ here")];
        check(&text(26), 26..32, &["  |", &whole[0], &whole[1]]);
        let blanks = " ".repeat(19);
        let cut = [format!("1 | ...{blanks}select"), format!("  |    {blanks}^^^^^^ here")];
        check(&text(27), 27..33, &["  |", &cut[0], &cut[1]]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}x{}", "a ".repeat(500), " b".repeat(500));
        let here = format!("  | {}^ here", " ".repeat(45));
        check(&text, 0..1, &["  |", &format!("1 | {}a...", "a ".repeat(46)), "  | ^ here"]);
        let middle = format!("1 | ...{}x{} ...", "a ".repeat(21), " b".repeat(23));
        check(&text, 1000..1001, &["  |", &middle, &here]);
        check(&text, 2000..2001, &["  |", &format!("1 | ...{}b", "b ".repeat(21)), &here]);
    }

    /// A frame shows the same, however much of the line is far away.
    #[test]
    fn what_is_far_from_the_place_changes_nothing() {
        let text = |far: usize| format!("{0}x{1}x{0}", "é ".repeat(far), "- ".repeat(far));
        let frame_of =
            |far: usize, of: fn(usize) -> Range<usize>| frame(&text(far), of(far), "here");
        let places: [fn(usize) -> Range<usize>; 3] = [
            |far| 3 * far..3 * far + 1,
            |far| 5 * far + 1..5 * far + 2,
            |far| 3 * far..5 * far + 2,
        ];
        for place in places {
            assert_eq!(frame_of(150, place), frame_of(100_000, place));
        }
        let text = text(100_000);
        let (line, span) = near(&text, places[2](100_000));
        assert!(line.len() < 5 * NEAR && span.len() < 3 * NEAR, "{} bytes", line.len());
    }

    #[test]
    fn wide_characters_are_not_cut_in_two() {
        let text = format!("{}x{}", "日".repeat(100), "本".repeat(100));
        let lines = frame(&text, 300..301, "here");
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        let columns = |text: &str| text.chars().map(width).sum::<usize>();
        let place = lines[1].find('x').map(|at| columns(&lines[1][..at]));
        assert_eq!(lines[2].find('^'), place, "{lines:?}");
        assert!(lines[1].starts_with("1 | ...") && lines[1].ends_with("本..."), "{lines:?}");
        assert!(columns(lines[1]) <= WIDTH, "{lines:?}");
    }

    #[test]
    fn a_span_longer_than_two_lines_is_cut_in_its_middle() {
        let kept = 96 / 3;
        let text = "x".repeat(300);
        let shown = [
            format!("1 | {0}...{0}", "x".repeat(kept)),
            format!("  | {0}...{0} here", "^".repeat(kept)),
        ];
        check(&text, 0..300, &["  |", &shown[0], &shown[1]]);
        let whole = "x".repeat(192);
        let shown = [format!("1 | {whole}"), format!("  | {} here", "^".repeat(192))];
        check(&whole, 0..192, &["  |", &shown[0], &shown[1]]);
    }
}
