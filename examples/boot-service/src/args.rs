//! Decides what the caller asks for.
//! The arguments and the variable `PORT` go in, a [`Command`] comes out, or a [`Mistake`].
//! It reads neither the environment nor `DATABASE_URL` on purpose, so that its rules are a table.

use std::ffi::{OsStr, OsString};

use thiserror::Error;

/// What `--help` prints, and what follows a mistake.
pub(crate) const USAGE: &str = "\
usage: boot-service [--once] [--port PORT]

Migrates its database, then serves on 127.0.0.1.

  --once       migrate, print what was applied, and exit
  --port PORT  the port to serve on; 0 takes a free one [default: $PORT, else 3000]
  --help       print this

  DATABASE_URL names the database; without it a throwaway PostgreSQL server is
               started, and removed at exit

  GET /healthz      200 while the database answers and nothing is pending, else 503
  GET /migrations   every migration and when it was applied
  GET /rooms        the rooms and how many bookings are coming up
";

const DEFAULT_PORT: u16 = 3000;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print the usage.
    Help,
    /// Migrate, and then.
    Boot(Then),
}

/// What comes after the migrations.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Exit,
    /// Serve on this port of 127.0.0.1; 0 is any free one.
    Serve {
        /// The port.
        port: u16,
    },
}

/// What is wrong with the arguments.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// No argument of this name.
    #[error("unknown argument `{0}`")]
    Unknown(String),
    /// `--port` is the last argument.
    #[error("`--port` needs a number behind it")]
    NoPort,
    /// The port is none.
    #[error("{origin} is `{value}`, which is no port: a number from 0 to 65535")]
    BadPort {
        /// Where it was given.
        origin: &'static str,
        /// What was given.
        value: String,
    },
}

/// The command of these arguments, without the program's name; an argument wins over `PORT`.
///
/// # Errors
/// The first [`Mistake`], unless `--help` stands before it.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    port_variable: Option<OsString>,
) -> Result<Command, Mistake> {
    let mut args = args.into_iter();
    let mut once = false;
    let mut port = None;
    while let Some(arg) = args.next() {
        let arg = arg.to_string_lossy();
        match arg.split_once('=').unwrap_or((&arg, "")) {
            ("--help" | "-h", "") => return Ok(Command::Help),
            ("--once", "") => once = true,
            ("--port", _) => {
                let value = match arg.split_once('=') {
                    Some((_, value)) => OsString::from(value),
                    None => args.next().ok_or(Mistake::NoPort)?,
                };
                port = Some(number("--port", &value)?);
            }
            _ => return Err(Mistake::Unknown(arg.into_owned())),
        }
    }
    if once {
        return Ok(Command::Boot(Then::Exit));
    }
    let port = match (port, port_variable.filter(|value| !value.is_empty())) {
        (Some(port), _) => port,
        (None, Some(value)) => number("PORT", &value)?,
        (None, None) => DEFAULT_PORT,
    };
    Ok(Command::Boot(Then::Serve { port }))
}

fn number(origin: &'static str, value: &OsStr) -> Result<u16, Mistake> {
    let value = value.to_string_lossy();
    value.parse().map_err(|_| Mistake::BadPort { origin, value: value.into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str], port: Option<&str>) -> Result<Command, Mistake> {
        parse(args.iter().map(OsString::from), port.map(OsString::from))
    }

    #[test]
    fn arguments_say_what_to_do() {
        #[track_caller]
        fn check(args: &[&str], port: Option<&str>, expected: Command) {
            assert_eq!(parsed(args, port), Ok(expected), "{args:?}");
        }
        let serve = |port| Command::Boot(Then::Serve { port });
        let once = || Command::Boot(Then::Exit);
        check(&[], None, serve(3000));
        check(&[], Some("8080"), serve(8080));
        check(&[], Some(""), serve(3000));
        check(&["--port", "0"], Some("8080"), serve(0));
        check(&["--port=81"], Some("x"), serve(81));
        check(&["--port=81", "--port", "82"], None, serve(82));
        check(&["--once"], None, once());
        check(&["--once"], Some("x"), once());
        check(&["--port", "1", "--once"], None, once());
        check(&["--help"], None, Command::Help);
        check(&["--once", "-h", "--nonsense"], None, Command::Help);
    }

    #[test]
    fn a_mistake_is_named() {
        #[track_caller]
        fn check(args: &[&str], port: Option<&str>, expected: &str) {
            let mistake = parsed(args, port).unwrap_err();
            assert_eq!(mistake.to_string(), expected, "{args:?}");
        }
        let no_port = "which is no port: a number from 0 to 65535";
        check(&["--onse"], None, "unknown argument `--onse`");
        check(&["--once=yes"], None, "unknown argument `--once=yes`");
        check(&["serve"], None, "unknown argument `serve`");
        check(&[""], None, "unknown argument ``");
        check(&["--port"], None, "`--port` needs a number behind it");
        check(&["--port", "--once"], None, &format!("--port is `--once`, {no_port}"));
        check(&["--port="], None, &format!("--port is ``, {no_port}"));
        check(&["--port=65536"], None, &format!("--port is `65536`, {no_port}"));
        check(&[], Some("http"), &format!("PORT is `http`, {no_port}"));
    }
}
