//! The command line: the verbs of a [`Migrator`] for a service's own binary, and for a folder.
//! A service flattens [`Args`] into its own arguments, which runs one verb on the embedded set; the
//! binary `migrate` runs the same verbs on a folder.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use clap::Parser;
//! use migrate_runtime::{Migrations, Migrator, embed_migrations};
//!
//! static MIGRATIONS: Migrations = embed_migrations!("migrations");
//!
//! #[derive(Parser)]
//! struct Cli {
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! #[derive(clap::Subcommand)]
//! enum Command {
//!     /// Serves until it receives a signal
//!     Serve,
//!     /// Shows and changes the database's schema
//!     Migrate(migrate_cli::Args),
//! }
//!
//! # async fn serve() -> ExitCode { ExitCode::SUCCESS }
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     match Cli::parse().command {
//!         Command::Serve => serve().await,
//!         Command::Migrate(args) => args.run(Migrator::new(&MIGRATIONS)).await,
//!     }
//! }
//! ```
//!
//! `myservice migrate status` then shows what is applied; `docs/cli.md` describes every verb, the
//! exit codes and the JSON shapes.

mod verbs;
mod output;
mod interrupt;
mod options;
mod folder;
mod error;
mod connection;
mod exit;

use std::process::ExitCode;

use migrate_runtime::source::from_folder;
use migrate_runtime::{Migrator, internal};
use tokio_postgres::Client;

use connection::Place;
pub use connection::{ConnectError, Connection};
use error::VerbError;
pub use exit::Exit;
pub use folder::Folder;
use interrupt::Cancel;
use options::Options;
use output::{Answer, Output};
use verbs::{Context, DatabaseVerb, Verb};

/// The command line of migrations: a verb and its options, for a service to flatten into its own
/// arguments.
///
/// The [crate's page](self) shows how.
#[derive(clap::Args, Debug, Clone)]
#[command(about = "Shows and changes the database's schema", long_about = None)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    output: Output,
}

impl Args {
    /// Sets the database to use, instead of `--database-url` and `DATABASE_URL`: for a service that
    /// has its address from another source.
    ///
    /// ```no_run
    /// # use migrate_runtime::Migrator;
    /// # async fn f(args: migrate_cli::Args, migrator: Migrator<'_>, url: String) -> std::process::ExitCode {
    /// let connection = migrate_cli::Connection::of_url(url).application_name("shop"); // from a file, say
    /// args.connection(connection).run(migrator).await
    /// # }
    /// ```
    #[must_use]
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }

    /// Runs the verb on the migrator's set, prints the result and returns the exit code.
    ///
    /// Options of the command line override those of the migrator.
    pub async fn run(self, migrator: Migrator<'_>) -> ExitCode {
        let (place, result) = match &self.verb {
            Verb::OfFolder(verb) => (None, verb.run::<Args>(Some(internal::set(&migrator)))),
            Verb::OfDatabase(verb) => self.connect_and_run(verb, migrator).await,
        };
        self.print(place.as_ref(), &result)
    }

    /// As [`Args::run`], with the service's own client.
    ///
    /// ```no_run
    /// # use migrate_runtime::Migrator;
    /// # async fn f(
    /// #     args: migrate_cli::Args,
    /// #     migrator: Migrator<'_>,
    /// #     mut client: tokio_postgres::Client,
    /// # ) -> std::process::ExitCode {
    /// args.run_on(migrator, &mut client).await
    /// # }
    /// ```
    pub async fn run_on(self, migrator: Migrator<'_>, client: &mut Client) -> ExitCode {
        let place = &Place::default();
        let (place, result) = match &self.verb {
            Verb::OfFolder(verb) => (None, verb.run::<Args>(Some(internal::set(&migrator)))),
            Verb::OfDatabase(verb) => {
                let (migrator, output) = (self.options.apply(migrator), &self.output);
                let cx = Context { migrator, client, place, output, cancel: None };
                (Some(place), verb.run(cx).await)
            }
        };
        self.print(place, &result)
    }

    /// Runs the verb on the set that `folder` holds now, as the binary `migrate` does.
    ///
    /// ```no_run
    /// use clap::Parser;
    ///
    /// #[derive(Parser)]
    /// struct Cli {
    ///     #[command(flatten)]
    ///     folder: migrate_cli::Folder,
    ///     #[command(flatten)]
    ///     args: migrate_cli::Args,
    /// }
    ///
    /// # async fn f() -> std::process::ExitCode {
    /// let cli = Cli::parse();
    /// cli.args.run_folder(&cli.folder).await
    /// # }
    /// ```
    pub async fn run_folder(self, folder: &Folder) -> ExitCode {
        let (place, result) = match &self.verb {
            Verb::OfFolder(verb) => (None, verb.run::<Args>(None)),
            Verb::OfDatabase(verb) => match from_folder(folder.dir(), &folder.options()) {
                Ok(set) => self.connect_and_run(verb, Migrator::new(&set)).await,
                Err(errors) => (None, Err(errors.into())),
            },
        };
        self.print(place.as_ref(), &result)
    }

    /// Uses the database at `url`, unless `--database-url` names another; `DATABASE_URL` is ignored.
    /// For a service that already knows its database.
    ///
    /// ```no_run
    /// # use migrate_runtime::Migrator;
    /// # async fn f(args: migrate_cli::Args, migrator: Migrator<'_>, url: String) -> std::process::ExitCode {
    /// args.database_url(url).run(migrator).await
    /// # }
    /// ```
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.connection = self.connection.or_url(url);
        self
    }

    /// Whether the verb connects to a database: `create`, `freeze`, `check` and `completions` do not.
    ///
    /// ```
    /// # fn f(args: &migrate_cli::Args) -> Option<String> {
    /// args.needs_database().then(|| "the address from the vault".to_owned())
    /// # }
    /// ```
    pub fn needs_database(&self) -> bool {
        matches!(self.verb, Verb::OfDatabase(_))
    }

    /// The result of the verb, and the server that answered.
    async fn connect_and_run(
        &self,
        verb: &DatabaseVerb,
        migrator: Migrator<'_>,
    ) -> (Option<Place>, Result<Answer, VerbError>) {
        let (mut client, place, cancel) = match self.connect().await {
            Ok(connected) => connected,
            Err(error) => return (None, Err(error.into())),
        };
        let (migrator, output) = (self.options.apply(migrator), &self.output);
        let (client, cancel) = (&mut client, Some(cancel));
        let result = verb.run(Context { migrator, client, place: &place, output, cancel }).await;
        (Some(place), result)
    }

    async fn connect(&self) -> Result<(Client, Place, Cancel), ConnectError> {
        let target = self.connection.target()?;
        if let Some(problem) = &target.warning {
            self.output.warn(problem);
        }
        let (client, place) = target.connect().await?;
        let cancel = Cancel { token: client.cancel_token(), connector: target.connector()? };
        Ok((client, place, cancel))
    }

    fn print(&self, place: Option<&Place>, result: &Result<Answer, VerbError>) -> ExitCode {
        ExitCode::from(self.output.print(self.verb.name(), place, result).code())
    }
}
