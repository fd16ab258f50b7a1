//! Random sets leave and report the same, whether their migrations share transactions or not.

use migrate_runtime::Migrations;
use migrate_tests::both_ways::{Way, difference, left};
use migrate_tests::database::FreshDatabase;
use migrate_tests::proof::dice::Dice;

/// Statements of which each can be a migration after the first, in any order.
const STATEMENTS: [&str; 34] = [
    "CREATE TABLE t{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int REFERENCES base, c text DEFAULT 'x' CHECK (c <> ''))",
    "CREATE TABLE t{n} (LIKE base INCLUDING ALL)",
    "CREATE TABLE t{n} (a int, b date) PARTITION BY RANGE (b); CREATE TABLE t{n}_p PARTITION OF t{n} DEFAULT; \
     CREATE INDEX ON t{n} (a)",
    "CREATE TABLE t{n} () INHERITS (base)",
    "CREATE UNLOGGED TABLE t{n} (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t{n} VALUES (1), (2); \
     UPDATE t{n} SET a = a + 1",
    "CREATE INDEX i{n} ON base (lower(name)) WHERE number > {n}",
    "CREATE UNIQUE INDEX i{n} ON base (id, number); ALTER TABLE base CLUSTER ON i{n}",
    "ALTER TABLE base ADD COLUMN c{n} int NOT NULL DEFAULT {n}",
    "ALTER TABLE base ADD COLUMN c{n} serial",
    "ALTER TABLE base ADD COLUMN c{n} timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE base ADD COLUMN c{n} text; ALTER TABLE base DROP COLUMN c{n}",
    "ALTER TABLE base ADD COLUMN c{n} int; UPDATE base SET c{n} = id; ALTER TABLE base ALTER c{n} TYPE bigint",
    "ALTER TABLE base ADD CONSTRAINT k{n} CHECK (id > 0) NOT VALID; ALTER TABLE base VALIDATE CONSTRAINT k{n}",
    "ALTER TABLE base ADD COLUMN g{n} text GENERATED ALWAYS AS (upper(name)) STORED",
    "CREATE VIEW v{n} AS SELECT id, name, count(*) OVER () AS n FROM base",
    "CREATE MATERIALIZED VIEW m{n} AS SELECT count(*) FROM base; CREATE UNIQUE INDEX ON m{n} (count)",
    "CREATE TYPE e{n} AS ENUM ('a', 'b'); CREATE TABLE t{n} (e e{n} DEFAULT 'b'); INSERT INTO t{n} DEFAULT VALUES",
    "ALTER TYPE mood ADD VALUE 'v{n}'",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'sad{n}'; ALTER TYPE mood RENAME VALUE 'sad{n}' TO 'sad'",
    "CREATE DOMAIN d{n} AS text CHECK (value ~ 'x'); CREATE TABLE t{n} (d d{n}); INSERT INTO t{n} VALUES ('xy')",
    "CREATE FUNCTION f{n}(x int) RETURNS int LANGUAGE sql AS 'SELECT x + {n}'; COMMENT ON FUNCTION f{n} IS 'now'",
    "CREATE TRIGGER g{n} BEFORE INSERT ON base FOR EACH ROW EXECUTE FUNCTION note()",
    "CREATE CONSTRAINT TRIGGER h{n} AFTER INSERT ON base DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()",
    "INSERT INTO base (name) VALUES ('n{n}'), ('o{n}')",
    "INSERT INTO base (name) SELECT name || '{n}' FROM base ORDER BY id; DELETE FROM base WHERE number > 900",
    "UPDATE base SET number = number + 1, name = 'u{n}' WHERE id % 2 = 0",
    "INSERT INTO log SELECT count(*) FROM base; SELECT setval('base_id_seq', (SELECT max(id) + 3 FROM base))",
    "DO $$ BEGIN INSERT INTO log VALUES ({n}); EXCEPTION WHEN unique_violation THEN NULL; END $$",
    "SET search_path = extra, public; CREATE TABLE s{n} (a int)",
    "SET LOCAL search_path = extra; CREATE TABLE l{n} (a int)",
    "CREATE SCHEMA s{n}; CREATE TABLE s{n}.t (a int); ALTER DEFAULT PRIVILEGES IN SCHEMA s{n} GRANT SELECT ON TABLES TO PUBLIC; \
     CREATE TABLE s{n}.u (a int)",
    "TRUNCATE log",
    "CREATE RULE r{n} AS ON DELETE TO log DO ALSO INSERT INTO log VALUES (-{n})",
    "ALTER TABLE base ENABLE ROW LEVEL SECURITY; CREATE POLICY p{n} ON base USING (id > {n}); \
     CREATE STATISTICS x{n} ON id, number FROM base",
];

const FIRST: &str = "CREATE TABLE base (id serial PRIMARY KEY, name text, number int NOT NULL DEFAULT 5); \
    CREATE TABLE log (n bigint); CREATE TYPE mood AS ENUM ('sad'); CREATE SCHEMA extra; \
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \
    $$ BEGIN INSERT INTO log VALUES (new.id); RETURN new; END $$;";

/// What fails, also only at the commit.
const FAILURES: [&str; 7] = [
    "CREATE TABLE fails (a int DEFAULT 'x')",
    "SELEC 1",
    "ALTER TABLE base ADD CONSTRAINT never CHECK (id < 0)",
    "INSERT INTO base (name) VALUES ('drawn'); INSERT INTO base (id) VALUES (NULL)",
    "INSERT INTO base (name) VALUES ('once'); CREATE TABLE base (a int)",
    "CREATE TABLE f (a int REFERENCES base DEFERRABLE INITIALLY DEFERRED); INSERT INTO f VALUES (-7)",
    "DO $$ BEGIN RAISE 'stop'; END $$",
];

/// A set of random statements, with a failing one at a random place if `fails`.
fn random(dice: &mut Dice, length: usize, failure: Option<&str>) -> Migrations {
    let mut files = vec![("000_first.sql".to_owned(), FIRST.to_owned())];
    for n in 1..=length {
        let sql = STATEMENTS[dice.below(STATEMENTS.len())].replace("{n}", &n.to_string());
        files.push((format!("{n:03}_x.sql"), format!("{sql};")));
    }
    if let Some(failure) = failure {
        let at = 1 + dice.below(length);
        files[at].1 = format!("CREATE VIEW before AS SELECT 1;\n{failure};");
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    migrate_tests::sets::unparsed(&files)
}

async fn check_both_ways(set: &Migrations, seed: u64) -> bool {
    let left = async |way| left(FreshDatabase::create().await, set, way, "").await;
    let (shared, apart) = (left(Way::Shared).await, left(Way::Apart).await);
    assert_eq!(shared.error, apart.error, "seed {seed}");
    assert_eq!((&shared.applied, &shared.ledger), (&apart.applied, &apart.ledger), "seed {seed}");
    assert_eq!(shared.events, apart.events, "seed {seed}");
    // What a failed migration has drawn from a sequence of the same transaction is undone with the sequence.
    let has_failed = shared.error.is_some();
    let compared = |dump: &str| {
        let lines =
            dump.lines().filter(|line| !(has_failed && line.contains("pg_catalog.setval(")));
        lines.collect::<Vec<_>>().join("\n")
    };
    let found = difference(&compared(&shared.dump), &compared(&apart.dump));
    assert_eq!(found, None, "seed {seed}: {:?}", shared.error);
    shared.transactions < apart.transactions
}

#[tokio::test]
async fn shared_and_separate_transactions_leave_the_same_schema_and_rows() {
    let mut shared = 0;
    for seed in 0..12 {
        let set = random(&mut Dice::new(seed), 24, None);
        shared += u32::from(check_both_ways(&set, seed).await);
    }
    assert_eq!(shared, 12, "these sets share");
}

#[tokio::test]
async fn set_that_fails_reports_and_keeps_the_same_in_both_ways() {
    for seed in 0..21 {
        let mut dice = Dice::new(100 + seed);
        let failure = FAILURES[usize::try_from(seed).unwrap_or(0) % FAILURES.len()];
        check_both_ways(&random(&mut dice, 12, Some(failure)), seed).await;
    }
}
