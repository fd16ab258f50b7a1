//! Verbs besides a run, and runs of several sets or in several schemas.

use std::convert::Infallible;

use migrate_runtime::adopt::Adopt;
use migrate_runtime::ledger::Edited;
use migrate_runtime::tenants::Tenants;
use migrate_runtime::{Lock, Migrator, Rollback, run_in_order};
use migrate_tests::sets::{module, set};

use super::scene::Scene;
use super::{ALONE, SECOND, TABLE, first, set_of_three};

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

#[tokio::test]
async fn trial_of_what_is_pending() {
    let mut scene = Scene::new("trial").await;
    let set = set_of_three();
    Migrator::new(&set).trial(&mut scene.client).await.expect("a trial");
    scene.take("no ledger");
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
