//! Runs that fail, wait for another session, or lack a privilege.

use std::time::Duration;

use migrate_runtime::{ErrorKind, Migrator};
use migrate_tests::sets::{set, unparsed};

use super::TABLE;
use super::scene::Scene;

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
