//! Ledger and set disagree: what each option allows.

use migrate_runtime::{ErrorKind, Migrations, Migrator};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::sets::{module, set};
use tokio_postgres::Client;

/// What was applied.
fn applied() -> Migrations {
    set(&[
        ("2_edited.sql", "CREATE TABLE edited (id int);"),
        ("3_gone.sql", "CREATE TABLE gone (id int);"),
        ("7_known.sql", "CREATE TABLE known (id int);"),
        ("9_newer.sql", "CREATE TABLE newer (id int);"),
    ])
}

/// A set that disagrees with [`applied`] in every way.
fn deviating() -> Migrations {
    set(&[
        ("1_late.sql", "CREATE TABLE late (id int);"),
        ("2_edited.sql", "CREATE TABLE edited (id bigint);"),
        ("7_known.sql", "CREATE TABLE known (id int);"),
        ("8_last.sql", "CREATE TABLE last (id int);"),
    ])
}

async fn deviated() -> (FreshDatabase, Client) {
    let (database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&applied()).run(&mut client).await.expect("a run");
    let sql = "UPDATE migration_ledger SET checksum_algorithm = 'of-tomorrow-1', checksum = md5('7') WHERE version = '7'; \
               UPDATE migration_ledger SET digests = NULL";
    client.batch_execute(sql).await.expect("an entry of a newer binary");
    (database, client)
}

/// Everything that a run could change.
async fn everything(client: &Client) -> String {
    let sql = "SELECT (SELECT string_agg(l::text || ctid || xmin, '; ' ORDER BY position) \
               FROM migration_ledger l) || (SELECT string_agg(relname, ' ' ORDER BY relname) \
               FROM pg_class WHERE relnamespace = 'public'::regnamespace)";
    value(client, sql).await
}

/// Checks that every verb refuses and changes nothing, and returns the error. A run reads again, to report all.
async fn refused(client: &mut Client, migrator: &Migrator<'_>) -> String {
    let before = everything(client).await;
    let error = migrator.run(client).await.expect_err("drift");
    let ErrorKind::Drift { .. } = error.kind() else { panic!("{error}") };
    let report = error.report().expect("a report");
    assert_eq!((report.applied.len(), report.messages), (0, 2), "{error}");
    let text = error.to_string();
    assert_eq!(migrator.plan(client).await.expect_err("drift").to_string(), text);
    let status = migrator.status(client).await.expect("a status, with drift");
    let shown = status.drift.as_ref().expect("drift").to_string();
    assert!(text.starts_with(&shown), "{text}");
    assert!(status.to_string().ends_with(&shown), "{status}");
    assert_eq!(migrator.verify(client).await.expect_err("drift").to_string(), text);
    assert_eq!(everything(client).await, before);
    assert_eq!(value(client, ADVISORY_LOCKS).await, "0");
    text
}

/// `FILE was applied by ROLE at TIME`, from the ledger.
async fn applied_by(client: &Client, version: &str) -> (String, String) {
    let sql =
        |what: &str| format!("SELECT {what} FROM migration_ledger WHERE version = '{version}'");
    let at = "to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    (value(client, &sql("applied_by")).await, value(client, &sql(at)).await)
}

const UNKNOWN: &str = "version 7: the checksum of `migrations/7_known.sql` in the ledger was made with \
    `of-tomorrow-1`, which this binary does not know\n  \
    help: run a binary at least as new as the one that applied it";

/// The lines of each deviation between [`applied`] and [`deviating`], in the order of the report.
async fn deviations(client: &Client) -> [(&'static str, String); 6] {
    let recorded = applied().iter().next().expect("a migration").checksum().to_string();
    let embedded = deviating().iter().nth(1).expect("a migration").checksum().to_string();
    let (by, at) = applied_by(client, "2").await;
    let (gone_by, gone_at) = applied_by(client, "3").await;
    let (newer_by, newer_at) = applied_by(client, "9").await;
    [
        (
            "out of order",
            "version 1: `migrations/1_late.sql` is pending and sorts before version 9, which was applied\n  \
             help: give it a version above the newest applied one, or use `.allow_out_of_order()`"
                .to_owned(),
        ),
        (
            "edited",
            format!(
                "version 2: `migrations/2_edited.sql` was edited after {by} applied it at {at} \
                 (applied {recorded}, the set has {embedded})\n  \
                 help: restore the file and put the change into a new migration, or use `.allow_edited()`"
            ),
        ),
        ("edited", UNKNOWN.to_owned()),
        (
            "out of order",
            "version 8: `migrations/8_last.sql` is pending and sorts before version 9, which was applied\n  \
             help: give it a version above the newest applied one, or use `.allow_out_of_order()`"
                .to_owned(),
        ),
        (
            "missing",
            format!(
                "version 3: `3_gone.sql` was applied by {gone_by} at {gone_at} and is missing from the set\n  \
                 help: restore the file, or use `.allow_missing()`"
            ),
        ),
        (
            "ahead",
            format!(
                "version 9: `9_newer.sql` was applied by {newer_by} at {newer_at} and is newer than this set\n  \
                 help: deploy a binary that includes it, or remove `.refuse_ahead()`"
            ),
        ),
    ]
}

/// The report of these deviations.
fn reported(deviations: &[(&str, String)], kinds: &[&str]) -> String {
    let expected = deviations.iter().filter(|(kind, _)| kinds.contains(kind));
    let lines: Vec<&str> = expected.map(|(_, line)| line.as_str()).collect();
    let places = if lines.len() == 1 { "place" } else { "places" };
    format!("ledger and set disagree in {} {places}\n{}", lines.len(), lines.join("\n"))
}

#[tokio::test]
async fn deviations_of_every_kind_are_reported_at_once_and_nothing_runs() {
    let (_database, mut client) = deviated().await;
    let set = deviating();
    let text = refused(&mut client, &Migrator::new(&set).refuse_ahead()).await;
    let all = deviations(&client).await;
    assert_eq!(text, reported(&all, &["out of order", "edited", "missing", "ahead"]));
}

#[tokio::test]
async fn options_allow_their_own_kind_and_no_other() {
    let (_database, mut client) = deviated().await;
    let set = deviating();
    let migrator = Migrator::new(&set);
    let all = deviations(&client).await;
    for (migrator, kinds) in [
        (migrator.clone(), &["out of order", "edited", "missing"][..]),
        (migrator.clone().allow_out_of_order(), &["edited", "missing"]),
        (migrator.clone().allow_edited(), &["out of order", "missing"]),
        (migrator.clone().allow_missing(), &["out of order", "edited"]),
        (
            migrator.clone().refuse_ahead().allow_missing().allow_edited(),
            &["out of order", "ahead"],
        ),
        (
            migrator.clone().refuse_ahead().allow_missing().allow_out_of_order(),
            &["edited", "ahead"],
        ),
        (migrator.clone().allow_edited().allow_out_of_order(), &["missing"]),
        (
            migrator.clone().refuse_ahead().allow_missing().allow_edited().allow_out_of_order(),
            &["ahead"],
        ),
    ] {
        assert_eq!(refused(&mut client, &migrator).await, reported(&all, kinds));
    }
}

#[tokio::test]
async fn all_options_together_apply_what_is_pending() {
    let (_database, mut client) = deviated().await;
    let entries = "SELECT string_agg(l::text, '; ' ORDER BY position) FROM migration_ledger l WHERE position < 5";
    let before = value(&client, entries).await;
    let set = deviating();
    let lenient = Migrator::new(&set).allow_out_of_order().allow_edited().allow_missing();
    let status = lenient.status(&client).await.expect("a status");
    assert_eq!(status.pending(), 2, "{status}");
    let report = lenient.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    let versions: Vec<&str> = report.applied.iter().map(|applied| &*applied.version).collect();
    assert_eq!(versions, ["1", "8"]);
    assert_eq!(report.ahead, ["9"]);
    // Allowed deviations change neither entries nor tables.
    assert_eq!(value(&client, entries).await, before);
    let kind = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute \
                WHERE attrelid = 'edited'::regclass AND attname = 'id'";
    assert_eq!(value(&client, kind).await, "integer");
    let report = lenient.run(&mut client).await.expect("again");
    assert_eq!((report.applied.len(), report.messages), (0, 1));
    lenient.verify(&client).await.expect("nothing pending");
    // Without the options, the deviations are still drift.
    let all = deviations(&client).await;
    let text = refused(&mut client, &Migrator::new(&set)).await;
    assert_eq!(text, reported(&all, &["edited", "missing"]));
}

#[tokio::test]
async fn checksums_of_unknown_algorithms_pass_as_edited_ones_do() {
    let (_database, mut client) = deviated().await;
    let set = applied();
    let strict = Migrator::new(&set).allow_out_of_order().allow_missing();
    let expected = format!("ledger and set disagree in 1 place\n{UNKNOWN}");
    assert_eq!(refused(&mut client, &strict).await, expected);
    let report = strict.allow_edited().run(&mut client).await.expect("allowed");
    assert_eq!((report.skipped.len(), report.messages), (4, 1), "{report:?}");
}

#[tokio::test]
async fn newer_entries_are_ahead_and_not_missing() {
    let (_database, mut client) = deviated().await;
    let old = set(&[("2_edited.sql", "CREATE TABLE edited (id int);")]);
    let report = Migrator::new(&old).run(&mut client).await.expect("an old replica");
    assert_eq!((report.ahead.len(), report.messages), (3, 1), "{report:?}");
    let text = refused(&mut client, &Migrator::new(&old).refuse_ahead()).await;
    assert!(
        text.starts_with("ledger and set disagree in 3 places\nversion 3: `3_gone.sql`"),
        "{text}"
    );
    assert_eq!(text.matches("remove `.refuse_ahead()`").count(), 3, "{text}");
}

#[tokio::test]
async fn other_modules_are_no_drift() {
    let (_database, mut client) = deviated().await;
    let other = module("other", &[("2_x.sql", "CREATE TABLE x (id int);")]);
    let strict = Migrator::new(&other).refuse_ahead();
    assert_eq!(strict.run(&mut client).await.expect("a run").applied.len(), 1);
    assert!(strict.run(&mut client).await.expect("a run").ahead.is_empty());
}

#[tokio::test]
async fn repeatable_migrations_that_left_the_set_are_no_drift() {
    let (_database, mut client) = deviated().await;
    let view = "CREATE OR REPLACE VIEW v AS SELECT 1 AS x;";
    let both = module("views", &[("V1__a.sql", "SELECT 1;"), ("R__v.sql", view)]);
    Migrator::new(&both).run(&mut client).await.expect("a run");
    let without = module("views", &[("V1__a.sql", "SELECT 1;")]);
    let strict = Migrator::new(&without).refuse_ahead();
    let report = strict.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((report.skipped.len(), report.ahead.len()), (1, 0), "{report:?}");
    // Back in the set, it is still applied.
    assert_eq!(Migrator::new(&both).run(&mut client).await.expect("a run").applied.len(), 0);
}
