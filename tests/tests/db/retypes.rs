//! Changes of a column's type: the lint reports those that rewrite the table on a server, and no others.

use migrate_source::check::{Lints, SetOptions, SourceError, SourceFile, check};
use migrate_tests::database::{FreshDatabase, value};

/// An old and a new type.
const PAIRS: &[(&str, &str)] = &[
    ("varchar(10)", "varchar(20)"),
    ("varchar(20)", "varchar(10)"),
    ("varchar(10)", "varchar"),
    ("varchar(10)", "text"),
    ("text", "varchar"),
    ("text", "varchar(10)"),
    ("char(3)", "text"),
    ("char(3)", "char(5)"),
    ("text", "char(3)"),
    ("varchar(3)", "char(3)"),
    ("numeric(10,2)", "numeric(12,2)"),
    ("numeric(10,2)", "numeric(12,4)"),
    ("numeric(10,2)", "numeric"),
    ("numeric", "numeric(10)"),
    ("numeric(5)", "numeric(6,0)"),
    ("int", "bigint"),
    ("bigint", "int"),
    ("integer", "int4"),
    ("bigint", "text"),
    ("real", "double precision"),
    ("timestamp(3)", "timestamp"),
    ("timestamp", "timestamp(3)"),
    ("timestamp", "timestamp(6)"),
    ("timestamptz(3)", "timestamp(6) with time zone"),
    ("time(2)", "time(4)"),
    ("varbit(4)", "bit varying(8)"),
    ("varbit(8)", "bit varying(4)"),
    ("bit(4)", "bit(8)"),
    ("cidr", "inet"),
    ("xml", "text"),
    ("int[]", "bigint[]"),
];

/// What else hangs on the column `a varchar(10)` of `t (a, b)`, and a change of it that keeps the rows.
const READS: &[(&str, &str)] = &[
    ("CREATE INDEX i ON t (a)", "ALTER a TYPE varchar(20)"),
    ("CREATE INDEX i ON t (lower(a))", "ALTER a TYPE varchar(20)"),
    ("CREATE INDEX i ON t (b) WHERE a <> ''", "ALTER a TYPE text"),
    ("CREATE INDEX i ON t (b) WHERE b > 0", "ALTER a TYPE text"),
    ("ALTER TABLE t ADD CHECK (a <> '')", "ALTER a TYPE varchar(20)"),
    ("ALTER TABLE t ADD CHECK (b > 0)", "ALTER a TYPE varchar(20)"),
    ("ALTER TABLE t ADD CONSTRAINT c CHECK (a <> '')", "ALTER a TYPE text, DROP CONSTRAINT c"),
    ("ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL)", "ALTER a SET NOT NULL"),
    (
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL)",
        "ALTER a SET NOT NULL, DROP CONSTRAINT c",
    ),
    (
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL)",
        "DROP CONSTRAINT c, ALTER a SET NOT NULL",
    ),
];

/// What the build finds in the second of two files.
fn findings([create, alter]: [String; 2]) -> Vec<SourceError> {
    let files = [("1_t.sql", create), ("2_t.sql", alter)];
    let files = files.map(|(path, sql)| SourceFile::new(path, format!("{sql};\n")));
    let options = SetOptions { lints: Lints::Deny, ..SetOptions::default() };
    check("m", &files, &options).err().map(|errors| errors.0).unwrap_or_default()
}

#[tokio::test]
async fn the_lint_reports_what_rewrites_the_table() {
    let (_database, client) = FreshDatabase::connected().await;
    let file = "SELECT pg_relation_filenode('t')";
    for (old, new) in PAIRS {
        let (create, alter) =
            (format!("CREATE TABLE t (a {old})"), format!("ALTER TABLE t ALTER a TYPE {new}"));
        // An explicit cast is the same to the server and to the lint.
        let alter = format!("{alter} USING a::{new}");
        client.batch_execute(&create).await.expect(&create);
        let before = value(&client, file).await;
        client.batch_execute(&alter).await.expect(&alter);
        let rewrites = value(&client, file).await != before;
        client.batch_execute("DROP TABLE t").await.expect("DROP TABLE");
        let found = findings([create, alter]);
        assert_eq!(!found.is_empty(), rewrites, "{old} to {new}: {found:?}");
    }
}

#[tokio::test]
async fn the_lint_reports_what_reads_the_rows() {
    let (_database, client) = FreshDatabase::connected().await;
    let read = "SELECT coalesce(sum(seq_tup_read), 0)::text FROM pg_stat_xact_user_tables WHERE relname = 't'";
    for (about, change) in READS {
        let create = format!("CREATE TABLE t (a varchar(10), b int); {about}");
        let alter = format!("ALTER TABLE t {change}");
        client.batch_execute(&create).await.expect(&create);
        client.batch_execute("INSERT INTO t VALUES ('a', 1); BEGIN").await.expect("BEGIN");
        let before = value(&client, read).await;
        client.batch_execute(&alter).await.expect(&alter);
        let reads = value(&client, read).await != before;
        client.batch_execute("COMMIT; DROP TABLE t").await.expect("DROP TABLE");
        let found = findings([create, alter]);
        assert_eq!(!found.is_empty(), reads, "{about}, {change}: {found:?}");
    }
}
