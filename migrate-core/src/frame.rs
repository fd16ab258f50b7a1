//! Decides how a place in a file is shown: the line with what is wrong underlined.
//! A text, a byte range and a label go in, a few plain lines come out.
//! It adds no colour on purpose: the text goes into compiler messages, logs and terminals alike.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::location::{line_at, position};

/// No line of a frame is wider than this; a longer one is cut around the place.
const WIDTH: usize = 100;

/// The line of `text` that holds `span`, numbered, with `span` underlined and `label` behind it.
///
/// A span over several lines is shown by its first. An empty span is shown as one character.
///
/// ```
/// use migrate_core::frame::frame;
/// assert_eq!(
///     frame("a;\nselect 'x;\n", 10..13, "opened here"),
///     "  |\n2 | select 'x;\n  |        ^^^ opened here",
/// );
/// ```
pub fn frame(text: &str, span: Range<usize>, label: &str) -> String {
    let line = line_at(text, span.start);
    let number = position(text, span.start).line as usize;
    let line_start = text[..span.start.min(text.len())].rfind('\n').map_or(0, |feed| feed + 1);
    let start = span.start.saturating_sub(line_start).min(line.len());
    let end = span.end.saturating_sub(line_start).clamp(start, line.len());
    let snippet = Snippet::source(line)
        .line_start(number)
        .annotation(AnnotationKind::Primary.span(start..end).label(label));
    let group = Group::with_level(Level::ERROR).element(snippet);
    let rendered = Renderer::plain().term_width(WIDTH).render(&[group]);
    let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
    lines.join("\n")
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
    fn long_lines_are_cut() {
        let text = format!("{}x{}", "a ".repeat(500), " b".repeat(500));
        let shown = frame(&text, 1000..1001, "here");
        assert!(shown.lines().all(|line| line.chars().count() < 130), "{shown}");
        assert!(shown.contains("^ here"), "{shown}");
    }
}
