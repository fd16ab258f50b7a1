//! Finds server binaries and the account that runs them, since PostgreSQL refuses to run as root. It
//! searches fewer places than the library, because only contributors run a proof.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a server's programs are, and the account that runs them.
#[derive(Debug, Clone)]
pub struct Installation {
    bin: PathBuf,
    /// User and group; `None` for those of this process.
    account: Option<(u32, u32)>,
}

impl Installation {
    /// The programs in `PG_BIN`, else the newest below `/usr/lib/postgresql`, else those of `pg_config`.
    ///
    /// # Panics
    ///
    /// When there are none, or root finds no unprivileged account.
    pub fn find() -> Installation {
        let bin = match env::var_os("PG_BIN").filter(|folder| !folder.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => newest().or_else(configured).expect("server binaries: set PG_BIN"),
        };
        assert!(bin.join("postgres").is_file(), "no server in {}: set PG_BIN", bin.display());
        Installation::at(bin)
    }

    /// The programs in this folder.
    ///
    /// # Panics
    ///
    /// When root finds no unprivileged account.
    pub fn at(bin: PathBuf) -> Installation {
        Installation { bin, account: account() }
    }

    /// A program of the server as the server's user, in a folder that every account can enter, and
    /// without the environment's `PG` variables.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.as_owner(&self.bin.join(program));
        for (name, _) in
            env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG"))
        {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// Any program as the server's user.
    pub fn as_owner(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Changes the owner of a file or folder to the server's user.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn hand_over(&self, path: &Path) {
        if let Some((uid, gid)) = self.account {
            chown(path, Some(uid), Some(gid)).expect("handing a path to the server's user");
        }
    }

    /// A folder that the server's user can use and that keeps a socket's path short.
    pub fn base(&self) -> PathBuf {
        if self.account.is_some() { open_folder() } else { env::temp_dir() }
    }

    /// This program of the server, else the one on PATH.
    pub fn program(&self, name: &str) -> PathBuf {
        let own = self.bin.join(name);
        if own.is_file() { own } else { PathBuf::from(name) }
    }
}

/// The folder of `TMPDIR` if every account can work in it, else `/tmp`.
pub fn open_folder() -> PathBuf {
    let base = env::temp_dir();
    let has = |path: &Path, bits| {
        fs::metadata(path).is_ok_and(|found| found.is_dir() && found.mode() & bits == bits)
    };
    let is_open = has(&base, 0o003) && base.ancestors().all(|above| has(above, 0o001));
    if is_open { base } else { PathBuf::from("/tmp") }
}

fn newest() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Some(PathBuf::from(format!("/usr/lib/postgresql/{}/bin", versions.max()?)))
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end()))
}

/// The first unprivileged account that exists, if this process runs as root.
fn account() -> Option<(u32, u32)> {
    // The owner of this process's entry. Without /proc the process is assumed not to run as root.
    let root = fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0);
    if !root {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let entry = |wanted: &str| {
        passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let ids = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
            (fields[0] == wanted && ids.0 != 0).then_some(ids)
        })
    };
    let found = ["postgres", "nobody"].into_iter().find_map(entry);
    assert!(
        found.is_some(),
        "PostgreSQL refuses root, and there is no account `postgres` or `nobody`"
    );
    found
}
