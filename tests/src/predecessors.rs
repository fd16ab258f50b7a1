//! The five tools whose guides `docs/from` follows, each with the files of its guide and a database that
//! it left behind. The header of each file in `tests/ledgers` names what wrote that database.

use migrate_runtime::adopt::Adopt;
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

/// All of them, in the order of their guides.
pub static ALL: [Predecessor; 5] = [
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
];

impl Predecessor {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Predecessor> {
        ALL.iter().find(|one| one.name == name)
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
