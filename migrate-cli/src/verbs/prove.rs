//! `convert --prove`: whether the old files and the new folder leave the same database. The statements of the old files run
//! in the order of their tool in one new database, and the new folder in another; `pg_dump` shows what differs. Where two
//! runs of the old files differ already, as by `now()` or random values, a difference is no mistake.

use std::process::Command;

use migrate_runtime::internal::query;
use migrate_runtime::{Migrations, Migrator};
use tokio_postgres::Client;
use tokio_postgres::config::{Config, Host};

use super::cluster::{Created, Creation};
use super::database::{Maintenance, Server};
use super::server::Connector;
use crate::error::VerbError;
use crate::output::text::counted;

/// The statements of one old file, and its name in messages.
pub(super) type Sent = (String, Vec<String>);

/// Runs one after the other in databases of their own, which are dropped again. The result is a note of the lines that
/// cannot be compared, if there are any.
pub(super) async fn prove(
    cx: &Connector<'_>,
    old: &[Sent],
    new: &Migrations,
) -> Result<Option<String>, VerbError> {
    let server = Server::connect(cx, &Maintenance::default()).await?;
    let creations = old.iter().flat_map(|(file, statements)| {
        statements.iter().filter_map(move |one| Creation::by_statement(file, one))
    });
    let creations: Vec<Creation> = creations.collect();
    let by_old = async |client: &mut Client, created: &mut Created| {
        for (file, statements) in old {
            run_old(client, file, statements, created).await?;
        }
        Ok(())
    };
    let by_new = async |client: &mut Client, created: &mut Created| {
        let migrator = Migrator::new(new);
        let ran = migrator.run(client).await;
        created.add(&migrator, client).await;
        ran.map(drop).map_err(VerbError::from)
    };
    let first = dumped(cx, &server, &creations, &by_old).await?;
    let mut converted = dumped(cx, &server, &Creation::all(new, new), by_new).await?;
    if first == converted {
        return Ok(None);
    }
    let second = dumped(cx, &server, &creations, &by_old).await?;
    let varying = excuse(&first, &second, &mut converted);
    match difference(&first, &converted) {
        None => Ok(varying),
        Some(lines) => Err(VerbError::Unproved {
            what: format!("the new folder leaves another database than the old files: {lines}"),
            help: "compare the files; the new folder is kept",
        }),
    }
}

/// The lines of the dump of a new database in which `run` ran.
async fn dumped(
    cx: &Connector<'_>,
    server: &Server,
    creations: &[Creation],
    run: impl AsyncFnOnce(&mut Client, &mut Created) -> Result<(), VerbError>,
) -> Result<Vec<String>, VerbError> {
    let work = async |created: &mut Created| {
        let in_database = async |name: &str| {
            let (mut client, _) = cx.connect(&cx.target()?.of_database(name), None).await?;
            run(&mut client, created).await?;
            drop(client);
            dump(&cx.target()?.of_database(name).config()?).map(|text| compared(&text))
        };
        server.scratch("convert", in_database).await
    };
    server.leaving_nothing(creations, work).await
}

/// Runs the statements of an old file, and forgets its settings, as a tool with a session for each file does.
async fn run_old(
    client: &Client,
    file: &str,
    statements: &[String],
    created: &mut Created,
) -> Result<(), VerbError> {
    let failed = |source| VerbError::Server {
        what: format!("run {file}"),
        help: "the old file does not run on an empty database; the new folder is kept",
        source,
    };
    for statement in statements {
        query(client, statement).await.map_err(failed)?;
        created.add_statement(statement);
    }
    query(client, "DISCARD ALL").await.map_err(failed)?;
    Ok(())
}

/// What `pg_dump` prints of a database without the ledger.
fn dump(config: &Config) -> Result<String, VerbError> {
    let failed = |what: String| VerbError::Unproved {
        what,
        help: "install the client programs of the server's version, or convert without `--prove`",
    };
    let mut command = Command::new("pg_dump");
    command.args(["--exclude-table=*.migration_ledger", "--no-owner"]);
    let host = config.get_hosts().first().map(|host| match host {
        Host::Tcp(name) => name.clone().into(),
        #[cfg(unix)]
        Host::Unix(path) => path.clone().into_os_string(),
    });
    let port = config.get_ports().first().map(ToString::to_string);
    let password = config.get_password().map(String::from_utf8_lossy);
    command.envs(host.map(|host| ("PGHOST", host)));
    command.envs(port.map(|port| ("PGPORT", port)));
    command.envs(config.get_user().map(|user| ("PGUSER", user)));
    command.envs(password.map(|password| ("PGPASSWORD", password.into_owned())));
    command.envs(config.get_dbname().map(|name| ("PGDATABASE", name)));
    let output = command.output();
    let output = output.map_err(|error| failed(format!("`pg_dump` cannot be run: {error}")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(format!("`pg_dump` failed: {text}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The lines that count: the newest releases of `pg_dump` begin and end with a random word.
fn compared(dump: &str) -> Vec<String> {
    let kept = dump.lines().filter(|line| !line.starts_with('\\') || *line == "\\.");
    kept.map(without_counter).collect()
}

/// Gives `converted` the lines of the first run of the old files where their second run has another, and counts these. With
/// more or fewer lines in one of them nothing shows which belong together, and all are compared.
fn excuse(first: &[String], second: &[String], converted: &mut [String]) -> Option<String> {
    if first.len() != second.len() || first.len() != converted.len() {
        return None;
    }
    let pairs = first.iter().zip(second).zip(converted);
    let varying = pairs.filter(|((first, second), _)| first != second);
    let varying = varying.map(|((first, _), converted)| converted.clone_from(first)).count();
    (varying > 0).then(|| {
        let lines = counted(varying, "line");
        format!("two runs of the old files differ in {lines} of the dump, which cannot be compared")
    })
}

/// The first lines that differ.
fn difference(one: &[String], other: &[String]) -> Option<String> {
    let longest = one.len().max(other.len());
    let none = String::from("(nothing)");
    (0..longest).find_map(|at| {
        let (old, new) = (one.get(at).unwrap_or(&none), other.get(at).unwrap_or(&none));
        (old != new).then(|| format!("`{new}` instead of `{old}`"))
    })
}

/// A line without the number that the newest minor releases keep in the options of each column.
fn without_counter(line: &str) -> String {
    const COUNTER: &str = "pg_attver=";
    let parts = line.split_once(COUNTER);
    parts.map_or_else(
        || line.to_owned(),
        |(before, rest)| {
            format!("{before}{COUNTER}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_that_differs_is_shown() {
        let check = |one: &str, other: &str, expected: Option<&str>| {
            let found = difference(&compared(one), &compared(other));
            assert_eq!(found.as_deref(), expected);
        };
        check("\\restrict a\nx\n", "\\restrict b\nx\n", None);
        check("x\ny\n", "x\nz\n", Some("`z` instead of `y`"));
        check("x\n", "x\nz\n", Some("`z` instead of `(nothing)`"));
        check("SET (pg_attver=12);\n", "SET (pg_attver=345);\n", None);
        check("SET (a=1);\n", "SET (a=2);\n", Some("`SET (a=2);` instead of `SET (a=1);`"));
    }

    #[test]
    fn lines_that_the_old_files_repeat_are_compared() {
        let check = |first: &str, second: &str, converted: &str, expected: (bool, Option<&str>)| {
            let (first, mut converted) = (compared(first), compared(converted));
            let note = excuse(&first, &compared(second), &mut converted);
            let found = difference(&first, &converted);
            assert_eq!((note.is_some(), found.as_deref()), expected);
        };
        check("x\n1\n", "x\n2\n", "x\n3\n", (true, None));
        check("x\n1\n", "x\n2\n", "y\n3\n", (true, Some("`y` instead of `x`")));
        check("x\n1\n", "x\n1\n", "x\n3\n", (false, Some("`3` instead of `1`")));
        check("x\n1\n", "x\n2\n", "x\n3\n4\n", (false, Some("`3` instead of `1`")));
        check("x\n1\n", "x\n2\n3\n", "x\n3\n", (false, Some("`3` instead of `1`")));
    }
}
