//! Adopts another tool's history from its table, which is only read, so that you can go back.

mod digest;
mod matching;
mod tool;

use migrate_set::remedy::Term;
use migrate_set::set::DEFAULT_MODULE;

use crate::context::{Context, Sent, check_name, help_for_statement, holders};
use crate::migrator::DEFAULT_SCHEMA;
pub use crate::outcome::{AdoptObstacle, AdoptObstacles};
use crate::outcome::{ErrorKind, counted_versions};
use crate::sql::{Contents, checked, column, columns};
use crate::wire::{self, is_of_a_check};
pub(crate) use matching::Found;
use matching::{Doubt, decide};
use tool::Row;
pub(crate) use tool::default_tables;

/// A tool whose table [`Migrator::adopt`](crate::Migrator::adopt) can read.
///
/// ```
/// use migrate_runtime::adopt::Adopt;
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
    /// Flyway: `flyway_schema_history`, verified by CRC32, except migrations under a baseline.
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

/// A tool and the place of its table, for [`Migrator::adopt`](crate::Migrator::adopt).
///
/// ```
/// use migrate_runtime::adopt::Adopt;
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
    /// Sets the name of the tool's table.
    #[must_use]
    pub fn table(self, table: impl Into<String>) -> Adoption {
        Adoption::from(self).table(table)
    }

    /// Sets the schema of the tool's table.
    #[must_use]
    pub fn schema(self, schema: impl Into<String>) -> Adoption {
        Adoption::from(self).schema(schema)
    }

    /// Sets the module whose rows are read; only pgdbm has modules.
    #[must_use]
    pub fn module(self, module: impl Into<String>) -> Adoption {
        Adoption::from(self).module(module)
    }
}

impl Adoption {
    /// Sets the name of the table; the default is that of the tool.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// Sets the schema of the table; the default is that of the migrator
    /// ([`Migrator::schema`](crate::Migrator::schema)), or `public`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Sets the module whose rows are read, `default` by default; only pgdbm has modules.
    #[must_use]
    pub fn module(mut self, module: impl Into<String>) -> Self {
        self.module = Some(module.into());
        self
    }

    /// The module whose rows are read, if the tool has modules.
    fn module_read(&self) -> Option<&str> {
        let module = self.module.as_deref().unwrap_or(DEFAULT_MODULE);
        (self.tool == Adopt::Pgdbm).then_some(module)
    }

    fn table_name(&self) -> &str {
        self.table.as_deref().unwrap_or_else(|| self.tool.default_table())
    }
}

impl Adoption {
    /// The migrations that the other tool has applied and that have no entry, and notes for an operator.
    pub(crate) async fn read<'r>(
        &self,
        cx: &Context<'r>,
        contents: &Contents<'_>,
    ) -> Result<(Vec<Found<'r>>, Vec<String>), ErrorKind> {
        let schema = self.schema.as_deref().or(cx.schema()).unwrap_or(DEFAULT_SCHEMA);
        let rows = self.rows_of(cx, schema).await?;
        let tool = self.tool;
        let table = format!("{schema}.{}", self.table_name());
        if rows.is_empty() {
            let module = self.module_read().map(|module| format!(" in module `{module}`"));
            let module = module.unwrap_or_default();
            let note = format!("`{table}` has no migration that {} applied{module}", tool.name());
            return Ok((Vec::new(), vec![note]));
        }
        let terms = (cx.migrator.set, &cx.migrator.policy);
        let decided = decide(tool, rows, terms, &contents.entries);
        let (found, mut notes) = decided.map_err(|obstacles| {
            let obstacles = AdoptObstacles(obstacles);
            ErrorKind::Adoption { tool: tool.name(), table, obstacles }
        })?;
        notes.extend(unverified(tool, &found));
        Ok((found, notes))
    }

    /// The rows of the other tool's table: one message.
    async fn rows_of(&self, cx: &Context<'_>, schema: &str) -> Result<Vec<Row>, ErrorKind> {
        let mut rows = Vec::new();
        let names: [(&[Term], &str); 2] =
            [(&[Term::AdoptSchema], schema), (&[Term::AdoptTable], self.table_name())];
        names.into_iter().try_for_each(|(option, name)| check_name(option, name))?;
        let sql = checked(names.into_iter().map(|(_, name)| name), &self.select(schema));
        let result = cx.wire.rows(&sql, |row| rows.push(Row::read(&row))).await;
        let Err(source) = result else { return Ok(rows) };
        let (tool, table) = (self.tool.name(), self.table_name());
        let shown = format!("{schema}.{table}");
        match source.code().map(tokio_postgres::error::SqlState::code) {
            Some(code) if is_of_a_check(code) => {
                if let Some(error) = cx.untrusted(names.into_iter(), (schema, table)).await {
                    return Err(error);
                }
            }
            // The schema, the table or a column is missing, or a column has another type.
            Some(code) if code == "3F000" || code.starts_with("42") && code != "42501" => {
                let mut found = Vec::new();
                let columns = columns(schema, table);
                let listed = wire::rows(cx.wire.client, &columns, |row| {
                    found.extend(column(&row, 0));
                });
                if listed.await.is_ok() {
                    return Err(ErrorKind::NotAdoptable { tool, table: shown, columns: found });
                }
            }
            _ => {}
        }
        let doing = format!("reading {tool}'s `{shown}`");
        let help = help_for_statement(cx.wire.client, &source, &sql, Sent::InTransaction).await;
        let held_by = holders(cx.wire.client, &source, &sql).await;
        let detail = cx.migrator.detail(&source);
        Err(ErrorKind::Database { doing, detail, held_by, help, source })
    }
}

/// The notes about migrations whose text is not verified.
fn unverified(tool: Adopt, found: &[Found<'_>]) -> impl Iterator<Item = String> {
    let name = tool.name();
    let no_checksum = match tool.algorithm() {
        None => format!("{name} keeps no checksums"),
        Some(_) => format!("{name} recorded no checksum for them"),
    };
    let differs = format!("the text differs from what {name} applied");
    let reasons = [(Doubt::NoChecksum, no_checksum), (Doubt::Differs, differs)];
    reasons.into_iter().filter_map(|(doubt, because)| {
        let of_it = found.iter().filter(|found| found.doubt == Some(doubt));
        let versions: Vec<&str> = of_it.map(|found| found.migration.version().as_str()).collect();
        let which = counted_versions(&versions, ["is", "are"])?;
        Some(format!(
            "{which} adopted unverified, because {because}; `accept` records the set's text as what ran"
        ))
    })
}
