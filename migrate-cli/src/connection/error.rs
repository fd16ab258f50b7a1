//! Why there is no connection, and what to do about it, in a text without any password.

use std::error::Error as _;
use std::fmt;

use migrate_runtime::internal::text::{masked, quoted};
use tokio_postgres::error::SqlState;

use super::address::Mistake;
use super::reach::Failure;
use super::server::Place;
use super::settings::Origin;
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

    /// A mistake in what `origin` sets.
    pub(super) fn setting(origin: &Origin, mistake: &Mistake) -> Self {
        let help = match (mistake, origin) {
            (Mistake::Value("sslmode"), _) => {
                "use disable, allow, prefer, require, verify-ca or verify-full"
            }
            (Mistake::Value("target_session_attrs"), _) => {
                "use any, read-write, read-only, primary, standby or prefer-standby"
            }
            (Mistake::Service, _) => {
                "services are read from PGSERVICEFILE, ~/.pg_service.conf and \
                 $PGSYSCONFDIR/pg_service.conf"
            }
            (Mistake::WeakSystem, _) => "use `verify-full`, or name a file with `sslrootcert`",
            (Mistake::NoName, _) => "set `host` to the name in the server's certificate",
            (Mistake::Value("port"), _) => "use a number from 1 to 65535",
            (Mistake::Value("connect_timeout"), _) => "use a whole number of seconds",
            (_, Origin::Variable(_)) => "fix or unset it",
            (Mistake::Unknown(_) | Mistake::Hidden | Mistake::Unsupported(..), _) => {
                "remove it; docs/cli.md lists the options"
            }
            (_, Origin::Service(_)) => "fix it in its file",
            _ => "write it as `postgresql://user@host/database`",
        };
        ConnectError::usage(format!("{origin} cannot be used: {mistake}"), help)
    }

    pub(super) fn tls(error: &TlsError) -> Self {
        ConnectError::usage(error.to_string(), error.help())
    }

    /// The driver's configuration has no word for it.
    pub(super) fn session() -> Self {
        ConnectError::usage(
            "the driver's configuration cannot contain this `target_session_attrs`",
            "connect with `Connection::connect`",
        )
    }

    /// Why each server that was tried is not the one.
    pub(super) fn refused(failures: Vec<(&Place, Failure)>) -> Self {
        let each = |(place, failure): &(&Place, Failure)| format!("{place}: {}", said(failure));
        let all: Vec<String> = failures.iter().map(each).collect();
        let lines: String = failures.iter().map(|(_, failure)| more_said(failure)).collect();
        let help = failures.last().map_or_else(String::new, |(place, last)| help(place, last));
        let source = failures.into_iter().next_back().and_then(|(_, failure)| match failure {
            Failure::Driver(error) => Some(error),
            _ => None,
        });
        let what = format!("cannot connect to {}{lines}", all.join("; to "));
        ConnectError { what, help, is_usage: false, source }
    }
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Driver(error) => match (error.as_db_error(), error.source()) {
            (Some(db), _) => format!("{} (SQLSTATE {})", quoted(db.message()), db.code().code()),
            (None, Some(cause)) => quoted(&cause.to_string()),
            (None, None) => error.to_string(),
        },
        Failure::Name(error) => error.to_string(),
        Failure::Slow(limit) => format!("no answer within {limit:?}"),
        Failure::Kind(wanted) => wanted.refusal().to_owned(),
    }
}

/// Lines with the server's detail and hint.
fn more_said(failure: &Failure) -> String {
    let Failure::Driver(error) = failure else { return String::new() };
    let Some(db) = error.as_db_error() else { return String::new() };
    let lines = [("detail", db.detail()), ("hint", db.hint())].into_iter();
    let lines =
        lines.filter_map(|(name, line)| Some(format!("\n{name}: {}", quoted(&masked(line?)))));
    lines.collect()
}

fn help(place: &Place, failure: &Failure) -> String {
    let said = said(failure);
    let help = match failure {
        Failure::Slow(_) => "check that the server is up and reachable, or raise `connect_timeout`",
        Failure::Kind(_) => "add a server of that kind, or change `target_session_attrs`",
        Failure::Driver(error) => match error.code().map_or("", SqlState::code) {
            "3D000" => {
                return match &place.database {
                    Some(database) => format!("create it: `createdb {database}`"),
                    None => "create it with `createdb`".to_owned(),
                };
            }
            "28P01" | "28000" => {
                "check user, password and the server's pg_hba.conf; a password is read from the \
                 address, PGPASSWORD or ~/.pgpass"
            }
            "53300" => "wait, or raise the server's max_connections",
            "57P03" => "wait until the server accepts connections",
            "" if said.contains("password missing") => {
                "give a password in the address, PGPASSWORD or ~/.pgpass"
            }
            "" if error.to_string().contains("TLS") || said.contains("certificate") => {
                "`sslmode` sets whether TLS is used and what it verifies, `sslrootcert` which \
                 certificates are trusted"
            }
            "" => "check that the server is up and that this is its address",
            _ => "the server is up: change what its message names",
        },
        Failure::Name(_) if place.server.is_none() => {
            "check the address; in a password, write `@`, `/` and `%` as `%40`, `%2F` and `%25`"
        }
        Failure::Name(_) => "check that the server is up and that this is its address",
    };
    help.to_owned()
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
