//! What a migration sets in its session stays in that migration.

use migrate_runtime::Migrator;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;

#[tokio::test]
async fn settings_reach_neither_the_ledger_nor_the_next_migration_nor_the_caller() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let role = format!("role_{}", database.name());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}; CREATE SCHEMA other; \
             SET work_mem = '7MB'; SET search_path = public, other"
        ))
        .await
        .expect("a role");
    let role_sql = format!("SET ROLE {role}; CREATE TABLE by_role (id int);");
    let authorization = format!("SET SESSION AUTHORIZATION {role}; CREATE TABLE by_user (id int);");
    let set = set(&[
        (
            "1_dump.sql",
            "SET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\nSET client_min_messages = warning;\nCREATE TABLE public.dumped (id int);",
        ),
        (
            "2_path.sql",
            "CREATE TABLE first_in_path (id int); SET search_path = other; CREATE TABLE in_other (id int);",
        ),
        ("3_role.sql", &role_sql),
        ("4_authorization.sql", &authorization),
        ("5_read_only.sql", "SET default_transaction_read_only = on; SET work_mem = '9MB';"),
        ("6_block.sql", "DO $$ BEGIN PERFORM set_config('search_path', 'other', false); END $$;"),
        ("7_local.sql", "SET LOCAL work_mem = '11MB'; CREATE TABLE last_in_path (id int);"),
        (
            "8_vacuum.sql",
            "-- migrate:no-transaction\nSET search_path = other;\nSET work_mem = '13MB';\nVACUUM in_other;",
        ),
        ("9_end.sql", "CREATE TABLE at_the_end (id int);"),
    ]);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 9);
    let places = "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename) FROM pg_tables \
                  WHERE schemaname IN ('public', 'other') AND tablename <> 'migration_ledger'";
    assert_eq!(
        value(&client, places).await,
        "public.at_the_end public.by_role public.by_user public.dumped public.first_in_path \
         other.in_other public.last_in_path"
    );
    let settings = "SELECT concat_ws('; ', current_setting('search_path'), current_setting('work_mem'), \
                    current_setting('default_transaction_read_only'), current_setting('client_min_messages'), \
                    current_user = session_user, current_setting('synchronous_commit'))";
    assert_eq!(value(&client, settings).await, "public, other; 7MB; off; notice; t; on");
    client
        .batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .expect("the role goes");
}

#[tokio::test]
async fn callers_role_and_isolation_level_are_kept() {
    let database = FreshDatabase::create().await;
    let mut client = database.connect().await;
    let role = format!("role_{}", database.name());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}; SET ROLE {role}; \
             SET default_transaction_isolation = 'serializable'"
        ))
        .await
        .expect("a role");
    let set = set(&[
        ("1_a.sql", "SET work_mem = '9MB'; CREATE TABLE a (id int);"),
        ("2_b.sql", "RESET ROLE; SET search_path = '';"),
    ]);
    Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let now = "SELECT current_user || ' ' || current_setting('default_transaction_isolation')";
    assert_eq!(value(&client, now).await, format!("{role} serializable"));
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'migration_ledger'";
    assert_eq!(value(&client, owner).await, role);
    client
        .batch_execute(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}"))
        .await
        .expect("the role goes");
}

#[tokio::test]
async fn backslashes_are_read_as_the_build_read_them() {
    let files = [
        // Read with escapes, the quote behind the backslash would not end the string.
        (
            "1_a.sql",
            "CREATE TABLE s (n serial, v text); INSERT INTO s (v) VALUES ('a\\'), ('b\\\\');",
        ),
        ("2_b.sql", "INSERT INTO s (v) VALUES ('c\\nd');"),
        ("3_c.sql", "-- migrate:no-transaction\nINSERT INTO s (v) VALUES ('e\\\\');\nVACUUM s;"),
    ];
    for upto in 1..=files.len() {
        let database = FreshDatabase::create().await;
        let mut client = database.connect().await;
        if upto > 1 {
            Migrator::new(&set(&files[..upto - 1])).run(&mut client).await.expect("a run");
        }
        client.batch_execute("SET standard_conforming_strings = off").await.expect("a setting");
        let set = set(&files);
        Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(value(&client, "SHOW standard_conforming_strings").await, "off");
        let read = "SELECT string_agg(v, ' ' ORDER BY n) FROM s";
        assert_eq!(value(&client, read).await, "a\\ b\\\\ c\\nd e\\\\");
    }
}
