//! Several sets in one boot, in a given order.

use migrate_runtime::{ErrorKind, Migrations, Migrator, run_in_order};
use migrate_testing::{
    TestDatabase, assert_idempotent, assert_reversible, check_reversible, check_reversible_from,
};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::module;

fn auth() -> Migrations {
    module("auth", &[("001_users.sql", "CREATE TABLE users (id int PRIMARY KEY);")])
}

fn app() -> Migrations {
    let posts = "CREATE TABLE posts (author int REFERENCES users);";
    module("app", &[("001_posts.sql", posts), ("002_tags.sql", "CREATE TABLE tags ();")])
}

#[tokio::test]
async fn sets_run_in_the_order_given_and_nothing_pending_is_one_message() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (auth, app) = (auth(), app());
    let (auth, app) = (Migrator::new(&auth), Migrator::new(&app));
    let reports = run_in_order([&auth, &app], &mut client).await.expect("a boot");
    let counts: Vec<usize> = reports.iter().map(|report| report.applied.len()).collect();
    assert_eq!(counts, [1, 2]);
    let again = run_in_order([&auth, &app], &mut client).await.expect("a boot");
    let skipped: Vec<usize> = again.iter().map(|report| report.skipped.len()).collect();
    assert_eq!(skipped, [1, 2]);
    assert_eq!(again.iter().map(|report| report.messages).sum::<u32>(), 1);
    let order = "SELECT string_agg(module, ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(value(&client, order).await, "auth app app");
}

#[tokio::test]
async fn only_sets_with_pending_migrations_run() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (auth, app) = (auth(), app());
    let (auth, app) = (Migrator::new(&auth), Migrator::new(&app));
    auth.run(&mut client).await.expect("a run");
    app.clone().to("001").run(&mut client).await.expect("a run");
    let reports = run_in_order([&auth, &app], &mut client).await.expect("a boot");
    let counts: Vec<usize> = reports.iter().map(|report| report.applied.len()).collect();
    assert_eq!(counts, [0, 1]);
    // The read of all, the second's own, its lock, and what it applies.
    assert_eq!(reports.iter().map(|report| report.messages).sum::<u32>(), 4);
}

#[tokio::test]
async fn failure_names_its_module_and_keeps_the_reports_before_it() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (auth, broken) = (auth(), module("app", &[("1_x.sql", "SELECT 1/0;")]));
    let (auth, broken) = (Migrator::new(&auth), Migrator::new(&broken));
    let error = run_in_order([&auth, &broken], &mut client).await.unwrap_err();
    assert_eq!((error.module.as_str(), error.reports.len()), ("app", 1));
    let text = error.to_string();
    assert!(text.starts_with("module `app`: migrations/1_x.sql:1:1: "), "{text}");
}

#[tokio::test]
async fn drift_in_the_last_set_stops_the_first_before_it_runs() {
    let (auth, app) = (auth(), app());
    let edited = module("app", &[("001_posts.sql", "CREATE TABLE posts ();")]);
    let first = Migrator::new(&auth);
    // One message does not compare the last two with the other set.
    for first in [first.clone(), first.clone().table("other"), first.allow_edited()] {
        let (_database, mut client) = FreshDatabase::connected().await;
        Migrator::new(&edited).run(&mut client).await.expect("a run");
        let error = run_in_order([&first, &Migrator::new(&app)], &mut client).await.unwrap_err();
        assert!(matches!(error.error.kind(), ErrorKind::Drift { .. }), "{error}");
        assert_eq!((error.module.as_str(), error.reports.len()), ("app", 0));
        assert_eq!(value(&client, "SELECT to_regclass('users') IS NULL").await, "t");
    }
}

/// There is no schema yet when the ledgers are compared.
#[tokio::test]
async fn ledger_of_a_set_can_be_in_a_schema_that_a_set_before_it_makes() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let first = module("first", &[("1_s.sql", "CREATE SCHEMA s;")]);
    let second = module("second", &[("1_t.sql", "CREATE TABLE s.t ();")]);
    let both = [&Migrator::new(&first), &Migrator::new(&second).ledger_schema("s")];
    let reports = run_in_order(both, &mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(reports.iter().map(|report| report.applied.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(value(&client, "SELECT version FROM s.migration_ledger").await, "1");
}

#[tokio::test]
async fn sets_that_one_ledger_cannot_tell_apart_are_refused() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (auth, other) = (auth(), module("auth", &[("1_x.sql", "CREATE TABLE x ();")]));
    let both = [&Migrator::new(&auth), &Migrator::new(&other)];
    let error = run_in_order(both, &mut client).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "module `auth`: two sets have the module `auth` in `public.migration_ledger`\n\
         help: give one of them another name with `embed_migrations!(.., module = \"..\")`"
    );
    let elsewhere = Migrator::new(&other).table("other_ledger");
    run_in_order([&Migrator::new(&auth), &elsewhere], &mut client).await.expect("two ledgers");
}

#[tokio::test]
async fn database_of_a_test_has_all_sets_and_status_names_modules_of_others() {
    let (auth, app) = (auth(), app());
    let database = TestDatabase::new([&auth, &app]).expect("both");
    let client = database.connect().await.expect("a client");
    let order = "SELECT string_agg(module, ' ' ORDER BY position) FROM migration_ledger";
    assert_eq!(value(&client, order).await, "auth app app");
    let status = Migrator::new(&app).status(&client).await.expect("a status");
    assert_eq!(status.other_modules, ["auth"]);
    let last = "\nnote: the ledger also has modules of other sets: auth";
    assert!(status.to_string().ends_with(last), "{status}");

    let alone = TestDatabase::new(&auth).expect("one");
    let client = alone.connect().await.expect("a client");
    let status = Migrator::new(&auth).status(&client).await.expect("a status");
    assert_eq!((status.other_modules.len(), status.migrations.len()), (0, 1));
    let error = TestDatabase::new([&app, &auth]).expect_err("the other order").to_string();
    assert!(error.starts_with("migrations/001_posts.sql:1:1: relation \"users\""), "{error}");
}

#[test]
fn sets_are_checked_in_their_order() {
    let auth = module(
        "auth",
        &[(
            "1_users.sql",
            "-- UP\nCREATE TABLE users (id int PRIMARY KEY);\n-- DOWN\nDROP TABLE users;",
        )],
    );
    let posts =
        "-- UP\nCREATE TABLE posts (author int REFERENCES users);\n-- DOWN\nDROP TABLE posts;";
    let app = module("app", &[("1_posts.sql", posts)]);
    assert_reversible([&auth, &app]);
    assert_idempotent([Migrator::new(&auth), Migrator::new(&app).table("other")]);
    let left = "-- UP\nCREATE TABLE tags (id int REFERENCES users);\n-- DOWN\nSELECT 1;";
    let more = module("app", &[("1_posts.sql", "SELECT 1;"), ("2_tags.sql", left)]);
    for error in [
        check_reversible([&auth, &module("app", &[("2_tags.sql", left)])]).expect_err("tags"),
        // The version is one of the last set.
        check_reversible_from([&auth, &more], "2").expect_err("tags"),
    ] {
        let error = error.to_string();
        assert!(
            error.starts_with("migrations/2_tags.sql: its down script does not leave"),
            "{error}"
        );
    }
}
