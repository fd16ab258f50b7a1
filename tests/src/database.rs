//! One server for all test processes of a user, and a new database for each test. Tests share no state:
//! there is no template, and no clean-up by `TRUNCATE`.

use std::fmt;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use migrate_testing::Server;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// The server that all tests share, which runs without fsync; a test that stops its server or changes its
/// settings starts its own.
///
/// # Panics
///
/// When there is none, with a text that names how to install one.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::shared().unwrap_or_else(|error| panic!("{error}")))
}

/// A client of the database; its connection runs as a task of the current runtime, which also reads the
/// notices.
///
/// # Panics
///
/// When the server refuses.
pub async fn connect(config: &Config) -> Client {
    let (client, connection) =
        config.connect(NoTls).await.expect("a connection to the test server");
    tokio::spawn(connection);
    client
}

/// Counts the advisory locks that sessions hold in the current database.
pub const ADVISORY_LOCKS: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// The first value that a query returns, as text; `NULL` for a null, an empty text for no row.
///
/// # Panics
///
/// When the server refuses the query.
pub async fn value(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.expect(sql);
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    });
    row.unwrap_or_default()
}

/// An empty database of one test, dropped with this value, and so are roles whose names are `role_` and its name, and
/// perhaps more after another `_`.
pub struct FreshDatabase {
    name: String,
    url: String,
    /// Its own server, which ends with it; otherwise it is on the [`server`].
    own: Option<Server>,
}

impl FreshDatabase {
    /// Creates one on the [`server`].
    ///
    /// # Panics
    ///
    /// When there is no server or it refuses.
    pub async fn create() -> FreshDatabase {
        let name = unique_name();
        let url = server().url_for(&name);
        let created = maintenance().spawn(create(name.clone())).await;
        created.expect("no panic").expect("CREATE DATABASE on the test server");
        FreshDatabase { name, url, own: None }
    }

    /// Creates one on a throwaway server of its own, for a set that creates roles or other objects of the whole server.
    ///
    /// # Panics
    ///
    /// When no server starts.
    pub async fn on_own_server() -> FreshDatabase {
        let own = Server::start().unwrap_or_else(|error| panic!("{error}"));
        let name = unique_name();
        let maintenance = connect(&own.url().parse().expect("an address")).await;
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
        maintenance.batch_execute(&sql).await.expect(&sql);
        FreshDatabase { url: own.url_for(&name), name, own: Some(own) }
    }

    /// Creates one, with a client of it.
    ///
    /// # Panics
    ///
    /// As [`FreshDatabase::create`].
    pub async fn connected() -> (FreshDatabase, Client) {
        let database = FreshDatabase::create().await;
        let client = database.connect().await;
        (database, client)
    }

    /// Its name, which needs no quotes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, for other programs as well.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its address, parsed.
    ///
    /// # Panics
    ///
    /// When tokio-postgres cannot parse the address.
    pub fn config(&self) -> Config {
        self.url.parse().expect("the test server's address")
    }

    /// A new client, directly.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn connect(&self) -> Client {
        connect(&self.config()).await
    }

    /// Its schema as `pg_dump --schema-only` writes it, with these further arguments.
    ///
    /// Uses the server's own `pg_dump`, else the one on PATH; `None` if there is none or if it is too old
    /// for the server. It is [`comparable`].
    ///
    /// # Panics
    ///
    /// When `pg_dump` fails for another reason.
    pub fn pg_dump(&self, args: &[&str]) -> Option<String> {
        self.pg_dump_with_rows(&[&["--schema-only"], args].concat())
    }

    /// The same with the rows of its tables.
    ///
    /// # Panics
    ///
    /// When `pg_dump` fails for another reason.
    pub fn pg_dump_with_rows(&self, args: &[&str]) -> Option<String> {
        let mut command = self.program("pg_dump");
        command.args(args);
        let output = command.output().ok()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        if complaint.contains("server version mismatch") {
            return None;
        }
        assert!(output.status.success(), "pg_dump: {complaint}");
        Some(comparable(&String::from_utf8(output.stdout).expect("a dump in UTF-8")))
    }

    /// A program of its server, else the one on PATH, that connects to it.
    pub fn program(&self, name: &str) -> Command {
        let own = self.own.as_ref().unwrap_or_else(|| server()).bin(name);
        let mut command = Command::new(own.unwrap_or_else(|| name.into()));
        command.args(["--dbname", &self.url]);
        command
    }
}

/// What `pg_dump` wrote without what two dumps of one schema do not share: the lines `\restrict` and `\unrestrict`, which
/// are random, and the numbers that the newest minor releases keep in the options of each column.
pub fn comparable(dump: &str) -> String {
    const COUNTER: &str = "pg_attver=";
    let is_key = |line: &&str| line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
    let kept: String = dump.split_inclusive('\n').filter(|line| !is_key(line)).collect();
    let mut parts = kept.split(COUNTER);
    let first = parts.next().unwrap_or_default().to_owned();
    let uncounted = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    uncounted.fold(first, |dump, part| dump + COUNTER + part)
}

impl fmt::Debug for FreshDatabase {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshDatabase").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for FreshDatabase {
    /// Waits until it is dropped, because the test's runtime is blocked or already gone.
    fn drop(&mut self) {
        if self.own.is_some() {
            return;
        }
        let (sender, dropped) = mpsc::channel();
        let name = self.name.clone();
        maintenance().spawn(async move {
            // The receiver exists until the drop has its answer.
            let _ = sender.send(remove(&name).await.map_err(|error| error.to_string()));
        });
        match dropped.recv() {
            Ok(Ok(())) => {}
            // A second panic would abort the process and hide the first.
            Ok(Err(error)) if !thread::panicking() => panic!("cannot drop {}: {error}", self.name),
            Ok(Err(error)) => eprintln!("cannot drop {}: {error}", self.name),
            Err(_) => eprintln!("cannot drop {}: the task panicked", self.name),
        }
    }
}

/// Runs the sessions of the maintenance database, which outlive the runtime of the test that opened
/// them.
fn maintenance() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime")
    })
}

/// Idle sessions of the maintenance database: a new one takes as long as the statement.
static IDLE: Mutex<Vec<Client>> = Mutex::new(Vec::new());

async fn session() -> Result<Client, tokio_postgres::Error> {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    if let Some(client) = idle.filter(|client| !client.is_closed()) {
        return Ok(client);
    }
    let config: Config = server().url().parse()?;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn put_back(client: Client) {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(client);
}

async fn create(name: String) -> Result<(), tokio_postgres::Error> {
    let client = session().await?;
    // Not from template1, which may hold other objects.
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0{}", strategy(&client).await);
    client.batch_execute(&sql).await?;
    put_back(client);
    Ok(())
}

/// A copy of the files needs two checkpoints, which cost less than logging each page if the server runs
/// without fsync. PostgreSQL before 15 always copies the files, and has no option for it.
async fn strategy(client: &Client) -> &'static str {
    let version = value(client, "SHOW server_version_num").await;
    let has_choice = version.parse().is_ok_and(|version: u32| version >= 150_000);
    if has_choice && server().is_throwaway() { " STRATEGY FILE_COPY" } else { "" }
}

/// How long to wait for the sessions in a database to end before it is dropped.
const SESSIONS_LIMIT: Duration = Duration::from_secs(1);

const POLL: Duration = Duration::from_millis(1);

/// Drops a database and the roles of its test, and ends the sessions in it first: `FORCE` alone checks only ten times a second
/// whether they have ended.
async fn remove(name: &str) -> Result<(), tokio_postgres::Error> {
    let client = session().await?;
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a \
         WHERE a.datname OPERATOR(pg_catalog.=) '{name}' \
         AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'"
    );
    let deadline = Instant::now() + SESSIONS_LIMIT;
    while !client.query(&end, &[]).await?.is_empty() && Instant::now() < deadline {
        tokio::time::sleep(POLL).await;
    }
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    let roles = format!(
        "DO $$ DECLARE role pg_catalog.name; BEGIN FOR role IN SELECT rolname FROM pg_catalog.pg_roles \
         WHERE rolname OPERATOR(pg_catalog.=) 'role_{name}' \
         OR pg_catalog.starts_with(rolname::pg_catalog.text, 'role_{name}_') LOOP \
         EXECUTE pg_catalog.format('DROP OWNED BY %1$I; DROP ROLE %1$I', role); END LOOP; END $$"
    );
    client.batch_execute(&roles).await?;
    put_back(client);
    Ok(())
}

/// Unique on a server that many test processes share, now and later.
fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_micros();
    format!("migrate_test_{now:x}_{}_{number}", process::id())
}
