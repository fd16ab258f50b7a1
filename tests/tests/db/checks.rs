//! Checks of a set: they name each object that a down script leaves, and a second run that does something.

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
fn every_kind_of_object_is_looked_at() {
    let nothing = "SELECT 1";
    for (up, object) in [
        ("CREATE SCHEMA s", "left behind: schema s"),
        ("CREATE TYPE e AS ENUM ('a', 'b')", "left behind: type public.e: owner "),
        ("CREATE DOMAIN d AS int NOT NULL", "left behind: type public.d"),
        ("CREATE TYPE c AS (x int)", "left behind: type public.c"),
        ("CREATE TYPE r AS RANGE (subtype = int)", "left behind: type public.r"),
        (
            "ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0)",
            "left behind: constraint k on public.t: CHECK ((id > 0))",
        ),
        ("CREATE SEQUENCE s INCREMENT 3", "left behind: sequence public.s"),
        ("CREATE VIEW v AS SELECT 1 AS one", "left behind: view public.v"),
        (
            "CREATE MATERIALIZED VIEW v AS SELECT 1 AS one",
            "left behind: materialized view public.v",
        ),
        (
            "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "left behind: function public.f(a integer)",
        ),
        ("CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'", "left behind: procedure public.f()"),
        (
            "CREATE AGGREGATE f (int) (SFUNC = int4pl, STYPE = int)",
            "left behind: aggregate public.f(integer)",
        ),
        (
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "left behind: trigger g on public.t",
        ),
        ("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING", "left behind: rule r on public.t"),
        (
            "CREATE POLICY p ON t FOR SELECT USING (id > 1)",
            "left behind: policy p on public.t: permissive select to public using (id > 1)",
        ),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "changed: table public.t\n  before: owner "),
        ("GRANT SELECT ON t TO PUBLIC", "=r/"),
        (
            "GRANT UPDATE (a) ON t TO PUBLIC",
            "changed: column public.t.a\n  before: text\n  now: text granted =w/",
        ),
        ("COMMENT ON COLUMN t.a IS 'hm'", "left behind: comment on column a of table public.t: hm"),
        ("COMMENT ON SCHEMA public IS 'hm'", "comment on schema public"),
        (
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
            "left behind: default privileges of ",
        ),
        ("CREATE STATISTICS s ON id, a FROM t", "left behind: statistics public.s"),
        ("ALTER TABLE t ALTER a SET STORAGE EXTERNAL", "now: text storage e"),
        ("ALTER TABLE t SET (fillfactor = 70)", "with fillfactor=70"),
        ("ALTER TABLE t REPLICA IDENTITY FULL", "replica identity f"),
        ("CLUSTER t USING t_pkey", "clustered on"),
        ("CREATE COLLATION c (locale = 'C')", "left behind: collation public.c"),
        (
            "CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)",
            "left behind: operator public.===(integer,integer)",
        ),
        ("CREATE CAST (text AS int) WITH INOUT", "left behind: cast "),
        ("CREATE FOREIGN DATA WRAPPER w", "left behind: foreign-data wrapper w"),
        ("CREATE PUBLICATION p FOR TABLE t", "left behind: publication p"),
        (
            "CREATE TEXT SEARCH CONFIGURATION c (PARSER = default)",
            "left behind: text search configuration public.c",
        ),
        (
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
            "left behind: event trigger e",
        ),
    ] {
        holds(up, nothing, object);
    }
}

/// Statements, how the report shows what each leaves, and the statement that undoes it.
const EASILY_MISSED: [(&str, &str, &str); 26] = [
    (
        "CREATE PUBLICATION p; ALTER PUBLICATION p OWNER TO pg_monitor",
        "left behind: publication p: puballtables false, pubdelete true, ",
        "DROP PUBLICATION p",
    ),
    ("CREATE PUBLICATION p2 FOR TABLE t", "left behind: publication p2: ", "DROP PUBLICATION p2"),
    (
        "ALTER PUBLICATION kept SET (publish = 'insert')",
        "now: puballtables false, pubdelete false, pub",
        "ALTER PUBLICATION kept SET (publish = 'insert, update, delete, truncate')",
    ),
    (
        "ALTER PUBLICATION kept ADD TABLE t",
        "left behind: publication relation public.t in publication kept",
        "ALTER PUBLICATION kept DROP TABLE t",
    ),
    (
        "ALTER TABLE t REPLICA IDENTITY NOTHING",
        "replica identity n",
        "ALTER TABLE t REPLICA IDENTITY DEFAULT",
    ),
    (
        "ALTER TABLE t SET (toast.autovacuum_enabled = off)",
        "toast with autovacuum_enabled=off",
        "ALTER TABLE t RESET (toast.autovacuum_enabled)",
    ),
    (
        "ALTER STATISTICS st SET STATISTICS 7; ALTER STATISTICS st OWNER TO pg_monitor",
        "; owner pg_monitor; statistics 7",
        "ALTER STATISTICS st SET STATISTICS -1; ALTER STATISTICS st OWNER TO CURRENT_USER",
    ),
    (
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 9",
        "statistics of column 1 9",
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS -1",
    ),
    (
        "ALTER SERVER srv OWNER TO pg_monitor",
        "srvowner pg_monitor",
        "ALTER SERVER srv OWNER TO CURRENT_USER",
    ),
    (
        "ALTER FOREIGN DATA WRAPPER w OPTIONS (a '1')",
        "fdwoptions a=1",
        "ALTER FOREIGN DATA WRAPPER w OPTIONS (DROP a)",
    ),
    (
        "CREATE USER MAPPING FOR pg_monitor SERVER srv OPTIONS (password 's3cret')",
        "left behind: user mapping pg_monitor on server srv: umoptions password ",
        "DROP USER MAPPING FOR pg_monitor SERVER srv",
    ),
    (
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) TO pg_monitor",
        "left behind: grants on function pg_sleep(double precision): ",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM pg_monitor",
    ),
    (
        "GRANT SELECT ON pg_catalog.pg_statistic TO pg_monitor",
        "left behind: grants on table pg_statistic: ",
        "REVOKE SELECT ON pg_catalog.pg_statistic FROM pg_monitor",
    ),
    (
        "GRANT CREATE ON SCHEMA pg_catalog TO pg_monitor",
        "changed: schema pg_catalog\n",
        "REVOKE CREATE ON SCHEMA pg_catalog FROM pg_monitor",
    ),
    (
        "ALTER FUNCTION f() DEPENDS ON EXTENSION plpgsql",
        "left behind: function public.f() depends on extension plpgsql",
        "ALTER FUNCTION f() NO DEPENDS ON EXTENSION plpgsql",
    ),
    (
        "GRANT USAGE ON TYPE pair TO pg_monitor",
        "type granted ",
        "REVOKE USAGE ON TYPE pair FROM pg_monitor",
    ),
    (
        "GRANT USAGE ON SEQUENCE n_id_seq TO pg_monitor",
        "pg_monitor=U/",
        "REVOKE USAGE ON SEQUENCE n_id_seq FROM pg_monitor",
    ),
    (
        "ALTER TABLE n DISABLE TRIGGER ALL",
        "triggers on public.n enabled D",
        "ALTER TABLE n ENABLE TRIGGER ALL",
    ),
    ("CREATE TABLE typed OF pair", "; of public.pair", "DROP TABLE typed"),
    ("CREATE DOMAIN d AS text COLLATE \"C\"", "domain text collate \"C\"", "DROP DOMAIN d"),
    (
        "CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler",
        "left behind: access method am: amhandler bthandler, amtype i",
        "DROP ACCESS METHOD am",
    ),
    (
        "CREATE TRANSFORM FOR pair LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
        "left behind: transform ",
        "DROP TRANSFORM FOR pair LANGUAGE sql",
    ),
    (
        "ALTER TEXT SEARCH CONFIGURATION ts ADD MAPPING FOR word WITH simple",
        "mapped 2 simple",
        "ALTER TEXT SEARCH CONFIGURATION ts DROP MAPPING FOR word",
    ),
    (
        "ALTER OPERATOR FAMILY fam USING btree ADD FUNCTION 1 (int, int) btint4cmp(int, int)",
        "left behind: function of access method function 1 (integer, integer) of public.fam USING btree: \
         amproc btint4cmp(integer,integer)",
        "ALTER OPERATOR FAMILY fam USING btree DROP FUNCTION 1 (int, int)",
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 77', current_database()); END $$",
        "left behind: setting of the database work_mem=77",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET work_mem', current_database()); END $$",
    ),
    (
        "COMMENT ON EXTENSION plpgsql IS 'ours'",
        "changed: comment on extension plpgsql\n",
        "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language'",
    ),
];

const ALTERED: (&str, &str) = (
    "CREATE PUBLICATION kept; CREATE STATISTICS st ON id, a FROM t; CREATE INDEX i ON t ((lower(a)));\
     CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;\
     CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE pair AS (x int, y int);\
     CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY, t int REFERENCES t);\
     CREATE TEXT SEARCH CONFIGURATION ts (PARSER = default); CREATE OPERATOR FAMILY fam USING btree",
    "DROP OPERATOR FAMILY fam USING btree; DROP TEXT SEARCH CONFIGURATION ts; DROP TABLE n; DROP TYPE pair;\
     DROP FUNCTION f; DROP SERVER srv; DROP FOREIGN DATA WRAPPER w; DROP INDEX i; DROP STATISTICS st;\
     DROP PUBLICATION kept",
);

#[test]
fn what_is_easily_missed_is_looked_at_and_can_be_undone() {
    for half in EASILY_MISSED.chunks(10) {
        let up: Vec<&str> = half.iter().map(|(up, _, _)| *up).collect();
        let seen = report(&[ALTERED, (&up.join(";\n"), "SELECT 1")]);
        assert!(!seen.contains("s3cret"), "{seen}");
        for (up, shown, _) in half {
            assert!(seen.contains(shown), "{up}: {seen}");
        }
        let down: Vec<&str> = half.iter().rev().map(|(_, _, down)| *down).collect();
        assert_eq!(report(&[ALTERED, (&up.join(";\n"), &down.join(";\n"))]), "");
    }
}

/// `DROP SUBSCRIPTION` cannot run in a transaction.
#[test]
fn subscription_is_looked_at_and_its_connection_is_not_shown() {
    let create = |publications: &str| {
        format!(
            "CREATE SUBSCRIPTION s CONNECTION 'dbname=x password=s3cret' PUBLICATION {publications} \
             WITH (connect = false, slot_name = NONE)"
        )
    };
    let seen = report(&[(&create("a, b"), "SELECT 1")]);
    assert!(seen.contains("left behind: subscription s: sub"), "{seen}");
    assert!(seen.contains("subpublications [\"a\", \"b\"]"), "{seen}");
    assert!(!seen.contains("s3cret"), "{seen}");
}

/// Since PostgreSQL 15 a publication has parts of tables, and whole schemas.
#[tokio::test]
async fn columns_filters_and_schemas_of_publications_are_looked_at() {
    let database = TestDatabase::empty().expect("a database");
    let client = database.connect().await.expect("a client");
    if value(&client, "SELECT current_setting('server_version_num')::int < 150000").await == "t" {
        return;
    }
    let made = (
        "CREATE PUBLICATION p FOR TABLE t (id, a) WHERE (id > 1); CREATE PUBLICATION s FOR TABLES IN SCHEMA public",
        "DROP PUBLICATION p; DROP PUBLICATION s",
    );
    assert_eq!(report(&[made]), "");
    for (up, down, shown) in [
        (
            "ALTER PUBLICATION p SET TABLE t (id) WHERE (id > 1)",
            "ALTER PUBLICATION p SET TABLE t (id, a) WHERE (id > 1)",
            "changed: publication relation public.t in publication p\n  before: prattrs a, id, prqual (id > 1)\n  \
             now: prattrs id, prqual (id > 1)",
        ),
        (
            "ALTER PUBLICATION p SET TABLE t WHERE (id > 2)",
            "ALTER PUBLICATION p SET TABLE t (id, a) WHERE (id > 1)",
            "\n  now: prqual (id > 2)",
        ),
        (
            "ALTER PUBLICATION s DROP TABLES IN SCHEMA public",
            "ALTER PUBLICATION s ADD TABLES IN SCHEMA public",
            "missing: publication namespace public in publication s",
        ),
    ] {
        let seen = report(&[made, (up, "SELECT 1")]);
        assert!(seen.contains(shown), "{up}: {seen}");
        assert_eq!(report(&[made, (up, down)]), "", "{up}");
    }
}

#[tokio::test]
async fn tablespace_of_an_index_is_looked_at() {
    let database = FreshDatabase::create().await;
    let (client, space) = (database.connect().await, format!("space_{}", database.name()));
    for sql in
        ["SET allow_in_place_tablespaces = on", &format!("CREATE TABLESPACE {space} LOCATION ''")]
    {
        client.batch_execute(sql).await.expect(sql);
    }
    let seen = report(&[(&format!("ALTER INDEX t_pkey SET TABLESPACE {space}"), "SELECT 1")]);
    client.batch_execute(&format!("DROP TABLESPACE {space}")).await.expect("it is empty");
    assert!(seen.contains(&format!("tablespace {space}")), "{seen}");
}

/// PostgreSQL 15.20 adds a `pg_attver` to the options of each column. The test adds one on other servers, so that
/// each of them shows how the check handles it.
#[test]
fn option_that_the_server_writes_is_no_difference_and_one_of_the_user_is() {
    let options = |options: &str| {
        format!(
            "SET LOCAL allow_system_table_mods = on; UPDATE pg_attribute SET attoptions = '{options}' \
             WHERE attrelid = 't'::regclass AND attname = 'a'"
        )
    };
    let (seven, nine) = (options("{pg_attver=7}"), options("{pg_attver=9}"));
    assert_eq!(report(&[(&seven, &nine)]), "");
    check(
        &seven,
        &options("{pg_attver=9,n_distinct=5}"),
        "changed: column public.t.a\n  before: text\n  now: text with n_distinct=5",
    );
    check(
        "ALTER TABLE t ALTER a SET (n_distinct = 5, n_distinct_inherited = 6)",
        "ALTER TABLE t ALTER a RESET (n_distinct)",
        "changed: column public.t.a\n  before: text\n  now: text with n_distinct_inherited=6",
    );
    // Only the name itself belongs to the server.
    holds(&seven, &options("{pg_attver_x=7}"), "now: text with pg_attver_x=7");
}

/// What a type, a view and a column leave in the catalogs, on every server that the tests run on.
#[test]
fn types_views_and_columns_can_be_undone_on_every_server() {
    let pairs = [
        ("ALTER TABLE t ALTER COLUMN a TYPE varchar(50)", "ALTER TABLE t ALTER COLUMN a TYPE text"),
        ("ALTER TABLE t ALTER id TYPE bigint", "ALTER TABLE t ALTER id TYPE int"),
        ("CREATE VIEW v AS SELECT id FROM t", "DROP VIEW v"),
        ("ALTER TABLE t ADD COLUMN email text", "ALTER TABLE t DROP COLUMN email"),
        (
            "CREATE INDEX i ON t (a); CLUSTER t USING i; ANALYZE t",
            "ALTER TABLE t SET WITHOUT CLUSTER; DROP INDEX i",
        ),
    ];
    assert_eq!(report(&pairs), "");
}

/// A SET puts an option last, and the first GRANT writes out the default.
#[test]
fn order_of_options_and_spelt_out_defaults_are_no_differences() {
    let made = (
        "ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled = off); CREATE FOREIGN DATA WRAPPER w; \
         CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE TRUSTED LANGUAGE l HANDLER plpgsql_call_handler",
        "DROP LANGUAGE l; DROP SERVER s; DROP FOREIGN DATA WRAPPER w; \
         ALTER TABLE t RESET (fillfactor, autovacuum_enabled)",
    );
    for (up, down) in [
        ("ALTER TABLE t SET (fillfactor = 60)", "ALTER TABLE t SET (fillfactor = 70)"),
        ("GRANT SELECT ON t TO PUBLIC", "REVOKE SELECT ON t FROM PUBLIC"),
        (
            "GRANT USAGE ON FOREIGN SERVER s TO PUBLIC",
            "REVOKE USAGE ON FOREIGN SERVER s FROM PUBLIC",
        ),
        ("REVOKE USAGE ON LANGUAGE l FROM PUBLIC", "GRANT USAGE ON LANGUAGE l TO PUBLIC"),
    ] {
        assert_eq!(report(&[made, (up, down)]), "", "{up}");
    }
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
         help: write one, or check from a later version with `check_reversible_from`"
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
