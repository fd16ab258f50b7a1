//! Starts a throwaway server, says where it is, and stops it.
//! Takes the environment (`DATABASE_URL`, `PG_BIN`, `TMPDIR`); gives a [`Server`] that is ready for
//! connections on a socket that only its user and root can reach. It does not stop the server itself:
//! a shell beneath this process does, because it also notices when this process is killed.

use std::collections::hash_map::RandomState;
use std::env;
use std::fmt;
use std::fs;
use std::hash::BuildHasher;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::address;
use super::binaries;
use super::error::ServerError;
use super::owner::{Owner, io_error};
use super::shared::Shared;

const WATCHDOG: &str = include_str!("watchdog.sh");

/// For `initdb` and the start together; half a second is usual, more when many start at a time.
const START_LIMIT: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(2);

/// Lines of a log that an error carries.
const LOG_LINES: usize = 20;

/// A PostgreSQL server to test against: the one of `DATABASE_URL`, or a throwaway one.
///
/// A throwaway server has its data, socket and log in one folder, a superuser `postgres` without a
/// password, UTF-8, the locale C and 200 connections. It is stopped and its folder removed when this
/// value is dropped, and likewise when the process ends without dropping it: by a panic, by a signal
/// (SIGKILL too), or with the value in a `static`.
pub struct Server {
    url: String,
    origin: Origin,
}

enum Origin {
    /// `DATABASE_URL` names it; never started or stopped here.
    Named,
    Throwaway(Throwaway),
    /// One for all processes of this user, which goes when the last of them has gone.
    Shared(Shared),
}

impl Server {
    /// The server of `DATABASE_URL`, or a throwaway one when that is unset or empty.
    ///
    /// # Errors
    ///
    /// [`ServerError::BadUrl`] when `DATABASE_URL` is no address, and those of [`Server::start`]. A server
    /// that is named but does not answer is noticed by whoever connects.
    pub fn from_env() -> Result<Server, ServerError> {
        let variable = "DATABASE_URL";
        match env::var_os(variable).filter(|value| !value.is_empty()) {
            None => Server::start(),
            Some(value) => named(value.to_str()).ok_or(ServerError::BadUrl { variable }),
        }
    }

    /// A throwaway server, ready for connections. Several may be started at the same time.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotFound`] and [`ServerError::NoServerInFolder`] without binaries,
    /// [`ServerError::NoAccount`] when root finds nobody to run them, [`ServerError::Initdb`],
    /// [`ServerError::Start`] and [`ServerError::Slow`] when they fail, and [`ServerError::Io`].
    /// Whatever was begun is removed first.
    pub fn start() -> Result<Server, ServerError> {
        let owner = Owner::detect()?;
        let bin = binaries::find(&owner)?;
        let mut server = Throwaway::spawn(bin, &owner, &owner.base(), None)?;
        server.wait_until_ready()?;
        Ok(Server { url: server.url(), origin: Origin::Throwaway(server) })
    }

    /// The server of `DATABASE_URL` or, where that is unset or empty, a throwaway one that all
    /// processes of this user share: the first one starts it, and it is stopped and removed 20
    /// seconds after the last one has gone, however they end. `MIGRATE_SERVER_LINGER` is another
    /// number of seconds, for the process that starts it.
    ///
    /// Unlike one of [`Server::start`] it takes 500 connections and does not wait for the disk,
    /// since what is in it is lost with the machine anyway; and it lives in memory, in `/dev/shm`,
    /// where that has four GiB free and `TMPDIR` names no other place.
    ///
    /// ```no_run
    /// # use migrate_runtime::testing::Server;
    /// let server = Server::shared()?; // in each test binary; the first one starts it
    /// println!("{}", server.url_for("postgres"));
    /// # Ok::<(), migrate_runtime::testing::ServerError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Server::from_env`] and [`Server::start`].
    pub fn shared() -> Result<Server, ServerError> {
        if env::var_os("DATABASE_URL").is_some_and(|value| !value.is_empty()) {
            return Server::from_env();
        }
        let owner = Owner::detect()?;
        let bin = binaries::find(&owner)?;
        let shared = Shared::join(&bin, &owner)?;
        Ok(Server { url: url_of(shared.folder()), origin: Origin::Shared(shared) })
    }

    /// Whether it is a throwaway one that processes share.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.origin, Origin::Shared(_))
    }

    /// Lets a shared server stay for an hour without anybody, so that somebody can look into it.
    pub(super) fn linger(&self) {
        if let Origin::Shared(shared) = &self.origin {
            shared.keep();
        }
    }

    /// Where its maintenance database is, or the database that `DATABASE_URL` names.
    ///
    /// Contains the password if `DATABASE_URL` does.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same server, another database, whatever characters its name has.
    ///
    /// ```
    /// # use migrate_runtime::testing::Server;
    /// # fn show(server: &Server) {
    /// // postgresql://me@db.example/postgres?sslmode=prefer
    /// println!("{}", server.url_for("orders"));
    /// // postgresql://me@db.example/orders?sslmode=prefer
    /// # }
    /// ```
    pub fn url_for(&self, database: &str) -> String {
        // Always one of the two forms: both constructors see to it.
        address::with_database(&self.url, database).unwrap_or_else(|| self.url.clone())
    }

    /// A program beside the server's own, such as `pg_dump`; `None` when it is not there.
    ///
    /// For the server of `DATABASE_URL`, whose programs may be on another machine, it is a program of the
    /// server that [`Server::start`] would take.
    ///
    /// ```no_run
    /// # use migrate_runtime::testing::Server;
    /// # fn dump(server: &Server) -> Option<std::process::Command> {
    /// let mut dump = std::process::Command::new(server.bin("pg_dump")?);
    /// dump.arg("--schema-only").arg(server.url());
    /// # Some(dump)
    /// # }
    /// ```
    pub fn bin(&self, name: &str) -> Option<PathBuf> {
        match &self.origin {
            Origin::Throwaway(server) => binaries::program(&server.bin, name),
            Origin::Shared(server) => binaries::program(server.bin(), name),
            Origin::Named => {
                let folder = binaries::find(&Owner::Caller).ok()?;
                binaries::program(&folder, name)
            }
        }
    }

    /// Whether it is a throwaway one, which goes away with this value or, when it is shared, with
    /// the last of its users.
    pub fn is_throwaway(&self) -> bool {
        !matches!(self.origin, Origin::Named)
    }
}

impl fmt::Debug for Server {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("is_throwaway", &self.is_throwaway()).finish_non_exhaustive()
    }
}

/// A name that no other process and no earlier call has taken.
pub(super) fn unique_name() -> String {
    format!("migrate-pg-{}-{:016x}", process::id(), random())
}

/// A number that no other call gives, in this process or another.
pub(super) fn random() -> u64 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Its keys come from the system's randomness.
    RandomState::new().hash_one((process::id(), number))
}

fn named(url: Option<&str>) -> Option<Server> {
    let url = url?.trim();
    address::with_database(url, "postgres")?;
    Some(Server { url: url.to_owned(), origin: Origin::Named })
}

/// The maintenance database of the server in a folder.
fn url_of(folder: &Path) -> String {
    // In the place of a host, because not every driver takes an address without one.
    let host = address::encode(&folder.to_string_lossy());
    format!("postgresql://postgres@{host}:5432/postgres")
}

/// A server beneath a watchdog, which lives as long as this value holds the pipe to it.
pub(super) struct Throwaway {
    bin: PathBuf,
    folder: PathBuf,
    account: Option<String>,
    watchdog: Child,
}

impl Throwaway {
    /// Starts the watchdog, which creates the folder and starts the server; one to share stays so
    /// many seconds without users.
    pub(super) fn spawn(
        bin: PathBuf,
        owner: &Owner,
        base: &Path,
        linger: Option<u32>,
    ) -> Result<Throwaway, ServerError> {
        let folder = base.join(unique_name());
        let shell = Path::new("/bin/sh");
        let mut command = Command::new(shell);
        command.args(["-c", WATCHDOG, "migrate-watchdog"]).args([&folder, &bin]);
        command.arg(linger.map_or_else(String::new, |seconds| seconds.to_string()));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Away from the terminal's signals, which end this process first; the watchdog then follows.
        command.process_group(0);
        for (name, _) in
            env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG"))
        {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        owner.run(&mut command);
        let watchdog = command.spawn().map_err(io_error("start", shell))?;
        Ok(Throwaway { bin, folder, account: owner.account(), watchdog })
    }

    fn url(&self) -> String {
        url_of(&self.folder)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let deadline = Instant::now() + START_LIMIT;
        while !self.is_ready() {
            self.fail_if_ended()?;
            if Instant::now() > deadline {
                let seconds = START_LIMIT.as_secs();
                return Err(ServerError::Slow { bin: self.bin.clone(), seconds, log: self.log() });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// The server's status is in line 8 of `postmaster.pid` (`LOCK_FILE_LINE_PM_STATUS` of miscinit).
    fn is_ready(&self) -> bool {
        let status =
            fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        status.lines().nth(7).is_some_and(|line| line.trim_end() == "ready")
    }

    /// Leaves the server to its users.
    pub(super) fn release(mut self) {
        drop(self.watchdog.stdin.take());
    }

    fn fail_if_ended(&mut self) -> Result<(), ServerError> {
        let (bin, account) = (self.bin.clone(), self.account.clone());
        let ended = fs::read_to_string(self.folder.join("ended")).unwrap_or_default();
        match ended.trim_end() {
            "initdb" => {
                return Err(ServerError::Initdb { bin, account, log: self.log() });
            }
            "server" => {
                return Err(ServerError::Start { bin, account, log: self.log() });
            }
            _ => {}
        }
        let shell = Path::new("/bin/sh");
        if self.watchdog.try_wait().map_err(io_error("wait for", shell))?.is_none() {
            return Ok(());
        }
        let mut log = String::new();
        if let Some(mut stderr) = self.watchdog.stderr.take() {
            stderr.read_to_string(&mut log).map_err(io_error("read the output of", shell))?;
        }
        Err(ServerError::Start { bin, account, log })
    }

    /// The last lines of the log that `initdb` and the server share.
    fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Throwaway {
    /// Lets go of the pipe and waits until the watchdog has removed everything.
    fn drop(&mut self) {
        let Some(pipe) = self.watchdog.stdin.take() else { return };
        drop(pipe);
        // A failure here has nobody to report to; what remains is removed below.
        let _ = self.watchdog.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: HashSet<String> = (0..1000).map(|_| unique_name()).collect();
        assert_eq!(names.len(), 1000);
    }

    #[test]
    fn a_named_server_is_left_alone_and_never_shown() {
        let server = named(Some(" postgresql://me:secret@h/app ")).unwrap();
        assert_eq!(server.url(), "postgresql://me:secret@h/app");
        assert_eq!(server.url_for("other"), "postgresql://me:secret@h/other");
        assert!(!server.is_throwaway());
        assert!(!format!("{server:?}").contains("secret"));
        assert!(named(Some("secret")).is_none());
        assert!(named(None).is_none());
    }
}
