//! Parses the arguments and the variable `PORT` into a [`Task`] and the database's address, or into the error
//! of `clap`. It does not read `DATABASE_URL`: the example must not change a database that this variable names
//! for another project.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use migrate_cli::Args;

const DEFAULT_PORT: u16 = 3000;

/// The text of `--help` below the options.
const AFTER_HELP: &str = "\
Without `--database-url` it starts a throwaway server and removes it at exit.
DATABASE_URL, PGHOST and PGDATABASE name no database here.

  GET /health/live    200 while the process answers
  GET /health/ready   200 where nothing is pending and nothing drifted, else 503
  GET /healthz        the same
  GET /migrations     every migration and when it was applied
  GET /rooms          the rooms and how many bookings are coming up";

/// Migrates its database, then serves on 127.0.0.1
#[derive(Debug, Parser)]
#[command(name = "boot-service", after_help = AFTER_HELP)]
struct Cli {
    /// Migrate, print what was applied, and exit
    #[arg(long)]
    once: bool,
    /// The port to serve on; 0 takes a free one [default: $PORT, else 3000]
    #[arg(long, overrides_with = "port")]
    port: Option<u16>,
    /// The database to migrate and serve, as `postgresql://user@host/database` [default: one on a
    /// throwaway server]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows and changes the database's schema
    Migrate(Args),
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// A verb of the library.
    Migrate(Box<Args>),
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

/// The task of these arguments, which begin with the program's name, and the database's address. An argument
/// takes precedence over `PORT`.
///
/// # Errors
/// What `clap` prints and exits with: a mistake, or the help.
pub(crate) fn read(
    args: impl IntoIterator<Item = OsString>,
    port_variable: Option<OsString>,
) -> Result<(Option<String>, Task), clap::Error> {
    let matches = parser().try_get_matches_from(args)?;
    let Cli { once, port, database_url, command } = Cli::from_arg_matches(&matches)?;
    let task = match command {
        Some(Command::Migrate(_)) if once || port.is_some() => {
            let text = "`--once` and `--port` say how to serve, and go without a subcommand";
            return Err(Cli::command().error(ErrorKind::ArgumentConflict, text));
        }
        Some(Command::Migrate(args)) => Task::Migrate(Box::new(args)),
        None if once => Task::Boot(Then::Exit),
        None => {
            let port = port.map_or_else(|| default_port(port_variable), Ok)?;
            Task::Boot(Then::Serve { port })
        }
    };
    Ok((database_url, task))
}

/// The option of the same name among the library's arguments would announce `DATABASE_URL` as its
/// default.
fn parser() -> clap::Command {
    let cli = Cli::command();
    let help =
        cli.get_arguments().find(|arg| arg.get_id() == "database_url").and_then(Arg::get_help);
    let help = help.cloned().unwrap_or_default();
    cli.mut_subcommand("migrate", |migrate| migrate.mut_arg("database_url", |arg| arg.help(help)))
}

fn default_port(variable: Option<OsString>) -> Result<u16, clap::Error> {
    let Some(value) = variable.filter(|value| !value.is_empty()) else { return Ok(DEFAULT_PORT) };
    let value = value.to_string_lossy();
    value.parse().map_err(|_| {
        let text = format!("PORT is `{value}`, which is no port: a number from 0 to 65535");
        Cli::command().error(ErrorKind::ValueValidation, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(args: &[&str], port: Option<&str>) -> Result<Task, clap::Error> {
        let args = [&["boot-service"], args].concat();
        Ok(read(args.iter().map(OsString::from), port.map(OsString::from))?.1)
    }

    #[test]
    fn arguments_say_what_to_do() {
        #[track_caller]
        fn check(args: &[&str], port: Option<&str>, expected: &Then) {
            let Task::Boot(then) = task(args, port).unwrap() else { panic!("{args:?}") };
            assert_eq!(then, *expected, "{args:?}");
        }
        let serve = |port| Then::Serve { port };
        check(&[], None, &serve(3000));
        check(&[], Some("8080"), &serve(8080));
        check(&[], Some(""), &serve(3000));
        check(&["--port", "0"], Some("8080"), &serve(0));
        check(&["--port=81"], Some("x"), &serve(81));
        check(&["--port=81", "--port", "82"], None, &serve(82));
        check(&["--once"], None, &Then::Exit);
        check(&["--once"], Some("x"), &Then::Exit);
        check(&["--port", "1", "--once"], None, &Then::Exit);
        for args in [&["migrate", "status"][..], &["migrate", "check"]] {
            assert!(matches!(task(args, Some("x")), Ok(Task::Migrate(_))), "{args:?}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        #[track_caller]
        fn check(args: &[&str], port: Option<&str>, expected: &str) {
            let mistake = task(args, port).unwrap_err();
            assert_eq!(mistake.exit_code(), 2, "{args:?}");
            assert!(mistake.to_string().contains(expected), "{args:?}: {mistake}");
        }
        check(&["--onse"], None, "unexpected argument '--onse'");
        check(&["serve"], None, "unrecognized subcommand 'serve'");
        check(&["--port"], None, "a value is required for '--port <PORT>'");
        check(&["--port=65536"], None, "'65536' for '--port <PORT>'");
        check(&[], Some("http"), "PORT is `http`, which is no port: a number from 0 to 65535");
        check(&["--once", "migrate", "status"], None, "go without a subcommand");
        check(&["--port=1", "migrate", "up"], None, "go without a subcommand");
    }

    #[test]
    fn an_address_counts_on_either_side_of_the_subcommand() {
        for args in [
            ["--database-url", "host=h", "migrate", "status"],
            ["migrate", "status", "--database-url", "host=h"],
        ] {
            let args = [&["boot-service"], &args[..]].concat();
            let (database_url, _) = read(args.iter().map(OsString::from), None).unwrap();
            assert_eq!(database_url.as_deref(), Some("host=h"), "{args:?}");
        }
    }

    #[test]
    fn no_help_names_a_variable_as_the_database() {
        for args in [&["--help"][..], &["migrate", "--help"], &["migrate", "status", "--help"]] {
            let help = task(args, None).unwrap_err().to_string();
            assert!(help.contains("throwaway server]"), "{help}");
            assert!(!help.contains("$DATABASE_URL") && !help.contains("$PGHOST"), "{help}");
        }
    }
}
