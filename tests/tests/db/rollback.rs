//! Rollbacks: by steps, to a version, of everything; also by a binary that does not have the migration.

use migrate_runtime::error::Kept;
use migrate_runtime::set::Direction;
use migrate_runtime::{ErrorKind, Migrations, Migrator, Rollback};
use migrate_tests::database::{ADVISORY_LOCKS, FreshDatabase, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const ONE: (&str, &str) = ("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;");
const TWO: (&str, &str) = (
    "2_b.sql",
    "-- UP\nCREATE TABLE b (id int); SELECT '\\';\n-- DOWN\nSET search_path = '';\nDROP TABLE public.b;",
);
const THREE: (&str, &str) =
    ("3_c.sql", "-- UP\nALTER TABLE a ADD c int;\n-- DOWN\nALTER TABLE a DROP c;");

async fn applied(client: &Client) -> String {
    let ledger = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger \
                  WHERE ended_position = 0";
    value(client, ledger).await
}

async fn with(files: &[(&str, &str)]) -> (FreshDatabase, Client, Migrations) {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = set(files);
    Migrator::new(&set).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    (database, client, set)
}

fn undone(report: &migrate_runtime::Report) -> Vec<&str> {
    report.undone.iter().map(|one| &*one.version).collect()
}

#[tokio::test]
async fn targets_are_steps_a_version_or_all() {
    let (_database, mut client, set) = with(&[ONE, TWO, THREE]).await;
    let migrator = Migrator::new(&set);
    let plan = migrator.plan_rollback(&client, Rollback::All).await.expect("a plan");
    let planned: Vec<&str> = plan.iter().map(|undo| undo.entry.version.as_str()).collect();
    assert_eq!(planned, ["3", "2", "1"]);
    assert_eq!(applied(&client).await, "1 2 3", "a plan undoes nothing");

    let report = migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("a rollback");
    assert_eq!((undone(&report), report.messages), (vec!["3"], 3));
    assert_eq!(applied(&client).await, "1 2");
    migrator.run(&mut client).await.expect("again");
    let to = Rollback::to("001");
    let report = migrator.rollback(&mut client, to).await.expect("a rollback");
    assert_eq!(undone(&report), ["3", "2"]);
    assert!(report.to_string().contains("\n2 undone; 3 messages, "), "{report}");
    assert_eq!(value(&client, "SHOW search_path").await, "\"$user\", public");
    migrator.run(&mut client).await.expect("again");
    let report = migrator.rollback(&mut client, Rollback::All).await.expect("a rollback");
    assert_eq!(undone(&report), ["3", "2", "1"]);
    assert_eq!(value(&client, "SELECT to_regclass('a') IS NULL").await, "t");
    assert_eq!(applied(&client).await, "NULL");
    let report = migrator.rollback(&mut client, Rollback::All).await.expect("nothing left");
    assert_eq!((report.undone.len(), report.messages), (0, 1));
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
    // The ledger keeps which role undid what and when, and no position is used twice.
    let acts = "SELECT count(*) FROM migration_ledger WHERE kind = 'undone' AND module = 'default' \
                AND applied_by = session_user AND applied_at > now() - interval '1 hour'";
    assert_eq!(value(&client, acts).await, "6");
    let report = migrator.run(&mut client).await.expect("all again");
    assert_eq!(report.applied.len(), 3);
    assert_eq!(migrator.run(&mut client).await.expect("up to date").messages, 1);
}

#[tokio::test]
async fn older_binary_undoes_what_a_newer_one_applied() {
    let four = (
        "4_d.sql",
        "-- UP\nCREATE INDEX d ON a (c);\n-- DOWN\n-- migrate:no-transaction\nDROP INDEX CONCURRENTLY d;",
    );
    let (_database, mut client, _) = with(&[ONE, TWO, THREE, four]).await;
    let older = set(&[ONE]);
    let migrator = Migrator::new(&older);
    let report = migrator.rollback(&mut client, Rollback::to(1)).await;
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(undone(&report), ["4", "3", "2"]);
    assert_eq!(applied(&client).await, "1");
    assert_eq!(
        value(
            &client,
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'a'::regclass AND attname = 'c'"
        )
        .await,
        "0"
    );
}

#[tokio::test]
async fn script_of_the_ledger_does_not_replace_that_of_the_set() {
    let (_database, mut client, set) = with(&[ONE, TWO]).await;
    let migrator = Migrator::new(&set);
    let from_ledger = async |migrator: &Migrator<'_>| {
        let undos = migrator.plan_rollback(&client, Rollback::Steps(1)).await;
        undos.map(|undos| (undos[0].is_from_ledger(), undos[0].script().text().to_owned()))
    };
    let (is_from_ledger, _) = from_ledger(&migrator).await.expect("a plan");
    assert!(!is_from_ledger);
    // A role that may write the ledger makes it look as if another text had been applied.
    let script = "DROP TABLE a; DROP TABLE b";
    let write = format!(
        "UPDATE migration_ledger SET checksum = md5('x'), down_sql = '{script}', \
         down_checksum = encode(sha256('{script}'), 'hex') WHERE version = '2'"
    );
    client.batch_execute(&write).await.expect("an update");
    let error = from_ledger(&migrator).await.expect_err("another text");
    assert_eq!(
        error.to_string(),
        "the rollback cannot start; nothing was undone\n\
         version 2: `2_b.sql` was edited after it was applied, or the ledger was\n  \
         help: restore the file, record the edit with `accept`, or undo it by the ledger's script with \
         `.down_from_ledger()`"
    );
    let asked = migrator.clone().down_from_ledger();
    assert_eq!(from_ledger(&asked).await.expect("a plan"), (true, script.to_owned()));
    // The set has no script of it.
    let without =
        migrate_tests::sets::set(&[ONE, ("2_b.sql", "CREATE TABLE b (id int); SELECT '\\';")]);
    let shown = from_ledger(&Migrator::new(&without)).await.expect("a plan");
    assert_eq!(shown, (true, script.to_owned()));
    migrator.rollback(&mut client, Rollback::All).await.expect_err("another text");
    assert_eq!(applied(&client).await, "1 2");
    let report = asked.rollback(&mut client, Rollback::Steps(1)).await.expect("asked for");
    assert_eq!(undone(&report), ["2"]);
    assert_eq!(report.undone[0].filename, "2_b.sql (as the ledger keeps it)");
    assert_eq!(value(&client, "SELECT to_regclass('a')").await, "NULL");
}

#[tokio::test]
async fn down_script_that_was_changed_in_the_ledger_is_not_run() {
    let (_database, mut client, _) = with(&[ONE, TWO]).await;
    client
        .batch_execute("UPDATE migration_ledger SET down_sql = 'DROP TABLE a' WHERE version = '2'")
        .await
        .expect("an update");
    let older = set(&[ONE]);
    let error = Migrator::new(&older).rollback(&mut client, Rollback::All).await.expect_err("it");
    assert_eq!(
        error.to_string(),
        "the rollback cannot start; nothing was undone\n\
         version 2: the down script of `2_b.sql` in the ledger was changed\n  \
         help: restore it, or use a binary whose set has the migration"
    );
    assert_eq!(applied(&client).await, "1 2");
}

#[tokio::test]
async fn down_script_without_statements_undoes_nothing_and_is_no_obstacle() {
    let empty = [
        ONE,
        ("2_b.up.sql", "UPDATE a SET id = 1;"),
        ("2_b.down.sql", "-- nothing to undo"),
        ("3_c.up.sql", "-- migrate:no-transaction\nVACUUM a;"),
        ("3_c.down.sql", "-- migrate:no-transaction\n-- nothing to undo"),
    ];
    let (_database, mut client, both) = with(&empty).await;
    for older in [&both, &set(&[ONE])] {
        Migrator::new(&both).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
        let report = Migrator::new(older).rollback(&mut client, Rollback::All).await;
        assert_eq!(undone(&report.unwrap_or_else(|error| panic!("{error}"))), ["3", "2", "1"]);
        assert_eq!(applied(&client).await, "NULL");
    }
}

#[tokio::test]
async fn every_obstacle_is_reported_before_anything_is_undone() {
    let outside = "-- migrate:no-transaction\nVACUUM a;\nSELECT 1/0;";
    let files = [ONE, ("2_b.sql", "CREATE TABLE b (id int);"), ("3_c.sql", outside)];
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&files);
    Migrator::new(&set).run(&mut client).await.expect_err("a failure");
    let error = Migrator::new(&set).rollback(&mut client, Rollback::All).await.expect_err("two");
    assert_eq!(
        error.to_string(),
        "the rollback cannot start; nothing was undone\n\
         version 3: `3_c.sql` is unfinished\n  \
         help: let `run` complete it first, or undo it by hand and `forget` it\n\
         version 2: `2_b.sql` has no down script\n  \
         help: add a down script to the set, or undo it with a new migration"
    );
    let to = Rollback::to(9);
    let error = Migrator::new(&set).rollback(&mut client, to).await.expect_err("not applied");
    assert_eq!(
        error.to_string(),
        "the rollback cannot start; nothing was undone\n\
         no versioned migration 9 is applied\n  help: choose an applied version, which `status` lists, or undo all with `Rollback::All`"
    );
    assert_eq!(applied(&client).await, "1 2 3");
}

#[tokio::test]
async fn down_script_that_fails_leaves_its_migration_applied() {
    let broken =
        ("2_b.sql", "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;\nDROP TABLE nowhere;");
    let (_database, mut client, set) = with(&[ONE, broken, THREE]).await;
    let error = Migrator::new(&set).rollback(&mut client, Rollback::All).await.expect_err("it");
    assert_eq!(
        error.to_string(),
        "migrations/2_b.sql:5:1: table \"nowhere\" does not exist (SQLSTATE 42P01)\n  \
         |\n\
         5 | DROP TABLE nowhere;\n  \
         | ^^^^^^^^^^^^^^^^^^ here\n\
         version 2 was not undone and is still applied\n\
         version 3 was undone before it and is kept"
    );
    let ErrorKind::Migration { failure, .. } = error.kind() else { panic!() };
    assert_eq!((failure.direction, failure.kept), (Direction::Down, Kept::Nothing));
    assert_eq!(applied(&client).await, "1 2");
    assert_eq!(value(&client, "SELECT to_regclass('b') IS NOT NULL").await, "t");
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn replicas_that_undo_and_apply_at_once_leave_a_true_ledger() {
    let (database, client, set) = with(&[ONE, TWO, THREE]).await;
    let set = std::sync::Arc::new(set);
    let mut tasks = Vec::new();
    for n in 0..12 {
        let (set, mut client) = (std::sync::Arc::clone(&set), database.connect().await);
        tasks.push(tokio::spawn(async move {
            let migrator = Migrator::new(&set);
            let result = match n % 3 {
                0 => migrator.rollback(&mut client, Rollback::Steps(1)).await,
                1 => migrator.rollback(&mut client, Rollback::to(1)).await,
                _ => migrator.run(&mut client).await,
            };
            // Another rollback can find version 1 gone, or a pending one out of order.
            if let Err(error) = result {
                assert!(matches!(error.kind(), ErrorKind::Rollback { .. }), "{error}");
            }
        }));
    }
    for task in tasks {
        task.await.expect("a task");
    }
    for (version, there) in [
        ("1", "to_regclass('a') IS NOT NULL"),
        ("2", "to_regclass('b') IS NOT NULL"),
        (
            "3",
            "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('a') AND attname = 'c')",
        ),
    ] {
        let entry = format!(
            "EXISTS (SELECT FROM migration_ledger WHERE version = '{version}' \
             AND ended_position = 0)"
        );
        assert_eq!(value(&client, &format!("SELECT {entry} = ({there})")).await, "t", "{version}");
    }
    assert_eq!(value(&client, ADVISORY_LOCKS).await, "0");
}

#[tokio::test]
async fn redo_applies_the_last_one_again() {
    let (_database, mut client, set) = with(&[ONE, TWO, THREE]).await;
    let report = Migrator::new(&set).redo(&mut client).await.expect("a redo");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(applied(&client).await, "1 2 3");
}

#[tokio::test]
async fn redo_applies_what_was_applied_out_of_order_again() {
    let (_database, mut client, _) = with(&[ONE, THREE]).await;
    let set = set(&[ONE, TWO, THREE]);
    Migrator::new(&set).allow_out_of_order().run(&mut client).await.expect("a run");
    let report = Migrator::new(&set).redo(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((&*report.undone[0].version, &*report.applied[0].version), ("2", "2"));
    assert_eq!(applied(&client).await, "1 3 2");
}

#[tokio::test]
async fn redo_that_fails_reports_what_it_undid() {
    let (_database, mut client, _) = with(&[ONE, TWO, THREE]).await;
    let edited = set(&[ONE, TWO, ("3_c.sql", "SELECT 1 / 0;")]);
    let migrator = Migrator::new(&edited);
    let error = migrator.redo(&mut client).await.expect_err("a division by zero");
    assert!(matches!(error.kind(), ErrorKind::Migration { .. }), "{error}");
    let undone = &error.report().expect("a report").undone;
    assert_eq!((undone.len(), &*undone[0].version), (1, "3"));
    assert!(error.to_string().contains("\nversion 3 was undone before it and is kept"), "{error}");
}

#[tokio::test]
async fn redo_undoes_nothing_that_it_cannot_apply_again() {
    let edited = ("1_a.sql", "-- UP\nCREATE TABLE a (id bigint);\n-- DOWN\nDROP TABLE a;");
    let (older, drifted) = (set(&[ONE]), set(&[edited, TWO]));
    let (_database, mut client, set) = with(&[ONE, TWO]).await;
    let error = Migrator::new(&older).redo(&mut client).await.expect_err("not in the set");
    let text = "version 2: `2_b.sql` is not in the set, which could not apply it again";
    assert!(error.to_string().contains(text), "{error}");
    let error = Migrator::new(&drifted).redo(&mut client).await.expect_err("drift");
    assert!(matches!(error.kind(), ErrorKind::Drift { drift } if drift.0.len() == 1), "{error}");
    assert_eq!(applied(&client).await, "1 2");
    let report = Migrator::new(&set).redo(&mut client).await.expect("a redo");
    assert_eq!((undone(&report), report.applied.len()), (vec!["2"], 1));
}

#[tokio::test]
async fn runs_stop_at_a_version_or_apply_one() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[ONE, TWO, THREE, ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1;")]);
    let migrator = Migrator::new(&set);
    let error = migrator.clone().to("7").run(&mut client).await.expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "version 7 is not in the set\nhelp: choose one of the set; `status` lists them"
    );
    migrator.clone().to("02").run(&mut client).await.expect("a run");
    assert_eq!(applied(&client).await, "1 2");
    migrator.clone().only("3").run(&mut client).await.expect("a run");
    assert_eq!(applied(&client).await, "1 2 3");
    let report = migrator.run(&mut client).await.expect("the rest");
    assert_eq!(report.applied.len(), 1);
}
