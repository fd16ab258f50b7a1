//! The statements of `docs/guides` about their set, on a real server: it is applied with its function,
//! undone and checked as in the guides, and a new database has no other tool's table.

use migrate_runtime::adopt::Adopt;
use migrate_runtime::hook::{RunClient, When};
use migrate_runtime::ledger::Act;
use migrate_runtime::ledger::Edited;
use migrate_runtime::set::TransactionMode;
use migrate_runtime::status::State;
use migrate_runtime::{Error, ErrorKind, Migrations, Migrator, Rollback, embed_migrations};
use migrate_testing::{TestDatabase, check_reversible};

static MIGRATIONS: Migrations =
    embed_migrations!("migrations", lints = deny, down = required, history = "migrations.history");

async fn fill_hashes(transaction: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    transaction.execute("UPDATE users SET hash = upper(email)", &[]).await.map(drop)
}

fn migrator() -> Migrator<'static> {
    Migrator::new(&MIGRATIONS).function("0003", fill_hashes)
}

#[tokio::test]
async fn the_set_of_the_guides_runs_and_is_undone() {
    let database = TestDatabase::empty().expect("a database");
    let mut client = database.connect().await.expect("a client");
    let before = migrator().to("0002").run(&mut client).await.expect("a run");
    assert_eq!(before.applied.len(), 2);
    client.batch_execute("INSERT INTO users (email) VALUES ('anna')").await.expect("a row");
    assert_eq!(migrator().run(&mut client).await.expect("a run").applied.len(), 1);
    let row = client.query_one("SELECT hash FROM users", &[]).await.expect("a row");
    assert_eq!(row.get::<_, String>(0), "ANNA");
    // If nothing is pending, neither the function nor a hook is needed.
    migrator().verify(&client).await.expect("nothing pending");

    let target = Rollback::to("0001");
    let undone = migrator().rollback(&mut client, target).await.expect("a rollback");
    let files: Vec<&str> = undone.undone.iter().map(|one| &*one.filename).collect();
    assert_eq!(files, ["0003_add_hashes.sql", "0002_index_emails.sql"]);
    let history = migrator().history(&client).await.expect("a history");
    assert_eq!(history.iter().filter(|row| row.act == Act::Undone).count(), 2);
    let status = migrator().status(&client).await.expect("a status");
    assert!(matches!(status.migrations[0].state, State::Applied { .. }), "{status}");
    assert_eq!(status.pending(), 2);
}

#[test]
fn the_set_of_the_guides_can_be_undone_object_by_object() {
    let modes = MIGRATIONS.iter().map(|migration| migration.up().transaction());
    assert_eq!(modes.filter(|mode| *mode == TransactionMode::NonTransactional).count(), 1);
    check_reversible(migrator()).expect("reversible");
    // According to the guide on tests they need the function too.
    let error = check_reversible(&MIGRATIONS).expect_err("no function");
    assert!(error.to_string().contains("its function is missing"), "{error}");
}

#[tokio::test]
async fn a_new_database_is_nothing_to_adopt_and_then_runs() {
    let database = TestDatabase::empty().expect("a database");
    let mut client = database.connect().await.expect("a client");
    match migrator().adopt(&mut client, Adopt::Sqlx).await.map_err(Error::into_kind) {
        Err(ErrorKind::NotAdoptable { columns, .. }) => assert!(columns.is_empty(), "{columns:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(migrator().run(&mut client).await.expect("a run").applied.len(), 3);
}

#[tokio::test]
async fn a_baseline_is_vouched_for_and_then_an_edit_is_noticed() {
    let database = TestDatabase::empty().expect("a database");
    let mut client = database.connect().await.expect("a client");
    let up = MIGRATIONS.iter().next().expect("the first").up().sql(None).expect("its text");
    client.batch_execute(&up).await.expect("made by hand");
    migrator().baseline(&mut client, "0001").await.expect("a baseline");
    let taken = migrator().history(&client).await.expect("a history");
    assert_eq!((taken.len(), taken[0].checksum.as_deref()), (1, None));
    let vouched = migrator().accept(&mut client, Edited::All).await.expect("accepted");
    assert_eq!(vouched.amended.len(), 1);
    assert_eq!(migrator().run(&mut client).await.expect("a run").applied.len(), 2);
    let edited =
        migrate_tests::sets::set(&[("0001_create_users.sql", "CREATE TABLE other (id int);")]);
    let status = Migrator::new(&edited).status(&client).await.expect("a status");
    assert!(status.to_string().contains("was edited after"), "{status}");
}

async fn set_reader(migration: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    let set = "SELECT set_config('shop.reader', $1, false)";
    migration.execute(set, &[&"pg_monitor"]).await.map(drop)
}

#[tokio::test]
async fn a_value_of_the_environment_is_a_setting() {
    let sql = "CREATE TABLE reports (id bigint PRIMARY KEY);\nDO $$ BEGIN\n    \
               EXECUTE format('GRANT SELECT ON reports TO %I', current_setting('shop.reader'));\nEND $$;\n";
    let guide = include_str!("../../../docs/guides/hooks-and-functions.md");
    assert!(guide.contains(sql), "the guide has other statements");
    let alone = format!("-- migrate:no-transaction\n{sql}");
    for (sql, way) in [(sql, "options"), (sql, "database"), (sql, "hook"), (&alone, "hook")] {
        let set = migrate_tests::sets::set(&[("1_reports.sql", sql)]);
        let database = TestDatabase::empty().expect("a database");
        let mut client = database.connect().await.expect("a client");
        let mut migrator = Migrator::new(&set);
        match way {
            "options" => {
                let mut config = database.config().expect("a configuration");
                config.options("-c shop.reader=pg_monitor");
                client = migrate_tests::database::connect(&config).await;
            }
            "database" => {
                let name = database.name();
                let sql = format!("ALTER DATABASE \"{name}\" SET shop.reader = 'pg_monitor'");
                client.batch_execute(&sql).await.expect("a setting");
                client = database.connect().await.expect("a client");
            }
            _ => migrator = migrator.hook(When::BeforeEach, set_reader),
        }
        let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{way}: {e}"));
        assert_eq!(report.applied.len(), 1, "{way}");
        let granted = "SELECT has_table_privilege('pg_monitor', 'reports', 'SELECT'), \
                       coalesce(current_setting('shop.reader', true), '')";
        let row = client.query_one(granted, &[]).await.expect("a row");
        assert!(row.get::<_, bool>(0), "{way}");
        assert_eq!(row.get::<_, String>(1).is_empty(), way == "hook", "the hook's ends with it");
    }
}
