//! A trial comes to the verdict of a run, and notes what it cannot judge.

use migrate_runtime::{Error, Migrator, Trial};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;

const TABLES: &str = "CREATE TABLE p (id int PRIMARY KEY); \
    CREATE TABLE c (pid int REFERENCES p DEFERRABLE INITIALLY DEFERRED); \
    CREATE TABLE i (id int UNIQUE DEFERRABLE INITIALLY IMMEDIATE);";

/// The results of a trial and of the run after it, with these migrations.
async fn both(scripts: &[&str]) -> (Result<Trial, Error>, Result<(), Error>) {
    let (_database, mut client) = FreshDatabase::connected().await;
    let names: Vec<String> = (1..=scripts.len()).map(|number| format!("{number}_m.sql")).collect();
    let files: Vec<_> = names.iter().map(String::as_str).zip(scripts.iter().copied()).collect();
    let set = set(&files);
    let migrator = Migrator::new(&set);
    let trial = migrator.trial(&mut client).await;
    let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(value(&client, left).await, "0", "{scripts:?}");
    assert_eq!(value(&client, "SHOW work_mem").await, "4MB", "{scripts:?}");
    (trial, migrator.run(&mut client).await.map(drop))
}

/// Expects this first line of both, or that both succeed.
async fn agree(scripts: &[&str], expected: Option<&str>) {
    let (trial, run) = both(scripts).await;
    let text = |error: &Error| error.kind().to_string();
    let (trial, run) = (trial.as_ref().err().map(text), run.as_ref().err().map(text));
    assert_eq!(trial, run, "{scripts:?}");
    let first = run.as_deref().and_then(|text| text.lines().next());
    assert_eq!(first, expected, "{scripts:?}");
}

#[tokio::test]
async fn deferred_constraints_are_checked_after_each_migration() {
    let violated = "migrations/2_m.sql: at COMMIT: insert or update on table \"c\" violates foreign key \
                    constraint \"c_pid_fkey\" (SQLSTATE 23503)";
    let orphan = "INSERT INTO c VALUES (1);";
    agree(&[TABLES, orphan], Some(violated)).await;
    agree(&[TABLES, orphan, "INSERT INTO p VALUES (1);"], Some(violated)).await;
    let set_by_itself = "SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO p VALUES (9);";
    let child_first = "INSERT INTO c VALUES (1); INSERT INTO p VALUES (1);";
    agree(&[TABLES, set_by_itself, child_first], None).await;
    // Events that are still pending would refuse ALTER TABLE.
    agree(&[TABLES, child_first, "ALTER TABLE c ADD d int; INSERT INTO c VALUES (1);"], None).await;
    let new = "CREATE TABLE n (pid int REFERENCES p DEFERRABLE INITIALLY DEFERRED); \
               INSERT INTO n VALUES (2); INSERT INTO p VALUES (2);";
    agree(&[TABLES, child_first, new], None).await;
    let immediate = "INSERT INTO i VALUES (1); INSERT INTO i VALUES (1); DELETE FROM i;";
    let duplicate = "migrations/3_m.sql:1:27: duplicate key value violates unique constraint \
                     \"i_id_key\" (SQLSTATE 23505)";
    agree(&[TABLES, "SET CONSTRAINTS ALL DEFERRED;", immediate], Some(duplicate)).await;
    let trigger = "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS \
                   'BEGIN RAISE EXCEPTION ''never %'', NEW.id; END'; \
                   CREATE CONSTRAINT TRIGGER t AFTER INSERT ON p DEFERRABLE INITIALLY DEFERRED \
                   FOR EACH ROW EXECUTE FUNCTION no();";
    let raised = "migrations/3_m.sql: at COMMIT: never 5 (SQLSTATE P0001)";
    agree(&[TABLES, trigger, "INSERT INTO p VALUES (5);"], Some(raised)).await;
}

#[tokio::test]
async fn what_ends_at_a_commit_does_not_reach_the_next_migration() {
    let local = "SET LOCAL search_path = pg_catalog; SET LOCAL work_mem = '1MB';";
    agree(&[local, "CREATE TABLE t (a int); DROP TABLE public.t;"], None).await;
    let temporary = "CREATE TEMP TABLE scratch (a int) ON COMMIT DROP;";
    agree(&[temporary, temporary], None).await;
    let gone = "migrations/2_m.sql:1:15: relation \"scratch\" does not exist (SQLSTATE 42P01)";
    agree(&[temporary, "SELECT * FROM scratch;"], Some(gone)).await;
}

const TYPE: [(&str, &str); 2] =
    [("1_n.sql", "CREATE TYPE st AS ENUM ('ab');"), ("2_t.sql", "CREATE TABLE o (s st);")];

#[tokio::test]
async fn enum_values_of_earlier_migrations_are_noted() {
    for adds in [
        "ALTER TYPE st ADD VALUE 'b';",
        "DO $$ BEGIN EXECUTE 'ALTER TYPE st ADD VALUE ''b'''; END $$;",
    ] {
        let (_database, mut client) = FreshDatabase::connected().await;
        Migrator::new(&set(&TYPE)).run(&mut client).await.expect("the type");
        let uses = ("4_u.sql", "INSERT INTO o VALUES ('b');");
        let all = set(&[TYPE[0], TYPE[1], ("3_a.sql", adds), uses, ("5_z.sql", "SELECT 1;")]);
        let trial = Migrator::new(&all).trial(&mut client).await;
        let trial = trial.unwrap_or_else(|error| panic!("{adds}: {error}"));
        assert_eq!(trial.ran.len(), 1, "{adds}");
        assert_eq!(
            trial.notes,
            [
                "migrations/4_u.sql uses an enum value that an earlier migration adds, which works only \
              after a commit; it and the one after it were left out"
            ]
        );
        let report = Migrator::new(&all).run(&mut client).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 3, "{adds}");
    }
}

#[tokio::test]
async fn enum_value_of_the_same_migration_is_a_failure() {
    let (_database, mut client) = FreshDatabase::connected().await;
    Migrator::new(&set(&TYPE)).run(&mut client).await.expect("the type");
    let other = ("3_x.sql", "ALTER TYPE st ADD VALUE 'x';");
    let own = ("4_u.sql", "ALTER TYPE st ADD VALUE 'b'; INSERT INTO o VALUES ('b');");
    let all = set(&[TYPE[0], TYPE[1], other, own]);
    let trial = Migrator::new(&all).trial(&mut client).await.expect_err("its own value");
    let run = Migrator::new(&all).run(&mut client).await.expect_err("its own value");
    assert!(trial.to_string().starts_with("migrations/4_u.sql:1:52: "), "{trial}");
    assert_eq!(trial.kind().to_string(), run.kind().to_string());
}

#[tokio::test]
async fn failure_after_what_was_left_out_names_it() {
    let (trial, run) = both(&[
        "CREATE TABLE t (a int NOT NULL);",
        "-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);",
        "ALTER TABLE t ADD PRIMARY KEY USING INDEX t_a;",
    ])
    .await;
    let error = trial.expect_err("no such index").to_string();
    assert!(error.starts_with("migrations/3_m.sql:1:"), "{error}");
    let help = "\nhelp: migrations/2_m.sql runs outside a transaction and was left out of the trial; if \
                this migration needs it, a run can succeed";
    assert!(error.ends_with(help), "{error}");
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// A run restores the session after each migration.
#[tokio::test]
async fn what_a_migration_resets_does_not_reach_the_next() {
    let (_database, mut client) = FreshDatabase::connected().await;
    let own = "CREATE SCHEMA own; SET search_path = own; SET standard_conforming_strings = off";
    client.batch_execute(own).await.expect("a session");
    let is_own = "DO $$ BEGIN ASSERT current_setting('search_path') = 'own'; END $$;";
    let last = format!("{is_own} SELECT 'a\\b';");
    let set = set(&[("1_a.sql", "RESET ALL;"), ("2_b.sql", "RESET ALL;"), ("3_c.sql", &last)]);
    let trial = Migrator::new(&set).trial(&mut client).await;
    assert_eq!(trial.unwrap_or_else(|error| panic!("{error}")).ran.len(), 3);
    let both = "SELECT concat_ws(' ', current_setting('search_path'), \
                current_setting('standard_conforming_strings'))";
    assert_eq!(value(&client, both).await, "own off");
}
