//! Why a test has no database, and why there is no server. No text contains an address, which may contain
//! a password.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use migrate_runtime::{Error, internal};
use tokio_postgres::error::{DbError, SqlState};

/// Why there is no test database.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// There is no server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The set cannot be applied.
    #[error(transparent)]
    Migrate(#[from] Error),
    /// The server refused something, or could not be reached.
    #[error("cannot {doing}: {}\nhelp: {}", reason(source), help(source))]
    Database {
        /// What was tried.
        doing: String,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
    /// The server gives another database than the one that a session asks for.
    #[error(
        "asked for the database `{asked}`, and the server gives `{given}`\n\
         help: use a server on which each name is another database, as it is on PostgreSQL and not on \
         PGlite; or unset DATABASE_URL to use a throwaway server"
    )]
    OtherDatabase {
        /// The database that the session asks for.
        asked: String,
        /// The one that it is in.
        given: String,
    },
    /// The address is that of a pooler, whose clients share sessions.
    #[error(
        "the connection goes through a pooler, and the databases of tests need sessions of their own\n\
         help: name the server itself in DATABASE_URL; or unset it to use a throwaway server"
    )]
    Pooler,
    /// Another process has been building the template for too long.
    #[error(
        "another process has been building `{template}` for {seconds} s\n\
         help: find the session that holds the advisory lock in pg_locks, or drop that database"
    )]
    Waited {
        /// The template's database.
        template: String,
        /// How long this process waited, in seconds.
        seconds: u64,
    },
    /// This process cannot start a thread or a runtime.
    #[error("cannot start a thread with a runtime\nhelp: check the limits of this process")]
    Runtime {
        /// The operating system's error.
        source: io::Error,
    },
}

impl fmt::Debug for TestError {
    /// The same text as `Display`, because a test that unwraps prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The server's error, or else the driver's.
fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => {
            let detail = db.detail().map(|detail| format!("\n{detail}")).unwrap_or_default();
            format!("{} (SQLSTATE {}){detail}", db.message(), db.code().code())
        }
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

fn help(error: &tokio_postgres::Error) -> &'static str {
    match error.as_db_error().map(DbError::code) {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "the role of DATABASE_URL needs CREATEDB; or unset it to use a throwaway server"
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            "run fewer tests at a time, or raise max_connections"
        }
        Some(code) if *code == SqlState::UNDEFINED_DATABASE => {
            "name a database that exists in DATABASE_URL, such as `postgres`; or unset it to use a throwaway server"
        }
        Some(code)
            if *code == SqlState::INVALID_PASSWORD
                || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            "check user and password in DATABASE_URL, and the server's pg_hba.conf; or unset it to use a \
             throwaway server"
        }
        Some(_) => "see the server's log",
        None => {
            "check that the server of DATABASE_URL is up and accepts connections without TLS; or \
             unset it to use a throwaway server"
        }
    }
}

impl TestError {
    /// Whether the server has what a migration creates for all databases, such as a role.
    pub(crate) fn exists_on_server(&self) -> bool {
        matches!(self, TestError::Migrate(error) if internal::exists_on_server(error))
    }

    /// The server refused `doing`.
    pub(crate) fn refused(
        doing: impl Into<String>,
    ) -> impl FnOnce(tokio_postgres::Error) -> TestError {
        let doing = doing.into();
        move |source| TestError::Database { doing, source }
    }
}

/// Why there is no test server.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// No folder contains both `initdb` and `postgres`.
    #[error(
        "no PostgreSQL server on this machine: searched pg_config's folder, PATH, the package \
         managers' folders and the cache for `initdb` next to `postgres`\nhelp: {install}"
    )]
    NotFound {
        /// How to install one on this platform.
        install: &'static str,
    },
    /// `PG_BIN` names a folder without a server.
    #[error(
        "PG_BIN is `{}`, which does not contain both `initdb` and `postgres`\n\
         help: name the folder that contains them, such as /usr/lib/postgresql/18/bin, or unset PG_BIN",
        folder.display()
    )]
    NoServerInFolder {
        /// The value of `PG_BIN`.
        folder: PathBuf,
    },
    /// The process runs as root, and there is no other account to run the server as.
    #[error(
        "the server cannot run as root, and /etc/passwd has none of {accounts}\n\
         help: add one with `useradd --system postgres`, or run as another user"
    )]
    NoAccount {
        /// The names that were searched for.
        accounts: String,
    },
    /// A variable, or the argument of [`Server::at`](crate::Server::at), is not the address of a database.
    #[error(
        "{variable} is neither a postgresql:// address nor a list of key=value\n\
         help: write it as `postgresql://user@host/database`, or leave it out for a throwaway server"
    )]
    BadUrl {
        /// The variable's name, or `the address`; its value may contain a password and is left out.
        variable: &'static str,
    },
    /// `initdb` failed.
    #[error(
        "`{}` failed{}\nhelp: run it by hand as that user, who needs access to the folders above it\n{log}",
        bin.join("initdb").display(), as_user(account.as_deref())
    )]
    Initdb {
        /// The folder of the binaries.
        bin: PathBuf,
        /// The unprivileged account it ran as, when the caller is root.
        account: Option<String>,
        /// The last lines of its output.
        log: String,
    },
    /// The server ended before it was ready.
    #[error(
        "`{}` ended before it was ready{}\nhelp: see its log below; PG_BIN selects another server\n{log}",
        bin.join("postgres").display(), as_user(account.as_deref())
    )]
    Start {
        /// The folder of the binaries.
        bin: PathBuf,
        /// The unprivileged account it ran as, when the caller is root.
        account: Option<String>,
        /// The last lines of the server's log.
        log: String,
    },
    /// The server was not ready in time.
    #[error(
        "`{}` is not ready after {seconds} s\nhelp: start fewer servers at a time, or set DATABASE_URL\n{log}",
        bin.join("postgres").display()
    )]
    Slow {
        /// The folder of the binaries.
        bin: PathBuf,
        /// The time limit, in seconds.
        seconds: u64,
        /// The last lines of the server's log.
        log: String,
    },
    /// A file or a folder of the server is not safe to use: another account can read or write it, or
    /// has put it there.
    #[error(
        "`{}` {wrong}\nhelp: remove it if it is yours, or set TMPDIR to a folder that only you can write to",
        path.display()
    )]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, such as `is a link`.
        wrong: String,
    },
    /// The operating system refused something.
    #[error("cannot {doing} `{}`\nhelp: check its permissions and whether the disk is full", path.display())]
    Io {
        /// What was tried, such as `create`.
        doing: &'static str,
        /// The file or program that it was tried on.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

fn as_user(account: Option<&str>) -> String {
    account.map_or_else(String::new, |name| format!(" as user `{name}`"))
}

/// Adds to the system's error what was tried on which path.
pub(crate) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ServerError {
    move |source| ServerError::Io { doing, path: path.to_owned(), source }
}

impl fmt::Debug for ServerError {
    /// The same text as `Display`, because a test that unwraps and a `main` that returns it print this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_server_is_shown_as_its_text() {
        let error = ServerError::BadUrl { variable: "DATABASE_URL" };
        assert_eq!(format!("{error:?}"), error.to_string());
    }

    #[test]
    fn each_error_of_a_server_has_a_help() {
        let (bin, log) = (PathBuf::from("/pg/bin"), "FATAL:  no room".to_owned());
        let account = Some("nobody".to_owned());
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let cases = [
            (
                ServerError::NotFound { install: "apt-get install postgresql" },
                "no PostgreSQL server on this machine: searched pg_config's folder, PATH, the package \
                 managers' folders and the cache for `initdb` next to `postgres`\n\
                 help: apt-get install postgresql",
            ),
            (
                ServerError::NoServerInFolder { folder: "/opt/pg".into() },
                "PG_BIN is `/opt/pg`, which does not contain both `initdb` and `postgres`\n\
                 help: name the folder that contains them, such as /usr/lib/postgresql/18/bin, or unset PG_BIN",
            ),
            (
                ServerError::NoAccount { accounts: "postgres, nobody".into() },
                "the server cannot run as root, and /etc/passwd has none of postgres, nobody\n\
                 help: add one with `useradd --system postgres`, or run as another user",
            ),
            (
                ServerError::BadUrl { variable: "DATABASE_URL" },
                "DATABASE_URL is neither a postgresql:// address nor a list of key=value\n\
                 help: write it as `postgresql://user@host/database`, or leave it out for a throwaway server",
            ),
            (
                ServerError::Initdb { bin: bin.clone(), account, log: log.clone() },
                "`/pg/bin/initdb` failed as user `nobody`\n\
                 help: run it by hand as that user, who needs access to the folders above it\nFATAL:  no room",
            ),
            (
                ServerError::Start { bin: bin.clone(), account: None, log: log.clone() },
                "`/pg/bin/postgres` ended before it was ready\n\
                 help: see its log below; PG_BIN selects another server\nFATAL:  no room",
            ),
            (
                ServerError::Slow { bin, seconds: 60, log },
                "`/pg/bin/postgres` is not ready after 60 s\n\
                 help: start fewer servers at a time, or set DATABASE_URL\nFATAL:  no room",
            ),
            (
                ServerError::Unsafe {
                    path: "/tmp/migrate-pg-1000".into(),
                    wrong: "belongs to user 1001, not to user 1000".to_owned(),
                },
                "`/tmp/migrate-pg-1000` belongs to user 1001, not to user 1000\n\
                 help: remove it if it is yours, or set TMPDIR to a folder that only you can write to",
            ),
            (
                ServerError::Io { doing: "start", path: "/bin/sh".into(), source: denied },
                "cannot start `/bin/sh`\nhelp: check its permissions and whether the disk is full",
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.source().is_some(), matches!(error, ServerError::Io { .. }));
        }
    }

    #[test]
    fn each_error_of_a_test_has_a_help() {
        let waited = TestError::Waited { template: "migrate_template_0".to_owned(), seconds: 600 };
        assert_eq!(
            waited.to_string(),
            "another process has been building `migrate_template_0` for 600 s\n\
             help: find the session that holds the advisory lock in pg_locks, or drop that database"
        );
        let source = io::Error::from(io::ErrorKind::WouldBlock);
        let runtime = TestError::Runtime { source };
        assert_eq!(
            runtime.to_string(),
            "cannot start a thread with a runtime\nhelp: check the limits of this process"
        );
        assert!(runtime.source().is_some());
    }
}
