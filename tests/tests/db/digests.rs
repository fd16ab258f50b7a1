//! The digests in the rows of a ledger: whatever a run does, those of the last row are those of what is present.

use migrate_runtime::adopt::Adopt;
use migrate_runtime::ledger::Edited;
use migrate_runtime::{Lock, Migrations, Migrator, Rollback, run_in_order};
use migrate_set::digest::line;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::role::SmallRole;
use migrate_tests::sets::{module, set};
use tokio_postgres::Client;

const A: (&str, &str) = ("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;");
const B: (&str, &str) = ("2_b.sql", "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;");
const C: (&str, &str) = ("3_c.sql", "-- migrate:no-transaction\nVACUUM b;\nVACUUM a;");
const D: (&str, &str) = ("4_d.sql", "CREATE TABLE d (id int);");
const V: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;");
const W: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one, 2 AS two;");

/// The digests of the last row.
async fn last(client: &Client) -> String {
    let last = "SELECT digests FROM migration_ledger ORDER BY position DESC LIMIT 1";
    value(client, last).await
}

/// Checks that the last row shows exactly these sets.
async fn shows(client: &Client, sets: &[&Migrations], what: &str) {
    let lines = sets.iter().map(|set| line(set.traits().digest, set.module()));
    assert_eq!(last(client).await, lines.collect::<String>(), "{what}");
}

async fn run(set: &Migrations, client: &mut Client) {
    Migrator::new(set).run(client).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn each_row_has_the_digest_of_what_is_present_after_it() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[A, B, C, V]), &mut client).await;
    for (position, files) in [(1, &[A][..]), (2, &[A, B]), (3, &[A, B, C]), (4, &[A, B, C, V])] {
        let expected = line(set(files).traits().digest, "default");
        let row = format!("SELECT digests FROM migration_ledger WHERE position = {position}");
        assert_eq!(value(&client, &row).await, expected, "{position}");
    }
    run(&set(&[A, B, C, W]), &mut client).await;
    shows(&client, &[&set(&[A, B, C, W])], "a new text of a repeatable migration").await;
    run(&set(&[A, B, C, D, W]), &mut client).await;
    let all = set(&[A, B, C, D, W]);
    shows(&client, &[&all], "a later version").await;

    let migrator = Migrator::new(&all);
    migrator.forget(&mut client, 4).await.unwrap_or_else(|e| panic!("{e}"));
    migrator.forget(&mut client, 3).await.unwrap_or_else(|e| panic!("{e}"));
    shows(&client, &[&set(&[A, B, W])], "two that were forgotten").await;
    migrator.rollback(&mut client, Rollback::Steps(1)).await.unwrap_or_else(|e| panic!("{e}"));
    shows(&client, &[&set(&[A])], "an undone one, and the view after it").await;
    client.batch_execute("DROP TABLE d").await.expect("by hand");
    run(&all, &mut client).await;
    shows(&client, &[&all], "all of them again").await;
}

#[tokio::test]
async fn digests_do_not_depend_on_the_way() {
    let all = set(&[A, B, V]);
    let edited = ("1_a.sql", "CREATE TABLE a (id bigint);");

    let (_database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&all).baseline(&mut client, 1).await.unwrap_or_else(|e| panic!("{e}"));
    shows(&client, &[&set(&[A])], "a baseline").await;
    run(&all, &mut client).await;
    shows(&client, &[&all], "the rest after a baseline").await;

    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[B, V]), &mut client).await;
    let lenient = Migrator::new(&all).allow_out_of_order();
    lenient.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    shows(&client, &[&all], "out of order").await;

    let (_database, mut client) = FreshDatabase::connected().await;
    run(&set(&[edited, B, V]), &mut client).await;
    let accepted = Migrator::new(&all).accept(&mut client, Edited::All).await;
    assert_eq!(accepted.unwrap_or_else(|e| panic!("{e}")).amended.len(), 1);
    shows(&client, &[&all], "an accepted edit").await;

    let (_database, mut client) = FreshDatabase::connected().await;
    client
        .batch_execute(
            "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); \
             INSERT INTO schema_migrations VALUES (2, false)",
        )
        .await
        .expect("another tool's table");
    let adopted = Migrator::new(&all).adopt(&mut client, Adopt::GolangMigrate).await;
    assert_eq!(adopted.unwrap_or_else(|e| panic!("{e}")).amended.len(), 2);
    shows(&client, &[&set(&[A, B])], "adopted without checksums").await;
}

#[tokio::test]
async fn an_unfinished_migration_shows_no_set_until_it_is_finished() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let failing = set(&[A, B, ("3_c.sql", "-- migrate:no-transaction\nVACUUM b;\nVACUUM d;")]);
    Migrator::new(&failing).run(&mut client).await.expect_err("a failure");
    let unfinished = last(&client).await;
    for files in [&[A, B][..], &[A, B, C], &[A]] {
        assert_ne!(unfinished, line(set(files).traits().digest, "default"));
    }
    // Rows of another module come between.
    let other = module("other", &[("1_d.sql", "CREATE TABLE d (id int);")]);
    run(&other, &mut client).await;
    let own = unfinished.clone() + &line(other.traits().digest, "other");
    assert_eq!(last(&client).await, own);
    run(&failing, &mut client).await;
    shows(&client, &[&failing, &other], "continued after rows of another module").await;
}

#[tokio::test]
async fn modules_and_kinds_of_lock_keep_each_others_digests() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (app, auth) = (module("app", &[A, V]), module("auth", &[B]));
    Migrator::new(&app).lock(Lock::Row).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    run(&auth, &mut client).await;
    shows(&client, &[&app, &auth], "two modules").await;
    let more = module("app", &[A, D, W]);
    run(&more, &mut client).await;
    shows(&client, &[&more, &auth], "more in the first").await;
}

/// What was changed by hand is in the digests of the rows that a run adds afterwards.
#[tokio::test]
async fn rows_that_were_changed_by_hand_are_counted_by_the_next_run() {
    let (two, three) = (set(&[A, B]), set(&[A, B, D]));
    let edited = set(&[("1_a.sql", "CREATE TABLE a (id bigint);"), B, D]);
    let by_hand = format!(
        "UPDATE migration_ledger SET checksum = '{}' WHERE version = '1'",
        edited.as_slice()[0].checksum()
    );
    for (hand, next) in [
        (by_hand.as_str(), &edited),
        ("UPDATE migration_ledger SET digests = NULL", &three),
        ("UPDATE migration_ledger SET digests = 'by hand'", &three),
        ("UPDATE migration_ledger SET checksum = NULL", &three),
    ] {
        let (_database, mut client) = FreshDatabase::connected().await;
        run(&two, &mut client).await;
        client.batch_execute(hand).await.expect(hand);
        let lenient = Migrator::new(next).allow_edited();
        lenient.run(&mut client).await.unwrap_or_else(|e| panic!("{hand}: {e}"));
        shows(&client, &[next], hand).await;
    }
}

/// A boot looks at the last row only; `verify` and a run with something pending look at all.
#[tokio::test]
async fn what_a_boot_sees_of_rows_that_were_changed_by_hand() {
    let (present, more) = (set(&[A, B, D]), set(&[A, B, D, V]));
    let insert = "INSERT INTO migration_ledger SELECT (jsonb_populate_record(l, \
                  '{\"version\": \"3\", \"position\": 4, \"digests\": null}')).* \
                  FROM migration_ledger l WHERE position = 2";
    for (hand, is_seen) in [
        ("UPDATE migration_ledger SET checksum = md5('') WHERE version = '1'", false),
        ("UPDATE migration_ledger SET checksum = md5('') WHERE version = '4'", false),
        ("UPDATE migration_ledger SET version = '3' WHERE version = '2'", false),
        ("DELETE FROM migration_ledger WHERE version = '2'", false),
        (
            "DELETE FROM migration_ledger WHERE version = '2'; \
             UPDATE migration_ledger SET digests = NULL",
            true,
        ),
        ("DELETE FROM migration_ledger WHERE version IN ('1', '4')", true),
        (insert, true),
    ] {
        let (_database, mut client) = FreshDatabase::connected().await;
        run(&present, &mut client).await;
        client.batch_execute(hand).await.expect(hand);
        let boot = Migrator::new(&present).run(&mut client).await;
        assert_eq!(boot.is_err(), is_seen, "{hand}: {boot:?}");
        Migrator::new(&present).verify(&client).await.expect_err(hand);
        Migrator::new(&more).run(&mut client).await.expect_err(hand);
    }
}

#[tokio::test]
async fn function_that_a_role_may_not_call_is_not_needed() {
    let mut at = SmallRole::create().await;
    at.prepare("REVOKE EXECUTE ON FUNCTION ts_stat(text) FROM PUBLIC").await;
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).schema("own");
    for (applied, messages) in [(1, 4), (0, 2)] {
        let report = migrator.run(&mut at.client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((report.applied.len(), report.messages), (applied, messages), "{report:?}");
    }
}

/// Rows of other modules and events come after the last entry of the set.
#[tokio::test]
async fn boot_reads_one_row_whatever_comes_after_its_entries() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (app, auth) = (module("app", &[A, V]), module("auth", &[B, C]));
    run(&app, &mut client).await;
    run(&auth, &mut client).await;
    let undo = Migrator::new(&auth);
    undo.forget(&mut client, 3).await.unwrap_or_else(|e| panic!("{e}"));
    run(&auth, &mut client).await;
    // If it read them, it would find this.
    let edit = "UPDATE migration_ledger SET checksum = 'edited'";
    client.batch_execute(edit).await.expect("an edit");
    for set in [&app, &auth] {
        let report = Migrator::new(set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((report.skipped.len(), report.messages), (2, 1));
        assert_eq!(report.skipped.iter().count(), 2);
        assert_eq!(report.skipped, report.clone().skipped);
    }
    let reports = run_in_order([&Migrator::new(&app), &Migrator::new(&auth)], &mut client).await;
    assert_eq!(reports.expect("a boot").iter().map(|one| one.messages).sum::<u32>(), 1);
}
