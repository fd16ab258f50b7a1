//! `database`: creates the database that the address names, and drops it after it has asked. A comment of the
//! database records that it was created here: without it, it is not dropped.

use std::process;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use migrate_runtime::internal::{DatabasePlace, literal, query, quoted_identifier};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::server::Connector;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::confirm::confirm;
use crate::output::json::Body;
use crate::output::text::line;

#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Database {
    /// Create the database, unless it exists
    Create(Maintenance),
    /// Drop the database, if `database create` has created it
    Drop(DropArgs),
    /// Drop the database, if `database create` has created it, create it again and apply all migrations
    Reset(DropArgs),
}

/// Where the statements are sent: no session of a database can create or drop that database.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Maintenance {
    /// The database to connect to meanwhile [default: postgres, else template1]
    #[arg(long, value_name = "NAME")]
    maintenance_db: Option<String>,
}

#[derive(Args, Debug, Clone)]
pub(crate) struct DropArgs {
    /// Also drop a database that `database create` has not created
    #[arg(long)]
    drop_foreign: bool,
    /// End the sessions that use it
    #[arg(long)]
    disconnect: bool,
    #[command(flatten)]
    maintenance: Maintenance,
}

impl Maintenance {
    /// The databases to connect to, the first that exists.
    fn databases(&self) -> Vec<&str> {
        let own = self.maintenance_db.as_deref();
        own.map_or_else(|| vec!["postgres", "template1"], |own| vec![own])
    }

    /// The same to drop the database `name`, which its own session cannot do.
    fn databases_beside(&self, name: &str) -> Result<Vec<&str>, VerbError> {
        let others: Vec<&str> =
            self.databases().into_iter().filter(|other| *other != name).collect();
        if others.is_empty() {
            return Err(VerbError::Usage {
                what: format!("`{name}` cannot be dropped by a session of `{name}`"),
                help: "name another database with `--maintenance-db`",
            });
        }
        Ok(others)
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Done {
    dropped: bool,
    created: bool,
}

impl Database {
    pub(super) async fn run(
        &self,
        cx: &Connector<'_>,
    ) -> Result<(DatabasePlace, Answer), VerbError> {
        let name = Server::name(cx)?;
        let others = match self {
            Database::Create(maintenance) => maintenance.databases(),
            Database::Drop(options) | Database::Reset(options) => {
                options.maintenance.databases_beside(&name)?
            }
        };
        let mut server = Server::connect_to(cx, &others, name).await?;
        let mut done = Done::default();
        if let Database::Drop(options) | Database::Reset(options) = self {
            done.dropped = server.drop(cx, options).await?;
        }
        if let Database::Create(_) | Database::Reset(_) = self {
            done.created = server.create().await?;
        }
        Ok((server.place.clone(), done.answer(self, &server.place)))
    }
}

impl Done {
    fn answer(self, verb: &Database, place: &DatabasePlace) -> Answer {
        let mut text = String::new();
        if self.dropped {
            text += &line("Dropped", &place.to_string());
        }
        if self.created {
            text += &line("Created", &place.to_string());
        }
        if text.is_empty() {
            let state = if let Database::Drop(_) = verb { "does not exist" } else { "exists" };
            text = line("Unchanged", &format!("{place} {state}"));
        }
        Answer::new(text, Body::Database { dropped: self.dropped, created: self.created })
    }
}

/// A session of another database of the server, and the database that the verb is about.
pub(super) struct Server {
    client: Arc<Client>,
    name: String,
    place: DatabasePlace,
}

/// What the server has of a database.
struct Found {
    is_ours: bool,
}

impl Server {
    pub(super) async fn connect(
        cx: &Connector<'_>,
        maintenance: &Maintenance,
    ) -> Result<Self, VerbError> {
        Self::connect_to(cx, &maintenance.databases(), Self::name(cx)?).await
    }

    /// The name of the database in the address.
    fn name(cx: &Connector<'_>) -> Result<String, VerbError> {
        cx.target()?.database().map(str::to_owned).ok_or_else(|| VerbError::Usage {
            what: "the address does not clearly name a database".to_owned(),
            help: "name it; in a password, write `@`, `/` and `%` as `%40`, `%2F` and `%25`",
        })
    }

    async fn connect_to(
        cx: &Connector<'_>,
        others: &[&str],
        name: String,
    ) -> Result<Self, VerbError> {
        let target = cx.target()?;
        for other in others {
            match cx.connect(&target.clone().of_database(other), None).await {
                Err(error) if error.is_missing_database() => {}
                connected => {
                    let (client, place) = connected?;
                    let place = DatabasePlace { database: Some(name.clone()), ..place };
                    return Ok(Server { client: Arc::new(client), name, place });
                }
            }
        }
        Err(VerbError::Usage {
            what: format!(
                "the server has no database `{}` to connect to",
                others.first().unwrap_or(&"postgres")
            ),
            help: "name one that exists with `--maintenance-db`",
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn place(&self) -> DatabasePlace {
        self.place.clone()
    }

    /// By a session that is there.
    pub(super) fn of(client: Client, place: DatabasePlace) -> Server {
        let name = place.database.clone().unwrap_or_default();
        Server { client: Arc::new(client), name, place }
    }

    /// Does `work` with a new, empty database, which is dropped again. Its name has the verb that needs it.
    pub(super) async fn scratch<T>(
        &self,
        verb: &str,
        work: impl AsyncFnOnce(&str) -> Result<T, VerbError>,
    ) -> Result<T, VerbError> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let server = self.named(&format!("migrate_{verb}_{}_{nanos}", process::id()));
        server.create_scratch(verb).await?;
        let done = work(&server.name).await;
        let dropped = server.force_drop().await;
        let done = done?;
        dropped.map(|()| done)
    }

    /// The comment tells what it is, if this process ends early.
    async fn create_scratch(&self, verb: &str) -> Result<(), VerbError> {
        let failed = |doing: &str, source: Error| VerbError::Server {
            what: format!("{doing} a database for `migrate {verb}`"),
            help: match source.code() {
                Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                    "use a role with CREATEDB, or another server"
                }
                Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => READ_ONLY,
                _ => "change what the server's message names",
            },
            source,
        };
        let quoted = quoted_identifier(&self.name);
        let create = format!("CREATE DATABASE {quoted} TEMPLATE template0");
        query(&self.client, &create).await.map_err(|error| failed("create", error))?;
        let comment = literal(&format!("created by `migrate {verb}`; it can be dropped"));
        let noted =
            query(&self.client, &format!("COMMENT ON DATABASE {quoted} IS {comment}")).await;
        if let Err(error) = noted {
            // The first error is the one to report.
            let _ = self.force_drop().await;
            return Err(failed("comment on", error));
        }
        Ok(())
    }

    /// The database, if it exists.
    async fn find(&self) -> Result<Option<Found>, VerbError> {
        let sql = format!(
            "SELECT oid, pg_catalog.shobj_description(oid, 'pg_database') \
             FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) {}",
            literal(&self.name)
        );
        let row =
            query(&self.client, &sql).await.map_err(|error| self.failed("look for", error))?;
        Ok(row.map(|row| {
            let text = |column: usize| row.try_get(column).ok().flatten();
            let mark = text(0).map(mark);
            Found { is_ours: mark.is_some() && text(1) == mark.as_deref() }
        }))
    }

    /// The same session, for another database.
    fn named(&self, name: &str) -> Server {
        let place = DatabasePlace { database: Some(name.to_owned()), ..self.place.clone() };
        Server { client: Arc::clone(&self.client), name: name.to_owned(), place }
    }

    /// Drops a database that this run has created.
    async fn force_drop(&self) -> Result<(), VerbError> {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted_identifier(&self.name));
        query(&self.client, &sql).await.map_err(|error| self.failed("drop", error))?;
        Ok(())
    }

    /// Returns whether it was missing.
    async fn create(&self) -> Result<bool, VerbError> {
        if self.find().await?.is_some() {
            return Ok(false);
        }
        let quoted = quoted_identifier(&self.name);
        match query(&self.client, &format!("CREATE DATABASE {quoted}")).await {
            Ok(_) => {}
            // Another process has created it meanwhile.
            Err(error)
                if is_one_of(
                    &error,
                    &[SqlState::DUPLICATE_DATABASE, SqlState::UNIQUE_VIOLATION],
                ) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(self.failed("create", error)),
        }
        let sql = format!(
            "SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) {}",
            literal(&self.name)
        );
        let row =
            query(&self.client, &sql).await.map_err(|error| self.failed("look for", error))?;
        if let Some(oid) = row.as_ref().and_then(|row| row.try_get(0).ok().flatten()) {
            let sql = format!("COMMENT ON DATABASE {quoted} IS {}", literal(&mark(oid)));
            query(&self.client, &sql).await.map_err(|error| self.failed("comment on", error))?;
        }
        Ok(true)
    }

    /// Returns whether it existed.
    async fn drop(&mut self, cx: &Connector<'_>, options: &DropArgs) -> Result<bool, VerbError> {
        let Some(found) = self.find().await? else { return Ok(false) };
        if !found.is_ours && !options.drop_foreign {
            return Err(VerbError::Usage {
                what: format!(
                    "{} was not created by `database create`, so it is not dropped",
                    self.place
                ),
                help: "pass `--drop-foreign` if all its data can be lost",
            });
        }
        confirm(cx.output, &format!("drop {} with all its data", self.place))?;
        let how = if options.disconnect { " WITH (FORCE)" } else { "" };
        let sql = format!("DROP DATABASE {}{how}", quoted_identifier(&self.name));
        match query(&self.client, &sql).await {
            Ok(_) => Ok(true),
            Err(error) if is_one_of(&error, &[SqlState::UNDEFINED_DATABASE]) => Ok(false),
            Err(error) => Err(self.failed("drop", error)),
        }
    }

    fn failed(&self, doing: &'static str, source: Error) -> VerbError {
        let help = match source.code().map_or("", SqlState::code) {
            "42501" => {
                "use a role that may: its owner, a superuser, or one with CREATEDB to create it"
            }
            "55006" if doing == "drop" => "end these sessions, or pass `--disconnect`",
            "55006" => "end the sessions of template1, which it is a copy of",
            "25006" => READ_ONLY,
            _ => "change what the server's message names",
        };
        VerbError::Server { what: format!("{doing} {}", self.place), help, source }
    }
}

const READ_ONLY: &str =
    "connect to the primary, and check that `default_transaction_read_only` is off";

/// The comment of a database that was created here. Its number tells it from a copy that has the same comment.
fn mark(oid: &str) -> String {
    format!("created by `migrate database create` as number {oid}")
}

fn is_one_of(error: &Error, states: &[SqlState]) -> bool {
    error.code().is_some_and(|code| states.contains(code))
}
