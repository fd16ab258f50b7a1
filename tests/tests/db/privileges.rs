//! Roles with few privileges: what they can migrate, and which GRANT an error names.

use migrate_runtime::{ErrorKind, Lock, Migrator};
use migrate_tests::database::value;
use migrate_tests::role::{Denied, SmallRole, after_a_table, denied_all};
use migrate_tests::sets::set;

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE {{tables.a}} (id int PRIMARY KEY);");

#[tokio::test]
async fn owning_a_schema_is_enough() {
    for lock in [Lock::Detect, Lock::Advisory, Lock::Row] {
        let mut at = SmallRole::create().await;
        let set = set(&[
            A,
            ("2_b.sql", "SET work_mem = '9MB'; CREATE TEMP VIEW v AS SELECT 1 AS x; RESET ROLE;"),
            (
                "3_c.sql",
                "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY i ON {{tables.a}} (id);\n\
                 VACUUM {{tables.a}};\nSET search_path = '';",
            ),
            ("4_d.sql", "RESET ALL;"),
            ("5_e.sql", "-- migrate:no-transaction\nSELECT 1;\nVACUUM {{tables.a}};"),
        ]);
        at.prepare(&format!("GRANT TEMPORARY ON DATABASE {} TO {{role}}", at.database.name()))
            .await;
        let migrator = Migrator::new(&set).schema("own").lock(lock);
        let result = migrator.run(&mut at.client).await;
        let report = result.unwrap_or_else(|error| panic!("{lock:?}: {error}"));
        assert_eq!(report.applied.len(), 5, "{lock:?}");
        let report = migrator.run(&mut at.client).await.expect("again");
        assert_eq!((report.applied.len(), report.messages), (0, 1), "{lock:?}");
        migrator.verify(&at.client).await.expect("up to date");
        let by = "SELECT string_agg(DISTINCT applied_by, ' ') FROM own.migration_ledger";
        assert_eq!(value(&at.client, by).await, at.role);
        let elsewhere = "SELECT count(*) FROM pg_class WHERE relowner <> 10 \
                         AND relnamespace NOT IN ('own'::regnamespace, 'pg_toast'::regnamespace)";
        assert_eq!(value(&at.admin, elsewhere).await, "0", "{lock:?}");
    }
}

#[tokio::test]
async fn a_schema_that_exists_needs_no_right_to_create_it() {
    for lock in [Lock::Detect, Lock::Row] {
        let mut at = SmallRole::create().await;
        let set = set(&[A]);
        let migrator = Migrator::new(&set).schema("own").create_schema().lock(lock);
        let result = migrator.run(&mut at.client).await;
        let report = result.unwrap_or_else(|error| panic!("{lock:?}: {error}"));
        assert_eq!(report.applied.len(), 1, "{lock:?}");
    }
}

#[tokio::test]
async fn schemas_that_may_not_be_created_in() {
    let mut at = SmallRole::create().await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    at.prepare("GRANT USAGE ON SCHEMA theirs TO {role}").await;
    let expected = "creating the ledger `theirs.migration_ledger`: permission denied for schema theirs (SQLSTATE 42501)\n\
                    help: GRANT CREATE ON SCHEMA theirs TO {role}";
    at.granted(&Migrator::new(&set).schema("theirs"), expected, 1).await;
}

#[tokio::test]
async fn schemas_that_may_not_be_used() {
    let mut at = SmallRole::create().await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    let migrator = Migrator::new(&set).schema("theirs");
    let expected = "reading the ledger `theirs.migration_ledger`: permission denied for schema theirs (SQLSTATE 42501)\n\
                    help: GRANT USAGE, CREATE ON SCHEMA theirs TO {role}";
    at.granted(&migrator, expected, 1).await;
    // The ledger exists, and cannot be reached.
    at.prepare("REVOKE USAGE ON SCHEMA theirs FROM {role}").await;
    let expected = "reading the ledger `theirs.migration_ledger`: permission denied for schema theirs (SQLSTATE 42501)\n\
                    help: GRANT USAGE ON SCHEMA theirs TO {role}";
    at.granted(&migrator, expected, 0).await;
}

#[tokio::test]
async fn databases_that_may_not_be_created_in() {
    let mut at = SmallRole::create().await;
    let set = set(&[A]);
    let migrator = Migrator::new(&set).schema("new one").create_schema();
    let expected = "creating the ledger `new one.migration_ledger`: permission denied for database {db} (SQLSTATE 42501)\n\
                    help: GRANT CREATE ON DATABASE {db} TO {role}";
    at.granted(&migrator, expected, 1).await;
}

#[tokio::test]
async fn ledgers_of_another_role() {
    let mut at = SmallRole::create().await;
    let one = set(&[("1_a.sql", "SELECT 1;")]);
    Migrator::new(&one).schema("own").run(&mut at.admin).await.expect("a ledger of another role");
    at.prepare("REVOKE ALL ON own.migration_ledger FROM PUBLIC, {role}").await;
    let migrator = Migrator::new(&one).schema("own");
    let expected = "reading the ledger `own.migration_ledger`: permission denied for table migration_ledger (SQLSTATE 42501)\n\
                    help: GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE own.migration_ledger TO {role}";
    assert_eq!(at.refused(&migrator).await, expected);
    let only_select = expected.replace("SELECT, INSERT, UPDATE, DELETE", "SELECT");
    for read in [migrator.verify(&at.client).await, migrator.status(&at.client).await.map(drop)] {
        let error = read.expect_err("no privilege").to_string();
        assert_eq!(error.replace(&at.role, "{role}"), only_select, "no more than reading needs");
    }
    at.prepare("GRANT SELECT ON own.migration_ledger TO {role}").await;
    assert_eq!(migrator.run(&mut at.client).await.expect("nothing pending").messages, 1);
    let more = set(&[("1_a.sql", "SELECT 1;"), A_SECOND]);
    let expected = "migrations/2_b.sql: recording version 2 in `own.migration_ledger`: permission denied for table migration_ledger (SQLSTATE 42501)\n\
                    help: GRANT INSERT, UPDATE, DELETE ON TABLE own.migration_ledger TO {role}";
    at.granted(&Migrator::new(&more).schema("own"), expected, 1).await;
}

const A_SECOND: (&str, &str) = ("2_b.sql", "CREATE TABLE {{tables.b}} (id int);");

#[tokio::test]
async fn ledgers_that_may_not_be_updated() {
    let before = [("1_a.sql", "SELECT 1;"), ("R__v.sql", "SELECT 1;")];
    let alone = ("2_b.sql", "-- migrate:no-transaction\nSELECT 1;\nVACUUM;");
    // Both change an existing entry.
    for (file, version, more) in [
        ("2_b.sql", "2", [before[0], alone, before[1]].as_slice()),
        ("R__v.sql", "R__v", &[before[0], ("R__v.sql", "SELECT 2;")]),
    ] {
        let mut at = SmallRole::create().await;
        Migrator::new(&set(&before)).schema("own").run(&mut at.admin).await.expect("a ledger");
        at.prepare("REVOKE ALL ON own.migration_ledger FROM PUBLIC, {role}").await;
        at.prepare("GRANT SELECT, INSERT ON own.migration_ledger TO {role}").await;
        let more = set(more);
        let expected = format!(
            "migrations/{file}: recording version {version} in `own.migration_ledger`: \
             permission denied for table migration_ledger (SQLSTATE 42501)\n\
             help: GRANT UPDATE, DELETE ON TABLE own.migration_ledger TO {{role}}"
        );
        at.granted(&Migrator::new(&more).schema("own"), &expected, 1).await;
    }
}

/// Changing an entry needs UPDATE; DELETE is only for the lock row.
#[tokio::test]
async fn first_entries_need_no_more_than_an_insert() {
    for granted in ["SELECT, INSERT", "SELECT, INSERT, UPDATE"] {
        let mut at = SmallRole::create().await;
        let one = set(&[("1_a.sql", "SELECT 1;")]);
        Migrator::new(&one).schema("own").run(&mut at.admin).await.expect("a ledger");
        at.prepare("REVOKE ALL ON own.migration_ledger FROM PUBLIC, {role}").await;
        at.prepare(&format!("GRANT {granted} ON own.migration_ledger TO {{role}}")).await;
        let more = set(&[("1_a.sql", "SELECT 1;"), A_SECOND]);
        let migrator = Migrator::new(&more).schema("own");
        assert_eq!(
            migrator.run(&mut at.client).await.expect("a run").applied.len(),
            1,
            "{granted}"
        );
    }
}

const NONE: [&str; 0] = [];

#[tokio::test]
async fn denied_schemas_types_and_owners_are_named() {
    let owner = "grant the role the privilege, or migrate as the owner";
    let cases: &[Denied] = &[
        (
            "CREATE TABLE theirs.new (id int);",
            "theirs",
            "permission denied for schema theirs",
            "GRANT USAGE, CREATE ON SCHEMA theirs TO {role}, or migrate as the owner",
        ),
        ("ALTER TABLE theirs.t ADD a int;", "", "must be owner of table t", owner),
        ("DROP TABLE theirs.t;", "", "must be owner of table t", owner),
        ("CREATE INDEX i ON theirs.t (id);", "", "must be owner of table t", owner),
        (
            "CREATE SCHEMA new;",
            "",
            "permission denied for database {db}",
            "GRANT CREATE ON DATABASE {db} TO {role}, or migrate as the owner",
        ),
        (
            "CREATE TABLE own.e (e theirs.e);",
            "",
            "permission denied for type theirs.e",
            "GRANT USAGE ON TYPE theirs.e TO {role}, or migrate as the owner",
        ),
    ];
    assert_eq!(denied_all(cases).await, NONE);
}

#[tokio::test]
async fn read_only_sessions() {
    let mut at = SmallRole::create().await;
    at.client.batch_execute("SET default_transaction_read_only = on").await.expect("a setting");
    for sql in ["SELECT 1;", "-- migrate:no-transaction\nSELECT 1;\nVACUUM;"] {
        let set = set(&[("1_a.sql", sql)]);
        let migrator = Migrator::new(&set).schema("own");
        assert_eq!(
            at.refused(&migrator).await,
            "creating the ledger `own.migration_ledger`: cannot execute CREATE TABLE in a \
             read-only transaction (SQLSTATE 25006)\n\
             help: connect to the primary, and check that `default_transaction_read_only` is off"
        );
    }
    let one = set(&[("1_a.sql", "SELECT 1;")]);
    Migrator::new(&one).schema("own").run(&mut at.admin).await.expect("a ledger");
    at.prepare("GRANT ALL ON own.migration_ledger TO {role}").await;
    assert_eq!(
        Migrator::new(&one).schema("own").run(&mut at.client).await.expect("nothing").messages,
        1
    );
    let more = set(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;")]);
    assert_eq!(
        at.refused(&Migrator::new(&more).schema("own")).await,
        "migrations/2_b.sql: recording version 2 in `own.migration_ledger`: cannot execute SELECT in a \
         read-only transaction (SQLSTATE 25006)\n\
         help: connect to the primary, and check that `default_transaction_read_only` is off"
    );
}

#[tokio::test]
async fn databases_without_plpgsql() {
    let mut at = SmallRole::create().await;
    at.prepare("DROP EXTENSION plpgsql").await;
    let expected = "locking the ledger `own.migration_ledger`: language \"plpgsql\" does not exist \
                    (SQLSTATE 42704)\n\
                    hint: Use CREATE EXTENSION to load the language into the database.\n\
                    help: CREATE EXTENSION plpgsql; this statement is a block in it";
    let outside = ("1_a.sql", "-- migrate:no-transaction\nVACUUM;");
    for (set, lock) in
        [(set(&[A]), Lock::Row), (set(&[outside]), Lock::Detect), (set(&[outside]), Lock::Row)]
    {
        let migrator = Migrator::new(&set).schema("own").lock(lock);
        assert_eq!(at.refused(&migrator).await, expected, "{lock:?}");
        let error = migrator.baseline(&mut at.client, "1").await.expect_err("no language");
        let expected = expected.replacen("locking", "reading", 1);
        assert_eq!(error.to_string(), expected, "{lock:?}");
    }
    let set = set(&[A]);
    let report = Migrator::new(&set).schema("own").run(&mut at.client).await.expect("a run");
    assert_eq!((report.applied.len(), report.messages), (1, 3), "no guard has to be a block");
}

#[tokio::test]
async fn roles_without_advisory_locks() {
    let mut at = SmallRole::create().await;
    for function in ["pg_try_advisory_lock", "pg_try_advisory_xact_lock", "pg_advisory_unlock"] {
        at.prepare(&format!("REVOKE EXECUTE ON FUNCTION {function}(bigint) FROM PUBLIC")).await;
    }
    let set = set(&[A]);
    let error = at.refused(&Migrator::new(&set).schema("own").lock(Lock::Advisory)).await;
    assert_eq!(
        error,
        "this role cannot take the advisory lock of `own.migration_ledger`\n\
         help: grant it EXECUTE on pg_try_advisory_lock, pg_try_advisory_xact_lock and \
         pg_advisory_unlock, or use `.lock(Lock::Row)`"
    );
    let report = Migrator::new(&set).schema("own").run(&mut at.client).await.expect("a row");
    assert_eq!((report.applied.len(), report.notes.len()), (1, 1), "{report:?}");
}

#[tokio::test]
async fn error_keeps_the_statement_that_was_denied() {
    let mut at = SmallRole::create().await;
    at.prepare("CREATE TABLE theirs.t (id int)").await;
    let set = after_a_table("SELECT 1;\nSELECT * FROM theirs.t;");
    let result = Migrator::new(&set).schema("own").run(&mut at.client).await;
    let error = result.expect_err("a denial");
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(failure.statement.as_deref(), Some("SELECT * FROM theirs.t"));
}
