//! What to do next, for errors of the server whose cause is not the statement itself.

use migrate_runtime::{Error, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::unparsed;

/// The error of these files in a database that `setup` has prepared.
async fn error_of(setup: &str, files: &[(&str, &str)]) -> Error {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(setup).await.expect("a setup");
    Migrator::new(&unparsed(files)).run(&mut client).await.expect_err("an error")
}

/// The SQLSTATE and the last lines of the error.
#[track_caller]
fn check(error: &Error, sqlstate: &str, last: &str) {
    let text = error.to_string();
    assert!(text.contains(&format!("(SQLSTATE {sqlstate})")), "{text}");
    assert!(text.ends_with(last), "{text}");
}

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int PRIMARY KEY);");
const ALONE: &str = "-- migrate:no-transaction\n";

/// The help of the second migration, in a transaction and outside it.
async fn both(setup: &str, sql: &str, sqlstate: &str, helps: [&str; 2]) {
    let kept = "version 2 was not applied\nversion 1 was applied before it and is kept";
    for (head, help) in ["", ALONE].into_iter().zip(helps) {
        let error = error_of(setup, &[A, ("2_b.sql", &format!("{head}{sql}"))]).await;
        check(&error, sqlstate, &format!("{kept}\nhelp: {help}"));
    }
}

#[tokio::test]
async fn statements_that_need_another_transaction() {
    both(
        "",
        "DO $$ BEGIN EXECUTE 'VACUUM'; END $$;",
        "25001",
        [
            "write it as a statement of its own, outside functions and blocks, in a migration that \
             begins with `-- migrate:no-transaction`",
            "write it as a statement of its own, outside functions and blocks",
        ],
    )
    .await;
    both(
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$",
        "DO $$ BEGIN PERFORM f(); END $$;",
        "2D000",
        [
            "move the statement into a migration of its own that begins with \
             `-- migrate:no-transaction`, or remove COMMIT and ROLLBACK from what it calls",
            "remove COMMIT and ROLLBACK from what it calls, or call it outside functions and \
             EXCEPTION blocks",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_call_that_commits_runs_as_its_help_says() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let fill = "CREATE OR REPLACE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;";
    client.batch_execute(fill).await.expect("a procedure that the set does not make");
    let one = unparsed(&[("1_a.sql", "CALL fill();")]);
    let error = Migrator::new(&one).run(&mut client).await.expect_err("an error");
    check(
        &error,
        "2D000",
        "version 1 was not applied\n\
         help: move the statement into a migration of its own that begins with \
         `-- migrate:no-transaction`, or remove COMMIT and ROLLBACK from what it calls",
    );
    let two = unparsed(&[("1_a.sql", fill), ("2_b.sql", &format!("{ALONE}CALL fill();"))]);
    let report = Migrator::new(&two).run(&mut client).await.expect("a run");
    assert_eq!(report.applied.len(), 2);
}

#[tokio::test]
async fn new_values_of_an_enum_and_pending_triggers() {
    let error = error_of(
        "CREATE TYPE st AS ENUM ('a')",
        &[("1_a.sql", "DO $$ BEGIN ALTER TYPE st ADD VALUE 'b'; END $$; SELECT 'b'::st;")],
    )
    .await;
    let help = "version 1 was not applied\n\
                help: use the value in a later migration: it is usable once the migration that adds \
                it has committed";
    check(&error, "55P04", help);
    let deferred = "CREATE TABLE c (pid int REFERENCES a DEFERRABLE INITIALLY DEFERRED);";
    let sql = "INSERT INTO a VALUES (1); INSERT INTO c VALUES (1);";
    let files = |between: &str| format!("{deferred}{sql}{between} ALTER TABLE c ADD x int;");
    let error = error_of("", &[A, ("2_b.sql", &files(""))]).await;
    check(
        &error,
        "55006",
        "help: write `SET CONSTRAINTS ALL IMMEDIATE;` above the statement, or move it into a \
         migration of its own",
    );
    let database = FreshDatabase::create().await;
    let fixed = unparsed(&[A, ("2_b.sql", &files("SET CONSTRAINTS ALL IMMEDIATE;"))]);
    let report = Migrator::new(&fixed).run(&mut database.connect().await).await.expect("a run");
    assert_eq!(report.applied.len(), 2);
}

#[tokio::test]
async fn timeouts_and_cancels() {
    let long = "SELECT pg_sleep(600);";
    both(
        "SET statement_timeout = '200ms'",
        long,
        "57014",
        [
            "if `statement_timeout` ended it, write `SET LOCAL statement_timeout = 0;` above the \
             statement; if it was cancelled, run again",
            "if `statement_timeout` ended it, write `SET statement_timeout = 0;` above the \
             statement; if it was cancelled, run again",
        ],
    )
    .await;
    let own =
        "DO $$ BEGIN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(600); END $$;";
    let help = "run again: a signal or another session cancelled it";
    both("", own, "57014", [help, help]).await;
    // As the server ends a session that waits for the next message of a transaction.
    let idle = "DO $$ BEGIN RAISE 'too long' USING ERRCODE = '25P03'; END $$;";
    let help = "run again, closer to the server, or raise `idle_in_transaction_session_timeout` for \
                the role";
    both("", idle, "25P03", [help, help]).await;
    // As the server ends a session that waits for the next message.
    let help = "raise `idle_session_timeout` for the role, and run again";
    both("", &idle.replace("25P03", "57P05"), "57P05", [help, help]).await;
}

#[tokio::test]
async fn timeouts_of_the_librarys_own_statements() {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = unparsed(&[A]);
    let run = Migrator::new(&set);
    run.run(&mut client).await.expect("a run");
    let holder = database.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE migration_ledger").await.expect("a lock");
    client.batch_execute("SET statement_timeout = '200ms'").await.expect("a setting");
    let error = run.run(&mut client).await.expect_err("an error");
    let help = "help: if `statement_timeout` ended it, raise it for the role; if it was cancelled, run again";
    check(&error, "57014", help);
}

#[tokio::test]
async fn ledgers_that_a_migration_takes_away() {
    let help = "help: remove what drops, renames or moves the ledger; instead of its schema, drop what is in it";
    for sql in ["DROP SCHEMA own CASCADE;", "ALTER TABLE own.migration_ledger RENAME TO other;"] {
        for head in ["", ALONE] {
            let (_database, mut client) = FreshDatabase::connected().await;
            client.batch_execute("CREATE SCHEMA own").await.expect("a schema");
            let set = unparsed(&[A, ("2_b.sql", &format!("{head}{sql}"))]);
            let error = Migrator::new(&set).schema("own").run(&mut client).await;
            let error = error.expect_err("an error");
            check(&error, "42P01", &format!("version 1 was applied before it and is kept\n{help}"));
            let kept = "SELECT count(*) FROM own.migration_ledger WHERE version = '1'";
            assert_eq!(value(&client, kept).await, "1");
        }
    }
}

#[tokio::test]
async fn paths_without_a_schema() {
    let help = "version 1 was not applied\n\
                help: set the `search_path` of the role to a schema that exists and that it may use, or name a \
                schema in the statement";
    for sql in [A.1, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"] {
        let error = error_of("SET search_path = ''", &[("1_a.sql", sql)]).await;
        check(&error, "3F000", help);
    }
}

#[tokio::test]
async fn limits_and_states_of_the_server() {
    let raise = |code: &str| format!("DO $$ BEGIN RAISE 'no' USING ERRCODE = '{code}'; END $$;");
    for (code, last) in [
        (
            "53100",
            "version 2 was not applied\nversion 1 was applied before it and is kept\nhelp: free disk space on the server, and run again",
        ),
        (
            "53200",
            "help: free memory on the server, lower `work_mem` and `maintenance_work_mem`, or split \
             the migration; then run again",
        ),
        ("53400", "help: raise the limit that the message names, or split the migration"),
        ("55006", "help: end the sessions that use it, and run again"),
        // Nothing is known of the cause, except that it is not the file.
        (
            "58030",
            "version 2 was not applied; run again\nversion 1 was applied before it and is kept",
        ),
    ] {
        check(&error_of("", &[A, ("2_b.sql", &raise(code))]).await, code, last);
    }
    let locks = "DO $$ BEGIN RAISE 'no' USING ERRCODE = '53200', HINT = 'max_locks_per_transaction'; END $$;";
    let help = "help: raise the server's `max_locks_per_transaction`, or split the migration: it holds a \
                lock on each table and index that it touches";
    check(&error_of("", &[A, ("2_b.sql", locks)]).await, "53200", help);
}

#[tokio::test]
async fn read_only_sessions_with_and_without_a_ledger() {
    let help =
        "help: connect to the primary, and check that `default_transaction_read_only` is off";
    let read_only = "SET default_transaction_read_only = on";
    check(&error_of(read_only, &[A]).await, "25006", help);
    let (_database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&unparsed(&[A])).run(&mut client).await.expect("a run");
    client.batch_execute(read_only).await.expect("a setting");
    for head in ["", ALONE] {
        let set = unparsed(&[A, ("2_b.sql", &format!("{head}CREATE TABLE b (id int);"))]);
        let error = Migrator::new(&set).run(&mut client).await.expect_err("an error");
        check(&error, "25006", help);
    }
}

#[tokio::test]
async fn what_exists_beside_an_empty_ledger() {
    let help = "version 2 was not applied\nversion 1 was applied before it and is kept\n\
                help: if the database was set up without this ledger, record what it has: `baseline` \
                up to a version, or `adopt` if another tool applied it; otherwise fix the file";
    for (code, sql) in [
        ("42P07", "CREATE TABLE b (id int);"),
        ("42P06", "CREATE SCHEMA s;"),
        ("42723", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"),
        ("42701", "ALTER TABLE b ADD id int;"),
        ("42710", "CREATE TYPE t AS (id int);"),
    ] {
        let setup = "CREATE TABLE b (id int); CREATE SCHEMA s; CREATE TYPE t AS (id int); \
                     CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
        let error = error_of(setup, &[A, ("2_b.sql", sql)]).await;
        check(&error, code, help);
    }
    let (_database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&unparsed(&[A])).run(&mut client).await.expect("a run");
    let both = unparsed(&[A, ("2_b.sql", A.1)]);
    let error = Migrator::new(&both).run(&mut client).await.expect_err("an error");
    check(&error, "42P07", "\nversion 2 was not applied; fix it and run again");
}

#[tokio::test]
async fn what_no_migration_of_a_database_makes() {
    let kept = "version 2 was not applied\nversion 1 was applied before it and is kept\nhelp: ";
    let role = "create the role on this server, which all its databases share, and run again; or fix the name";
    let taken = "all databases of the server share it: drop it if nothing needs it, or migrate on a server without \
                 it; a `DO` block can create a role only if `pg_roles` does not have it";
    let slot = "set `wal_level` to `logical` on the server, restart it, and run again";
    let extension = "install the extension's package on the server, and run again";
    let setting = "fix the name; or, if it is a value of yours, set it by `ALTER DATABASE .. SET` or in the address, as \
                   `options=-c NAME=VALUE`";
    for (sql, help) in [
        ("CREATE EXTENSION migrate_absent;", extension),
        ("SELECT current_setting('migrate.absent');", setting),
        ("DO $$ BEGIN PERFORM current_setting('migrate.absent'); END $$;", setting),
        ("GRANT SELECT ON a TO migrate_absent;", role),
        ("ALTER TABLE a OWNER TO migrate_absent;", role),
        ("DROP OWNED BY migrate_absent;", role),
        ("CREATE ROLE postgres;", taken),
        ("-- migrate:no-transaction\nCREATE DATABASE postgres;", taken),
        ("SELECT pg_create_logical_replication_slot('migrate_absent', 'pgoutput');", slot),
    ] {
        let error = error_of("", &[A, ("2_b.sql", sql)]).await.to_string();
        assert!(error.ends_with(&format!("{kept}{help}")), "{error}");
    }
}

#[tokio::test]
async fn rows_that_break_a_constraint() {
    let rows = "INSERT INTO a VALUES (1), (2)";
    let setup = format!("{}{rows}", A.1.replace("a (", "u ("));
    let file = ("1_b.sql", "ALTER TABLE u ADD b int NOT NULL;");
    let last =
        "version 1 was not applied; fix it, or the rows that break the constraint, and run again";
    check(&error_of(&setup.replace("INTO a", "INTO u"), &[file]).await, "23502", last);
}

#[tokio::test]
async fn what_stops_a_migration_in_its_middle() {
    let after = "version 2 is unfinished: 1 of its 2 statements took effect and are kept, and the next run \
                 continues after them";
    for (code, last) in [
        ("58030", "; run again\nversion 1 was applied before it and is kept"),
        ("22012", "; fix the rest and run again\nversion 1 was applied before it and is kept"),
        (
            "53100",
            "\nversion 1 was applied before it and is kept\nhelp: free disk space on the server, and run again",
        ),
    ] {
        let raise = format!("DO $$ BEGIN RAISE 'no' USING ERRCODE = '{code}'; END $$;");
        let file = format!("{ALONE}INSERT INTO a VALUES (1); {raise}");
        check(&error_of("", &[A, ("2_b.sql", &file)]).await, code, &format!("{after}{last}"));
    }
}
