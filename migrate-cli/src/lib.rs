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

mod args;
mod connection;
mod consent;
mod exit;
mod fault;
mod folder;
mod html;
mod interrupt;
mod json;
mod ledger;
mod page;
mod paint;
mod run;
mod show;
mod watch;

use std::process::ExitCode;

use migrate_runtime::source::from_folder;
use migrate_runtime::{Migrator, internal};
use tokio_postgres::Client;

use args::Verb;
pub use args::{Args, Folder};
use connection::Place;
pub use connection::{ConnectError, Connection};
pub use exit::Exit;
use fault::Fault;
use interrupt::Cancel;
use page::Answer;

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
        let result = self.answer(migrator).await;
        self.tell(result)
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
        let result = match self.without_database(Some(internal::set(&migrator))) {
            Some(result) => result,
            None => self.with_database(migrator, client, &Place::default(), None).await,
        };
        self.tell(result)
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
        let result = match self.without_database(None) {
            Some(result) => result,
            None => match from_folder(folder.dir(), &folder.options()) {
                Ok(set) => self.answer(Migrator::new(&set)).await,
                Err(errors) => Err(Fault::Set(errors)),
            },
        };
        self.tell(result)
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

    /// Whether the verb connects to a database: `create`, `lock`, `check` and `completions` do not.
    ///
    /// ```
    /// # fn f(args: &migrate_cli::Args) -> Option<String> {
    /// args.needs_database().then(|| "the address from the vault".to_owned())
    /// # }
    /// ```
    pub fn needs_database(&self) -> bool {
        !matches!(
            self.verb,
            Verb::Create(_) | Verb::Freeze(_) | Verb::Check(_) | Verb::Completions { .. }
        )
    }

    async fn answer(&self, migrator: Migrator<'_>) -> Result<Answer, Fault> {
        if let Some(result) = self.without_database(Some(internal::set(&migrator))) {
            return result;
        }
        let target = self.connection.target()?;
        if let Some(problem) = &target.warning {
            page::warn(&self.output, problem);
        }
        let mut client = target.connect().await?;
        let cancel = Cancel { token: client.cancel_token(), connector: target.connector()? };
        self.with_database(migrator, &mut client, &target.place, Some(cancel)).await
    }

    /// The answer of a verb that needs no database; `None` for the others.
    fn without_database(
        &self,
        set: Option<&migrate_runtime::Migrations>,
    ) -> Option<Result<Answer, Fault>> {
        match &self.verb {
            Verb::Create(verb) => Some(folder::create(verb, set)),
            Verb::Freeze(verb) => Some(folder::freeze(verb, set)),
            Verb::Check(verb) => Some(folder::check(verb, set)),
            Verb::Completions { shell } => Some(Ok(folder::completions(*shell, set))),
            _ => None,
        }
    }

    async fn with_database(
        &self,
        migrator: Migrator<'_>,
        client: &mut Client,
        place: &Place,
        cancel: Option<Cancel>,
    ) -> Result<Answer, Fault> {
        let migrator = self.options.apply(migrator);
        let mut about = run::About { migrator, place, output: &self.output, cancel };
        match &self.verb {
            Verb::Status { html } => show::status(&about, client, html.as_deref()).await,
            Verb::Plan { limit, sql } => show::plan(&about, client, limit, *sql).await,
            Verb::Verify => show::verify(&about, client).await,
            Verb::History => show::history(&about, client).await,
            Verb::Up(up) => run::up(&mut about, client, up).await,
            Verb::Down(down) => run::down(&mut about, client, down).await,
            Verb::Redo => run::redo(&mut about, client).await,
            Verb::Baseline { version } => ledger::baseline(&about, client, version).await,
            Verb::Adopt(adopt) => ledger::adopt(&about, client, adopt).await,
            Verb::Repair { what } => ledger::repair(&about, client, what).await,
            Verb::Create(_) | Verb::Freeze(_) | Verb::Check(_) | Verb::Completions { .. } => {
                Err(Fault::Usage { what: "this verb needs no database".to_owned(), help: "" })
            }
        }
    }

    /// Prints the answer or the error.
    fn tell(&self, result: Result<Answer, Fault>) -> ExitCode {
        let exit = page::print(self.verb.name(), &self.output, result);
        ExitCode::from(exit.code())
    }
}
