//! Splits a stem (a file or folder name without its endings) into version and description.
//! Whether an ambiguous number is meant as a date is decided later, from the whole set.

use super::flyway::{Flyway, flyway};
use crate::version::{begins_with_date, leading_digits};

/// A stem that begins with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered<'a> {
    pub version: &'a str,
    /// `_`, `-` or `.`; `None` without a description.
    pub separator: Option<char>,
    pub slug: &'a str,
    pub fit: Fit,
}

/// Which of the two layouts of leading numbers a version can belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Numeric,
    Timestamp,
    /// Long but not a date (`1677078479`), or zero, which comes first in any layout.
    Both,
}

/// How a stem without a Flyway prefix is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split<'a> {
    Numbered(Numbered<'a>),
    /// `001 x`: a version, and no separator after it.
    NoSeparator {
        version: &'a str,
        rest: &'a str,
        fit: Fit,
    },
    NoVersion,
}

const MARKS: [char; 3] = ['_', '-', '.'];

/// Splits `001_x`, `20250128_120000_x`, `2019-11-15-182353_x`.
pub fn numbered(stem: &str) -> Split<'_> {
    if let Some(rest) = stem.get(10..).filter(|_| dotted_moment(stem).is_some()) {
        return Split::NoSeparator { version: &stem[..10], rest, fit: Fit::Timestamp };
    }
    let (end, fit) = version_end(stem);
    if end == 0 {
        return Split::NoVersion;
    }
    let (version, rest) = stem.split_at(end);
    let Some(separator) = rest.chars().next() else {
        return Split::Numbered(Numbered { version, separator: None, slug: "", fit });
    };
    if !MARKS.contains(&separator) {
        let rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        return Split::NoSeparator { version, rest, fit };
    }
    let slug = rest.trim_start_matches(separator);
    let separator = (!slug.is_empty()).then_some(separator);
    Split::Numbered(Numbered { version, separator, slug, fit })
}

/// Splits umzug's `2024.01.02T03.04.05.x` into `20240102030405` and `x`.
pub fn dotted_moment(stem: &str) -> Option<(String, &str)> {
    let (moment, rest) = stem.split_at_checked(19)?;
    let mut shape = moment.bytes().zip(b"dddd.dd.ddTdd.dd.dd".iter());
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    let slug = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
    shape.all(fits).then(|| {
        let digits = moment.chars().filter(char::is_ascii_digit).collect();
        (digits, slug)
    })
}

/// The length of the version at the start of a stem; 0 if there is none.
fn version_end(stem: &str) -> (usize, Fit) {
    let first = leading_digits(stem);
    if first == 0 {
        return (0, Fit::Both);
    }
    if first == 4
        && let Some(date) = dashed_date(stem)
    {
        return (date + dotted(&stem[date..]), Fit::Timestamp);
    }
    let fit = if begins_with_date(stem) {
        Fit::Timestamp
    } else if first >= 8 || stem[..first].bytes().all(|b| b == b'0') {
        Fit::Both
    } else {
        Fit::Numeric
    };
    let mut end = first;
    if first == 8 && fit == Fit::Timestamp {
        let time = clock(&stem[end..]);
        end += if time > 0 { time } else { counter(&stem[end..]) };
    }
    (end + dotted(&stem[end..]), fit)
}

/// The length of `2019-11-15` with its time; `None` if the text does not begin with such a date.
fn dashed_date(stem: &str) -> Option<usize> {
    if !(stem.starts_with("19") || stem.starts_with("20")) {
        return None;
    }
    let joint = stem[4..].chars().next().filter(|c| MARKS.contains(c))?;
    let month = group(&stem[4..], joint, 1..=2)?;
    let day = group(&stem[4 + month..], joint, 1..=2)?;
    let mut end = 4 + month + day;
    let time = clock(&stem[end..]);
    if time > 0 {
        end += time;
        // diesel writes the fraction of the second as four more digits
        end += group(&stem[end..], '-', 4..=4).unwrap_or(0);
        return Some(end);
    }
    // hour, minute and second, or the number within the day, joined like the parts of the date
    for _ in 0..3 {
        end += group(&stem[end..], joint, 1..=3).unwrap_or(0);
    }
    Some(end)
}

/// A time of day right after a date: a mark and exactly 6 or 4 digits.
fn clock(rest: &str) -> usize {
    let Some(joint) = rest.chars().next().filter(|c| MARKS.contains(c)) else {
        return 0;
    };
    group(rest, joint, 6..=6).or_else(|| group(rest, joint, 4..=4)).unwrap_or(0)
}

/// yoyo's number within the day, which five random letters follow: `_01` of `_01_RE8HN-init`.
fn counter(rest: &str) -> usize {
    let Some(length) = group(rest, '_', 2..=2) else { return 0 };
    let random = rest[length..].strip_prefix('_').and_then(|rest| rest.split_once('-'));
    let is_random = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if random.is_some_and(|(random, _)| is_random(random)) { length } else { 0 }
}

/// Parts after dots, as in `1.2.3` and `2023-08-02.0`.
fn dotted(rest: &str) -> usize {
    let mut end = 0;
    while let Some(more) = group(&rest[end..], '.', 1..=usize::MAX) {
        end += more;
    }
    end
}

/// The length of `joint` and `count` digits, if neither a letter nor another digit follows (`_2fa`
/// is a word).
pub fn group(rest: &str, joint: char, count: std::ops::RangeInclusive<usize>) -> Option<usize> {
    let digits = rest.strip_prefix(joint)?;
    let len = leading_digits(digits);
    let ends = !digits[len..].starts_with(char::is_alphanumeric);
    (ends && count.contains(&len)).then_some(1 + len)
}

/// Whether a stem begins with a version in any layout, so that it would be a migration if it were
/// SQL.
pub fn has_version(stem: &str) -> bool {
    matches!(numbered(stem), Split::Numbered(_))
        || matches!(flyway(stem), Some(Flyway::Versioned { .. } | Flyway::Repeatable { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stem: &str, expected: &str) {
        let shown = match numbered(stem) {
            Split::Numbered(n) => {
                let separator = n.separator.map_or("none".to_owned(), String::from);
                format!("{:?} {} {separator} [{}]", n.fit, n.version, n.slug)
            }
            Split::NoSeparator { version, rest, .. } => format!("no separator {version} [{rest}]"),
            Split::NoVersion => "no version".to_owned(),
        };
        assert_eq!(shown, expected, "{stem}");
    }

    #[test]
    fn numbers_of_any_length_are_versions() {
        check("001_create_users", "Numeric 001 _ [create_users]");
        check("0105-mod-file", "Numeric 0105 - [mod-file]");
        check("000001", "Numeric 000001 none []");
        check("1677078479", "Both 1677078479 none []");
        check(
            "00000000000000_diesel_initial_setup",
            "Both 00000000000000 _ [diesel_initial_setup]",
        );
        check("00_init", "Both 00 _ [init]");
        check("1.2.3_x", "Numeric 1.2.3 _ [x]");
        check("9__x", "Numeric 9 _ [x]");
        check("1_", "Numeric 1 none []");
        check("7_2fa", "Numeric 7 _ [2fa]");
        check("0001.do.x", "Numeric 0001 . [do.x]");
        check("2_new idir groups", "Numeric 2 _ [new idir groups]");
    }

    #[test]
    fn dates_are_versions_with_their_time_of_day() {
        check("20240821170947_0_42_3", "Timestamp 20240821170947 _ [0_42_3]");
        check("20250128_120000_x", "Timestamp 20250128_120000 _ [x]");
        check("20250128_1200_x", "Timestamp 20250128_1200 _ [x]");
        check("20250128_12_x", "Timestamp 20250128 _ [12_x]");
        check("20240101_02_RE8HN-b", "Timestamp 20240101_02 _ [RE8HN-b]");
        check("20240101_02_add-b", "Timestamp 20240101 _ [02_add-b]");
        check("20250625_add", "Timestamp 20250625 _ [add]");
        check("20260730-pdp-v0-create", "Timestamp 20260730 - [pdp-v0-create]");
        check("202601016134308_x", "Timestamp 202601016134308 _ [x]");
        check("20150100000001000000_networks", "Timestamp 20150100000001000000 _ [networks]");
    }

    #[test]
    fn dates_with_dashes_are_versions_part_by_part() {
        check("2019-11-15-182353_Add email", "Timestamp 2019-11-15-182353 _ [Add email]");
        check("2025-11-19-091444-0000_x", "Timestamp 2025-11-19-091444-0000 _ [x]");
        check("2024-03-13_170000_sso", "Timestamp 2024-03-13_170000 _ [sso]");
        check("2023-08-02.0-x", "Timestamp 2023-08-02.0 - [x]");
        check("2024-1-5-x", "Timestamp 2024-1-5 - [x]");
        check("2024-01-15-12-30-45_x", "Timestamp 2024-01-15-12-30-45 _ [x]");
        check("2024-01-15-02-x", "Timestamp 2024-01-15-02 - [x]");
        check("2024-01-15_02_x", "Timestamp 2024-01-15 _ [02_x]");
        check("2024_01_15_120000_x", "Timestamp 2024_01_15_120000 _ [x]");
        check("2024-notes", "Numeric 2024 - [notes]");
    }

    #[test]
    fn what_is_no_version_says_why() {
        check("001 x", "no separator 001 [x]");
        check("001x", "no separator 001 [x]");
        check("2024.01.02T00.00.00.b", "no separator 2024.01.02 [T00.00.00.b]");
        check("1) first", "no separator 1 [first]");
        check("20250128_120000 x", "no separator 20250128_120000 [x]");
        check("20250128T120000_x", "no separator 20250128 [T120000_x]");
        check("XXXX-draft", "no version");
        check("", "no version");
        check("é", "no version");
        check("2024-é", "Numeric 2024 - [é]");
    }
}
