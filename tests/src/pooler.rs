//! A PgBouncer or a Pgpool-II in front of throwaway servers, on the loopback interface, with a minimal
//! configuration. It trusts every client, as the servers do, and is ended when its value is dropped.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

/// For a pooler to start listening; a fraction of a second is usual.
const LIMIT: Duration = Duration::from_secs(20);

const CONFIG: &str = "config";

/// In PgBouncer's folder, a link to the folder with the socket of its server.
const SERVER: &str = "server";

/// Runs a pooler, and ends it when the other end of standard input closes: with this process, however it
/// ends. The arguments are the folder to remove then, the signal to send, and the command.
const WATCHDOG: &str = "exec 3<&0\n\
     folder=$1 signal=$2\n\
     shift 2\n\
     \"$@\" 3<&- </dev/null >>\"$folder/log\" 2>&1 &\n\
     child=$!\n\
     { read -r _; kill -s \"$signal\" \"$child\"; rm -rf \"$folder\"; } <&3 3<&- &\n\
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
    /// To the end of the statement; the pooler refuses transactions.
    Statement,
}

impl PoolMode {
    /// The value of PgBouncer's `pool_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            PoolMode::Transaction => "transaction",
            PoolMode::Session => "session",
            PoolMode::Statement => "statement",
        }
    }
}

/// A running pooler, ended and removed when dropped, and when this process ends without that.
pub struct Pooler {
    port: u16,
    folder: PathBuf,
    child: Child,
}

/// What one kind of pooler needs to start.
struct Kind {
    /// The program and its arguments, in the pooler's folder.
    command: &'static [&'static str],
    /// Ends it together with its children.
    signal: &'static str,
    package: &'static str,
    /// A database that it can be asked for when it is ready.
    database: &'static str,
}

const PGBOUNCER: Kind = Kind {
    command: &["pgbouncer", "--quiet", CONFIG],
    signal: "KILL",
    package: "pgbouncer",
    // Its console, which needs no server.
    database: "pgbouncer",
};

const PGPOOL: Kind = Kind {
    command: &["pgpool", "-n", "-f", CONFIG, "-F", "users.txt", "-a", "users.txt"],
    signal: "INT",
    package: "pgpool2",
    database: "postgres",
};

impl Pooler {
    /// A PgBouncer with `size` server connections for each database, to a server on a Unix socket.
    ///
    /// # Errors
    ///
    /// What is missing or failed, with PgBouncer's log if it ended.
    pub async fn start(server: &Config, mode: PoolMode, size: usize) -> Result<Pooler, String> {
        Pooler::start_with(server, mode, size, "").await
    }

    /// A PgBouncer that gives every name this database of the server.
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
        let (socket, server_port) = socket_of(server)?;
        let server = format!("port={server_port}{database}");
        let ini = |folder: &Path, port| ini(folder, port, &server, mode, size);
        Pooler::run(&PGBOUNCER, socket, ini).await
    }

    /// Replaces the server of a PgBouncer by another with the same port.
    ///
    /// # Errors
    ///
    /// What the system refuses.
    pub fn replace_server(&self, server: &Config) -> Result<(), String> {
        let (link, (socket, _)) = (self.folder.join(SERVER), socket_of(server)?);
        let replaced = fs::remove_file(&link).and_then(|()| symlink(socket, &link));
        replaced.map_err(|error| failed("replace", &link, &error))
    }

    /// A Pgpool-II that sends reads to `standby`, and with `Cache::On` answers them from its cache.
    ///
    /// # Errors
    ///
    /// What is missing or failed, with Pgpool-II's log if it ended.
    pub async fn start_pgpool(
        [primary, standby]: [&Config; 2],
        cache: Cache,
    ) -> Result<Pooler, String> {
        let servers = [socket_of(primary)?, socket_of(standby)?];
        let conf = |folder: &Path, port| pgpool_conf(folder, port, servers, cache);
        Pooler::run(&PGPOOL, servers[0].0, conf).await
    }

    async fn run(
        kind: &Kind,
        socket: &Path,
        config: impl Fn(&Path, u16) -> String,
    ) -> Result<Pooler, String> {
        // The owner of the socket's folder has access to it, and is not root.
        let owner = fs::metadata(socket).map_err(|error| failed("inspect", socket, &error))?;
        let folder = folder();
        let port =
            free_port().map_err(|error| failed("listen on", Path::new("loopback"), &error))?;
        let child = prepare(&folder, &config(&folder, port), &owner)
            .and_then(|()| symlink(socket, folder.join(SERVER)))
            .map_err(|error| failed("write into", &folder, &error))
            .and_then(|()| spawn(kind, &folder, &owner));
        let child = child.inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
        let mut pooler = Pooler { port, folder, child };
        pooler.wait_until_ready(kind).await?;
        Ok(pooler)
    }

    /// The address of this database through the pooler.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The same, parsed.
    ///
    /// # Panics
    ///
    /// Never: the address is well formed.
    pub fn config(&self, database: &str) -> Config {
        self.url(database).parse().expect("our own address")
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

    async fn wait_until_ready(&mut self, kind: &Kind) -> Result<(), String> {
        let (program, package) = (kind.command[0], kind.package);
        let deadline = Instant::now() + LIMIT;
        loop {
            let Err(error) = self.connect(kind.database).await else { return Ok(()) };
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some_and(|status| status.code() == Some(NO_PROGRAM)) {
                return Err(format!(
                    "there is no `{program}` on PATH\n\
                     help: install the package `{package}`, e.g. `apt-get install {package}`"
                ));
            }
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("{program} does not answer: {error}\n{log}"));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The folder of the only socket of a server, and its port.
fn socket_of(server: &Config) -> Result<(&Path, u16), String> {
    let [Host::Unix(socket)] = server.get_hosts() else {
        return Err("the server behind the pooler has to listen on one Unix socket".to_owned());
    };
    Ok((socket, server.get_ports().first().copied().unwrap_or(5432)))
}

impl fmt::Debug for Pooler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooler").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Drop for Pooler {
    /// Closes the pipe, so that the watchdog ends the pooler and removes the folder. A failure cannot be
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
         * = host={folder}/{SERVER} {server}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = trust\n\
         auth_file = {folder}/users.txt\n\
         admin_users = postgres\n\
         pool_mode = {mode}\n\
         default_pool_size = {size}\n\
         server_login_retry = 1\n\
         max_client_conn = 500\n\
         logfile = {folder}/log\n"
    )
}

/// Whether Pgpool-II answers repeated reads from its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// No: each is sent to the standby.
    Off,
    /// Yes.
    On,
}

fn pgpool_conf(
    folder: &Path,
    port: u16,
    [(primary, primary_port), (standby, standby_port)]: [(&Path, u16); 2],
    cache: Cache,
) -> String {
    let (folder, primary, standby) = (folder.display(), primary.display(), standby.display());
    let cache = if cache == Cache::On { "on" } else { "off" };
    format!(
        "listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         socket_dir = '{folder}'\n\
         pcp_listen_addresses = ''\n\
         pcp_port = {port}\n\
         pcp_socket_dir = '{folder}'\n\
         pid_file_name = '{folder}/pid'\n\
         logdir = '{folder}'\n\
         num_init_children = 12\n\
         max_pool = 1\n\
         backend_clustering_mode = 'streaming_replication'\n\
         backend_hostname0 = '{primary}'\n\
         backend_port0 = {primary_port}\n\
         backend_weight0 = 0\n\
         backend_flag0 = 'ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER'\n\
         backend_hostname1 = '{standby}'\n\
         backend_port1 = {standby_port}\n\
         backend_weight1 = 1\n\
         backend_flag1 = 'DISALLOW_TO_FAILOVER'\n\
         load_balance_mode = on\n\
         sr_check_user = 'postgres'\n\
         health_check_period = 0\n\
         memory_cache_enabled = {cache}\n\
         memqcache_oiddir = '{folder}'\n"
    )
}

/// As the owner of the server, since PgBouncer refuses to run as root.
fn spawn(kind: &Kind, folder: &Path, owner: &fs::Metadata) -> Result<Child, String> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCHDOG, "pooler"]).arg(folder).arg(kind.signal);
    command.args(kind.command).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // In its own process group, so that the terminal's signals end this process first and the watchdog
    // after it.
    command.process_group(0);
    if is_other(owner) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.spawn().map_err(|error| failed("start", Path::new("/bin/sh"), &error))
}

/// Writes the folder with the pooler's files, which the owner of the server can read and write.
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

/// A port that was free a moment ago: poolers only accept a number.
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
