//! Every byte of SQL that a run sends, one file in `sql` per situation.
//!
//! What differs from run to run is replaced: tokens, processes, milliseconds left, the saved session.
//! `UPDATE=1 cargo test -p migrate-tests --test db snapshots::` rewrites the files: read the difference
//! before you commit it.

mod scene;

use std::convert::Infallible;
use std::time::Duration;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::hook::{RunClient, When};
use migrate_runtime::ledger::Edited;
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{ErrorKind, Lock, Migrator, Rollback, run_in_order};
use migrate_tests::sets::{module, set, tables, unparsed};
use tokio_postgres::Client;

use scene::Scene;

const TABLE: (&str, &str) = ("1_t.sql", "-- UP\nCREATE TABLE t (a int);\n-- DOWN\nDROP TABLE t;");
const SECOND: (&str, &str) = ("2_b.sql", "ALTER TABLE t ADD b pg_catalog.text DEFAULT 'it''s'");
const ALONE: (&str, &str) = (
    "3_i.sql",
    "-- migrate:no-transaction\n-- UP\nINSERT INTO t VALUES (1);\n\
     CREATE INDEX CONCURRENTLY t_a ON t (a);\nINSERT INTO t VALUES (2);\n\
     -- DOWN\nDROP INDEX CONCURRENTLY t_a;",
);

async fn first(migrator: &Migrator<'_>, client: &mut Client) {
    migrator.run(client).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn fresh_set_and_nothing_pending() {
    let mut scene = Scene::new("fresh").await;
    let set = tables(3);
    first(&Migrator::new(&set), &mut scene.client).await;
    scene.take("three pending, no ledger");
    first(&Migrator::new(&set), &mut scene.client).await;
    scene.take("nothing pending");
    let more = tables(4);
    first(&Migrator::new(&more), &mut scene.client).await;
    scene.take("one pending");
    let alone = set_of_three();
    let other = Migrator::new(&alone).table("other");
    first(&other.clone().to("2"), &mut scene.client).await;
    scene.take("up to a version, with one outside a transaction in the set");
    scene.check();
}

fn set_of_three() -> migrate_runtime::Migrations {
    set(&[TABLE, SECOND, ALONE])
}

#[tokio::test]
async fn named_schema_and_module_with_limits() {
    let mut scene = Scene::new("named").await;
    let set = module(
        "acc'ounts",
        &[
            ("1_t.sql", "CREATE TABLE {{tables.t}} (a int);"),
            ("2_s.sql", "INSERT INTO {{schema}}.t SELECT 1;"),
        ],
    );
    let migrator = Migrator::new(&set)
        .schema("App \\ one")
        .ledger_schema("meta")
        .table("the ledger")
        .create_schema()
        .lock_timeout(Duration::from_millis(1500))
        .deadline(Duration::from_hours(1))
        .on(|_| {});
    first(&migrator, &mut scene.client).await;
    scene.take("schemas, a deadline and a listener");
    first(&migrator, &mut scene.client).await;
    scene.take("nothing pending");
    scene.check();
}

#[tokio::test]
async fn migrations_that_touch_the_session() {
    let mut scene = Scene::new("session").await;
    let set = set(&[
        ("1_a.sql", "SET search_path = pg_catalog; SET app.tenant = 'x'; SELECT 1;"),
        ("2_b.sql", "DISCARD TEMP; RESET ALL;"),
        ("3_c.sql", "-- migrate:no-transaction\nSET work_mem = '1MB'; SELECT 2; VACUUM;"),
        ("4_d.sql", "SET LOCAL synchronous_commit = off;"),
    ]);
    first(&Migrator::new(&set), &mut scene.client).await;
    scene.take("settings, a reset, and settings outside a transaction");
    scene.check();
}

#[tokio::test]
async fn strings_with_backslashes() {
    let mut scene = Scene::new("strings").await;
    let set = set(&[("1_a.sql", "SELECT 'a\\b';")]);
    scene.client.batch_execute("SET standard_conforming_strings = off").await.expect("a setting");
    scene.forget();
    first(&Migrator::new(&set), &mut scene.client).await;
    scene.take("standard_conforming_strings is off");
    scene.check();
}

#[tokio::test]
async fn repeatable_migrations() {
    let mut scene = Scene::new("repeatable").await;
    let (one, two) = (
        set(&[TABLE, ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;")]),
        set(&[TABLE, ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS a;")]),
    );
    first(&Migrator::new(&one), &mut scene.client).await;
    scene.take("new");
    first(&Migrator::new(&two), &mut scene.client).await;
    scene.take("changed");
    scene.check();
}

#[tokio::test]
async fn outside_a_transaction() {
    let mut scene = Scene::new("alone").await;
    let files = |last: &str| {
        let sql = format!(
            "-- migrate:no-transaction\nSET work_mem = '1MB';\nINSERT INTO t VALUES (1), (1);\n\
             BEGIN; INSERT INTO t VALUES (3); SELECT 4; COMMIT;\n{last}\n\
             CREATE INDEX CONCURRENTLY ON t (a);"
        );
        set(&[TABLE, ("2_x.sql", &sql)])
    };
    let broken = files("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);");
    Migrator::new(&broken).run(&mut scene.client).await.expect_err("a duplicate");
    scene.take("a unique index over duplicates");
    scene.client.batch_execute("DELETE FROM t").await.expect("no duplicates");
    scene.forget();
    let deadline = Duration::from_hours(1);
    first(&Migrator::new(&broken).deadline(deadline), &mut scene.client).await;
    scene.take("continued, with a deadline");
    let begins = set(&[("1_v.sql", "-- migrate:no-transaction\nVACUUM;")]);
    first(&Migrator::new(&begins).table("other"), &mut scene.client).await;
    scene.take("it begins the ledger");
    scene.check();
}

#[tokio::test]
async fn continued_outside_a_transaction() {
    let mut scene = Scene::new("continued").await;
    for (table, statement) in [
        ("unnamed", "CREATE INDEX CONCURRENTLY ON late (a)"),
        ("of_index", "REINDEX INDEX CONCURRENTLY late_a"),
        ("of_table", "REINDEX TABLE CONCURRENTLY late"),
        ("of_schema", "REINDEX SCHEMA CONCURRENTLY late"),
    ] {
        let sql = format!("-- migrate:no-transaction\n{statement};");
        let set = set(&[("1_x.sql", &sql)]);
        let migrator = Migrator::new(&set).table(table);
        migrator.run(&mut scene.client).await.expect_err("nothing of this name");
        let late = "CREATE SCHEMA late; CREATE TABLE late (a int); CREATE INDEX late_a ON late (a)";
        scene.client.batch_execute(late).await.expect("what is missing");
        scene.forget();
        first(&migrator, &mut scene.client).await;
        scene.take(statement);
        scene.client.batch_execute("DROP SCHEMA late; DROP TABLE late").await.expect("none");
    }
    scene.check();
}

#[tokio::test]
async fn lock_that_is_a_row() {
    let mut scene = Scene::new("row_lock").await;
    let set = set_of_three();
    let migrator = Migrator::new(&set).lock(Lock::Row);
    first(&migrator.clone().to("2"), &mut scene.client).await;
    scene.take("two pending, no ledger");
    scene
        .client
        .batch_execute(
            "INSERT INTO migration_ledger (module, version, kind, name, filename, \
             checksum_algorithm, \"position\", applied_at, execution_ms, applied_by, application, \
             ended_position, progress) VALUES ('', 'lock', 'lock', '', 'a token of the dead', '', \
             4611686018427387904, '2024-05-06 07:08:09', 30000, 'nobody', 'dead', \
             4611686018427387904, 999999)",
        )
        .await
        .expect("a dead holder's row");
    scene.forget();
    // It looks once.
    let migrator = migrator.wait_timeout(Duration::ZERO);
    first(&migrator, &mut scene.client).await;
    scene.take("one outside a transaction, and a dead holder's lock");
    migrator.rollback(&mut scene.client, Rollback::Steps(1)).await.expect("a rollback");
    scene.take("undone");
    scene.check();
}

#[tokio::test]
async fn rollback_of_both_kinds() {
    let mut scene = Scene::new("rollback").await;
    let set =
        set(&[TABLE, ("2_i.sql", ALONE.1), ("3_u.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;")]);
    first(&Migrator::new(&set), &mut scene.client).await;
    scene.forget();
    let migrator = Migrator::new(&set);
    migrator.plan_rollback(&scene.client, Rollback::Steps(2)).await.expect("a plan");
    scene.take("planned");
    let all = Rollback::to(1);
    migrator.rollback(&mut scene.client, all).await.expect("a rollback");
    scene.take("to the first");
    migrator.redo(&mut scene.client).await.expect("once more");
    scene.take("redone");
    scene.check();
}

/// The columns of other tools' tables that `adopt` reads.
const EMPTY: [(Adopt, &str); 10] = [
    (Adopt::Refinery, "version int, name varchar, applied_on varchar, checksum varchar"),
    (
        Adopt::Sqlx,
        "version bigint, installed_on timestamp with time zone, success boolean, \
         checksum pg_catalog.bytea, execution_time bigint",
    ),
    (Adopt::Diesel, "version varchar, run_on timestamp"),
    (Adopt::Goose, "id int, version_id bigint, is_applied boolean, tstamp timestamp"),
    (Adopt::GolangMigrate, "version bigint, dirty boolean"),
    (
        Adopt::Chronis,
        "version varchar, filename varchar, checksum varchar, execution_time_ms int, \
         applied_at timestamp with time zone",
    ),
    (
        Adopt::Pgdbm,
        "id int, filename varchar, checksum varchar, execution_time_ms numeric, \
         module_name varchar, applied_at timestamp with time zone",
    ),
    (Adopt::Pycopg, "version varchar, name varchar, applied_at timestamp with time zone"),
    (Adopt::DataBridge, "version varchar, checksum varchar, applied_at timestamp with time zone"),
    (Adopt::Xyn, "id varchar, applied_at timestamp with time zone"),
];

#[tokio::test]
async fn adoption_of_every_tool() {
    let mut scene = Scene::new("adopt").await;
    let set = set_of_three();
    scene
        .client
        .batch_execute(
            "CREATE TABLE schema_migrations (version varchar); \
             INSERT INTO schema_migrations VALUES ('1'), ('2'); \
             CREATE TABLE flyway_schema_history (installed_rank int, version varchar, \
             type varchar, script varchar, checksum int, installed_by varchar, \
             installed_on timestamp, execution_time int, success boolean); \
             INSERT INTO flyway_schema_history VALUES \
             (1, '3', 'SQL', '3_i.sql', NULL, 'it''s me', '2024-05-06 07:08:09', 12, true)",
        )
        .await
        .expect("tables of other tools");
    scene.forget();
    let migrator = Migrator::new(&set);
    migrator.adopt(&mut scene.client, Adopt::Dbmate).await.expect("two migrations");
    scene.take("versions only");
    migrator.adopt(&mut scene.client, Adopt::Flyway).await.expect("one migration");
    scene.take("with role, time and duration");
    for (tool, columns) in EMPTY {
        let (schema, table) = (tool.name().replace('-', "_"), tool.default_table());
        let sql =
            format!("CREATE SCHEMA \"{schema}\"; CREATE TABLE \"{schema}\".{table} ({columns})");
        scene.client.batch_execute(&sql).await.expect("an empty table");
        scene.forget();
        let adopted = migrator.adopt(&mut scene.client, tool.schema(schema)).await;
        assert_eq!(adopted.expect("nothing to adopt").amended.len(), 0);
        scene.take(tool.name());
    }
    scene.check();
}

#[tokio::test]
async fn many_schemas() {
    let mut scene = Scene::new("tenants").await;
    let one = set(&[("1_t.sql", "CREATE TABLE {{tables.t}} (a int);")]);
    scene.client.batch_execute("CREATE SCHEMA a; CREATE SCHEMA \"b'\\c\"").await.expect("schemas");
    scene.forget();
    let migrator = Migrator::new(&one);
    let tenants = Tenants::new(&migrator).concurrency(1);
    let config = scene.proxy.config();
    let connect =
        async || Ok::<_, Infallible>(Box::new(migrate_tests::database::connect(&config).await));
    for when in ["both are new", "both are up to date"] {
        let report = tenants.run(["a", "b'\\c"], connect, |_| {}).await.expect("a run");
        assert!(report.failed.is_empty(), "{report}");
        scene.take(when);
    }
    // It reads every row.
    let migrator = migrator.to("1");
    let tenants = Tenants::new(&migrator).concurrency(1);
    let report = tenants.run(["a", "b'\\c"], connect, |_| {}).await.expect("nothing pending");
    assert_eq!(report.up_to_date.len(), 2, "{report}");
    scene.take("both are up to date, up to a version");
    scene.check();
}

#[tokio::test]
async fn changes_of_the_ledger_alone() {
    let mut scene = Scene::new("amendments").await;
    let (set, edited) = (set_of_three(), set(&[TABLE, ("2_b.sql", "SELECT 'edited'"), ALONE]));
    let migrator = Migrator::new(&set);
    migrator.baseline(&mut scene.client, "2").await.expect("a baseline");
    scene.take("baseline, no ledger");
    Migrator::new(&edited).accept(&mut scene.client, "2").await.expect("an edit");
    scene.take("accept");
    migrator.accept(&mut scene.client, Edited::All).await.expect("the edit back");
    scene.take("accept all");
    migrator.forget(&mut scene.client, "1").await.expect("an entry less");
    scene.take("forget");
    let by_row = migrator.clone().lock(Lock::Row);
    by_row.baseline(&mut scene.client, "2").await.expect("a baseline");
    scene.take("baseline under the lock that is a row");
    migrator.history(&scene.client).await.expect("a history");
    migrator.status(&scene.client).await.expect("a status");
    migrator.require_applied(&scene.client, ["1"]).await.expect("an entry of 1");
    migrator.verify(&scene.client).await.expect_err("3 is pending");
    scene.take("history, status, require_applied, verify");
    scene.check();
}

async fn nothing(context: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    context.batch_execute("SELECT 'by the service'").await
}

#[tokio::test]
async fn functions_and_hooks() {
    let mut scene = Scene::new("calls").await;
    let set = set(&[
        ("1_f.sql", "-- migrate:function\nCREATE TABLE t (a int);"),
        ("2_b.sql", "SELECT 2;"),
        ("3_v.sql", "-- migrate:no-transaction\nVACUUM;"),
    ]);
    let migrator = Migrator::new(&set).function("1", nothing);
    first(&migrator, &mut scene.client).await;
    scene.take("a function");
    let hooked = migrator
        .table("other")
        .only("2")
        .allow_out_of_order()
        .hook(When::BeforeRun, nothing)
        .hook(When::BeforeEach, nothing)
        .hook(When::AfterEach, nothing)
        .hook(When::AfterRun, nothing);
    first(&hooked, &mut scene.client).await;
    scene.take("hooks around one");
    first(&hooked.only("3"), &mut scene.client).await;
    scene.take("hooks around one outside a transaction");
    scene.check();
}

#[tokio::test]
async fn trial_of_what_is_pending() {
    let mut scene = Scene::new("trial").await;
    let set = set_of_three();
    Migrator::new(&set).trial(&mut scene.client).await.expect("a trial");
    scene.take("no ledger");
    scene.check();
}

#[tokio::test]
async fn several_sets_in_order() {
    let mut scene = Scene::new("in_order").await;
    let (auth, app) = (module("auth", &[TABLE]), module("app", &[SECOND]));
    for when in ["both pending", "nothing pending"] {
        let both = [&Migrator::new(&auth), &Migrator::new(&app)];
        run_in_order(both, &mut scene.client).await.expect("both");
        scene.take(when);
    }
    scene.check();
}

#[tokio::test]
async fn failures_of_a_run() {
    let mut scene = Scene::new("failures").await;
    let broken = unparsed(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "SELECT * FROM nowhere;"),
        ("3_c.sql", "SELECT 3;"),
    ]);
    Migrator::new(&broken).run(&mut scene.client).await.expect_err("no such table");
    scene.take("the second fails, and what was committed before is flushed");
    let unread = unparsed(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "SELECT 2;"),
        ("3_c.sql", "SELEKT 3;"),
    ]);
    Migrator::new(&unread).run(&mut scene.client).await.expect_err("edited and unread");
    scene.take("drift");
    let fresh = Migrator::new(&unread).table("other").allow_edited();
    scene.client.batch_execute("DROP TABLE a").await.expect("no table");
    scene.forget();
    fresh.run(&mut scene.client).await.expect_err("a syntax error");
    scene.take("the third is a syntax error, so they go one by one");
    scene.client.batch_execute("CREATE TABLE foreign_one (x int)").await.expect("a table");
    scene.forget();
    let foreign = Migrator::new(&unread).table("foreign_one");
    foreign.run(&mut scene.client).await.expect_err("a foreign table");
    scene.take("a foreign table");
    let set = set(&[TABLE]);
    Migrator::new(&set).schema("gone").run(&mut scene.client).await.expect_err("no schema");
    scene.take("a schema that is missing");
    scene.check();
}

#[tokio::test]
async fn others_at_work_and_too_few_privileges() {
    let mut scene = Scene::new("others").await;
    let table = set(&[TABLE]);
    let other = scene.database.connect().await;
    let migrator = Migrator::new(&table).wait_timeout(Duration::ZERO);
    let key = scene.lock_key(&migrator).await;
    other
        .batch_execute(&format!("SELECT pg_catalog.pg_advisory_lock({key})"))
        .await
        .expect("the lock");
    scene.forget();
    let error = migrator.run(&mut scene.client).await.expect_err("others hold it");
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    scene.take("another session holds the advisory lock");
    let role = format!("r_{}", scene.database.name());
    // Before PostgreSQL 15 every role may create in `public`.
    let sql = format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {role} ROLE CURRENT_USER; \
         SET ROLE {role}"
    );
    scene.client.batch_execute(&sql).await.expect("a role");
    scene.forget();
    migrator.clone().table("third").run(&mut scene.client).await.expect_err("no privileges");
    scene.take("a role that may not create");
    let sql = format!(
        "RESET ROLE; CREATE SCHEMA own AUTHORIZATION {role}; CREATE TABLE t (); \
         CREATE PROCEDURE p() LANGUAGE sql AS ''; REVOKE EXECUTE ON PROCEDURE p FROM PUBLIC; \
         SET ROLE {role}"
    );
    scene.client.batch_execute(&sql).await.expect("what the role may not use");
    for sql in ["TABLE public.t", "CALL public.p()"] {
        let denied = set(&[("1_d.sql", sql)]);
        scene.forget();
        let own = Migrator::new(&denied).schema("own");
        own.run(&mut scene.client).await.expect_err("a privilege is missing");
        scene.take(sql);
    }
    let sql = format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}");
    scene.client.batch_execute(&sql).await.expect("no role");
    scene.check();
}
