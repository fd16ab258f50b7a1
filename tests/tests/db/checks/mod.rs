//! Checks of a set: they name each object that a down script leaves, and a second run that does something.

mod catalogs;

use migrate_runtime::{Migrator, check_embed};
use migrate_testing::{
    CheckError, TestDatabase, assert_idempotent, assert_no_stale_embed, assert_reversible,
    assert_reversible_from, check_idempotent, check_reversible, check_reversible_from,
};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::{set, unparsed};

const BASE: (&str, &str) =
    ("1_base.sql", "-- UP\nCREATE TABLE t (id int PRIMARY KEY, a text);\n-- DOWN\nDROP TABLE t;");

/// The text of the check of these files, `BASE` before them.
fn report(up_and_down: &[(&str, &str)]) -> String {
    let files: Vec<(String, String)> = up_and_down
        .iter()
        .enumerate()
        .map(|(n, (up, down))| {
            (format!("{}_x.sql", n + 2), format!("-- UP\n{up};\n-- DOWN\n{down};"))
        })
        .collect();
    let mut all = vec![BASE];
    all.extend(files.iter().map(|(name, sql)| (name.as_str(), sql.as_str())));
    match check_reversible(&unparsed(&all)) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

const HEAD: &str = "migrations/2_x.sql: its down script does not leave the catalogs as they were before it was applied\n";
const HELP: &str =
    "\nhelp: change the down script so that it undoes exactly what the up script did";

#[track_caller]
fn check(up: &str, down: &str, expected: &str) {
    assert_eq!(report(&[(up, down)]), format!("{HEAD}{expected}{HELP}"), "{up}");
}

#[track_caller]
fn holds(up: &str, down: &str, object: &str) {
    let report = report(&[(up, down)]);
    assert!(report.starts_with(HEAD) && report.contains(object), "{up}: {report}");
}

#[test]
fn set_that_can_be_undone_passes() {
    let files = [
        BASE,
        (
            "2_all.sql",
            "-- UP\nCREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);\
             ALTER TABLE t ADD m mood DEFAULT 'sad', ADD s short; CREATE INDEX i ON t (m) WHERE s IS NOT NULL;\
             CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW w AS SELECT 1 AS one;\
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\
             CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();\
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true);\
             COMMENT ON TABLE t IS 'a table'; GRANT SELECT ON t TO PUBLIC; CREATE SEQUENCE q OWNED BY t.id;\
             CREATE TABLE part (a int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (a);\
             CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (1) TO (9);\
             CREATE SCHEMA other; CREATE STATISTICS stat ON id, a FROM t; CREATE RULE r AS ON UPDATE TO v DO INSTEAD NOTHING;\
             CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int); CREATE TYPE pair AS (x int, y int);\
             CREATE TYPE span AS RANGE (subtype = float8); CREATE PUBLICATION pub FOR TABLE t;\
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;\n\
             -- DOWN\nALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM PUBLIC;\
             DROP PUBLICATION pub; DROP TYPE span, pair; DROP AGGREGATE total (int); DROP STATISTICS stat;\
             DROP SCHEMA other; DROP TABLE part; DROP SEQUENCE q; REVOKE SELECT ON t FROM PUBLIC;\
             COMMENT ON TABLE t IS NULL; DROP POLICY p ON t; ALTER TABLE t DISABLE ROW LEVEL SECURITY;\
             DROP TRIGGER g ON t; DROP FUNCTION f; DROP MATERIALIZED VIEW w; DROP VIEW v; DROP INDEX i;\
             ALTER TABLE t DROP m, DROP s; DROP TYPE mood; DROP DOMAIN short;",
        ),
        ("R__view.sql", "CREATE OR REPLACE VIEW always AS SELECT 1 AS one;"),
    ];
    let set = unparsed(&files);
    assert_reversible(&set);
    assert_reversible(Migrator::new(&set).schema("app").create_schema());
    assert_idempotent(&set);
    assert_no_stale_embed(&set);
    check_embed(&set).expect("no folder");
}

#[test]
fn what_is_left_missing_or_changed_is_shown() {
    check(
        "CREATE TABLE u (id int PRIMARY KEY); CREATE INDEX i ON t (a)",
        "DROP TABLE u",
        "left behind: index public.i: CREATE INDEX i ON public.t USING btree (a)",
    );
    check(
        "ALTER TABLE t ALTER a SET NOT NULL, ALTER a SET DEFAULT 'x'",
        "ALTER TABLE t ALTER a DROP NOT NULL",
        "changed: column public.t.a\n  before: text\n  now: text default 'x'::text",
    );
    check(
        "ALTER TABLE t RENAME a TO b",
        "ALTER TABLE t DROP b",
        "missing: column public.t.a: text",
    );
    // The parts of a table are not listed next to it.
    holds(
        "CREATE TABLE u (id int)",
        "DROP TABLE u; DROP TABLE t",
        "\nmissing: table public.t: owner ",
    );
    let report = report(&[("CREATE TABLE u (id int)", "DROP TABLE u; DROP TABLE t")]);
    assert_eq!(report.lines().count(), 3, "{report}");
}

#[test]
fn offender_is_named_and_none_after_it() {
    let good = ("CREATE TABLE u (id int)", "DROP TABLE u");
    let bad = ("CREATE TABLE w (id int)", "SELECT 1");
    assert!(report(&[good, bad]).starts_with("migrations/3_x.sql: its down script does not leave"));
    let report = report(&[good, ("CREATE TABLE w (id int)", "DROP TABLE nowhere"), bad]);
    assert!(
        report.starts_with(
            "migrations/3_x.sql: its down script fails when up, down and up again run\n\
             migrations/3_x.sql:4:1: table \"nowhere\" does not exist (SQLSTATE 42P01)\n"
        ),
        "{report}"
    );
}

#[test]
fn up_that_does_something_else_the_second_time_is_reported() {
    let up = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM t) THEN CREATE TABLE first (id int); ELSE \
              CREATE TABLE second (id int); END IF; INSERT INTO t SELECT count(*) FROM t; END $$";
    let again = report(&[(up, "DROP TABLE first")]);
    assert!(
        again.starts_with(
            "migrations/2_x.sql: applied again after its down script, it does not leave the \
             catalogs as the first time\nleft behind: table public.second: owner "
        ),
        "{again}"
    );
    assert!(again.contains("\nmissing: table public.first: owner "), "{again}");
    let fails = report(&[("INSERT INTO t VALUES (1)", "SELECT 1")]);
    assert!(
        fails.starts_with(
            "migrations/2_x.sql: its up script, run again, fails when up, down and up again run\n\
             migrations/2_x.sql:2:1: duplicate key value"
        ),
        "{fails}"
    );
}

#[test]
fn missing_down_scripts_are_all_reported_and_a_grown_set_is_checked_from_a_version_on() {
    let set = set(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "CREATE TABLE b (id int);"),
        ("3_c.sql", "-- UP\nCREATE TABLE c (id int);\n-- DOWN\nDROP TABLE c;"),
    ]);
    let error = check_reversible(&set).expect_err("two");
    assert_eq!(
        error.to_string(),
        "not reversible without a down script: migrations/1_a.sql, migrations/2_b.sql\n\
         help: write one, or check from a later version with `assert_reversible_from`"
    );
    assert_reversible_from(&set, 3);
    let error = check_reversible_from(&set, "4").expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "version 4 is not in the set\nhelp: name the first version to check"
    );
}

#[test]
fn second_run_that_does_something_is_reported() {
    // Not in one transaction with the entry that it deletes.
    let forgets =
        ("2_x.sql", "-- migrate:no-transaction\nDELETE FROM migration_ledger WHERE version = '1';");
    let again = ("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);");
    let set = set(&[again, forgets]);
    let error = check_idempotent(Migrator::new(&set).allow_out_of_order()).expect_err("again");
    assert_eq!(
        error.to_string(),
        "a second run applies again: 1\nhelp: look for a migration that touches the ledger"
    );
    let error = check_idempotent(&set).expect_err("drift");
    assert!(matches!(error, CheckError::SecondRun { .. }), "{error}");
    assert!(
        error.to_string().starts_with("a second run fails after one that succeeded\n"),
        "{error}"
    );
}

#[test]
fn set_that_cannot_be_applied_fails_every_check() {
    let set = set(&[("1_a.sql", "-- UP\nCREATE TABLE a (id nowhere);\n-- DOWN\nDROP TABLE a;")]);
    let expected = "migrations/1_a.sql:2:20: type \"nowhere\" does not exist (SQLSTATE 42704)\n";
    let report = check_reversible(&set).expect_err("it").to_string();
    assert!(report.starts_with(expected), "{report}");
    let report = check_idempotent(&set).expect_err("it").to_string();
    assert!(report.starts_with(expected), "{report}");
}

#[test]
fn set_without_a_versioned_migration_cannot_be_checked_for_reversal() {
    let set = unparsed(&[("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;")]);
    let error = check_reversible(&set).expect_err("nothing to undo");
    assert!(matches!(error, CheckError::NothingApplied), "{error}");
    assert_idempotent(&set);
}

#[tokio::test]
async fn assertions_panic_at_their_call_also_inside_a_runtime() {
    let set = set(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let line = std::sync::Arc::new(std::sync::Mutex::new(0));
    let seen = std::sync::Arc::clone(&line);
    let before = std::sync::Arc::new(std::panic::take_hook());
    let others = std::sync::Arc::clone(&before);
    let thread = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == thread {
            let line = info.location().map_or(0, std::panic::Location::line);
            *seen.lock().expect("no panic in here") = line;
        } else {
            // The hook belongs to the process, and another test can fail at the same time.
            others(info);
        }
    }));
    let expected = line!() + 1;
    let panicked = std::panic::catch_unwind(|| assert_reversible(&set));
    std::panic::set_hook(Box::new(move |info| before(info)));
    let payload = panicked.expect_err("it cannot be undone");
    let text = payload.downcast_ref::<String>().expect("a text");
    assert!(text.starts_with("not reversible without a down script: "), "{text}");
    assert_eq!(*line.lock().expect("no panic in here"), expected);
    drop(TestDatabase::new(&set).expect("inside a runtime too"));
}
