//! A PostgreSQL server with its data, WAL or both on the tiny file system. Unlike the library's throwaway
//! server it can be restarted after it went down. It runs as the same user and from the same binaries.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use migrate_testing::Server;
use migrate_tests::database::connect;
use tokio::time::sleep;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config};

use crate::disk::Disk;

/// The time limit for a server to start or recover.
const LIMIT: Duration = Duration::from_mins(1);

/// What the log contains if the server goes down.
const PANIC: &str = "PANIC:  ";

/// What is on the tiny file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    Data,
    Wal,
    Both,
}

/// Whether the server survived the full disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    WentOn,
    WentDown,
}

/// Copies the data folder `$0` into the folder `$1`, and its WAL into `$2`, as `initdb -X` leaves them.
const COPY: &str = "umask 077 && chmod 700 \"$1\" \"$2\" && cp -R \"$0/.\" \"$1\" && \
     cp -R \"$1/pg_wal/.\" \"$2\" && rm -r \"$1/pg_wal\" && ln -s \"$2\" \"$1/pg_wal\"";

/// What every server begins with.
pub(crate) struct Origin {
    bin: PathBuf,
    owner: (u32, u32),
    /// A new cluster, which is copied.
    data: PathBuf,
}

impl Origin {
    pub(crate) fn create(disk: &Disk) -> Origin {
        let (bin, owner) = binaries();
        let data = disk.room.join("origin");
        fs::create_dir(&data).expect("a folder");
        chown(&data, Some(owner.0), Some(owner.1)).expect("a folder of the server's user");
        let mut initdb = command(&bin.join("initdb"), owner);
        initdb.arg("-D").arg(&data).arg("--wal-segsize=1");
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let output = initdb.output().expect("initdb");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        Origin { bin, owner, data }
    }
}

/// The server; stopped, and its files removed, when dropped.
pub(crate) struct DiskServer {
    bin: PathBuf,
    owner: (u32, u32),
    /// Its data, its WAL, and its socket with the log.
    data: PathBuf,
    wal: PathBuf,
    run: PathBuf,
    child: Child,
}

impl DiskServer {
    /// A new cluster, ready for connections.
    pub(crate) async fn create(disk: &Disk, origin: &Origin, placement: Placement) -> DiskServer {
        let Origin { bin, owner, .. } = origin;
        let (bin, owner) = (bin.clone(), *owner);
        let place = |on_tiny: bool, name: &str| {
            if on_tiny { disk.tiny.join(name) } else { disk.room.join(name) }
        };
        let data = place(placement != Placement::Wal, "data");
        let wal = place(placement != Placement::Data, "wal");
        let run = disk.room.join("run");
        for folder in [&data, &wal, &run] {
            fs::create_dir(folder).expect("a folder");
            chown(folder, Some(owner.0), Some(owner.1)).expect("a folder of the server's user");
        }
        let mut copy = command(Path::new("/bin/sh"), owner);
        let copied = copy.args(["-c", COPY]).args([&origin.data, &data, &wal]).status();
        assert!(copied.expect("/bin/sh").success(), "cannot copy {}", origin.data.display());
        let config = data.join("postgresql.conf");
        let text = fs::read_to_string(&config).expect("a configuration") + &settings(&run);
        fs::write(&config, text).expect("a configuration");
        let child = start(&bin, owner, &data, &run);
        let mut server = DiskServer { bin, owner, data, wal, run, child };
        server.wait_until_ready().await;
        server
    }

    /// A client; its connection runs as a task.
    pub(crate) async fn connect(&self) -> Client {
        let mut config = Config::new();
        config.host_path(&self.run).user("postgres").dbname("postgres");
        connect(&config).await
    }

    /// Restarts the server if it went down, and returns whether it had.
    ///
    /// After a PANIC the server first tries to recover on its own, on a disk that may still have been full.
    pub(crate) async fn revive(&mut self) -> Life {
        self.wait_until_ready().await;
        if self.log().contains(PANIC) { Life::WentDown } else { Life::WentOn }
    }

    async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + LIMIT;
        // A connection does not show it: right after a PANIC the server still accepts connections, and
        // ends them a moment later.
        while !self.is_ready() {
            assert!(Instant::now() < deadline, "no server\n{}", self.log());
            if self.child.try_wait().expect("the server's process").is_some() {
                self.child = start(&self.bin, self.owner, &self.data, &self.run);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether the log shows that the server is ready, with no PANIC after that.
    fn is_ready(&self) -> bool {
        let log = self.log();
        let since = log.rfind(PANIC).map_or(log.as_str(), |at| &log[at..]);
        since.contains("database system is ready to accept connections")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.run.join("log")).unwrap_or_default()
    }
}

impl Drop for DiskServer {
    /// A server that does not end here ends with the namespace.
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", "INT", &pid]).status();
        let _ = self.child.wait();
        for folder in [&self.data, &self.wal, &self.run] {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Where the library finds the binaries, and the user that it runs them as, from a server that it starts.
fn binaries() -> (PathBuf, (u32, u32)) {
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let initdb = server.bin("initdb").expect("initdb beside the server");
    let config: Config = server.url().parse().expect("the server's address");
    let [Host::Unix(folder)] = config.get_hosts() else { panic!("a server without a socket") };
    let owner = fs::metadata(folder).expect("the server's folder");
    let bin = initdb.parent().expect("a folder of programs").to_owned();
    (bin, (owner.uid(), owner.gid()))
}

/// Small WAL segments that are not recycled before the end, so that the WAL grows evenly; and no
/// background writes, which come at any time.
fn settings(run: &Path) -> String {
    format!(
        "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_wal_size = '1GB'\n\
         min_wal_size = '2MB'\ncheckpoint_timeout = '1h'\nautovacuum = off\nshared_buffers = '16MB'\n",
        run.display()
    )
}

fn start(bin: &Path, owner: (u32, u32), data: &Path, run: &Path) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(run.join("log"));
    let log = log.expect("a log file");
    let mut command = command(Path::new("/bin/sh"), owner);
    // A PANIC would write a core dump to the full disk.
    command.args(["-c", "ulimit -c 0; exec \"$0\" -D \"$1\""]).arg(bin.join("postgres")).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("a server")
}

fn command(program: &Path, owner: (u32, u32)) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C").uid(owner.0).gid(owner.1);
    command
}
