//! What a failing migration leaves, and where its error points.

use migrate_runtime::error::{Kept, Place};
use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind, Migrations, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{set, unparsed};
use tokio_postgres::Client;

async fn fail(client: &mut Client, set: &Migrations) -> Error {
    Migrator::new(set).run(client).await.expect_err("a failure")
}

/// Runs `files` on a fresh database and compares the whole text of the error.
async fn check(files: &[(&str, &str)], expected: &str) {
    let (_database, mut client) = FreshDatabase::connected().await;
    // An older server can refuse what the build accepts.
    let error = fail(&mut client, &unparsed(files)).await;
    assert_eq!(error.to_string(), expected);
    // The connection is usable, outside a transaction, and holds no lock.
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    let one = "BEGIN; SELECT now() = statement_timestamp(); COMMIT";
    assert_eq!(value(&client, one).await, "t");
}

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int CHECK (id > 0));");

#[tokio::test]
async fn positions_lead_into_the_file() {
    check(
        &[A, ("2_b.sql", "-- a remark\nSELECT 1;\n\nSELECT *\n  FROM nowhere n;\n")],
        "migrations/2_b.sql:5:8: relation \"nowhere\" does not exist (SQLSTATE 42P01)\n  \
         |\n\
         5 |   FROM nowhere n;\n  \
         |        ^^^^^^^ here\n\
         version 2 was not applied; fix it and run again\n\
         version 1 was applied before it and is kept",
    )
    .await;
}

#[tokio::test]
async fn failures_without_a_position_point_at_the_statement() {
    check(
        &[A, ("2_b.sql", "SELECT 1;\n\n  INSERT INTO a\n  VALUES (-1);")],
        "migrations/2_b.sql:3:3: new row for relation \"a\" violates check constraint \
         \"a_id_check\" (SQLSTATE 23514)\n  \
         |\n\
         3 |   INSERT INTO a\n  \
         |   ^^^^^^^^^^^^^ here\n\
         detail: Failing row contains (-1).\n\
         version 2 was not applied; fix it, or the rows that break the constraint, and run again\n\
         version 1 was applied before it and is kept",
    )
    .await;
}

#[tokio::test]
async fn characters_and_line_endings_do_not_shift_positions() {
    check(
        &[
            ("1_é.sql", "SELECT 'äöü 日本 🦀';"),
            ("2_b.sql", "\u{feff}-- größe\r\nSELECT '日本語',\r\n  'ü' AS é, x;\r\n"),
        ],
        "migrations/2_b.sql:3:13: column \"x\" does not exist (SQLSTATE 42703)\n  \
         |\n\
         3 |   'ü' AS é, x;\n  \
         |             ^ here\n\
         version 2 was not applied; fix it and run again\n\
         version 1 was applied before it and is kept",
    )
    .await;
}

/// A database of the encoding `SQL_ASCII`, and a client of it.
async fn ascii(name: &str) -> (FreshDatabase, String, Client) {
    let beside = FreshDatabase::create().await;
    let name = format!("{}_{name}", beside.name());
    let create = format!(
        "CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    );
    beside.connect().await.batch_execute(&create).await.expect("a database");
    let mut config = beside.config();
    let client = connect(config.dbname(&name)).await;
    (beside, name, client)
}

#[tokio::test]
async fn positions_of_a_server_that_counts_bytes_lead_into_the_file() {
    let (beside, name, mut client) = ascii("bytes").await;
    let before = ("1_é.sql", "SELECT 'äöü 日本 🦀';");
    let run_time = "-- größe\nSELECT '日本語',\n  'ü' AS é, nothing;\n";
    for (number, (sql, place)) in [
        (run_time, "migrations/2_b.sql:3:13: column \"nothing\" does not exist"),
        (
            "SELECT 'ü';\nCREATE TABEL c (id int);",
            "migrations/2_b.sql:2:8: syntax error at or near \"TABEL\"",
        ),
        (
            "-- migrate:no-transaction\nSELECT 'ü';\nSELECT 'é', nothing;",
            "migrations/2_b.sql:3:13: column \"nothing\" does not exist",
        ),
        ("SELECT nothing, 'ü';", "migrations/2_b.sql:1:8: column \"nothing\" does not exist"),
    ]
    .into_iter()
    .enumerate()
    {
        for later in [("3_c.sql", "SELECT 'größe';"), ("3_c.sql", "SELECT 1;")] {
            let set = unparsed(&[before, ("2_b.sql", sql), later]);
            let migrator = Migrator::new(&set).table(format!("ledger_{number}"));
            let error = migrator.run(&mut client).await.expect_err("a failure").to_string();
            assert!(error.starts_with(place), "{error}");
            let line = if error.contains("nothing") { "^^^^^^^ here" } else { "^^^^^ here" };
            assert!(error.contains(line), "{error}");
        }
    }
    let trial = unparsed(&[before, ("2_b.sql", run_time)]);
    let error = Migrator::new(&trial).trial(&mut client).await.expect_err("a failure");
    assert!(error.to_string().starts_with("migrations/2_b.sql:3:13: "), "{error}");
    drop(client);
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    beside.connect().await.batch_execute(&drop).await.expect("no database");
}

#[tokio::test]
async fn syntax_errors_do_not_keep_earlier_migrations_from_being_applied() {
    check(
        &[
            A,
            ("2_b.sql", "SELECT 1;"),
            ("3_c.sql", "SELECT 1;\nCREATE TABEL c (id int);"),
            ("4_d.sql", "SELECT 1;"),
        ],
        "migrations/3_c.sql:2:8: syntax error at or near \"TABEL\" (SQLSTATE 42601)\n  \
         |\n\
         2 | CREATE TABEL c (id int);\n  \
         |        ^^^^^ here\n\
         version 3 was not applied; fix it and run again\n\
         2 migrations, versions 1 to 2, were applied before it and are kept",
    )
    .await;
}

#[tokio::test]
async fn syntax_errors_at_the_end_of_a_statement_stay_in_its_file() {
    check(
        &[("1_a.sql", "SELECT 1;\nSELECT 1 +;"), ("2_b.sql", "SELECT 1;")],
        "migrations/1_a.sql:2:11: syntax error at or near \";\" (SQLSTATE 42601)\n  \
         |\n\
         2 | SELECT 1 +;\n  \
         |           ^ here\n\
         version 1 was not applied; fix it and run again",
    )
    .await;
}

#[tokio::test]
async fn blocks_point_at_their_failing_line() {
    check(
        &[("1_a.sql", "SELECT 1;\nDO $$\nBEGIN\n  PERFORM 1;\n  RAISE EXCEPTION 'no' USING HINT = 'try', DETAIL = 'why';\nEND $$;")],
        "migrations/1_a.sql:5:3: no (SQLSTATE P0001)\n  \
         |\n\
         5 |   RAISE EXCEPTION 'no' USING HINT = 'try', DETAIL = 'why';\n  \
         |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here\n\
         detail: why\n\
         hint: try\n\
         context: PL/pgSQL function inline_code_block line 4 at RAISE\n\
         version 1 was not applied; fix it and run again",
    )
    .await;
    check(
        &[("1_a.sql", "DO $x$ BEGIN PERFORM 1;\n  PERFORM 1/0; END $x$;")],
        "migrations/1_a.sql:2:3: division by zero (SQLSTATE 22012)\n  \
         |\n\
         2 |   PERFORM 1/0; END $x$;\n  \
         |   ^^^^^^^^^^^^^^^^^^^^ here\n\
         context: SQL statement \"SELECT 1/0\"\n    \
         PL/pgSQL function inline_code_block line 2 at PERFORM\n\
         version 1 was not applied; fix it and run again",
    )
    .await;
}

#[tokio::test]
async fn deferred_constraints_fail_at_commit() {
    check(
        &[
            ("1_a.sql", "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);"),
            ("2_b.sql", "INSERT INTO a VALUES (1, 2);"),
            ("3_c.sql", "SELECT 1;"),
        ],
        "migrations/2_b.sql: at COMMIT: insert or update on table \"a\" violates foreign key \
         constraint \"a_b_fkey\" (SQLSTATE 23503)\n\
         detail: Key (b)=(2) is not present in table \"a\".\n\
         version 2 was not applied; fix it, or the rows that break the constraint, and run again\n\
         version 1 was applied before it and is kept",
    )
    .await;
}

#[tokio::test]
async fn positions_survive_replaced_placeholders() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[(
        "1_a.sql",
        "CREATE TABLE {{tables.a}} (id int); SELECT *\nFROM {{tables.a}} x, {{schema}}.a y WHERE x.nope = 1;",
    )]);
    let migrator = Migrator::new(&set).schema("a rather long schema name").create_schema();
    let error = migrator.run(&mut client).await.expect_err("a failure");
    assert!(
        error.to_string().starts_with("migrations/1_a.sql:2:43: column x.nope does not exist"),
        "{error}"
    );
}

#[tokio::test]
async fn failed_runs_are_repeated_from_where_they_stopped() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let b = |sql| set(&[A, ("2_b.sql", sql), ("3_c.sql", "CREATE TABLE c (id int);")]);
    let error = fail(&mut client, &b("CREATE TABLE b (id int); SELECT 1/0;")).await;
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    let report = error.report().expect("a report");
    assert_eq!((failure.version.as_str(), failure.kept), ("2", Kept::Nothing));
    assert_eq!(failure.sqlstate.as_deref(), Some("22012"));
    assert_eq!(report.applied.len(), 1);
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(value(&client, "SELECT to_regclass('b') IS NULL").await, "t");
    let report =
        Migrator::new(&b("CREATE TABLE b (id int);")).run(&mut client).await.expect("fixed");
    let versions: Vec<&str> = report.applied.iter().map(|a| &*a.version).collect();
    assert_eq!(versions, ["2", "3"]);
}

#[tokio::test]
async fn broken_connections_are_distinguished_from_refusals() {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A, ("2_b.sql", "SELECT pg_terminate_backend(pg_backend_pid());")]);
    let error = fail(&mut client, &set).await;
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!("{error}") };
    let report = error.report().expect("a report");
    assert_eq!(report.applied.len(), 1, "{error}");
    assert_eq!(
        (failure.file.as_str(), failure.sqlstate.as_deref()),
        ("migrations/2_b.sql", Some("57P01"))
    );
    assert!(matches!(failure.place, Place::Statement { .. }), "{error}");
    let mut client = database.connect().await;
    let one = migrate_tests::sets::set(&[A]);
    assert_eq!(Migrator::new(&one).run(&mut client).await.expect("a run").applied.len(), 0);
}

#[tokio::test]
async fn unreadable_and_unwritable_ledgers_are_named() {
    let (database, mut client) = FreshDatabase::connected().await;
    let role = format!("role_{}", database.name());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC; SET ROLE {role}"
        ))
        .await
        .expect("a role");
    let error = fail(&mut client, &set(&[A])).await;
    assert_eq!(
        error.to_string(),
        format!(
            "creating the ledger `public.migration_ledger`: permission denied for schema public (SQLSTATE 42501)\n\
             help: GRANT CREATE ON SCHEMA public TO {role}"
        )
    );
    client.batch_execute("RESET ROLE").await.expect("the superuser");
    assert_eq!(Migrator::new(&set(&[A])).run(&mut client).await.expect("a run").applied.len(), 1);
    // No position follows the last one of the column's type.
    for (edit, column) in [
        ("\"position\" = 9223372036854775807", "position"),
        ("\"position\" = 1, kind = 'odd'", "kind"),
    ] {
        let sql =
            format!("UPDATE migration_ledger SET {edit}, checksum = 'edited', digests = NULL");
        client.batch_execute(&sql).await.expect("an update");
        let error = fail(&mut client, &set(&[A])).await;
        let expected = format!(
            "`public.migration_ledger` has an entry with an invalid {column}\n\
             help: restore the entry, or the table, from a backup"
        );
        assert_eq!(error.to_string(), expected);
    }
}

/// Drops the proxy, and with it the connection, while a migration sleeps.
async fn cut_while_asleep(watcher: &Client, proxy: CountingProxy) {
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                  AND datname = current_database()";
    while value(watcher, asleep).await == "0" {
        tokio::task::yield_now().await;
    }
    drop(proxy);
}

#[tokio::test]
async fn cut_connections_leave_the_outcome_to_the_ledger() {
    let (database, proxy, mut client) = CountingProxy::connected().await;
    let files = [A, ("2_b.sql", "SELECT pg_sleep(0.3); CREATE TABLE b (id int);")];
    let slow = set(&files);
    let watcher = database.connect().await;
    let cut = cut_while_asleep(&watcher, proxy);
    let migrator = Migrator::new(&slow);
    let (result, ()) = tokio::join!(migrator.run(&mut client), cut);
    let error = result.expect_err("a cut connection");
    assert_eq!(
        error.to_string(),
        "the connection broke while versions 1 to 2 were being applied: connection closed\n\
         it is unknown which were applied; the next run reads it from the ledger"
    );
    let error = Migrator::new(&slow).run(&mut client).await.expect_err("still closed");
    let text = "reading the ledger `public.migration_ledger`: connection closed";
    assert_eq!(error.to_string(), text);
    // The server continues with what it received; the next run waits for it and finds it applied.
    let mut client = database.connect().await;
    let report = migrator.run(&mut client).await.expect("a run");
    assert_eq!((report.applied.len(), report.skipped.len()), (0, 2), "{report:?}");
}

#[tokio::test]
async fn lost_session_locks_are_reported() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set =
        set(&[("1_a.sql", "-- migrate:no-transaction\nVACUUM;\nSELECT pg_advisory_unlock_all();")]);
    let error = fail(&mut client, &set).await;
    assert_eq!(
        error.to_string(),
        "the lock on `public.migration_ledger` was lost before the run released it\n\
         version 1 was applied before it and is kept\n\
         help: a pooler in transaction mode cannot hold a session lock, and a migration must not \
         release locks that it did not take (pg_advisory_unlock_all, DISCARD ALL)"
    );
}

#[tokio::test]
async fn cut_connections_leave_a_single_statement_unknown() {
    let (database, proxy, mut client) = CountingProxy::connected().await;
    let set = set(&[("1_a.sql", "-- migrate:no-transaction\nVACUUM;\nSELECT pg_sleep(0.3);")]);
    let watcher = database.connect().await;
    let cut = cut_while_asleep(&watcher, proxy);
    let migrator = Migrator::new(&set);
    let (result, ()) = tokio::join!(migrator.run(&mut client), cut);
    let error = result.expect_err("a cut connection");
    assert_eq!(
        error.to_string(),
        "migrations/1_a.sql:3:1: connection closed\n  \
         |\n\
         3 | SELECT pg_sleep(0.3);\n  \
         | ^^^^^^^^^^^^^^^^^^^^ here\n\
         version 1 is unfinished: 1 of its 2 statements took effect and are kept, \
         and whether the next one did is unknown; the next run finds out"
    );
    assert_eq!(format!("{error:?}"), error.to_string(), "what a `main` that returns it prints");
    let mut client = database.connect().await;
    let status = migrator.status(&client).await.expect("a status");
    assert_eq!(status.migrations[0].state, State::Unfinished { done: 1, in_flight: false });
    // The server continues with what it received, including the record that it ran.
    let report = migrator.run(&mut client).await.expect("a run");
    assert_eq!((report.applied.len(), report.skipped.len()), (0, 1), "{report:?}");
}
