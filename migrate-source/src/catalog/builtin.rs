//! The functions and types of the server, of PostgreSQL 13 to 18.

use std::cmp::Ordering;

/// `SELECT DISTINCT proname FROM pg_proc` of a new database, and what only the grammar knows; sorted.
const FUNCTIONS: &str = include_str!("functions.txt");

/// The types of a new database and other spellings of them; sorted.
const TYPES: &str = include_str!("types.txt");

/// Whether the server has a type of this name.
pub(super) fn is_type(name: &str) -> bool {
    name.starts_with("pg_") || has(TYPES, name)
}

/// Whether the server has a function of this name.
pub(super) fn is_function(name: &str) -> bool {
    name.starts_with("pg_") || has(FUNCTIONS, name)
}

/// Whether a sorted text has this word. It is searched as it is: to make a set of the words takes an unoptimised build
/// longer than all searches for a thousand tables.
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
    use super::{FUNCTIONS, TYPES, has};

    #[test]
    fn every_word_is_found_and_no_other() {
        for text in [TYPES, FUNCTIONS] {
            for word in text.split_whitespace() {
                assert!(has(text, word), "{word}");
                assert!(!has(text, &format!("{word}$")), "{word}$");
            }
            assert!(["", " ", "\n", "$", "zzz"].iter().all(|word| !has(text, word)));
        }
    }
}
