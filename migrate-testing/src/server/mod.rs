//! The servers of tests: the one that an address names, or a throwaway one.

mod start;
mod shared;
mod owner;
mod folder;
mod binaries;
mod address;

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::ServerError;
use owner::Owner;
use shared::Shared;
use start::Throwaway;
pub(crate) use start::random;

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
    /// Here and for [`Server::shared`] and [`TestDatabase`](crate::TestDatabase) the variable names a
    /// server to create databases on, whose role needs CREATEDB. This crate only connects to the
    /// database that it names, for `CREATE DATABASE`, and writes nothing to it. [`Server::url`] is the
    /// address of that database, though: for your own statements use [`Server::url_for`] or a
    /// [`TestDatabase`](crate::TestDatabase).
    ///
    /// # Errors
    ///
    /// [`ServerError::BadUrl`] if `DATABASE_URL` is not an address, and those of [`Server::start`]. It
    /// does not connect to a server that is named.
    pub fn from_env() -> Result<Server, ServerError> {
        Server::of_variable().unwrap_or_else(Server::start)
    }

    /// The server of `DATABASE_URL`; `None` if that is unset or empty.
    fn of_variable() -> Option<Result<Server, ServerError>> {
        let variable = "DATABASE_URL";
        let value = env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(named(value.to_str()).ok_or(ServerError::BadUrl { variable }))
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
    /// If `MIGRATE_INITDB_TEMPLATE` is set to the absolute path of a folder that `initdb` of the same version has made
    /// with `-U postgres -A trust`, the server copies that instead of running `initdb`.
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
        let server = Throwaway::start(bin, &owner, &owner.base(), None)?;
        Ok(Server { url: url_of(&server.path), origin: Origin::Throwaway(server) })
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
        if let Some(named) = Server::of_variable() {
            return named;
        }
        let owner = Owner::detect()?;
        let shared = Shared::join(binaries::find(&owner)?, &owner)?;
        Ok(Server { url: url_of(&shared.folder), origin: Origin::Shared(shared) })
    }

    /// Whether it is a shared throwaway one.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.origin, Origin::Shared(_))
    }

    /// Keeps a shared server for an hour without users, so that you can inspect it.
    pub(crate) fn linger(&self) {
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
            Origin::Shared(server) => binaries::program(&server.bin, name),
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

#[cfg(test)]
mod tests {
    use super::*;

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
