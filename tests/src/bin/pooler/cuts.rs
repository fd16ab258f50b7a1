//! Runs that are cut through PgBouncer: by a signal to the command line, by a deadline while the pooler is
//! paused, and by the pooler itself. What is cut must not take effect later, or its outcome is unknown.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use migrate_runtime::hook::{When, closure};
use migrate_runtime::{ErrorKind, Migrator};
use migrate_tests::cargo::program;
use migrate_tests::database::value;
use migrate_tests::sets::set;

use crate::setup::Setup;

const FILES: [(&str, &str); 2] = [
    ("1_a.sql", "CREATE TABLE a (x int);\n"),
    ("2_b.sql", "CREATE TABLE b (x int);\nSELECT pg_sleep(600);\n"),
];

/// Long enough to pause a pool on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);

const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                        AND datname = current_database()";

const APPLIED: &str = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger";

/// Every way to cut a run.
pub(crate) async fn all(setup: &mut Setup) {
    let program = program("migrate");
    for signal in ["INT", "TERM"] {
        interrupted(setup, &program, signal).await;
    }
    paused(setup).await;
    ended_by_pooler(setup, "KILL {database}", "database removed").await;
    ended_by_pooler(setup, "SET query_timeout = 1", "query timeout").await;
}

/// The command line at Ctrl-C or SIGTERM.
async fn interrupted(setup: &mut Setup, program: &PathBuf, signal: &str) {
    let (database, direct) = setup.database().await;
    let folder = env::temp_dir().join(format!("migrate-cut-{}-{signal}", std::process::id()));
    fs::create_dir(&folder).expect("a folder");
    for (name, sql) in FILES {
        fs::write(folder.join(name), sql).expect("a file");
    }
    let mut up = Command::new(program);
    up.args(["up", "--dir"]).arg(&folder).env("DATABASE_URL", setup.address(&database));
    up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let up = up.spawn().expect("the command line");
    setup.wait_for(&direct, SLEEPING, "1").await;
    let killed = Command::new("kill").args(["-s", signal, &up.id().to_string()]).status();
    assert!(killed.expect("kill").success());
    let output = tokio::task::spawn_blocking(|| up.wait_with_output()).await.expect("a task");
    let output = output.expect("an end");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let is_cut = text.contains("2_b.sql:2:1: canceling statement due to user request");
    setup.check(is_cut, format!("SIG{signal} to the command line: {text}"));
    setup.check_quiet(&direct, &format!("after SIG{signal}")).await;
    setup.equal(&value(&direct, APPLIED).await, "1", &format!("applied after SIG{signal}"));
    println!("  SIG{signal} to the command line: the statement is cancelled");
    fs::remove_dir_all(&folder).expect("a folder");
}

/// The deadline passes while the pooler holds a message back. The message of a client that is gone does not run
/// afterwards, if the pooler has read all of it (`pkt_buf`, 4 KiB) and no other follows.
async fn paused(setup: &mut Setup) {
    let (database, direct) = setup.database().await;
    let (mut client, connection) = setup.connect(&database).await;
    let first = set(&FILES[..1]);
    let applied = Migrator::new(&first).run(&mut client).await;
    setup.check(applied.is_ok(), format!("before the pause: {applied:?}"));
    let console = Arc::new(setup.client("pgbouncer").await);
    let set = set(&[FILES[0], ("2_b.sql", "CREATE TABLE b (x int);\n")]);
    let (pausing, pause) = (Arc::clone(&console), format!("PAUSE {database}"));
    let pause = closure(move |_| {
        let (pausing, pause) = (Arc::clone(&pausing), pause.clone());
        Box::pin(async move { Ok(pausing.simple_query(&pause).await.map(drop)?) })
    });
    // After the ledger was read, and before the migration is sent.
    let migrator = Migrator::new(&set).hook(When::BeforeRun, pause).deadline(DEADLINE);
    let error = migrator.run(&mut client).await.expect_err("the deadline");
    // The pool holds back the question for the lock, or the message with the migration.
    let is_cut = matches!(
        error.kind(),
        ErrorKind::Deadline { unknown, .. } if unknown.is_empty() || unknown.as_slice() == ["2"]
    );
    setup.check(is_cut, format!("the deadline behind a paused pool: {error}"));
    // As the end of a process does.
    connection.abort();
    let _ = connection.await;
    console.simple_query(&format!("RESUME {database}")).await.expect("a pool to resume");
    // The pooler has one queue for each database, in which this comes after what was there before.
    let mut last = setup.client(&database).await;
    value(&last, "SELECT 1").await;
    setup.check_quiet(&direct, "after the pool was resumed").await;
    setup.equal(&value(&direct, APPLIED).await, "1", "applied after the pool was resumed");
    let rest = Migrator::new(&set).run(&mut last).await;
    setup.check(rest.is_ok_and(|report| report.applied.len() == 1), "the run after the pause");
    println!("  the deadline behind a paused pool: nothing ran later");
}

/// The pooler ends a run's connection by a command of its console, and lets the statement go on.
async fn ended_by_pooler(setup: &mut Setup, command: &str, says: &str) {
    let (database, direct) = setup.database().await;
    let mut client = setup.client(&database).await;
    let console = setup.client("pgbouncer").await;
    let set = set(&FILES);
    let run = tokio::spawn(async move { Migrator::new(&set).run(&mut client).await });
    setup.wait_for(&direct, SLEEPING, "1").await;
    let command = command.replace("{database}", &database);
    console.simple_query(&command).await.expect(&command);
    let error = run.await.expect("a task").expect_err("an ended connection");
    let text = error.to_string();
    let first = format!(
        "the connection broke while versions 1 to 2 were being applied: {says} (SQLSTATE 08P01)"
    );
    let is_lost = matches!(error.kind(), ErrorKind::ConnectionLost { .. });
    setup.check(is_lost && text.starts_with(&first), format!("{command}: {text}"));
    println!("  {command}: its own error, and the versions that were under way");
    // Where it still sleeps.
    value(&direct, &SLEEPING.replace("count(*)", "pg_terminate_backend(pid)")).await;
    for undo in [format!("RESUME {database}"), "SET query_timeout = 0".to_owned()] {
        // A database that was not ended cannot be resumed.
        let _ = console.simple_query(&undo).await;
    }
    setup.check_quiet(&direct, &format!("after {command}")).await;
}
