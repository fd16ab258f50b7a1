//! Locks and scans: the lints report what a server takes long for under a lock, and what they recommend works there.

use migrate_tests::database::{FreshDatabase, value};
use tokio_postgres::Client;

/// A partitioned table with rows in its partition, and a table that it can refer to.
const PARTITIONED: &str =
    "CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 9);
    CREATE TABLE p (a int NOT NULL, b int) PARTITION BY RANGE (a);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
    INSERT INTO p SELECT g, g FROM generate_series(1, 9) g";

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
