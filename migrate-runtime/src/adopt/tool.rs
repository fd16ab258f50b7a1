//! The table of each tool: its name, its columns, and the query that reads it.

use migrate_set::sql::placeholder::quoted_identifier;
use migrate_set::text::escaped;
use tokio_postgres::SimpleQueryRow;

use super::{Adopt, Adoption};
use crate::sql::{check_table, column, literal, utc};

/// One row of another tool's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The version, if the tool records it.
    pub(super) version: Option<String>,
    /// The file's name, with or without its ending, if the tool records it.
    pub(super) file: Option<String>,
    /// The name, which refinery's checksum needs.
    pub(super) name: Option<String>,
    pub(super) checksum: Option<String>,
    /// RFC 3339, UTC.
    pub(super) applied_at: Option<String>,
    pub(super) applied_by: Option<String>,
    pub(super) execution_ms: Option<i64>,
    pub(super) state: State,
}

/// What a row means for its migration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    /// It ran.
    #[default]
    Applied,
    /// It was undone, or removed from the history.
    Undone,
    /// It failed, and was not fixed.
    Failed,
    /// It is the newest that ran, and all before it ran too.
    Current,
    /// All up to it count as applied, even if the set does not have it.
    Baseline,
}

impl Row {
    pub(super) fn read(row: &SimpleQueryRow) -> Row {
        let text = |name| column(row, name);
        let state = match text("state").as_deref() {
            Some("undone") => State::Undone,
            Some("failed") => State::Failed,
            Some("current") => State::Current,
            Some("baseline") => State::Baseline,
            _ => State::Applied,
        };
        Row {
            version: text("version"),
            file: text("file"),
            name: text("name"),
            checksum: text("checksum"),
            applied_at: text("applied_at"),
            applied_by: text("applied_by"),
            execution_ms: text("execution_ms").and_then(|ms| ms.parse().ok()),
            state,
        }
    }

    /// Its version, or its file if it has none, for messages.
    pub(super) fn shown(&self) -> String {
        match (&self.version, &self.file) {
            (Some(version), _) => format!("version {}", escaped(version)),
            (None, Some(file)) => format!("`{}`", escaped(file)),
            (None, None) => "a row without a version".to_owned(),
        }
    }
}

/// The default tables of all tools.
pub(crate) fn default_tables() -> [&'static str; 8] {
    use Adopt::{Chronis, DataBridge, Dbmate, Diesel, Flyway, Goose, Refinery, Sqlx};
    [Refinery, Sqlx, Diesel, Flyway, Goose, Chronis, DataBridge, Dbmate].map(Adopt::default_table)
}

impl Adopt {
    /// The tool's name.
    pub const fn name(self) -> &'static str {
        match self {
            Adopt::Refinery => "refinery",
            Adopt::Sqlx => "sqlx",
            Adopt::Diesel => "diesel",
            Adopt::Flyway => "Flyway",
            Adopt::Goose => "goose",
            Adopt::GolangMigrate => "golang-migrate",
            Adopt::Dbmate => "dbmate",
            Adopt::Chronis => "Chronis",
            Adopt::Pgdbm => "pgdbm",
            Adopt::Pycopg => "pycopg",
            Adopt::DataBridge => "data-bridge",
            Adopt::Xyn => "Xyn",
        }
    }

    /// The default table of the tool.
    pub const fn default_table(self) -> &'static str {
        match self {
            Adopt::Refinery => "refinery_schema_history",
            Adopt::Sqlx => "_sqlx_migrations",
            Adopt::Diesel => "__diesel_schema_migrations",
            Adopt::Flyway => "flyway_schema_history",
            Adopt::Goose => "goose_db_version",
            Adopt::Chronis => "chronis_migration_history",
            Adopt::DataBridge => "_migrations",
            Adopt::GolangMigrate | Adopt::Dbmate | Adopt::Pgdbm | Adopt::Pycopg | Adopt::Xyn => {
                "schema_migrations"
            }
        }
    }

    /// The algorithm of the checksums that the tool records; `None` if it records none.
    pub const fn algorithm(self) -> Option<&'static str> {
        match self {
            Adopt::Refinery => Some("SipHash-1-3"),
            Adopt::Sqlx => Some("SHA-384"),
            Adopt::Flyway => Some("CRC32"),
            Adopt::Chronis | Adopt::Pgdbm | Adopt::DataBridge => Some("SHA-256"),
            Adopt::Diesel
            | Adopt::Goose
            | Adopt::GolangMigrate
            | Adopt::Dbmate
            | Adopt::Pycopg
            | Adopt::Xyn => None,
        }
    }
}

impl Adoption {
    /// Reads the table in the order in which the tool applied the migrations, after the check that it can be trusted.
    pub(super) fn select(&self, schema: &str) -> String {
        let check = check_table(schema, self.table_name());
        let (schema, table) = (quoted_identifier(schema), quoted_identifier(self.table_name()));
        let (columns, module) = (self.tool.columns(), self.module_read().unwrap_or_default());
        let rows = self.tool.rows().replace("{module}", &literal(module));
        let time = self.tool.time().map_or_else(String::new, |time| {
            let utc = utc(&format!("({time})::pg_catalog.timestamptz"));
            format!(", {utc} AS applied_at")
        });
        format!("{check}; SELECT {columns}{time} FROM {schema}.{table} t {rows}")
    }
}

impl Adopt {
    /// Which rows are read, and in which order; `{module}` is the module as a literal.
    const fn rows(self) -> &'static str {
        match self {
            Adopt::Refinery => "ORDER BY t.applied_on::pg_catalog.timestamptz, t.version",
            Adopt::Sqlx => "ORDER BY t.installed_on, t.version",
            Adopt::Diesel => "ORDER BY t.run_on, t.version",
            // A `SCHEMA` row means that Flyway created the schema.
            Adopt::Flyway => {
                "WHERE t.type OPERATOR(pg_catalog.<>) 'SCHEMA' ORDER BY t.installed_rank"
            }
            // Version 0 is the empty database.
            Adopt::Goose => "WHERE t.version_id OPERATOR(pg_catalog.>) 0 ORDER BY t.id",
            // Version -1 is the empty database, unless its first migration failed while it was undone.
            Adopt::GolangMigrate => "WHERE t.version OPERATOR(pg_catalog.>=) 0 OR t.dirty",
            Adopt::Dbmate => "ORDER BY t.version",
            Adopt::Chronis | Adopt::Pycopg | Adopt::DataBridge => {
                "ORDER BY t.applied_at, t.version"
            }
            Adopt::Pgdbm => {
                "WHERE t.module_name OPERATOR(pg_catalog.=) {module} OR t.module_name IS NULL \
                 ORDER BY t.id"
            }
            Adopt::Xyn => "ORDER BY t.applied_at, t.id",
        }
    }

    /// The column with the time when a migration ran.
    const fn time(self) -> Option<&'static str> {
        match self {
            Adopt::Refinery => Some("t.applied_on"),
            Adopt::Sqlx | Adopt::Flyway => Some("t.installed_on"),
            // diesel sets its sessions to UTC and records times without a time zone.
            Adopt::Diesel => Some("t.run_on AT TIME ZONE 'UTC'"),
            Adopt::Goose => Some("t.tstamp"),
            Adopt::GolangMigrate | Adopt::Dbmate => None,
            _ => Some("t.applied_at"),
        }
    }

    /// The columns of the tool's table for [`Row`], without the time.
    const fn columns(self) -> &'static str {
        match self {
            Adopt::Refinery => "t.version, t.name, t.checksum",
            Adopt::Sqlx => {
                "t.version, pg_catalog.encode(t.checksum, 'hex') AS checksum, \
                 GREATEST(t.execution_time, 0) OPERATOR(pg_catalog./) 1000000 AS execution_ms, \
                 CASE WHEN t.success THEN 'applied' ELSE 'failed' END AS state"
            }
            Adopt::Diesel | Adopt::Dbmate => "t.version",
            // `baseline` writes `BASELINE`, and a `B` file `SQL_BASELINE`; `DELETE` and `UNDO` rows
            // remove a migration from the history.
            Adopt::Flyway => {
                "t.version, t.script AS file, t.checksum, t.installed_by AS applied_by, \
                 t.execution_time AS execution_ms, CASE WHEN NOT t.success THEN 'failed' \
                 WHEN t.type OPERATOR(pg_catalog.=) 'DELETE' \
                 OR t.type OPERATOR(pg_catalog.~~) 'UNDO%' THEN 'undone' \
                 WHEN t.type OPERATOR(pg_catalog.~~) '%BASELINE' THEN 'baseline' \
                 ELSE 'applied' END AS state"
            }
            Adopt::Goose => {
                "t.version_id AS version, \
                 CASE WHEN t.is_applied THEN 'applied' ELSE 'undone' END AS state"
            }
            Adopt::GolangMigrate => {
                "t.version, CASE WHEN t.dirty THEN 'failed' ELSE 'current' END AS state"
            }
            Adopt::Chronis => {
                "t.version, t.filename AS file, t.checksum, t.execution_time_ms AS execution_ms"
            }
            // The table in its guide has no `applied_by`, the one that it creates does.
            Adopt::Pgdbm => {
                "t.filename AS file, t.checksum, t.execution_time_ms AS execution_ms, \
                 pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'applied_by' AS applied_by"
            }
            Adopt::Pycopg => "t.version, t.name",
            Adopt::DataBridge => "t.version, t.checksum",
            Adopt::Xyn => "t.id AS file",
        }
    }
}
