//! The infrastructure of the tests: the throwaway server and databases are removed in every case, and the proxy
//! counts correctly.
//! They use the binaries of this machine, also if `DATABASE_URL` is set, because they stop the server.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use migrate_testing::Server;
use migrate_tests::database::{FreshDatabase, connect, server};
use migrate_tests::proxy::CountingProxy;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The name of what a child process of these tests does.
const PART: &str = "MIGRATE_TESTS_PART";

/// For what takes a fraction of a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(20);

/// The traces of a server: its folder and its process.
#[derive(Debug)]
struct Traces {
    folder: PathBuf,
    pid: String,
}

impl Traces {
    fn of(server: &Server) -> Traces {
        let config: Config = server.url().parse().unwrap();
        let [Host::Unix(folder)] = config.get_hosts() else {
            panic!("a throwaway server listens on one socket: {}", server.url());
        };
        Traces::read(folder)
    }

    fn read(folder: &Path) -> Traces {
        let lock = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        Traces { folder: folder.to_owned(), pid: lock.lines().next().unwrap().to_owned() }
    }

    fn remain(&self) -> bool {
        self.folder.exists() || is_alive(&self.pid)
    }

    /// The watchdog of a dead process works on its own; Drop has waited for it already.
    fn assert_gone_within(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.remain() {
            assert!(Instant::now() < deadline, "{self:?} remain");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn is_alive(pid: &str) -> bool {
    let status = Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status();
    status.unwrap().success()
}

/// A process of these tests whose server is ready.
struct Part {
    child: Child,
    traces: Traces,
    /// Held open, as the test harness in the child reports here at its end.
    _output: BufReader<ChildStdout>,
}

/// This test binary again, playing a part until it gets a line or its standard input ends.
fn spawn_part(part: &str) -> Part {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "infrastructure::a_part_is_played_when_asked_for", "--nocapture"])
        .env(PART, part);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let folder = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("server at ").map(|(_, folder)| PathBuf::from(folder)))
        .expect("the part says where its server is");
    let traces = Traces::read(&folder);
    Part { child, traces, _output: output }
}

#[test]
fn a_part_is_played_when_asked_for() {
    static KEPT: OnceLock<Server> = OnceLock::new();
    let Ok(part) = env::var(PART) else { return };
    let server = KEPT.get_or_init(|| Server::start().unwrap());
    println!("server at {}", Traces::of(server).folder.display());
    // The go-ahead: a line, or the end of standard input.
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match part.as_str() {
        "return" => {}
        "exit" => process::exit(0),
        "abort" => process::abort(),
        other => panic!("no part is called {other}"),
    }
}

#[test]
fn drop_removes_everything() {
    let server = Server::start().unwrap();
    let traces = Traces::of(&server);
    assert!(server.is_throwaway());
    assert!(traces.remain());
    drop(server);
    assert!(!traces.remain());
}

#[test]
fn a_panic_removes_everything() {
    let panicked = catch_unwind(|| {
        let server = Server::start().unwrap();
        std::panic::panic_any(Traces::of(&server));
    });
    let traces = *panicked.unwrap_err().downcast::<Traces>().unwrap();
    assert!(!traces.remain());
}

#[test]
fn sigkill_of_the_process_removes_everything() {
    let mut part = spawn_part("return");
    part.child.kill().unwrap();
    part.child.wait().unwrap();
    part.traces.assert_gone_within(LIMIT);
}

#[test]
fn the_interrupt_of_a_terminal_removes_everything() {
    let mut part = spawn_part("return");
    // A terminal signals the whole process group.
    let group = format!("-{}", part.child.id());
    assert!(Command::new("kill").args(["-s", "INT", "--", &group]).status().unwrap().success());
    assert!(!part.child.wait().unwrap().success());
    part.traces.assert_gone_within(LIMIT);
}

#[test]
fn a_server_in_a_static_ends_with_its_process() {
    for end in ["return", "exit", "abort"] {
        let mut part = spawn_part(end);
        assert!(part.traces.remain());
        drop(part.child.stdin.take());
        assert_eq!(part.child.wait().unwrap().success(), end != "abort", "{end}");
        part.traces.assert_gone_within(LIMIT);
    }
}

#[tokio::test]
async fn servers_start_side_by_side() {
    let starts: Vec<_> = (0..3).map(|_| thread::spawn(|| Server::start().unwrap())).collect();
    let servers: Vec<Server> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    let mut folders = Vec::new();
    for server in &servers {
        let client = connect(&server.url().parse().unwrap()).await;
        let row = client.query_one("SHOW data_directory", &[]).await.unwrap();
        folders.push(row.get::<_, String>(0));
    }
    folders.sort_unstable();
    folders.dedup();
    assert_eq!(folders.len(), 3);
}

#[tokio::test]
async fn a_throwaway_server_is_safe_and_roomy() {
    let server = Server::start().unwrap();
    let client = connect(&server.url().parse().unwrap()).await;
    for (setting, expected) in [
        ("fsync", "on"),
        ("listen_addresses", ""),
        ("max_connections", "200"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("is_superuser", "on"),
        ("session_authorization", "postgres"),
    ] {
        let sql = "SELECT coalesce(current_setting($1, true), \
                   (SELECT datcollate FROM pg_database WHERE datname = current_database()))";
        let row = client.query_one(sql, &[&setting]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), expected, "{setting}");
    }
}

#[tokio::test]
async fn a_database_is_gone_after_drop() {
    let database = FreshDatabase::create().await;
    let name = database.name().to_owned();
    // A session that stays open must not keep it.
    let client = database.connect().await;
    let row = client.query_one("SELECT current_database()::text", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), name);
    drop(database);

    let maintenance = connect(&server().url().parse().unwrap()).await;
    let sql = "SELECT count(*) FROM pg_database WHERE datname = $1";
    let row = maintenance.query_one(sql, &[&name]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_database_can_have_any_name() {
    let client = connect(&server().url().parse().unwrap()).await;
    let name = format!("it's a/b?c=d&e%f @é {}", process::id());
    client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await.unwrap();
    let there = connect(&server().url_for(&name).parse().unwrap()).await;
    let row = there.query_one("SELECT current_database()::text", &[]).await.unwrap();
    let found: String = row.get(0);
    client.batch_execute(&format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await.unwrap();
    assert_eq!(found, name);
}

/// A registry, or its proxy, that delivers something else than it publishes.
#[test]
fn an_archive_of_another_digest_is_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, script: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("apt-get", "exit 1");
    program("python3", "exit 1");
    let check = |integrity: &str, expected: &str| {
        let view = format!("case $* in *integrity*) {integrity} ;; *) echo '[\"99.1.0\"]' ;; esac");
        program("npm", &format!("case $1 in view) {view} ;; pack) : >\"$5/a.tgz\" ;; esac"));
        let path = format!("{}:{}", folder.path().display(), env::var("PATH").unwrap());
        let mut script = Command::new("../scripts/get-postgres.sh");
        let output =
            script.arg("newest-99").env("PATH", path).env("XDG_CACHE_HOME", folder.path()).output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let empty = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGl\
                     ODJ6+SfaPg==";
        assert!(
            text.contains(&format!(" 99.1.0 has the digest {empty}, not {expected}\n")),
            "{text}"
        );
    };
    check("echo sha512-other", "sha512-other");
    check("exit 1", "the one of its registry");
}

#[tokio::test]
async fn a_dump_shows_the_schema_alone() {
    let (database, client) = FreshDatabase::connected().await;
    client.batch_execute("CREATE TABLE t (id int); INSERT INTO t VALUES (42)").await.unwrap();
    // The packages of scripts/get-postgres.sh bring no pg_dump.
    let Some(dump) = database.pg_dump(&["--no-owner"]) else {
        return;
    };
    assert!(dump.contains("CREATE TABLE public.t"), "{dump}");
    assert!(!dump.contains("42"), "{dump}");
    assert_eq!(database.pg_dump(&["--no-owner"]).unwrap(), dump);
}

#[tokio::test]
async fn one_batch_is_one_message_and_one_turn() {
    let (_database, proxy, client) = CountingProxy::connected().await;
    assert_eq!(proxy.messages().len(), 0);
    assert_eq!(proxy.round_trips(), 0);

    let sql = "CREATE TABLE t (id int); INSERT INTO t VALUES (1); SELECT * FROM t";
    client.batch_execute(sql).await.unwrap();
    assert_eq!(proxy.queries(), [sql]);
    assert_eq!(proxy.messages().len(), 1);
    assert_eq!(proxy.round_trips(), 1);

    proxy.reset();
    assert_eq!(proxy.messages().len(), 0);
    client.query("SELECT $1::text", &[&"x"]).await.unwrap();
    // tokio-postgres prepares in one turn (P D S) and executes in another (B E S).
    let counts: Vec<(char, usize)> = proxy.counts().into_iter().collect();
    assert_eq!(counts, [('B', 1), ('D', 1), ('E', 1), ('P', 1), ('S', 2)]);
    assert_eq!(proxy.messages()[0].sql, "SELECT $1::text");
    assert_eq!(proxy.round_trips(), 2);
}

#[tokio::test]
async fn a_message_larger_than_any_buffer_is_one() {
    let (_database, proxy, client) = CountingProxy::connected().await;
    let sql = format!("SELECT length('{}')", "x".repeat(3_000_000));
    client.batch_execute(&sql).await.unwrap();
    let answer = client.query_one("SELECT repeat('y', 3000000)", &[]).await.unwrap();
    assert_eq!(answer.get::<_, String>(0).len(), 3_000_000);
    assert_eq!(proxy.queries(), [sql]);
}

#[tokio::test]
async fn a_cancel_request_passes_and_is_not_counted() {
    let (database, proxy, client) = CountingProxy::connected().await;
    let cancel = client.cancel_token();
    let watch = database.connect().await;
    let cancelling = async {
        let sleeping = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' \
                        AND datname = current_database()";
        let deadline = Instant::now() + LIMIT;
        while watch.query_opt(sleeping, &[]).await.unwrap().is_none() {
            assert!(Instant::now() < deadline, "the query has not begun");
        }
        cancel.cancel_query(tokio_postgres::NoTls).await.unwrap();
    };
    let (result, ()) = tokio::join!(client.batch_execute("SELECT pg_sleep(60)"), cancelling);
    let code = result.unwrap_err().code().cloned();
    assert_eq!(code, Some(tokio_postgres::error::SqlState::QUERY_CANCELED));
    // The client returns at the error, which the end of the turn follows.
    client.batch_execute("SELECT 1").await.unwrap();
    assert_eq!(proxy.queries(), ["SELECT pg_sleep(60)", "SELECT 1"]);
    assert_eq!(proxy.round_trips(), 2);
}

#[tokio::test]
async fn a_delay_is_paid_once_a_turn() {
    let database = FreshDatabase::create().await;
    let one_way = Duration::from_millis(25);
    let proxy = CountingProxy::with_delay(&database.config(), one_way).await;
    let client = proxy.connect().await;
    let start = Instant::now();
    client.batch_execute("SELECT 1; SELECT 2; SELECT 3").await.unwrap();
    assert!(start.elapsed() >= 2 * one_way);
}
