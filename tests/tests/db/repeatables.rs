//! Repeatable migrations: an older binary never puts an older text back, and a rollback undoes them.

use migrate_runtime::{ErrorKind, Migrations, Migrator, Rollback, run_in_order};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;
use tokio::task::JoinSet;
use tokio_postgres::Client;

const A: (&str, &str) = ("V1__a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;");
const B: (&str, &str) =
    ("V2__b.sql", "-- UP\nALTER TABLE a ADD b int;\n-- DOWN\nALTER TABLE a DROP b CASCADE;");
const OLD: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM a;");
const NEW: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT id, b FROM a;");

/// What a run of the set applies, and what it reports as newer.
async fn run(client: &mut Client, set: &Migrations) -> (Vec<String>, Vec<String>) {
    let report = Migrator::new(set).run(client).await.unwrap_or_else(|e| panic!("{e}"));
    (report.applied.iter().map(|one| one.version.to_string()).collect(), report.ahead)
}

async fn columns(client: &Client) -> String {
    let sql = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
               WHERE attrelid = to_regclass('v')";
    value(client, sql).await
}

#[tokio::test]
async fn older_binary_leaves_the_newer_text_of_a_repeatable() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (older, newer) = (set(&[A, OLD]), set(&[A, B, NEW]));
    run(&mut client, &older).await;
    assert_eq!(run(&mut client, &newer).await.0, ["2", "R__v"]);
    let (applied, ahead) = run(&mut client, &older).await;
    assert_eq!((applied.len(), ahead), (0, vec!["R__v".to_owned(), "2".to_owned()]));
    assert_eq!(columns(&client).await, "id b");
    let migrator = Migrator::new(&older);
    migrator.verify(&client).await.unwrap_or_else(|e| panic!("{e}"));
    let status = migrator.status(&client).await.expect("a status");
    let shown: Vec<&str> = status.migrations.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(shown, ["applied", "ahead", "ahead"], "{status}");
    assert_eq!(migrator.run(&mut client).await.expect("a run").messages, 1);
    let error = migrator.clone().refuse_ahead().verify(&client).await.expect_err("ahead");
    assert!(error.to_string().contains("`R__v.sql` was applied by"), "{error}");
}

#[tokio::test]
async fn superseded_text_is_not_put_back_until_the_newer_one_is_forgotten() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let one = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS id;");
    let two = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS id, 2 AS b;");
    let three = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS id, 3 AS b;");
    let [one, two, three] = [one, two, three].map(|file| set(&[A, file]));
    for newer in [&one, &two, &three] {
        run(&mut client, newer).await;
    }
    for older in [&one, &two] {
        assert_eq!(run(&mut client, older).await, (vec![], vec!["R__v".to_owned()]));
        Migrator::new(older).verify(&client).await.unwrap_or_else(|e| panic!("{e}"));
    }
    assert_eq!(value(&client, "SELECT b FROM v").await, "3");
    assert_eq!(run(&mut client, &three).await, (vec![], vec![]));
    Migrator::new(&two).forget(&mut client, "R__v").await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(run(&mut client, &two).await.0, ["R__v"]);
    assert_eq!(value(&client, "SELECT b FROM v").await, "2");
    assert_eq!(run(&mut client, &three).await, (vec![], vec!["R__v".to_owned()]));
}

#[tokio::test]
async fn text_that_was_undone_is_not_superseded() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (older, newer) = (set(&[A, OLD]), set(&[A, B, NEW]));
    run(&mut client, &older).await;
    run(&mut client, &newer).await;
    let migrator = Migrator::new(&newer);
    migrator.rollback(&mut client, Rollback::Steps(1)).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(columns(&client).await, "NULL", "dropped with its column");
    assert_eq!(run(&mut client, &older).await, (vec!["R__v".to_owned()], vec![]));
    assert_eq!(run(&mut client, &newer).await.0, ["2", "R__v"]);
    assert_eq!(columns(&client).await, "id b");
}

#[tokio::test]
async fn up_down_up_leaves_repeatables_there() {
    let with_down = [
        vec![("R__v.sql", "-- UP\nCREATE VIEW v AS SELECT id FROM a;\n-- DOWN\nDROP VIEW v;")],
        vec![
            ("R__v.up.sql", "CREATE VIEW v AS SELECT id FROM a;"),
            ("R__v.down.sql", "DROP VIEW v;"),
        ],
    ];
    for repeatable in with_down {
        let (_database, mut client) = FreshDatabase::connected().await;
        let mut files = vec![A, B];
        files.extend(repeatable);
        let set = set(&files);
        let migrator = Migrator::new(&set);
        for target in [Rollback::Steps(1), Rollback::to(1), Rollback::All] {
            run(&mut client, &set).await;
            let plan = migrator.plan_rollback(&client, target.clone()).await.expect("a plan");
            assert_eq!(plan[0].entry.version.as_str(), "R__v", "{target:?}");
            assert_eq!(plan[0].script().statements().len(), 1, "{target:?}");
            let undone = migrator.rollback(&mut client, target).await;
            let undone = undone.unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(undone.undone.len(), plan.len());
            assert_eq!(columns(&client).await, "NULL");
            let error = migrator.verify(&client).await.expect_err("pending");
            let ErrorKind::Pending { versions } = error.kind() else { panic!("{error}") };
            assert!(versions.contains(&"R__v".to_owned()), "{versions:?}");
        }
        run(&mut client, &set).await;
        assert_eq!(columns(&client).await, "id");
    }
}

#[tokio::test]
async fn repeatable_applied_before_what_is_undone_stays() {
    let (_database, mut client) = FreshDatabase::connected().await;
    run(&mut client, &set(&[A, OLD])).await;
    let set = set(&[A, B, OLD]);
    assert_eq!(run(&mut client, &set).await.0, ["2"]);
    let migrator = Migrator::new(&set);
    let report = migrator.rollback(&mut client, Rollback::Steps(1)).await.expect("a rollback");
    assert_eq!(report.undone.len(), 1);
    assert_eq!(columns(&client).await, "id");
}

#[tokio::test]
async fn run_up_to_a_repeatable_runs_what_comes_before_it_too() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let set = set(&[A, B, ("R__u.sql", "SELECT 1;"), NEW, ("R__w.sql", "SELECT 1;")]);
    let migrator = Migrator::new(&set);
    let report = migrator.clone().to(2).run(&mut client).await.expect("the versioned ones");
    assert_eq!(report.applied.len(), 2);
    let report = migrator.to("R__v").run(&mut client).await.expect("two repeatable ones");
    let files: Vec<&str> = report.applied.iter().map(|one| &*one.filename).collect();
    assert_eq!(files, ["R__u.sql", "R__v.sql"]);
}

#[tokio::test]
async fn redo_applies_the_repeatables_that_it_undoes() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let down = ("R__v.sql", "-- UP\nCREATE VIEW w AS SELECT 1;\n-- DOWN\nDROP VIEW w;");
    let [set, without, with_down] = [&[A, B, NEW][..], &[A, B], &[A, B, down]].map(set);
    run(&mut client, &set).await;
    let migrator = Migrator::new(&set);
    let plan = migrator.plan_rollback(&client, Rollback::Steps(1)).await.expect("a plan");
    assert!(!plan[0].is_from_ledger() && plan[0].script().text().is_empty(), "its entry ends");
    let report = migrator.redo(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((&*report.undone[0].filename, &*report.undone[1].version), ("R__v.sql", "2"));
    assert_eq!((report.undone.len(), report.applied.len()), (2, 2), "{report}");
    assert_eq!(columns(&client).await, "id b");
    assert_eq!(run(&mut client, &set).await, (vec![], vec![]));
    // One that has left the set is history, unless it has a down script to run.
    let report = Migrator::new(&without).redo(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((report.undone.len(), report.applied.len()), (2, 1), "{report}");
    run(&mut client, &with_down).await;
    let error = Migrator::new(&without).redo(&mut client).await.expect_err("a view would be lost");
    assert!(error.to_string().contains("`R__v.sql` is not in the set"), "{error}");
}

#[tokio::test]
async fn earlier_text_that_does_not_run_is_noted_with_the_way_to_run_it() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let (older, newer) = (set(&[A, B, OLD]), set(&[A, B, NEW]));
    run(&mut client, &older).await;
    run(&mut client, &newer).await;
    let migrator = Migrator::new(&older);
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        report.notes,
        ["`R__v.sql` was not run, because another text of it replaced this one; change it, or \
          `forget R__v` and run again"]
    );
    client.batch_execute("DROP VIEW v").await.expect("a view loses no column by itself");
    migrator.forget(&mut client, "R__v").await.unwrap_or_else(|e| panic!("{e}"));
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((report.applied.len(), report.notes.len()), (1, 0));
    // The newer text is an earlier one now, but a set with newer versions needs no note.
    run(&mut client, &set(&[A, B, ("V3__c.sql", "SELECT 1;"), OLD])).await;
    let behind = Migrator::new(&newer).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((behind.ahead.len(), behind.notes.len()), (2, 0), "{behind}");
}

#[tokio::test]
async fn text_that_was_forgotten_and_applied_again_can_change_its_directive() {
    const SQL: &str = "CREATE OR REPLACE VIEW v AS SELECT 1 AS id;";
    let (_database, mut client) = FreshDatabase::connected().await;
    let plain = set(&[A, ("R__v.sql", SQL)]);
    run(&mut client, &plain).await;
    Migrator::new(&plain).forget(&mut client, "R__v").await.unwrap_or_else(|e| panic!("{e}"));
    run(&mut client, &plain).await;
    let outside = format!(
        "-- migrate:no-transaction\n-- migrate:allow needless-no-transaction because it is a test\n{SQL}"
    );
    let outside = set(&[A, ("R__v.sql", &outside)]);
    assert_eq!(run(&mut client, &outside).await, (vec!["R__v".to_owned()], vec![]));
}

/// Where the first read cannot decide, the second does.
#[tokio::test]
async fn binary_behind_the_ledger_applies_nothing_by_either_read() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let third = ("V3__c.sql", "CREATE TABLE c (id int);");
    let older = set(&[A, B, OLD]);
    run(&mut client, &older).await;
    for (newer, messages) in [(set(&[A, B, NEW]), 2), (set(&[A, B, third, NEW]), 1)] {
        run(&mut client, &newer).await;
        let migrator = Migrator::new(&older);
        let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((report.applied.len(), report.messages), (0, messages), "{report}");
        assert!(report.ahead.contains(&"R__v".to_owned()), "{report}");
        let report = run_in_order([&migrator], &mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((report[0].applied.len(), &report[0].ahead[0]), (0, &"R__v".to_owned()));
        migrator.verify(&client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(columns(&client).await, "id b");
    }
}

#[tokio::test]
async fn repeatable_that_finds_its_own_view_has_the_next_action() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let text = |sql: &'static str| set(&[A, ("R__v.sql", sql)]);
    run(&mut client, &text("CREATE VIEW v AS SELECT id FROM a;")).await;
    let changed = text("CREATE VIEW v AS SELECT id, 1 AS one FROM a;");
    let error = Migrator::new(&changed).run(&mut client).await.expect_err("a view that exists");
    let help = "help: a repeatable migration runs again whenever its text changes: write `CREATE OR REPLACE`, or \
                `DROP .. IF EXISTS` before `CREATE`";
    assert!(error.to_string().ends_with(help), "{error}");
    run(&mut client, &text("CREATE OR REPLACE VIEW v AS SELECT id, 1 AS one FROM a;")).await;
}

/// What an older binary has read is not what it finds when it has the lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn older_and_newer_binaries_that_boot_together_leave_the_newer_text() {
    let slow = ("V2__b.sql", "ALTER TABLE a ADD b int; SELECT pg_sleep(0.01);");
    let (older, newer) = (set(&[A, OLD]), set(&[A, slow, NEW]));
    for round in 0..8 {
        let database = FreshDatabase::create().await;
        let mut replicas = JoinSet::new();
        for number in 0..8 {
            let set = if number % 2 == round % 2 { older.clone() } else { newer.clone() };
            let mut client = database.connect().await;
            replicas.spawn(async move { Migrator::new(&set).run(&mut client).await });
        }
        while let Some(replica) = replicas.join_next().await {
            replica.expect("a replica").unwrap_or_else(|e| panic!("{e}"));
        }
        assert_eq!(columns(&database.connect().await).await, "id b", "round {round}");
    }
}
