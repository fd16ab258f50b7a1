//! Starts and stops a throwaway server, on a socket that only its user and root can reach. A shell
//! below this process stops it, because that also works when this process is killed.

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
use super::folder::Folder;
use super::ground::Ground;
use super::owner::{Owner, io_error};
use super::shared::{Shared, Sharing};
use super::trouble::TestError;

const WATCHDOG: &str = include_str!("watchdog.sh");

/// For `initdb` and the start together; half a second is usual, more if many start at the same time.
const START_LIMIT: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(2);

/// The lines of a log that an error contains.
const LOG_LINES: usize = 20;

/// A PostgreSQL server to test against: the one of `DATABASE_URL`, or a throwaway one.
///
/// A throwaway server has its data, socket and log in one folder, a superuser `postgres` without a
/// password, UTF-8, the locale C and 200 connections. It is stopped and its folder removed when this
/// value is dropped, or when the process ends without dropping it: by a panic, by a signal (SIGKILL
/// too), or with the value in a `static`.
pub struct Server {
    url: String,
    origin: Origin,
}

enum Origin {
    /// Named by an address; never started or stopped here.
    Named,
    Throwaway(Throwaway),
    /// One for all processes of this user, which stops after the last of them has ended.
    Shared(Shared),
}

impl Server {
    /// The server of `DATABASE_URL`, or a throwaway one if that is unset or empty.
    ///
    /// Here and for [`Server::shared`] and [`TestDatabase`](super::TestDatabase) the variable names a
    /// server to create databases on, whose role needs CREATEDB. This crate only connects to the
    /// database that it names, for `CREATE DATABASE`, and writes nothing to it. [`Server::url`] is the
    /// address of that database, though: for your own statements use [`Server::url_for`] or a
    /// [`TestDatabase`](super::TestDatabase).
    ///
    /// # Errors
    ///
    /// [`ServerError::BadUrl`] if `DATABASE_URL` is not an address, and those of [`Server::start`]. It
    /// does not connect to a server that is named.
    pub fn from_env() -> Result<Server, ServerError> {
        let variable = "DATABASE_URL";
        match env::var_os(variable).filter(|value| !value.is_empty()) {
            None => Server::start(),
            Some(value) => named(value.to_str()).ok_or(ServerError::BadUrl { variable }),
        }
    }

    /// The server at this address, instead of `DATABASE_URL`; it is never started or stopped here.
    ///
    /// ```
    /// # use migrate_testing::{Server, ServerError};
    /// /// The server that a command-line option names, else a throwaway one.
    /// fn server(database_url: Option<&str>) -> Result<Server, ServerError> {
    ///     database_url.map_or_else(Server::start, Server::at)
    /// }
    /// # assert!(server(Some("host=localhost user=me"))?.url_for("orders").contains("orders"));
    /// # Ok::<(), ServerError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServerError::BadUrl`] if it is not an address.
    pub fn at(url: &str) -> Result<Server, ServerError> {
        named(Some(url)).ok_or(ServerError::BadUrl { variable: "the address" })
    }

    /// A throwaway server, ready for connections. You can start several at the same time.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotFound`] and [`ServerError::NoServerInFolder`] without binaries,
    /// [`ServerError::NoAccount`] if root finds no account to run them, [`ServerError::Initdb`],
    /// [`ServerError::Start`] and [`ServerError::Slow`] if they fail, and [`ServerError::Io`]. A server
    /// that fails to start is removed.
    pub fn start() -> Result<Server, ServerError> {
        let owner = Owner::detect()?;
        let bin = binaries::find(&owner)?;
        let mut server = Throwaway::spawn(bin, &owner, &owner.base(), None)?;
        server.wait_until_ready()?;
        Ok(Server { url: server.url(), origin: Origin::Throwaway(server) })
    }

    /// The server of `DATABASE_URL` or, if that is unset or empty, a throwaway one that all
    /// processes of this user share: the first one starts it, and it is stopped and removed 20
    /// seconds after the last one has ended, however it ends. `MIGRATE_SERVER_LINGER` sets another
    /// number of seconds, in the process that starts the server.
    ///
    /// Unlike one of [`Server::start`] it allows 500 connections and runs without fsync, since its
    /// data is not needed after a crash; and it is in memory, in `/dev/shm`, if that has 4 GiB free and
    /// `TMPDIR` is not set.
    ///
    /// ```no_run
    /// # use migrate_testing::Server;
    /// let server = Server::shared()?; // in each test binary; the first one starts it
    /// println!("{}", server.url_for("postgres"));
    /// # Ok::<(), migrate_testing::ServerError>(())
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

    /// Makes this the server of every [`TestDatabase`](super::TestDatabase) and check that this process
    /// makes from now on, instead of `DATABASE_URL`. A throwaway one ends with the process.
    ///
    /// ```no_run
    /// # use migrate_testing::{Server, TestDatabase};
    /// Server::start()?.for_tests()?;
    /// let database = TestDatabase::empty()?; // on that server
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TestError::Database`] if it does not answer, [`TestError::Runtime`].
    pub fn for_tests(self) -> Result<(), TestError> {
        Ground::choose(self)
    }

    /// Whether it is a shared throwaway one.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.origin, Origin::Shared(_))
    }

    /// Keeps a shared server for an hour without users, so that you can inspect it.
    pub(super) fn linger(&self) {
        if let Origin::Shared(shared) = &self.origin {
            shared.keep();
        }
    }

    /// The address of its maintenance database, or the one that `DATABASE_URL` or [`Server::at`] names.
    ///
    /// It contains the password if that address does.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of another database on the same server; its name can have any characters.
    ///
    /// ```
    /// # use migrate_testing::Server;
    /// # fn show(server: &Server) {
    /// // postgresql://me@db.example/postgres?sslmode=prefer
    /// println!("{}", server.url_for("orders"));
    /// // postgresql://me@db.example/orders?sslmode=prefer
    /// # }
    /// ```
    pub fn url_for(&self, database: &str) -> String {
        // Always one of the two forms: the constructors check it.
        address::with_database(&self.url, database).unwrap_or_else(|| self.url.clone())
    }

    /// A program next to the server's own, such as `pg_dump`; `None` if there is none.
    ///
    /// For the server of `DATABASE_URL`, whose programs may be on another machine, it is a program of the
    /// server that [`Server::start`] would use.
    ///
    /// ```no_run
    /// # use migrate_testing::Server;
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

    /// Whether it is a throwaway one, which is removed with this value or, if it is shared, after the
    /// last of its users.
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

/// A name that no other process and no earlier call uses.
pub(super) fn unique_name() -> String {
    format!("migrate-pg-{}-{:016x}", process::id(), random())
}

/// A number that no other call returns, in this process or another.
pub(super) fn random() -> u64 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Its keys are random numbers of the system.
    RandomState::new().hash_one((process::id(), number))
}

fn named(url: Option<&str>) -> Option<Server> {
    let url = url?.trim();
    address::with_database(url, "postgres")?;
    Some(Server { url: url.to_owned(), origin: Origin::Named })
}

/// The maintenance database of the server in a folder.
fn url_of(folder: &Path) -> String {
    // As the host, because not every driver accepts an address without one.
    let host = address::encode(&folder.to_string_lossy());
    format!("postgresql://postgres@{host}:5432/postgres")
}

/// A server below a watchdog, which runs as long as this value holds the pipe to it.
pub(super) struct Throwaway {
    bin: PathBuf,
    path: PathBuf,
    /// The folder, once the watchdog has created it.
    folder: Option<Folder>,
    uid: u32,
    account: Option<String>,
    watchdog: Child,
}

impl Throwaway {
    /// Starts the watchdog, which creates the folder and starts the server.
    pub(super) fn spawn(
        bin: PathBuf,
        owner: &Owner,
        base: &Path,
        sharing: Option<&Sharing>,
    ) -> Result<Throwaway, ServerError> {
        owner.check(base)?;
        let path = base.join(unique_name());
        let shell = Path::new("/bin/sh");
        let mut command = Command::new(shell);
        command.args(["-c", WATCHDOG, "migrate-watchdog"]).args([&path, &bin]);
        if let Some(Sharing { linger, register }) = sharing {
            command.arg(linger.to_string()).arg(register);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // In its own process group, so that the terminal's signals end this process first and the
        // watchdog after it.
        command.process_group(0);
        owner.run(&mut command);
        let watchdog = command.spawn().map_err(io_error("start", shell))?;
        let (uid, account) = (owner.uid(), owner.account());
        Ok(Throwaway { bin, path, folder: None, uid, account, watchdog })
    }

    fn url(&self) -> String {
        url_of(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let deadline = Instant::now() + START_LIMIT;
        while !self.is_ready()? {
            self.fail_if_ended()?;
            if Instant::now() > deadline {
                let (bin, seconds) = (self.bin.clone(), START_LIMIT.as_secs());
                return Err(ServerError::Slow { bin, seconds, log: self.log()? });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// The server's status is in line 8 of `postmaster.pid` (`LOCK_FILE_LINE_PM_STATUS` of miscinit).
    fn is_ready(&mut self) -> Result<bool, ServerError> {
        let status = self.read("data/postmaster.pid")?;
        Ok(status.lines().nth(7).is_some_and(|line| line.trim_end() == "ready"))
    }

    /// A file of the server; empty if there is none yet.
    fn read(&mut self, name: &str) -> Result<String, ServerError> {
        if self.folder.is_none() {
            self.folder = Folder::open(&self.path, self.uid)?;
        }
        let read = self.folder.as_ref().map(|folder| folder.read(name)).transpose()?;
        Ok(read.flatten().unwrap_or_default())
    }

    /// Leaves the server to its users.
    pub(super) fn release(mut self) {
        drop(self.watchdog.stdin.take());
    }

    fn fail_if_ended(&mut self) -> Result<(), ServerError> {
        let (bin, account) = (self.bin.clone(), self.account.clone());
        let ended = self.read("ended")?;
        match ended.trim_end() {
            "initdb" => {
                return Err(ServerError::Initdb { bin, account, log: self.log()? });
            }
            "server" => {
                return Err(ServerError::Start { bin, account, log: self.log()? });
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
    fn log(&mut self) -> Result<String, ServerError> {
        let text = self.read("log")?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"))
    }
}

impl Drop for Throwaway {
    /// Closes the pipe and waits until the watchdog has removed everything.
    fn drop(&mut self) {
        let Some(pipe) = self.watchdog.stdin.take() else { return };
        drop(pipe);
        // A failure cannot be reported here; what remains is removed below.
        let _ = self.watchdog.wait();
        let _ = fs::remove_dir_all(&self.path);
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
