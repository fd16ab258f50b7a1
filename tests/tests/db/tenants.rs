//! Many schemas of one database, each with its own ledger.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use migrate_runtime::Migrator;
use migrate_runtime::tenants::{Failure, Progress, Tenants};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::set;
use tokio_postgres::{Client, Config, NoTls};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE {{tables.a}} (id int);");
const B: (&str, &str) = ("2_b.sql", "ALTER TABLE {{tables.a}} ADD b int;");

/// A client as from a pool without a limit.
async fn connect(config: &Config) -> Result<Box<Client>, Infallible> {
    Ok(Box::new(migrate_tests::database::connect(config).await))
}

fn schemas(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("tenant_{number:05}")).collect()
}

async fn create(client: &Client, schemas: &[String]) {
    let sql: Vec<String> = schemas.iter().map(|s| format!("CREATE SCHEMA \"{s}\"")).collect();
    client.batch_execute(&sql.join(";")).await.expect("schemas");
}

#[tokio::test]
async fn two_hundred_schemas_that_are_up_to_date_are_a_handful_of_messages() {
    let database = FreshDatabase::create().await;
    let proxy = CountingProxy::start(&database.config()).await;
    let client = database.connect().await;
    let schemas = schemas(200);
    let (one, two) = (set(&[A]), set(&[A, B]));
    let migrator = Migrator::new(&one).create_schema();
    let config = proxy.config();
    let get = || connect(&config);
    let mut lines = Vec::new();
    let tenants = Tenants::new(&migrator);
    let report =
        tenants.run(&schemas, get, |progress: Progress<'_, _>| lines.push(progress.to_string()));
    let report = report.await.expect("a run");
    assert_eq!((report.migrated.len(), report.failed.len()), (200, 0), "{report}");
    assert_eq!(lines.len(), 201);
    assert_eq!(lines[0], "0 up to date, 200 to migrate");
    assert!(lines[200].ends_with(": 1 applied; 200 done, 0 left"), "{}", lines[200]);
    assert_eq!(proxy.messages().len(), report.messages as usize);
    assert_eq!(value(&client, "SELECT count(*) FROM pg_tables WHERE tablename = 'a'").await, "200");
    // The statistics know none of the schemas yet. Each run may look at all of them, but not once for each ledger.
    let read = "SELECT seq_tup_read FROM pg_stat_sys_tables WHERE relname = 'pg_namespace'";
    let read: u64 = value(&client, read).await.parse().expect("a number");
    assert!(read < 200_000, "{read} rows of pg_namespace");

    proxy.reset();
    let report = tenants.run(&schemas, get, |_| {}).await.expect("nothing pending");
    assert_eq!((report.up_to_date.len(), report.messages), (200, 2), "{report}");
    assert_eq!(report.up_to_date, schemas);
    assert_eq!(proxy.messages().len(), 2);
    assert!(report.to_string().starts_with("200 up to date, 0 migrated, 0 failed; 2 messages, "));

    // Interrupted by hand: some are already migrated, and are skipped.
    for schema in &schemas[..150] {
        let mut client = database.connect().await;
        Migrator::new(&two).schema(schema).run(&mut client).await.expect("a run");
    }
    let migrator = Migrator::new(&two);
    let report = Tenants::new(&migrator).concurrency(8).run(&schemas, get, |_| {}).await;
    let report = report.expect("the rest");
    assert_eq!((report.up_to_date.len(), report.migrated.len()), (150, 50), "{report}");
    assert!(report.migrated.iter().all(|(_, report)| report.applied.len() == 1));
}

#[tokio::test]
async fn many_ledgers_are_read_over_several_clients_or_one() {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A]);
    let migrator = Migrator::new(&set);
    let schemas = schemas(450);
    let first = migrator.clone().schema(&schemas[0]).create_schema();
    first.run(&mut client).await.expect("a run");
    let copy = |schema: &String| {
        format!(
            "CREATE SCHEMA {schema}; CREATE TABLE {schema}.migration_ledger \
             (LIKE tenant_00000.migration_ledger INCLUDING ALL); \
             INSERT INTO {schema}.migration_ledger SELECT * FROM tenant_00000.migration_ledger;"
        )
    };
    client.batch_execute(&schemas[1..].iter().map(copy).collect::<String>()).await.expect("copies");
    let config = database.config();
    let connections = AtomicUsize::new(0);
    let get = || {
        connections.fetch_add(1, Ordering::Relaxed);
        connect(&config)
    };
    let report = Tenants::new(&migrator).run(&schemas, get, |_| {}).await.expect("a run");
    assert_eq!((&report.up_to_date, report.messages), (&schemas, 4), "{report}");
    assert_eq!(connections.into_inner(), 3);

    // A last row that is not known, in the last message: its entries are read.
    let edit = "UPDATE tenant_00449.migration_ledger SET digests = NULL";
    client.batch_execute(edit).await.expect("a row");
    let manager = deadpool_postgres::Manager::new(config, NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().expect("a pool");
    let report = Tenants::new(&migrator).run(&schemas, || pool.get(), |_| {}).await;
    let report = report.expect("a run over one client");
    assert_eq!((&report.up_to_date, report.messages), (&schemas, 5), "{report}");
}

#[tokio::test]
async fn failures_stay_with_their_schemas() {
    let (database, client) = FreshDatabase::connected().await;
    let (set, edited) =
        (set(&[A, B]), set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id text);"), B]));
    let migrator = Migrator::new(&set);
    let schemas = schemas(6);
    create(&client, &schemas[..5]).await;
    // 0 is good; 1 has the table already, 2 drifted, 3 has a foreign table, 5 has no schema
    client
        .batch_execute(
            "CREATE TABLE tenant_00001.a (); CREATE TABLE tenant_00003.migration_ledger ()",
        )
        .await
        .expect("tables");
    let mut other = database.connect().await;
    let drifted = Migrator::new(&edited).schema("tenant_00002").to("1");
    drifted.run(&mut other).await.expect("another text");
    let config = database.config();
    let doubled = schemas.iter().chain(&schemas);
    let mut failures = 0;
    let report = Tenants::new(&migrator)
        .run(
            doubled,
            || connect(&config),
            |progress| {
                failures += usize::from(matches!(progress, Progress::Failed { .. }));
            },
        )
        .await
        .expect("a run");
    let mut migrated: Vec<&str> =
        report.migrated.iter().map(|(schema, _)| schema.as_str()).collect();
    migrated.sort_unstable();
    assert_eq!(migrated, ["tenant_00000", "tenant_00004"]);
    let mut failed: Vec<(&str, String)> =
        report.failed.iter().map(|(schema, why)| (schema.as_str(), why.to_string())).collect();
    failed.sort_unstable();
    let expected = [
        ("tenant_00001", "migrations/1_a.sql:1:1: relation \"a\" already exists"),
        ("tenant_00002", "version 1"),
        ("tenant_00003", "tenant_00003.migration_ledger"),
        ("tenant_00005", "tenant_00005"),
    ];
    assert_eq!((failed.len(), failures), (expected.len(), expected.len()));
    for ((schema, why), (expected, part)) in failed.iter().zip(expected) {
        assert_eq!(*schema, expected);
        assert!(why.contains(part), "{schema}: {why}");
    }
}

#[tokio::test]
async fn file_without_placeholders_has_the_next_action_in_the_second_schema() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let migrator = Migrator::new(&set).create_schema();
    migrator.clone().schema("one").run(&mut client).await.expect("a run");
    let error = migrator.schema("two").run(&mut client).await.expect_err("a table that exists");
    let help = "help: `.schema(..)` does not set the `search_path`: if this belongs in that schema, write \
                `{{tables.NAME}}` for its name; if the database was set up without this ledger, record what it has \
                with `baseline` or `adopt`";
    assert!(error.to_string().ends_with(help), "{error}");
}

#[tokio::test]
async fn pools_without_a_client_are_reported() {
    let set = set(&[A]);
    let migrator = Migrator::new(&set);
    let get = || async { Err::<Box<Client>, _>(std::io::Error::other("empty pool")) };
    let failure = Tenants::new(&migrator).run(["a"], get, |_| {}).await.expect_err("no client");
    assert!(matches!(failure, Failure::Connect(_)));
    let text = "the pool returned no client: empty pool\n\
                help: check the pool's size and address, and run again";
    assert_eq!(failure.to_string(), text);
    // What a `main` that returns it prints.
    let shown = format!("{failure:?}");
    assert!(shown.contains("empty pool") && shown.contains("\nhelp: "), "{shown}");
}

#[tokio::test]
async fn deadpool_and_bb8_hand_out_clients_of_tenants() {
    let database = FreshDatabase::create().await;
    let set = set(&[A]);
    let migrator = Migrator::new(&set).create_schema();
    let schemas = schemas(5);
    let manager = deadpool_postgres::Manager::new(database.config(), NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(2).build().expect("a pool");
    let tenants = Tenants::new(&migrator).concurrency(2);
    let report = tenants.run(&schemas, || pool.get(), |_| {}).await.expect("a run");
    assert_eq!(report.migrated.len(), 5, "{report}");

    let manager = bb8_postgres::PostgresConnectionManager::new(database.config(), NoTls);
    let pool = bb8::Pool::builder().max_size(2).build(manager).await.expect("a pool");
    let report = tenants.run(&schemas, || pool.get(), |_| {}).await.expect("a run");
    assert_eq!(report.up_to_date.len(), 5, "{report}");
}

/// The future can be sent to another thread, as in the start-up of a service.
#[tokio::test]
async fn runs_can_be_spawned() {
    let database = FreshDatabase::create().await;
    let config = database.config();
    let task = tokio::spawn(async move {
        let set = set(&[A]);
        let migrator = Migrator::new(&set).create_schema();
        let tenants = Tenants::new(&migrator);
        let get = || connect(&config);
        tenants.run(schemas(3), get, |_| {}).await.map(|report| report.migrated.len())
    });
    assert_eq!(task.await.expect("a task").expect("a run"), 3);
}
