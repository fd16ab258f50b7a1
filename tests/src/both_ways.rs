//! Applies a set to a fresh database in both ways, with shared transactions and each migration in its own, to
//! compare what is left.

use std::sync::{Arc, Mutex};

use migrate_runtime::{Event, Migrations, Migrator};
use tokio_postgres::Client;

use crate::database::{FreshDatabase, value};

/// How the migrations of a fresh database are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Many in one transaction.
    Shared,
    /// Each in its own, because the session has a setting with which none is shared.
    Apart,
}

/// What a run has done and left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The text of the run's error.
    pub error: Option<String>,
    /// The versions in the report, in order.
    pub applied: Vec<String>,
    /// The events of each migration.
    pub events: Vec<String>,
    /// Versions and positions in the ledger.
    pub ledger: String,
    /// Schema and rows without the ledger's, and without times, random identifiers and the order of rows.
    pub dump: String,
    /// How many transactions wrote the ledger.
    pub transactions: usize,
}

/// Applies `set` to this database, and drops it.
///
/// # Panics
///
/// When there is no `pg_dump` for its server.
pub async fn left(database: FreshDatabase, set: &Migrations, way: Way, prepare: &str) -> Left {
    let mut client = database.connect().await;
    let setting = match way {
        Way::Shared => "",
        Way::Apart => "SET statement_timeout = '10h'",
    };
    client.batch_execute(&format!("{prepare};{setting}")).await.expect("a setting");
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let on = move |event: &Event<'_>| match event {
        Event::Started(subject) => {
            heard.lock().expect("events").push(format!("starts {}", subject.version));
        }
        Event::Finished(one) => {
            heard.lock().expect("events").push(format!("finished {}", one.version));
        }
        _ => {}
    };
    let outcome = Migrator::new(set).on(on).run(&mut client).await;
    let (error, report) = match outcome {
        Ok(report) => (None, Some(report)),
        Err(error) => (Some(masked(&error.to_string())), error.report().cloned()),
    };
    let report = report.unwrap_or_default();
    let (ledger, transactions) = ledger(&client).await;
    drop(client);
    let dump = database.pg_dump_with_rows(&["--exclude-table-data=*.migration_ledger"]);
    let events = events.lock().expect("events").clone();
    Left {
        error,
        applied: report.applied.iter().map(|one| one.version.to_string()).collect(),
        events,
        ledger,
        dump: ordered(&masked(&dump.expect("pg_dump"))),
        transactions: usize::try_from(transactions).unwrap_or_default(),
    }
}

/// Versions and positions in the ledger, and how many transactions wrote it.
async fn ledger(client: &Client) -> (String, i64) {
    if value(client, "SELECT to_regclass('public.migration_ledger')").await == "NULL" {
        return (String::new(), 0);
    }
    let sql = "SELECT string_agg(concat_ws(' ', position, version, progress), ', ' ORDER BY position), \
               count(DISTINCT xmin::text) FROM migration_ledger";
    let row = client.query_one(sql, &[]).await.expect("the ledger");
    (row.get::<_, Option<String>>(0).unwrap_or_default(), row.get(1))
}

/// The first line in which two dumps differ.
pub fn difference(one: &str, other: &str) -> Option<String> {
    let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    match lines {
        Some((one, other)) => Some(format!("{one}\n{other}")),
        None if one.len() == other.len() => None,
        None => Some("one is longer".to_owned()),
    }
}

/// The dump with the rows of each table in an order: two runs of the same files can leave another.
pub fn ordered(dump: &str) -> String {
    let mut lines: Vec<&str> = dump.lines().collect();
    for rows in
        lines.split_mut(|line| line.starts_with("COPY ") || *line == "\\.").skip(1).step_by(2)
    {
        rows.sort_unstable();
    }
    lines.join("\n")
}

/// `text` without times and random identifiers, which no two runs share.
fn masked(text: &str) -> String {
    const TIME: &str = "dddd-dd-dd dd:dd:dd";
    const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let is = |rest: &str, shape: &str| {
        rest.len() >= shape.len()
            && rest.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
                b'd' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_hexdigit(),
                _ => byte == shape,
            })
    };
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if is(rest, TIME) {
            masked.push_str("<time>");
            rest = rest[TIME.len()..]
                .trim_start_matches(['.', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        } else if is(rest, UUID) {
            masked.push_str("<uuid>");
            rest = &rest[UUID.len()..];
        } else {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    masked
}
