//! Why there is no connection, and what to do about it, in a text without any password.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use super::address::Mistake;
use super::settings::Place;

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

    pub(super) fn usage(what: impl Into<String>, help: &str) -> Self {
        ConnectError { what: what.into(), help: help.to_owned(), is_usage: true, source: None }
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
        let what = format!("the variable {name} cannot be used: {mistake}");
        ConnectError::usage(what, "fix or unset it")
    }

    pub(super) fn slow(place: &Place, limit: Duration) -> Self {
        let what = format!("cannot connect to {place}: no answer within {limit:?}");
        let help = "check that the server is up and reachable, or raise `connect_timeout`";
        ConnectError { is_usage: false, ..ConnectError::usage(what, help) }
    }

    pub(super) fn refused(place: &Place, source: tokio_postgres::Error) -> Self {
        let reason = match (source.as_db_error(), source.source()) {
            (Some(db), _) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
            (None, Some(cause)) => cause.to_string(),
            (None, None) => source.to_string(),
        };
        let what = format!("cannot connect to {place}: {reason}");
        let help = help(place, &source, &reason);
        ConnectError { what, help, is_usage: false, source: Some(source) }
    }
}

fn help(place: &Place, source: &tokio_postgres::Error, reason: &str) -> String {
    match (source.code().map_or("", |code| code.code()), &place.database) {
        ("3D000", Some(database)) => return format!("create it: `createdb {database}`"),
        ("3D000", None) => "create it with `createdb`",
        ("28P01" | "28000", _) => {
            "check user, password and the server's pg_hba.conf; a password is read from the \
             address, PGPASSWORD or ~/.pgpass"
        }
        ("53300", _) => "wait, or raise the server's max_connections",
        _ if reason.contains("password missing") => {
            "give a password in the address, PGPASSWORD or ~/.pgpass"
        }
        _ if source.to_string().contains("TLS") || reason.contains("certificate") => {
            "`sslmode` sets whether TLS is used and what it verifies, `sslrootcert` which \
             certificates are trusted"
        }
        _ => "check that the server is up and that this is its address",
    }
    .to_owned()
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
