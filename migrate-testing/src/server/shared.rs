//! One throwaway server for all processes of a user. The first process starts it; the watchdog stops
//! it when the last one has ended.
//!
//! A small file, the register, names the server; its lock prevents two processes from starting two. A
//! user holds a pipe of the server open, which the system closes however the process ends. The watchdog
//! acknowledges each process that joins, so that none joins a server that is about to stop.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use migrate_set::checksum::Checksum;
use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use super::owner::Owner;
use super::start::{Throwaway, random};
use crate::error::{ServerError, io_error};

/// How long a server runs without users, in seconds, unless `MIGRATE_SERVER_LINGER` is set: from one
/// test binary of `cargo test` to the next, and from one edit to the next run.
const LINGER: u32 = 20;

/// How long to wait for the watchdog's answer; it reads the pipe five times a second.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The memory that has to be free, in KiB. Most machines have it, and most containers do not.
const ROOM: u64 = 4 * 1024 * 1024;

/// A message that a server answers with one byte before authentication (`SSLRequest` of the protocol).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

const POLL: Duration = Duration::from_millis(2);

/// A user of a shared server, until it is dropped or its process ends.
pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) bin: PathBuf,
    /// The pipe that the watchdog waits on.
    users: File,
}

impl Shared {
    /// Joins the server of these binaries, or starts it.
    pub(super) fn join(bin: PathBuf, owner: &Owner) -> Result<Shared, ServerError> {
        let uid = geteuid().as_raw();
        let path = owner.base().join(register_name(uid, &bin));
        let mut register = open_register(&path, uid)?;
        // Held while this process starts a server; the others then find it.
        lock(&register).map_err(io_error("lock", &path))?;
        let mut known = String::new();
        register.read_to_string(&mut known).map_err(io_error("read", &path))?;
        if let Some(users) = joined(Path::new(&known), |folder| is_owners(folder, owner, uid)) {
            return Ok(Shared { folder: known.into(), bin, users });
        }
        let base = in_memory().unwrap_or_else(|| owner.base());
        let server = Throwaway::start(bin.clone(), owner, &base, Some(linger()))?;
        let folder = server.folder.clone();
        let users = joined(&folder, |_| true).ok_or_else(|| {
            let source = io::Error::from(io::ErrorKind::TimedOut);
            ServerError::Io { doing: "join the server in", path: folder.clone(), source }
        })?;
        write_register(&mut register, &folder).map_err(io_error("write", &path))?;
        server.release();
        Ok(Shared { folder, bin, users })
    }

    /// Asks the watchdog to keep the server for an hour without users.
    pub(super) fn keep(&self) {
        // Without a watchdog there is nothing to keep.
        let _ = (&self.users).write_all(b"keep\n");
    }
}

fn linger() -> u32 {
    let seconds = env::var("MIGRATE_SERVER_LINGER").ok();
    seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(LINGER)
}

/// A folder in memory with room for a server, unless `TMPDIR` names another. A database is some seven
/// hundred files, and copying them takes several times as long on a disk.
fn in_memory() -> Option<PathBuf> {
    let folder = Path::new("/dev/shm");
    let is_open = fs::metadata(folder).is_ok_and(|found| found.mode() & 0o1777 == 0o1777);
    if !is_open || env::var_os("TMPDIR").is_some_and(|value| !value.is_empty()) {
        return None;
    }
    let output = Command::new("df").args(["-Pk", "/dev/shm"]).output().ok()?;
    is_roomy(&String::from_utf8_lossy(&output.stdout)).then(|| folder.to_owned())
}

/// Parses the output of `df -Pk` (POSIX): a header, and a line with the free KiB as the fourth word.
fn is_roomy(output: &str) -> bool {
    let free = output.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    free.and_then(|free| free.parse().ok()).is_some_and(|free: u64| free >= ROOM)
}

/// One register for each user and each set of binaries.
fn register_name(uid: u32, bin: &Path) -> String {
    let digest = Sha256::digest(bin.as_os_str().as_encoded_bytes());
    format!("migrate-pg-shared-{uid}-{}", Checksum::from_bytes(digest.into()))
}

/// Opens the register. It has to belong to this user, because this process trusts the server it names.
fn open_register(path: &Path, uid: u32) -> Result<File, ServerError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let register = options.open(path).map_err(io_error("open", path))?;
    let metadata = register.metadata().map_err(io_error("inspect", path))?;
    if metadata.is_file() && metadata.uid() == uid {
        return Ok(register);
    }
    let source = io::Error::from(io::ErrorKind::PermissionDenied);
    Err(ServerError::Io { doing: "trust", path: path.to_owned(), source })
}

/// Waits for the lock of the register, which closing the file releases. [`File::lock`] needs Rust 1.89.
fn lock(register: &File) -> io::Result<()> {
    Ok(retry_on_intr(|| flock(register, FlockOperation::LockExclusive))?)
}

fn write_register(register: &mut File, folder: &Path) -> io::Result<()> {
    register.set_len(0)?;
    register.rewind()?;
    register.write_all(folder.as_os_str().as_encoded_bytes())
}

/// Whether the folder belongs to this owner, and is not a link.
fn is_owners(folder: &Path, owner: &Owner, uid: u32) -> bool {
    let expected = match owner {
        Owner::Caller => uid,
        Owner::Account { uid, .. } => *uid,
    };
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == expected)
}

/// The pipe of a server that has answered; `None` if there is none, or if it is about to stop.
fn joined(folder: &Path, is_trusted: impl FnOnce(&Path) -> bool) -> Option<File> {
    // The server first, because after a power failure there is no watchdog to answer.
    if !folder.is_absolute() || !is_trusted(folder) || !answers(folder) {
        return None;
    }
    let path = folder.join("users");
    // For reading too, because opening a pipe for writing alone waits for its reader.
    let mut users = OpenOptions::new().read(true).write(true).open(&path).ok()?;
    let name = format!("{:016x}", random());
    users.write_all(format!("join {name}\n").as_bytes()).ok()?;
    let answer = folder.join(format!("joined-{name}"));
    let deadline = Instant::now() + ANSWER_LIMIT;
    while !answer.exists() {
        if !path.exists() || Instant::now() > deadline {
            return None;
        }
        thread::sleep(POLL);
    }
    // If this fails, the file is removed with the folder.
    let _ = fs::remove_file(&answer);
    Some(users)
}

/// Whether the server in a folder answers. A connection alone does not show that: the system queues
/// connections for a process that is being killed.
fn answers(folder: &Path) -> bool {
    let ask = || {
        let mut socket = UnixStream::connect(folder.join(".s.PGSQL.5432"))?;
        socket.set_read_timeout(Some(ANSWER_LIMIT))?;
        socket.write_all(&SSL_REQUEST)?;
        socket.read_exact(&mut [0])
    };
    ask().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_and_each_version_has_a_register() {
        let (one, other) = (Path::new("/pg/15/bin"), Path::new("/pg/18/bin"));
        assert_eq!(register_name(1000, one), register_name(1000, one));
        assert_ne!(register_name(1000, one), register_name(1000, other));
        assert_ne!(register_name(1000, one), register_name(1001, one));
    }

    #[test]
    fn memory_has_to_have_room() {
        let output = |free: &str| {
            format!(
                "Filesystem 1024-blocks Used Available Capacity Mounted on\nshm 9 0 {free} 0% /dev/shm\n"
            )
        };
        assert!(is_roomy(&output("4194304")));
        assert!(!is_roomy(&output("65536")));
        assert!(!is_roomy("df: /dev/shm: No such file or directory"));
    }

    #[test]
    fn socket_without_an_answer_is_no_server() {
        let base = env::temp_dir().join(super::super::start::unique_name());
        fs::create_dir(&base).unwrap();
        assert!(!answers(&base), "no socket is in it");
        let socket = std::os::unix::net::UnixListener::bind(base.join(".s.PGSQL.5432")).unwrap();
        thread::scope(|scope| {
            // As the system does for a process that is killed while a connection is in its queue.
            scope.spawn(|| drop(socket.accept()));
            assert!(!answers(&base));
        });
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn folder_of_another_user_and_link_are_not_trusted() {
        let base = env::temp_dir().join(super::super::start::unique_name());
        fs::create_dir(&base).unwrap();
        let uid = fs::metadata(&base).unwrap().uid();
        std::os::unix::fs::symlink(&base, base.join("link")).unwrap();
        let account = |uid| Owner::Account { name: "a".to_owned(), uid, gid: 0 };
        assert!(is_owners(&base, &Owner::Caller, uid));
        assert!(!is_owners(&base, &account(uid + 1), uid));
        assert!(!is_owners(&base.join("link"), &Owner::Caller, uid));
        assert!(open_register(&base.join("register"), uid).is_ok());
        assert!(open_register(&base.join("register"), uid + 1).is_err());
        assert!(joined(&base, |_| true).is_none(), "no server is in it");
        fs::remove_dir_all(&base).unwrap();
    }
}
