//! The tools whose tables are known.

use super::facts::Facts;
use super::{Adoption, tools};

/// Makes the type of these tools, with the facts of each.
macro_rules! tools {
    ($(#[$of_type:meta])* pub enum Adopt { $($(#[$doc:meta])* $tool:ident = $facts:ident,)* }) => {
        $(#[$of_type])*
        pub enum Adopt { $($(#[$doc])* $tool,)* }

        impl Adopt {
            /// All tools.
            pub const ALL: &'static [Adopt] = &[$(Adopt::$tool),*];

            pub(super) const fn facts(self) -> Facts<'static> {
                match self { $(Adopt::$tool => tools::$facts),* }
            }
        }
    };
}

tools! {
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
    Refinery = REFINERY,
    /// sqlx: `_sqlx_migrations`, verified by SHA-384.
    Sqlx = SQLX,
    /// diesel: `__diesel_schema_migrations`, which keeps no checksum.
    Diesel = DIESEL,
    /// Flyway: `flyway_schema_history`, verified by CRC32, except migrations under a baseline.
    Flyway = FLYWAY,
    /// goose: `goose_db_version`, which keeps no checksum.
    Goose = GOOSE,
    /// golang-migrate: `schema_migrations`, which keeps the newest version and no checksum.
    GolangMigrate = GOLANG_MIGRATE,
    /// dbmate: `schema_migrations`, which keeps versions only.
    Dbmate = DBMATE,
    /// Chronis: `chronis_migration_history`, verified by SHA-256.
    Chronis = CHRONIS,
    /// pgdbm: `schema_migrations`, verified by SHA-256.
    Pgdbm = PGDBM,
    /// pycopg: `schema_migrations`, which keeps no checksum.
    Pycopg = PYCOPG,
    /// data-bridge: `_migrations`, verified by SHA-256.
    DataBridge = DATA_BRIDGE,
    /// Xyn: `schema_migrations`, which keeps no checksum.
    Xyn = XYN,
    /// prisma: `_prisma_migrations`, verified by SHA-256.
    Prisma = PRISMA,
    /// drizzle: `drizzle.__drizzle_migrations`, verified by SHA-256, which is also its key.
    Drizzle = DRIZZLE,
    /// supabase: `supabase_migrations.schema_migrations`, verified by the statements in it.
    Supabase = SUPABASE,
    /// node-pg-migrate: `pgmigrations`, which keeps no checksum.
    NodePgMigrate = NODE_PG_MIGRATE,
    /// postgres-migrations and pg-node-migrations: `migrations`, verified by SHA-1.
    PostgresMigrations = POSTGRES_MIGRATIONS,
    /// postgrator: `schemaversion`, verified by MD5.
    Postgrator = POSTGRATOR,
    /// graphile-migrate: `graphile_migrate.migrations`, verified by SHA-1.
    GraphileMigrate = GRAPHILE_MIGRATE,
    /// sql-migrate: `gorp_migrations`, which keeps no checksum.
    SqlMigrate = SQL_MIGRATE,
    /// sea-orm: `seaql_migrations`, which keeps no checksum. The `m` before a name is ignored.
    SeaOrm = SEA_ORM,
    /// yoyo: `_yoyo_migration`, which keeps no checksum of a text.
    Yoyo = YOYO,
    /// pyway: `pyway`, verified by CRC32.
    Pyway = PYWAY,
    /// yandex-pgmigrate: `schema_version`, which keeps no checksum.
    Pgmigrate = PGMIGRATE,
    /// sqitch: `sqitch.changes`, verified by SHA-1; its projects are modules here.
    Sqitch = SQITCH,
    /// Liquibase: `databasechangelog`, verified by MD5; a changeset is a file here.
    Liquibase = LIQUIBASE,
    /// Atlas: `atlas_schema_revisions`, verified by SHA-256 of all files so far.
    Atlas = ATLAS,
    /// Alembic: `alembic_version`, which keeps the newest revision, with which a file's name
    /// after the version begins.
    Alembic = ALEMBIC,
    /// Django: `django_migrations`, which keeps names only; its apps are modules here.
    Django = DJANGO,
}
}

/// The default tables of all tools, except those of a name that other tables may have.
pub(super) fn default_tables() -> impl Iterator<Item = &'static str> {
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
