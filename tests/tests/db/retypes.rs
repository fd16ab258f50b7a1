//! Changes of a column's type: the lint reports those that rewrite the table on a server, and no others.

use migrate_source::check::{Lints, SetOptions, SourceFile, check};
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
        let files = [("1_t.sql", create), ("2_t.sql", alter)];
        let files = files.map(|(path, sql)| SourceFile::new(path, format!("{sql};\n")));
        let options = SetOptions { lints: Lints::Deny, ..SetOptions::default() };
        let found = check("m", &files, &options).err().map(|errors| errors.0).unwrap_or_default();
        assert_eq!(!found.is_empty(), rewrites, "{old} to {new}: {found:?}");
    }
}
