//! Converts offsets in a text to the lines and columns that editors show.
//! There is no index, because a position is needed once, when something fails.

use std::fmt;

/// A place in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters (not bytes), from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The position of the byte `offset` of `text`.
///
/// An offset past the end gives the position after the last character; one inside a character
/// gives that character's position.
///
/// ```
/// use migrate_set::location::position;
/// assert_eq!(position("é = 1;\nx", 3).to_string(), "1:3");
/// assert_eq!(position("é = 1;\nx", 8).to_string(), "2:1");
/// ```
pub fn position(text: &str, offset: usize) -> Position {
    // The standard library's searches, because they are fast even in an unoptimised macro.
    let before = &text[..floor_boundary(text, offset)];
    let (above, line) = before.split_at(line_start(text, before.len()));
    let (lines, column) = (above.matches('\n').count(), line.chars().count());
    Position { line: narrow(lines + 1), column: narrow(column + 1) }
}

/// The byte at which character number `characters` (from 0) of `text` begins.
///
/// PostgreSQL reports error positions in characters
/// (manual, "Error and Notice Message Fields", field `P`); a server whose encoding is `SQL_ASCII` counts bytes. Past the end: the text's length.
pub fn byte_of_character(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(byte, _)| byte)
}

/// The whole line that contains the byte `offset`, without its line feed.
pub fn line_at(text: &str, offset: usize) -> &str {
    let at = floor_boundary(text, offset);
    let end = text[at..].find('\n').map_or(text.len(), |feed| at + feed);
    &text[line_start(text, at)..end]
}

/// Where the line that contains the byte `at` begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |feed| feed + 1)
}

/// The last byte up to `offset` where a character of `text` begins or the text ends.
pub(crate) fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// An offset or a count as sets and messages keep it; a text of 4 GiB does not occur.
#[doc(hidden)]
pub fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_and_columns() {
        let check = |text: &str, offset: usize, expected: &str| {
            assert_eq!(position(text, offset).to_string(), expected, "{text:?} at {offset}");
        };
        check("", 0, "1:1");
        check("ab", 1, "1:2");
        check("ab", 99, "1:3");
        check("a\nb", 1, "1:2");
        check("a\nb", 2, "2:1");
        check("日本\n語x", 6, "1:3");
        check("日本\n語x", 7, "2:1");
        check("日本\n語x", 8, "2:1"); // inside 語
        check("日本\n語x", 10, "2:2");
    }

    #[test]
    fn characters_become_bytes() {
        assert_eq!(byte_of_character("日本x", 0), 0);
        assert_eq!(byte_of_character("日本x", 2), 6);
        assert_eq!(byte_of_character("日本x", 3), 7);
        assert_eq!(byte_of_character("日本x", 9), 7);
    }

    #[test]
    fn lines_are_found_around_an_offset() {
        assert_eq!(line_at("one\ntwo\nthree", 5), "two");
        assert_eq!(line_at("one\ntwo\nthree", 99), "three");
        assert_eq!(line_at("one\n", 4), "");
    }
}
