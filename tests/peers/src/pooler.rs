//! A PgBouncer in transaction mode before the throwaway server, with four server connections a database.
//! Takes the server's socket; gives a socket of its own. A shell beneath this process stops it, because
//! it also notices when this process is killed.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::address::{Address, USER};

/// Server connections for each database.
pub const POOL_SIZE: u32 = 4;

const PORT: u16 = 6432;

/// `cat` ends with the pipe to this process.
const WATCHDOG: &str = r#""$0" "$1" & cat; kill "$!"; wait"#;

/// A running PgBouncer, stopped with this value.
pub struct Pooler {
    watchdog: Child,
    folder: TempDir,
    /// What `pgbouncer --version` says first.
    pub version: String,
}

impl Pooler {
    /// Starts one before the server, as the user that runs the server.
    ///
    /// # Panics
    /// Where PgBouncer is not installed.
    pub fn start(server: &Address) -> Pooler {
        let program = if Path::new("/usr/sbin/pgbouncer").exists() {
            "/usr/sbin/pgbouncer"
        } else {
            "pgbouncer"
        };
        let version = Command::new(program).arg("--version").output();
        let version = version.expect("PgBouncer, such as Debian's package `pgbouncer`").stdout;
        let version = String::from_utf8_lossy(&version).lines().next().unwrap_or("").to_owned();
        let folder = tempfile::tempdir().expect("a folder for PgBouncer");
        let owner = fs::metadata(&server.folder).expect("the server's folder");
        let settings = folder.path().join("pgbouncer.ini");
        fs::write(&settings, ini(server, folder.path())).expect("PgBouncer's settings");
        for path in [folder.path(), &settings] {
            chown(path, Some(owner.uid()), Some(owner.gid())).expect("a folder of the server's");
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHDOG, program]).arg(&settings).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Away from the terminal's signals: the end of this process is what stops it.
        command.process_group(0).uid(owner.uid()).gid(owner.gid());
        let watchdog = command.spawn().expect("a shell");
        Pooler { watchdog, folder, version }
    }

    /// Where a database of the server is behind it.
    pub fn address(&self, database: &str) -> Address {
        let folder = self.folder.path().to_owned();
        Address { folder, port: PORT, database: database.to_owned() }
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // A failure cannot be reported; the shell stops in any case.
        let _ = self.watchdog.wait();
    }
}

/// `extra_float_digits` is what PgBouncer's own documentation says drivers need.
fn ini(server: &Address, folder: &Path) -> String {
    let (socket, port, folder) = (server.folder.display(), server.port, folder.display());
    format!(
        "[databases]\n* = host={socket} port={port} user={USER}\n\
         [pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\nunix_socket_dir = {folder}\n\
         logfile = {folder}/log\nauth_type = any\npool_mode = transaction\n\
         default_pool_size = {POOL_SIZE}\nmax_client_conn = 200\n\
         ignore_startup_parameters = extra_float_digits\n"
    )
}
