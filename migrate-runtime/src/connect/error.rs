//! The texts of a [`ConnectError`], which contain no password.

use std::error::Error as _;
use std::time::Duration;

use migrate_set::remedy::{Remedy, Term};
use migrate_set::text::{masked, quoted};
use tokio_postgres::error::SqlState;

use super::address::Mistake;
use super::reach::Failure;
use super::server::DatabasePlace;
use super::settings::Origin;
use super::tls::TlsError;
use crate::outcome::{ConnectError, lasting};

/// How other tools name the schema in an address.
const SCHEMAS: [&str; 3] = ["schema", "currentSchema", "search_path"];

/// The values that an option has.
fn values_of(key: &str) -> &'static str {
    match key {
        "sslmode" => "use disable, allow, prefer, require, verify-ca or verify-full",
        "target_session_attrs" => {
            "use any, read-write, read-only, primary, standby or prefer-standby"
        }
        "port" => "use a number from 1 to 65535",
        "hostaddr" => "use an IP address such as 127.0.0.1; a name belongs in `host`",
        "connect_timeout" | "keepalives_idle" | "keepalives_interval" => {
            "use a whole number of seconds"
        }
        "tcp_user_timeout" => "use a whole number of milliseconds",
        "keepalives" => "use 0 or 1",
        "channel_binding" => "use disable, prefer or require",
        "load_balance_hosts" => "use disable or random",
        "ssl_min_protocol_version" | "ssl_max_protocol_version" => {
            "use TLSv1.2 or TLSv1.3, and no minimum above the maximum"
        }
        _ => "give it a value, or remove it",
    }
}

/// The error of a mistake in the caller's settings.
pub fn connection_mistake(what: String, help: &'static str) -> ConnectError {
    ConnectError::usage(what, help)
}

impl ConnectError {
    fn usage(what: impl Into<String>, help: impl Into<Remedy>) -> Self {
        ConnectError { what: what.into(), help: help.into(), is_usage: true, source: None }
    }

    pub(super) fn unnamed() -> Self {
        let help = "set DATABASE_URL, or PGHOST and PGDATABASE, or pass `--database-url`";
        ConnectError::usage("no database is named", help)
    }

    /// A mistake in what `origin` sets.
    pub(super) fn setting(origin: &Origin, mistake: &Mistake) -> Self {
        let help = match (mistake, origin) {
            (Mistake::Value(key), _) => values_of(key),
            (Mistake::Count(..), _) => "give one value for each host; one port is enough for all",
            (Mistake::Unknown(name), _) if SCHEMAS.contains(&name.as_str()) => {
                let help = Remedy::new("remove it, and name the schema with {}", &[Term::Schema]);
                return ConnectError::usage(format!("{origin} cannot be used: {mistake}"), help);
            }
            (Mistake::Service, _) => {
                "services are read from PGSERVICEFILE, ~/.pg_service.conf and \
                 $PGSYSCONFDIR/pg_service.conf"
            }
            (Mistake::WeakSystem, _) => "use `verify-full`, or name a file with `sslrootcert`",
            (Mistake::NoName, _) => "set `host` to the name in the server's certificate",
            (_, Origin::Variable(_)) => "fix or unset it",
            (Mistake::Unknown(_) | Mistake::Hidden | Mistake::Unsupported(..), _) => {
                "remove it; docs/cli.md lists the options"
            }
            (_, Origin::Service(_)) => "fix it in its file",
            (Mistake::Form, _) => {
                "write it as `postgresql://user@host/database`, without quotes or another word before it"
            }
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

    pub(super) fn no_runtime() -> Self {
        ConnectError::usage(
            "a connection needs a Tokio runtime, and this code runs outside one",
            "await it below `#[tokio::main]`, or in `tokio::runtime::Runtime::block_on`",
        )
    }

    /// For what a connection waits.
    pub(super) fn waiting(failures: &[(&DatabasePlace, Failure)], limit: Duration) -> String {
        format!("waiting up to {} for {}", lasting(limit), reasons(failures).join("; for "))
    }

    /// Why each server that was tried is not the one, also after this time.
    pub(super) fn refused(
        failures: Vec<(&DatabasePlace, Failure)>,
        waited: Option<Duration>,
    ) -> Self {
        let within =
            waited.map_or_else(String::new, |waited| format!(" within {}", lasting(waited)));
        let all = reasons(&failures).join("; to ");
        let lines: String = failures.iter().map(|(_, failure)| more_said(failure)).collect();
        let help = match failures.last() {
            // A wait with a name that may be a part of a password is no use.
            Some((place, last))
                if waited.is_none() && last.can_pass() && place.server.is_some() =>
            {
                help(place, last).or("wait for it with {}", &[Term::WaitForServer])
            }
            Some((place, last)) => help(place, last),
            None => NOT_THERE.into(),
        };
        let source = failures.into_iter().next_back().and_then(|(_, failure)| match failure {
            Failure::Driver(error) => Some(error),
            _ => None,
        });
        let what = format!("cannot connect{within} to {all}{lines}");
        ConnectError { what, help, is_usage: false, source }
    }
}

fn reasons(failures: &[(&DatabasePlace, Failure)]) -> Vec<String> {
    failures.iter().map(|(place, failure)| format!("{place}: {}", said(failure))).collect()
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Driver(_) if failure.lacks_user() => {
            "no role is named, and the user of this process has no name".to_owned()
        }
        Failure::Driver(error) => match (error.as_db_error(), error.source()) {
            (Some(db), _) => format!("{} (SQLSTATE {})", quoted(db.message()), db.code().code()),
            (None, Some(cause)) => quoted(&cause.to_string()),
            (None, None) => error.to_string(),
        },
        Failure::Name(error) => error.to_string(),
        Failure::Slow(limit) => format!("no answer within {}", lasting(*limit)),
        Failure::Kind(wanted) => wanted.refusal().to_owned(),
        Failure::Dotted => "no certificate is for a name that ends with a dot".to_owned(),
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

fn help(place: &DatabasePlace, failure: &Failure) -> Remedy {
    match failure {
        Failure::Slow(_) => {
            "check that the server is up and reachable, or raise `connect_timeout`".into()
        }
        Failure::Kind(_) => "add a server of that kind, or change `target_session_attrs`".into(),
        Failure::Dotted => "remove the dot at the end of `host`".into(),
        Failure::Driver(_) if failure.lacks_user() => {
            "name the role in the address or in PGUSER".into()
        }
        Failure::Driver(error) => help_for(place, error),
        Failure::Name(_) if place.server.is_none() => {
            "check the address; in a password, write `@`, `/` and `%` as `%40`, `%2F` and `%25`"
                .into()
        }
        Failure::Name(_) => NOT_THERE.into(),
    }
}

fn help_for(place: &DatabasePlace, error: &tokio_postgres::Error) -> Remedy {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    match error.code().map_or("", SqlState::code) {
        "3D000" => {
            let name = place.database.as_ref().map_or_else(String::new, |name| format!(" {name}"));
            Remedy::new(format!("create it: {{}}`createdb{name}`"), &[Term::CreateDatabase])
        }
        "28P01" | "28000" => "check user, password and the server's pg_hba.conf; a password is read from the \
                              address, PGPASSWORD or ~/.pgpass"
            .into(),
        "53300" => "wait, or raise the server's max_connections".into(),
        "57P03" => "try again when the server accepts connections".into(),
        "" if cause.contains("password missing") => {
            "give a password in the address, PGPASSWORD or ~/.pgpass".into()
        }
        "" if cause.contains("channel binding") => {
            "set `channel_binding=prefer`, or let the server ask for a password by SCRAM, over TLS".into()
        }
        "" if cause.contains("unsupported authentication") => {
            "let the server's pg_hba.conf ask this role for scram-sha-256, md5, password or a certificate"
                .into()
        }
        "" if cause.contains("server does not support TLS") => {
            "turn on TLS at the server; or, if you trust the network in between, set `sslmode=disable`"
                .into()
        }
        "" if error.to_string().contains("TLS") || cause.contains("certificate") => {
            "`sslmode` sets whether TLS is used and what it verifies, `sslrootcert` which certificates \
             are trusted"
                .into()
        }
        "" => NOT_THERE.into(),
        _ => "the server is up: change what its message names".into(),
    }
}

const NOT_THERE: &str = "check that the server is up and that this is its address";
