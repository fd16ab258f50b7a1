//! Makes the next version in the shape of the newest one. A date that is not in the past is
//! incremented as a number.

use migrate_set::name::Layout;
use migrate_set::version::Version;

/// A time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970-01-01, UTC.
    pub seconds: u64,
    /// Additional nanoseconds.
    pub nanos: u32,
}

impl Moment {
    /// Year to second and its fraction: 23 digits.
    fn digits(self) -> String {
        let (days, second) = (self.seconds / 86_400, self.seconds % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let nanos = self.nanos;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{nanos:09}")
    }
}

/// Year, month and day of a number of days since 1970-01-01, by Howard Hinnant's `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day_of_month)
}

/// The first version of a layout; `None` if the layout does not define versions.
pub(super) fn first(layout: Layout, now: Moment) -> Option<Version> {
    let digits = now.digits();
    let text = match layout {
        Layout::Numeric => "0001".to_owned(),
        Layout::Flyway => "001".to_owned(),
        Layout::Timestamp | Layout::Prisma => digits[..14].to_owned(),
        Layout::Folders => dashed(&digits),
        Layout::Any => return None,
    };
    Some(Version::new(text))
}

/// The format of diesel.
fn dashed(digits: &str) -> String {
    format!("{}-{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8], &digits[8..14])
}

/// The version after `newest`; `None` if that does not begin with a number.
pub(super) fn next(newest: &Version, layout: Layout, now: Moment) -> Option<Version> {
    let parts = Parts::of(newest.as_str())?;
    let by_time = by_time(&parts, layout, now).map(Version::new);
    by_time.filter(|version| version > newest).or_else(|| {
        let bumped = if parts.is_clock() { parts.bumped_as_one() } else { parts.bumped() };
        let bumped = Version::new(bumped);
        (bumped > *newest).then_some(bumped)
    })
}

/// The time in the shape of a version that is a time; `None` if the version is not one.
fn by_time(parts: &Parts<'_>, layout: Layout, now: Moment) -> Option<String> {
    let digits = now.digits();
    let lone = (parts.numbers.len() == 1).then(|| parts.numbers[0]);
    let zero = lone.filter(|number| number.len() >= 8 && number.bytes().all(|b| b == b'0'));
    match (lone, zero) {
        // the first migration of diesel and others has only zeros as its version, then dates follow
        (_, Some(_)) if layout == Layout::Folders => Some(dashed(&digits)),
        (_, Some(_)) => Some(digits[..14].to_owned()),
        (Some(number), _) if number.len() == 10 && is_epoch(number, now.seconds) => {
            Some(now.seconds.to_string())
        }
        (Some(number), _) if number.len() == 13 && is_epoch(&number[..10], now.seconds) => {
            Some(format!("{}{:03}", now.seconds, now.nanos / 1_000_000))
        }
        _ if parts.is_clock() => Some(parts.filled(&digits)),
        _ if parts.is_counted_day() => Some(parts.first_of_day(&digits)),
        _ => None,
    }
}

/// Whether a number is a time in seconds since 1970, from 2001 to a year from now.
fn is_epoch(number: &str, now: u64) -> bool {
    let year = 366 * 86_400;
    number.parse().is_ok_and(|seconds: u64| (1_000_000_000..now + year).contains(&seconds))
}

/// The numbers of a version, and the mark before each but the first.
struct Parts<'v> {
    numbers: Vec<&'v str>,
    marks: Vec<char>,
}

impl<'v> Parts<'v> {
    fn of(text: &'v str) -> Option<Parts<'v>> {
        let is_mark = |c: char| matches!(c, '.' | '-' | '_');
        let numbers: Vec<&str> = text.split(is_mark).collect();
        let plain =
            |number: &&str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let marks = text.chars().filter(|&c| is_mark(c)).collect();
        numbers.iter().all(plain).then_some(Parts { numbers, marks })
    }

    /// How many numbers are the date: the first one or the first three; 0 without a date.
    fn date(&self) -> usize {
        let first = self.numbers[0];
        let short = |number: &str| number.len() <= 2;
        match (first.starts_with("19") || first.starts_with("20"), first.len()) {
            (true, 4) if self.numbers.len() >= 3 => {
                let dated = short(self.numbers[1]) && short(self.numbers[2]);
                if dated { 3 } else { 0 }
            }
            (true, 8..) => 1,
            _ => 0,
        }
    }

    fn rest(&self) -> Vec<usize> {
        self.numbers[self.date()..].iter().map(|number| number.len()).collect()
    }

    /// Whether it is a date, optionally with a time of day.
    fn is_clock(&self) -> bool {
        let (rest, long) = (self.rest(), self.numbers[0].len() > 8);
        match self.date() {
            0 => false,
            _ if long => rest.is_empty(),
            _ => matches!(rest[..], [] | [4 | 6] | [6, 4] | [2, 2] | [2, 2, 2]),
        }
    }

    /// Whether it is a date and a number within the day.
    fn is_counted_day(&self) -> bool {
        self.date() > 0 && self.numbers[0].len() <= 8 && self.rest().len() == 1
    }

    /// The digits of a time in the shape of these parts; a month or a day of one digit gets two.
    fn filled(&self, mut digits: &str) -> String {
        let date = self.date();
        let width = |at: usize, number: &str| if at > 0 && at < date { 2 } else { number.len() };
        let numbers = self.numbers.iter().enumerate().map(|(at, number)| {
            let (taken, left) = digits.split_at(width(at, number).min(digits.len()));
            digits = left;
            format!("{taken:0<0$}", width(at, number))
        });
        let numbers: Vec<String> = numbers.collect();
        self.joined(&numbers)
    }

    fn first_of_day(&self, digits: &str) -> String {
        let date = self.date();
        let day = Parts { numbers: self.numbers[..date].to_vec(), marks: self.marks.clone() };
        let (mark, width) = (self.marks[date - 1], self.numbers[date].len());
        format!("{}{mark}{:0width$}", day.filled(digits), 1)
    }

    /// The last number plus one.
    fn bumped(&self) -> String {
        let mut numbers: Vec<String> = self.numbers.iter().map(|&number| number.into()).collect();
        if let Some(last) = numbers.last_mut() {
            *last = plus_one(last);
        }
        self.joined(&numbers)
    }

    /// All digits as one number, plus one.
    fn bumped_as_one(&self) -> String {
        let more = plus_one(&self.numbers.concat());
        let mut left = more.as_str();
        let numbers = self.numbers.iter().map(|number| {
            let (taken, rest) = left.split_at(number.len().min(left.len()));
            left = rest;
            taken.to_owned()
        });
        let numbers: Vec<String> = numbers.collect();
        self.joined(&numbers)
    }

    fn joined(&self, numbers: &[String]) -> String {
        let mut text = String::new();
        for (at, number) in numbers.iter().enumerate() {
            text.extend(at.checked_sub(1).and_then(|before| self.marks.get(before)));
            text.push_str(number);
        }
        text
    }
}

/// A number of any length plus one, with the same width if possible.
fn plus_one(number: &str) -> String {
    let kept = number.trim_end_matches('9');
    let nines = number.len() - kept.len();
    let head = match kept.char_indices().next_back() {
        None => "1".to_owned(),
        Some((at, digit)) => {
            format!("{}{}", &kept[..at], digit.to_digit(10).map_or(0, |digit| digit + 1))
        }
    };
    format!("{head}{}", "0".repeat(nines))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-29 12:34:56.789
    const NOW: Moment = Moment { seconds: 1_709_210_096, nanos: 789_000_000 };

    fn check(newest: &'static str, expected: &str) {
        let newest = Version::from_static(newest);
        let found = next(&newest, Layout::Timestamp, NOW);
        assert_eq!(found.as_ref().map(Version::as_str), Some(expected), "after {newest}");
        assert!(found > Some(newest));
    }

    #[test]
    fn numbers_grow_by_one_and_keep_their_width() {
        check("1", "2");
        check("0007", "0008");
        check("0099", "0100");
        check("999", "1000");
        check("1.2.9", "1.2.10");
        check("2022.03.2916.56", "2022.03.2916.57");
        check("12345678", "12345679");
    }

    #[test]
    fn dates_are_filled_with_the_time() {
        check("20230101", "20240229");
        check("20230101000000", "20240229123456");
        check("20230101000000123", "20240229123456789");
        check("20230101_0000", "20240229_1234");
        check("20250128120000", "20250128120001");
        check("2023-01-01-000000", "2024-02-29-123456");
        check("2023-01-01-000000-0000", "2024-02-29-123456-7890");
        check("2023-1-5", "2024-02-29");
        check("2019.05.23.03.30", "2024.02.29.12.34");
        check("1677078479", "1709210096");
        check("1677078479123", "1709210096789");
        check("00000000000000", "20240229123456");
    }

    #[test]
    fn dates_that_are_not_past_grow_as_numbers() {
        check("20240229", "20240230");
        check("20240229123456", "20240229123457");
        check("2099-12-31-235959", "2099-12-31-235960");
        check("20990101_999999", "20990102_000000");
        check("1709210096", "1709210097");
    }

    #[test]
    fn days_count_their_migrations() {
        check("2023-08-02.4", "2024-02-29.1");
        check("2024-02-29-09", "2024-02-29-10");
    }

    #[test]
    fn what_is_not_a_number_has_no_next_version() {
        assert_eq!(next(&Version::from_static("views"), Layout::Any, NOW), None);
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        let dates = [(0, (1970, 1, 1)), (59, (1970, 3, 1)), (11_016, (2000, 2, 29))];
        for (days, expected) in dates {
            assert_eq!(date(days), expected);
        }
    }
}
