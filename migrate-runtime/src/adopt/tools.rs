//! The facts of each tool's table.

use super::digest::Algorithm::{Crc32, Md5, Sha1, Sha256, Sha384};
use super::digest::Digest;
use super::facts::{Facts, Key, NOTHING};

/// What pgdbm and Django record if nothing is named.
const DEFAULT_MODULE: Option<&str> = Some("default");

pub(super) const REFINERY: Facts<'static> = Facts {
    name: "refinery",
    table: "refinery_schema_history",
    checksum: Some((Digest::Refinery, "t.checksum")),
    time: "t.applied_on",
    others: "t.name",
    order: "t.applied_on::pg_catalog.timestamptz, t.version",
    ..NOTHING
};

pub(super) const SQLX: Facts<'static> = Facts {
    name: "sqlx",
    table: "_sqlx_migrations",
    checksum: Some((Digest::Text(Sha384), "pg_catalog.encode(t.checksum, 'hex')")),
    time: "t.installed_on",
    state: "CASE WHEN t.success THEN 'applied' ELSE 'failed' END",
    others: "GREATEST(t.execution_time, 0) OPERATOR(pg_catalog./) 1000000 AS execution_ms",
    order: "t.installed_on, t.version",
    ..NOTHING
};

pub(super) const DIESEL: Facts<'static> = Facts {
    name: "diesel",
    table: "__diesel_schema_migrations",
    // diesel sets its sessions to UTC and records times without a time zone.
    time: "t.run_on AT TIME ZONE 'UTC'",
    order: "t.run_on, t.version",
    ..NOTHING
};

/// `baseline` writes `BASELINE`, and a `B` file `SQL_BASELINE`; `DELETE` and `UNDO` rows remove a migration from the
/// history. A `SCHEMA` row means that Flyway created the schema.
pub(super) const FLYWAY: Facts<'static> = Facts {
    name: "Flyway",
    table: "flyway_schema_history",
    checksum: Some((Digest::Lines, "t.checksum")),
    time: "t.installed_on",
    state: "CASE WHEN NOT t.success THEN 'failed' \
            WHEN t.type OPERATOR(pg_catalog.=) 'DELETE' \
            OR t.type OPERATOR(pg_catalog.~~) 'UNDO%' THEN 'undone' \
            WHEN t.type OPERATOR(pg_catalog.~~) '%BASELINE' THEN 'baseline' ELSE 'applied' END",
    others: "t.script AS file, t.installed_by AS applied_by, t.execution_time AS execution_ms",
    only: "t.type OPERATOR(pg_catalog.<>) 'SCHEMA'",
    order: "t.installed_rank",
    ..NOTHING
};

/// Version 0 is the empty database.
pub(super) const GOOSE: Facts<'static> = Facts {
    name: "goose",
    table: "goose_db_version",
    key: (Key::Version, "t.version_id"),
    time: "t.tstamp",
    state: "CASE WHEN t.is_applied THEN 'applied' ELSE 'undone' END",
    only: "t.version_id OPERATOR(pg_catalog.>) 0",
    order: "t.id",
    ..NOTHING
};

/// Version -1 is the empty database, unless its first migration failed while it was undone.
pub(super) const GOLANG_MIGRATE: Facts<'static> = Facts {
    name: "golang-migrate",
    table: "schema_migrations",
    state: "CASE WHEN t.dirty THEN 'failed' ELSE 'current' END",
    only: "t.version OPERATOR(pg_catalog.>=) 0 OR t.dirty",
    ..NOTHING
};

pub(super) const DBMATE: Facts<'static> =
    Facts { name: "dbmate", table: "schema_migrations", order: "t.version", ..NOTHING };

pub(super) const CHRONIS: Facts<'static> = Facts {
    name: "Chronis",
    table: "chronis_migration_history",
    checksum: Some((Digest::Text(Sha256), "t.checksum")),
    time: "t.applied_at",
    others: "t.filename AS file, t.execution_time_ms AS execution_ms",
    order: "t.applied_at, t.version",
    ..NOTHING
};

/// The table in its guide has no `applied_by`, the one that it creates does.
pub(super) const PGDBM: Facts<'static> = Facts {
    name: "pgdbm",
    table: "schema_migrations",
    key: (Key::File, "t.filename"),
    checksum: Some((Digest::Text(Sha256), "t.checksum")),
    time: "t.applied_at",
    others: "t.execution_time_ms AS execution_ms, \
             pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'applied_by' AS applied_by",
    only: "t.module_name OPERATOR(pg_catalog.=) {module} OR t.module_name IS NULL",
    order: "t.id",
    module: DEFAULT_MODULE,
    ..NOTHING
};

pub(super) const PYCOPG: Facts<'static> = Facts {
    name: "pycopg",
    table: "schema_migrations",
    time: "t.applied_at",
    others: "t.name",
    order: "t.applied_at, t.version",
    ..NOTHING
};

pub(super) const DATA_BRIDGE: Facts<'static> = Facts {
    name: "data-bridge",
    table: "_migrations",
    checksum: Some((Digest::Text(Sha256), "t.checksum")),
    time: "t.applied_at",
    order: "t.applied_at, t.version",
    ..NOTHING
};

pub(super) const XYN: Facts<'static> = Facts {
    name: "Xyn",
    table: "schema_migrations",
    key: (Key::File, "t.id"),
    time: "t.applied_at",
    order: "t.applied_at, t.id",
    ..NOTHING
};

/// `resolve` sets `rolled_back_at` in the row that failed, and adds another for `--applied`.
pub(super) const PRISMA: Facts<'static> = Facts {
    name: "prisma",
    table: "_prisma_migrations",
    key: (Key::File, "t.migration_name"),
    checksum: Some((Digest::Text(Sha256), "t.checksum")),
    time: "t.finished_at",
    state: "CASE WHEN t.finished_at IS NULL THEN 'failed' ELSE 'applied' END",
    only: "t.rolled_back_at IS NULL",
    order: "t.started_at, t.finished_at",
    ..NOTHING
};

/// `created_at` is the time of the journal; `name` and `applied_at` came with 1.0.
pub(super) const DRIZZLE: Facts<'static> = Facts {
    name: "drizzle",
    schema: Some("drizzle"),
    table: "__drizzle_migrations",
    key: (Key::Checksum, "pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'name'"),
    checksum: Some((Digest::Text(Sha256), "t.hash")),
    time: "pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'applied_at'",
    order: "t.id",
    ..NOTHING
};

/// The statements themselves; `migration repair` of an old version recorded none.
pub(super) const SUPABASE: Facts<'static> = Facts {
    name: "supabase",
    schema: Some("supabase_migrations"),
    table: "schema_migrations",
    checksum: Some((Digest::Statements, "pg_catalog.array_to_string(t.statements, E'\\n;\\n')")),
    order: "t.version",
    ..NOTHING
};

pub(super) const NODE_PG_MIGRATE: Facts<'static> = Facts {
    name: "node-pg-migrate",
    table: "pgmigrations",
    key: (Key::File, "t.name"),
    time: "t.run_on",
    order: "t.run_on, t.id",
    ..NOTHING
};

/// Row 0 is the table itself.
pub(super) const POSTGRES_MIGRATIONS: Facts<'static> = Facts {
    name: "postgres-migrations",
    table: "migrations",
    key: (Key::Version, "t.id"),
    checksum: Some((Digest::NameAndText, "t.hash")),
    time: "t.executed_at",
    only: "t.id OPERATOR(pg_catalog.>) 0",
    order: "t.id",
    ..NOTHING
};

/// Row 0 is the empty database.
pub(super) const POSTGRATOR: Facts<'static> = Facts {
    name: "postgrator",
    table: "schemaversion",
    checksum: Some((Digest::Text(Md5), "t.md5")),
    time: "t.run_at",
    only: "t.version OPERATOR(pg_catalog.>) 0",
    order: "t.run_at, t.version",
    ..NOTHING
};

/// The name in the table lacks the message that the file's name has.
pub(super) const GRAPHILE_MIGRATE: Facts<'static> = Facts {
    name: "graphile-migrate",
    schema: Some("graphile_migrate"),
    table: "migrations",
    key: (Key::Version, "pg_catalog.substring(t.filename, '^[0-9]+')"),
    checksum: Some((Digest::Chain, "t.hash")),
    time: "t.date",
    others: "t.previous_hash AS previous",
    order: "t.filename",
    ..NOTHING
};

pub(super) const SQL_MIGRATE: Facts<'static> = Facts {
    name: "sql-migrate",
    table: "gorp_migrations",
    key: (Key::File, "t.id"),
    time: "t.applied_at",
    order: "t.applied_at, t.id",
    ..NOTHING
};

/// A name of Rust cannot begin with a digit, so an `m` is before it.
pub(super) const SEA_ORM: Facts<'static> = Facts {
    name: "sea-orm",
    table: "seaql_migrations",
    key: (Key::File, "pg_catalog.regexp_replace(t.version, '^m(?=[0-9])', '')"),
    time: "pg_catalog.to_timestamp(t.applied_at)",
    order: "t.applied_at, t.version",
    ..NOTHING
};

/// `migration_hash` is that of the name.
pub(super) const YOYO: Facts<'static> = Facts {
    name: "yoyo",
    table: "_yoyo_migration",
    key: (Key::File, "t.migration_id"),
    time: "t.applied_at_utc AT TIME ZONE 'UTC'",
    order: "t.applied_at_utc, t.migration_id",
    ..NOTHING
};

pub(super) const PYWAY: Facts<'static> = Facts {
    name: "pyway",
    table: "pyway",
    key: (Key::File, "t.name"),
    checksum: Some((Digest::Text(Crc32), "t.checksum")),
    time: "t.apply_timestamp",
    order: "t.installed_rank",
    ..NOTHING
};

pub(super) const PGMIGRATE: Facts<'static> = Facts {
    name: "pgmigrate",
    table: "schema_version",
    time: "t.installed_on",
    others: "t.installed_by AS applied_by",
    order: "t.installed_on, t.version",
    ..NOTHING
};

/// A change that was reworked has one row for each of its scripts.
pub(super) const SQITCH: Facts<'static> = Facts {
    name: "sqitch",
    schema: Some("sqitch"),
    table: "changes",
    key: (Key::Checksum, "t.change"),
    checksum: Some((Digest::Text(Sha1), "t.script_hash")),
    time: "t.committed_at",
    others: "t.committer_name AS applied_by",
    only: "{module} IS NULL OR t.project OPERATOR(pg_catalog.=) {module}",
    order: "t.committed_at",
    ..NOTHING
};

/// Versions before 4.22 wrote other checksums, with another number before the colon.
pub(super) const LIQUIBASE: Facts<'static> = Facts {
    name: "Liquibase",
    table: "databasechangelog",
    key: (Key::Checksum, "t.id"),
    checksum: Some((
        Digest::Changeset,
        "CASE WHEN t.md5sum OPERATOR(pg_catalog.~~) '9:%' THEN t.md5sum END",
    )),
    time: "t.dateexecuted",
    order: "t.orderexecuted",
    ..NOTHING
};

/// Bit 1 of the type is a baseline. A row whose name begins with a dot is Atlas's own.
pub(super) const ATLAS: Facts<'static> = Facts {
    name: "Atlas",
    schema: Some("atlas_schema_revisions"),
    table: "atlas_schema_revisions",
    checksum: Some((
        Digest::Directory,
        "CASE WHEN t.hash OPERATOR(pg_catalog.<>) '' \
         THEN pg_catalog.encode(pg_catalog.decode(t.hash, 'base64'), 'hex') END",
    )),
    time: "t.executed_at",
    state: "CASE WHEN t.type OPERATOR(pg_catalog.=) 1 THEN 'baseline' \
            WHEN t.applied OPERATOR(pg_catalog.<) t.total THEN 'failed' ELSE 'applied' END",
    others: "t.execution_time OPERATOR(pg_catalog./) 1000000 AS execution_ms",
    only: "t.version OPERATOR(pg_catalog.!~~) '.%'",
    order: "t.executed_at, t.version",
    ..NOTHING
};

/// The table has the newest revision only.
pub(super) const ALEMBIC: Facts<'static> = Facts {
    name: "Alembic",
    table: "alembic_version",
    key: (Key::Revision, "t.version_num"),
    state: "'current'",
    ..NOTHING
};

/// Its apps are modules here.
pub(super) const DJANGO: Facts<'static> = Facts {
    name: "Django",
    table: "django_migrations",
    key: (Key::File, "t.name"),
    time: "t.applied",
    only: "t.app OPERATOR(pg_catalog.=) {module}",
    order: "t.id",
    module: DEFAULT_MODULE,
    ..NOTHING
};
