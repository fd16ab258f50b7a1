//! The sets of the proofs, in which every migration records that it ran, and what a database has to
//! contain afterwards. A transactional migration counts itself in the table `ran`; a non-transactional
//! one inserts a row into `marks`, which has no unique constraint, for each of its plain statements.

use std::fmt::Write as _;

use migrate_runtime::Migrations;

use crate::sets;

/// Files, and what they leave behind.
#[derive(Debug, Clone)]
pub struct Script {
    files: Vec<(String, String)>,
    /// Versions in order, as in the ledger.
    pub versions: Vec<String>,
    /// Versions that count themselves in `ran`.
    pub counted: Vec<String>,
    /// `version mark` of every row in `marks`.
    pub marks: Vec<String>,
}

/// Which of the two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// 60 migrations, half of them non-transactional, with sleeps for faults to hit.
    Chaos,
    /// 80 migrations, all but two of them transactional and short. The last one fails if the session is
    /// called [`DOOMED`].
    Failover,
}

/// The `application_name` whose run of [`Name::Failover`] ends with an error without any fault.
pub const DOOMED: &str = "doomed";

const BASE: &str = "CREATE TABLE ran (migration text PRIMARY KEY, n int NOT NULL);
CREATE TABLE marks (migration text NOT NULL, mark text NOT NULL);
CREATE TABLE items (id int PRIMARY KEY, v bigint NOT NULL, label text NOT NULL);
INSERT INTO items SELECT i, i, 'item ' || i FROM generate_series(1, 60) i;
CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  PERFORM pg_catalog.pg_sleep(0.001);
  RETURN i;
END $$;
";

impl Script {
    /// The script of this name.
    pub fn new(name: Name) -> Script {
        let (files, versions, counted, marks) = (vec![], vec![], vec![], vec![]);
        let mut script = Script { files, versions, counted, marks };
        script.transactional("base", BASE);
        match name {
            Name::Chaos => (2..=60).for_each(|n| script.chaos(n)),
            Name::Failover => (2..=80).for_each(|n| script.failover(n)),
        }
        script
    }

    /// The checked set.
    ///
    /// # Panics
    ///
    /// Never: the files are well formed.
    pub fn set(&self) -> Migrations {
        let files: Vec<(&str, &str)> =
            self.files.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).collect();
        sets::set(&files)
    }

    fn chaos(&mut self, n: usize) {
        // Migration n + 5 changes or drops what migration n creates.
        let before = n.saturating_sub(5);
        match n % 10 {
            0 => self.concurrent(&[create("", n, "(slow(id))")]),
            2 => self.concurrent(&[create("UNIQUE ", n, "(slow(id), v)")]),
            5 if n == 5 => {
                self.concurrent(&["REINDEX INDEX CONCURRENTLY items_pkey;\n".to_owned()]);
            }
            5 => self.concurrent(&[format!("REINDEX INDEX CONCURRENTLY items_{before:04};\n")]),
            7 => self.concurrent(&[format!("DROP INDEX CONCURRENTLY items_{before:04};\n")]),
            9 => {
                self.concurrent(&[create("", n, "(v)"), create("UNIQUE ", n + 1000, "(id, v)")]);
            }
            1 => self.transactional(
                "block",
                &format!(
                    "DO $$ BEGIN\n  EXECUTE 'CREATE TABLE t_{n:04} (id int PRIMARY KEY)';\n  \
                 PERFORM pg_sleep(0.02);\nEND $$;\n"
                ),
            ),
            3 => self.transactional("data", &format!("UPDATE items SET v = v * 3 + {n};\n")),
            4 => self.transactional(
                "column",
                &format!(
                    "ALTER TABLE items ADD COLUMN c_{n:04} int NOT NULL DEFAULT {n};\n\
                 CREATE VIEW v_{n:04} AS SELECT id, c_{n:04} FROM items;\nSELECT pg_sleep(0.01);\n"
                ),
            ),
            6 => self.transactional(
                "table",
                &format!(
                    "CREATE TABLE t_{n:04} (id int PRIMARY KEY REFERENCES items, twice bigint);\n\
                 SELECT pg_sleep(0.02);\nINSERT INTO t_{n:04} SELECT id, v * 2 FROM items;\n"
                ),
            ),
            _ => self.transactional(
                "function",
                &format!(
                    "CREATE FUNCTION f_{n:04}() RETURNS int LANGUAGE sql AS 'SELECT {n}';\n\
                 SELECT pg_sleep(0.01);\n"
                ),
            ),
        }
    }

    fn failover(&mut self, n: usize) {
        if n == 25 || n == 50 {
            return self.concurrent(&[create("", n, "(slow(id))")]);
        }
        let mut sql = format!(
            "CREATE TABLE t_{n:04} (id int PRIMARY KEY, filler text);\n\
             INSERT INTO t_{n:04} SELECT i, repeat('x', 200) FROM generate_series(1, 50) i;\n"
        );
        if n.is_multiple_of(4) {
            sql.push_str("SELECT pg_sleep(0.004);\n");
        }
        if n == 80 {
            let _ = write!(
                sql,
                "DO $$ BEGIN\n  PERFORM pg_sleep(0.004);\n  IF current_setting('application_name') = \
                 '{DOOMED}' THEN RAISE EXCEPTION 'doomed'; END IF;\nEND $$;\n"
            );
        }
        self.transactional("table", &sql);
    }

    /// Adds a migration that counts itself in its own transaction.
    fn transactional(&mut self, slug: &str, sql: &str) {
        let version = self.next();
        let count = format!(
            "INSERT INTO ran AS r VALUES ('{version}', 1) \
             ON CONFLICT (migration) DO UPDATE SET n = r.n + 1;\n"
        );
        self.files.push((format!("{version}_{slug}.sql"), format!("{sql}{count}")));
        self.counted.push(version.clone());
        self.versions.push(version);
    }

    /// Adds a non-transactional migration: a mark and a sleep around each of the statements.
    fn concurrent(&mut self, statements: &[String]) {
        let version = self.next();
        let mut sql = "-- migrate:no-transaction\n".to_owned();
        for mark in 0..=statements.len() {
            let statement = statements.get(mark).map_or("", String::as_str);
            let _ = write!(
                sql,
                "INSERT INTO marks VALUES ('{version}', '{mark}');\nSELECT pg_sleep(0.01);\n{statement}"
            );
            self.marks.push(format!("{version} {mark}"));
        }
        self.files.push((format!("{version}_concurrent.sql"), sql));
        self.versions.push(version);
    }

    fn next(&self) -> String {
        format!("{:04}", self.files.len() + 1)
    }
}

fn create(unique: &str, n: usize, columns: &str) -> String {
    format!("CREATE {unique}INDEX CONCURRENTLY items_{n:04} ON items {columns};\n")
}
