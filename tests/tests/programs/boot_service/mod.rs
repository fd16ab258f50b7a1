//! The example `boot-service` as a process: its output, exit code, HTTP answers, and what it leaves.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod serving;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use migrate_tests::cargo::program;
use migrate_tests::cluster::{Cluster, Installation};
use migrate_tests::database::{FreshDatabase, connect, server, value};

/// How many migrations the example embeds.
const MIGRATIONS: usize = 13;

/// For what takes a fraction of a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(20);

const PASSWORD: &str = "s3cret-word";

/// The service with this database, or with its own; that of the environment is out of reach.
fn command(database: Option<&str>, args: &[&str]) -> Command {
    let mut command = Command::new(program("boot-service"));
    if let Some(url) = database {
        command.args(["--database-url", url]);
    }
    command.args(args).env_remove("PORT").env("DATABASE_URL", "postgresql://me@127.0.0.1:1/app");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
fn run(database: Option<&str>, args: &[&str]) -> Ended {
    let child = command(database, args).spawn().unwrap();
    let pid = child.id();
    Ended::new(pid, child.wait_with_output().unwrap())
}

struct Ended {
    pid: u32,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn new(pid: u32, output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Ended { pid, code: output.status.code(), stdout, stderr }
    }

    #[track_caller]
    fn assert_code(&self, expected: i32) {
        assert_eq!(self.code, Some(expected), "{}\n{}", self.stdout, self.stderr);
    }
}

/// A service that serves; killed with this value.
struct Service {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What it printed before its address.
    report: String,
    address: String,
}

impl Service {
    /// Waits until it prints its address.
    fn start(database: Option<&str>) -> Service {
        let mut child = command(database, &["--port", "0"]).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut service = Service { child, output, report: String::new(), address: String::new() };
        while service.address.is_empty() {
            let mut line = String::new();
            if service.output.read_line(&mut line).unwrap() == 0 {
                let mut stderr = String::new();
                service.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
                panic!("the service ended before it served: {}{stderr}", service.report);
            }
            match line.strip_prefix("listening on http://") {
                Some(address) => address.trim_end().clone_into(&mut service.address),
                None => service.report.push_str(&line),
            }
        }
        service
    }

    /// The status code and the body of one request.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).expect("a status line").parse().unwrap();
        if status != 404 {
            assert!(head.contains("content-type: application/json"), "{head}");
        }
        (status, body.to_owned())
    }

    /// Sends a signal and waits for the end.
    fn end_by(&mut self, signal: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "{signal} does not end the service");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already, unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process left of a server of its own: folders, and processes that name one of them.
fn traces(pid: u32) -> Vec<String> {
    let name = format!("migrate-pg-{pid}-");
    let mut bases = vec![env::temp_dir(), PathBuf::from("/tmp")];
    bases.dedup();
    let entries = bases.iter().flat_map(|base| fs::read_dir(base).unwrap().flatten());
    let folders = entries.map(|entry| entry.path().display().to_string());
    folders.chain(command_lines()).filter(|text| text.contains(&name)).collect()
}

/// The arguments of every process of this machine.
fn command_lines() -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', " ");
    if Path::new("/proc/self/cmdline").exists() {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        // A process may end meanwhile.
        return entries
            .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
            .map(|bytes| text(&bytes))
            .collect();
    }
    let output = Command::new("ps").args(["-A", "-o", "args="]).output().unwrap();
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn once_applies_all_and_then_nothing() {
    let database = FreshDatabase::create().await;
    let first = run(Some(database.url()), &["--once"]);
    first.assert_code(0);
    let lines: Vec<&str> = first.stdout.lines().collect();
    assert_eq!(lines.len(), MIGRATIONS + 2, "{}", first.stdout);
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["version", "name", "time"]);
    assert!(lines[1].starts_with("001      create_rooms "), "{}", first.stdout);
    assert!(lines[MIGRATIONS + 1].starts_with("13 applied; "), "{}", first.stdout);
    assert_eq!(first.stderr, "using the database of --database-url\n");

    let second = run(Some(database.url()), &["--once"]);
    second.assert_code(0);
    assert_eq!(second.stdout.lines().count(), 1);
    let expected = "nothing pending: 13 applied before; 1 message, ";
    assert!(second.stdout.starts_with(expected), "{}", second.stdout);
    assert_eq!(second.stderr, first.stderr);
    assert_eq!(traces(first.pid).len() + traces(second.pid).len(), 0, "no server was started");
}

#[test]
fn its_own_server_is_a_copy_of_the_folder_that_the_environment_names() {
    let cluster = Cluster::of(Installation::find());
    let once = |folder: &Path| {
        let mut command = command(None, &["--once"]);
        let child = command.env("MIGRATE_INITDB_TEMPLATE", folder).spawn().unwrap();
        Ended::new(child.id(), child.wait_with_output().unwrap())
    };
    once(&cluster.data()).assert_code(0);
    let missing = once(Path::new("/missing"));
    missing.assert_code(1);
    let expected = "copying the folder of MIGRATE_INITDB_TEMPLATE, /missing\ncp: ";
    assert!(missing.stderr.contains(expected), "{}", missing.stderr);
}

#[test]
fn once_without_a_database_takes_and_removes_its_own() {
    let mut command = command(None, &["--once"]);
    // Settings for another database do not affect its own, which `initdb` makes here.
    command.env("PGSSLMODE", "require").env_remove("MIGRATE_INITDB_TEMPLATE");
    let child = command.spawn().unwrap();
    let ended = Ended::new(child.id(), child.wait_with_output().unwrap());
    ended.assert_code(0);
    assert!(ended.stdout.contains("\n13 applied; "), "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let expected = "using a throwaway server, removed at exit: psql ";
    assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    assert_eq!(traces(ended.pid), [""; 0]);
}

#[tokio::test]
async fn the_migrated_tables_hold_what_the_files_say() {
    let database = FreshDatabase::create().await;
    run(Some(database.url()), &["--once"]).assert_code(0);
    let client = database.connect().await;
    let backfilled = "SELECT string_agg(display_name, ', ' ORDER BY id) FROM people";
    assert_eq!(value(&client, backfilled).await, "Ada Lovelace, Emmy Noether");
    let valid =
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'bookings_person_idx'::regclass";
    assert_eq!(value(&client, valid).await, "t");

    let book = "INSERT INTO bookings (room_id, person_id, status, starts_at, ends_at) \
                SELECT 1, 1, 'confirmed', now() + i * interval '1 hour', now() + interval '9 hours' \
                FROM generate_series(1, $1) AS i";
    assert_eq!(client.execute(book, &[&1]).await.unwrap(), 1);
    let refused = client.execute(book, &[&1]).await.unwrap_err();
    assert_eq!(refused.code(), Some(&tokio_postgres::error::SqlState::EXCLUSION_VIOLATION));
    assert_eq!(value(&client, "SELECT count(*) FROM booking_changes").await, "1");
}

#[test]
fn wrong_arguments_exit_with_the_usage() {
    for (args, port, first) in [
        (&["--onse"][..], "", "error: unexpected argument '--onse' found\n"),
        (&["serve"], "", "error: unrecognized subcommand 'serve'\n"),
        (&["--port"], "", "error: a value is required for '--port <PORT>' but none was supplied\n"),
        (&["--port", "http"], "", "error: invalid value 'http' for '--port <PORT>'"),
        (&["--once", "migrate", "up"], "", "error: `--once` and `--port` say how to serve"),
        (&[], "http", "error: PORT is `http`, which is no port: a number from 0 to 65535\n"),
    ] {
        let child = command(None, args).env("PORT", port).spawn().unwrap();
        let ended = Ended::new(child.id(), child.wait_with_output().unwrap());
        ended.assert_code(2);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.starts_with(first), "{}", ended.stderr);
        assert!(ended.stderr.contains("try '--help'"), "{}", ended.stderr);
    }
    let help = run(None, &["--help"]);
    help.assert_code(0);
    assert!(help.stdout.contains("\nUsage: boot-service [OPTIONS] [COMMAND]\n"), "{}", help.stdout);
    assert!(help.stdout.contains("/health/ready"), "{}", help.stdout);
    assert_eq!(help.stderr, "");
}

#[tokio::test]
async fn it_is_its_own_migration_tool() {
    let database = FreshDatabase::create().await;
    let url = Some(database.url());
    let status = run(url, &["migrate", "status", "--exit-code"]);
    status.assert_code(3);
    run(url, &["migrate", "status"]).assert_code(0);
    assert!(status.stdout.ends_with("13 migrations: 13 pending\n"), "{}", status.stdout);
    run(url, &["migrate", "up", "--to", "012"]).assert_code(0);
    run(url, &["migrate", "verify"]).assert_code(3);
    let boot = run(url, &["--once"]);
    boot.assert_code(0);
    assert!(boot.stdout.contains("\n1 applied, 12 before; "), "{}", boot.stdout);
    run(url, &["migrate", "verify"]).assert_code(0);
    // The address may come after the subcommand as well.
    run(None, &["migrate", "verify", "--database-url", database.url()]).assert_code(0);
    run(Some("postgresql://me@127.0.0.1:1/app"), &["migrate", "verify"]).assert_code(1);
}

#[test]
fn verbs_without_a_database_take_and_remove_their_own() {
    // Variables that name a database without an address do not count.
    let child = command(None, &["migrate", "status"]).env("PGHOST", "127.0.0.1").spawn().unwrap();
    let status = Ended::new(child.id(), child.wait_with_output().unwrap());
    status.assert_code(0);
    assert!(status.stdout.ends_with("13 migrations: 13 pending\n"), "{}", status.stdout);
    let expected = "using a throwaway server, removed at exit: psql ";
    assert!(status.stderr.starts_with(expected), "{}", status.stderr);
    assert_eq!(traces(status.pid), [""; 0]);

    let check = run(None, &["migrate", "check"]);
    check.assert_code(0);
    assert_eq!(check.stderr, "", "no server is started for what needs none");
}

#[test]
fn a_database_out_of_reach_is_reported_without_the_password() {
    let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = tls.local_addr().unwrap().port();
    // A server that offers encryption when asked for it (manual, section 55.2.10), and hangs up.
    let greeted = thread::spawn(move || {
        let (mut stream, _) = tls.accept()?;
        stream.read_exact(&mut [0; 8])?;
        stream.write_all(b"S")?;
        let mut first = [0];
        stream.read_exact(&mut first).map(|()| first)
    });
    let missing = server().url_for("migrate_no_such_database");
    for (url, expected) in [
        (
            format!("postgresql://me:{PASSWORD}@127.0.0.1:1/app"),
            "cannot connect to `app` on 127.0.0.1:1: ",
        ),
        (format!("host=127.0.0.1 port=1 user=me password={PASSWORD}"), "Connection refused"),
        (format!("postgresql://me:{PASSWORD}@127.0.0.1:x/app"), "it cannot be parsed"),
        (format!("postgresql://me:{PASSWORD}@127.0.0.1/app?sslmode=maybe"), "`sslmode`"),
        (format!("postgresql://me:x@{PASSWORD}@127.0.0.1:1/app"), "cannot connect to "),
        (format!("mysql://me:{PASSWORD}@127.0.0.1/app"), "the given address cannot be used"),
        (
            format!("postgresql://me:{PASSWORD}@127.0.0.1:{port}/app?sslmode=require"),
            "\nhelp: `sslmode` sets whether TLS is used",
        ),
        (missing, "database \"migrate_no_such_database\" does not exist"),
    ] {
        let ended = run(Some(&url), &["--once"]);
        ended.assert_code(1);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(expected), "{url}: {}", ended.stderr);
        assert!(!ended.stderr.contains(PASSWORD), "{}", ended.stderr);
    }
    // A TLS record of the type handshake (RFC 8446, section 5.1).
    assert_eq!(greeted.join().unwrap().unwrap(), [22]);
}

#[tokio::test]
async fn a_failed_migration_is_reported_with_its_place() {
    let (database, client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE TABLE people (id int)").await.unwrap();
    let ended = run(Some(database.url()), &["--once"]);
    ended.assert_code(1);
    assert_eq!(ended.stdout, "");
    for expected in [
        "002_create_people.sql:2:",
        "relation \"people\" already exists (SQLSTATE 42P07)",
        "CREATE TABLE people (",
        "\nversion 002 was not applied",
        "\nversion 001 was applied before it and is kept",
    ] {
        assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr);
    }
    let reported = ended.stderr.matches("already exists").count();
    assert_eq!(reported, 1, "{}", ended.stderr);
}

#[test]
fn without_binaries_it_says_what_to_do() {
    let child = command(None, &["--once"]).env("PG_BIN", "/nowhere").spawn().unwrap();
    let pid = child.id();
    let ended = Ended::new(pid, child.wait_with_output().unwrap());
    ended.assert_code(1);
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("\nhelp: "), "{}", ended.stderr);
    assert_eq!(traces(pid), [""; 0]);
}

#[test]
fn a_taken_port_is_reported() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = run(None, &["--port", &port]);
    ended.assert_code(1);
    let expected = format!("cannot listen on 127.0.0.1:{port}\nhelp: ");
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    assert_eq!(traces(ended.pid), [""; 0]);
}
