//! `history`: shows in order what happened to the migrations, or what was applied at a time.

use std::collections::HashMap;

use clap::Args;
use migrate_runtime::internal;
use migrate_runtime::ledger::{Act, HistoryRow};

use super::Context;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::{Body, HistoryBody, millis};
use crate::output::style::{ASIDE, BAD, FAINT, GOOD, OPEN};
use crate::output::table::{Align, Cell, table};
use crate::output::text::{moment, took};

#[derive(Args, Debug, Clone)]
pub(crate) struct HistoryArgs {
    /// Only what was applied at this time: `2026-01-02`, which includes that day, or down to the
    /// second, `2026-01-02T03:04:05` (UTC)
    #[arg(long, value_name = "TIME", value_parser = time)]
    as_of: Option<String>,
}

/// A time of the ledger, or the beginning of one.
fn time(text: &str) -> Result<String, &'static str> {
    const SHAPE: &str = "0000-00-00T00:00:00.000000";
    let time = text.trim_end_matches('Z').replace(' ', "T");
    let fits = |(shape, found): (char, char)| match shape {
        '0' => found.is_ascii_digit(),
        shape => found == shape,
    };
    let is_whole = matches!(time.len(), 10 | 13 | 16 | 19 | 21..=26);
    if is_whole && SHAPE.chars().zip(time.chars()).all(fits) && exists(&time) {
        Ok(time)
    } else {
        Err("it is not a time in UTC, such as `2026-01-02` or `2026-01-02T03:04:05`")
    }
}

/// Whether the calendar and the clock have it. It is compared with the ledger's times as a text, so that a 13th month
/// would be after all of its year.
fn exists(time: &str) -> bool {
    let number = |from: usize, len: usize| time.get(from..from + len)?.parse::<u32>().ok();
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 2), number(8, 2)) else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let is_below = |from: usize, limit: u32| number(from, 2).is_none_or(|number| number < limit);
    (1..=days).contains(&day) && is_below(11, 24) && is_below(14, 60) && is_below(17, 60)
}

impl HistoryArgs {
    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let history = cx.migrator.history(cx.client).await?;
        let history = match &self.as_of {
            Some(time) => as_of(history, time),
            None => history,
        };
        let text = match (history.is_empty(), &self.as_of) {
            (true, Some(_)) => "nothing was applied at that time\n".to_owned(),
            (true, None) => "the history is empty\n".to_owned(),
            (false, _) => shown(&history),
        };
        let body = Body::History {
            ledger: internal::ledger_table(&cx.migrator),
            module: internal::set(&cx.migrator).module().to_owned(),
            as_of: self.as_of.clone(),
            entries: history.into_iter().map(body).collect(),
        };
        Ok(Answer::new(text, body))
    }
}

/// The entries that were there at `time`, in order.
fn as_of(history: Vec<HistoryRow>, time: &str) -> Vec<HistoryRow> {
    let is_past = |row: &HistoryRow| row.at.as_str() < time || row.at.starts_with(time);
    let ends: HashMap<i64, bool> = history.iter().map(|row| (row.position, is_past(row))).collect();
    let is_entry =
        |row: &HistoryRow| matches!(row.act, Act::Applied | Act::Unfinished | Act::Taken);
    let was_there = |row: &HistoryRow| {
        let is_ended = row.ended.is_some_and(|end| ends.get(&end).copied().unwrap_or(true));
        is_entry(row) && is_past(row) && !is_ended
    };
    history.into_iter().filter(was_there).collect()
}

fn body(row: HistoryRow) -> HistoryBody {
    HistoryBody {
        position: row.position,
        act: row.act.as_str(),
        version: row.version,
        name: row.name,
        file: row.filename,
        checksum: row.checksum,
        at: row.at,
        by: row.by,
        application: row.application,
        duration_ms: millis(row.duration),
        ended: row.ended,
    }
}

fn shown(history: &[HistoryRow]) -> String {
    let rows = history.iter().map(|row| {
        let style = match row.act {
            // What is no longer there is not what to look at.
            _ if row.ended.is_some() => FAINT,
            Act::Applied => GOOD,
            Act::Unfinished => BAD,
            Act::Taken => ASIDE,
            _ => OPEN,
        };
        vec![
            Cell::new(&row.position.to_string(), FAINT),
            Cell::new(&moment(&row.at), FAINT),
            Cell::new(row.act.as_str(), style),
            Cell::plain(&row.version),
            Cell::plain(&row.name),
            Cell::new(&took(row.duration), FAINT),
            Cell::new(&row.by, FAINT),
            Cell::new(&row.application, FAINT),
        ]
    });
    let heads = [
        ("#", Align::Right),
        ("when (UTC)", Align::Left),
        ("what", Align::Left),
        ("version", Align::Left),
        ("name", Align::Cut),
        ("took", Align::Right),
        ("by", Align::Cut),
        ("application", Align::Cut),
    ];
    table(&heads, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_the_ledger() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(time(text).ok().as_deref(), expected, "{text}");
        };
        check("2026-01-02", Some("2026-01-02"));
        check("2026-01-02 03:04", Some("2026-01-02T03:04"));
        check("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05"));
        check("2026-01-02T03:04:05.678901Z", Some("2026-01-02T03:04:05.678901"));
        check("2026-01-02T03:04:05+02:00", None);
        check("2024-02-29T23:59:59", Some("2024-02-29T23:59:59"));
        check("2026-01", None);
        check("2026-13-01", None);
        check("2026-00-01", None);
        check("2026-01-00", None);
        check("2026-04-31", None);
        check("2026-02-29", None);
        check("2100-02-29", None);
        check("2026-01-02T24", None);
        check("2026-01-02T03:60", None);
        check("2026-01-02T03:04:60", None);
        check("yesterday", None);
        check("", None);
    }
}
