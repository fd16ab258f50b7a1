//! Why there is no connection, and what to do about it, in a text without any password.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::address::Mistake;
use super::settings::Place;
use super::tls::TlsError;

/// Why the command line has no connection.
#[derive(Debug)]
pub struct ConnectError {
    what: String,
    help: String,
    is_usage: bool,
    source: Option<tokio_postgres::Error>,
}

impl ConnectError {
    /// Whether the caller's settings are at fault, and not the server or the network.
    ///
    /// ```
    /// use migrate_cli::Connection;
    ///
    /// let error = Connection::of_url("postgresql://me@localhost:door/shop").config().unwrap_err();
    /// assert!(error.is_usage()); // no server was contacted
    /// ```
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }

    fn usage(what: impl Into<String>, help: &str) -> Self {
        ConnectError { what: what.into(), help: help.to_owned(), is_usage: true, source: None }
    }

    pub(super) fn unnamed() -> Self {
        let help = "set DATABASE_URL, or PGHOST and PGDATABASE, or pass `--database-url`";
        ConnectError::usage("no database is named", help)
    }

    /// `origin` names the address.
    pub(super) fn address(origin: &str, mistake: &Mistake) -> Self {
        let help = match mistake {
            Mistake::Unknown(_) | Mistake::Hidden => "remove it; docs/cli.md lists the options",
            Mistake::Value("sslmode") => {
                "use disable, allow, prefer, require, verify-ca or verify-full"
            }
            _ => "write it as `postgresql://user@host/database`",
        };
        ConnectError::usage(format!("{origin} cannot be used: {mistake}"), help)
    }

    pub(super) fn variable(name: &str, mistake: &Mistake) -> Self {
        ConnectError::usage(
            format!("the variable {name} cannot be used: {mistake}"),
            "fix or unset it",
        )
    }

    pub(super) fn tls(error: &TlsError) -> Self {
        ConnectError::usage(error.to_string(), "check `sslrootcert`, `sslcert` and `sslkey`")
    }

    pub(super) fn slow(place: &Place, limit: Duration) -> Self {
        ConnectError {
            what: format!("cannot connect to {place}: no answer within {limit:?}"),
            help: "check that the server is up and reachable, or raise `connect_timeout`"
                .to_owned(),
            is_usage: false,
            source: None,
        }
    }

    pub(super) fn refused(place: &Place, source: tokio_postgres::Error) -> Self {
        let said = match source.as_db_error() {
            Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
            None => match source.source() {
                Some(cause) => cause.to_string(),
                None => source.to_string(),
            },
        };
        let help = help(place, &source, &said);
        let what = format!("cannot connect to {place}: {said}");
        ConnectError { what, help, is_usage: false, source: Some(source) }
    }
}

fn help(place: &Place, source: &tokio_postgres::Error, said: &str) -> String {
    let is_tls = source.to_string().contains("TLS") || said.contains("certificate");
    match source.code() {
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            return match &place.database {
                Some(database) => format!("create it: `createdb {database}`"),
                None => "create it with `createdb`".to_owned(),
            };
        }
        Some(code)
            if *code == SqlState::INVALID_PASSWORD
                || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            return "check user, password and the server's pg_hba.conf; a password is read from the \
                    address, PGPASSWORD or ~/.pgpass"
                .to_owned();
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            return "wait, or raise the server's max_connections".to_owned();
        }
        _ => {}
    }
    if said.contains("password missing") {
        "give a password in the address, PGPASSWORD or ~/.pgpass".to_owned()
    } else if is_tls {
        "`sslmode` sets whether TLS is used and what it verifies, `sslrootcert` which certificates \
         are trusted"
            .to_owned()
    } else {
        "check that the server is up and that this is its address".to_owned()
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhelp: {}", self.what, self.help)
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
