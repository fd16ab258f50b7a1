//! One throwaway server for all processes of a user. The first process starts it; the watchdog stops
//! it when the last one has ended.
//!
//! A small file, the register, names the server; its lock prevents two processes from starting two. A
//! user holds a pipe of the server open, which the system closes however the process ends. The watchdog
//! acknowledges each process that joins, so that none joins a server that is about to stop.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use migrate_set::checksum::Checksum;
use rustix::fs::{FlockOperation, flock, statvfs};
use rustix::io::retry_on_intr;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use super::folder::Folder;
use super::owner::Owner;
use super::start::{Throwaway, random};
use crate::error::{ServerError, io_error};

/// How long a server runs without users, in seconds, unless `MIGRATE_SERVER_LINGER` is set: from one
/// test binary of `cargo test` to the next, and from one edit to the next run.
const LINGER: u32 = 20;

/// How long to wait for the watchdog's answer; it reads the pipe five times a second.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The memory that has to be free, in bytes. Most machines have it, and most containers do not.
const ROOM: u64 = 4 << 30;

/// A message that a server answers with one byte before authentication (`SSLRequest` of the protocol).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

const SOCKET: &str = ".s.PGSQL.5432";

const POLL: Duration = Duration::from_millis(2);

/// A user of a shared server, until it is dropped or its process ends.
pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) bin: PathBuf,
    /// The pipe that the watchdog waits on.
    users: File,
}

/// What a shared server needs to know of its users.
pub(super) struct Sharing {
    /// How many seconds it runs without users.
    pub(super) linger: u32,
    /// The register, from which it removes itself.
    pub(super) register: PathBuf,
}

impl Shared {
    /// Joins the server of these binaries, or starts it.
    pub(super) fn join(bin: PathBuf, owner: &Owner) -> Result<Shared, ServerError> {
        let base = owner.base();
        let registers = owner.registers(&base)?;
        let name = register_name(geteuid().as_raw(), &bin);
        let path = base.join(format!("migrate-pg-{}", owner.uid())).join(&name);
        // Held while this process starts a server; the others then find it.
        let mut register = locked(&registers, &name, &path)?;
        let mut known = String::new();
        register.read_to_string(&mut known).map_err(io_error("read", &path))?;
        if let Some(users) = joined(Path::new(&known), owner)? {
            return Ok(Shared { folder: known.into(), bin, users });
        }
        let base = in_memory().unwrap_or(base);
        let sharing = Sharing { linger: linger(), register: path };
        let server = Throwaway::start(bin.clone(), owner, &base, Some(&sharing))?;
        let folder = server.path.clone();
        let users = joined(&folder, owner)?.ok_or_else(|| {
            let source = io::Error::from(io::ErrorKind::TimedOut);
            ServerError::Io { doing: "join the server in", path: folder.clone(), source }
        })?;
        write_register(&mut register, &folder).map_err(io_error("write", &sharing.register))?;
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
    let found = statvfs(folder).ok()?;
    (found.f_bavail.saturating_mul(found.f_frsize) >= ROOM).then(|| folder.to_owned())
}

/// One register for each user and each set of binaries.
fn register_name(uid: u32, bin: &Path) -> String {
    let digest = Sha256::digest(bin.as_os_str().as_encoded_bytes());
    format!("{uid}-{}", Checksum::from_bytes(digest.into()))
}

/// Opens the register and waits for its lock, which closing the file releases. The server removes
/// its register, so that the file can be gone when the lock is free.
fn locked(registers: &Folder, name: &str, path: &Path) -> Result<File, ServerError> {
    loop {
        let register = registers.register(name, geteuid().as_raw())?;
        // [`File::lock`] needs Rust 1.89.
        let lock = retry_on_intr(|| flock(&register, FlockOperation::LockExclusive));
        lock.map_err(|error| io_error("lock", path)(error.into()))?;
        if registers.is_at(name, &register) {
            // The server's account reads it before it removes it.
            let readable = register.set_permissions(fs::Permissions::from_mode(0o644));
            return readable.map(|()| register).map_err(io_error("change", path));
        }
    }
}

fn write_register(register: &mut File, folder: &Path) -> io::Result<()> {
    register.set_len(0)?;
    register.rewind()?;
    register.write_all(folder.as_os_str().as_encoded_bytes())
}

/// The pipe of a server that has answered; `None` if there is none, or if it is about to stop.
fn joined(path: &Path, owner: &Owner) -> Result<Option<File>, ServerError> {
    if !path.is_absolute() {
        return Ok(None);
    }
    let Some(folder) = Folder::open(path, owner.uid())? else { return Ok(None) };
    // The server first, because after a power failure there is no watchdog to answer.
    if !folder.has_socket(SOCKET) || !answers(path) {
        return Ok(None);
    }
    // For reading too, because opening a pipe for writing alone waits for its reader.
    let Some(mut users) = folder.pipe("users")? else { return Ok(None) };
    let name = format!("{:016x}", random());
    if users.write_all(format!("join {name}\n").as_bytes()).is_err() {
        return Ok(None);
    }
    let answer = format!("joined-{name}");
    let deadline = Instant::now() + ANSWER_LIMIT;
    while !folder.has(&answer) {
        if !folder.has("users") || Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(POLL);
    }
    folder.remove(&answer);
    Ok(Some(users))
}

/// Whether the server in a folder answers. A connection alone does not show that: the system queues
/// connections for a process that is being killed.
fn answers(folder: &Path) -> bool {
    let ask = || {
        let mut socket = UnixStream::connect(folder.join(SOCKET))?;
        socket.set_read_timeout(Some(ANSWER_LIMIT))?;
        socket.write_all(&SSL_REQUEST)?;
        socket.read_exact(&mut [0])
    };
    ask().is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::DirBuilderExt;

    use super::*;

    #[test]
    fn each_user_and_each_version_has_a_register() {
        let (one, other) = (Path::new("/pg/15/bin"), Path::new("/pg/18/bin"));
        assert_eq!(register_name(1000, one), register_name(1000, one));
        assert_ne!(register_name(1000, one), register_name(1000, other));
        assert_ne!(register_name(1000, one), register_name(1001, one));
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
    fn a_register_that_is_gone_when_its_lock_is_free_is_opened_again() {
        let base = env::temp_dir().join(super::super::start::unique_name());
        fs::DirBuilder::new().mode(0o700).create(&base).unwrap();
        let registers = Owner::Caller.registers(&base).unwrap();
        let path = base.join(format!("migrate-pg-{}", Owner::Caller.uid())).join("register");
        let held = locked(&registers, "register", &path).unwrap();
        thread::scope(|scope| {
            let next = scope.spawn(|| locked(&registers, "register", &path).unwrap());
            // Whether the other has opened it by now or not, it gets the new one.
            registers.remove("register");
            drop(held);
            assert!(registers.is_at("register", &next.join().unwrap()));
        });
        assert!(joined(&base, &Owner::Caller).unwrap().is_none(), "no server is in it");
        fs::remove_dir_all(&base).unwrap();
    }
}
