//! Decides which of two releases of a service comes first, part by part.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A release of the service: numbers with dots, as in `2.3` or `v2026.11.1`.
///
/// A missing number is zero, so `2.3` is `2.3.0`. What follows a `-` is a release before it, as in Semantic
/// Versioning: `2.3.0-rc.1` comes before `2.3.0`. What follows a `+` does not count.
///
/// ```
/// # use migrate_set::release::Release;
/// let release = |text| Release::new(text).unwrap();
/// assert!(release("2.9") < release("2.10"));
/// assert!(release("v2.3.0-rc.1") < release("2.3"));
/// assert_eq!(Release::new("next"), None);
/// ```
#[derive(Debug, Clone)]
pub struct Release(Cow<'static, str>);

impl Release {
    /// The release with this text; `None` if it is not one.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Option<Self> {
        let release = Release(text.into());
        let (numbers, before) = release.parts();
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let is_word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let is_valid =
            numbers.split('.').all(is_number) && before.is_none_or(|b| b.split('.').all(is_word));
        is_valid.then_some(release)
    }

    /// The release with this text, which was checked before.
    pub(crate) const fn checked(text: &'static str) -> Self {
        Release(Cow::Borrowed(text))
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The numbers, and what makes it a release before them.
    fn parts(&self) -> (&str, Option<&str>) {
        let text = self.0.strip_prefix(['v', 'V']).unwrap_or(&self.0);
        let text = text.split_once('+').map_or(text, |(text, _)| text);
        text.split_once('-').map_or((text, None), |(numbers, before)| (numbers, Some(before)))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Ord for Release {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((a, a_before), (b, b_before)) = (self.parts(), other.parts());
        compare(a, b, by_number).then_with(|| match (a_before, b_before) {
            (Some(a), Some(b)) => compare(a, b, by_word),
            (one, other) => other.is_some().cmp(&one.is_some()),
        })
    }
}

impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Release {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Release {}

/// Compares the parts between dots in order; a missing one is empty.
fn compare(a: &str, b: &str, by: fn(&str, &str) -> Ordering) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (one, other) = (a.next(), b.next());
        if one.is_none() && other.is_none() {
            return Ordering::Equal;
        }
        match by(one.unwrap_or_default(), other.unwrap_or_default()) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
}

/// Digits, of any number.
fn by_number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A number comes before a word, and a missing part before both (Semantic Versioning 2.0.0, 11.4).
fn by_word(a: &str, b: &str) -> Ordering {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let rank = |part: &str| (!part.is_empty(), !is_number(part));
    rank(a).cmp(&rank(b)).then_with(|| if is_number(a) { by_number(a, b) } else { a.cmp(b) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pair: (&'static str, &'static str), expected: Ordering) {
        let release = |text| Release::new(text).unwrap();
        let (a, b) = (release(pair.0), release(pair.1));
        assert_eq!(a.cmp(&b), expected, "{a} against {b}");
        assert_eq!(b.cmp(&a), expected.reverse(), "{b} against {a}");
        assert_eq!(a == b, expected == Ordering::Equal, "{a} equals {b}");
    }

    #[test]
    fn releases_compare_part_by_part() {
        use Ordering::{Equal, Less};
        check(("2.9", "2.10"), Less);
        check(("2.3", "2.3.0"), Equal);
        check(("2.3", "2.3.1"), Less);
        check(("2.3.1", "3"), Less);
        check(("v2.3", "2.03"), Equal);
        check(("0", "0.0.0"), Equal);
        check(("2026.11.30", "2026.12.1"), Less);
        check(("99999999999999999999", "100000000000000000000"), Less);
        check(("2.3.0+linux", "2.3.0+mac"), Equal);
    }

    /// The example of Semantic Versioning 2.0.0, 11.4.4, and its neighbours.
    #[test]
    fn what_comes_before_a_release_is_older() {
        let order = [
            "0.9.9", "1.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
            "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0-rc-1", "1.0.0", "1.0.1-rc.1",
        ];
        for (index, one) in order.iter().enumerate() {
            check((one, one), Ordering::Equal);
            for other in &order[index + 1..] {
                check((one, other), Ordering::Less);
            }
        }
    }

    #[test]
    fn other_texts_are_not_releases() {
        for text in
            ["", "v", "next", "2.", ".3", "2..3", "2.x", "2,3", "2.3-", "2.3-a..b", "2.3 4", "-1"]
        {
            assert_eq!(Release::new(text), None, "{text}");
        }
        assert_eq!(Release::new("V2.3").unwrap().to_string(), "V2.3");
    }
}
