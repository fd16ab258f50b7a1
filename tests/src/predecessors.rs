//! Other tools, each with files and a database that it left behind. The files of the first five are those of their
//! guides, which `docs/from` follows. The header of each file in `tests/ledgers` names what wrote that database.

use migrate_runtime::adopt::{Adopt, Adoption};
use migrate_runtime::{Migrations, embed_migrations};
use tokio_postgres::Client;

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

/// All of them: first those of the guides, in their order.
pub static ALL: [Predecessor; 30] = [
    Predecessor {
        name: "chronis",
        tool: Adopt::Chronis,
        set: &CHRONIS,
        applied: 3,
        left: include_str!("../ledgers/chronis.sql"),
    },
    Predecessor {
        name: "pgdbm",
        tool: Adopt::Pgdbm,
        set: &PGDBM,
        applied: 9,
        left: include_str!("../ledgers/pgdbm.sql"),
    },
    Predecessor {
        name: "pycopg",
        tool: Adopt::Pycopg,
        set: &PYCOPG,
        applied: 4,
        left: include_str!("../ledgers/pycopg.sql"),
    },
    Predecessor {
        name: "data-bridge",
        tool: Adopt::DataBridge,
        set: &DATA_BRIDGE,
        applied: 7,
        left: include_str!("../ledgers/data_bridge.sql"),
    },
    Predecessor {
        name: "xyn",
        tool: Adopt::Xyn,
        set: &XYN,
        applied: 5,
        left: include_str!("../ledgers/xyn.sql"),
    },
    Predecessor {
        name: "sqlx",
        tool: Adopt::Sqlx,
        set: &embed_migrations!("sets/sqlx"),
        applied: 2,
        left: include_str!("../ledgers/sqlx.sql"),
    },
    Predecessor {
        name: "refinery",
        tool: Adopt::Refinery,
        set: &embed_migrations!("sets/refinery"),
        applied: 2,
        left: include_str!("../ledgers/refinery.sql"),
    },
    Predecessor {
        name: "diesel",
        tool: Adopt::Diesel,
        set: &embed_migrations!("sets/diesel"),
        applied: 2,
        left: include_str!("../ledgers/diesel.sql"),
    },
    Predecessor {
        name: "flyway",
        tool: Adopt::Flyway,
        set: &embed_migrations!("sets/flyway"),
        applied: 2,
        left: include_str!("../ledgers/flyway.sql"),
    },
    Predecessor {
        name: "golang-migrate",
        tool: Adopt::GolangMigrate,
        set: &embed_migrations!("sets/golang_migrate"),
        applied: 2,
        left: include_str!("../ledgers/golang_migrate.sql"),
    },
    Predecessor {
        name: "goose",
        tool: Adopt::Goose,
        set: &embed_migrations!("sets/goose"),
        applied: 2,
        left: include_str!("../ledgers/goose.sql"),
    },
    Predecessor {
        name: "dbmate",
        tool: Adopt::Dbmate,
        set: &embed_migrations!("sets/dbmate"),
        applied: 2,
        left: include_str!("../ledgers/dbmate.sql"),
    },
    Predecessor {
        name: "prisma",
        tool: Adopt::Prisma,
        set: &embed_migrations!("sets/prisma"),
        applied: 1,
        left: include_str!("../ledgers/prisma.sql"),
    },
    Predecessor {
        name: "drizzle",
        tool: Adopt::Drizzle,
        set: &embed_migrations!("sets/drizzle"),
        applied: 2,
        left: include_str!("../ledgers/drizzle.sql"),
    },
    Predecessor {
        name: "drizzle1",
        tool: Adopt::Drizzle,
        set: &embed_migrations!("sets/drizzle1"),
        applied: 2,
        left: include_str!("../ledgers/drizzle1.sql"),
    },
    Predecessor {
        name: "supabase",
        tool: Adopt::Supabase,
        set: &embed_migrations!("sets/supabase"),
        applied: 4,
        left: include_str!("../ledgers/supabase.sql"),
    },
    Predecessor {
        name: "node-pg-migrate",
        tool: Adopt::NodePgMigrate,
        set: &embed_migrations!("sets/node_pg_migrate"),
        applied: 2,
        left: include_str!("../ledgers/node_pg_migrate.sql"),
    },
    Predecessor {
        name: "postgres-migrations",
        tool: Adopt::PostgresMigrations,
        set: &embed_migrations!("sets/postgres_migrations"),
        applied: 2,
        left: include_str!("../ledgers/postgres_migrations.sql"),
    },
    Predecessor {
        name: "postgrator",
        tool: Adopt::Postgrator,
        set: &embed_migrations!("sets/postgrator"),
        applied: 2,
        left: include_str!("../ledgers/postgrator.sql"),
    },
    Predecessor {
        name: "graphile-migrate",
        tool: Adopt::GraphileMigrate,
        set: &embed_migrations!("sets/graphile_migrate"),
        applied: 2,
        left: include_str!("../ledgers/graphile_migrate.sql"),
    },
    Predecessor {
        name: "sql-migrate",
        tool: Adopt::SqlMigrate,
        set: &embed_migrations!("sets/sql_migrate"),
        applied: 2,
        left: include_str!("../ledgers/sql_migrate.sql"),
    },
    Predecessor {
        name: "sea-orm",
        tool: Adopt::SeaOrm,
        set: &embed_migrations!("sets/sea_orm"),
        applied: 2,
        left: include_str!("../ledgers/sea_orm.sql"),
    },
    Predecessor {
        name: "yoyo",
        tool: Adopt::Yoyo,
        set: &embed_migrations!("sets/yoyo"),
        applied: 2,
        left: include_str!("../ledgers/yoyo.sql"),
    },
    Predecessor {
        name: "pyway",
        tool: Adopt::Pyway,
        set: &embed_migrations!("sets/pyway"),
        applied: 2,
        left: include_str!("../ledgers/pyway.sql"),
    },
    Predecessor {
        name: "pgmigrate",
        tool: Adopt::Pgmigrate,
        set: &embed_migrations!("sets/pgmigrate"),
        applied: 3,
        left: include_str!("../ledgers/pgmigrate.sql"),
    },
    Predecessor {
        name: "sqitch",
        tool: Adopt::Sqitch,
        set: &embed_migrations!("sets/sqitch"),
        applied: 1,
        left: include_str!("../ledgers/sqitch.sql"),
    },
    Predecessor {
        name: "liquibase",
        tool: Adopt::Liquibase,
        set: &embed_migrations!("sets/liquibase"),
        applied: 2,
        left: include_str!("../ledgers/liquibase.sql"),
    },
    Predecessor {
        name: "atlas",
        tool: Adopt::Atlas,
        set: &embed_migrations!("sets/atlas"),
        applied: 2,
        left: include_str!("../ledgers/atlas.sql"),
    },
    Predecessor {
        name: "alembic",
        tool: Adopt::Alembic,
        set: &embed_migrations!("sets/alembic"),
        applied: 2,
        left: include_str!("../ledgers/alembic.sql"),
    },
    Predecessor {
        name: "django",
        tool: Adopt::Django,
        set: &embed_migrations!("sets/django"),
        applied: 2,
        left: include_str!("../ledgers/django.sql"),
    },
];

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
}
