//! What an adoption refuses, where it looks for the table, and replicas that adopt at the same time.

use migrate_runtime::adopt::Adopt;
use migrate_runtime::{Lock, Migrator};
use migrate_tests::database::{FreshDatabase, value};
use tokio::task::JoinSet;

use super::{A, B, C, ENTRIES, GOLANG_MIGRATE, SQLX, refuses, sha384, sqlx_row, three};

#[tokio::test]
async fn all_obstacles_are_reported_at_once() {
    let rows = [sqlx_row(1, C, true), sqlx_row(2, B, false), sqlx_row(7, A, true)].concat();
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let error = refuses(&set, &[SQLX, &rows].concat(), Adopt::Sqlx).await;
    let (_database, client) = FreshDatabase::connected().await;
    let digest =
        async |text| value(&client, &format!("SELECT encode({}, 'hex')", sha384(text))).await;
    assert_eq!(
        error.to_string(),
        format!(
            "`public._sqlx_migrations` cannot be adopted from sqlx:\n\
             migrations/1_a.sql differs from what was applied: SHA-384 {} was recorded, the set has {}\n\
             version 2 failed and was not fixed\n\
             version 7 is not in the set\n\
             help: add the missing files to the folder, or use `.allow_missing()` to leave these rows out\n\
             help: restore the text that was applied, or use `.allow_edited()` to adopt it unverified\n\
             help: first fix what failed, with the other tool",
            digest(C).await,
            digest(A).await
        )
    );
}

/// As where old migrations were replaced by one.
#[tokio::test]
async fn what_the_options_allow_is_adopted_with_a_note() {
    let rows = [sqlx_row(1, C, true), sqlx_row(2, B, true), sqlx_row(7, A, true)].concat();
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(&[SQLX, &rows].concat()).await.expect("a history");
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let migrator = Migrator::new(&set);
    let only_missing = migrator.clone().allow_missing();
    only_missing.adopt(&mut client, Adopt::Sqlx).await.expect_err("another text");
    let only_edited = migrator.clone().allow_edited();
    only_edited.adopt(&mut client, Adopt::Sqlx).await.expect_err("a row without a file");
    let report = only_missing.allow_edited().adopt(&mut client, Adopt::Sqlx).await;
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        report.notes,
        [
            "version 7 is not in the set and was left out",
            "version 1 is adopted unverified, because the text differs from what sqlx applied; `accept` \
             (`repair accept` of the command line) records the set's text as what ran"
        ]
    );
    let entries = "1:unverified:2024-05-01T12:00:me:12 2:verified:2024-05-02T12:00:me:12";
    assert_eq!(value(&client, ENTRIES).await, entries);
    let run = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((run.applied.len(), run.skipped.len()), (1, 2));
}

/// The only row of golang-migrate is about all versions before it too.
#[tokio::test]
async fn newest_version_that_is_missing_covers_those_before_it() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let history = format!("{GOLANG_MIGRATE} INSERT INTO schema_migrations VALUES (2, false);");
    client.batch_execute(&history).await.expect("a history");
    let set = three(["1_a.up.sql", "3_b.up.sql", "4_c.up.sql"]);
    let migrator = Migrator::new(&set).allow_missing();
    let report = migrator.adopt(&mut client, Adopt::GolangMigrate).await;
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.notes[0], "version 2 is not in the set and was left out");
    assert_eq!(value(&client, ENTRIES).await, "1:unverified:now:me:0");
}

#[tokio::test]
async fn table_that_is_missing_or_another_is_named() {
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    assert_eq!(
        refuses(&set, "SELECT 1", Adopt::Sqlx.schema("nowhere")).await.to_string(),
        "`nowhere._sqlx_migrations` does not exist\n\
         help: name the table with `.table(..)` and `.schema(..)`; if sqlx never ran here, only `run` is needed"
    );
    assert_eq!(
        refuses(&set, GOLANG_MIGRATE, Adopt::Pycopg).await.to_string(),
        "`public.schema_migrations` is not a table of pycopg: it has the columns version, dirty\n\
         help: name the table with `.table(..)` and `.schema(..)`; if pycopg never ran here, only `run` is needed"
    );
}

#[tokio::test]
async fn table_of_another_name_is_read() {
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let history = [SQLX, &sqlx_row(1, A, true)].concat();
    let history = history.replace("_sqlx_migrations", "\"Meta\".\"my_\"\"table\"");
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE SCHEMA \"Meta\"").await.expect("a schema");
    client.batch_execute(&history).await.expect(&history);
    let migrator = Migrator::new(&set);
    let from = Adopt::Sqlx.table("my_\"table").schema("Meta");
    assert_eq!(migrator.adopt(&mut client, from.clone()).await.expect("one").amended.len(), 1);
    client.batch_execute("TRUNCATE \"Meta\".\"my_\"\"table\"").await.expect("emptied");
    let report = migrator.adopt(&mut client, from).await.expect("nothing");
    assert_eq!(report.notes, ["`Meta.my_\"table` has no migration that sqlx applied"]);
}

#[tokio::test]
async fn table_that_may_not_be_read_names_the_grant() {
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let (database, mut client) = FreshDatabase::connected().await;
    let role = format!("reader_of_{}", database.name());
    let begin = format!("{SQLX} CREATE ROLE {role}; SET ROLE {role};");
    client.batch_execute(&begin).await.expect(&begin);
    let error = Migrator::new(&set).adopt(&mut client, Adopt::Sqlx).await.expect_err("denied");
    client.batch_execute(&format!("RESET ROLE; DROP ROLE {role}")).await.expect("no role");
    assert_eq!(
        error.to_string(),
        format!(
            "reading sqlx's `public._sqlx_migrations`: permission denied for table _sqlx_migrations \
             (SQLSTATE 42501)\nhelp: GRANT SELECT ON TABLE public._sqlx_migrations TO {role}, or migrate as the owner"
        )
    );
}

#[tokio::test]
async fn replicas_adopt_once() {
    let (database, client) = FreshDatabase::connected().await;
    let history = [SQLX, &sqlx_row(1, A, true), &sqlx_row(2, B, true)].concat();
    client.batch_execute(&history).await.expect("a history");
    for (table, lock) in [("by_advisory", Lock::Advisory), ("by_row", Lock::Row)] {
        let mut replicas = JoinSet::new();
        for _ in 0..8 {
            let mut client = database.connect().await;
            replicas.spawn(async move {
                let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
                let migrator = Migrator::new(&set).table(table).lock(lock);
                let report = migrator.adopt(&mut client, Adopt::Sqlx).await;
                report.unwrap_or_else(|error| panic!("{error}")).amended.len()
            });
        }
        assert_eq!(replicas.join_all().await.iter().sum::<usize>(), 2, "{table}");
        let entries = format!("SELECT count(*) FROM {table} WHERE kind = 'versioned'");
        assert_eq!(value(&client, &entries).await, "2");
    }
}
