//! Recognises Flyway's names, and names that were meant to be one.
//! Only the default prefixes are known: other prefixes are a setting that no file name shows.

use super::split::group;
use crate::version::leading_digits;

/// A stem that begins like a Flyway name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flyway<'a> {
    Versioned {
        prefix: Prefix,
        version: &'a str,
        slug: &'a str,
    },
    Repeatable {
        slug: &'a str,
    },
    /// `V1_x`, `v1__x`, `R_x`: almost a Flyway name.
    Almost {
        prefix: Prefix,
        version: &'a str,
        slug: &'a str,
    },
    /// `B5__x`: the state of a whole schema, which replaces the migrations up to it.
    Baseline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Versioned,
    Undo,
    Repeatable,
}

impl Prefix {
    pub fn letter(self) -> char {
        match self {
            Self::Versioned => 'V',
            Self::Undo => 'U',
            Self::Repeatable => 'R',
        }
    }
}

/// Splits `V1.2__x`, `U1__x`, `R__x`; `None` if the stem does not begin like a Flyway name.
pub fn flyway(stem: &str) -> Option<Flyway<'_>> {
    let letter = stem.chars().next()?;
    let rest = &stem[letter.len_utf8()..];
    let numbered = rest.starts_with(|c: char| c.is_ascii_digit());
    match letter {
        'V' | 'v' if numbered => Some(versioned(Prefix::Versioned, letter == 'V', rest)),
        'U' | 'u' if numbered => Some(versioned(Prefix::Undo, letter == 'U', rest)),
        'B' if numbered && rest.contains("__") => Some(Flyway::Baseline),
        'R' | 'r' => repeatable(letter == 'R', rest),
        _ => None,
    }
}

fn versioned(prefix: Prefix, upper: bool, rest: &str) -> Flyway<'_> {
    let mut end = leading_digits(rest);
    while let Some(more) = group(&rest[end..], '.', 1..=usize::MAX)
        .or_else(|| group(&rest[end..], '_', 1..=usize::MAX))
    {
        end += more;
    }
    let (version, rest) = rest.split_at(end);
    match rest.strip_prefix("__") {
        Some(slug) if upper => Flyway::Versioned { prefix, version, slug },
        None if upper && rest.is_empty() => Flyway::Versioned { prefix, version, slug: "" },
        _ => Flyway::Almost { prefix, version, slug: described(rest) },
    }
}

fn repeatable(upper: bool, rest: &str) -> Option<Flyway<'_>> {
    let number = leading_digits(rest);
    match rest.strip_prefix("__") {
        Some(slug) if upper => Some(Flyway::Repeatable { slug }),
        Some(_) => Some(almost_repeatable(rest)),
        None if upper && rest.starts_with('_') => Some(almost_repeatable(rest)),
        None if upper && number > 0 && rest[number..].starts_with("__") => {
            Some(almost_repeatable(&rest[number..]))
        }
        None => None,
    }
}

fn almost_repeatable(rest: &str) -> Flyway<'_> {
    Flyway::Almost { prefix: Prefix::Repeatable, version: "", slug: described(rest) }
}

fn described(rest: &str) -> &str {
    rest.trim_start_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stem: &str, expected: &str) {
        let shown = match flyway(stem) {
            Some(Flyway::Versioned { prefix, version, slug }) => {
                format!("{} {version} [{slug}]", prefix.letter())
            }
            Some(Flyway::Repeatable { slug }) => format!("R [{slug}]"),
            Some(Flyway::Almost { prefix, version, slug }) => {
                format!("almost {} {version} [{slug}]", prefix.letter())
            }
            Some(Flyway::Baseline) => "baseline".to_owned(),
            None => "not flyway".to_owned(),
        };
        assert_eq!(shown, expected, "{stem}");
    }

    #[test]
    fn flyway_versions_have_many_parts() {
        check("V001__initial_schema", "V 001 [initial_schema]");
        check("V2019.05.23.03.30__2 new_idir", "V 2019.05.23.03.30 [2 new_idir]");
        check("V22_1.15.6.1__x", "V 22_1.15.6.1 [x]");
        check("V4_99_1575367461__x", "V 4_99_1575367461 [x]");
        check("V2022.03.2916.56__x", "V 2022.03.2916.56 [x]");
        check("U1.2__x", "U 1.2 [x]");
        check("R__views", "R [views]");
        check("V1", "V 1 []");
        check("V1__", "V 1 []");
    }

    #[test]
    fn near_misses_of_flyway_are_seen() {
        check("V1_x", "almost V 1 [x]");
        check("V1_2_x", "almost V 1_2 [x]");
        check("V1_2fa", "almost V 1 [2fa]");
        check("V1-x", "almost V 1 [x]");
        check("v1_x", "almost V 1 [x]");
        check("v1__x", "almost V 1 [x]");
        check("u2__x", "almost U 2 [x]");
        check("R_views", "almost R  [views]");
        check("R1__views", "almost R  [views]");
        check("r__views", "almost R  [views]");
        check("B5__x", "baseline");
        check("views", "not flyway");
        check("users", "not flyway");
        check("rename", "not flyway");
    }
}
