//! Shared by these tests: sets, queries on a server, and child processes.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use migrate_runtime::Migrations;
use migrate_testing::{Server, TestDatabase};
use migrate_tests::cluster::open_folder;
use migrate_tests::database::{connect, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

use super::elsewhere;

/// The name of what a child process of these tests does, and the salt of its set.
pub(crate) const PART: &str = "MIGRATE_TESTS_PART";
pub(crate) const SALT: &str = "MIGRATE_TESTS_SALT";

/// For what takes a fraction of a second on an idle machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);
/// A set that no other test and no earlier run has had.
pub(crate) fn salt(test: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{test} {} {}", std::process::id(), now.as_nanos())
}

pub(crate) fn salted(salt: &str) -> Migrations {
    let first = format!("-- {salt}\nCREATE TABLE a (id int);");
    set(&[("1_a.sql", first.as_str()), ("2_b.sql", "CREATE TABLE b (id int);")])
}

/// When the template of this clone was built, by the server's clock.
pub(crate) async fn built_at(client: &Client) -> String {
    value(client, "SELECT min(applied_at)::text FROM migration_ledger").await
}

pub(crate) async fn maintenance(database: &TestDatabase) -> Client {
    connect(&database.server().url().parse().unwrap()).await
}

pub(crate) async fn exists(client: &Client, name: &str) -> bool {
    value(client, &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")).await
        == "1"
}

/// The template that a database is a clone of: its session holds the locks of both.
pub(crate) async fn template_of(database: &TestDatabase, client: &Client) -> String {
    let digits = &database.name()["migrate_test_".len()..];
    let hex = |lock: &str| {
        format!("lpad(to_hex(({lock}.classid::bigint << 32) | {lock}.objid::bigint), 16, '0')")
    };
    let sql = format!(
        "SELECT d.datname FROM pg_locks own JOIN pg_locks t USING (pid) \
         JOIN pg_database d ON d.datname LIKE 'migrate\\_template\\_' || {} || '%' \
         WHERE own.locktype = 'advisory' AND t.locktype = 'advisory' AND t.mode = 'ShareLock' \
         AND {} = '{digits}'",
        hex("t"),
        hex("own"),
    );
    value(client, &sql).await
}

/// All templates of the server.
pub(crate) async fn templates(client: &Client) -> HashSet<String> {
    let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_template\\_%'";
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The first column of what a statement returns on the server in a folder.
pub(crate) fn psql(server: &Path, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut config = tokio_postgres::Config::new();
        let client = connect(config.host_path(server).user("postgres").dbname("postgres")).await;
        let rows = client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}

/// A process of these tests.
pub(crate) struct Part {
    pub(crate) child: Child,
    pub(crate) printed: Vec<String>,
    /// Held open, as the test harness in the child reports here at its end.
    output: Option<BufReader<ChildStdout>>,
}

impl Part {
    /// This test binary again, playing a part until its standard input ends.
    pub(crate) fn begin(part: &str, salt: &str, env: &[(&str, &str)]) -> Part {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([
            "--exact",
            "test_databases::part::a_part_is_played_when_asked_for",
            "--nocapture",
        ]);
        command.env(PART, part).env(SALT, salt).env_remove("MIGRATE_KEEP");
        command.envs(env.iter().copied());
        if env.iter().any(|(name, _)| *name == "TMPDIR") {
            command.env_remove("DATABASE_URL");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Part { child: command.spawn().unwrap(), printed: Vec::new(), output: None }
    }

    /// Waits for its line of output.
    pub(crate) fn ready(mut self) -> Part {
        let mut output = BufReader::new(self.child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let line = lines.find_map(|line| Some(line.split_once("part: ")?.1.to_owned()));
        let Some(line) = line else { panic!("the part failed: {}", self.errors()) };
        self.output = Some(output);
        self.printed = line.split(" | ").map(str::to_owned).collect();
        self
    }

    /// Ends its input, and waits until it has succeeded.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        let errors = self.errors();
        assert!(self.child.wait().unwrap().success(), "{errors}");
    }

    /// What it writes to standard error until its end.
    fn errors(&mut self) -> String {
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        errors
    }
}

#[test]
fn a_part_is_played_when_asked_for() {
    let Ok(part) = env::var(PART) else { return };
    let salt = env::var(SALT).unwrap_or_default();
    if part == "server" {
        let server = Server::shared().unwrap();
        println!("part: {} | {}", folder(&server).display(), pid_of(&folder(&server)));
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    if part == "error" {
        let error = TestDatabase::new(&salted("any")).expect_err("it cannot be").to_string();
        assert!(!error.contains("s3cret"));
        println!("part: {}", error.replace('\n', " | "));
        return;
    }
    if part == "refused" || part == "checks" {
        let checks = part == "checks";
        let texts = if checks { elsewhere::failed_checks() } else { elsewhere::refusals() };
        println!("part: {}", texts.into_iter().collect::<Vec<_>>().join(" | "));
        return;
    }
    if part == "broken" {
        let broken = format!("-- {salt}\nCREATE TABLE a (id nowhere);");
        let set = set(&[("1_a.sql", broken.as_str())]);
        let error = TestDatabase::new(&set).expect_err("no such type").to_string();
        let server = folder(&Server::shared().unwrap());
        let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_t%'";
        let left = psql(&server, sql).len();
        println!("part: {} | {left}", error.lines().next().unwrap());
        return;
    }
    if part == "roles" {
        println!("part: {}", elsewhere::same_role().join(" | "));
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match part.as_str() {
        "ahead" => return runtime.block_on(ask_thrice(&salt)),
        "ended" => return runtime.block_on(end_between(&salt)),
        _ => {}
    }
    let mut database = TestDatabase::new(&salted(&salt)).unwrap();
    let built = runtime.block_on(async { built_at(&database.connect().await.unwrap()).await });
    // The server of DATABASE_URL has no folder.
    let server = database.server();
    let is_local = server.is_throwaway();
    let folder = if is_local { folder(server).display().to_string() } else { String::new() };
    println!("part: {} | {built} | {folder}", database.name());
    match part.as_str() {
        "fail" => panic!("as asked"),
        "keep" => database.keep(),
        _ => {}
    }
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// The third test with a set finds the clone that was started after the second, and another is started then.
async fn ask_thrice(salt: &str) {
    let set = salted(salt);
    let (one, _two) = (TestDatabase::new(&set).unwrap(), TestDatabase::new(&set).unwrap());
    let watch = maintenance(&one).await;
    let before = wait_for_databases(&watch, 3).await;
    let three = TestDatabase::new(&set).unwrap();
    let printed = if before.contains(three.name()) { "made ahead" } else { "made when asked for" };
    assert_eq!(value(&three.connect().await.unwrap(), "SELECT count(*) FROM a").await, "0");
    wait_for_databases(&watch, 4).await;
    println!("part: {printed} | {}", folder(three.server()).display());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// The databases of tests, when there are so many.
async fn wait_for_databases(client: &Client, count: usize) -> HashSet<String> {
    let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_test\\_%'";
    let deadline = Instant::now() + LIMIT;
    loop {
        let rows = client.query(sql, &[]).await.unwrap();
        if rows.len() == count {
            return rows.iter().map(|row| row.get(0)).collect();
        }
        assert!(Instant::now() < deadline, "{} instead of {count}", rows.len());
    }
}

/// Two tests, and the end of the session that the first one leaves to the second.
async fn end_between(salt: &str) {
    let set = salted(salt);
    let one = TestDatabase::new(&set).unwrap();
    let watch = maintenance(&one).await;
    let pid = session_of(&one, &watch).await;
    drop(one);
    let there = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    assert_eq!(value(&watch, &there).await, "1", "the session stays");
    let locks =
        format!("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = {pid}");
    assert_eq!(value(&watch, &locks).await, "0", "it lets go of its locks");
    watch.execute(&format!("SELECT pg_terminate_backend({pid})"), &[]).await.unwrap();
    let deadline = Instant::now() + LIMIT;
    while value(&watch, &there).await != "0" {
        assert!(Instant::now() < deadline, "the session is still there");
    }
    let two = TestDatabase::new(&set).unwrap();
    let is_same = session_of(&two, &watch).await == pid;
    println!("part: {}", if is_same { "the same session" } else { "another session" });
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// The process of the session that holds the lock of a database.
async fn session_of(database: &TestDatabase, client: &Client) -> String {
    let digits = &database.name()["migrate_test_".len()..];
    let sql = format!(
        "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' \
         AND lpad(to_hex((classid::bigint << 32) | objid::bigint), 16, '0') = '{digits}'"
    );
    value(client, &sql).await
}

pub(crate) fn folder(server: &Server) -> PathBuf {
    let config: tokio_postgres::Config = server.url().parse().unwrap();
    let [tokio_postgres::config::Host::Unix(folder)] = config.get_hosts() else {
        panic!("a shared server listens on one socket")
    };
    folder.clone()
}

pub(crate) fn pid_of(folder: &Path) -> String {
    let lock = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    lock.lines().next().unwrap().to_owned()
}

pub(crate) fn is_alive(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
}

pub(crate) fn wait_until_gone(printed: &[String]) {
    let deadline = Instant::now() + LIMIT;
    while Path::new(&printed[0]).exists() || is_alive(&printed[1]) {
        assert!(Instant::now() < deadline, "{printed:?} remain");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A folder of its own for shared servers, which root's server can work in.
pub(crate) fn temporary_folder() -> tempfile::TempDir {
    let base = tempfile::Builder::new().prefix("mg").tempdir_in(open_folder()).unwrap();
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    base
}
