//! Other tools, each with files and a database that it left behind. The files of the first five are those of their
//! guides, which `docs/from` follows. The header of each file in `tests/ledgers` names what wrote that database.

use migrate_runtime::adopt::{Adopt, Adoption};
use migrate_runtime::{Migrations, Migrator, embed_migrations};
use tokio_postgres::Client;

use crate::database::{FreshDatabase, value};

/// The files of Chronis' guide.
pub static CHRONIS: Migrations = embed_migrations!("sets/chronis");
/// The files of pgdbm's guide that begin with a number.
pub static PGDBM: Migrations = embed_migrations!("sets/pgdbm_numeric");
/// The files of pgdbm's guide that begin with a time.
pub static PGDBM_TIMESTAMP: Migrations = embed_migrations!("sets/pgdbm_timestamp");
/// The files of pycopg's guide.
pub static PYCOPG: Migrations = embed_migrations!("sets/pycopg", down = required);
/// The files of data-bridge's guide.
pub static DATA_BRIDGE: Migrations = embed_migrations!("sets/data_bridge", down = required);
/// The files of Xyn's guide.
pub static XYN: Migrations = embed_migrations!("sets/xyn");

/// A tool, and what it left behind.
#[derive(Debug)]
pub struct Predecessor {
    /// Its name in a path or a command.
    pub name: &'static str,
    /// How its table is read.
    pub tool: Adopt,
    /// All its files, including those that it has not applied.
    pub set: &'static Migrations,
    /// How many of the files it had applied, from the first one.
    pub applied: usize,
    /// The database that it left, as SQL.
    left: &'static str,
}

/// A row for each: its name and its tool; how many it had applied of its files; the database that it left.
macro_rules! predecessors {
    ($($name:literal $tool:ident: $applied:literal of $set:expr, $left:literal;)*) => {
        &[$(Predecessor {
            name: $name,
            tool: Adopt::$tool,
            set: $set,
            applied: $applied,
            left: include_str!(concat!("../ledgers/", $left)),
        }),*]
    };
}

/// All of them: first those of the guides, in their order.
pub static ALL: &[Predecessor] = predecessors! {
    "chronis" Chronis: 3 of &CHRONIS, "chronis.sql";
    "pgdbm" Pgdbm: 9 of &PGDBM, "pgdbm.sql";
    "pycopg" Pycopg: 4 of &PYCOPG, "pycopg.sql";
    "data-bridge" DataBridge: 7 of &DATA_BRIDGE, "data_bridge.sql";
    "xyn" Xyn: 5 of &XYN, "xyn.sql";
    "sqlx" Sqlx: 2 of &embed_migrations!("sets/sqlx"), "sqlx.sql";
    "refinery" Refinery: 2 of &embed_migrations!("sets/refinery"), "refinery.sql";
    "diesel" Diesel: 2 of &embed_migrations!("sets/diesel"), "diesel.sql";
    "flyway" Flyway: 2 of &embed_migrations!("sets/flyway"), "flyway.sql";
    "golang-migrate" GolangMigrate: 2 of &embed_migrations!("sets/golang_migrate"), "golang_migrate.sql";
    "goose" Goose: 2 of &embed_migrations!("sets/goose"), "goose.sql";
    "dbmate" Dbmate: 2 of &embed_migrations!("sets/dbmate"), "dbmate.sql";
    "prisma" Prisma: 1 of &embed_migrations!("sets/prisma"), "prisma.sql";
    "drizzle" Drizzle: 2 of &embed_migrations!("sets/drizzle"), "drizzle.sql";
    "drizzle1" Drizzle: 2 of &embed_migrations!("sets/drizzle1"), "drizzle1.sql";
    "supabase" Supabase: 4 of &embed_migrations!("sets/supabase"), "supabase.sql";
    "node-pg-migrate" NodePgMigrate: 2 of &embed_migrations!("sets/node_pg_migrate"), "node_pg_migrate.sql";
    "postgres-migrations" PostgresMigrations: 2 of &embed_migrations!("sets/postgres_migrations"), "postgres_migrations.sql";
    "postgrator" Postgrator: 2 of &embed_migrations!("sets/postgrator"), "postgrator.sql";
    "graphile-migrate" GraphileMigrate: 2 of &embed_migrations!("sets/graphile_migrate"), "graphile_migrate.sql";
    "sql-migrate" SqlMigrate: 2 of &embed_migrations!("sets/sql_migrate"), "sql_migrate.sql";
    "sea-orm" SeaOrm: 2 of &embed_migrations!("sets/sea_orm"), "sea_orm.sql";
    "yoyo" Yoyo: 2 of &embed_migrations!("sets/yoyo"), "yoyo.sql";
    "pyway" Pyway: 2 of &embed_migrations!("sets/pyway"), "pyway.sql";
    "pgmigrate" Pgmigrate: 3 of &embed_migrations!("sets/pgmigrate"), "pgmigrate.sql";
    "sqitch" Sqitch: 1 of &embed_migrations!("sets/sqitch"), "sqitch.sql";
    "liquibase" Liquibase: 2 of &embed_migrations!("sets/liquibase"), "liquibase.sql";
    "atlas" Atlas: 2 of &embed_migrations!("sets/atlas"), "atlas.sql";
    "alembic" Alembic: 2 of &embed_migrations!("sets/alembic"), "alembic.sql";
    "django" Django: 2 of &embed_migrations!("sets/django"), "django.sql";
};

impl Predecessor {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Predecessor> {
        ALL.iter().find(|one| one.name == name)
    }

    /// How its table is read. The app of Django's files is `shop`.
    pub fn adoption(&self) -> Adoption {
        match self.tool {
            Adopt::Django => self.tool.module("shop"),
            tool => tool.into(),
        }
    }

    /// Its table as SQL.
    pub fn table(&self) -> String {
        let schema = self.tool.default_schema().unwrap_or("public");
        format!("{schema}.{}", self.tool.default_table())
    }

    /// The database that the tool left, as SQL.
    pub fn left(&self) -> &'static str {
        self.left
    }

    /// Fills an empty database with what the tool left.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn leave(&self, client: &Client) {
        client.batch_execute(self.left).await.expect(self.left);
    }

    /// Adopts what the tool left into this set of its files, verified where it has a checksum, and runs the rest.
    ///
    /// # Panics
    ///
    /// When anything else happens.
    pub async fn goes_on(&self, set: &Migrations) {
        let name = self.name;
        let (_database, mut client) = FreshDatabase::connected().await;
        self.leave(&client).await;
        let migrator = Migrator::new(set);
        let report = migrator.adopt(&mut client, self.adoption()).await;
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.amended.len(), self.applied, "{name}");
        let is_verified = self.tool.algorithm().is_some();
        assert_eq!(report.notes.is_empty(), is_verified, "{name}: {report}");
        let verified = if is_verified { self.applied } else { 0 };
        let count = "SELECT count(checksum) FROM migration_ledger";
        assert_eq!(value(&client, count).await, verified.to_string(), "{name}");
        let run = migrator.run(&mut client).await;
        let run = run.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(run.applied.len(), self.set.len() - self.applied, "{name}");
        assert!(!run.applied.is_empty(), "{name}");
        migrator.verify(&client).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
