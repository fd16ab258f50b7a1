//! Databases of tests: cloned from one template whatever number of tests race for it, and gone with their
//! tests however those end; and the server that the processes of a user share.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use migrate_runtime::testing::{Server, TestDatabase};
use migrate_runtime::{Migrations, Migrator};
use migrate_tests::database::{connect, value};
use migrate_tests::sets::set;
use tokio_postgres::Client;

/// Names the part that a child process of these tests plays, and what makes its set its own.
const PART: &str = "MIGRATE_TESTS_PART";
const SALT: &str = "MIGRATE_TESTS_SALT";

/// For what takes a fraction of a second on an idle machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A set that no other test and no earlier run has had.
fn salt(test: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{test} {} {}", std::process::id(), now.as_nanos())
}

fn salted(salt: &str) -> Migrations {
    let first = format!("-- {salt}\nCREATE TABLE a (id int);");
    set(&[("1_a.sql", first.as_str()), ("2_b.sql", "CREATE TABLE b (id int);")])
}

/// When the template of this clone was built, by the server's clock.
async fn built_at(client: &Client) -> String {
    value(client, "SELECT min(applied_at)::text FROM migration_ledger").await
}

async fn maintenance(database: &TestDatabase) -> Client {
    connect(&database.server().url().parse().unwrap()).await
}

async fn exists(client: &Client, name: &str) -> bool {
    value(client, &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")).await
        == "1"
}

/// The template that a database is a clone of: its session holds the locks of both.
async fn template_of(database: &TestDatabase, client: &Client) -> String {
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
async fn templates(client: &Client) -> HashSet<String> {
    let sql = "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_template\\_%'";
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

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
async fn template_goes_by_all_that_is_in_it() {
    let salt = salt("digest");
    let set = salted(&salt);
    let schema = Migrator::new(&set).schema("app").create_schema();
    let one = TestDatabase::new(&set).unwrap();
    let watch = maintenance(&one).await;
    let before = templates(&watch).await;
    let again = TestDatabase::new(&set).unwrap();
    assert_eq!(templates(&watch).await, before, "the same set has the same template");

    let app = TestDatabase::new(&schema).unwrap();
    let part = TestDatabase::new(Migrator::new(&set).to("1")).unwrap();
    let seeded = TestDatabase::with_fixture(&set, "INSERT INTO a VALUES (7)").unwrap();
    assert_eq!(templates(&watch).await.difference(&before).count(), 3);
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
    let built: HashSet<&str> = parts.iter().map(|part| part.said[1].as_str()).collect();
    assert_eq!(built.len(), 1, "{built:?}");
    let names: HashSet<String> = parts.iter().map(|part| part.said[0].clone()).collect();
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
        assert!(left.contains(&living.said[0]), "a database in use was dropped");
        if !left.contains(&killed.said[0]) {
            break;
        }
        assert!(Instant::now() < deadline, "{} is still there", killed.said[0]);
    }
    living.end();
}

#[test]
fn database_of_a_failed_test_is_kept_on_request_only() {
    // On a server of its own, which then stays for an hour.
    let ground = ground();
    let env = [("TMPDIR", ground.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let keep = [env[0], env[1], ("MIGRATE_KEEP", "1")];
    let salt = salt("kept");
    let mut failed = Part::begin("fail", &salt, &keep).ready();
    assert!(!failed.child.wait().unwrap().success());
    // Longer than an unused server stays that nobody asked to stay.
    thread::sleep(Duration::from_millis(700));
    let mut other = Part::begin("fail", &salt, &env).ready();
    assert!(!other.child.wait().unwrap().success());
    let kept = Part::begin("keep", &salt, &env).ready();
    let (server, names) =
        (PathBuf::from(&kept.said[2]), [&failed, &kept].map(|p| p.said[0].clone()));
    kept.end();
    let collecting = || Part::begin("database", &salt, &env).ready().end();
    collecting();
    let there = |sql: &str| psql(&server, sql);
    let list =
        "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_test\\_%' ORDER BY oid";
    assert_eq!(there(list), names, "{} was not to be kept", other.said[0]);
    for name in &names {
        there(&format!("COMMENT ON DATABASE {name} IS 'migrate-runtime: kept until 7'"));
    }
    collecting();
    assert_eq!(there(list), [""; 0]);
    let said = [server.display().to_string(), pid_of(&server)];
    assert!(Command::new("kill").args(["-s", "INT", &said[1]]).status().unwrap().success());
    wait_until_gone(&said);
}

/// The first column of what a statement returns on the server in a folder.
fn psql(server: &Path, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut config = tokio_postgres::Config::new();
        let client = connect(config.host_path(server).user("postgres").dbname("postgres")).await;
        let rows = client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}

#[tokio::test]
async fn half_a_template_is_built_again_and_old_ones_go() {
    let set = salted(&salt("half"));
    let watch = maintenance(&TestDatabase::empty().unwrap()).await;
    let one = TestDatabase::new(&set).unwrap();
    let first = built_at(&one.connect().await.unwrap()).await;
    let template = template_of(&one, &watch).await;
    drop(one);
    watch.batch_execute(&format!("COMMENT ON DATABASE {template} IS NULL")).await.unwrap();
    let again = TestDatabase::new(&set).unwrap();
    assert_ne!(built_at(&again.connect().await.unwrap()).await, first);

    let old =
        format!("COMMENT ON DATABASE {template} IS 'migrate-runtime: template, last used at 7'");
    watch.batch_execute(&old).await.unwrap();
    // In use by `again`, so the next process leaves it.
    Part::begin("database", "any", &[]).ready().end();
    assert!(templates(&watch).await.contains(&template));
    drop(again);
    Part::begin("database", "any", &[]).ready().end();
    assert!(!templates(&watch).await.contains(&template));
}

#[test]
fn migration_that_fails_is_told_and_leaves_no_template() {
    let salt = salt("failing");
    let broken = format!("-- {salt}\nCREATE TABLE a (id nowhere);");
    let set = set(&[("1_a.sql", broken.as_str())]);
    let error = TestDatabase::new(&set).expect_err("no such type").to_string();
    let told = "migrations/1_a.sql:2:20: type \"nowhere\" does not exist (SQLSTATE 42704)";
    assert!(error.starts_with(told), "{error}");

    // On a server of its own, where no other test makes templates.
    let ground = ground();
    let env = [("TMPDIR", ground.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let part = Part::begin("broken", &salt, &env).ready();
    assert_eq!(part.said, [told, "0"]);
    part.end();
}

#[test]
fn server_that_refuses_is_told_without_its_password() {
    let nowhere = "postgresql://anna:s3cret@127.0.0.1:1/app";
    let part = Part::begin("error", "", &[("DATABASE_URL", nowhere)]).ready();
    assert!(part.said[0].starts_with("cannot connect to `app`: "), "{:?}", part.said);
    let help = "help: see that the server of DATABASE_URL is up and takes connections without TLS; or unset \
                it to use a throwaway server";
    assert_eq!(part.said[1..], [help]);
    part.end();

    let server = Server::start().unwrap();
    psql(&folder(&server), "CREATE ROLE anna LOGIN");
    let address = server.url().replace("postgres@", "anna@");
    let part = Part::begin("error", "", &[("DATABASE_URL", address.as_str())]).ready();
    assert!(part.said[0].starts_with("cannot create `migrate_template_"), "{:?}", part.said);
    assert!(
        part.said[0].ends_with("`: permission denied to create database (SQLSTATE 42501)"),
        "{:?}",
        part.said
    );
    let help =
        "help: the role of DATABASE_URL needs CREATEDB; or unset it to use a throwaway server";
    assert_eq!(part.said[1..], [help]);
    part.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn clone_waits_for_whoever_is_in_the_way() {
    let set = salted(&salt("blocked"));
    let first = TestDatabase::new(&set).unwrap();
    let (mut client, watch) = (maintenance(&first).await, maintenance(&first).await);
    let template = template_of(&first, &watch).await;
    let held = client.transaction().await.unwrap();
    // `CREATE DATABASE` locks its template in a mode that conflicts with this.
    held.batch_execute(&format!("COMMENT ON DATABASE {template} IS NULL")).await.unwrap();
    let waiting = tokio::task::spawn_blocking(move || TestDatabase::new(&set).map(drop));
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
         AND query LIKE 'CREATE DATABASE %{template}%'"
    );
    let deadline = Instant::now() + LIMIT;
    while value(&watch, &sql).await != "1" {
        assert!(Instant::now() < deadline, "nobody waits");
    }
    held.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
}

/// A process of these tests.
struct Part {
    child: Child,
    said: Vec<String>,
    /// Held open, as the test harness in the child reports here at its end.
    output: Option<BufReader<ChildStdout>>,
}

impl Part {
    /// This test binary again, playing a part until its standard input ends.
    fn begin(part: &str, salt: &str, env: &[(&str, &str)]) -> Part {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_part_is_played_when_asked_for", "--nocapture"]);
        command.env(PART, part).env(SALT, salt).env_remove("MIGRATE_KEEP");
        command.envs(env.iter().copied());
        if env.iter().any(|(name, _)| *name == "TMPDIR") {
            command.env_remove("DATABASE_URL");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Part { child: command.spawn().unwrap(), said: Vec::new(), output: None }
    }

    /// Waits until it says what it has.
    fn ready(mut self) -> Part {
        let mut output = BufReader::new(self.child.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let line = lines.find_map(|line| Some(line.split_once("part: ")?.1.to_owned()));
        let line = line.expect("the part says what it has");
        self.output = Some(output);
        self.said = line.split(" | ").map(str::to_owned).collect();
        self
    }

    /// Lets it end by itself, and well.
    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
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
    let mut database = TestDatabase::new(&salted(&salt)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
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

fn folder(server: &Server) -> PathBuf {
    let config: tokio_postgres::Config = server.url().parse().unwrap();
    let [tokio_postgres::config::Host::Unix(folder)] = config.get_hosts() else {
        panic!("a shared server listens on one socket")
    };
    folder.clone()
}

fn pid_of(folder: &Path) -> String {
    let lock = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    lock.lines().next().unwrap().to_owned()
}

fn is_alive(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
}

fn wait_until_gone(said: &[String]) {
    let deadline = Instant::now() + LIMIT;
    while Path::new(&said[0]).exists() || is_alive(&said[1]) {
        assert!(Instant::now() < deadline, "{said:?} remain");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A folder of its own for shared servers, which root's server can work in.
fn ground() -> tempfile::TempDir {
    let ground = tempfile::Builder::new().prefix("mg").tempdir_in("/tmp").unwrap();
    fs::set_permissions(ground.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    ground
}

#[test]
fn processes_share_a_server_until_the_last_is_gone() {
    let ground = ground();
    let env = [("TMPDIR", ground.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let parts: Vec<Part> = (0..4).map(|_| Part::begin("server", "", &env)).collect();
    let mut parts: Vec<Part> = parts.into_iter().map(Part::ready).collect();
    let said = parts[0].said.clone();
    assert!(said[0].starts_with(ground.path().to_str().unwrap()), "{said:?}");
    assert!(parts.iter().all(|part| part.said == said), "all of one server");
    for mut part in parts.drain(1..) {
        part.child.kill().unwrap();
        part.child.wait().unwrap();
    }
    // Whoever comes while one is there gets the same, also long after the lingering time.
    thread::sleep(Duration::from_millis(700));
    let late = Part::begin("server", "", &env).ready();
    assert_eq!(late.said, said);
    late.end();
    assert!(is_alive(&said[1]));
    parts.pop().unwrap().end();
    wait_until_gone(&said);
}

#[test]
fn shared_server_that_died_is_replaced() {
    let ground = ground();
    let env = [("TMPDIR", ground.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let one = Part::begin("server", "", &env).ready();
    assert!(Command::new("kill").args(["-9", &one.said[1]]).status().unwrap().success());
    let other = Part::begin("server", "", &env).ready();
    assert_ne!(other.said, one.said);
    let said = [one.said.clone(), other.said.clone()];
    one.end();
    other.end();
    for said in &said {
        wait_until_gone(said);
    }
}

/// The watchdog decides to go just when somebody has opened its pipe: whoever was not answered is no
/// user, and gets another server.
#[test]
fn who_is_not_answered_relies_on_no_server() {
    let ground = ground();
    let env = [("TMPDIR", ground.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let one = Part::begin("server", "", &env).ready();
    let (folder, postmaster) = (PathBuf::from(&one.said[0]), one.said[1].clone());
    let watchdog = parent_of(&postmaster);
    let listening: Vec<String> =
        children_of(&watchdog).into_iter().filter(|child| *child != postmaster).collect();
    signal("STOP", &listening);
    let other = Part::begin("server", "", &env);
    let deadline = Instant::now() + LIMIT;
    while !has_open(other.child.id(), &folder.join("users")) {
        assert!(Instant::now() < deadline, "nobody joins");
    }
    fs::remove_file(folder.join("users")).unwrap();
    let other = other.ready();
    signal("CONT", &listening);
    assert_ne!(other.said, one.said);
    let said = [one.said.clone(), other.said.clone()];
    one.end();
    other.end();
    for said in &said {
        wait_until_gone(said);
    }
}

fn signal(name: &str, ids: &[String]) {
    assert_eq!(ids.len(), 1, "one process listens");
    assert!(Command::new("kill").args(["-s", name]).args(ids).status().unwrap().success());
}

/// Each process with its parent.
fn processes() -> Vec<[String; 2]> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| {
        let (child, parent) = line.trim().split_once(char::is_whitespace)?;
        Some([child.to_owned(), parent.trim().to_owned()])
    };
    text.lines().filter_map(pair).collect()
}

fn parent_of(id: &str) -> String {
    processes().into_iter().find(|[child, _]| child == id).unwrap()[1].clone()
}

fn children_of(id: &str) -> Vec<String> {
    processes().into_iter().filter(|[_, parent]| parent == id).map(|[child, _]| child).collect()
}

/// Whether a process has a file open, as Linux tells it.
fn has_open(id: u32, path: &Path) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{id}/fd")) else { return false };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|found| found == path))
}

/// Each round comes while the server of the round before is about to go.
#[test]
fn who_comes_while_the_server_goes_gets_one_that_stays() {
    let ground = ground();
    let env = [("TMPDIR", ground.path().to_str().unwrap()), ("MIGRATE_SERVER_LINGER", "0")];
    let mut seen = HashSet::new();
    for round in 0..6 {
        let part = Part::begin("server", "", &env).ready();
        thread::sleep(Duration::from_millis(50));
        assert!(is_alive(&part.said[1]), "the server went under its user");
        assert!(Path::new(&part.said[0]).join("users").exists(), "it is about to go");
        seen.insert(part.said.clone());
        part.end();
        thread::sleep(Duration::from_millis(60 * round));
    }
    for said in &seen {
        wait_until_gone(said);
    }
}
