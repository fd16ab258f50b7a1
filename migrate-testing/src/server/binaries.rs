//! Finds a folder with both `initdb` and `postgres` on this machine: where users, package managers and
//! `scripts/get-postgres.sh` install one, the newest version first. It runs only `pg_config`, and
//! downloads nothing.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::owner::Owner;
use crate::error::ServerError;

/// Folders of one version each: their parent, the prefix of their names, and where their programs are.
const VERSIONED: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Filled by `scripts/get-postgres.sh` as root. It is outside root's home, which the server's user
/// cannot read.
const CACHE_OF_ROOT: &str = "/var/cache/migrate-postgres";

/// The first folder that contains a server.
///
/// # Errors
///
/// [`ServerError::NoServerInFolder`] if `PG_BIN` names a folder without one: another version than the
/// one that was asked for would be a surprise. [`ServerError::NotFound`] if there is none anywhere.
pub(super) fn find(owner: &Owner) -> Result<PathBuf, ServerError> {
    if let Some(folder) = env::var_os("PG_BIN").filter(|value| !value.is_empty()) {
        let folder = PathBuf::from(folder);
        return with_server(&folder).ok_or(ServerError::NoServerInFolder { folder });
    }
    let packages = VERSIONED.iter().flat_map(|(parent, prefix, bin)| versions(parent, prefix, bin));
    pg_config()
        .into_iter()
        .chain(on_path())
        .chain(packages)
        .chain(["/usr/bin", "/usr/local/pgsql/bin"].map(PathBuf::from))
        .chain(caches(owner).iter().flat_map(|cache| versions(cache, "", "bin")))
        .find_map(|folder| with_server(&folder))
        .ok_or(ServerError::NotFound { install: install() })
}

/// The program of this name in the folder, if it is executable.
pub(super) fn program(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    let metadata = fs::metadata(&path).ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then_some(path)
}

/// The folder itself, or the one that its `postgres` links to: PATH may contain only a link.
fn with_server(folder: &Path) -> Option<PathBuf> {
    let real = program(folder, "postgres")?.canonicalize().ok()?;
    let is_complete = |folder: &&Path| {
        program(folder, "initdb").is_some() && program(folder, "postgres").is_some()
    };
    [real.parent()?, folder].into_iter().find(is_complete).map(Path::to_path_buf)
}

/// The folder that `pg_config` prints; client packages have one too, so it may not contain a server.
fn pg_config() -> Option<PathBuf> {
    let program = on_path().iter().find_map(|folder| program(folder, "pg_config"))?;
    let output = Command::new(program).arg("--bindir").output().ok()?;
    let folder = Path::new(OsStr::from_bytes(output.stdout.trim_ascii()));
    (output.status.success() && folder.is_absolute()).then(|| folder.to_owned())
}

/// The folders of `PATH`, except relative ones: programs in those depend on where a test runs.
pub(super) fn on_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

fn versions(parent: impl AsRef<Path>, prefix: &str, bin: &str) -> Vec<PathBuf> {
    let parent = parent.as_ref();
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    newest_first(names, prefix).into_iter().map(|name| parent.join(name).join(bin)).collect()
}

/// The names of this prefix and a version, compared as numbers.
fn newest_first(names: Vec<String>, prefix: &str) -> Vec<String> {
    let version = |name: &str| -> Option<Vec<u32>> {
        name.strip_prefix(prefix)?.split('.').map(|part| part.parse().ok()).collect()
    };
    let mut found: Vec<(Vec<u32>, String)> =
        names.into_iter().filter_map(|name| Some((version(&name)?, name))).collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, name)| name).collect()
}

/// The caches that the owner can read, which are also in `scripts/get-postgres.sh`.
fn caches(owner: &Owner) -> Vec<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = match owner {
        Owner::Account { .. } => None,
        Owner::Caller => absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("migrate/postgres")),
    };
    own.into_iter().chain([PathBuf::from(CACHE_OF_ROOT)]).collect()
}

/// How to install a server on this platform.
fn install() -> &'static str {
    let exists = |path: &str| Path::new(path).exists();
    if cfg!(target_os = "macos") {
        "`brew install postgresql@18`, or run scripts/get-postgres.sh, or set DATABASE_URL"
    } else if exists("/etc/debian_version") {
        "`apt-get install postgresql`, or run scripts/get-postgres.sh, or set DATABASE_URL"
    } else if exists("/usr/bin/dnf") || exists("/usr/bin/rpm") {
        "`dnf install postgresql-server`, or run scripts/get-postgres.sh, or set DATABASE_URL"
    } else if exists("/sbin/apk") {
        "`apk add postgresql`, or set DATABASE_URL"
    } else {
        "install PostgreSQL, or run scripts/get-postgres.sh, or set DATABASE_URL"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        #[track_caller]
        fn check(names: &[&str], prefix: &str, expected: &[&str]) {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(newest_first(names, prefix), expected);
        }
        check(&[], "", &[]);
        check(&["9.6", "15", "18", "latest", ".new-x"], "", &["18", "15", "9.6"]);
        check(&["pgsql-9", "pgsql-10", "bin", "pgsql-"], "pgsql-", &["pgsql-10", "pgsql-9"]);
        check(&["postgresql@14", "postgresql"], "postgresql@", &["postgresql@14"]);
    }

    #[test]
    fn a_server_is_initdb_beside_postgres() {
        let root = env::temp_dir().join(super::super::start::unique_name());
        let (real, links, half) = (root.join("real"), root.join("links"), root.join("half"));
        for folder in [&real, &links, &half] {
            fs::create_dir_all(folder).unwrap();
        }
        for file in [real.join("initdb"), real.join("postgres"), half.join("postgres")] {
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        symlink(real.join("postgres"), links.join("postgres")).unwrap();
        let real = real.canonicalize().unwrap();

        assert_eq!(with_server(&real), Some(real.clone()));
        assert_eq!(with_server(&links), Some(real.clone()), "a lone link leads to its server");
        assert_eq!(with_server(&half), None, "no initdb");
        assert_eq!(with_server(&root), None, "no folder of programs");
        fs::set_permissions(real.join("initdb"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(with_server(&real), None, "initdb cannot be run");
        fs::remove_dir_all(&root).unwrap();
    }
}
