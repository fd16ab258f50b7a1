//! A folder that only one account can write to, and the files in it: opened without following links,
//! and checked before they are used.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, open, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::{ServerError, io_error};

/// How much of the end of a file is read.
const LIMIT: u64 = 64 * 1024;

/// An open folder of an account.
pub(super) struct Folder {
    path: PathBuf,
    uid: u32,
    open: File,
}

impl Folder {
    /// The folder at `path`; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// [`ServerError::Unsafe`] if it is something else, belongs to another account, or is open to others.
    pub(super) fn open(path: &Path, uid: u32) -> Result<Option<Folder>, ServerError> {
        let unsafe_now = |found: &Metadata| is_unsafe_folder(found, uid);
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("inspect", path)(error)),
            Ok(found) => refuse(path, unsafe_now(&found))?,
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open(path, flags, Mode::empty());
        let open = File::from(opened.map_err(|error| io_error("open", path)(error.into()))?);
        // Again, because it may have been replaced in the meantime.
        let found = open.metadata().map_err(io_error("inspect", path))?;
        refuse(path, unsafe_now(&found))?;
        Ok(Some(Folder { path: path.to_owned(), uid, open }))
    }

    /// The last 64 KiB of a file; `None` if it does not exist.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, ServerError> {
        let path = self.path.join(name);
        let Some(mut file) = self.file(name, OFlags::RDONLY, self.uid, FileType::RegularFile)?
        else {
            return Ok(None);
        };
        let mut read = || {
            let mut bytes = Vec::new();
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(end.saturating_sub(LIMIT)))?;
            Read::by_ref(&mut file).take(LIMIT).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().map(Some).map_err(io_error("read", &path))
    }

    /// Opens a pipe for reading and writing; `None` if it does not exist.
    pub(super) fn pipe(&self, name: &str) -> Result<Option<File>, ServerError> {
        self.file(name, OFlags::RDWR, self.uid, FileType::Fifo)
    }

    /// Opens a file of the account `uid` for reading and writing, and creates it if it does not exist.
    pub(super) fn register(&self, name: &str, uid: u32) -> Result<File, ServerError> {
        let flags = OFlags::RDWR | OFlags::CREATE;
        let file = self.file(name, flags, uid, FileType::RegularFile)?;
        let gone = || io_error("create", &self.path.join(name))(io::ErrorKind::NotFound.into());
        file.ok_or_else(gone)
    }

    /// Whether the account has a socket of this name.
    pub(super) fn has_socket(&self, name: &str) -> bool {
        self.stat(name).is_some_and(|(kind, uid, _)| kind == FileType::Socket && uid == self.uid)
    }

    /// Whether something has this name, a link that leads nowhere too.
    pub(super) fn has(&self, name: &str) -> bool {
        self.stat(name).is_some()
    }

    /// Whether the name still leads to this file.
    pub(super) fn is_at(&self, name: &str, file: &File) -> bool {
        let inode = self.stat(name).map(|(.., inode)| inode);
        file.metadata().is_ok_and(|found| Some(found.ino()) == inode)
    }

    /// Removes a file; one that remains is removed with the folder.
    pub(super) fn remove(&self, name: &str) {
        let _ = unlinkat(&self.open, name, AtFlags::empty());
    }

    fn stat(&self, name: &str) -> Option<(FileType, u32, u64)> {
        let found = statat(&self.open, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        // The types differ between systems.
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "not everywhere")]
        let found = (FileType::from_raw_mode(found.st_mode), found.st_uid, found.st_ino as u64);
        Some(found)
    }

    fn file(
        &self,
        name: &str,
        flags: OFlags,
        uid: u32,
        kind: FileType,
    ) -> Result<Option<File>, ServerError> {
        let path = self.path.join(name);
        // Opening a pipe in place of a file would wait for its other end.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.open, name, flags, Mode::from_raw_mode(0o600)) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return refuse(&path, Some("is a link".into())).map(|()| None),
            Err(error) => return Err(io_error("open", &path)(error.into())),
        };
        let found = file.metadata().map_err(io_error("inspect", &path))?;
        let is_kind = match kind {
            FileType::Fifo => found.file_type().is_fifo(),
            _ => found.is_file(),
        };
        let wrong =
            if is_kind { is_others(&found, uid) } else { Some("is of another kind".into()) };
        refuse(&path, wrong)?;
        Ok(Some(file))
    }
}

/// Whether the folder at `path`, in which folders of accounts are created, is one where others
/// cannot replace them: `/tmp` has the sticky bit for that.
pub(super) fn check_base(path: &Path, accounts: [u32; 2]) -> Result<(), ServerError> {
    let found = fs::metadata(path).map_err(io_error("inspect", path))?;
    let is_open = found.mode() & 0o022 != 0 && found.mode() & 0o1000 == 0;
    let is_known = found.uid() == 0 || accounts.contains(&found.uid());
    let wrong = if is_known { None } else { is_others(&found, accounts[0]) };
    let open = || "is writable by others, who can replace what is in it".to_owned();
    refuse(path, wrong.or_else(|| is_open.then(open)))
}

fn is_unsafe_folder(found: &Metadata, uid: u32) -> Option<String> {
    if found.is_symlink() {
        return Some("is a link".into());
    }
    if !found.is_dir() {
        return Some("is not a folder".into());
    }
    let is_open = found.mode() & 0o077 != 0;
    is_others(found, uid).or_else(|| is_open.then(|| "is open to others".into()))
}

fn is_others(found: &Metadata, uid: u32) -> Option<String> {
    (found.uid() != uid).then(|| format!("belongs to user {}, not to user {uid}", found.uid()))
}

fn refuse(path: &Path, wrong: Option<String>) -> Result<(), ServerError> {
    let error = |wrong| Err(ServerError::Unsafe { path: path.to_owned(), wrong });
    wrong.map_or(Ok(()), error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use rustix::process::geteuid;

    use super::*;

    /// An empty folder of this user alone.
    fn own() -> (PathBuf, u32) {
        let path = std::env::temp_dir().join(super::super::start::unique_name());
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        (path, geteuid().as_raw())
    }

    #[track_caller]
    fn refused<T>(result: Result<T, ServerError>, expected: &str) {
        match result {
            Err(ServerError::Unsafe { wrong, .. }) => assert_eq!(wrong, expected),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("accepted, and it {expected}"),
        }
    }

    #[test]
    fn only_a_folder_of_the_account_alone_is_opened() {
        let (path, uid) = own();
        assert!(Folder::open(&path, uid).unwrap().is_some());
        assert!(Folder::open(&path.join("none"), uid).unwrap().is_none());
        let other = format!("belongs to user {uid}, not to user {}", uid + 1);
        refused(Folder::open(&path, uid + 1), &other);
        symlink(&path, path.join("link")).unwrap();
        refused(Folder::open(&path.join("link"), uid), "is a link");
        fs::write(path.join("file"), "").unwrap();
        refused(Folder::open(&path.join("file"), uid), "is not a folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        refused(Folder::open(&path, uid), "is open to others");
        fs::remove_dir_all(&path).unwrap();
    }

    /// None of these waits for the other end of a pipe.
    #[test]
    fn what_is_not_the_expected_file_of_the_account_is_not_read() {
        let (path, uid) = own();
        let folder = Folder::open(&path, uid).unwrap().unwrap();
        for name in ["pipe", "other"] {
            assert!(Command::new("mkfifo").arg(path.join(name)).status().unwrap().success());
        }
        fs::write(path.join("log"), "said").unwrap();
        symlink("/etc/passwd", path.join("link")).unwrap();
        UnixListener::bind(path.join("socket")).unwrap();

        assert_eq!(folder.read("log").unwrap().as_deref(), Some("said"));
        assert!(folder.read("none").unwrap().is_none() && folder.pipe("none").unwrap().is_none());
        refused(folder.read("link"), "is a link");
        refused(folder.register("link", uid), "is a link");
        refused(folder.pipe("link"), "is a link");
        refused(folder.read("pipe"), "is of another kind");
        refused(folder.register("pipe", uid), "is of another kind");
        refused(folder.pipe("log"), "is of another kind");
        let other = format!("belongs to user {uid}, not to user {}", uid + 1);
        refused(folder.register("log", uid + 1), &other);
        assert!(folder.pipe("pipe").unwrap().is_some() && folder.has_socket("socket"));
        assert!(!folder.has_socket("log") && !folder.has_socket("link"));
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn the_end_of_a_long_log_is_read() {
        let (path, uid) = own();
        fs::write(path.join("log"), "a".repeat(100_000) + "end").unwrap();
        let folder = Folder::open(&path, uid).unwrap().unwrap();
        let read = folder.read("log").unwrap().unwrap();
        assert_eq!((read.len(), read.ends_with("aend")), (64 * 1024, true));
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_folder_where_others_can_replace_what_is_in_it_is_refused() {
        let (path, uid) = own();
        let check = |mode: u32| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            check_base(&path, [uid, uid])
        };
        assert!(check(0o755).is_ok() && check(0o1777).is_ok());
        refused(check(0o777), "is writable by others, who can replace what is in it");
        fs::remove_dir_all(&path).unwrap();
    }
}
