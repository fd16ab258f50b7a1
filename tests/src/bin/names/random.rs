//! Random statements over few names, of which the server keeps what it accepts: the check must not refuse
//! a set of these, and the schema without a database must be the server's. What the server refuses for a name
//! shows what the check finds.

use std::collections::BTreeMap;

use migrate_source::check::{SetOptions, SourceFile, check, check_and_describe};
use migrate_tests::database::FreshDatabase;
use migrate_tests::proof::dice::Dice;
use migrate_tests::static_schema::differences;
use tokio_postgres::Client;

/// Statements that are tried for one set.
const STATEMENTS: usize = 24;

/// How many refused sets are shown.
const SHOWN: usize = 20;

/// The SQLSTATEs of names that are missing or doubled, or dropped while they are needed.
const NAMES: [&str; 10] =
    ["42P01", "42703", "42P07", "42701", "42710", "42704", "42883", "3F000", "42P06", "2BP01"];

/// What `{letter}` in a statement stands for, as one of these.
const POOLS: [(char, &[&str]); 11] = [
    ('t', &["t1", "t2", "t3", "\"T4\"", "sc1.t1", "public.t2", "v1"]),
    ('n', &["t1", "t2", "t3", "\"T4\"", "t5", "v1"]),
    ('c', &["a", "b", "c", "d", "\"E\"", "A"]),
    ('y', &["int", "int", "text", "e1", "e2", "d1", "c1", "t1", "numeric(9, 2)", "serial"]),
    ('e', &["e1", "e2", "c1", "d1"]),
    ('i', &["i1", "i2", "t1_a_idx", "t1_pkey", "t2_b_key", "t1_a_b_idx", "t2_a_idx", "t3_a_key"]),
    (
        'k',
        &[
            "k1", "k2", "t1_pkey", "t1_a_check", "t2_b_key", "t1_a_fkey", "t2_a_not_null",
            "t3_a_key",
        ],
    ),
    ('s', &["s1", "s2", "t1_a_seq", "t2_b_seq"]),
    ('v', &["v1", "v2", "m1", "t2"]),
    ('f', &["f1", "f2"]),
    ('g', &["g1", "g2"]),
];

/// The first of a set, so that the others have something to name.
const FIRST: [&str; 2] = [
    "CREATE TABLE t1 (a int PRIMARY KEY, b int, c text)",
    "CREATE TABLE t2 (a int, b int UNIQUE, \"E\" text)",
];

const TEMPLATES: &[&str] = &[
    "CREATE TABLE {n} ({c} {y}, {c} {y})",
    "CREATE TABLE {n} ({c} serial PRIMARY KEY, {c} {y} CHECK ({c} IS NOT NULL))",
    "CREATE TABLE IF NOT EXISTS {n} ({c} {y}, {c} {y})",
    "CREATE TABLE {n} (LIKE {t} INCLUDING ALL, x {y})",
    "CREATE TABLE {n} (x int) INHERITS ({t})",
    "CREATE TABLE {n} ({c} {y}, x int) INHERITS ({t})",
    "CREATE TABLE {n} AS SELECT {c}, {c} AS x FROM {t}",
    "CREATE TABLE {n} AS SELECT * FROM {t}",
    "SELECT * INTO {n} FROM {t}",
    "CREATE TABLE {n} ({c} int, {c} int, FOREIGN KEY ({c}) REFERENCES {t} ({c}))",
    "CREATE TABLE {n} ({c} int REFERENCES {t}, CONSTRAINT {k} UNIQUE ({c}))",
    "CREATE TABLE {n} (a int UNIQUE, b int, CONSTRAINT {k} UNIQUE ({c}), UNIQUE ({c}) INCLUDE ({c}))",
    "CREATE TABLE {n} (a int UNIQUE, b int, CONSTRAINT {k} PRIMARY KEY ({c}), CONSTRAINT {k} UNIQUE (a))",
    "CREATE TABLE {n} (a int UNIQUE, b int CHECK (b > 0), CONSTRAINT {k} CHECK (a > 0), UNIQUE (a, b))",
    "CREATE TABLE {n} (a int, b int, UNIQUE ({c}), EXCLUDE USING btree ({c} WITH =), UNIQUE ({c}) DEFERRABLE)",
    "CREATE TABLE {n} (a int REFERENCES {n}, b int PRIMARY KEY, CONSTRAINT {k} CHECK (b > 0))",
    "CREATE TABLE {n} (LIKE {t} INCLUDING INDEXES, UNIQUE ({c}))",
    "CREATE TABLE {n} (a int UNIQUE DEFERRABLE, CONSTRAINT {k} UNIQUE (a) WITH (fillfactor = 70), UNIQUE (a) DEFERRABLE)",
    "CREATE TABLE t3 (a int, b int, CONSTRAINT t3_a_excl UNIQUE ({c}), EXCLUDE USING btree ({c} WITH =))",
    "CREATE TABLE {n} ({c} int, {c} int) PARTITION BY RANGE ({c})",
    "CREATE TABLE {n} PARTITION OF {t} FOR VALUES FROM (1) TO (2)",
    "CREATE TEMP TABLE {n} ({c} int); INSERT INTO {n} SELECT {c} FROM {t}; DROP TABLE {n}",
    "DROP TABLE {t}",
    "DROP TABLE IF EXISTS {t}, {t} CASCADE",
    "ALTER TABLE {t} RENAME TO {n}",
    "ALTER TABLE {t} RENAME {c} TO {c}",
    "ALTER TABLE {t} RENAME COLUMN {c} TO x",
    "ALTER TABLE {t} RENAME CONSTRAINT {k} TO {k}",
    "ALTER TABLE {t} SET SCHEMA sc1",
    "ALTER TABLE {t} ADD COLUMN {c} {y}",
    "ALTER TABLE {t} ADD COLUMN IF NOT EXISTS {c} {y}, ADD {c} {y}",
    "ALTER TABLE {t} ADD COLUMN {c} int REFERENCES {t}",
    "ALTER TABLE {t} ADD COLUMN {c} int DEFAULT {f}(1), ADD y {e}",
    "ALTER TABLE {t} ALTER {c} SET DEFAULT nextval('{s}'), ALTER {c} TYPE int",
    "ALTER TABLE {t} DROP COLUMN {c}",
    "ALTER TABLE {t} DROP COLUMN IF EXISTS {c} CASCADE, DROP COLUMN IF EXISTS {c}",
    "ALTER TABLE IF EXISTS {t} ALTER COLUMN {c} SET NOT NULL",
    "ALTER TABLE {t} ALTER {c} TYPE text USING {c}::text",
    "ALTER TABLE {t} ALTER {c} SET DEFAULT 1, ALTER {c} DROP NOT NULL",
    "ALTER TABLE {t} ADD CONSTRAINT {k} UNIQUE ({c})",
    "ALTER TABLE {t} ADD UNIQUE ({c})",
    "ALTER TABLE {t} ADD {c} int UNIQUE PRIMARY KEY, ADD CONSTRAINT {k} UNIQUE ({c})",
    "ALTER TABLE {t} ADD UNIQUE ({c}) INCLUDE ({c}), ADD UNIQUE ({c}), ADD EXCLUDE USING btree ({c} WITH =)",
    "ALTER TABLE {t} ADD {c} int UNIQUE CHECK ({c} > 0) REFERENCES {t} ({c})",
    "ALTER TABLE t1 ADD {c} int CONSTRAINT t1_d_check UNIQUE CHECK (d > 0)",
    "ALTER TABLE {t} ADD PRIMARY KEY ({c})",
    "ALTER TABLE {t} ADD CONSTRAINT {k} CHECK ({c} IS NOT NULL OR {c} IS NULL)",
    "ALTER TABLE {t} ADD CHECK ({c} IS NOT NULL)",
    "ALTER TABLE {t} ADD FOREIGN KEY ({c}) REFERENCES {t} ({c})",
    "ALTER TABLE {t} ADD CONSTRAINT {k} FOREIGN KEY ({c}) REFERENCES {t}",
    "ALTER TABLE {t} ADD CONSTRAINT {k} UNIQUE USING INDEX {i}",
    "ALTER TABLE {t} DROP CONSTRAINT {k}",
    "ALTER TABLE {t} DROP CONSTRAINT IF EXISTS {k} CASCADE",
    "ALTER TABLE {t} VALIDATE CONSTRAINT {k}",
    "ALTER TABLE {t} INHERIT {t}",
    "ALTER TABLE {t} NO INHERIT {t}",
    "ALTER TABLE {t} ATTACH PARTITION {t} DEFAULT",
    "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {t} REPLICA IDENTITY USING INDEX {i}",
    "CREATE INDEX ON {t} ({c})",
    "CREATE INDEX ON {t} ({c}, {c}) INCLUDE ({c})",
    "CREATE INDEX ON {t} ({c}, lower('x'), ({c} IS NULL))",
    "CREATE INDEX {i} ON {t} ({c}) WHERE {c} IS NULL",
    "CREATE UNIQUE INDEX IF NOT EXISTS {i} ON {t} (lower({c}::text))",
    "CREATE UNIQUE INDEX {i} ON {t} ({c})",
    "ALTER INDEX {i} RENAME TO {i}",
    "DROP INDEX {i}",
    "DROP INDEX IF EXISTS {i}",
    "CREATE VIEW {v} AS SELECT {c}, {c} AS x FROM {t}",
    "CREATE VIEW {v} AS SELECT * FROM {t}",
    "CREATE OR REPLACE VIEW {v} AS SELECT {c} FROM {t}",
    "CREATE VIEW {v} ({c}, y) AS SELECT o.{c}, p.{c} FROM {t} o JOIN {t} p USING ({c})",
    "CREATE MATERIALIZED VIEW {v} AS SELECT {c} FROM {t}",
    "CREATE RECURSIVE VIEW {v} (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM {v} WHERE n < 5",
    "ALTER VIEW {v} RENAME TO {v}",
    "ALTER VIEW {v} RENAME COLUMN {c} TO {c}",
    "DROP VIEW {v}",
    "DROP VIEW IF EXISTS {v} CASCADE",
    "DROP MATERIALIZED VIEW IF EXISTS {v}",
    "REFRESH MATERIALIZED VIEW {v}",
    "CREATE TYPE {e} AS ENUM ('x', 'y')",
    "CREATE TYPE {e} AS (a int, b text)",
    "CREATE DOMAIN {e} AS int CONSTRAINT {k} CHECK (VALUE > 0)",
    "ALTER TYPE {e} ADD VALUE 'z'",
    "ALTER TYPE {e} ADD VALUE IF NOT EXISTS 'y' AFTER 'x'",
    "ALTER TYPE {e} RENAME VALUE 'x' TO 'w'",
    "ALTER TYPE {e} RENAME TO {e}",
    "ALTER TYPE {e} ADD ATTRIBUTE {c} int",
    "DROP TYPE {e}",
    "DROP TYPE IF EXISTS {e} CASCADE",
    "CREATE SEQUENCE {s}",
    "CREATE SEQUENCE IF NOT EXISTS {s} OWNED BY {t}.{c}",
    "ALTER SEQUENCE {s} RENAME TO {s}",
    "DROP SEQUENCE {s}",
    "SELECT nextval('{s}')",
    "CREATE FUNCTION {f}(p int) RETURNS int LANGUAGE sql AS 'SELECT p + 1'",
    "CREATE OR REPLACE FUNCTION {f}(p {y}) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
    "CREATE FUNCTION {f}() RETURNS SETOF {t} LANGUAGE sql AS 'SELECT * FROM {t}'",
    "CREATE FUNCTION {f}() RETURNS TABLE (x int) LANGUAGE sql AS 'SELECT {c}::int FROM {t}'",
    "CREATE FUNCTION {g}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER {g} BEFORE UPDATE OF {c} ON {t} FOR EACH ROW EXECUTE FUNCTION {g}()",
    "CREATE TRIGGER {g} AFTER INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {g}()",
    "DROP TRIGGER {g} ON {t}",
    "DROP TRIGGER IF EXISTS {g} ON {t}",
    "ALTER TRIGGER {g} ON {t} RENAME TO {g}",
    "DROP FUNCTION {f}(int)",
    "DROP FUNCTION {f}",
    "DROP FUNCTION IF EXISTS {f}, {g}() CASCADE",
    "ALTER FUNCTION {f}(int) RENAME TO {f}",
    "SELECT {f}(1)",
    "SELECT x.{c} FROM {f}() x",
    "CREATE POLICY {g} ON {t} USING ({c} IS NOT NULL)",
    "DROP POLICY {g} ON {t}",
    "ALTER POLICY {g} ON {t} RENAME TO {g}",
    "CREATE SCHEMA sc1",
    "CREATE SCHEMA IF NOT EXISTS sc1",
    "CREATE SCHEMA sc2 CREATE TABLE t1 (a int) CREATE VIEW v1 AS SELECT a FROM t1",
    "DROP SCHEMA sc1",
    "DROP SCHEMA IF EXISTS sc1 CASCADE",
    "ALTER SCHEMA sc1 RENAME TO sc2",
    "COMMENT ON TABLE {t} IS 'x'",
    "COMMENT ON COLUMN {t}.{c} IS 'x'",
    "COMMENT ON INDEX {i} IS 'x'",
    "COMMENT ON CONSTRAINT {k} ON {t} IS 'x'",
    "GRANT SELECT ({c}) ON {t} TO CURRENT_USER",
    "INSERT INTO {t} ({c}, {c}) SELECT NULL, NULL WHERE false",
    "INSERT INTO {t} AS o ({c}) SELECT {c} FROM {t} WHERE false ON CONFLICT ({c}) DO NOTHING",
    "INSERT INTO {t} ({c}) VALUES (1) ON CONFLICT DO NOTHING RETURNING {c}",
    "INSERT INTO {t} DEFAULT VALUES ON CONFLICT ON CONSTRAINT {k} DO NOTHING",
    "UPDATE {t} SET {c} = NULL WHERE {c} IS NULL AND false",
    "UPDATE {t} o SET {c} = NULL FROM {t} p WHERE o.{c} IS NULL AND p.{c} IS NULL AND false",
    "UPDATE {t} SET ({c}, {c}) = (SELECT NULL, NULL) WHERE false",
    "DELETE FROM {t} USING {t} o WHERE o.{c} IS NULL AND false",
    "SELECT {c}, count(*) FROM {t} GROUP BY {c} ORDER BY {c}, 2",
    "SELECT o.{c}, {t}.{c} FROM {t} JOIN {t} o ON true",
    "SELECT o FROM {t} o WHERE o.ctid IS NULL AND o.xmin IS NOT NULL",
    "SELECT (o).{c}, o.* FROM {t} o LEFT JOIN LATERAL (SELECT o.{c} AS z) l ON l.z IS NULL",
    "SELECT z FROM (SELECT {c} AS z FROM {t}) q UNION SELECT {c} FROM {t} ORDER BY z",
    "WITH w AS (SELECT {c} AS z FROM {t}) SELECT w.z, o.{c} FROM w, {t} o",
    "WITH w (q) AS (DELETE FROM {t} WHERE false RETURNING {c}) SELECT q FROM w",
    "SELECT {c} FROM {t} NATURAL JOIN {t} AS o",
    "SELECT {c} FROM {t} WHERE EXISTS (SELECT 1 FROM {t} o WHERE o.{c} IS NULL AND {c} IS NULL)",
    "SELECT sum({c}) OVER w FROM {t} WINDOW w AS (PARTITION BY {c})",
    "SELECT CASE WHEN {c} IS NULL THEN 1 END AS z, ARRAY[{c}] FROM {t} ORDER BY z",
    "SELECT 'x'::{e}, NULL::{y}, CAST(NULL AS {t})",
    "SELECT g, o.x FROM generate_series(1, 2) g, unnest(ARRAY[1]) AS o (x)",
    "MERGE INTO {t} o USING {t} p ON o.{c} IS NULL AND false WHEN MATCHED THEN UPDATE SET {c} = NULL",
    "TRUNCATE {t} CASCADE",
    "LOCK TABLE {t}",
    "CREATE RULE r1 AS ON DELETE TO {t} DO ALSO NOTHING",
    "CREATE STATISTICS st1 ON {c}, {c} FROM {t}",
    "SET search_path = sc1, public; CREATE TABLE {n} ({c} int)",
    "SET LOCAL search_path = sc1; ALTER TABLE {n} ADD {c} int",
    "DO 'BEGIN EXECUTE ''ALTER TABLE t1 ADD COLUMN d int''; END'",
    "DO 'BEGIN CREATE TABLE t5 (a int); EXCEPTION WHEN duplicate_table THEN NULL; END'",
];

/// Tries `count` sets, prints the figures, and whether no set that the server accepts was refused.
pub(crate) async fn run(count: usize, seed: u64) -> bool {
    let (_database, client) = FreshDatabase::connected().await;
    let mut refused: Vec<String> = Vec::new();
    let mut codes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut others: Vec<String> = Vec::new();
    let (mut accepted, mut compared) = (0, 0);
    for number in 0..count {
        let mut dice = Dice::new(seed.wrapping_add(number as u64));
        let Tried { accepted: set, wrong, differences } = set(&client, &mut dice).await;
        accepted += set.len();
        compared += usize::from(differences.is_some());
        let differences = differences.unwrap_or_default();
        if !differences.is_empty() {
            let all = (differences.join("\n"), set.join(";\n"));
            others.push(format!("set {number} has another schema:\n{}\n{};", all.0, all.1));
        }
        if let Err(errors) = check("set", &files(&set, None), &SetOptions::default()) {
            refused.push(format!("set {number}: {errors}\n{};", set.join(";\n")));
        }
        if let Some((at, statement, code)) = wrong {
            let findings =
                check("set", &files(&set[..at], Some(&statement)), &SetOptions::default());
            let (all, found) = codes.entry(code).or_default();
            *all += 1;
            *found += usize::from(findings.is_err());
        }
    }
    for wrong in refused.iter().take(SHOWN).chain(others.iter().take(SHOWN)) {
        println!("{wrong}\n");
    }
    println!(
        "{count} sets, {accepted} statements that the server accepts, {} sets refused",
        refused.len()
    );
    println!("{compared} schemas compared, {} of them are others on the server", others.len());
    for (code, (all, found)) in codes {
        println!("{code}: {found} of {all} found that the server refuses");
    }
    refused.is_empty() && others.is_empty()
}

/// What the server makes of random statements.
struct Tried {
    /// Those that it accepts.
    accepted: Vec<String>,
    /// One that it refuses for a name: how many statements are before it, its text and its SQLSTATE.
    wrong: Option<(usize, String, String)>,
    /// How its schema differs from the one without a database; `None` if parts of that are not known.
    differences: Option<Vec<String>>,
}

async fn set(client: &Client, dice: &mut Dice) -> Tried {
    // One transaction, which is undone: much faster than a database for each set.
    client.batch_execute("BEGIN").await.expect("BEGIN");
    let mut accepted = Vec::new();
    let mut wrong = Vec::new();
    let first = FIRST.iter().map(|sql| (*sql).to_owned());
    let rest = (0..STATEMENTS).map(|_| {
        let statement = filled(TEMPLATES[dice.below(TEMPLATES.len())], dice);
        // In a block the check cannot see whether it runs.
        match dice.below(12) {
            0 => format!("DO $d$ BEGIN IF true THEN {statement}; END IF; END $d$"),
            1 => format!("DO $d$ BEGIN IF false THEN {statement}; END IF; END $d$"),
            _ => statement,
        }
    });
    for statement in first.chain(rest.collect::<Vec<_>>()) {
        let tried = client.batch_execute(&format!("SAVEPOINT s; RESET ALL; {statement}")).await;
        let Err(error) = tried else {
            accepted.push(statement);
            continue;
        };
        let code = error.code().map(|code| code.code().to_owned()).unwrap_or_default();
        if NAMES.contains(&code.as_str()) {
            wrong.push((accepted.len(), statement, code));
        }
        client.batch_execute("ROLLBACK TO s").await.expect("ROLLBACK TO");
    }
    let differences = compared(client, &accepted).await;
    client.batch_execute("ROLLBACK").await.expect("ROLLBACK");
    let wrong = (!wrong.is_empty()).then(|| wrong.swap_remove(dice.below(wrong.len())));
    Tried { accepted, wrong, differences }
}

/// How the schema of the server differs from that of the statements, if all of it is known.
async fn compared(client: &Client, accepted: &[String]) -> Option<Vec<String>> {
    let files = files(accepted, None);
    let (_, schema) = check_and_describe("set", &files, &SetOptions::default()).ok()?;
    if schema.unknown.is_empty() { Some(differences(client, &schema).await) } else { None }
}

/// The template with each `{letter}` replaced by a name of its pool.
fn filled(template: &str, dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (letter, after) = after.split_once('}').expect("a letter");
        let (_, pool) = POOLS.iter().find(|(name, _)| letter.starts_with(*name)).expect("a pool");
        text.push_str(before);
        text.push_str(pool[dice.below(pool.len())]);
        rest = after;
    }
    text + rest
}

/// A file for each statement.
fn files(accepted: &[String], last: Option<&String>) -> Vec<SourceFile> {
    let file = |(number, sql): (usize, &String)| {
        SourceFile::new(format!("{:04}_s.sql", number + 1), format!("{sql};\n"))
    };
    accepted.iter().chain(last).enumerate().map(file).collect()
}
