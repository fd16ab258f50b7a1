//! The functions and types of the server, of PostgreSQL 13 to 18.

use std::cmp::Ordering;
use std::sync::OnceLock;

use super::named::Named;

/// `SELECT DISTINCT proname FROM pg_proc` of a new database, and what only the grammar knows; sorted.
const FUNCTIONS: &str = include_str!("functions.txt");

/// The types of a new database and other spellings of them.
const TYPES: &str = include_str!("types.txt");

/// Whether the server has a type of this name.
pub(super) fn is_type(name: &str) -> bool {
    static ALL: OnceLock<Named<()>> = OnceLock::new();
    let all = || TYPES.split_whitespace().map(|name| (name.to_owned(), ())).collect();
    name.starts_with("pg_") || ALL.get_or_init(all).contains_key(name)
}

/// Whether the server has a function of this name.
pub(super) fn is_function(name: &str) -> bool {
    name.starts_with("pg_") || has(FUNCTIONS, name)
}

/// Whether a sorted text has this word. It is searched as it is: to make a map of thousands of words takes an
/// unoptimised build longer than a thousand searches.
fn has(text: &str, word: &str) -> bool {
    let text = text.as_bytes();
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = low.midpoint(high);
        let (mut start, mut end) = (middle, middle);
        while start > low && text[start - 1] > b' ' {
            start -= 1;
        }
        while end < high && text[end] > b' ' {
            end += 1;
        }
        match text[start..end].cmp(word.as_bytes()) {
            Ordering::Less => low = end + 1,
            Ordering::Equal => return true,
            Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, has, is_function, is_type};

    #[test]
    fn every_word_is_found_and_no_other() {
        for word in FUNCTIONS.split_whitespace() {
            assert!(has(FUNCTIONS, word), "{word}");
            assert!(!has(FUNCTIONS, &format!("{word}$")), "{word}$");
        }
        assert!(["", " ", "\n", "$", "zzz"].iter().all(|word| !has(FUNCTIONS, word)));
    }

    #[test]
    fn types_and_functions_are_different_names() {
        assert!(is_type("bigint") && !is_type("now") && is_type("pg_lsn"));
        assert!(is_function("now") && !is_function("bigint") && is_function("pg_sleep"));
    }
}
