//! Writes the schema of a database, runs it in an empty one, and compares the two.

use migrate_runtime::Migrator;
use migrate_runtime::schema::SchemaScope;
use migrate_set::schema::with_cast_elements;
use tokio_postgres::Client;

use crate::database::FreshDatabase;
use crate::sets;

/// What a schema file made of a database, and what it was written from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrip {
    /// The file.
    pub text: String,
    /// The file of the database that ran it.
    pub text_again: String,
    /// What `pg_dump` writes of the first, unless it is too old for the server; with casts of arrays as they are
    /// after a restore.
    pub dump: Option<String>,
    /// What it writes of the second.
    pub dump_again: Option<String>,
}

/// Arguments of `pg_dump` for what a schema file has.
const ARGUMENTS: [&str; 6] = [
    "--no-owner",
    "--exclude-table=*.migration_ledger",
    "--exclude-table=*.schema_migrations",
    "--exclude-table=*.alembic_version",
    "--exclude-table=*.flyway_schema_history",
    "--exclude-table=*._sqlx_migrations",
];

/// The schema file of a database.
///
/// # Panics
///
/// When the server refuses.
pub async fn schema_of(client: &Client, scope: &SchemaScope) -> String {
    let none = sets::unparsed(&[("1_a.sql", "SELECT 1;")]);
    let read = Migrator::new(&none).read_schema(client, scope).await;
    read.unwrap_or_else(|error| panic!("{error}"))
}

/// Writes the schema of `database`, and runs it in an empty one.
///
/// # Errors
/// The file, and why the empty database refuses it.
///
/// # Panics
///
/// When the server refuses something else.
pub async fn round_trip(
    database: &FreshDatabase,
    scope: &SchemaScope,
) -> Result<RoundTrip, String> {
    let text = schema_of(&database.connect().await, scope).await;
    let (copy, client) = FreshDatabase::connected().await;
    if let Err(error) = client.batch_execute(&text).await {
        let said = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        return Err(format!(
            "{text}\n{said}\n{:?}",
            error.as_db_error().and_then(|error| error.position().cloned())
        ));
    }
    let text_again = schema_of(&client, scope).await + &notes(&text);
    let dump = |database: &FreshDatabase| {
        let dump = database.pg_dump(&ARGUMENTS)?;
        Some(without_names_of_not_null(&with_cast_elements(dump)))
    };
    let (dump, dump_again) = (dump(database), dump(&copy));
    Ok(RoundTrip { text, text_again, dump, dump_again })
}

/// A dump without the names that PostgreSQL 18 gives to NOT NULL: a schema file has none, so that it is the same on
/// each server.
fn without_names_of_not_null(dump: &str) -> String {
    let line = |line: &str| match (line.find(" CONSTRAINT "), line.find(" NOT NULL")) {
        (Some(start), Some(end)) if start < end && !line.trim_start().starts_with("CONSTRAINT") => {
            format!("{}{}\n", &line[..start], &line[end..])
        }
        _ => format!("{line}\n"),
    };
    dump.lines().map(line).collect()
}

/// What the file names as not written.
fn notes(text: &str) -> String {
    let lines = text.split_inclusive('\n').filter(|line| line.starts_with("-- not written: "));
    lines.map(|line| format!("\n{line}")).collect::<Vec<String>>().concat()
}
