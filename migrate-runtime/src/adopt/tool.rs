//! The tools whose tables are known.

use super::facts::Facts;
use super::{Adoption, tools};

/// A tool whose table [`Migrator::adopt`](crate::Migrator::adopt) can read.
///
/// ```
/// use migrate_runtime::adopt::Adopt;
///
/// assert_eq!(Adopt::Sqlx.default_table(), "_sqlx_migrations");
/// assert_eq!(Adopt::Sqlx.algorithm(), Some("SHA-384"));
/// assert_eq!(Adopt::Dbmate.algorithm(), None); // versions only: nothing can be verified
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Adopt {
    /// refinery: `refinery_schema_history`, verified by `SipHash-1-3`.
    Refinery,
    /// sqlx: `_sqlx_migrations`, verified by SHA-384.
    Sqlx,
    /// diesel: `__diesel_schema_migrations`, which keeps no checksum.
    Diesel,
    /// Flyway: `flyway_schema_history`, verified by CRC32, except migrations under a baseline.
    Flyway,
    /// goose: `goose_db_version`, which keeps no checksum.
    Goose,
    /// golang-migrate: `schema_migrations`, which keeps the newest version and no checksum.
    GolangMigrate,
    /// dbmate: `schema_migrations`, which keeps versions only.
    Dbmate,
    /// Chronis: `chronis_migration_history`, verified by SHA-256.
    Chronis,
    /// pgdbm: `schema_migrations`, verified by SHA-256.
    Pgdbm,
    /// pycopg: `schema_migrations`, which keeps no checksum.
    Pycopg,
    /// data-bridge: `_migrations`, verified by SHA-256.
    DataBridge,
    /// Xyn: `schema_migrations`, which keeps no checksum.
    Xyn,
    /// prisma: `_prisma_migrations`, verified by SHA-256.
    Prisma,
    /// drizzle: `drizzle.__drizzle_migrations`, verified by SHA-256, which is also its key.
    Drizzle,
    /// supabase: `supabase_migrations.schema_migrations`, verified by the statements in it.
    Supabase,
    /// node-pg-migrate: `pgmigrations`, which keeps no checksum.
    NodePgMigrate,
    /// postgres-migrations and pg-node-migrations: `migrations`, verified by SHA-1.
    PostgresMigrations,
    /// postgrator: `schemaversion`, verified by MD5.
    Postgrator,
    /// graphile-migrate: `graphile_migrate.migrations`, verified by SHA-1.
    GraphileMigrate,
    /// sql-migrate: `gorp_migrations`, which keeps no checksum.
    SqlMigrate,
    /// sea-orm: `seaql_migrations`, which keeps no checksum. The `m` before a name is ignored.
    SeaOrm,
    /// yoyo: `_yoyo_migration`, which keeps no checksum of a text.
    Yoyo,
    /// pyway: `pyway`, verified by CRC32.
    Pyway,
    /// yandex-pgmigrate: `schema_version`, which keeps no checksum.
    Pgmigrate,
    /// sqitch: `sqitch.changes`, verified by SHA-1; its projects are modules here.
    Sqitch,
    /// Liquibase: `databasechangelog`, verified by MD5; a changeset is a file here.
    Liquibase,
    /// Atlas: `atlas_schema_revisions`, verified by SHA-256 of all files so far.
    Atlas,
    /// Alembic: `alembic_version`, which keeps the newest revision, with which a file's name
    /// after the version begins.
    Alembic,
    /// Django: `django_migrations`, which keeps names only; its apps are modules here.
    Django,
}

/// The default tables of all tools, except those of a name that other tables may have.
pub(crate) fn default_tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().filter(|name| !["migrations", "changes", "pyway"].contains(name))
}

/// A constant, so that a service which adopts nothing links no other fact of a tool.
const TABLES: [&str; Adopt::ALL.len()] = {
    let mut tables = [""; Adopt::ALL.len()];
    let mut index = 0;
    while index < tables.len() {
        tables[index] = Adopt::ALL[index].default_table();
        index += 1;
    }
    tables
};

impl Adopt {
    /// All tools.
    pub const ALL: &'static [Adopt] = &[
        Adopt::Refinery,
        Adopt::Sqlx,
        Adopt::Diesel,
        Adopt::Flyway,
        Adopt::Goose,
        Adopt::GolangMigrate,
        Adopt::Dbmate,
        Adopt::Chronis,
        Adopt::Pgdbm,
        Adopt::Pycopg,
        Adopt::DataBridge,
        Adopt::Xyn,
        Adopt::Prisma,
        Adopt::Drizzle,
        Adopt::Supabase,
        Adopt::NodePgMigrate,
        Adopt::PostgresMigrations,
        Adopt::Postgrator,
        Adopt::GraphileMigrate,
        Adopt::SqlMigrate,
        Adopt::SeaOrm,
        Adopt::Yoyo,
        Adopt::Pyway,
        Adopt::Pgmigrate,
        Adopt::Sqitch,
        Adopt::Liquibase,
        Adopt::Atlas,
        Adopt::Alembic,
        Adopt::Django,
    ];

    /// The tool's name.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The default table of the tool.
    pub const fn default_table(self) -> &'static str {
        self.facts().table
    }

    /// The schema of that table, if the tool has one of its own.
    pub const fn default_schema(self) -> Option<&'static str> {
        self.facts().schema
    }

    /// The algorithm of the checksums that the tool records; `None` if it records none.
    pub const fn algorithm(self) -> Option<&'static str> {
        match self.facts().checksum {
            Some((digest, _)) => Some(digest.name()),
            None => None,
        }
    }

    pub(super) const fn facts(self) -> Facts<'static> {
        match self {
            Adopt::Refinery => tools::REFINERY,
            Adopt::Sqlx => tools::SQLX,
            Adopt::Diesel => tools::DIESEL,
            Adopt::Flyway => tools::FLYWAY,
            Adopt::Goose => tools::GOOSE,
            Adopt::GolangMigrate => tools::GOLANG_MIGRATE,
            Adopt::Dbmate => tools::DBMATE,
            Adopt::Chronis => tools::CHRONIS,
            Adopt::Pgdbm => tools::PGDBM,
            Adopt::Pycopg => tools::PYCOPG,
            Adopt::DataBridge => tools::DATA_BRIDGE,
            Adopt::Xyn => tools::XYN,
            Adopt::Prisma => tools::PRISMA,
            Adopt::Drizzle => tools::DRIZZLE,
            Adopt::Supabase => tools::SUPABASE,
            Adopt::NodePgMigrate => tools::NODE_PG_MIGRATE,
            Adopt::PostgresMigrations => tools::POSTGRES_MIGRATIONS,
            Adopt::Postgrator => tools::POSTGRATOR,
            Adopt::GraphileMigrate => tools::GRAPHILE_MIGRATE,
            Adopt::SqlMigrate => tools::SQL_MIGRATE,
            Adopt::SeaOrm => tools::SEA_ORM,
            Adopt::Yoyo => tools::YOYO,
            Adopt::Pyway => tools::PYWAY,
            Adopt::Pgmigrate => tools::PGMIGRATE,
            Adopt::Sqitch => tools::SQITCH,
            Adopt::Liquibase => tools::LIQUIBASE,
            Adopt::Atlas => tools::ATLAS,
            Adopt::Alembic => tools::ALEMBIC,
            Adopt::Django => tools::DJANGO,
        }
    }

    /// Sets the name of the tool's table.
    #[must_use]
    pub fn table(self, table: impl Into<String>) -> Adoption {
        Adoption::from(self).table(table)
    }

    /// Sets the schema of the tool's table.
    #[must_use]
    pub fn schema(self, schema: impl Into<String>) -> Adoption {
        Adoption::from(self).schema(schema)
    }

    /// Sets the module whose rows are read: pgdbm's, or a project of sqitch, or an app of Django.
    #[must_use]
    pub fn module(self, module: impl Into<String>) -> Adoption {
        Adoption::from(self).module(module)
    }
}
