//! The caller's own state: its transaction, its session, its limits, its code, and the rows of others.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use migrate_runtime::hook::{BoxError, RunClient, When};
use migrate_runtime::{Error, ErrorKind, Lock, Migrator, Rollback, run_in_order};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{module, set, tables};
use tokio_postgres::Client;

const OPEN: &str = "the connection is inside a transaction that its caller began\n\
                    help: COMMIT or ROLLBACK first; a run has transactions of its own";

/// The errors of the verbs that change something, each in a transaction that inserts a row.
async fn in_a_transaction(
    migrator: &Migrator<'_>,
    client: &mut Client,
    fails: bool,
) -> Vec<String> {
    let mut errors = Vec::new();
    for verb in 0..6 {
        client.batch_execute("BEGIN; INSERT INTO mine VALUES (1)").await.expect("a transaction");
        if fails {
            client.batch_execute("SELECT 1/0").await.expect_err("a failure");
        }
        let result: Result<(), Error> = match verb {
            0 => migrator.run(client).await.map(drop),
            1 => migrator.clone().lock(Lock::Row).run(client).await.map(drop),
            2 => migrator.trial(client).await.map(drop),
            3 => migrator.rollback(client, Rollback::Steps(1)).await.map(drop),
            4 => migrator.baseline(client, 1).await.map(drop),
            _ => run_in_order([migrator], client).await.map(drop).map_err(|error| *error.error),
        };
        errors.extend(result.err().map(|error| error.to_string()));
        client.batch_execute("COMMIT").await.expect("the end of the transaction");
    }
    errors
}

#[tokio::test]
async fn a_transaction_of_the_caller_is_not_committed_by_a_run() {
    for has_ledger in [true, false] {
        let (_database, mut client) = FreshDatabase::connected().await;
        client.batch_execute("CREATE TABLE mine (a int)").await.expect("a table");
        let (one, two) = (tables(1), tables(2));
        if has_ledger {
            Migrator::new(&one).run(&mut client).await.expect("a ledger");
        }
        let migrator = Migrator::new(&two);
        for fails in [true, false] {
            let errors = in_a_transaction(&migrator, &mut client, fails).await;
            let expected = [OPEN; 6];
            assert_eq!(errors, expected, "with a ledger: {has_ledger}, failed: {fails}");
        }
        // The transaction goes on, and its caller has committed it, six times.
        assert_eq!(value(&client, "SELECT count(*) FROM mine").await, "6", "{has_ledger}");
        assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
        let report = migrator.run(&mut client).await.expect("a run outside a transaction");
        assert_eq!(report.applied.len(), if has_ledger { 1 } else { 2 });
    }
}

const DISCARDS: &str = "CREATE FUNCTION discard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
     CREATE TRIGGER discard BEFORE {event} ON migration_ledger FOR EACH ROW EXECUTE FUNCTION discard();";

#[tokio::test]
async fn an_entry_that_the_table_discards_undoes_its_migration() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let inserts = DISCARDS.replace("{event}", "INSERT");
    let updates = format!("-- UP\nSELECT 1;\n-- DOWN\n{}", DISCARDS.replace("{event}", "UPDATE"));
    let first = ("1_a.sql", "CREATE TABLE a (id int);");
    let discards = set(&[first, ("2_b.sql", &inserts), ("3_c.sql", "CREATE TABLE c (id int);")]);
    let error = Migrator::new(&discards).run(&mut client).await.expect_err("no entry");
    assert_eq!(
        error.to_string(),
        "migrations/2_b.sql: recording version 2 in `public.migration_ledger`: the table did not keep the row\n\
         version 1 was applied before it and is kept\n\
         help: drop the trigger or the rule of the table that discards rows"
    );
    assert!(matches!(error.kind(), ErrorKind::NotRecorded { .. }), "{error}");
    let kept = "SELECT concat_ws(' ', (SELECT count(*) FROM migration_ledger), (SELECT count(*) FROM pg_trigger))";
    assert_eq!(value(&client, kept).await, "1 0");
    let undoes = set(&[first, ("2_b.sql", &updates)]);
    let migrator = Migrator::new(&undoes);
    migrator.run(&mut client).await.expect("a run");
    let error = migrator.rollback(&mut client, Rollback::Steps(1)).await.expect_err("an entry");
    assert!(error.to_string().contains("the table did not keep the row\n"), "{error}");
    assert_eq!(value(&client, kept).await, "2 0");
}

#[tokio::test]
async fn limits_of_any_length_are_limits() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let note = "CREATE TABLE IF NOT EXISTS noted (limits text); \
                INSERT INTO noted SELECT current_setting('lock_timeout')";
    let alone = format!("-- migrate:no-transaction\n{note}; VACUUM noted;");
    for (number, (limit, expected)) in [
        (Duration::MAX, "2147483647ms"),
        (Duration::from_hours(24 * 365), "2147483647ms"),
        (Duration::from_nanos(1), "1ms"),
        (Duration::ZERO, "0"),
    ]
    .into_iter()
    .enumerate()
    {
        let set = set(&[("1_a.sql", note), ("2_b.sql", &alone)]);
        let migrator = Migrator::new(&set).table(format!("ledger_{number}"));
        let migrator = migrator.lock_timeout(limit).wait_timeout(limit);
        let deadline = limit.max(Duration::from_mins(1));
        let report = migrator.deadline(deadline).run(&mut client).await;
        report.unwrap_or_else(|error| panic!("{limit:?}: {error}"));
        let noted = value(&client, "SELECT string_agg(DISTINCT limits, ' ') FROM noted").await;
        assert_eq!(noted, expected, "{limit:?}");
        client.batch_execute("TRUNCATE noted").await.expect("no rows");
    }
}

#[tokio::test]
async fn positions_that_no_run_writes_are_broken_entries() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (one, two) = (tables(1), tables(2));
    Migrator::new(&one).run(&mut client).await.expect("a run");
    let migrator = Migrator::new(&two);
    for position in [i64::MAX, i64::MAX - 1, i64::MIN, -1] {
        let update = format!("UPDATE migration_ledger SET position = {position}");
        client.batch_execute(&update).await.expect("an edit by hand");
        let errors = [
            migrator.run(&mut client).await.map(drop),
            migrator.verify(&client).await.map(drop),
            migrator.rollback(&mut client, Rollback::Steps(1)).await.map(drop),
            migrator.baseline(&mut client, 2).await.map(drop),
        ];
        for error in errors {
            let error = error.expect_err("a broken entry").to_string();
            let broken = "`public.migration_ledger` has an entry with an invalid position";
            assert!(error.starts_with(broken), "{position}: {error}");
        }
    }
}

#[tokio::test]
async fn names_in_another_encoding_do_not_panic() {
    let (database, admin) = FreshDatabase::connected().await;
    let role = format!("rôle_{}", database.name());
    let create = format!(
        "CREATE ROLE \"{role}\" LOGIN PASSWORD 'small'; CREATE SCHEMA \"schéma\"; \
         CREATE TABLE \"schéma\".migration_ledger (\"é\" int); CREATE TABLE public.migration_ledger (\"é\" int); \
         REVOKE ALL ON SCHEMA public FROM PUBLIC"
    );
    admin.batch_execute(&create).await.expect("a role");
    let mut config = database.config();
    config.user(&role).password("small");
    let mut theirs = connect(&config).await;
    let mut admins = database.connect().await;
    let set = set(&[("1_a.sql", "SELECT 1;")]);
    for client in [&mut theirs, &mut admins] {
        client.batch_execute("SET client_encoding = 'LATIN1'").await.expect("an encoding");
        for migrator in [Migrator::new(&set), Migrator::new(&set).schema("schéma")] {
            let error = migrator.run(client).await.expect_err("a refusal").to_string();
            assert!(!error.is_empty());
            migrator.verify(client).await.expect_err("a refusal");
            migrator.history(client).await.expect_err("a refusal");
        }
    }
    let drop = format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\"");
    admin.batch_execute(&drop).await.expect("no role");
}

/// An error of a service's own, around the driver's.
#[derive(Debug)]
struct Wrapped(tokio_postgres::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the users cannot be filled")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

const RAISES: &str =
    "DO $$ BEGIN RAISE EXCEPTION 'no way' USING DETAIL = 'because', HINT = 'try again'; END $$";

async fn raises(client: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(RAISES).await
}

async fn raises_wrapped(client: RunClient<'_>) -> Result<(), BoxError> {
    client.batch_execute(RAISES).await.map_err(|error| Wrapped(error).into())
}

async fn succeeds(_: RunClient<'_>) -> Result<(), BoxError> {
    Ok(())
}

#[tokio::test]
async fn errors_of_functions_and_hooks_show_the_servers_text() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_a.sql", "-- migrate:function\nSELECT 1;")]);
    let migrator = Migrator::new(&set).function("1", raises);
    let error = migrator.run(&mut client).await.expect_err("a failure").to_string();
    let text = "no way (SQLSTATE P0001)\ndetail: because\nhint: try again";
    let failed = "migrations/1_a.sql: its function failed: ";
    let help =
        "\nhelp: fix the function or its data, and run again; what the migration did is undone";
    assert_eq!(error, format!("{failed}{text}{help}"));
    let error = migrator.clone().hide_details().run(&mut client).await.expect_err("a failure");
    let hidden = "no way (SQLSTATE P0001)\nhint: try again";
    assert_eq!(error.to_string(), format!("{failed}{hidden}{help}"));
    assert!(error.source().is_none(), "{:?}", error.source());
    let migrator = Migrator::new(&set).function("1", raises_wrapped);
    let error = migrator.run(&mut client).await.expect_err("a failure").to_string();
    let wrapped = format!("the users cannot be filled: {text}");
    assert_eq!(error, format!("{failed}{wrapped}{help}"));
    for (when, place) in [
        (When::BeforeRun, "a hook before the run"),
        (When::AfterEach, "migrations/1_a.sql: a hook after each migration"),
    ] {
        let migrator = Migrator::new(&set).function("1", succeeds).hook(when, raises_wrapped);
        let error = migrator.run(&mut client).await.expect_err("a failure");
        assert_eq!(error.to_string(), format!("{place} stopped the run: {wrapped}"));
        let source = error.source().and_then(|source| source.downcast_ref::<Wrapped>());
        assert!(source.is_some());
        let error = migrator.hide_details().run(&mut client).await.expect_err("a failure");
        assert!(error.source().is_none(), "{:?}", error.source());
    }
}

#[tokio::test]
async fn detail_and_hint_of_the_librarys_own_statements_are_shown() {
    let (_database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&tables(1)).run(&mut client).await.expect("a run");
    let check = "ALTER TABLE migration_ledger ADD CHECK (position < 2)";
    client.batch_execute(check).await.expect("a constraint");
    let two = tables(2);
    let error = Migrator::new(&two).run(&mut client).await.expect_err("a constraint").to_string();
    assert!(error.contains("(SQLSTATE 23514)\ndetail: Failing row contains (default, "), "{error}");
    let error = Migrator::new(&two).hide_details().run(&mut client).await.expect_err("hidden");
    assert!(!error.to_string().contains("detail: "), "{error}");
    assert!(error.source().is_none(), "{:?}", error.source());
}

#[tokio::test]
async fn entries_of_other_modules_are_not_read() {
    let (_database, proxy, mut client) = CountingProxy::connected().await;
    let files = [("1_a.sql", "CREATE TABLE a (id int);")];
    let alone = ("2_v.sql", "-- migrate:no-transaction\nVACUUM a;");
    let (mine, with_alone) = (module("mine", &files), module("mine", &[files[0], alone]));
    let other = module("other", &[("1_b.sql", "CREATE TABLE b (id int);")]);
    let (mine, with_alone) = (Migrator::new(&mine), Migrator::new(&with_alone));
    let other = Migrator::new(&other);
    run_in_order([&with_alone, &other], &mut client).await.expect("a run");
    let many = "INSERT INTO migration_ledger SELECT 'many', g::text, 'versioned', 'n', 'f', md5('x'), 'a', 9 + g, \
                now(), 1, 'me' FROM generate_series(1, 50000) g";
    client.batch_execute(many).await.expect("entries of another module");
    // A row of the highest position, and what the planner knows and does not know about the table.
    for analyze in ["SELECT 1", "ANALYZE migration_ledger"] {
        client.batch_execute(analyze).await.expect(analyze);
        proxy.reset();
        mine.run(&mut client).await.expect("a boot");
        with_alone.run(&mut client).await.expect("a boot");
        run_in_order([&with_alone, &other], &mut client).await.expect("a boot");
        with_alone.verify(&client).await.expect("verified");
        let queries = proxy.queries();
        assert_eq!(queries.len(), 4, "{queries:?}");
        for query in queries {
            let reads = crate::ended::reads(&query);
            assert!(reads.len() > 1, "{query}");
            for read in reads {
                let explained = client.simple_query(&format!("EXPLAIN {read}")).await;
                let plan = format!("{:?}", explained.expect("a plan"));
                assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{analyze}: {plan}");
            }
        }
    }
}
