//! The parts of a text that several texts share: what stays applied, who holds a lock, a table.
//! Whole lines, each with the line break before it; empty where there is nothing to report.

use std::fmt;

use migrate_set::text::{escaped, quoted};

use super::report::{Holder, Report};

/// A last line with what to do.
pub(super) fn help_line(help: Option<&String>) -> String {
    help.map_or_else(String::new, |help| format!("\nhelp: {help}"))
}

/// A line with the holder of a lock.
pub(super) fn held_by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!("\nheld by: {holder}"))
}

/// `message (SQLSTATE ...)` of a server's error, else the driver's words.
pub(super) fn database_message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} (SQLSTATE {})", quoted(db.message()), db.code().code()),
        None => error.to_string(),
    }
}

/// Last lines with what stays as the run made it, and what may have gone with a crash of the server.
pub(super) fn stays_applied(report: &Report) -> String {
    // A run applies or undoes, never both.
    let (done, word) = match report.undone.as_slice() {
        [] => (report.applied.as_slice(), "applied"),
        undone => (undone, "undone"),
    };
    let versions: Vec<&str> = done.iter().map(|one| &*one.version).collect();
    let (stay, unconfirmed) = versions.split_at(versions.len().saturating_sub(report.unconfirmed));
    let stays = match stay {
        [] => String::new(),
        [one] => format!("\n{word} before it, and stays: version {one}"),
        [first, .., last] => format!(
            "\n{word} before it, and stay: {} migrations, versions {first} to {last}",
            stay.len()
        ),
    };
    match unconfirmed {
        [] => stays,
        [one] => format!("{stays}\n{word} too, unless the server crashed: version {one}"),
        [first, .., last] => format!(
            "{stays}\n{word} too, unless the server crashed: {} migrations, versions {first} to {last}",
            unconfirmed.len()
        ),
    }
}

/// `version 1 was` or `versions 1 to 9 were`.
pub(super) fn under_way(versions: &[String]) -> String {
    match versions {
        [] => "nothing was".to_owned(),
        [one] => format!("version {one} was"),
        [first, .., last] => format!("versions {first} to {last} were"),
    }
}

pub(super) fn counted(n: usize) -> String {
    if n == 1 { "1 migration is".to_owned() } else { format!("{n} migrations are") }
}

/// Three aligned columns under their heads, every line ended.
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
