//! Fills the ledger from the table of another tool: reads it, verifies what can be, records the rest
//! as a baseline.
//! A tool and the name of its table go in; ledger changes and what an operator should know of them
//! come out.
//! The other table is only read, on purpose: going back stays possible.

mod digest;
mod matching;
mod obstacle;
mod tool;

use migrate_set::set::{DEFAULT_MODULE, Migration};

use crate::amend::{Change, amended};
use crate::error::ErrorKind;
use crate::execute::Run;
use crate::ledger::{Contents, DEFAULT_SCHEMA, columns};
use crate::{privilege, protocol};
use matching::{Found, decide};
pub use obstacle::{AdoptObstacle, AdoptObstacles};
use tool::Row;

/// A tool whose table [`Migrator::adopt`](crate::Migrator::adopt) can read.
///
/// ```
/// use migrate_runtime::Adopt;
///
/// assert_eq!(Adopt::Sqlx.default_table(), "_sqlx_migrations");
/// assert_eq!(Adopt::Sqlx.algorithm(), Some("SHA-384"));
/// assert_eq!(Adopt::Dbmate.algorithm(), None); // versions only: nothing can be verified
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Adopt {
    /// refinery: `refinery_schema_history`, verified by `SipHash-1-3`.
    Refinery,
    /// sqlx: `_sqlx_migrations`, verified by SHA-384.
    Sqlx,
    /// diesel: `__diesel_schema_migrations`, which keeps no checksum.
    Diesel,
    /// Flyway: `flyway_schema_history`, verified by CRC32; what lies under a baseline is not.
    Flyway,
    /// goose: `goose_db_version`, which keeps no checksum.
    Goose,
    /// golang-migrate: `schema_migrations`, which keeps the newest version and no checksum.
    GolangMigrate,
    /// dbmate: `schema_migrations`, which keeps versions only.
    Dbmate,
    /// Chronis: `chronis_migration_history`, verified by SHA-256.
    Chronis,
    /// pgdbm: `schema_migrations`, verified by SHA-256.
    Pgdbm,
    /// pycopg: `schema_migrations`, which keeps no checksum.
    Pycopg,
    /// data-bridge: `_migrations`, verified by SHA-256.
    DataBridge,
    /// Xyn: `schema_migrations`, which keeps no checksum.
    Xyn,
}

/// A tool and where its table is: what [`Migrator::adopt`](crate::Migrator::adopt) takes.
///
/// ```
/// use migrate_runtime::Adopt;
///
/// let renamed = Adopt::Sqlx.table("my_migrations").schema("meta");
/// # let _ = renamed;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    tool: Adopt,
    schema: Option<String>,
    table: Option<String>,
    module: Option<String>,
}

impl From<Adopt> for Adoption {
    fn from(tool: Adopt) -> Self {
        Adoption { tool, schema: None, table: None, module: None }
    }
}

impl Adopt {
    /// The tool's table has this name.
    #[must_use]
    pub fn table(self, table: impl Into<String>) -> Adoption {
        Adoption::from(self).table(table)
    }

    /// The tool's table is in this schema.
    #[must_use]
    pub fn schema(self, schema: impl Into<String>) -> Adoption {
        Adoption::from(self).schema(schema)
    }

    /// Of the tool's table, the rows of this module; only pgdbm has modules.
    #[must_use]
    pub fn module(self, module: impl Into<String>) -> Adoption {
        Adoption::from(self).module(module)
    }
}

impl Adoption {
    /// The table has this name; the tool's default otherwise.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// The table is in this schema; otherwise in the migrator's
    /// ([`Migrator::schema`](crate::Migrator::schema)), or in `public`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The rows of this module, which only pgdbm has; those of `default` otherwise.
    #[must_use]
    pub fn module(mut self, module: impl Into<String>) -> Self {
        self.module = Some(module.into());
        self
    }

    /// The module whose rows are read, where the tool has modules.
    fn module_read(&self) -> Option<&str> {
        let module = self.module.as_deref().unwrap_or(DEFAULT_MODULE);
        (self.tool == Adopt::Pgdbm).then_some(module)
    }

    fn table_name(&self) -> &str {
        self.table.as_deref().unwrap_or_else(|| self.tool.default_table())
    }
}

impl Run<'_> {
    /// What the other tool has applied and the ledger does not have, and what is to be said of it.
    pub(crate) async fn adopt(
        &mut self,
        contents: &Contents<'_>,
        adoption: &Adoption,
    ) -> Result<(Vec<Change>, Vec<String>), ErrorKind> {
        let schema = adoption.schema.as_deref().or(self.migrator.schema.as_deref());
        let schema = schema.unwrap_or(DEFAULT_SCHEMA).to_owned();
        let rows = self.read_other(adoption, &schema).await?;
        let tool = adoption.tool;
        let table = format!("{schema}.{}", adoption.table_name());
        if rows.is_empty() {
            let module = adoption.module_read().map(|module| format!(" in module `{module}`"));
            let module = module.unwrap_or_default();
            let note = format!("`{table}` holds nothing that {} applied{module}", tool.name());
            return Ok((Vec::new(), vec![note]));
        }
        let found =
            decide(tool, rows, self.migrator.set, &contents.entries).map_err(|obstacles| {
                ErrorKind::Adoption {
                    tool: tool.name(),
                    table,
                    obstacles: AdoptObstacles(obstacles),
                }
            })?;
        let notes = unverified(tool, &found);
        let change = |(found, position): (Found<'_>, i64)| {
            let down = self.down_sql(found.migration)?;
            let sql = self.ledger.adopt(found.migration, down.as_deref(), position, &found.taken);
            Ok(Change { sql: vec![sql], amended: amended(found.migration) })
        };
        let changes = found.into_iter().zip(self.last_position + 1..).map(change);
        Ok((changes.collect::<Result<_, ErrorKind>>()?, notes))
    }

    /// The rows of the other tool's table: one message.
    async fn read_other(
        &mut self,
        adoption: &Adoption,
        schema: &str,
    ) -> Result<Vec<Row>, ErrorKind> {
        self.report.messages += 1;
        let mut rows = Vec::new();
        let sql = adoption.select(schema);
        let result = protocol::rows(self.client, &sql, |row| rows.push(Row::read(&row))).await;
        let Err(source) = result else { return Ok(rows) };
        let (tool, table) = (adoption.tool.name(), adoption.table_name());
        let shown = format!("{schema}.{table}");
        match source.code().map(tokio_postgres::error::SqlState::code) {
            // Missing, or some column is missing or of another type: whose table is it?
            Some(code) if code.starts_with("42") && code != "42501" => {
                let mut found = Vec::new();
                let columns = columns(schema, table);
                let listed = protocol::rows(self.client, &columns, |row| {
                    found.extend(row.get(0).map(str::to_owned));
                });
                if listed.await.is_ok() {
                    return Err(ErrorKind::NotAdoptable { tool, table: shown, columns: found });
                }
            }
            _ => {}
        }
        let doing = format!("reading {tool}'s `{shown}`");
        let help = privilege::help_for_statement(self.client, &source, &sql).await;
        Err(ErrorKind::Database { doing, help, source })
    }
}

/// What is said of migrations whose text could not be verified: one note.
fn unverified(tool: Adopt, found: &[Found<'_>]) -> Vec<String> {
    let versions = |migration: &Migration| migration.version().to_string();
    let unverified = found.iter().filter(|found| !found.taken.verified);
    let versions: Vec<String> = unverified.map(|found| versions(found.migration)).collect();
    let name = tool.name();
    let because = match tool.algorithm() {
        None => format!("{name} keeps no checksums"),
        Some(_) => format!("{name} kept no checksum of theirs"),
    };
    let which = match versions.as_slice() {
        [] => return Vec::new(),
        [one] => format!("version {one} is"),
        [first, .., last] => {
            format!("{} migrations, versions {first} to {last}, are", versions.len())
        }
    };
    vec![format!(
        "{which} taken over unverified, because {because}; `accept_all` takes the set's text for what ran"
    )]
}
