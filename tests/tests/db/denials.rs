//! Statements of a migration that are denied something: their errors name the GRANT, and it is enough.

use migrate_tests::role::{Denied, denied_all};

const NONE: [&str; 0] = [];

/// The help of a GRANT.
macro_rules! grant {
    ($grant:literal) => {
        concat!("GRANT ", $grant, " TO {role}, or migrate as the owner")
    };
}

#[tokio::test]
async fn denied_tables_are_named() {
    let t = "permission denied for table t";
    let cases: &[Denied] = &[
        ("INSERT INTO theirs.t VALUES (1);", "", t, grant!("INSERT ON TABLE theirs.t")),
        ("SELECT * FROM theirs.t;", "", t, grant!("SELECT ON TABLE theirs.t")),
        ("UPDATE theirs.t SET id = 2;", "", t, grant!("SELECT, UPDATE ON TABLE theirs.t")),
        ("DELETE FROM theirs.t WHERE id = 1;", "", t, grant!("SELECT, DELETE ON TABLE theirs.t")),
        ("TRUNCATE theirs.t;", "", t, grant!("TRUNCATE ON TABLE theirs.t")),
        (
            "CREATE TABLE own.r (t int REFERENCES theirs.t);",
            "",
            t,
            grant!("SELECT, REFERENCES ON TABLE theirs.t"),
        ),
        ("LOCK TABLE theirs.t;", "", t, grant!("UPDATE ON TABLE theirs.t")),
        (
            "SELECT * FROM theirs.\"Odd; \"\"t\";",
            "",
            "permission denied for table Odd; \"t",
            grant!("SELECT ON TABLE theirs.\"Odd; \"\"t\""),
        ),
        (
            "SELECT * FROM theirs.v;",
            "",
            "permission denied for view v",
            grant!("SELECT ON TABLE theirs.v"),
        ),
    ];
    assert_eq!(denied_all(cases).await, NONE);
}

#[tokio::test]
async fn denied_tables_inside_other_statements_are_named() {
    let t = "permission denied for table t";
    let select = grant!("SELECT ON TABLE theirs.t");
    let cases: &[Denied] = &[
        (
            "CREATE VIEW own.v AS SELECT * FROM theirs.t; SELECT * FROM own.v;",
            "SELECT * FROM own.v",
            t,
            select,
        ),
        ("CREATE TABLE own.c AS SELECT * FROM theirs.t;", "", t, select),
        ("CREATE MATERIALIZED VIEW own.m AS SELECT * FROM theirs.t;", "", t, select),
        ("INSERT INTO own.a SELECT id FROM theirs.t;", "", t, select),
        ("UPDATE own.a SET id = t.id FROM theirs.t;", "", t, select),
        (
            "WITH x AS (SELECT 1 AS id) INSERT INTO theirs.t SELECT id FROM x;",
            "",
            t,
            grant!("INSERT ON TABLE theirs.t"),
        ),
        (
            "/* first */ INSERT INTO theirs.t VALUES (1);",
            "INSERT INTO theirs.t VALUES (1)",
            t,
            grant!("INSERT ON TABLE theirs.t"),
        ),
        (
            "INSERT INTO theirs.t VALUES (1) RETURNING id;",
            "",
            t,
            grant!("SELECT, INSERT ON TABLE theirs.t"),
        ),
    ];
    assert_eq!(denied_all(cases).await, NONE);
}

#[tokio::test]
async fn denied_sequences_and_functions_are_named() {
    let cases: &[Denied] = &[
        (
            "SELECT nextval('theirs.s');",
            "",
            "permission denied for sequence s",
            grant!("USAGE ON SEQUENCE theirs.s"),
        ),
        (
            "SELECT theirs.f(1);",
            "",
            "permission denied for function f",
            grant!("EXECUTE ON FUNCTION theirs.f"),
        ),
        (
            "CALL theirs.p();",
            "",
            "permission denied for procedure p",
            grant!("EXECUTE ON PROCEDURE theirs.p"),
        ),
    ];
    assert_eq!(denied_all(cases).await, NONE);
}

#[tokio::test]
async fn denied_schemas_of_odd_names_are_named() {
    let cases: &[Denied] = &[(
        "CREATE TABLE \"Odd; \"\"s\".t (id int);",
        "\"Odd; \"\"s\"",
        "permission denied for schema Odd; \"s",
        grant!("USAGE, CREATE ON SCHEMA \"Odd; \"\"s\""),
    )];
    assert_eq!(denied_all(cases).await, NONE);
}
