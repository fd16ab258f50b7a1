//! The account that the server runs as, since PostgreSQL refuses to run as root, and the folder in
//! which that account can create the server's.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use super::binaries::on_path;
use super::folder::{Folder, check_base};
use crate::error::{ServerError, io_error};

/// In the order of preference; macOS prefixes the accounts of services.
const ACCOUNTS: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// A socket's path is limited to about 104 bytes (`sun_path` of unix(4)); ours adds about 60 to the base.
const LONGEST_BASE: usize = 40;

/// The account that runs the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user of this process.
    Caller,
    /// An unprivileged account, because this process runs as root.
    Account { name: String, uid: u32, gid: u32 },
}

impl Owner {
    /// The user of this process or, for root, the first unprivileged account that exists.
    ///
    /// # Errors
    ///
    /// [`ServerError::NoAccount`] if root finds none, [`ServerError::Io`] if `/etc/passwd` cannot be
    /// read.
    pub(super) fn detect() -> Result<Owner, ServerError> {
        if !geteuid().is_root() {
            return Ok(Owner::Caller);
        }
        let path = Path::new("/etc/passwd");
        let passwd = fs::read_to_string(path).map_err(io_error("read", path))?;
        unprivileged(&passwd).ok_or_else(|| ServerError::NoAccount {
            accounts: ACCOUNTS.map(|name| format!("`{name}`")).join(", "),
        })
    }

    /// The account's name; `None` for the caller.
    pub(super) fn account(&self) -> Option<String> {
        match self {
            Owner::Caller => None,
            Owner::Account { name, .. } => Some(name.clone()),
        }
    }

    /// The number of the account.
    pub(super) fn uid(&self) -> u32 {
        match self {
            Owner::Caller => geteuid().as_raw(),
            Owner::Account { uid, .. } => *uid,
        }
    }

    /// Makes a command run as this owner, in a folder that every account can enter. Nothing of root's
    /// environment reaches another account, and no program is found relative to a folder.
    pub(super) fn run(&self, command: &mut Command) {
        command.current_dir("/");
        match self {
            Owner::Caller => {
                for (name, _) in std::env::vars_os() {
                    if name.as_encoded_bytes().starts_with(b"PG") {
                        command.env_remove(name);
                    }
                }
                command.env("PATH", std::env::join_paths(on_path()).unwrap_or_default());
            }
            Owner::Account { uid, gid, .. } => {
                command.env_clear().env("PATH", "/usr/bin:/bin:/run/current-system/sw/bin");
                // The standard library also drops root's supplementary groups here.
                command.uid(*uid).gid(*gid);
            }
        }
        command.env("LC_ALL", "C");
    }

    /// The folder of the registers, of this owner alone, in `base`; it is created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`ServerError::Unsafe`] if something else has its name.
    pub(super) fn registers(&self, base: &Path) -> Result<Folder, ServerError> {
        self.check(base)?;
        let path = base.join(format!("migrate-pg-{}", self.uid()));
        // By the owner itself. If the name is taken, what has it is checked below.
        let shell = Path::new("/bin/sh");
        let mut command = Command::new(shell);
        command.args(["-c", "mkdir -m 700 \"$1\" 2>/dev/null", "migrate-mkdir"]).arg(&path);
        self.run(&mut command);
        command.status().map_err(io_error("start", shell))?;
        let missing = || io_error("create", &path)(io::ErrorKind::PermissionDenied.into());
        Folder::open(&path, self.uid())?.ok_or_else(missing)
    }

    /// Checks that folders of this owner in `base` cannot be replaced by others.
    pub(super) fn check(&self, base: &Path) -> Result<(), ServerError> {
        check_base(base, [geteuid().as_raw(), self.uid()])
    }

    /// The temporary folder if the owner can work in it and a socket's path stays short, else `/tmp`.
    pub(super) fn base(&self) -> PathBuf {
        let base = std::env::temp_dir();
        let open = match self {
            Owner::Caller => true,
            Owner::Account { .. } => {
                mode(&base) & 0o003 == 0o003
                    && base.ancestors().all(|above| mode(above) & 0o001 != 0)
            }
        };
        if open && is_plain(&base) { base } else { PathBuf::from("/tmp") }
    }
}

/// Whether the path needs no quoting in a shell, a configuration file or a list of sockets, and is short.
fn is_plain(path: &Path) -> bool {
    path.to_str().is_some_and(|text| {
        text.starts_with('/')
            && text.len() <= LONGEST_BASE
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.-+".contains(&byte))
    })
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |metadata| metadata.mode())
}

/// The first of [`ACCOUNTS`] in the text of `/etc/passwd` (passwd(5)).
fn unprivileged(passwd: &str) -> Option<Owner> {
    let entry = |wanted: &str| {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, ..] = fields[..] else {
                return None;
            };
            let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
            (name == wanted && uid != 0).then(|| Owner::Account { name: name.to_owned(), uid, gid })
        })
    };
    ACCOUNTS.iter().find_map(|name| entry(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_hands_over_to_the_first_unprivileged_account() {
        #[track_caller]
        fn check(passwd: &str, expected: Option<(&str, u32, u32)>) {
            let expected =
                expected.map(|(name, uid, gid)| Owner::Account { name: name.to_owned(), uid, gid });
            assert_eq!(unprivileged(passwd), expected, "{passwd}");
        }
        check("", None);
        check("root:x:0:0:root:/root:/bin/sh\n", None);
        check("nobody:x:65534:65533::/:\n", Some(("nobody", 65534, 65533)));
        check("nobody:x:9:9::/:\npostgres:x:101:104::/:\n", Some(("postgres", 101, 104)));
        check("postgres:x:0:0::/:\nnobody:x:9:8::/:\n", Some(("nobody", 9, 8)));
        check("postgres\npostgres:x:many:104::/:\n", None);
    }

    /// Of the account of this process, because only root can select another.
    #[test]
    fn another_account_gets_an_environment_of_two_variables() {
        let (uid, gid) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
        let mut command = Command::new("/usr/bin/env");
        command.env("MIGRATE_SECRET", "1");
        Owner::Account { name: "a".to_owned(), uid, gid }.run(&mut command);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = text.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }

    #[test]
    fn only_short_plain_folders_hold_sockets() {
        #[track_caller]
        fn check(path: &str, expected: bool) {
            assert_eq!(is_plain(Path::new(path)), expected, "{path}");
        }
        check("/tmp", true);
        check("/var/tmp/with-a_name.1", true);
        check("tmp", false);
        check("/tmp/it's", false);
        check("/tmp/a,b", false);
        check(&format!("/{}", "x".repeat(LONGEST_BASE)), false);
    }
}
