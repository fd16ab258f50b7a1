//! PostgreSQL servers that a proof can stop, kill, start again, copy as a standby and promote. They run
//! with fsync, on a socket that only their user and root can reach, and are removed with their value or
//! when the process dies. The server of [`crate::database`] cannot be used for that: tests share it.

mod installation;

use std::collections::hash_map::RandomState;
use std::env;
use std::fs::{self, DirBuilder, File};
use std::hash::BuildHasher;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::Config;

use crate::database::{connect, value};
pub use installation::{Installation, open_folder};

/// Stops the server and removes the folder when the pipe to it closes: when the value is dropped, or at
/// the end of the process, SIGKILL included. A line on the pipe keeps the folder.
const KEEPER: &str = r#"
trap '' HUP INT TERM
stay=
while read -r line; do stay=$line; done
server=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
tries=0
while [ -n "$server" ] && [ "$tries" -lt 100 ] && kill -QUIT "$server" 2>/dev/null; do
    tries=$((tries + 1))
    sleep 0.05
done
[ -n "$stay" ] || rm -rf "$1"
"#;

/// Small, so that a start is quick; a standby needs this `wal_level`.
const SETTINGS: [&str; 7] = [
    "listen_addresses=",
    "port=5432",
    "max_connections=200",
    "shared_buffers=16MB",
    "fsync=on",
    "wal_level=replica",
    "log_line_prefix=%m [%p] %a ",
];

/// The time limit for a start, including crash recovery.
const START_LIMIT: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(2);

/// How a server ends without a shutdown checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// `pg_ctl stop -m immediate`: sessions end at once, with a message to their clients.
    Immediate,
    /// SIGKILL of the postmaster and all its children, as when the machine dies.
    Kill,
}

/// A server with its data, socket and log in one folder.
#[derive(Debug)]
pub struct Cluster {
    installation: Installation,
    folder: PathBuf,
    /// Ends this cluster when its standard input closes.
    keeper: Child,
    postmaster: Option<Child>,
    settings: Vec<String>,
}

impl Cluster {
    /// A new cluster, not started yet; a copy of the folder of `MIGRATE_INITDB_TEMPLATE` if that is set.
    ///
    /// # Panics
    ///
    /// When there are no binaries, or `initdb` or the copy fails.
    pub fn create() -> Cluster {
        let installation = Installation::find();
        let template = env::var_os("MIGRATE_INITDB_TEMPLATE").filter(|path| !path.is_empty());
        let Some(template) = template else { return Cluster::of(installation) };
        let cluster = Cluster::empty(installation);
        cluster.copy(Path::new(&template));
        cluster
    }

    /// The same with the programs of this installation.
    ///
    /// # Panics
    ///
    /// When `initdb` fails.
    pub fn of(installation: Installation) -> Cluster {
        let cluster = Cluster::empty(installation);
        let mut initdb = cluster.installation.command("initdb");
        // This folder is not used after a crash of the machine.
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let output = initdb.arg("-D").arg(cluster.data()).output().expect("initdb");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        cluster
    }

    /// A standby that streams from this cluster, which must be stopped: a copy of the same folder.
    ///
    /// # Panics
    ///
    /// When this cluster runs, or the copy fails.
    #[must_use]
    pub fn standby(&self) -> Cluster {
        assert!(self.postmaster.is_none(), "only a stopped server's folder can be copied");
        let mut standby = Cluster::empty(self.installation.clone());
        standby.copy(&self.data());
        let signal = standby.data().join("standby.signal");
        File::create(&signal).expect("standby.signal");
        self.installation.hand_over(&signal);
        let folder = self.folder.display();
        standby.set(&format!("primary_conninfo=host={folder} port=5432 user=postgres"));
        standby
    }

    /// Copies a data folder of this version, which no server uses.
    fn copy(&self, data: &Path) {
        // A server refuses a folder that others can read.
        let mut copy = self.installation.as_owner(Path::new("/bin/sh"));
        copy.args(["-c", "umask 077 && cp -R \"$0\" \"$1\""]).args([data, &self.data()]);
        assert!(copy.status().expect("/bin/sh").success(), "cannot copy {}", data.display());
    }

    fn empty(installation: Installation) -> Cluster {
        let folder = installation.base().join(unique_name());
        DirBuilder::new().mode(0o700).create(&folder).expect("the cluster's folder");
        installation.hand_over(&folder);
        let mut keeper = installation.as_owner(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "migrate-keeper"]).arg(&folder);
        // In its own process group, so that the terminal's signals end this process first and the
        // keeper after it.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let keeper = keeper.spawn().expect("/bin/sh");
        Cluster { installation, folder, keeper, postmaster: None, settings: Vec::new() }
    }

    /// A setting as `name=value`, for every later start.
    pub fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Starts the server and waits until it accepts connections, after crash recovery if needed.
    ///
    /// # Panics
    ///
    /// When it does not start; the text ends with its log.
    pub fn start(&mut self) {
        assert!(self.postmaster.is_none(), "the server runs already");
        let log = File::options().create(true).append(true).open(self.log()).expect("the log");
        let mut command = self.installation.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        for setting in SETTINGS.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let stderr = log.try_clone().expect("the log");
        command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(stderr);
        self.postmaster = Some(command.spawn().expect("postgres"));
        let deadline = Instant::now() + START_LIMIT;
        while !self.is_ready() {
            let postmaster = self.postmaster.as_mut().expect("just started");
            let ended = postmaster.try_wait().expect("the server's status");
            assert!(ended.is_none(), "the server ended at once:\n{}", self.log_tail());
            assert!(Instant::now() < deadline, "the server is not ready:\n{}", self.log_tail());
            thread::sleep(POLL);
        }
    }

    /// The status is in line 8 of `postmaster.pid` (`LOCK_FILE_LINE_PM_STATUS` of miscinit). The first
    /// line is the server's id, because the file of a killed server remains.
    fn is_ready(&self) -> bool {
        let text = fs::read_to_string(self.lock_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let id = self.postmaster.as_ref().map(|child| child.id().to_string());
        lines.first().copied() == id.as_deref() && lines.get(7) == Some(&"ready")
    }

    /// Ends the server without a shutdown checkpoint.
    ///
    /// # Panics
    ///
    /// When it does not run, or cannot be signalled.
    pub fn crash(&mut self, crash: Crash) {
        let mut postmaster = self.postmaster.take().expect("a running server");
        let id = postmaster.id();
        match crash {
            Crash::Immediate => signal("-QUIT", &[id]),
            Crash::Kill => {
                // The postmaster first, which would otherwise react to the others' end as to a crash.
                let mut ids = vec![id];
                ids.extend(children(id));
                signal("-KILL", &ids);
            }
        }
        postmaster.wait().expect("the server's end");
        if crash == Crash::Kill {
            // Otherwise its id could later be that of another process.
            fs::remove_file(self.lock_file()).expect("the lock file of a killed server");
        }
    }

    /// Promotes a standby, and waits until it is a primary.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub async fn promote(&self) {
        let client = connect(&self.config("postgres")).await;
        assert_eq!(value(&client, "SELECT pg_promote(true, 60)").await, "t", "{}", self.log_tail());
    }

    /// The address of a database, in the form that libpq and tokio-postgres share.
    pub fn address(&self, database: &str) -> String {
        format!("host={} port=5432 user=postgres dbname={database}", self.folder.display())
    }

    /// The address of a database, parsed.
    ///
    /// # Panics
    ///
    /// Never: the address is well formed.
    pub fn config(&self, database: &str) -> Config {
        self.address(database).parse().expect("our own address")
    }

    /// The folder with its socket, which is also the host in an address.
    pub fn host(&self) -> &Path {
        &self.folder
    }

    /// A program of this server's version, such as `pg_dump`, else the one on PATH.
    pub fn program(&self, name: &str) -> PathBuf {
        self.installation.program(name)
    }

    /// Keeps the folder, with data and log, when this value is dropped.
    ///
    /// # Panics
    ///
    /// When the keeper is gone.
    pub fn keep(&mut self) {
        let pipe = self.keeper.stdin.as_mut().expect("the keeper's pipe");
        pipe.write_all(b"stay\n").expect("the keeper");
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn lock_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            signal("-QUIT", &[postmaster.id()]);
            // A failure cannot be reported here; the keeper tries again.
            let _ = postmaster.wait();
        }
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Sends a signal to processes, and ignores those that have already ended.
fn signal(name: &str, ids: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg(name).args(ids.iter().map(u32::to_string)).stderr(Stdio::null());
    kill.status().expect("kill");
}

/// The processes that this one started.
fn children(id: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps");
    let text = String::from_utf8_lossy(&output.stdout);
    let child = |line: &str| {
        let (child, parent) = line.trim().split_once(char::is_whitespace)?;
        (parent.trim() == id.to_string()).then(|| child.parse().ok())?
    };
    text.lines().filter_map(child).collect()
}

/// A name that no other process and no earlier call uses.
fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let random = RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed));
    format!("migrate-cluster-{}-{random:016x}", process::id())
}
