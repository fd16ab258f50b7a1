//! Every byte of SQL that a run sends, one file in `sql` per situation.
//!
//! What differs from run to run is replaced: tokens, processes, milliseconds left, the saved session.
//! `UPDATE=1 cargo test -p migrate-tests --test db snapshots::` rewrites the files: read the difference
//! before you commit it.

mod failures;
mod scene;
mod verbs;

use std::time::Duration;

use migrate_runtime::hook::{RunClient, When};
use migrate_runtime::{Lock, Migrations, Migrator, Rollback};
use migrate_tests::sets::{module, set, tables};
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

fn set_of_three() -> Migrations {
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
