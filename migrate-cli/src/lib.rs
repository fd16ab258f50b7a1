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

mod selection;
mod verbs;
mod output;
mod interrupt;
mod options;
mod folder;
mod error;
mod connection;
mod exit;

use std::process::ExitCode;

use migrate_runtime::set::Sets;
use migrate_runtime::source::from_folder;
use migrate_runtime::{Migrator, internal};
use tokio_postgres::Client;

use connection::Place;
pub use connection::{ConnectError, Connection};
use error::VerbError;
pub use exit::Exit;
pub use folder::Folder;
use interrupt::Signals;
use options::Options;
use output::{Answer, Output};
use selection::{Selection, modules};
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
    selection: Selection,
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
    /// Options of the command line override those of the migrator. Of several sets, each in its order:
    /// `up` applies nothing if one of them has drift, and stops at the first that fails. A verb that is
    /// for one set needs `--set` with its module.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Migrations, embed_migrations};
    /// # static LIBRARY: Migrations = embed_migrations!("migrations", module = "library");
    /// # static APP: Migrations = embed_migrations!("migrations", module = "app");
    /// # async fn f(args: migrate_cli::Args) -> std::process::ExitCode {
    /// args.run([&LIBRARY, &APP]).await
    /// # }
    /// ```
    pub async fn run<'s>(self, sets: impl Into<Sets<'s>>) -> ExitCode {
        self.run_each(sets.into(), None).await
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
    pub async fn run_on<'s>(self, sets: impl Into<Sets<'s>>, client: &mut Client) -> ExitCode {
        self.run_each(sets.into(), Some(client)).await
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
        let result = match &self.verb {
            Verb::OfFolder(verb) => verb.run::<Args>(None),
            Verb::OfDatabase(_) => match from_folder(folder.dir(), &folder.options()) {
                Ok(set) => return self.run_each(Sets::from(&set), None).await,
                Err(errors) => Err(errors.into()),
            },
        };
        self.exit(&result)
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

    async fn run_each(mut self, sets: Sets<'_>, mut client: Option<&mut Client>) -> ExitCode {
        self.verb.set_modules(&modules(&sets));
        let chosen = match self.selection.of(sets, &self.verb) {
            Ok(chosen) => chosen,
            Err(error) => return self.exit(&Err(error)),
        };
        let name = |migrator| (chosen.len() > 1).then(|| internal::set(migrator).module());
        // Drift in one set stops all of them before anything runs.
        let others = if self.verb.changes() { chosen.get(1..) } else { None };
        for migrator in others.unwrap_or_default() {
            let plan = self.answer(&Verb::plan(), migrator, client.as_deref_mut()).await;
            if plan.1.is_err() {
                self.output.begin_set(name(migrator));
                return ExitCode::from(self.print(name(migrator), &plan).code());
            }
        }
        let mut exit = Exit::Fine;
        for migrator in &chosen {
            self.output.begin_set(name(migrator));
            let answer = self.answer(&self.verb, migrator, client.as_deref_mut()).await;
            exit = exit.worse(self.print(name(migrator), &answer));
            if answer.1.is_err() && self.verb.changes() {
                break;
            }
        }
        ExitCode::from(exit.code())
    }

    /// The result of the verb on one set, and the server that answered.
    async fn answer(
        &self,
        verb: &Verb,
        migrator: &Migrator<'_>,
        client: Option<&mut Client>,
    ) -> (Option<Place>, Result<Answer, VerbError>) {
        match (verb, client) {
            (Verb::OfFolder(verb), _) => (None, verb.run::<Args>(Some(internal::set(migrator)))),
            (Verb::OfDatabase(verb), None) => self.connect_and_run(verb, migrator.clone()).await,
            (Verb::OfDatabase(verb), Some(client)) => {
                let (place, output) = (Place::default(), &self.output);
                let migrator = self.options.apply(migrator.clone());
                let cx = Context { migrator, client, place: &place, output };
                let result = verb.run(cx).await;
                (Some(place), result)
            }
        }
    }

    async fn connect_and_run(
        &self,
        verb: &DatabaseVerb,
        migrator: Migrator<'_>,
    ) -> (Option<Place>, Result<Answer, VerbError>) {
        let (mut client, place, signals) = match self.connect().await {
            Ok(connected) => connected,
            Err(error) => return (None, Err(error.into())),
        };
        let migrator = internal::interruptible(self.options.apply(migrator), signals);
        let (client, output) = (&mut client, &self.output);
        let result = verb.run(Context { migrator, client, place: &place, output }).await;
        (Some(place), result)
    }

    async fn connect(&self) -> Result<(Client, Place, Signals), ConnectError> {
        let target = self.connection.target()?;
        if let Some(problem) = &target.warning {
            self.output.warn(problem);
        }
        let (client, place, peer) = target.connect().await?;
        let signals = Signals { token: client.cancel_token(), target, peer };
        Ok((client, place, signals))
    }

    fn print(
        &self,
        set: Option<&str>,
        (place, result): &(Option<Place>, Result<Answer, VerbError>),
    ) -> Exit {
        self.output.print(self.verb.name(), set, place.as_ref(), result)
    }

    /// Prints what needs no database.
    fn exit(&self, result: &Result<Answer, VerbError>) -> ExitCode {
        ExitCode::from(self.output.print(self.verb.name(), None, None, result).code())
    }
}
