//! Why a test has no database. No error contains an address, which may contain a password.

use std::error::Error as _;
use std::fmt;
use std::io;

use migrate_runtime::Error;
use tokio_postgres::error::{DbError, SqlState};

use super::error::ServerError;

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
        Some(said) => {
            let detail = said.detail().map(|detail| format!("\n{detail}")).unwrap_or_default();
            format!("{} (SQLSTATE {}){detail}", said.message(), said.code().code())
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
        Some(_) => "see the server's log",
        None => {
            "check that the server of DATABASE_URL is up and accepts connections without TLS; or \
             unset it to use a throwaway server"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_to_do() {
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
