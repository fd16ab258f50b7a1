//! The sets of the cases: versions, names and SQL, in no tool's spelling.
//! [`crate::peer::Peer::write`] spells them; nothing here knows a peer.

/// Whether a migration runs in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does, as by default.
    Transactional,
    /// It does not, if the tool has an option for it.
    NonTransactional,
}

/// One migration.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its version.
    pub version: u32,
    /// Its description.
    pub name: String,
    /// Its up script.
    pub sql: String,
    /// Whether it runs in a transaction.
    pub mode: Mode,
}

impl Script {
    /// A transactional migration.
    pub fn new(version: u32, name: &str, sql: impl Into<String>) -> Script {
        Script { version, name: name.to_owned(), sql: sql.into(), mode: Mode::Transactional }
    }
}

/// How many migrations [`small`] gives.
pub const SMALL: usize = 30;

/// Small migrations of which each says in the table `runs` that it ran: every other one creates a table
/// as well, the others could run twice without an error.
pub fn small() -> Vec<Script> {
    let script = |n| {
        let insert = format!("INSERT INTO runs VALUES ({n});\n");
        match n {
            1 => Script::new(1, "runs", format!("CREATE TABLE runs (n int);\n{insert}")),
            n if n % 2 == 0 => {
                Script::new(n, "table", format!("CREATE TABLE t{n} (id int);\n{insert}"))
            }
            n => Script::new(n, "data", insert),
        }
    };
    (1..=u32::try_from(SMALL).expect("a small number")).map(script).collect()
}

/// A set with `CREATE INDEX CONCURRENTLY` on a filled table in its middle.
pub fn concurrently() -> Vec<Script> {
    let fill = "CREATE TABLE items (id int, name text);\n\
                INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 20000) n;\n";
    let index = "CREATE INDEX CONCURRENTLY items_by_name ON items (name);\n";
    vec![
        Script::new(1, "fill", fill),
        Script::new(2, "before", "CREATE TABLE before (id int);\n"),
        Script { mode: Mode::NonTransactional, ..Script::new(3, "index", index) },
        Script::new(4, "after", "CREATE TABLE after (id int);\n"),
        Script::new(5, "data", "INSERT INTO after VALUES (1);\n"),
    ]
}

/// A set whose unique index, built concurrently, cannot be built before [`FIX`] has run.
pub fn duplicates() -> Vec<Script> {
    let fill = "CREATE TABLE items (id int);\nINSERT INTO items VALUES (1), (1);\n";
    let index = "CREATE UNIQUE INDEX CONCURRENTLY items_by_id ON items (id);\n";
    vec![
        Script::new(1, "fill", fill),
        Script { mode: Mode::NonTransactional, ..Script::new(2, "index", index) },
        Script::new(3, "after", "CREATE TABLE after (id int);\n"),
    ]
}

/// What an operator does about [`duplicates`].
pub const FIX: &str = "TRUNCATE items; INSERT INTO items VALUES (1)";

/// Three ordinary migrations.
pub fn plain() -> Vec<Script> {
    vec![
        Script::new(1, "users", "CREATE TABLE users (id int,\n    name text);\n"),
        Script::new(2, "posts", "CREATE TABLE posts (id int);\nCREATE INDEX ON posts (id);\n"),
        Script::new(3, "tags", "CREATE TABLE tags (id int);\n"),
    ]
}
