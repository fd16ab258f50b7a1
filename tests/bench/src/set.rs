//! The sets that are measured: generated ones of any size, and real ones of this repository.
//! Every library gets the same statements: of a real set, only those of the up script.

use std::fs;
use std::path::Path;

use migrate_runtime::set::TransactionMode;
use migrate_runtime::source::{SetOptions, from_folder};

use crate::peer::Peer;

/// One migration.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its place in the set, from 1.
    pub number: usize,
    /// Its description, in file names.
    pub name: String,
    /// Its up script.
    pub sql: String,
}

/// Migrations in order.
#[derive(Debug, Clone)]
pub struct Set {
    /// What tables call it.
    pub name: String,
    /// The migrations.
    pub scripts: Vec<Script>,
}

/// The real sets, by their folders in the repository.
pub const REAL: [(&str, &str); 2] =
    [("boot-service", "examples/boot-service/migrations"), ("xyn", "tests/sets/xyn")];

/// A set of `count` small migrations of the kind that services have: a table, an index, a column, rows.
pub fn generated(count: usize) -> Set {
    Set { name: count.to_string(), scripts: (1..=count).map(script).collect() }
}

/// The migration of this number in every generated set.
pub fn script(number: usize) -> Script {
    let group = (number - 1) / 4 + 1;
    let table = format!("orders_{group:05}");
    let (name, sql) = match (number - 1) % 4 {
        0 => (
            "create_orders",
            format!(
                "-- What customers of region {group} have ordered.\n\
                 CREATE TABLE {table} (\n    \
                 id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
                 customer_id bigint NOT NULL,\n    \
                 status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid', 'sent')),\n    \
                 total_cents bigint NOT NULL CHECK (total_cents >= 0),\n    \
                 created_at timestamptz NOT NULL DEFAULT now()\n);\n"
            ),
        ),
        1 => (
            "index_orders",
            format!(
                "-- The list of a customer's orders, newest first.\n\
                 CREATE INDEX {table}_by_customer ON {table} (customer_id, created_at DESC);\n\
                 CREATE INDEX {table}_unpaid ON {table} (created_at) WHERE status = 'new';\n"
            ),
        ),
        2 => (
            "add_order_note",
            format!(
                "ALTER TABLE {table} ADD COLUMN note text;\n\
                 ALTER TABLE {table} ADD COLUMN updated_at timestamptz;\n\
                 COMMENT ON COLUMN {table}.note IS 'shown to the customer; plain text';\n"
            ),
        ),
        _ => (
            "seed_orders",
            format!(
                "INSERT INTO {table} (customer_id, status, total_cents, note) VALUES\n    \
                 (1, 'paid', 1250, 'it''s for {group}'),\n    \
                 (2, 'new', 990, NULL),\n    \
                 (3, 'sent', 45000, 'leave it at the door');\n\
                 UPDATE {table} SET updated_at = created_at WHERE status = 'sent';\n"
            ),
        ),
    };
    Script { number, name: name.to_owned(), sql }
}

/// The real set of this folder below the repository, without what runs outside a transaction, which
/// not all libraries can.
pub fn real(name: &str, folder: &Path) -> Set {
    let set = from_folder(folder, &SetOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let up = set
        .iter()
        .filter(|migration| migration.up().transaction() == TransactionMode::Transactional);
    let scripts = up.enumerate().map(|(index, migration)| Script {
        number: index + 1,
        name: migration.name().to_owned(),
        sql: migration.up().sql(None).expect("a set without placeholders"),
    });
    Set { name: name.to_owned(), scripts: scripts.collect() }
}

impl Set {
    /// Whether it is none of the real ones.
    pub fn is_generated(&self) -> bool {
        REAL.iter().all(|(name, _)| self.name != *name)
    }

    /// All of its SQL.
    pub fn text(&self) -> String {
        self.scripts.iter().map(|script| script.sql.as_str()).collect()
    }

    /// Writes it as a library wants it; what else the folder held goes. What is there already is not
    /// touched, so that nothing is built again for it.
    pub fn write(&self, peer: Peer, folder: &Path) {
        let files = fs::read_dir(folder).map_or(0, Iterator::count);
        if files != self.scripts.len() || !self.scripts.iter().all(|one| one.is_in(peer, folder)) {
            let _ = fs::remove_dir_all(folder);
        }
        for script in self.scripts.iter().filter(|script| !script.is_in(peer, folder)) {
            script.write(peer, folder);
        }
    }
}

impl Script {
    fn is_in(&self, peer: Peer, folder: &Path) -> bool {
        let path = folder.join(peer.path(self.number, &self.name));
        fs::read_to_string(path).is_ok_and(|text| text == self.sql)
    }

    /// Writes it as a library wants it.
    pub fn write(&self, peer: Peer, folder: &Path) {
        let path = folder.join(peer.path(self.number, &self.name));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder to write to");
        fs::write(path, &self.sql).expect("a file to write");
    }
}
