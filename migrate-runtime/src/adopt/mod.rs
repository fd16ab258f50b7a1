//! Adopts another tool's history from its table, which is only read, so that you can go back.

mod matching;
mod names;
mod tool;
mod table;
mod tools;
mod facts;
mod digest;
mod sha1;
mod siphash;
mod row;
pub(crate) mod former;

use migrate_set::remedy::Term;
use tokio_postgres::Client;

use crate::context::{Context, Sent, check_name, check_unqualified, help_for_statement};
use crate::migrator::DEFAULT_SCHEMA;
pub use crate::outcome::{AdoptObstacle, AdoptObstacles};
use crate::outcome::{Error, ErrorKind, counted_versions};
use crate::sql::{Contents, checked, column, columns, first_table};
use crate::wire::{self, is_of_a_check};
pub use digest::Algorithm;
use facts::Facts;
pub(crate) use matching::Found;
use matching::{Doubt, decide};
use row::Row;
pub use table::AnyTable;
pub use tool::Adopt;
use tool::default_tables;

/// What to do about the history of another tool, if the database has its table.
pub async fn other_history(client: &Client) -> Option<String> {
    let row = wire::query(client, &first_table(default_tables())).await.ok().flatten()?;
    let table = column(&row, 0)?;
    Some(format!("`{table}` has the history of another tool; take it over with `adopt`"))
}

/// A tool or any table, and the place of it, for [`Migrator::adopt`](crate::Migrator::adopt).
///
/// ```
/// use migrate_runtime::adopt::Adopt;
///
/// let renamed = Adopt::Sqlx.table("my_migrations").schema("meta");
/// # let _ = renamed;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    origin: Origin,
    schema: Option<String>,
    table: Option<String>,
    module: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Tool(Adopt),
    Table(AnyTable),
}

impl From<Adopt> for Adoption {
    fn from(tool: Adopt) -> Self {
        Adoption::new(Origin::Tool(tool))
    }
}

impl From<AnyTable> for Adoption {
    fn from(table: AnyTable) -> Self {
        Adoption::new(Origin::Table(table))
    }
}

impl Adoption {
    /// Sets the name of the table; the default is that of the tool.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// Sets the schema of the table; the default is that of the tool, or that of the migrator
    /// ([`Migrator::schema`](crate::Migrator::schema)), or `public`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Sets the module whose rows are read: pgdbm's, or a project of sqitch, or an app of Django.
    ///
    /// By default `default` for pgdbm and Django, and all projects of sqitch.
    #[must_use]
    pub fn module(mut self, module: impl Into<String>) -> Self {
        self.module = Some(module.into());
        self
    }

    fn new(origin: Origin) -> Self {
        Adoption { origin, schema: None, table: None, module: None }
    }

    fn facts(&self) -> Facts<'_> {
        match &self.origin {
            Origin::Tool(tool) => tool.facts(),
            Origin::Table(table) => table.facts(),
        }
    }

    /// The migrations that the other tool has applied and that have no entry, and notes for an operator.
    pub(crate) async fn read<'r>(
        &self,
        cx: &Context<'r>,
        contents: &Contents<'_>,
    ) -> Result<(Vec<Found<'r>>, Vec<String>), Error> {
        let facts = self.facts();
        let schema = self.schema.as_deref().or(facts.schema).or(cx.schema());
        let schema = schema.unwrap_or(DEFAULT_SCHEMA);
        let name = self.table.as_deref().unwrap_or(facts.table);
        let rows = self.rows_of(cx, &facts, [schema, name]).await?;
        let table = format!("{schema}.{name}");
        if rows.is_empty() {
            let module = self.module.as_deref().or(facts.module);
            let module = module.map(|module| format!(" in module `{module}`")).unwrap_or_default();
            let note = format!("`{table}` has no migration that {} applied{module}", facts.name);
            return Ok((Vec::new(), vec![note]));
        }
        let terms = (cx.migrator.set, &cx.migrator.policy);
        let decided = decide(&facts, rows, terms, &contents.entries);
        let (found, mut notes) = decided.map_err(|obstacles| {
            let obstacles = AdoptObstacles(obstacles);
            ErrorKind::Adoption { tool: facts.name, table, obstacles }
        })?;
        notes.extend(unverified(&facts, &found));
        Ok((found, notes))
    }

    /// The rows of the other tool's table: one message.
    async fn rows_of(
        &self,
        cx: &Context<'_>,
        facts: &Facts<'_>,
        [schema, table]: [&str; 2],
    ) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        let names: [(&[Term], &str); 2] =
            [(&[Term::AdoptSchema], schema), (&[Term::AdoptTable], table)];
        names.into_iter().try_for_each(|(option, name)| check_name(option, name))?;
        let select = facts.select(schema, table, self.module.as_deref().or(facts.module));
        let sql = cx.limited(&checked(&[schema, table], &select));
        let result = cx.wire.rows(&sql, |row| rows.push(Row::read(&row))).await;
        let Err(source) = result else { return Ok(rows) };
        let (tool, shown) = (facts.name, format!("{schema}.{table}"));
        match source.code().map(tokio_postgres::error::SqlState::code) {
            Some(code) if is_of_a_check(code) => {
                if let Some(error) = cx.untrusted(&names, (schema, table)).await {
                    return Err(error);
                }
            }
            // The schema, the table or a column is missing, or a column has another type.
            Some(code) if code == "3F000" || code.starts_with("42") && code != "42501" => {
                let (mut found, listing) = (Vec::new(), columns(schema, table));
                let listed =
                    wire::rows(cx.wire.client, &listing, |row| found.extend(column(&row, 0)));
                if listed.await.is_ok() {
                    if found.is_empty() {
                        check_unqualified(&[Term::AdoptSchema, Term::AdoptTable], table)?;
                    }
                    let (table, columns) = (shown, found);
                    return Err(ErrorKind::NotAdoptable { tool, table, columns }.into());
                }
            }
            _ => {}
        }
        let doing = format!("reading {tool}'s `{shown}`");
        let help = help_for_statement(cx.wire.client, &source, &sql, Sent::ByLibrary).await;
        let held_by = cx.holders(&source, &sql).await;
        let detail = cx.migrator.detail(&source);
        Err(ErrorKind::Database { doing, detail, held_by, help, source }.into())
    }
}

/// The notes about migrations whose text is not verified.
fn unverified(facts: &Facts<'_>, found: &[Found<'_>]) -> impl Iterator<Item = String> {
    let name = facts.name;
    let no_checksum = match facts.checksum {
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
            "{which} adopted unverified, because {because}; `accept` (`repair accept` of the command line) records \
             the set's text as what ran"
        ))
    })
}
