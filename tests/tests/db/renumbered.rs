//! Another migration under the same version, a file that got another version, and a ledger that got another schema.

use std::time::Duration;

use migrate_runtime::ledger::Edited;
use migrate_runtime::{ErrorKind, Migrations, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const ACCOUNT: (&str, &str) =
    ("0001_account.sql", "CREATE TABLE account (money int); INSERT INTO account VALUES (1);");
const OTHER: (&str, &str) = ("0002_other.sql", "CREATE TABLE other ();");
const DOUBLE: &str = "UPDATE account SET money = money * 2;";

async fn migrated(files: &[(&str, &str)]) -> (FreshDatabase, Client) {
    let (database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&set(files)).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    (database, client)
}

/// The error of a run, whatever it is asked to allow.
async fn refused(client: &mut Client, set: &Migrations) -> String {
    let migrator = Migrator::new(set);
    let error = migrator.run(client).await.expect_err("drift").to_string();
    let lenient = migrator.clone().allow_edited().allow_missing().allow_out_of_order();
    let again = lenient.run(client).await.expect_err("no option lifts it");
    assert!(matches!(again.kind(), ErrorKind::Drift { .. }), "{again}");
    migrator.accept(client, Edited::All).await.expect_err("nor does accepting all edits");
    error
}

#[tokio::test]
async fn renumbered_file_is_recorded_and_not_run_twice() {
    let (_database, mut client) = migrated(&[ACCOUNT, OTHER, ("0003_double.sql", DOUBLE)]).await;
    let set = set(&[ACCOUNT, OTHER, ("0004_double.sql", DOUBLE)]);
    assert_eq!(
        refused(&mut client, &set).await,
        "ledger and set disagree in 1 place\n\
         version 0003: `0003_double.sql` was applied and is renumbered to `migrations/0004_double.sql`\n  \
         help: use `accept` to record version 0004 without running it again, or name the file \
         `0003_double.sql` again"
    );
    let migrator = Migrator::new(&set);
    let report = migrator.accept(&mut client, "0004").await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.amended[0].filename, "0004_double.sql");
    assert_eq!(migrator.run(&mut client).await.expect("a run").messages, 1);
    assert_eq!(value(&client, "SELECT money FROM account").await, "2");
}

#[tokio::test]
async fn another_migration_under_the_version_is_not_an_edit() {
    let (_database, mut client) = migrated(&[ACCOUNT, OTHER, ("0003_double.sql", DOUBLE)]).await;
    let set = set(&[ACCOUNT, OTHER, ("0003_invoice.sql", "CREATE TABLE invoice ();")]);
    let error = refused(&mut client, &set).await;
    assert!(error.contains("version 0003: `0003_double.sql` was applied by "), "{error}");
    assert!(error.contains("and `migrations/0003_invoice.sql` is another migration\n"), "{error}");
    assert!(
        error.ends_with(
            "  help: if two branches took the version, give `migrations/0003_invoice.sql` one above the \
             newest applied one; if the ledger is another service's, give this set a module of its own"
        ),
        "{error}"
    );
    let status = Migrator::new(&set).status(&client).await.expect("a status");
    assert_eq!(status.drift.expect("drift").0.len(), 1);
}

#[tokio::test]
async fn version_of_a_renumbered_file_can_be_taken_by_a_new_one() {
    let (_database, mut client) = migrated(&[ACCOUNT, OTHER, ("0003_double.sql", DOUBLE)]).await;
    let invoice = ("0003_invoice.sql", "CREATE TABLE invoice ();");
    let set = set(&[ACCOUNT, OTHER, invoice, ("0004_double.sql", DOUBLE)]);
    let error = refused(&mut client, &set).await;
    assert!(error.contains("is renumbered to `migrations/0004_double.sql`"), "{error}");
    let migrator = Migrator::new(&set);
    migrator.accept(&mut client, 3).await.expect_err("the invoice never ran");
    migrator.accept(&mut client, 4).await.unwrap_or_else(|e| panic!("{e}"));
    let report = migrator.allow_out_of_order().run(&mut client).await;
    let report = report.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied[0].filename, "0003_invoice.sql");
    assert_eq!(value(&client, "SELECT money FROM account").await, "2");
}

#[tokio::test]
async fn files_that_moved_up_by_one_are_recorded_from_the_last() {
    let grow = ("0004_grow.sql", "UPDATE account SET money = money + 1;");
    let (_database, mut client) =
        migrated(&[ACCOUNT, OTHER, ("0003_double.sql", DOUBLE), grow]).await;
    let set = set(&[ACCOUNT, OTHER, ("0004_double.sql", DOUBLE), ("0005_grow.sql", grow.1)]);
    let migrator = Migrator::new(&set);
    migrator.accept(&mut client, 4).await.expect_err("version 4 is recorded for another file");
    migrator.accept(&mut client, 5).await.unwrap_or_else(|e| panic!("{e}"));
    migrator.accept(&mut client, 4).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(migrator.run(&mut client).await.expect("a run").messages, 1);
    assert_eq!(value(&client, "SELECT money FROM account").await, "3");
}

#[tokio::test]
async fn older_binary_starts_after_a_newer_one_recorded_another_number() {
    let older = [ACCOUNT, OTHER, ("0003_double.sql", DOUBLE)];
    let (_database, mut client) = migrated(&older).await;
    let newer = set(&[ACCOUNT, OTHER, ("0004_double.sql", DOUBLE)]);
    Migrator::new(&newer).accept(&mut client, 4).await.unwrap_or_else(|e| panic!("{e}"));
    let older = set(&older);
    let migrator = Migrator::new(&older);
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((report.applied.len(), report.ahead), (0, vec!["0004".to_owned()]));
    migrator.verify(&client).await.unwrap_or_else(|e| panic!("{e}"));
    let status = migrator.status(&client).await.expect("a status");
    let shown: Vec<&str> = status.migrations.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(
        (shown, status.pending(), status.drift),
        (vec!["applied", "applied", "ahead"], 0, None)
    );
    migrator.refuse_ahead().verify(&client).await.expect_err("refused");
    assert_eq!(value(&client, "SELECT money FROM account").await, "2");
}

#[tokio::test]
async fn same_text_under_another_name_is_not_skipped_by_an_older_binary() {
    let (_database, mut client) = migrated(&[ACCOUNT, OTHER, ("0009_double.sql", DOUBLE)]).await;
    let set = set(&[ACCOUNT, OTHER, ("0003_twice.sql", DOUBLE)]);
    let error = Migrator::new(&set).verify(&client).await.expect_err("it is not applied");
    assert!(error.to_string().contains("is renumbered to `migrations/0003_twice.sql`"), "{error}");
    refused(&mut client, &set).await;
}

#[tokio::test]
async fn file_that_is_renumbered_and_edited_is_named_before_it_runs_again() {
    let (_database, mut client) = migrated(&[ACCOUNT, ("0002_double.sql", DOUBLE)]).await;
    let edited = ("0003_double.sql", "UPDATE account SET money = 2 * money;");
    let set = set(&[ACCOUNT, edited]);
    let error = Migrator::new(&set).run(&mut client).await.expect_err("missing").to_string();
    assert!(
        error.ends_with(
            "  help: restore the file, or use `.allow_missing()` if `migrations/0003_double.sql`, which \
             would run, is another migration"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn ledger_in_another_schema_than_before_is_noticed() {
    let files = [ACCOUNT, OTHER, ("0003_double.sql", DOUBLE)];
    let (_database, mut client) = migrated(&files).await;
    let set = set(&files);
    let migrator = Migrator::new(&set).schema("app").create_schema();
    let error = migrator.run(&mut client).await.expect_err("they would run again");
    assert_eq!(
        error.to_string(),
        "`app.migration_ledger` does not exist, and `public.migration_ledger` has entries of this set\n\
         help: keep it there with `.ledger_schema(..)`, or move it: \
         `ALTER TABLE \"public\".\"migration_ledger\" SET SCHEMA \"app\"`; if the set runs once in each \
         schema, put \"app\" first in the `search_path`"
    );
    migrator.verify(&client).await.expect_err("the same");
    let kept = migrator.clone().ledger_schema("public");
    assert_eq!(kept.run(&mut client).await.expect("nothing pending").messages, 1);
    // Another set, one that depends on the schema, and one that runs in each schema.
    let invoice = ("0001_invoice.sql", "CREATE TABLE invoice ();");
    let others = [vec![invoice], vec![ACCOUNT, ("0002_in.sql", "CREATE TABLE {{tables.b}} ();")]];
    for (other, schema) in others.iter().zip(["one", "two"]) {
        client.batch_execute("DROP TABLE IF EXISTS account").await.expect("by hand");
        let other = migrate_tests::sets::set(other);
        let report = Migrator::new(&other).schema(schema).create_schema().run(&mut client).await;
        report.unwrap_or_else(|e| panic!("{e}"));
    }
    client.batch_execute("CREATE SCHEMA app; SET search_path = app").await.expect("a schema");
    assert_eq!(migrator.run(&mut client).await.expect("a run").applied.len(), 3);
    client.batch_execute("RESET search_path; DROP SCHEMA app CASCADE").await.expect("by hand");
    let moved = "CREATE SCHEMA app; ALTER TABLE \"public\".\"migration_ledger\" SET SCHEMA \"app\"";
    client.batch_execute(moved).await.expect("as the help says");
    assert_eq!(migrator.run(&mut client).await.expect("nothing pending").messages, 1);
}

/// What it has would run again.
#[tokio::test]
async fn ledger_in_another_schema_that_is_locked_is_not_overlooked() {
    let files = [ACCOUNT, ("0002_double.sql", DOUBLE)];
    let (database, mut client) = migrated(&files).await;
    let in_the_way = database.connect().await;
    in_the_way.batch_execute("BEGIN; LOCK TABLE migration_ledger").await.expect("a lock");
    let set = set(&files);
    let migrator = Migrator::new(&set).schema("app").create_schema();
    let migrator = migrator.lock_timeout(Duration::from_millis(100)).retries(0);
    let error = migrator.run(&mut client).await.expect_err("a lock");
    let doing =
        "looking for the set's ledger in other schemas: canceling statement due to lock timeout";
    assert!(error.to_string().starts_with(doing), "{error}");
    assert_eq!(value(&client, "SELECT to_regclass('app.migration_ledger')").await, "NULL");
}

#[tokio::test]
async fn ledger_in_a_schema_that_is_no_longer_chosen_is_noticed() {
    let files = [ACCOUNT, OTHER, ("0003_double.sql", DOUBLE)];
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&files);
    let chosen = Migrator::new(&set).schema("app").create_schema();
    chosen.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    let migrator = Migrator::new(&set);
    let error = migrator.run(&mut client).await.expect_err("they would run again");
    assert_eq!(
        error.to_string(),
        "`public.migration_ledger` does not exist, and `app.migration_ledger` has entries of this set\n\
         help: keep it there with `.ledger_schema(..)`, name the schema `public` so if the set runs here too, \
         or move it: `ALTER TABLE \"app\".\"migration_ledger\" SET SCHEMA \"public\"`"
    );
    migrator.verify(&client).await.expect_err("the same");
    migrator.status(&client).await.expect_err("the same");
    let kept = migrator.clone().ledger_schema("app");
    assert_eq!(kept.run(&mut client).await.expect("nothing pending").messages, 1);
    // Another set, and another module.
    let invoice = migrate_tests::sets::set(&[("0001_invoice.sql", "CREATE TABLE invoice ();")]);
    Migrator::new(&invoice).verify(&client).await.expect_err("pending");
    let module = migrate_tests::sets::module("billing", &files);
    let error = Migrator::new(&module).verify(&client).await.expect_err("pending");
    assert!(matches!(error.kind(), ErrorKind::Pending { .. }), "{error}");
    // What is named runs there.
    client
        .batch_execute("ALTER TABLE account RENAME TO old; DROP TABLE other")
        .await
        .expect("both");
    let named = migrator.clone().ledger_schema("public");
    assert_eq!(named.run(&mut client).await.expect("a run").applied.len(), 3);
    client.batch_execute("DROP TABLE migration_ledger, account, other").await.expect("by hand");
    // A set that ran in each of several schemas does so in this one too.
    let second = Migrator::new(&set).schema("second").create_schema();
    client.batch_execute("CREATE SCHEMA second; SET search_path = second").await.expect("a schema");
    second.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    client.batch_execute("RESET search_path").await.expect("the default");
    let error = migrator.verify(&client).await.expect_err("pending");
    assert!(matches!(error.kind(), ErrorKind::Pending { .. }), "{error}");
    client.batch_execute("DROP SCHEMA second CASCADE").await.expect("a schema");
    let moved = "ALTER TABLE \"app\".\"migration_ledger\" SET SCHEMA \"public\"";
    client.batch_execute(moved).await.expect("as the help says");
    assert_eq!(migrator.run(&mut client).await.expect("nothing pending").messages, 1);
}
