//! The command line on a terminal, and when it receives a signal.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use migrate_tests::cargo::program;
use migrate_tests::database::{FreshDatabase, value};
use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::folder;
use crate::running::{Running, SLEEPING};

/// The time limit for what takes a fraction of a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(30);

fn command(folder: &Path, database: &FreshDatabase, args: &[&str]) -> Command {
    let mut command = Command::new(program("migrate"));
    command.args(args).current_dir(folder).env("DATABASE_URL", database.url());
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

fn on_terminal(folder: &Path, database: &FreshDatabase, args: &[&str]) -> PtySession {
    let limit = u64::try_from(LIMIT.as_millis()).expect("a number");
    spawn_command(command(folder, database, args), Some(limit)).expect("a terminal")
}

/// The remaining output, and the exit code.
fn end(mut session: PtySession) -> (String, i32) {
    let text = session.exp_eof().expect("an end");
    match session.process().wait().expect("an exit") {
        WaitStatus::Exited(_, code) => (text, code),
        other => panic!("{other:?}: {text}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_something_away_asks_on_a_terminal() {
    let database = FreshDatabase::create().await;
    let folder = folder(&[("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;")]);
    let run = |args: &[&str]| on_terminal(folder.path(), &database, args);
    let (text, code) = end(run(&["up"]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\u{1b}[1m\u{1b}[32m     Applied\u{1b}[0m 1_a.sql ("), "{text:?}");
    for (answer, expected, tables) in [("", 2, "1"), ("no", 2, "1"), ("y", 0, "0")] {
        let mut session = run(&["down"]);
        let asked = session.exp_string("? [y/N] ").expect("a question");
        assert!(asked.contains("Undo version 1 in `"), "{asked}");
        session.send_line(answer).expect("an answer");
        let (text, code) = end(session);
        assert_eq!(code, expected, "{answer}: {text}");
        let declined = text.contains("nothing was changed, because the answer was not yes");
        assert_eq!(declined, expected == 2, "{answer}: {text}");
        let client = database.connect().await;
        let sql = "SELECT count(*) FROM pg_tables WHERE tablename = 'a'";
        assert_eq!(value(&client, sql).await, tables, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_since_the_question_is_not_undone() {
    let database = FreshDatabase::create().await;
    let first = ("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;");
    let second = ("2_b.sql", "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;");
    let (older, newer) = (folder(&[first]), folder(&[first, second]));
    for verb in ["down", "redo"] {
        let (text, code) = end(on_terminal(older.path(), &database, &["up"]));
        assert_eq!(code, 0, "{text}");
        let mut session = on_terminal(newer.path(), &database, &[verb]);
        let asked = session.exp_string("? [y/N] ").expect("a question");
        assert!(asked.contains("Undo version 1 in `"), "{asked}");
        let (text, code) = end(on_terminal(newer.path(), &database, &["up"]));
        assert_eq!(code, 0, "{text}");
        session.send_line("y").expect("an answer");
        let (text, code) = end(session);
        assert!(
            code == 1 && text.contains("the ledger has changed since the rollback was planned"),
            "{text}"
        );
        let client = database.connect().await;
        assert_eq!(value(&client, "SELECT to_regclass('b') IS NOT NULL").await, "t", "{verb}");
        let (text, code) = end(on_terminal(newer.path(), &database, &["down", "--yes"]));
        assert_eq!(code, 0, "{text}");
    }
}

/// `up` holds the lock until the gate opens, and `down` has already planned.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_while_a_rollback_waits_is_not_undone() {
    let database = FreshDatabase::create().await;
    let client = database.connect().await;
    let gated = "-- UP\nLOCK gate;\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;";
    let files = [
        ("1_a.sql", "-- UP\nCREATE TABLE gate ();\n-- DOWN\nDROP TABLE gate;"),
        ("2_b.sql", gated),
    ];
    for verb in ["down", "redo"] {
        let folder = folder(&files);
        let run = |args: &[&str]| on_terminal(folder.path(), &database, args);
        let (text, code) = end(run(&["up", "--to", "1"]));
        assert_eq!(code, 0, "{text}");
        client.batch_execute("BEGIN; LOCK gate").await.expect("a closed gate");
        let mut up = run(&["up"]);
        up.exp_string("running 2_b.sql").expect("a run that holds the lock");
        let mut waiting = run(&[verb, "--yes"]);
        waiting.exp_string("waiting for another run").expect("a run that waits");
        client.batch_execute("COMMIT").await.expect("an open gate");
        let (text, code) = end(up);
        assert!(code == 0 && text.contains("Applied"), "{text}");
        let (text, code) = end(waiting);
        let refused = text.contains("the ledger has changed since the rollback was planned");
        assert!(code == 1 && refused, "{text}");
        assert_eq!(value(&client, "SELECT to_regclass('b') IS NOT NULL").await, "t", "{verb}");
        let (text, code) = end(run(&["down", "--all", "--yes"]));
        assert_eq!(code, 0, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn database_is_dropped_after_a_question() {
    let database = FreshDatabase::create().await;
    let folder = folder(&[]);
    let url = database.url().replace(database.name(), &format!("{}_new", database.name()));
    let run = |verb: &str| {
        let mut command = command(folder.path(), &database, &["database", verb]);
        command.env("DATABASE_URL", &url);
        let limit = u64::try_from(LIMIT.as_millis()).expect("a number");
        spawn_command(command, Some(limit)).expect("a terminal")
    };
    let (text, code) = end(run("create"));
    assert_eq!(code, 0, "{text}");
    for (answer, expected) in [("no", 2), ("yes", 0)] {
        let mut session = run("drop");
        let asked = session.exp_string("? [y/N] ").expect("a question");
        assert!(asked.contains("Drop `") && asked.ends_with(" with all its data"), "{asked}");
        session.send_line(answer).expect("an answer");
        let (text, code) = end(session);
        assert_eq!(code, expected, "{answer}: {text}");
        assert_eq!(text.contains("Dropped"), expected == 0, "{answer}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_shown_while_it_runs() {
    let database = FreshDatabase::create().await;
    let folder = folder(&[("1_a.sql", "SELECT pg_sleep(0.5);"), ("2_b.sql", "SELECT 1;")]);
    let mut session = on_terminal(folder.path(), &database, &["up"]);
    session.exp_string("[1/2] running 1_a.sql").expect("a line");
    session.exp_string("Applied\u{1b}[0m 1_a.sql (").expect("a line that stays");
    let (text, code) = end(session);
    assert!(code == 0 && text.contains("2 applied"), "{text}");
    assert_eq!(text.matches("1_a.sql (").count(), 0, "printed twice: {text}");
    let (text, code) = end(on_terminal(folder.path(), &database, &["up", "--json"]));
    assert!(code == 0 && text.starts_with("{\r\n"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_interrupted_reports_what_is_kept() {
    for signal in ["INT", "TERM"] {
        let database = FreshDatabase::create().await;
        let files = [("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", "SELECT pg_sleep(600);")];
        let folder = folder(&files);
        let up = Running::start(command(folder.path(), &database, &["up"]));
        let client = database.connect().await;
        up.wait_for_sleep(&client).await;
        let (code, text) = up.end_by(signal);
        assert_eq!(code, Some(1), "{signal}: {text}");
        for part in ["Applied 1_a.sql", "migrations/2_b.sql:1:1: canceling statement"] {
            assert!(text.contains(part), "{signal}: {text}");
        }
        assert_eq!(value(&client, SLEEPING).await, "0", "the statement still runs");
        let entries = "SELECT string_agg(version, ',') FROM migration_ledger";
        assert_eq!(value(&client, entries).await, "1");
    }
}

/// The first set is complete nevertheless, because its migration catches the cancel.
#[tokio::test(flavor = "multi_thread")]
async fn no_set_begins_after_an_interrupt() {
    let database = FreshDatabase::create().await;
    let patient =
        "DO $$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END $$;";
    let folder = folder(&[("1_a.sql", patient)]);
    let second = folder.path().join("second");
    fs::create_dir(&second).expect("a folder");
    fs::write(second.join("1_b.sql"), "CREATE TABLE b (id int);").expect("a file");
    let sets = ["up", "--dir", "one=migrations", "--dir", "two=second"];
    let up = Running::start(command(folder.path(), &database, &sets));
    let client = database.connect().await;
    up.wait_for_sleep(&client).await;
    let (code, text) = up.end_by("INT");
    assert_eq!(code, Some(1), "{text}");
    for part in ["Applied 1_a.sql", "error: the run was interrupted\n"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(value(&client, "SELECT to_regclass('b')").await, "NULL");
}

/// A cancel does not end it, so its session is ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_ignores_a_cancel_is_ended_with_its_session() {
    let database = FreshDatabase::create().await;
    let stubborn = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); \
                    EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;";
    let folder = folder(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", stubborn)]);
    let up = Running::start(command(folder.path(), &database, &["up"]));
    let client = database.connect().await;
    up.wait_for_sleep(&client).await;
    let (code, text) = up.end_by("TERM");
    assert_eq!(code, Some(1), "{text}");
    let why = "migrations/2_b.sql:1:7: terminating connection due to administrator command";
    assert!(text.contains(why), "{text}");
    assert!(text.contains("version 2 was not applied"), "{text}");
    assert_eq!(value(&client, SLEEPING).await, "0", "the statement still runs");
}

/// Nothing of it is on the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_another_is_interrupted_at_once() {
    let database = FreshDatabase::create().await;
    let folder = folder(&[("1_a.sql", "SELECT pg_sleep(600);")]);
    let up = || Running::start(command(folder.path(), &database, &["up"]));
    let (first, client) = (up(), database.connect().await);
    first.wait_for_sleep(&client).await;
    let second = up();
    let has_begun = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND application_name = 'migrate' AND state = 'idle' AND query <> ''";
    second.wait_for(&client, has_begun).await;
    let (code, text) = second.end_by("TERM");
    assert_eq!(code, Some(1), "{text}");
    let between =
        "error: the run was interrupted\nhelp: `status` shows which migrations are applied\n";
    // If it just tries to take the lock.
    let inside = "canceling statement due to user request";
    assert!(text.ends_with(between) || text.contains(inside), "{text}");
    let (_, text) = first.end_by("TERM");
    assert!(text.contains("1_a.sql:1:1: canceling statement"), "{text}");
}

/// The system ends a process that writes more than it is allowed to, here in a new file.
#[test]
fn migration_is_created_as_a_whole_or_not_at_all() {
    let folder = folder(&[("1_a.sql", "SELECT 1;")]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -f 0 && exec \"$0\" create b"]).arg(program("migrate"));
    assert!(!shell.current_dir(folder.path()).status().expect("a shell").success());
    let entries = fs::read_dir(folder.path().join("migrations")).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    // The build ignores hidden files.
    let seen: Vec<_> = names.filter(|name| !name.as_encoded_bytes().starts_with(b".")).collect();
    assert_eq!(seen, ["1_a.sql"]);
}

/// As by several agents that work in one folder.
#[test]
fn migrations_that_are_created_at_the_same_time_have_different_versions() {
    let folder = folder(&[("1_a.sql", "SELECT 1;")]);
    let create = |name: usize| {
        let mut create = Command::new(program("migrate"));
        create.args(["create", &format!("b{name}")]).current_dir(folder.path());
        create.stdout(Stdio::null()).spawn().expect("a process")
    };
    for mut process in (0..12).map(create).collect::<Vec<_>>() {
        assert!(process.wait().expect("an end").success());
    }
    let entries = fs::read_dir(folder.path().join("migrations")).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let versions = names.map(|name| {
        let name = name.to_string_lossy().into_owned();
        name.split_once('_').expect("a version").0.parse::<u32>().expect("a number")
    });
    let versions: BTreeSet<u32> = versions.collect();
    assert_eq!(versions, (1..=13).collect());
}

/// A script that was cut off must not look complete: `migrate plan --sql > script.sql` on a full disk.
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let folder = folder(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let into = |output: Stdio, args: &[&str]| {
        let mut command = Command::new(program("migrate"));
        let ended = command.args(args).current_dir(folder.path()).stdout(output).output();
        let ended = ended.expect("an end");
        (ended.status.code(), String::from_utf8(ended.stderr).expect("text"))
    };
    for args in [["schema", "--static"], ["--json", "check"]] {
        let full = File::options().write(true).open("/dev/full").expect("a device that is full");
        let error = "error: the output cannot be written: No space left on device (os error 28)\n\
                     help: write it elsewhere; the verb itself ended with exit code 0\n";
        assert_eq!(into(full.into(), &args), (Some(1), error.to_owned()), "{args:?}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(into(writer.into(), &args), (Some(0), String::new()), "{args:?}");
    }
}
