//! Databases of tests: cloned from one template by any number of tests, and dropped however a test ends; and
//! the server that the processes of a user share.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod elsewhere;
mod part;
mod shared;

use std::collections::HashSet;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use migrate_runtime::Migrator;
use migrate_testing::{Server, TestDatabase};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;
use part::{
    LIMIT, Part, built_at, exists, folder, maintenance, pid_of, psql, salt, salted, template_of,
    templates, temporary_folder, wait_until_gone,
};
use tokio_postgres::Client;

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let set = salted(&salt("own"));
    let (one, other) = (TestDatabase::new(&set).unwrap(), TestDatabase::new(&set).unwrap());
    let (client, beside) = (one.connect().await.unwrap(), other.connect().await.unwrap());
    Migrator::new(&set).verify(&client).await.expect("nothing pending");
    client.batch_execute("INSERT INTO a VALUES (1); DROP TABLE b").await.unwrap();
    assert_eq!(value(&beside, "SELECT count(*) FROM a").await, "0");
    assert_eq!(value(&beside, "SELECT to_regclass('b')::text").await, "b");
    assert_eq!(value(&client, "SELECT current_database()::text").await, one.name());

    let (name, watch) = (one.name().to_owned(), maintenance(&one).await);
    assert!(exists(&watch, &name).await);
    // A session that stays open must not keep it.
    drop(one);
    assert!(!exists(&watch, &name).await);
    assert!(exists(&watch, other.name()).await);
}

#[test]
fn blocking_tests_have_one_too() {
    let database = TestDatabase::new(&salted(&salt("blocking"))).unwrap();
    assert!(database.url().contains(database.name()));
    assert!(!format!("{database:?}").contains("postgres"), "{database:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn template_depends_on_all_that_is_in_it() {
    let salt = salt("digest");
    let set = salted(&salt);
    let schema = Migrator::new(&set).schema("app").create_schema();
    let one = TestDatabase::new(&set).unwrap();
    let watch = maintenance(&one).await;
    let before = template_of(&one, &watch).await;
    assert!(templates(&watch).await.contains(&before), "{before}");
    // Not all templates are compared: other tests and processes make some meanwhile.
    let again = TestDatabase::new(&set).unwrap();
    assert_eq!(template_of(&again, &watch).await, before, "the same set has the same template");

    let app = TestDatabase::new(&schema).unwrap();
    let part = TestDatabase::new(Migrator::new(&set).to("1")).unwrap();
    let seeded = TestDatabase::with_fixture(&set, "INSERT INTO a VALUES (7)").unwrap();
    let mut four = HashSet::from([before]);
    for database in [&app, &part, &seeded] {
        four.insert(template_of(database, &watch).await);
    }
    assert_eq!(four.len(), 4, "{four:?}");
    assert!(templates(&watch).await.is_superset(&four), "{four:?}");
    let client = app.connect().await.unwrap();
    assert_eq!(value(&client, "SELECT count(*) FROM app.migration_ledger").await, "2");
    let client = part.connect().await.unwrap();
    assert_eq!(value(&client, "SELECT count(*) FROM migration_ledger").await, "1");
    let client = seeded.connect().await.unwrap();
    assert_eq!(value(&client, "SELECT id FROM a").await, "7");
    assert_eq!(value(&again.connect().await.unwrap(), "SELECT count(*) FROM a").await, "0");
}

#[tokio::test]
async fn racing_threads_build_one_template() {
    let salt = salt("threads");
    let make = || TestDatabase::new(&salted(&salt)).unwrap();
    let databases: Vec<TestDatabase> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut built = HashSet::new();
    for database in &databases {
        built.insert(built_at(&database.connect().await.unwrap()).await);
    }
    assert_eq!(built.len(), 1, "{built:?}");
}

#[test]
fn racing_processes_build_one_template_and_leave_nothing() {
    let salt = salt("processes");
    let parts: Vec<Part> = (0..6).map(|_| Part::begin("database", &salt, &[])).collect();
    let parts: Vec<Part> = parts.into_iter().map(Part::ready).collect();
    let built: HashSet<&str> = parts.iter().map(|part| part.printed[1].as_str()).collect();
    assert_eq!(built.len(), 1, "{built:?}");
    let names: HashSet<String> = parts.iter().map(|part| part.printed[0].clone()).collect();
    assert_eq!(names.len(), 6);
    parts.into_iter().for_each(Part::end);
    let left = leftover_names();
    assert!(names.is_disjoint(&left), "{left:?}");
}

/// The databases of tests that are there now.
fn leftover_names() -> HashSet<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = TestDatabase::empty().unwrap();
    runtime.block_on(async {
        let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_test\\_%'";
        let client = maintenance(&database).await;
        client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    })
}

#[test]
fn panic_takes_the_database_along() {
    let set = salted(&salt("panic"));
    let panicked = catch_unwind(|| {
        let database = TestDatabase::new(&set).unwrap();
        std::panic::panic_any(database.name().to_owned());
    });
    let name = *panicked.unwrap_err().downcast::<String>().unwrap();
    assert!(!leftover_names().contains(&name));
}

#[test]
fn what_a_killed_process_left_is_collected_by_the_next() {
    let salt = salt("killed");
    // Stays meanwhile, and so does its database.
    let living = Part::begin("database", &salt, &[]).ready();
    let mut killed = Part::begin("database", &salt, &[]).ready();
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    // The server notices the end of a session when it next looks at it.
    let deadline = Instant::now() + LIMIT;
    loop {
        Part::begin("database", &salt, &[]).ready().end();
        let left = leftover_names();
        assert!(left.contains(&living.printed[0]), "a database in use was dropped");
        if !left.contains(&killed.printed[0]) {
            break;
        }
        assert!(Instant::now() < deadline, "{} is still there", killed.printed[0]);
    }
    living.end();
}

#[test]
fn database_of_a_failed_test_is_kept_on_request_only() {
    // On a server of its own, which then stays for an hour.
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let keep = [env[0], env[1], ("MIGRATE_KEEP", "1")];
    let salt = salt("kept");
    let mut failed = Part::begin("fail", &salt, &keep).ready();
    assert!(!failed.child.wait().unwrap().success());
    // Longer than the lingering time of an unused server that is not kept.
    thread::sleep(Duration::from_millis(700));
    let mut other = Part::begin("fail", &salt, &env).ready();
    assert!(!other.child.wait().unwrap().success());
    let kept = Part::begin("keep", &salt, &env).ready();
    let (server, names) =
        (PathBuf::from(&kept.printed[2]), [&failed, &kept].map(|p| p.printed[0].clone()));
    kept.end();
    let collecting = || Part::begin("database", &salt, &env).ready().end();
    collecting();
    let there = |sql: &str| psql(&server, sql);
    let list =
        "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_test\\_%' ORDER BY oid";
    assert_eq!(there(list), names, "{} was not to be kept", other.printed[0]);
    for name in &names {
        there(&format!("COMMENT ON DATABASE {name} IS 'migrate-runtime: kept until 7'"));
    }
    collecting();
    assert_eq!(there(list), [""; 0]);
    let printed = [server.display().to_string(), pid_of(&server)];
    assert!(Command::new("kill").args(["-s", "INT", &printed[1]]).status().unwrap().success());
    wait_until_gone(&printed);
}

#[tokio::test]
async fn half_a_template_is_built_again_and_old_ones_go() {
    let salt = salt("half");
    let watch = maintenance(&TestDatabase::empty().unwrap()).await;
    let one = TestDatabase::new(&salted(&salt)).unwrap();
    let first = built_at(&one.connect().await.unwrap()).await;
    let template = template_of(&one, &watch).await;
    drop(one);
    watch.batch_execute(&format!("COMMENT ON DATABASE {template} IS NULL")).await.unwrap();
    // Of another process, as this one would begin the next clone.
    let again = Part::begin("database", &salt, &[]).ready();
    assert_ne!(again.printed[1], first);

    let old =
        format!("COMMENT ON DATABASE {template} IS 'migrate-runtime: template, last used at 7'");
    watch.batch_execute(&old).await.unwrap();
    // In use by `again`, so the next process leaves it.
    Part::begin("database", "any", &[]).ready().end();
    assert!(templates(&watch).await.contains(&template));
    again.end();
    Part::begin("database", "any", &[]).ready().end();
    assert!(!templates(&watch).await.contains(&template));
}

#[test]
fn clone_is_made_ahead_on_a_throwaway_server_and_collected() {
    // On a server of its own, where no other test makes databases.
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "5")];
    let salt = salt("ahead");
    let ahead = Part::begin("ahead", &salt, &env).ready();
    assert_eq!(ahead.printed[0], "made ahead");
    let server = PathBuf::from(&ahead.printed[1]);
    ahead.end();
    // The spare that the process had begun last is there until the next process looks.
    let deadline = Instant::now() + LIMIT;
    loop {
        Part::begin("database", &salt, &env).ready().end();
        let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_test\\_%'";
        let left = psql(&server, sql);
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "{left:?} are still there");
    }
}

/// `DROP DATABASE .. WITH (FORCE)` looks ten times a second whether the sessions have ended that it ends.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_test_have_ended_before_its_database_is_dropped() {
    let database = TestDatabase::new(&salted(&salt("end"))).unwrap();
    let _open = database.connect().await.unwrap();
    let (mut client, watch) = (maintenance(&database).await, maintenance(&database).await);
    let name = database.name().to_owned();
    let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
    assert_eq!(value(&watch, &sessions).await, "1");
    let held = client.transaction().await.unwrap();
    // `DROP DATABASE` locks its database, in a mode that conflicts with this, before it ends sessions.
    held.batch_execute(&format!("COMMENT ON DATABASE {name} IS NULL")).await.unwrap();
    let dropped = tokio::task::spawn_blocking(move || drop(database));
    wait_for_lock(&watch, &format!("DROP DATABASE %{name}%")).await;
    assert_eq!(value(&watch, &sessions).await, "0");
    held.rollback().await.unwrap();
    dropped.await.unwrap();
}

/// Waits until a statement like this one waits for a lock.
async fn wait_for_lock(watch: &Client, statement: &str) {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{statement}'"
    );
    let deadline = Instant::now() + LIMIT;
    while value(watch, &sql).await != "1" {
        assert!(Instant::now() < deadline, "nothing waits");
    }
}

#[test]
fn session_that_was_ended_between_two_tests_is_replaced() {
    let part = Part::begin("ended", &salt("ended"), &[]).ready();
    assert_eq!(part.printed, ["another session"]);
    part.end();
}

#[test]
fn migration_that_fails_is_reported_and_leaves_no_template() {
    let salt = salt("failing");
    let broken = format!("-- {salt}\nCREATE TABLE a (id nowhere);");
    let set = set(&[("1_a.sql", broken.as_str())]);
    let error = TestDatabase::new(&set).expect_err("no such type").to_string();
    let expected = "migrations/1_a.sql:2:20: type \"nowhere\" does not exist (SQLSTATE 42704)";
    assert!(error.starts_with(expected), "{error}");

    // On a server of its own, where no other test makes templates.
    let base = temporary_folder();
    let env = [("TMPDIR", base.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let part = Part::begin("broken", &salt, &env).ready();
    assert_eq!(part.printed, [expected, "0"]);
    part.end();
}

#[test]
fn server_that_refuses_is_reported_without_its_password() {
    let nowhere = "postgresql://anna:s3cret@127.0.0.1:1/app";
    let part = Part::begin("error", "", &[("DATABASE_URL", nowhere)]).ready();
    assert!(part.printed[0].starts_with("cannot connect to `app`: "), "{:?}", part.printed);
    let help = "help: check that the server of DATABASE_URL is up and accepts connections without \
                TLS; or unset it to use a throwaway server";
    assert_eq!(part.printed[1..], [help]);
    part.end();

    let server = Server::start().unwrap();
    psql(&folder(&server), "CREATE ROLE anna LOGIN");
    let address = server.url().replace("postgres@", "anna@");
    let part = Part::begin("error", "", &[("DATABASE_URL", address.as_str())]).ready();
    assert!(part.printed[0].starts_with("cannot create `migrate_template_"), "{:?}", part.printed);
    assert!(
        part.printed[0].ends_with("`: permission denied to create database (SQLSTATE 42501)"),
        "{:?}",
        part.printed
    );
    let help =
        "help: the role of DATABASE_URL needs CREATEDB; or unset it to use a throwaway server";
    assert_eq!(part.printed[1..], [help]);
    part.end();

    let absent = "help: name a database that exists in DATABASE_URL, such as `postgres`; or unset it to use a \
                  throwaway server";
    let nobody = "help: check user and password in DATABASE_URL, and the server's pg_hba.conf; or unset it to use a \
                  throwaway server";
    let nobody_s = server.url().replace("postgres@", "nobody@");
    for (address, help) in [(server.url_for("absent"), absent), (nobody_s, nobody)] {
        let part = Part::begin("error", "", &[("DATABASE_URL", address.as_str())]).ready();
        assert_eq!(part.printed[1..], [help], "{:?}", part.printed);
        part.end();
    }
}

#[tokio::test]
async fn nothing_is_created_in_the_database_of_the_environment() {
    let (named, client) = FreshDatabase::connected().await;
    let watch = "CREATE TABLE seen (command text); \
                 CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql \
                 AS 'BEGIN INSERT INTO seen VALUES (tg_tag); END'; \
                 CREATE EVENT TRIGGER see ON ddl_command_start EXECUTE FUNCTION see()";
    client.batch_execute(watch).await.unwrap();
    let salt = salt("named");
    let part = Part::begin("", &salt, &[("DATABASE_URL", named.url())]).ready();
    assert!(exists(&client, &part.printed[0]).await, "on that server");
    part.end();
    let seen = "SELECT count(*) FROM seen";
    assert_eq!(value(&client, seen).await, "0");
    client.batch_execute("CREATE TEMPORARY TABLE t (id int)").await.unwrap();
    assert_eq!(value(&client, seen).await, "1", "the trigger works");
}

/// A session sees the advisory locks of its own database only.
#[tokio::test]
async fn databases_of_another_maintenance_database_are_collected_when_that_is_gone() {
    let (named, elsewhere) = (FreshDatabase::create().await, FreshDatabase::create().await);
    let watch = elsewhere.connect().await;
    let mut part = Part::begin("", &salt("named"), &[("DATABASE_URL", named.url())]).ready();
    let name = part.printed[0].clone();
    let digits = &name["migrate_test_".len()..][..8];
    let templates = format!(
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'migrate\\_template\\_{digits}%'"
    );
    let collect = || Part::begin("database", "any", &[]).ready().end();
    collect();
    assert!(exists(&watch, &name).await, "another process uses it");
    assert_eq!(value(&watch, &templates).await, "1");

    part.child.kill().unwrap();
    part.child.wait().unwrap();
    drop(named);
    let deadline = Instant::now() + LIMIT;
    while exists(&watch, &name).await {
        assert!(Instant::now() < deadline, "{name} is still there");
        collect();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clone_waits_for_the_session_in_its_way() {
    let set = salted(&salt("blocked"));
    let first = TestDatabase::new(&set).unwrap();
    let (mut client, watch) = (maintenance(&first).await, maintenance(&first).await);
    let template = template_of(&first, &watch).await;
    let held = client.transaction().await.unwrap();
    // `CREATE DATABASE` locks its template in a mode that conflicts with this.
    held.batch_execute(&format!("COMMENT ON DATABASE {template} IS NULL")).await.unwrap();
    let waiting = tokio::task::spawn_blocking(move || TestDatabase::new(&set).map(drop));
    wait_for_lock(&watch, &format!("CREATE DATABASE %{template}%")).await;
    held.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
}
