//! Why there is no server. An error of a program includes its log; none contains the text of a
//! `DATABASE_URL`, which may contain a password.

use std::io;
use std::path::PathBuf;

/// Why there is no test server.
#[derive(Debug, thiserror::Error)]
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
    /// A variable, or the argument of [`Server::at`](super::Server::at), is not the address of a database.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &ServerError, expected: &str) {
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_missing_server_says_how_to_get_one() {
        check(
            &ServerError::NotFound { install: "apt-get install postgresql" },
            "no PostgreSQL server on this machine: searched pg_config's folder, PATH, the package \
             managers' folders and the cache for `initdb` next to `postgres`\n\
             help: apt-get install postgresql",
        );
        check(
            &ServerError::NoServerInFolder { folder: "/opt/pg".into() },
            "PG_BIN is `/opt/pg`, which does not contain both `initdb` and `postgres`\n\
             help: name the folder that contains them, such as /usr/lib/postgresql/18/bin, or unset PG_BIN",
        );
    }

    #[test]
    fn bad_settings_name_the_way_out() {
        check(
            &ServerError::NoAccount { accounts: "postgres, nobody".into() },
            "the server cannot run as root, and /etc/passwd has none of postgres, nobody\n\
             help: add one with `useradd --system postgres`, or run as another user",
        );
        check(
            &ServerError::BadUrl { variable: "DATABASE_URL" },
            "DATABASE_URL is neither a postgresql:// address nor a list of key=value\n\
             help: write it as `postgresql://user@host/database`, or leave it out for a throwaway server",
        );
        check(
            &ServerError::BadUrl { variable: "the address" },
            "the address is neither a postgresql:// address nor a list of key=value\n\
             help: write it as `postgresql://user@host/database`, or leave it out for a throwaway server",
        );
    }

    #[test]
    fn a_name_that_is_taken_says_by_what() {
        check(
            &ServerError::Unsafe {
                path: "/tmp/migrate-pg-1000".into(),
                wrong: "belongs to user 1001, not to user 1000".to_owned(),
            },
            "`/tmp/migrate-pg-1000` belongs to user 1001, not to user 1000\n\
             help: remove it if it is yours, or set TMPDIR to a folder that only you can write to",
        );
    }

    #[test]
    fn failing_programs_show_their_log() {
        let (bin, log) = (PathBuf::from("/pg/bin"), "FATAL:  no room".to_owned());
        check(
            &ServerError::Initdb {
                bin: bin.clone(),
                account: Some("nobody".into()),
                log: log.clone(),
            },
            "`/pg/bin/initdb` failed as user `nobody`\n\
             help: run it by hand as that user, who needs access to the folders above it\nFATAL:  no room",
        );
        check(
            &ServerError::Start { bin: bin.clone(), account: None, log: log.clone() },
            "`/pg/bin/postgres` ended before it was ready\n\
             help: see its log below; PG_BIN selects another server\nFATAL:  no room",
        );
        check(
            &ServerError::Slow { bin, seconds: 60, log },
            "`/pg/bin/postgres` is not ready after 60 s\n\
             help: start fewer servers at a time, or set DATABASE_URL\nFATAL:  no room",
        );
    }

    #[test]
    fn a_refusal_of_the_system_is_kept_as_the_source() {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = ServerError::Io { doing: "start", path: "/bin/sh".into(), source };
        check(
            &error,
            "cannot start `/bin/sh`\nhelp: check its permissions and whether the disk is full",
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}
