//! Parts of texts that several errors and reports share.

use std::error::Error as StdError;
use std::time::Duration;
use std::{fmt, iter};

use migrate_set::release::Release;
use migrate_set::schema::SchemaDifference;
use migrate_set::text::{escaped, masked, quoted};
use tokio_postgres::error::DbError;

use super::report::{Applied, Holder, Report};

/// The tool of a table to adopt from that is described by its columns.
pub(crate) const UNNAMED: &str = "its tool";

/// The holder of a lock, as the end of a line.
pub(super) fn held_by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(", held by {holder}"))
}

/// `FILE: `, if there is one.
pub(super) fn in_file(file: Option<&str>) -> String {
    file.map_or_else(String::new, |file| format!("{file}: "))
}

/// A text and the end of its line, if there is one.
pub(super) fn line_of(text: Option<&impl fmt::Display>) -> String {
    text.map_or_else(String::new, |text| format!("{text}\n"))
}

/// What is wrong with a version for which there is a function.
pub(super) fn unwanted(is_known: bool) -> &'static str {
    if is_known { "its file does not ask for one" } else { "is not in the set" }
}

/// What a lost connection leaves open on Citus.
pub(super) fn lost_rows(is_citus: bool) -> &'static str {
    const OF_SHARDS: &str = ", but if the coordinator crashed, rows that one of them wrote to a single shard \
         can be there without an entry: look for them before you run again";
    if is_citus { OF_SHARDS } else { "" }
}

/// What a table with these columns, or without any, is instead of the tool's.
pub(super) fn missing_or_another(tool: &str, columns: &[String]) -> String {
    if columns.is_empty() {
        return "does not exist".to_owned();
    }
    let columns = columns_of(columns);
    if tool == UNNAMED {
        return format!(
            "lacks a column that was named, or has it with another type: it has {columns}"
        );
    }
    format!("is not a table of {tool}: it has {columns}")
}

/// The columns of a table.
pub(super) fn columns_of(columns: &[String]) -> String {
    format!("the columns {}", escaped(&columns.join(", ")))
}

/// Files and the releases of their phases: one on the same line, several on a line each.
pub(super) fn contracts(files: &[(String, Release)]) -> String {
    let shown = files.iter().map(|(file, after)| format!("{file} (contract after {after})"));
    match shown.collect::<Vec<_>>().as_slice() {
        [one] => format!(" {one}"),
        all => format!(":\n  {}", all.join("\n  ")),
    }
}

/// Lines with the holders of locks.
pub(super) fn locks_held_by(holders: &[Holder]) -> String {
    holders.iter().fold(String::new(), |lines, holder| lines + &format!("\nlock held by {holder}"))
}

/// The server's error in the chain of another.
fn server_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e DbError> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and its sources.
pub(crate) fn chain<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// The detail of a server's error, which can contain values of rows.
pub(crate) fn detail(error: &(dyn StdError + 'static)) -> Option<String> {
    server_error(error)?.detail().map(|detail| masked(detail).into_owned())
}

/// Whether a server's error has a detail other than the one `shown`, because that is hidden or masked.
pub(super) fn has_more(error: &(dyn StdError + 'static), shown: Option<&str>) -> bool {
    server_error(error).is_some_and(|db| db.detail() != shown)
}

/// An error's text. From a server: `message (SQLSTATE ...)`, of which the driver shows only `db error`, with lines
/// for `detail` and the hint.
pub(super) fn error_text(error: &(dyn StdError + 'static), detail: Option<&str>) -> String {
    let own = error.to_string();
    let Some(db) = server_error(error) else { return quoted(&own) };
    let mut text = format!("{} (SQLSTATE {})", quoted(db.message()), db.code().code());
    if !error.is::<tokio_postgres::Error>() && !error.is::<DbError>() {
        text = format!("{}: {text}", quoted(&own));
    }
    for (name, line) in [("detail", detail), ("hint", db.hint())] {
        if let Some(line) = line {
            text += &["\n", name, ": ", &quoted(&masked(line))].concat();
        }
    }
    text
}

/// Last lines with what the run did and is kept, and what a crash of the server may have lost.
pub(super) fn what_is_kept(report: &Report) -> String {
    let line = |versions: &[&str], done: &str, unless: &str| {
        let Some(which) = counted_versions(versions, ["was", "were"]) else { return String::new() };
        let are = if versions.len() == 1 { "is" } else { "are" };
        format!("\n{which} {done} and {are} kept{unless}")
    };
    let lines = |list: &[Applied], word: &str, unconfirmed: usize| {
        let versions: Vec<&str> = list.iter().map(|one| &*one.version).collect();
        let (stay, rest) = versions.split_at(versions.len().saturating_sub(unconfirmed));
        line(stay, &format!("{word} before it"), "")
            + &line(rest, &format!("{word} too,"), " unless the server crashed")
    };
    // A run applies or undoes; a `redo` undoes first.
    let Report { applied, undone, unconfirmed, .. } = report;
    lines(undone, "undone", unconfirmed.saturating_sub(applied.len()))
        + &lines(applied, "applied", *unconfirmed)
}

/// How long something took or may take: a limit of whole seconds as such, anything else to a tenth of a second, or in
/// milliseconds.
pub(crate) fn lasting(duration: Duration) -> String {
    let (seconds, tenths) = (duration.as_secs(), duration.subsec_millis() / 100);
    match (seconds, tenths) {
        // Less than a millisecond is not nothing.
        (0, _) => format!("{} ms", duration.as_micros().div_ceil(1000)),
        (_, 0) => format!("{seconds} s"),
        _ => format!("{seconds}.{tenths} s"),
    }
}

/// Whom a run waited for, as a line: time in which it migrated nothing.
pub(super) fn whom_it_waited_for(report: &Report) -> String {
    let waited = lasting(report.waited);
    report.waited_for.as_ref().map_or_else(String::new, |holder| {
        format!("\nit waited {waited} in all; the lock on the ledger was held by {holder}")
    })
}

/// `version 1 was`, or `3 migrations, versions 1 to 9, were`; `None` without versions.
pub(crate) fn counted_versions(versions: &[&str], [was, were]: [&str; 2]) -> Option<String> {
    Some(match versions {
        [] => return None,
        [one] => format!("version {one} {was}"),
        [first, .., last] => {
            format!("{} migrations, versions {first} to {last}, {were}", versions.len())
        }
    })
}

/// `version 1 was` or `versions 1 to 9 were`.
pub(super) fn which_were(versions: &[String]) -> String {
    match versions {
        [] => "nothing was".to_owned(),
        [one] => format!("version {one} was"),
        [first, .., last] => format!("versions {first} to {last} were"),
    }
}

/// The end of a line, and the line after it, for versions whose outcome is unknown.
pub(super) fn may_go_on(versions: &[String]) -> String {
    let which = match versions {
        [] => return String::new(),
        [one] => format!("version {one}"),
        [first, .., last] => format!("versions {first} to {last}"),
    };
    format!(
        "\nthe outcome of {which} is unknown: the server did not end its work when it was asked to, and may \
         still complete it"
    )
}

pub(super) fn counted(n: usize) -> String {
    if n == 1 { "1 migration is".to_owned() } else { format!("{n} migrations are") }
}

/// Differences between schemas, each on a line, after their number.
pub(super) fn differing(differences: &[SchemaDifference]) -> String {
    let n = differences.len();
    let lines = differences.iter().map(|difference| format!("\n{difference}"));
    let head = if n == 1 { "in 1 object".to_owned() } else { format!("in {n} objects") };
    head + &lines.collect::<String>()
}

/// Three aligned columns with a header, each line with a line feed.
pub(super) fn table(
    f: &mut fmt::Formatter<'_>,
    heads: [&str; 3],
    rows: &[[String; 3]],
) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| escaped(&row[column]).chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    writeln!(f, "{:<first$}  {:<second$}  {}", heads[0], heads[1], heads[2])?;
    for [a, b, c] in rows.iter().map(|row| row.each_ref().map(|cell| escaped(cell))) {
        writeln!(f, "{a:<first$}  {b:<second$}  {c}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_no_more_digits_than_are_of_use() {
        #[track_caller]
        fn check(nanos: u64, expected: &str) {
            assert_eq!(lasting(Duration::from_nanos(nanos)), expected);
        }
        check(0, "0 ms");
        check(1_000, "1 ms");
        check(250_000_000, "250 ms");
        check(1_200_000_000, "1.2 s");
        check(10_023_456_789, "10 s");
        check(600_000_000_000, "600 s");
    }
}
