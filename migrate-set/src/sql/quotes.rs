//! A quote inside quotes, which SQL writes twice.

/// `text` with every `quote` in it twice.
///
/// ```
/// use migrate_set::sql::quotes::doubled;
/// assert_eq!(doubled("it's", '\''), "it''s");
/// ```
pub fn doubled(text: &str, quote: char) -> String {
    let mut doubled = String::with_capacity(text.len());
    for part in text.split_inclusive(quote) {
        doubled.push_str(part);
        if part.ends_with(quote) {
            doubled.push(quote);
        }
    }
    doubled
}

/// `text` with every `quote` once that is in it twice.
pub fn undoubled(text: &str, quote: char) -> String {
    let mut single = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        single.push(c);
        if c == quote {
            rest.next_if_eq(&quote);
        }
    }
    single
}

/// The name of an identifier, which can be without quotes.
pub fn unquoted(written: &str) -> String {
    let inside = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    undoubled(inside.unwrap_or(written), '"')
}

#[cfg(test)]
mod tests {
    use super::{doubled, undoubled, unquoted};

    #[test]
    fn quotes_are_written_twice_and_read_once() {
        let check = |text: &str, expected: &str| {
            assert_eq!(doubled(text, '"'), expected);
            assert_eq!(undoubled(expected, '"'), text);
        };
        check("", "");
        check("a", "a");
        check("\"", "\"\"");
        check("a\"b\"\"c", "a\"\"b\"\"\"\"c");
        check("'ü\"", "'ü\"\"");
        assert_eq!(undoubled("a\"\"\"b", '"'), "a\"\"b", "the third has no partner");
    }

    #[test]
    fn names_keep_a_quote_at_their_end() {
        for (written, name) in
            [("a", "a"), (r#""a""#, "a"), (r#""a""""#, "a\""), (r#""""a""#, "\"a")]
        {
            assert_eq!(unquoted(written), name);
        }
    }
}
