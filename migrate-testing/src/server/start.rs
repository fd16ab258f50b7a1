//! Starts and stops a throwaway server, on a socket that only its user and root can reach. A shell
//! below this process stops it, because that also works when this process is killed.

use std::collections::hash_map::RandomState;
use std::env;
use std::fs;
use std::hash::BuildHasher;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::owner::Owner;
use super::shared::Sharing;
use crate::error::{ServerError, io_error};

const WATCHDOG: &str = include_str!("watchdog.sh");

/// Names a folder that `initdb` has made, which a server then copies instead of running it.
const TEMPLATE: &str = "MIGRATE_INITDB_TEMPLATE";

/// For `initdb` and the start together; half a second is usual, more if many start at the same time.
const START_LIMIT: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(2);

/// The lines of a log that an error contains.
const LOG_LINES: usize = 20;

/// A name that no other process and no earlier call uses.
pub(super) fn unique_name() -> String {
    format!("migrate-pg-{}-{:016x}", process::id(), random())
}

/// A number that no other call returns, in this process or another.
pub(crate) fn random() -> u64 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Its keys are random numbers of the system.
    RandomState::new().hash_one((process::id(), number))
}

/// A server below a watchdog, which runs as long as this value holds the pipe to it.
pub(super) struct Throwaway {
    pub(super) bin: PathBuf,
    pub(super) path: PathBuf,
    /// The folder, once the watchdog has created it.
    folder: Option<Folder>,
    uid: u32,
    account: Option<String>,
    watchdog: Child,
}

impl Throwaway {
    /// Starts a server and waits until it is ready.
    pub(super) fn start(
        bin: PathBuf,
        owner: &Owner,
        base: &Path,
        sharing: Option<&Sharing>,
    ) -> Result<Throwaway, ServerError> {
        let mut server = Throwaway::spawn(bin, owner, base, sharing)?;
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Starts the watchdog, which creates the folder and starts the server.
    fn spawn(
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
        command.env(TEMPLATE, env::var_os(TEMPLATE).unwrap_or_default());
        let watchdog = command.spawn().map_err(io_error("start", shell))?;
        let (uid, account) = (owner.uid(), owner.account());
        Ok(Throwaway { bin, path, folder: None, uid, account, watchdog })
    }

    fn wait_until_ready(&mut self) -> Result<(), ServerError> {
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
            "initdb" => return Err(ServerError::Initdb { bin, account, log: self.log()? }),
            "server" => return Err(ServerError::Start { bin, account, log: self.log()? }),
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
        if self.watchdog.stdin.take().is_none() {
            return;
        }
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
}
