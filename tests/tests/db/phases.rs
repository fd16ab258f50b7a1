//! Migrations that remove what an older release uses: refused while the caller says that it runs.

use migrate_runtime::{ErrorKind, Migrations, Migrator, run_in_order};
use migrate_source::check::{Lints, SetOptions, SourceFile, check};
use migrate_tests::database::{FreshDatabase, value};

const FILES: &[(&str, &str)] = &[
    ("1_users.sql", "CREATE TABLE users (id int, name text, age int);"),
    ("2_full_name.sql", "ALTER TABLE users ADD full_name text;"),
    ("3_drop_name.sql", "-- migrate:phase contract after 2.3\nALTER TABLE users DROP COLUMN name;"),
    ("4_drop_age.sql", "-- migrate:phase contract after 2.10\nALTER TABLE users DROP COLUMN age;"),
];

/// The set of these files, with all lints, or the first lines of its mistakes.
fn attempt(module: &str, files: &[(&str, &str)]) -> Result<Migrations, Vec<String>> {
    let file = |&(path, sql): &(&str, &str)| SourceFile::new(path, sql);
    let files: Vec<SourceFile> = files.iter().map(file).collect();
    let module = module.to_owned();
    let options = SetOptions { module, lints: Lints::Deny, ..SetOptions::default() };
    let first =
        |text: String| text.lines().filter(|l| l.starts_with("m/")).map(str::to_owned).collect();
    check("m", &files, &options).map(|it| it.set).map_err(|errors| first(errors.to_string()))
}

fn set(module: &str, files: &[(&str, &str)]) -> Migrations {
    attempt(module, files).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn applied(report: &migrate_runtime::Report) -> Vec<&str> {
    report.applied.iter().map(|one| &*one.version).collect()
}

/// A phase answers what concerns releases, not what scans or rewrites the table.
#[test]
fn phase_satisfies_the_lints_about_releases() {
    let sql = "ALTER TABLE users RENAME name TO first_name;\n\
               ALTER TABLE users ALTER age SET NOT NULL;\n\
               ALTER TABLE users ALTER id TYPE bigint;\n\
               ALTER TABLE users RENAME TO people;\n\
               ALTER TABLE people DROP COLUMN age;\n\
               DROP TABLE people;";
    let errors = |phase: &str| {
        let files = [FILES[0], ("2_all.sql", &format!("{phase}\n{sql}"))];
        attempt("default", &files)
            .expect_err("lints")
            .into_iter()
            .map(|error| {
                let (place, message) = error.split_once(": ").expect("a place");
                let line = place.split(':').nth(1).expect("a line");
                format!("{line} {}", message.split(' ').take(2).collect::<Vec<_>>().join(" "))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(errors("-- migrate:phase contract after 2.3"), ["3 all rows", "4 the change"]);
    assert_eq!(errors("").len(), 6);
    let down = [FILES[0], ("1_users.down.sql", "-- migrate:phase contract after 2\nSELECT 1;")];
    let errors = attempt("default", &down).expect_err("a phase of a down script");
    assert_eq!(errors, ["m/1_users.down.sql: a phase in a down section"]);
}

const COLUMNS: &str = "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) \
                       FROM information_schema.columns WHERE table_name = 'users'";

#[tokio::test]
async fn contract_is_refused_while_an_older_release_runs() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let all = set("default", FILES);
    let migrator = Migrator::new(&all).oldest_peer("2.2");
    let error = migrator.run(&mut client).await.expect_err("an older release");
    assert_eq!(
        error.to_string(),
        "release 2.2 is running, and uses what is removed by:\n  \
         m/3_drop_name.sql (contract after 2.3)\n  m/4_drop_age.sql (contract after 2.10)\n\
         help: set `.oldest_peer(..)` to the oldest release that runs, once that is 2.10 or newer"
    );
    assert!(error.report().is_none_or(|report| report.applied.is_empty()));
    assert_eq!(value(&client, "SELECT to_regclass('users') IS NULL").await, "t", "nothing ran");

    let before = migrator.clone().to(2).run(&mut client).await.expect("what comes before");
    assert_eq!(applied(&before), ["1", "2"]);

    let error = Migrator::new(&all).oldest_peer("2.9.1").run(&mut client).await.expect_err("2.9.1");
    let text = error.to_string();
    assert!(
        text.starts_with(
            "release 2.9.1 is running, and uses what is removed by m/4_drop_age.sql (contract after 2.10)\n"
        ),
        "{text}"
    );
    assert_eq!(value(&client, COLUMNS).await, "id name age full_name");

    let report = Migrator::new(&all).oldest_peer("v2.10").run(&mut client).await.expect("a run");
    assert_eq!(applied(&report), ["3", "4"]);
    // What is applied is refused to no release.
    assert_eq!(migrator.run(&mut client).await.expect("again").messages, 1);
}

#[tokio::test]
async fn without_the_option_no_phase_stops_a_run() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let report = Migrator::new(&set("default", FILES)).run(&mut client).await.expect("a run");
    assert_eq!(applied(&report), ["1", "2", "3", "4"]);
}

/// The phase decides when a file may run, not what it does: the ledger neither has nor compares it.
#[tokio::test]
async fn phase_can_be_added_changed_and_removed_after_the_file_ran() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let ledger = "SELECT checksum || coalesce(ran, '') FROM migration_ledger WHERE version = '3'";
    let with = set("default", FILES);
    Migrator::new(&with).run(&mut client).await.expect("a run");
    let recorded = value(&client, ledger).await;
    let first = "-- migrate:allow column-dropped because a test\n";
    for sql in ["", "-- migrate:phase contract after 9\n"] {
        let sql = format!("{first}{sql}ALTER TABLE users DROP COLUMN name;");
        let files = [FILES[0], FILES[1], ("3_drop_name.sql", &sql), FILES[3]];
        let other = set("default", &files);
        let report =
            Migrator::new(&other).oldest_peer("1").run(&mut client).await.expect("no drift");
        assert_eq!(report.messages, 1, "{sql}");
    }
    assert_eq!(value(&client, ledger).await, recorded);
}

#[tokio::test]
async fn verbs_that_apply_nothing_are_not_refused() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let all = set("default", FILES);
    let migrator = Migrator::new(&all).oldest_peer("2.2");
    assert_eq!(migrator.plan(&client).await.expect("a plan").steps.len(), 4);
    let error = migrator.trial(&mut client).await.expect_err("a trial is that of the run");
    assert!(matches!(error.kind(), ErrorKind::OlderPeer { .. }), "{error}");
    migrator.baseline(&mut client, 4).await.expect("a baseline, which removes nothing");
    migrator.verify(&client).await.expect("nothing pending");
}

#[tokio::test]
async fn sets_in_order_are_refused_one_by_one() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (library, service) = (set("library", &FILES[..1]), set("service", &FILES[1..]));
    let migrators = [Migrator::new(&library), Migrator::new(&service).oldest_peer("2.2")];
    let error = run_in_order(&migrators, &mut client).await.expect_err("an older release");
    assert_eq!((error.module.as_str(), error.reports.len()), ("service", 1));
    assert!(matches!(error.error.kind(), ErrorKind::OlderPeer { .. }), "{error}");
}

#[tokio::test]
async fn oldest_peer_must_be_a_release() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let all = set("default", &FILES[..1]);
    let error = Migrator::new(&all).oldest_peer("next").run(&mut client).await.expect_err("a word");
    assert_eq!(
        error.to_string(),
        "the oldest peer `next` is not a release\n\
         help: set `.oldest_peer(..)` to numbers with dots, such as 2.3"
    );
    assert_eq!(value(&client, "SELECT to_regclass('users') IS NULL").await, "t", "nothing ran");
}
