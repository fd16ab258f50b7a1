//! `convert --prove`: whether the old files and the new folder leave the same database. The statements of the old files run
//! in the order of their tool in one new database, and the new folder in another; `pg_dump` shows what differs.

use std::process::Command;

use migrate_runtime::internal::query;
use migrate_runtime::{Migrations, Migrator};
use tokio_postgres::Client;
use tokio_postgres::config::{Config, Host};

use super::cluster::{Created, Creation};
use super::database::{Maintenance, Server};
use super::server::Connector;
use crate::error::VerbError;

/// The statements of one old file, and its name in messages.
pub(super) type Sent = (String, Vec<String>);

/// Runs one after the other in databases of their own, which are dropped again.
pub(super) async fn prove(
    cx: &Connector<'_>,
    old: &[Sent],
    new: &Migrations,
) -> Result<(), VerbError> {
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
    let old = dumped(cx, &server, &creations, by_old).await?;
    let new = dumped(cx, &server, &Creation::all(new, new), by_new).await?;
    match difference(&old, &new) {
        None => Ok(()),
        Some(lines) => Err(VerbError::Unproved {
            what: format!("the new folder leaves another database than the old files: {lines}"),
            help: "compare the files; the new folder is kept",
        }),
    }
}

/// The dump of a new database in which `run` ran.
async fn dumped(
    cx: &Connector<'_>,
    server: &Server,
    creations: &[Creation],
    run: impl AsyncFnOnce(&mut Client, &mut Created) -> Result<(), VerbError>,
) -> Result<String, VerbError> {
    let work = async |created: &mut Created| {
        let in_database = async |name: &str| {
            let (mut client, _) = cx.connect(&cx.target()?.of_database(name), None).await?;
            run(&mut client, created).await?;
            drop(client);
            dump(&cx.target()?.of_database(name).config()?)
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

/// The first lines that differ; the newest releases of `pg_dump` begin and end with a random word.
fn difference(one: &str, other: &str) -> Option<String> {
    let lines = |text: &'_ str| -> Vec<String> {
        let kept = text.lines().filter(|line| !line.starts_with('\\') || *line == "\\.");
        kept.map(without_counter).collect()
    };
    let (one, other) = (lines(one), lines(other));
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
            assert_eq!(difference(one, other).as_deref(), expected);
        };
        check("\\restrict a\nx\n", "\\restrict b\nx\n", None);
        check("x\ny\n", "x\nz\n", Some("`z` instead of `y`"));
        check("x\n", "x\nz\n", Some("`z` instead of `(nothing)`"));
        check("SET (pg_attver=12);\n", "SET (pg_attver=345);\n", None);
        check("SET (a=1);\n", "SET (a=2);\n", Some("`SET (a=2);` instead of `SET (a=1);`"));
    }
}
