//! Decides which of two versions comes first, and whether they are equal.
//! Dates are not validated and numbers have no upper bound, because month 18 and numbers of 20
//! digits occur in real histories.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The ordering key of a migration, kept as written and without Flyway's leading `V`.
///
/// The text is split into numbers at `.`, `-` and `_`, which are compared one by one; a missing
/// number counts as zero. This is Flyway's rule (`1` is `1.0`), and it also makes `1`, `01` and
/// `001` one version. A first number of at least 8 digits that begins with 19 or 20 is a date:
/// year, month, day, and the rest as one number, or, from nine digits on, as time of day and fraction
/// of the second. So dates compare the same however they are written. After a year, missing numbers do not count as zero: `2026-05-27` comes before
/// `2026-05-27-0000`. Text after the numbers breaks ties; a key that begins with text sorts after
/// all keys that begin with a number.
///
/// ```
/// # use migrate_set::version::Version;
/// assert_eq!(Version::from_static("20250128_120000"), Version::from_static("20250128120000"));
/// assert!(Version::from_static("20140924113530") < Version::from_static("2017-09-23-182408"));
/// assert!(Version::from_static("9") < Version::from_static("0010"));
/// ```
#[derive(Clone)]
pub struct Version(Cow<'static, str>);

impl Version {
    /// The version with this text, for a `static`.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The version with this text, unchanged. What a caller names is made by [`From`].
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a caller who writes this means the migration of this version and this file: by its version, or by its
    /// version with its name as in files (`001_create_users`, `001_create_users.sql`).
    pub fn means(&self, version: &Version, filename: &str) -> bool {
        let stem = filename.trim_end_matches(".sql").trim_end_matches(".up");
        let is_it = |name: &str| Version::from(name).as_str() == self.as_str();
        self == version || is_it(stem) || is_it(filename)
    }

    /// The version before its set appended a name to order equal versions: `7` of `7_add_users`.
    pub fn without_name(&self) -> Option<Version> {
        let (_, name) = Numbers::of(&self.0)?;
        let numbers = self.0[..self.0.len() - name.len()].trim_end_matches(['.', '-', '_']);
        (!name.is_empty()).then(|| Version::new(numbers.to_owned()))
    }
}

impl From<&str> for Version {
    /// The version that a caller names: `V7`, `v7` and `7` are the same.
    fn from(text: &str) -> Self {
        let text = text.trim();
        let number = text
            .strip_prefix(['V', 'v'])
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        Self::new(number.unwrap_or(text).to_owned())
    }
}

impl From<String> for Version {
    /// As of a `&str`.
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Version {
    /// As of a `&str`.
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Version> for Version {
    fn from(version: &Version) -> Self {
        version.clone()
    }
}

impl From<u64> for Version {
    /// No other integer type has a conversion, so a literal such as `20250128120000` needs no suffix.
    fn from(number: u64) -> Self {
        Self::new(number.to_string())
    }
}

impl From<Version> for Cow<'static, str> {
    /// The text as written.
    fn from(version: Version) -> Self {
        version.0
    }
}

impl fmt::Display for Version {
    /// The text as written, or `(empty)`: no set has such a version, but a caller can name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.0.is_empty() { "(empty)" } else { &self.0 })
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({:?})", self.as_str())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, another) = (self.as_str(), other.as_str());
        // Usually a migration is compared with its own entry, or with its neighbour's.
        if one == another || are_alike(one, another) {
            return one.cmp(another);
        }
        match (Numbers::of(self.as_str()), Numbers::of(other.as_str())) {
            (Some((a, left)), Some((b, right))) => compare(a, b).then_with(|| left.cmp(right)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.as_str().cmp(other.as_str()),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Some((numbers, text)) = Numbers::of(self.as_str()) else {
            return self.as_str().hash(state);
        };
        text.hash(state);
        // Zeros are left out, because `1` equals `1.0`; the index distinguishes `1.0.2` from `1.2`.
        for (place, number) in numbers.enumerate().filter(|(_, number)| !number.is_empty()) {
            (place, number).hash(state);
        }
    }
}

/// Whether both are all digits, equally long, and split into the same parts.
fn are_alike(one: &str, other: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    one.len() == other.len()
        && is_number(one)
        && is_number(other)
        && begins_with_date(one) == begins_with_date(other)
}

fn compare(mut a: Numbers<'_>, mut b: Numbers<'_>) -> Ordering {
    let mut dated = None;
    loop {
        let (left, right) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) if dated == Some(true) => return Ordering::Less,
            (Some(_), None) if dated == Some(true) => return Ordering::Greater,
            (left, right) => (left.unwrap_or_default(), right.unwrap_or_default()),
        };
        dated.get_or_insert(is_year(left));
        // Without leading zeros, the longer number is the greater one.
        match left.len().cmp(&right.len()).then_with(|| left.cmp(right)) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
}

/// Whether a first number is the year of a date, after which missing numbers do not count as zero:
/// a real history has `2026-05-27-120000_a` and `2026-05-27-120000-0000_b`.
fn is_year(number: &str) -> bool {
    number.len() == 4 && (number.starts_with("19") || number.starts_with("20"))
}

/// The numbers of a key, each as digits without leading zeros, so zero is empty.
struct Numbers<'a> {
    rest: &'a str,
    /// How many numbers of a leading date (year, month, day, time of day) are left.
    date_parts: u8,
}

impl<'a> Numbers<'a> {
    /// The numbers that a text begins with, and the text after them; `None` if it begins with none.
    fn of(text: &'a str) -> Option<(Self, &'a str)> {
        let end = text.bytes().position(|byte| !byte.is_ascii_digit() && !is_mark(byte));
        let (numbers, tail) = text.split_at(end.unwrap_or(text.len()));
        let rest = numbers.trim_matches(['.', '-', '_']);
        let date_parts = if begins_with_date(rest) { 4 } else { 0 };
        (!rest.is_empty()).then_some((Self { rest, date_parts }, tail))
    }
}

impl<'a> Iterator for Numbers<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start_matches(['.', '-', '_']);
        if self.rest.is_empty() {
            return None;
        }
        let len = match self.date_parts {
            4 => 4,
            2 | 3 => 2,
            // A time of day with a fraction, as in `20250703080000111`.
            1 if leading_digits(self.rest) >= 9 => 6,
            _ => leading_digits(self.rest),
        };
        self.date_parts = self.date_parts.saturating_sub(1);
        let (number, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(number.trim_start_matches('0'))
    }
}

/// Whether the text begins with a year, month and day in one number of at least 8 digits.
pub(crate) fn begins_with_date(text: &str) -> bool {
    (text.starts_with("19") || text.starts_with("20")) && leading_digits(text) >= 8
}

/// How many ASCII digits the text begins with.
pub(crate) fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::DefaultHasher;

    fn check(pair: (&'static str, &'static str), expected: Ordering) {
        let (a, b) = (Version::from_static(pair.0), Version::from_static(pair.1));
        assert_eq!(a.cmp(&b), expected, "{} against {}", pair.0, pair.1);
        assert_eq!(b.cmp(&a), expected.reverse(), "{} against {}", pair.1, pair.0);
        assert_eq!(a == b, expected == Ordering::Equal, "{} equals {}", pair.0, pair.1);
    }

    fn digest(version: &Version) -> u64 {
        let mut hasher = DefaultHasher::new();
        version.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn callers_mean_a_migration_by_its_version_or_its_file() {
        let check = |named: &str, filename: &str, expected: bool| {
            let version = Version::from_static("0007");
            assert_eq!(Version::from(named).means(&version, filename), expected, "{named}");
        };
        for named in ["7", "0007", "V7", "0007_a", "0007_a.sql", " 0007_a.sql "] {
            check(named, "0007_a.sql", true);
        }
        check("0007_a", "0007_a.up.sql", true);
        check("0007_a.up.sql", "0007_a.up.sql", true);
        check("V0007__a", "V0007__a.sql", true);
        for named in ["", "8", "0007_b", "7_a", "a", "0007_a.down.sql"] {
            check(named, "0007_a.sql", false);
        }
    }

    #[test]
    fn numbers_compare_as_numbers_of_any_length() {
        check(("1", "001"), Ordering::Equal);
        check(("9", "088"), Ordering::Less);
        check(("9999", "10000"), Ordering::Less);
        check(("18446744073709551615", "18446744073709551616"), Ordering::Less);
        check(("99999999999999999999999999999999999999999", "1"), Ordering::Greater);
        check(("0", "00000000000000"), Ordering::Equal);
        check(("0099", "0100"), Ordering::Less);
    }

    #[test]
    fn parts_compare_one_by_one_and_a_missing_one_is_zero() {
        check(("1", "1.0"), Ordering::Equal);
        check(("1.0.0.3", "1.0.0.3.1"), Ordering::Less);
        check(("22_1.15.6.1", "22.1.15.6.1"), Ordering::Equal);
        check(("4_99_1575367461", "4_100"), Ordering::Less);
        check(("1.2", "1.10"), Ordering::Less);
        check(("2019.05.23.03.30", "2019.5.23.3.31"), Ordering::Less);
        check(("2022.03.2916.56", "2022.03.29.16.56"), Ordering::Greater);
    }

    #[test]
    fn dates_compare_alike_however_they_are_written() {
        check(("20140924113530", "2017-09-23-182408"), Ordering::Less);
        check(("20140924113530", "20140924113600"), Ordering::Less);
        // The first is a number greater than any year, the second is a date.
        check(("18991231", "20000101"), Ordering::Greater);
        check(("2014-09-24-113530", "20140924113530"), Ordering::Equal);
        check(("20250128_120000", "20250128120000"), Ordering::Equal);
        check(("20250625", "2025-11-19-091444-0000"), Ordering::Less);
        check(("2025-11-19-091444-0000", "202601016134308"), Ordering::Less);
        check(("20250128", "20250128120000"), Ordering::Less);
        check(("20251832270000", "20251132270000"), Ordering::Greater);
        check(("20150100000001000000", "20150100000002000000"), Ordering::Less);
        check(("00000000000000", "20140924113530"), Ordering::Less);
        check(("19991231235959", "20000101000000"), Ordering::Less);
        check(("20250703080000111", "20250703120000"), Ordering::Less);
        check(("20250703080000111", "20250703080000"), Ordering::Greater);
        check(("20250703080000111", "2025-07-03-080000-0111"), Ordering::Equal);
    }

    #[test]
    fn text_sorts_after_numbers() {
        check(("alpha", "99999999999999"), Ordering::Greater);
        check(("alpha", "beta"), Ordering::Less);
        check(("001_x", "2"), Ordering::Less);
        check(("001_x", "1_x"), Ordering::Equal);
        check(("1_a", "1_b"), Ordering::Less);
        check(("1", "1_a"), Ordering::Less);
        check(("20240304123642_a", "2024-03-04-123642_b"), Ordering::Less);
        check(("", "0"), Ordering::Greater);
        check(("-", "0"), Ordering::Greater);
        check(("é", "0"), Ordering::Greater);
    }

    const SAMPLES: [&str; 42] = [
        "", "-", "0", "00", "0.0", "1", "01", "1.0", "1_0_0", "1.0.2", "1.2", "1-2", "2", "10",
        "V1", "x", "x1", "1x", "20140924113530", "2014-09-24-113530", "2014.9.24.113530",
        "20140924", "2014-09-24", "201409240", "2014", "1510262030", "19000000", "1899999999",
        "00000000000000", "20250128_120000", "20250128120000", "2025-11-19-091444-0000",
        "2025-11-19-091444", "202601016134308", "18446744073709551616", "_1", "1.", "1_a", "01-a",
        "1_b", "20140924_a", "20140924113530111",
    ];

    #[test]
    fn order_is_total_and_hash_agrees_with_equality() {
        let samples = SAMPLES.map(Version::from_static);
        for a in &samples {
            for b in &samples {
                assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a} against {b}");
                assert!(a != b || digest(a) == digest(b), "{a} and {b} hash apart");
                for c in &samples {
                    assert!(!(a <= b && b <= c) || a <= c, "{a}, {b}, {c}");
                    assert!(!(a == b && b == c) || a == c, "{a}, {b}, {c}");
                }
            }
        }
    }

    #[test]
    fn distinct_places_hash_apart() {
        assert_ne!(digest(&Version::from_static("1.0.2")), digest(&Version::from_static("1.2")));
    }

    #[test]
    fn named_versions_lose_their_v_and_keep_their_text() {
        let check = |version: Version, text: &str| assert_eq!(version.to_string(), text);
        check("V007".into(), "007");
        check(" v1.2 ".to_owned().into(), "1.2");
        check("views".into(), "views");
        check(20_250_128_120_000.into(), "20250128120000");
        check((&Version::new("V7")).into(), "V7");
        check(" ".into(), "(empty)");
    }

    #[test]
    fn a_name_after_a_version_is_removed() {
        let plain = |text| Version::from_static(text).without_name().map(|v| v.to_string());
        assert_eq!(plain("7_add_users"), Some("7".to_owned()));
        assert_eq!(plain("2024-03-04_x"), Some("2024-03-04".to_owned()));
        assert_eq!(plain("7"), None);
        assert_eq!(plain("views"), None);
    }

    #[test]
    fn a_version_lives_in_a_static_and_shows_as_written() {
        static FIRST: Version = Version::from_static("001");
        assert_eq!(FIRST.to_string(), "001");
        assert_eq!(format!("{FIRST:>5}"), "  001");
        assert_eq!(format!("{FIRST:?}"), "Version(\"001\")");
    }
}
