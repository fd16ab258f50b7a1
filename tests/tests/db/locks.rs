//! Locks and scans: the lints report what a server takes long for under a lock, and what they recommend works there.

use migrate_source::check::{Lints, Objects, SetOptions, SourceFile, check};
use migrate_tests::database::{FreshDatabase, value};
use tokio_postgres::Client;

/// A partitioned table with rows in its partition, and a table that it can refer to.
const PARTITIONED: &str =
    "CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 9);
    CREATE TABLE p (a int NOT NULL, b int) PARTITION BY RANGE (a);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
    INSERT INTO p SELECT g, g FROM generate_series(1, 9) g";

/// Tables with rows for the statements below.
const TABLES: &str = "CREATE DOMAIN narrow AS int CHECK (VALUE > 0); CREATE DOMAIN wide AS int;
    CREATE TABLE t (id int PRIMARY KEY, n narrow, w wide); INSERT INTO t SELECT g, g, g FROM generate_series(1, 9) g;
    CREATE TABLE p (a int NOT NULL) PARTITION BY RANGE (a);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1);
    CREATE TABLE q (a int NOT NULL, CHECK (a >= 10 AND a < 20)); INSERT INTO q VALUES (10);
    CREATE TABLE r (a int NOT NULL); INSERT INTO r VALUES (20);
    CREATE TABLE d (a int NOT NULL) PARTITION BY RANGE (a); CREATE TABLE d0 PARTITION OF d DEFAULT;
    INSERT INTO d VALUES (99);
    CREATE TABLE e (a int NOT NULL) PARTITION BY RANGE (a); CREATE TABLE e0 PARTITION OF e DEFAULT;
    ALTER TABLE e0 ADD CHECK (a >= 10); INSERT INTO e VALUES (99);
    CREATE SEQUENCE numbers; SELECT nextval('numbers');
    CREATE FUNCTION fresh() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN random(); END';
    CREATE FUNCTION fresh_sql() RETURNS text LANGUAGE sql AS 'SELECT random()::text';
    CREATE FUNCTION same() RETURNS text STABLE LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
    CREATE FUNCTION same_sql() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''random()'' ';
    CREATE FUNCTION later() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'; ALTER FUNCTION later() IMMUTABLE";

/// Statements, some of which go through all rows of a table.
const STATEMENTS: &[&str] = &[
    "ALTER TABLE t SET UNLOGGED",
    "ALTER TABLE t SET (fillfactor = 70)",
    "ALTER TABLE t CLUSTER ON t_pkey",
    "CLUSTER t USING t_pkey",
    "REINDEX TABLE t",
    "REINDEX INDEX t_pkey",
    "ALTER TABLE t ADD EXCLUDE (id WITH =)",
    "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (10) TO (20)",
    "ALTER TABLE p ATTACH PARTITION r FOR VALUES FROM (20) TO (30)",
    "ALTER TABLE p DETACH PARTITION p1",
    "ALTER TABLE d ATTACH PARTITION q FOR VALUES FROM (10) TO (20)",
    "CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (0) TO (10)",
    "CREATE TABLE e1 PARTITION OF e FOR VALUES FROM (0) TO (10)",
    "ALTER DOMAIN wide ADD CHECK (VALUE > 0)",
    "ALTER DOMAIN wide ADD CHECK (VALUE > 0) NOT VALID",
    "ALTER DOMAIN wide SET NOT NULL",
    "ALTER DOMAIN wide SET DEFAULT 1",
    "ALTER TABLE t ADD a narrow",
    "ALTER TABLE t ADD a wide",
    "ALTER TABLE t ADD a narrow[]",
    "ALTER TABLE t ALTER w DROP NOT NULL",
    "ALTER TABLE t ADD a bigint DEFAULT currval('numbers')",
    "ALTER TABLE t ADD a text DEFAULT fresh()",
    "ALTER TABLE t ADD a text NOT NULL DEFAULT 'x' || public.fresh()",
    "ALTER TABLE t ADD a text DEFAULT fresh_sql()",
    "ALTER TABLE t ADD a text DEFAULT same()",
    "ALTER TABLE t ADD a text DEFAULT same_sql()",
    "ALTER TABLE t ADD a int DEFAULT later()",
    "ALTER TABLE t ADD a text; ALTER TABLE t ALTER a SET DEFAULT fresh()",
];

/// How many rows of the tables this transaction has read, and the files of those and of their indexes.
const WORK: &str = "SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables) || ' ' || \
    (SELECT string_agg(pg_relation_filenode(oid)::text, ' ' ORDER BY oid) FROM pg_class WHERE relname ~ '^(.|t_pkey)$')";

/// Whether each statement goes through rows on the server, and whether the lints report it, must be the same.
#[tokio::test]
async fn the_lint_reports_what_a_server_goes_through_under_a_lock() {
    let (_database, client) = FreshDatabase::connected().await;
    client.batch_execute(TABLES).await.expect("the tables");
    for statement in STATEMENTS {
        client.batch_execute("BEGIN").await.expect("BEGIN");
        let before = value(&client, WORK).await;
        client.batch_execute(statement).await.expect(statement);
        let works = value(&client, WORK).await != before;
        client.batch_execute("ROLLBACK").await.expect("ROLLBACK");
        let files = [("1_t.sql", TABLES), ("2_t.sql", statement)];
        let files = files.map(|(path, sql)| SourceFile::new(path, format!("{sql};\n")));
        let options =
            SetOptions { lints: Lints::Deny, objects: Objects::Off, ..SetOptions::default() };
        let found = check("m", &files, &options).err();
        assert_eq!(found.is_some(), works, "{statement}: {found:?}");
    }
}

/// How many rows this transaction has read of a table.
async fn reads(client: &Client, table: &str) -> u32 {
    let read = format!(
        "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::text FROM pg_stat_xact_user_tables WHERE relname = '{table}'"
    );
    value(client, &read).await.parse().expect("a number")
}

/// The help of `INDEX_OF_PARTITIONED`, `UNIQUE_OF_PARTITIONED` and `FOREIGN_KEY_OF_PARTITIONED`.
#[tokio::test]
async fn what_helps_on_a_partitioned_table_works_there() {
    let (_database, client) = FreshDatabase::connected().await;
    let run = async |statement: &str| client.batch_execute(statement).await.expect(statement);
    run(PARTITIONED).await;
    run("CREATE UNIQUE INDEX i ON p (a)").await;
    for refused in [
        "CREATE INDEX CONCURRENTLY ON p (b)",
        "ALTER TABLE p ADD CONSTRAINT k UNIQUE USING INDEX i",
    ] {
        client.batch_execute(refused).await.expect_err(refused);
    }
    for step in [
        "CREATE INDEX p_b ON ONLY p (b)",
        "CREATE INDEX CONCURRENTLY p1_b ON p1 (b)",
        "ALTER INDEX p_b ATTACH PARTITION p1_b",
        "ALTER TABLE ONLY p ADD CONSTRAINT p_key PRIMARY KEY (a)",
        "CREATE UNIQUE INDEX CONCURRENTLY p1_i ON p1 (a)",
        "ALTER TABLE p1 ADD CONSTRAINT p1_key PRIMARY KEY USING INDEX p1_i",
        "ALTER INDEX p_key ATTACH PARTITION p1_key",
        "ALTER TABLE p1 ADD CONSTRAINT p1_b FOREIGN KEY (b) REFERENCES u NOT VALID",
        "ALTER TABLE p1 VALIDATE CONSTRAINT p1_b",
    ] {
        run(step).await;
    }
    let invalid = "SELECT count(*)::text FROM pg_index WHERE NOT indisvalid";
    assert_eq!(value(&client, invalid).await, "0");
    run("BEGIN; SELECT FROM p1").await;
    let before = reads(&client, "p1").await;
    run("ALTER TABLE p ADD CONSTRAINT p_b FOREIGN KEY (b) REFERENCES u").await;
    assert_eq!(reads(&client, "p1").await, before, "the key of the partition is taken over");
    run("COMMIT").await;
    let keys = "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' \
                AND convalidated AND conrelid IN ('p'::regclass, 'p1'::regclass)";
    assert_eq!(value(&client, keys).await, "p1_b p_b");
}
