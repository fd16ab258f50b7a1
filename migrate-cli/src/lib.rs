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
mod folder;
mod git;
mod error;
mod connection;
mod exit;
mod env_file;
mod options;

use std::process::ExitCode;
use std::sync::Arc;

use migrate_runtime::internal::DatabasePlace;
use migrate_runtime::set::Sets;
use migrate_runtime::source::from_folder;
use migrate_runtime::{Migrations, Migrator, internal};
use migrate_source::check::SourceErrors;
use tokio_postgres::Client;

pub use connection::Connection;
use error::VerbError;
pub use exit::Exit;
pub use folder::Folder;
use interrupt::Signals;
pub use migrate_runtime::error::ConnectError;
use options::Options;
use output::{Answer, Output};
use selection::{Selection, check_modules, module, modules};
use verbs::{Connector, Context, DatabaseVerb, ServerVerb, Verb};

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
        self.connection = connection.or_wait_of(&self.connection);
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

    /// Runs the verb on the sets that the folders of `folder` contain now, as the binary `migrate` does.
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
    pub async fn run_folder(mut self, folder: &Folder) -> ExitCode {
        self.connection.finds_file();
        self.verb = self.verb.resolved();
        let folders = folder.each();
        match &self.verb {
            Verb::Folder(verb) => {
                match self.selection.of(folders, Folder::module, &self.verb) {
                    Ok(chosen) => self.print_each(chosen.iter().map(|folder| {
                        (folder.module(), verb.clone().of(folder).run::<Args>(None))
                    })),
                    Err(error) => self.exit(&Err(error)),
                }
            }
            Verb::Server(verb) if !verb.needs_sets() => self.run_on_server(verb, Vec::new()).await,
            Verb::Server(_) | Verb::Database(_) => match read_all(&folders) {
                Ok(sets) => self.run_each(sets.iter().collect(), None).await,
                Err(errors) => self.exit(&Err(errors.into())),
            },
        }
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

    /// Whether the verb connects to a database: `init`, `create`, `freeze`, `check`, `schema --static`,
    /// `convert` without `--prove` and `completions` do not.
    ///
    /// ```
    /// # fn f(args: &migrate_cli::Args) -> Option<String> {
    /// args.needs_database().then(|| "the address from the vault".to_owned())
    /// # }
    /// ```
    pub fn needs_database(&self) -> bool {
        match self.verb.clone().resolved() {
            Verb::Folder(_) => false,
            Verb::Server(verb) => verb.connects(),
            Verb::Database(_) => true,
        }
    }

    async fn run_each(mut self, sets: Sets<'_>, client: Option<&mut Client>) -> ExitCode {
        self.verb = self.verb.resolved();
        self.verb.set_modules(&modules(&sets));
        let sets = sets.into_iter().map(|migrator| self.options.apply(migrator)).collect();
        let chosen = self.selection.of(sets, module, &self.verb);
        let chosen = match chosen.and_then(|chosen| check_modules(&chosen).map(|()| chosen)) {
            Ok(chosen) => chosen,
            Err(error) => return self.exit(&Err(error)),
        };
        let exit = match (&self.verb, client) {
            (Verb::Folder(verb), _) => {
                return self.print_each(chosen.iter().map(|migrator| {
                    (module(migrator), verb.run::<Args>(Some(internal::set(migrator))))
                }));
            }
            (Verb::Server(verb), Some(_)) if verb.connects() => {
                return self.exit(&Err(VerbError::Usage {
                    what: format!(
                        "`{}` connects by itself, and this program already has",
                        self.verb.name()
                    ),
                    help: "use the program `migrate`",
                }));
            }
            (Verb::Server(verb), _) => return self.run_on_server(verb, chosen).await,
            (Verb::Database(verb), Some(client)) => {
                self.run_in_order(verb, &chosen, client, &DatabasePlace::default()).await
            }
            (Verb::Database(verb), None) => return self.connect_and_run(verb, chosen).await,
        };
        ExitCode::from(exit.code())
    }

    /// Runs a verb on each set over a connection of its own.
    async fn connect_and_run(&self, verb: &DatabaseVerb, sets: Vec<Migrator<'_>>) -> ExitCode {
        let (mut client, place, signals) = match self.connect().await {
            Ok(connected) => connected,
            Err(error) => return self.exit(&Err(error.into())),
        };
        let with_signals = |migrator| internal::interruptible(migrator, Arc::clone(&signals) as _);
        let sets: Vec<_> = sets.into_iter().map(with_signals).collect();
        ExitCode::from(self.run_in_order(verb, &sets, &mut client, &place).await.code())
    }

    /// Runs a verb that is about the server, and then `up` on each set if the verb ends with that.
    async fn run_on_server(&self, verb: &ServerVerb, sets: Vec<Migrator<'_>>) -> ExitCode {
        let cx = Connector { connection: &self.connection, output: &self.output, sets: &sets };
        match verb.run(cx).await {
            Ok((_, answer)) if verb.migrates() => {
                self.output.begin(&answer.text);
                self.connect_and_run(&DatabaseVerb::up(), sets).await
            }
            Ok((place, answer)) => {
                let name = self.verb.name();
                ExitCode::from(self.output.print(name, None, place.as_ref(), &Ok(answer)).code())
            }
            Err(error) => self.exit(&Err(error)),
        }
    }

    /// Runs a verb on each set, and prints the results.
    async fn run_in_order(
        &self,
        verb: &DatabaseVerb,
        sets: &[Migrator<'_>],
        client: &mut Client,
        place: &DatabasePlace,
    ) -> Exit {
        let name = |migrator| (sets.len() > 1).then(|| module(migrator));
        let print = |migrator, result| {
            self.output.print(self.verb.name(), name(migrator), Some(place), &result)
        };
        // Drift in one set stops all of them before anything runs.
        let others = if self.verb.changes() { sets.get(1..) } else { None };
        for migrator in others.unwrap_or_default() {
            let cx = Context { migrator: migrator.clone(), client, place, output: &self.output };
            if let Err(error) = DatabaseVerb::plan().run(cx).await {
                self.output.begin_set(name(migrator));
                return print(migrator, Err(error));
            }
        }
        let mut exit = Exit::Fine;
        for migrator in sets {
            self.output.begin_set(name(migrator));
            let cx = Context { migrator: migrator.clone(), client, place, output: &self.output };
            let result = verb.run(cx).await;
            let failed = result.is_err();
            exit = exit.worse(print(migrator, result));
            if failed && self.verb.changes() {
                break;
            }
        }
        exit
    }

    async fn connect(&self) -> Result<(Client, DatabasePlace, Arc<Signals>), ConnectError> {
        let target = self.connection.target()?;
        if let Some(problem) = &target.warning {
            self.output.warn(problem);
        }
        let tell = |line: &str| self.output.aside(line);
        let (client, place, way) = target.connect_within(self.connection.wait(), &tell).await?;
        Ok((client, place, Arc::new(Signals::new(way))))
    }

    /// Prints the results of a verb that needs no database, each with its module.
    fn print_each<'m>(
        &self,
        results: impl ExactSizeIterator<Item = (&'m str, Result<Answer, VerbError>)>,
    ) -> ExitCode {
        let are_several = results.len() > 1;
        let mut exit = Exit::Fine;
        for (module, result) in results {
            let name = are_several.then_some(module);
            self.output.begin_set(name);
            exit = exit.worse(self.output.print(self.verb.name(), name, None, &result));
        }
        ExitCode::from(exit.code())
    }

    /// Prints what is about no set.
    fn exit(&self, result: &Result<Answer, VerbError>) -> ExitCode {
        ExitCode::from(self.output.print(self.verb.name(), None, None, result).code())
    }
}

/// The sets of all folders, or the mistakes in all of them.
fn read_all(folders: &[Folder]) -> Result<Vec<Migrations>, SourceErrors> {
    let (mut sets, mut errors) = (Vec::new(), SourceErrors(Vec::new()));
    for folder in folders {
        match from_folder(folder.dir(), &folder.options()) {
            Ok(set) => sets.push(set),
            Err(more) => errors.0.extend(more.0),
        }
    }
    if errors.0.is_empty() { Ok(sets) } else { Err(errors) }
}
