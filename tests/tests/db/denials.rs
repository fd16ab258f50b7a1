//! Statements of a migration that are denied something: their errors name the GRANT, and it is enough.

use migrate_runtime::Migrator;
use migrate_tests::role::{Denied, SmallRole, after_a_table, denied_all};

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

/// The same error in another language, which a server without that language raises here itself.
macro_rules! raised {
    ($message:literal) => {
        concat!("DO $$ BEGIN RAISE '", $message, "' USING ERRCODE = '42501'; END $$;")
    };
}

#[tokio::test]
async fn denied_objects_are_named_in_any_language() {
    let mut at = SmallRole::create().await;
    at.prepare(
        "GRANT USAGE ON SCHEMA theirs TO {role}; CREATE TABLE theirs.t (id int); CREATE SEQUENCE theirs.s; \
         CREATE FUNCTION theirs.f(a int) RETURNS int LANGUAGE sql AS 'SELECT a'; \
         REVOKE ALL ON FUNCTION theirs.f(int) FROM PUBLIC; CREATE SCHEMA hidden",
    )
    .await;
    for (sql, help) in [
        (raised!("keine Berechtigung für Tabelle t"), grant!("SELECT ON TABLE theirs.t")),
        (raised!("droit refusé pour la table t"), grant!("SELECT ON TABLE theirs.t")),
        (raised!("テーブル t へのアクセスが拒否されました"), grant!("SELECT ON TABLE theirs.t")),
        (raised!("წვდომა აკრძალულია ცხრილზე: \"t\""), grant!("SELECT ON TABLE theirs.t")),
        (raised!("对表 t 权限不够"), grant!("SELECT ON TABLE theirs.t")),
        (raised!("permiso denegado al esquema hidden"), grant!("USAGE ON SCHEMA hidden")),
        (raised!("нет доступа к функции f"), grant!("EXECUTE ON FUNCTION theirs.f")),
        (raised!("permesso negato per la sequenza s"), grant!("USAGE ON SEQUENCE theirs.s")),
        (raised!("keine Berechtigung für Tabelle u"), OWNER),
        (raised!("must be owner of table t"), OWNER),
    ] {
        let set = after_a_table(sql);
        let error = at.refused(&Migrator::new(&set).schema("own")).await;
        assert!(error.ends_with(&format!("\nhelp: {help}")), "{error}");
        at.client
            .batch_execute("DROP TABLE own.a; DROP TABLE own.migration_ledger")
            .await
            .expect("nothing");
    }
}

const OWNER: &str = "grant the role the privilege, or migrate as the owner";
