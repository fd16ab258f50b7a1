//! Migrations outside a transaction that stopped partway and were then edited.

use std::convert::Infallible;

use migrate_runtime::hook::RunClient;
use migrate_runtime::ledger::Edited;
use migrate_runtime::plan::Cause;
use migrate_runtime::set::Ends;
use migrate_runtime::status::State;
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Drift, Error, ErrorKind, Lock, Migrations, Migrator, run_in_order};
use migrate_tests::database::{FreshDatabase, connect, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

const TABLE: (&str, &str) = ("1_t.sql", "CREATE TABLE t (a int);");
const ROWS: &str = "SELECT count(*) FROM t";
const UNFINISHED: &str = "SELECT count(*) FROM migration_ledger WHERE progress IS NOT NULL";

fn with(sql: &str) -> Migrations {
    set(&[TABLE, ("2_x.sql", sql)])
}

fn outside(sql: &str) -> Migrations {
    with(&format!("-- migrate:no-transaction\n{sql}"))
}

/// A database in which `failing` failed.
async fn after(failing: &Migrations) -> (FreshDatabase, Client) {
    let (database, mut client) = FreshDatabase::connected().await;
    let error = Migrator::new(failing).run(&mut client).await.expect_err("a failure");
    assert!(matches!(error.kind(), ErrorKind::Migration { .. }), "{error}");
    (database, client)
}

fn deviations(error: &Error) -> &[Drift] {
    let ErrorKind::Drift { drift } = error.kind() else { panic!("{error}") };
    &drift.0
}

/// The second statement of it fails.
fn half_done() -> Migrations {
    outside("INSERT INTO t VALUES (1);\nVACUUM nowhere;")
}

#[tokio::test]
async fn failure_of_which_nothing_took_effect_is_fixed_by_a_new_text() {
    for fixed in ["-- migrate:no-transaction\nVACUUM t;", "INSERT INTO t VALUES (1);"] {
        let (_database, mut client) = after(&outside("VACUUM nowhere;\nVACUUM t;")).await;
        let set = set(&[
            TABLE,
            ("2_other.up.sql", fixed),
            ("2_other.down.sql", "DELETE FROM t;"),
            ("3_c.sql", "SELECT 1;"),
        ]);
        let status = Migrator::new(&set).status(&client).await.expect("a status");
        assert_eq!(status.migrations[1].state, State::Unfinished { done: 0, in_flight: false });
        assert_eq!(status.drift, None, "{fixed}");
        let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(report.applied.len(), 2, "{fixed}");
        let entry = "SELECT concat_ws(' ', name, filename, down_sql, ran) FROM migration_ledger \
                     WHERE version = '2' AND kind = 'versioned' AND ended_position = 0";
        let ran = if fixed.starts_with("--") { " no-transaction" } else { "" };
        let expected = format!("other 2_other.up.sql DELETE FROM t;\n{ran}");
        assert_eq!(value(&client, entry).await, expected);
        let again = Migrator::new(&set).run(&mut client).await.expect("again");
        assert_eq!((again.messages, again.applied.len()), (1, 0), "{fixed}");
    }
}

#[tokio::test]
async fn failure_of_which_nothing_took_effect_is_not_missing_when_its_file_is_renumbered() {
    let (_database, mut client) = after(&outside("VACUUM nowhere;")).await;
    let set = set(&[TABLE, ("3_x.sql", "-- migrate:no-transaction\nVACUUM t;")]);
    let report = Migrator::new(&set).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1);
}

#[tokio::test]
async fn what_took_effect_must_be_the_beginning_of_the_new_text() {
    let (_database, mut client) = after(&half_done()).await;
    let edited = outside("INSERT INTO t VALUES (2);\nVACUUM t;");
    let strict = Migrator::new(&edited);
    let error = strict.run(&mut client).await.expect_err("another beginning");
    assert_eq!(
        error.to_string(),
        "ledger and set disagree in 1 place\n\
         version 2: `migrations/2_x.sql` is unfinished: its first statement took effect, and the set's text \
         does not begin with it\n  \
         help: restore what took effect at the beginning of the file, below `-- migrate:no-transaction`, and \
         the next run continues after it; or undo it by hand, and `forget` or `.forget_unfinished(..)` makes \
         the next run begin with the first statement"
    );
    // Nothing records as applied what did not run.
    let lenient = strict.clone().allow_edited().allow_missing().allow_out_of_order();
    assert_eq!(deviations(&lenient.run(&mut client).await.expect_err("the same")).len(), 1);
    strict.accept(&mut client, Edited::All).await.expect("nothing to accept");
    strict.accept(&mut client, 2).await.expect_err("it is not applied");
    strict.baseline(&mut client, 2).await.expect_err("it is not new");
    assert_eq!(value(&client, UNFINISHED).await, "1");
    assert_eq!(deviations(&strict.verify(&client).await.expect_err("unfinished")).len(), 1);
    let status = strict.status(&client).await.expect("a status");
    assert_eq!(status.migrations[1].state, State::Unfinished { done: 1, in_flight: false });
    // The rest of the text is free.
    let fixed = outside("INSERT INTO t\n  VALUES (1); -- the same\nVACUUM t;\nVACUUM t;");
    Migrator::new(&fixed).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&client, ROWS).await, "1");
}

#[tokio::test]
async fn half_done_text_without_its_directive_does_not_run_again() {
    let (_database, mut client) = after(&half_done()).await;
    let transactional = with("INSERT INTO t VALUES (1);\nSELECT 1;");
    let migrator = Migrator::new(&transactional).allow_edited();
    let error = migrator.run(&mut client).await.expect_err("it is half done");
    assert!(matches!(deviations(&error), [Drift::HalfDone { done: 1, .. }]), "{error}");
    assert_eq!(value(&client, ROWS).await, "1");
}

#[tokio::test]
async fn text_that_is_restored_after_another_one_went_on_is_not_finished_by_it() {
    let (_database, mut client) = after(&half_done()).await;
    let other = outside("INSERT INTO t VALUES (1);\nVACUUM t;\nVACUUM nowhere;");
    Migrator::new(&other).run(&mut client).await.expect_err("the third statement");
    let error = Migrator::new(&half_done()).run(&mut client).await.expect_err("its second");
    assert!(matches!(deviations(&error), [Drift::HalfDone { done: 2, .. }]), "{error}");
    assert_eq!(value(&client, UNFINISHED).await, "1");
}

#[tokio::test]
async fn unfinished_migration_begins_again_after_it_is_forgotten() {
    for by_verb in [true, false] {
        let (_database, mut client) = after(&half_done()).await;
        let edited = outside("INSERT INTO t VALUES (2);\nVACUUM t;");
        let migrator = Migrator::new(&edited);
        client.batch_execute("DELETE FROM t").await.expect("undone by hand");
        let report = if by_verb {
            migrator.forget(&mut client, 2).await.expect("forgotten");
            migrator.run(&mut client).await
        } else {
            migrator.clone().forget_unfinished(2).run(&mut client).await
        };
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((report.applied.len(), report.amended.len()), (1, 0));
        let noted = ["version 2 begins again with its first statement"];
        assert_eq!(report.notes, noted[usize::from(by_verb)..]);
        assert_eq!(value(&client, "SELECT string_agg(a::text, ' ') FROM t").await, "2");
        let history = migrator.history(&client).await.expect("a history");
        let acts: Vec<_> = history.iter().map(|row| row.act.as_str()).collect();
        assert_eq!(acts, ["applied", "unfinished", "forgotten", "applied"]);
        // The option changes nothing else.
        let lasting = migrator.forget_unfinished(1).forget_unfinished(2);
        assert_eq!(lasting.run(&mut client).await.expect("again").messages, 1);
    }
}

#[tokio::test]
async fn verbs_that_change_nothing_judge_as_the_run_that_begins_again() {
    let (_database, mut client) = after(&half_done()).await;
    let outside = outside("INSERT INTO t VALUES (2);\nVACUUM t;");
    let inside = with("INSERT INTO t VALUES (2);");
    for (edited, tried) in [(&outside, 0), (&inside, 1)] {
        let strict = Migrator::new(edited);
        assert_eq!(deviations(&strict.plan(&client).await.expect_err("half done")).len(), 1);
        let other = strict.clone().forget_unfinished(1);
        assert_eq!(deviations(&other.trial(&mut client).await.expect_err("half done")).len(), 1);
        let migrator = strict.forget_unfinished(2);
        let plan = migrator.plan(&client).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((plan.steps.len(), plan.steps[0].cause), (1, Cause::New));
        let error = migrator.verify(&client).await.expect_err("pending");
        let ErrorKind::Pending { versions } = error.kind() else { panic!("{error}") };
        assert_eq!(versions, &["2"]);
        assert_eq!(migrator.status(&client).await.expect("a status").drift, None);
        let trial = migrator.trial(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(trial.ran.len(), tried);
        assert_eq!(value(&client, UNFINISHED).await, "1");
    }
    let report = Migrator::new(&inside).forget_unfinished(2).run(&mut client).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 1);
}

#[tokio::test]
async fn unfinished_migrations_of_many_ledgers_begin_again() {
    let (database, mut client) = after(&half_done()).await;
    let edited = outside("INSERT INTO t VALUES (2);\nVACUUM t;");
    let migrator = Migrator::new(&edited).forget_unfinished(2);
    let config = database.config();
    let get = async || Ok::<_, Infallible>(Box::new(connect(&config).await));
    let report = Tenants::new(&migrator).run(["public"], get, |_| {}).await.expect("a run");
    assert_eq!((report.migrated.len(), report.failed.len()), (1, 0), "{report}");
    assert_eq!(value(&client, ROWS).await, "2");

    let (_database, mut second) = after(&half_done()).await;
    let reports = run_in_order([&migrator], &mut second).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(reports[0].applied.len(), 1);
    assert_eq!(run_in_order([&migrator], &mut client).await.expect("again")[0].messages, 1);
}

#[tokio::test]
async fn half_done_file_continues_under_its_new_number() {
    let renumbered = |last: &str| {
        let sql = format!("-- migrate:no-transaction\nINSERT INTO t VALUES (1);\n{last}");
        set(&[TABLE, ("3_x.sql", &sql), ("4_c.sql", "CREATE TABLE c ();")])
    };
    // With its text, and with one that is fixed at the same time.
    for (last, lock) in [("VACUUM nowhere;", Lock::Detect), ("VACUUM t;", Lock::Row)] {
        let (_database, mut client) = after(&half_done()).await;
        let set = renumbered(last);
        let migrator = Migrator::new(&set).allow_missing().lock(lock);
        let error = migrator.run(&mut client).await.expect_err("renumbered");
        assert!(matches!(deviations(&error), [Drift::Renumbered { .. }]), "{last}: {error}");
        migrator.accept(&mut client, 3).await.unwrap_or_else(|e| panic!("{last}: {e}"));
        let fixed = renumbered("VACUUM t;");
        let report = Migrator::new(&fixed).lock(lock).run(&mut client).await;
        let report = report.unwrap_or_else(|e| panic!("{last}: {e}"));
        assert_eq!(report.applied.len(), 2, "{last}");
        assert_eq!(value(&client, ROWS).await, "1", "{last}");
        assert_eq!(
            value(&client, "SELECT count(*) FROM migration_ledger WHERE ended_position = 0").await,
            "3"
        );
    }
}

#[tokio::test]
async fn half_done_file_that_was_removed_is_not_forgotten() {
    let (_database, mut client) = after(&half_done()).await;
    let set = set(&[TABLE, ("3_c.sql", "CREATE TABLE c ();")]);
    let migrator = Migrator::new(&set).allow_missing();
    let error = migrator.run(&mut client).await.expect_err("version 2 is half done");
    let [Drift::HalfDone { version, file, done: 1, in_flight: false }] = deviations(&error) else {
        panic!("{error}");
    };
    assert_eq!((version.as_str(), file.as_str()), ("2", "2_x.sql"));
    let report = migrator.forget_unfinished(2).run(&mut client).await;
    assert_eq!(report.unwrap_or_else(|e| panic!("{e}")).applied.len(), 1);
}

#[tokio::test]
async fn half_done_file_continues_when_its_number_is_written_in_another_way() {
    let (_database, mut client) = after(&half_done()).await;
    let sql = "-- migrate:no-transaction\nINSERT INTO t VALUES (1);\nVACUUM t;";
    let set = set(&[("0001_t.sql", TABLE.1), ("0002_x.sql", sql)]);
    let migrator = Migrator::new(&set);
    let error = migrator.run(&mut client).await.expect_err("renumbered");
    assert!(error.to_string().contains("help: use `accept` to record version 0002"), "{error}");
    migrator.accept(&mut client, "0002").await.unwrap_or_else(|e| panic!("{e}"));
    let report = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1);
    assert_eq!(value(&client, ROWS).await, "1");
    assert_eq!(migrator.run(&mut client).await.expect("again").messages, 1);
}

#[tokio::test]
async fn option_to_forget_leaves_alone_what_can_be_continued() {
    let (_database, mut client) = after(&half_done()).await;
    let fixed = outside("INSERT INTO t VALUES (1);\nVACUUM t;");
    let migrator = Migrator::new(&fixed).forget_unfinished(2);
    migrator.run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value(&client, ROWS).await, "1");
}

#[tokio::test]
async fn half_done_repeatable_begins_again_when_it_is_edited() {
    let files = |sql: &str| {
        let sql = format!("-- migrate:no-transaction\n{sql}");
        set(&[TABLE, ("R__r.sql", &sql)])
    };
    let (_database, mut client) = after(&files("INSERT INTO t VALUES (1);\nVACUUM nowhere;")).await;
    let edited = files("INSERT INTO t VALUES (2);\nVACUUM t;");
    let report = Migrator::new(&edited).run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 1);
    assert_eq!(value(&client, ROWS).await, "2");
    assert_eq!(Migrator::new(&edited).run(&mut client).await.expect("again").messages, 1);
}

/// A migrator with the function of version 2, if the set asks for it.
fn calls(set: &Migrations) -> Migrator<'_> {
    async fn nothing(_: RunClient<'_>) -> Result<(), Error> {
        Ok(())
    }
    let migrator = Migrator::new(set);
    if set.iter().any(|one| one.up().ends() == Ends::WithFunction) {
        migrator.function(2, nothing)
    } else {
        migrator
    }
}

#[tokio::test]
async fn directive_of_an_applied_file_is_part_of_its_meaning() {
    const PLAIN: &str = "INSERT INTO t VALUES (1);";
    const FUNCTION: &str = "-- migrate:function\nINSERT INTO t VALUES (1);";
    const OUTSIDE: &str = "-- migrate:no-transaction\n\
                           -- migrate:allow needless-no-transaction because it is large\n\
                           INSERT INTO t VALUES (1);";
    for (applied, now, text) in [
        (PLAIN, FUNCTION, ["was without a directive", "is with `-- migrate:function`"]),
        (FUNCTION, PLAIN, ["was with `-- migrate:function`", "is without a directive"]),
        (OUTSIDE, PLAIN, ["was with `-- migrate:no-transaction`", "is without a directive"]),
        (PLAIN, OUTSIDE, ["was without a directive", "is with `-- migrate:no-transaction`"]),
    ] {
        let (_database, mut client) = FreshDatabase::connected().await;
        let (applied, now) = (with(applied), with(now));
        assert_eq!(applied.as_slice()[1].checksum(), now.as_slice()[1].checksum());
        calls(&applied).run(&mut client).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(calls(&applied).run(&mut client).await.expect("again").messages, 1);
        let error = calls(&now).run(&mut client).await.expect_err("an edit");
        assert!(matches!(deviations(&error), [Drift::Directive { .. }]), "{error}");
        assert!(text.iter().all(|words| error.to_string().contains(words)), "{error}");
        calls(&now).allow_edited().run(&mut client).await.expect("allowed");
        calls(&now).accept(&mut client, 2).await.expect("accepted");
        calls(&now).verify(&client).await.expect("the same");
        assert_eq!(value(&client, ROWS).await, "1");
    }
}
