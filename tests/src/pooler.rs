//! A PgBouncer in front of a throwaway server, on the loopback interface, with a minimal configuration.
//! It trusts every client, as the server does, and is killed when its value is dropped.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

/// For PgBouncer to start listening; a few milliseconds are usual.
const LIMIT: Duration = Duration::from_secs(20);

const CONFIG: &str = "pgbouncer.ini";

/// Runs PgBouncer, and kills it when the other end of standard input closes: with this process, however
/// it ends. The arguments are the folder to remove then, and the configuration.
const WATCHDOG: &str = "exec 3<&0\n\
     pgbouncer --quiet \"$2\" 3<&- </dev/null &\n\
     child=$!\n\
     { read -r _; kill -s KILL \"$child\"; rm -rf \"$1\"; } <&3 3<&- &\n\
     wait \"$child\"";

/// A shell's exit code if there is no such program.
const NO_PROGRAM: i32 = 127;

/// How long a server connection belongs to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// To the end of the transaction.
    Transaction,
    /// To the end of the client's session.
    Session,
}

impl PoolMode {
    /// The value of PgBouncer's `pool_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            PoolMode::Transaction => "transaction",
            PoolMode::Session => "session",
        }
    }
}

/// A running PgBouncer, killed and removed when dropped, and when this process ends without that.
pub struct Pooler {
    port: u16,
    folder: PathBuf,
    child: Child,
}

impl Pooler {
    /// A pooler with `size` server connections for each database, to a server on a Unix socket.
    ///
    /// # Errors
    ///
    /// What is missing or failed, with PgBouncer's log if it ended.
    pub async fn start(server: &Config, mode: PoolMode, size: usize) -> Result<Pooler, String> {
        Pooler::start_with(server, mode, size, "").await
    }

    /// A pooler that gives every name this database of the server.
    ///
    /// # Errors
    ///
    /// As [`Pooler::start`].
    pub async fn of_one_database(server: &Config, database: &str) -> Result<Pooler, String> {
        Pooler::start_with(server, PoolMode::Session, 4, &format!(" dbname={database}")).await
    }

    async fn start_with(
        server: &Config,
        mode: PoolMode,
        size: usize,
        database: &str,
    ) -> Result<Pooler, String> {
        let [Host::Unix(socket)] = server.get_hosts() else {
            return Err("the server behind the pooler has to listen on one Unix socket".to_owned());
        };
        // The owner of the socket's folder has access to it, and is not root.
        let owner = fs::metadata(socket).map_err(|error| failed("inspect", socket, &error))?;
        let folder = folder();
        let port =
            free_port().map_err(|error| failed("listen on", Path::new("loopback"), &error))?;
        let server_port = server.get_ports().first().copied().unwrap_or(5432);
        let server = format!("host={} port={server_port}{database}", socket.display());
        let ini = ini(&folder, port, &server, mode, size);
        let child = prepare(&folder, &ini, &owner)
            .map_err(|error| failed("write into", &folder, &error))
            .and_then(|()| spawn(&folder, &owner));
        let child = child.inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
        let mut pooler = Pooler { port, folder, child };
        pooler.wait_until_ready().await?;
        Ok(pooler)
    }

    /// The address of this database through the pooler.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("postgres").dbname(database);
        config
    }

    /// The same as an address.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// A client of this database through the pooler.
    ///
    /// # Errors
    ///
    /// Those of connecting.
    pub async fn connect(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config(database).connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Connects to PgBouncer's console, which needs no server.
    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let Err(error) = self.connect("pgbouncer").await else { return Ok(()) };
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some_and(|status| status.code() == Some(NO_PROGRAM)) {
                return Err("there is no `pgbouncer` on PATH\n\
                     help: install the package `pgbouncer`, e.g. `apt-get install pgbouncer`"
                    .to_owned());
            }
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("pgbouncer does not answer: {error}\n{log}"));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl fmt::Debug for Pooler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooler").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Drop for Pooler {
    /// Closes the pipe, so that the watchdog kills PgBouncer and removes the folder. A failure cannot be
    /// reported here.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn ini(folder: &Path, port: u16, server: &str, mode: PoolMode, size: usize) -> String {
    let (folder, mode) = (folder.display(), mode.as_str());
    format!(
        "[databases]\n\
         * = {server}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = trust\n\
         auth_file = {folder}/users.txt\n\
         admin_users = postgres\n\
         pool_mode = {mode}\n\
         default_pool_size = {size}\n\
         max_client_conn = 500\n\
         logfile = {folder}/log\n"
    )
}

/// As the owner of the server, since PgBouncer refuses to run as root.
fn spawn(folder: &Path, owner: &fs::Metadata) -> Result<Child, String> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCHDOG, "pooler"]).arg(folder).arg(folder.join(CONFIG)).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // In its own process group, so that the terminal's signals end this process first and the watchdog
    // after it.
    command.process_group(0);
    if is_other(owner) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.spawn().map_err(|error| failed("start", Path::new("/bin/sh"), &error))
}

/// Writes the folder with PgBouncer's files, which the owner of the server can read and write.
fn prepare(folder: &Path, ini: &str, owner: &fs::Metadata) -> io::Result<()> {
    let (config, users) = (folder.join(CONFIG), folder.join("users.txt"));
    fs::create_dir(folder)?;
    fs::write(&config, ini)?;
    fs::write(&users, "\"postgres\" \"\"\n")?;
    if is_other(owner) {
        for path in [config.as_path(), users.as_path(), folder] {
            chown(path, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(())
}

/// Whether it belongs to another user than this process, which only happens as root.
fn is_other(owner: &fs::Metadata) -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() != owner.uid())
}

/// A port that was free a moment ago: PgBouncer only accepts a number.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("migrate-pooler-{}-{number}", process::id()))
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {doing} {}: {error}", path.display())
}
